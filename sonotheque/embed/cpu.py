"""Networks on the processor: OpenVINO over an ONNX file, one thread for each inference."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray


def _openvino() -> Any:
    """Import OpenVINO without its telemetry, which reports every import to a server; it has a stub for where that is missing."""
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino


def computes_bf16() -> bool:
    """Say whether OpenVINO computes in bf16 on this processor; where not, it would take float32 without a word."""
    return "BF16" in _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class CpuNetwork:
    """A network on the processor.

    Parameters
    ----------
    model : bytes or path
        An ONNX file; a path where its weights lie beside it.
    output : str
        Name of the output to compute; what only the others need is not computed.
    shape : sequence of int
        Fixed shape of the input, batch first.
    precision : str
        ``f32`` or ``bf16``, always explicit: OpenVINO's own choice depends on the processor.

    Raises
    ------
    SpaceError
        If the processor does not compute in bf16.
    """

    def __init__(self, model: bytes | Path, *, output: str, shape: Sequence[int], precision: str = "f32") -> None:
        openvino = _openvino()
        if precision == "bf16" and not computes_bf16():
            raise SpaceError("this processor does not compute in bf16 (that needs AVX-512); take precision f32 or auto")
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
