"""The ONNX Runtime runtime: run ONNX networks on an NVIDIA GPU.

It needs the extra ``cuda``: ``pip install 'sonotheque[cuda]'``.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray

CUDA_PROVIDER = (
    "CUDAExecutionProvider",
    {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
)
"""CUDA without TF32, so that float32 is computed in full, and with a convolution algorithm that is not chosen by timing, so that
results are reproducible."""


def import_onnxruntime() -> Any:
    """Import ONNX Runtime without its telemetry, which version 1.31 and later send by default.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def cuda_is_available() -> bool:
    """Return whether ONNX Runtime is installed with CUDA support and this machine has an NVIDIA GPU."""
    if importlib.util.find_spec("onnxruntime") is None or not Path("/dev/nvidiactl").exists():
        return False
    return CUDA_PROVIDER[0] in import_onnxruntime().get_available_providers()


class OnnxRuntimeNetwork:
    """A network that runs on the first GPU, or on the device of another `provider`.

    Parameters
    ----------
    model : bytes or path
        An ONNX file; a path if its weights are stored in a separate file beside it.
    output : str
        Name of the output to compute.
    shape : sequence of int
        Fixed shape of the input, batch first. Callers pad smaller batches.
    provider : str or (str, dict)
        ONNX Runtime execution provider, optionally with its settings.

    Raises
    ------
    SpaceError
        If ONNX Runtime is not installed or cannot use the device.
    """

    def __init__(
        self, model: bytes | Path, *, output: str, shape: Sequence[int], provider: str | tuple[str, Any] = CUDA_PROVIDER
    ) -> None:
        try:
            onnxruntime = import_onnxruntime()
        except ImportError:
            raise SpaceError(
                "device cuda needs an optional extra; install it with: pip install 'sonotheque[cuda]'"
            ) from None
        name = provider if isinstance(provider, str) else provider[0]
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        if name not in onnxruntime.get_available_providers():
            raise SpaceError(
                f"the installed ONNX Runtime has no {name}; use device cpu, "
                "or install onnxruntime-gpu without the package onnxruntime"
            )
        if hasattr(onnxruntime, "preload_dlls") and name == CUDA_PROVIDER[0]:
            onnxruntime.preload_dlls()
        source = str(model) if isinstance(model, Path) else model
        self._session: Any = onnxruntime.InferenceSession(source, options, providers=[provider])
        if self._session.get_providers()[0] != name:
            raise SpaceError(
                f"ONNX Runtime cannot start {name}: there is no GPU, or the CUDA libraries are missing; use device cpu"
            )
        self._output = output
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: FloatArray) -> FloatArray:
        """Run one batch of the fixed shape and return the output, float32 [n, D]."""
        result: FloatArray = np.array(self._session.run([self._output], {self._input: batch})[0], dtype=np.float32)
        return result
