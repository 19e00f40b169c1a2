"""Runs a network: OpenVINO over an ONNX file, one thread for each inference.

One thread and one batch shape give the same bytes whatever else runs; several networks side by side (one in each worker
process) fill the processor. Another runtime would stand behind the same interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sonotheque.audio.decode import FloatArray


class Network:
    """A compiled network with one input and one chosen output.

    Parameters
    ----------
    model : bytes
        An ONNX file.
    output : str
        Name of the output to compute; what only the others need is not computed.
    shape : sequence of int
        Fixed shape of the input, batch first.
    precision : str
        ``f32`` or ``bf16``, always explicit: OpenVINO's own choice depends on the processor.
    """

    def __init__(self, model: bytes, *, output: str, shape: Sequence[int], precision: str = "f32") -> None:
        import openvino

        core: Any = openvino.Core()
        whole: Any = core.read_model(model)
        part: Any = openvino.Model([whole.output(output)], whole.get_parameters())
        part.reshape(list(shape))
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # two processes would both pin to core 0
        }
        self._request: Any = core.compile_model(part, "CPU", settings).create_infer_request()

    def __call__(self, batch: FloatArray) -> FloatArray:
        """Run one batch of the fixed shape and return the output, float32 [n, D]."""
        result: FloatArray = np.array(self._request.infer([batch])[0], dtype=np.float32)
        return result
