"""Networks on an NVIDIA GPU: ONNX Runtime, where the extra ``cuda`` is installed (``pip install 'sonotheque[cuda]'``)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray

PROVIDER = (
    "CUDAExecutionProvider",
    {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
)
"""Float32 as such, and an algorithm that does not depend on what a timing happened to say."""


def is_available() -> bool:
    """Say whether ONNX Runtime is installed with CUDA and finds a GPU."""
    if importlib.util.find_spec("onnxruntime") is None or not Path("/dev/nvidiactl").exists():
        return False
    import onnxruntime

    return PROVIDER[0] in onnxruntime.get_available_providers()


class CudaNetwork:
    """A network on the first GPU, or where `provider` says.

    Parameters
    ----------
    model : bytes or path
        An ONNX file; a path where its weights lie beside it.
    output : str
        Name of the output to compute.
    shape : sequence of int
        Fixed shape of the input, batch first; smaller batches are filled up.
    provider : str or (str, dict)
        ONNX Runtime's name for the device, with settings.

    Raises
    ------
    SpaceError
        If ONNX Runtime is missing or does not find the device.
    """

    def __init__(
        self, model: bytes | Path, *, output: str, shape: Sequence[int], provider: str | tuple[str, Any] = PROVIDER
    ) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise SpaceError("device cuda needs the extra: pip install 'sonotheque[cuda]'") from None
        name = provider if isinstance(provider, str) else provider[0]
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        if name not in onnxruntime.get_available_providers():
            raise SpaceError(f"ONNX Runtime has no {name} here; take device cpu, or install onnxruntime-gpu alone")
        if hasattr(onnxruntime, "preload_dlls") and name == PROVIDER[0]:
            onnxruntime.preload_dlls()
        source = str(model) if isinstance(model, Path) else model
        self._session: Any = onnxruntime.InferenceSession(source, options, providers=[provider])
        if self._session.get_providers()[0] != name:
            raise SpaceError(f"ONNX Runtime does not start {name}: no GPU, or no CUDA libraries; take device cpu")
        self._output = output
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: FloatArray) -> FloatArray:
        """Run one batch of the fixed shape and return the output, float32 [n, D]."""
        result: FloatArray = np.array(self._session.run([self._output], {self._input: batch})[0], dtype=np.float32)
        return result
