"""Runs a network: OpenVINO over an ONNX file, one thread for each inference.

One thread and one batch shape give the same bytes whatever else runs; several networks side by side (one in each worker
process or thread) fill the processor. Another runtime would stand behind the same interface.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.audio.decode import FloatArray
from sonotheque.errors import SpaceError

PRECISIONS = ("auto", "f32", "bf16")


def cores() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def has_amx() -> bool:
    """Say whether the processor multiplies bf16 matrices in hardware (AMX); without that, bf16 is slower than float32."""
    try:
        return " amx_bf16 " in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def choose_precision(precision: str) -> str:
    """Turn ``auto`` into what is fastest here.

    Raises
    ------
    SpaceError
        If the precision is unknown.
    """
    if precision not in PRECISIONS:
        raise SpaceError(f"unknown precision {precision!r}; known are {', '.join(PRECISIONS)}")
    return precision if precision != "auto" else "bf16" if has_amx() else "f32"


def _openvino() -> Any:
    """Import OpenVINO without its telemetry, which reports every import to a server; it has a stub for where that is missing."""
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino


class Network:
    """A compiled network with one input and one chosen output.

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
    """

    def __init__(self, model: bytes | Path, *, output: str, shape: Sequence[int], precision: str = "f32") -> None:
        openvino = _openvino()
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
