"""The OpenVINO runtime: run ONNX networks on the CPU, with one thread per inference."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray


def import_openvino() -> Any:
    """Import OpenVINO with its telemetry disabled, and return the module.

    By default OpenVINO reports every import to a server, through the package ``openvino_telemetry``. It falls back to a stub if
    that package cannot be imported, so this function blocks it first. Nothing else in sonotheque may import OpenVINO.
    """
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino


def supports_bf16() -> bool:
    """Return whether OpenVINO can compute in bf16 on this CPU; where it cannot, it would silently use float32."""
    return "BF16" in import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVinoNetwork:
    """A network that runs on the CPU.

    Parameters
    ----------
    model : bytes or path
        An ONNX file; a path if its weights are stored in a separate file beside it.
    output : str
        Name of the output to compute. Layers that only other outputs need are not computed.
    shape : sequence of int
        Fixed shape of the input, batch first.
    precision : str
        ``f32`` or ``bf16``. It is always explicit, because OpenVINO's default depends on the CPU.

    Raises
    ------
    SpaceError
        If the precision is ``bf16`` and the CPU does not support it.
    """

    def __init__(self, model: bytes | Path, *, output: str, shape: Sequence[int], precision: str = "f32") -> None:
        openvino = import_openvino()
        if precision == "bf16" and not supports_bf16():
            raise SpaceError("this CPU does not support bf16 (it needs AVX-512); use precision f32 or auto")
        core: Any = openvino.Core()
        full_model: Any = core.read_model(model)
        submodel: Any = openvino.Model([full_model.output(output)], full_model.get_parameters())
        submodel.reshape(list(shape))
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # with pinning, two processes would both pin to core 0
        }
        self._request: Any = core.compile_model(submodel, "CPU", settings).create_infer_request()

    def __call__(self, batch: FloatArray) -> FloatArray:
        """Run one batch of the fixed shape and return the output, float32 [n, D]."""
        result: FloatArray = np.array(self._request.infer([batch])[0], dtype=np.float32)
        return result
