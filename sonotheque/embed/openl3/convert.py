"""Convert the published .h5 weights of OpenL3 to an ONNX model.

The ONNX graphs ship with the package (``tools/build_openl3_graphs.py`` builds them) and refer to an external file of weights. This
module reads the .h5 file with h5py, folds the batch normalisation, and writes that file of weights beside a copy of the graph, so
it needs neither TensorFlow nor onnx. The result is cached; increase `VERSION` to invalidate the cache.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import tempfile
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.errors import WeightsError

VERSION = 1
EPSILON = 1e-3
"""Default epsilon of batch normalisation in Keras."""

CHANNELS = (1, 64, 64, 128, 128, 256, 256, 512, 512)

Array = np.ndarray[Any, Any]


def read_h5(content: bytes, *, name: str) -> list[list[Array]]:
    """Read the arrays of all layers with weights from a Keras file, in network order.

    Layers are identified by their order, not by their names: Keras versions number the names differently.

    Parameters
    ----------
    content : bytes
        Content of an .h5 file, gzipped or not.
    name : str
        File name for error messages.

    Returns
    -------
    list of lists of arrays
        The arrays of each layer.

    Raises
    ------
    WeightsError
        If the content is not a Keras weights file.
    """
    import h5py

    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        with h5py.File(io.BytesIO(content), "r") as file:
            root = file.get("model_weights", file)
            layers = []
            for layer in root.attrs["layer_names"]:
                group = root[_text(layer)]
                arrays = [np.asarray(group[_text(weight)]) for weight in group.attrs["weight_names"]]
                if arrays:
                    layers.append(arrays)
            return layers
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise WeightsError(f"{name}: not a Keras file of OpenL3 weights ({error}); download the file again") from None


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def fold_batch_norms(layers: list[list[Array]], *, name: str) -> list[Array]:
    """Fold each batch normalisation into the preceding convolution, in float64.

    The first one normalises the input. It cannot be folded exactly, because zero padding follows it, so its scale and shift are
    kept.

    Parameters
    ----------
    layers : list of lists of arrays
        As returned by `read_h5`.
    name : str
        File name for error messages.

    Returns
    -------
    list of float32 arrays
        Scale and shift of the input, then kernel [out, in, 3, 3] and bias [out] of each of the 8 convolutions.

    Raises
    ------
    WeightsError
        If the layers are not those of an OpenL3 audio network.
    """
    norms = [layer for layer in layers if len(layer) == 4]
    convolutions = [layer for layer in layers if len(layer) == 2]
    shapes = [layer[0].shape for layer in convolutions]
    if len(norms) != 8 or shapes != [(3, 3, *pair) for pair in pairwise(CHANNELS)]:
        raise WeightsError(f"{name}: not the weights of an OpenL3 audio network; download the file again")
    scale, shift = _batch_norm_affine(norms[0])
    result = [scale, shift]
    for number, (kernel, bias) in enumerate(convolutions):
        kernel, bias = kernel.astype(np.float64).transpose(3, 2, 0, 1), bias.astype(np.float64)
        if number < 7:
            scale, shift = _batch_norm_affine(norms[number + 1])
            kernel, bias = kernel * scale[:, None, None, None], bias * scale + shift
        result += [kernel, bias]
    return [np.ascontiguousarray(array, dtype="<f4") for array in result]


def _batch_norm_affine(norm: list[Array]) -> tuple[Array, Array]:
    """Return the scale and shift that a batch normalisation applies at inference."""
    gamma, beta, mean, variance = (array.astype(np.float64) for array in norm)
    scale = gamma / np.sqrt(variance + EPSILON)
    return scale, beta - mean * scale


def convert_weights(source: Path, *, input_repr: str, cache: Path) -> Path:
    """Convert a weights file to ONNX, or return the cached result.

    Parameters
    ----------
    source : Path
        An .h5 or .h5.gz file.
    input_repr : str
        Input representation of the network: ``mel256``, ``mel128`` or ``linear``.
    cache : Path
        Folder for converted models.

    Returns
    -------
    Path
        An ONNX file; its weights are in a second file beside it.

    Raises
    ------
    WeightsError
        If the file is missing or does not hold OpenL3 weights, or the folder cannot be written.
    """
    content = _read(source)
    folder = cache / f"openl3-{input_repr}-{hashlib.sha256(content).hexdigest()[:16]}-v{VERSION}"
    if not os.path.exists(folder):
        weights = b"".join(
            array.tobytes() for array in fold_batch_norms(read_h5(content, name=str(source)), name=str(source))
        )
        graph = resources.files("sonotheque.embed.openl3").joinpath("graphs", f"{input_repr}.onnx").read_bytes()
        try:
            _write_folder(folder, {"weights.bin": weights, "model.onnx": graph})
        except OSError as error:
            raise WeightsError(
                f"{folder}: cannot be written ({error.strerror or error}); set SONOTHEQUE_CACHE to another folder"
            ) from None
    return folder / "model.onnx"


def check_weights(source: Path) -> None:
    """Check that a file holds the weights of an OpenL3 audio network.

    Raises
    ------
    WeightsError
        If it does not, or cannot be read.
    """
    fold_batch_norms(read_h5(_read(source), name=str(source)), name=str(source))


def _read(source: Path) -> bytes:
    try:
        return source.read_bytes()
    except OSError as error:
        raise WeightsError(f"{source}: cannot be read ({error.strerror or error})") from None


def _write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write a folder of files atomically."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=folder.name, suffix=".part"))
    try:
        for name, content in files.items():
            (part / name).write_bytes(content)
        os.rename(part, folder)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        if not folder.exists():  # if it exists, another process has written it first
            raise
