"""The published .h5 weights to the model that the runtime loads: read with h5py, folded, written beside a shipped graph.

No TensorFlow and no onnx: the graph comes with the package (``tools/build_openl3_graphs.py`` made it), and only the file of
numbers that it names is written here. The result is a cache; a change of `VERSION` makes it again.
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
"""Of Keras' batch normalisation, its default."""

CHANNELS = (1, 64, 64, 128, 128, 256, 256, 512, 512)

Array = np.ndarray[Any, Any]


def read_h5(content: bytes, *, name: str) -> list[list[Array]]:
    """Read the layers of a Keras file that have weights, in the order of the network.

    Layers are taken by that order, not by name: Keras has numbered names in more than one way.

    Parameters
    ----------
    content : bytes
        An .h5 file, gzipped or not.
    name : str
        For messages.

    Returns
    -------
    list of the arrays of each layer

    Raises
    ------
    WeightsError
        If it is no such file.
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
        raise WeightsError(
            f"{name}: not OpenL3's weights as Keras writes them ({error}); fetch the file again"
        ) from None


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def fold(layers: list[list[Array]], *, name: str) -> list[Array]:
    """Fold each batch normalisation into the convolution before it, in float64.

    The first one, on the input, cannot be folded exactly, since zero padding follows it: its scale and shift stay.

    Parameters
    ----------
    layers : as `read_h5` gives them
    name : str
        For messages.

    Returns
    -------
    list of float32 arrays
        Scale, shift, then kernel [out, in, 3, 3] and bias [out] of each of the 8 convolutions.

    Raises
    ------
    WeightsError
        If the layers are not those of an OpenL3 audio network.
    """
    norms = [layer for layer in layers if len(layer) == 4]
    convolutions = [layer for layer in layers if len(layer) == 2]
    shapes = [layer[0].shape for layer in convolutions]
    if len(norms) != 8 or shapes != [(3, 3, *pair) for pair in pairwise(CHANNELS)]:
        raise WeightsError(f"{name}: not the weights of an OpenL3 audio network; fetch the file again")
    scale, shift = _affine(norms[0])
    result = [scale, shift]
    for number, (kernel, bias) in enumerate(convolutions):
        kernel, bias = kernel.astype(np.float64).transpose(3, 2, 0, 1), bias.astype(np.float64)
        if number < 7:
            scale, shift = _affine(norms[number + 1])
            kernel, bias = kernel * scale[:, None, None, None], bias * scale + shift
        result += [kernel, bias]
    return [np.ascontiguousarray(array, dtype="<f4") for array in result]


def _affine(norm: list[Array]) -> tuple[Array, Array]:
    gamma, beta, mean, variance = (array.astype(np.float64) for array in norm)
    scale = gamma / np.sqrt(variance + EPSILON)
    return scale, beta - mean * scale


def converted(source: Path, *, picture: str, cache: Path) -> Path:
    """Return the model of a weights file, converted now or before.

    Parameters
    ----------
    source : path of an .h5 or .h5.gz file
    picture : str
        ``mel256``, ``mel128`` or ``linear``: which network the weights are of.
    cache : path of the folder for converted models

    Returns
    -------
    Path
        An ONNX file, with its numbers beside it.

    Raises
    ------
    WeightsError
        If the file is missing or no OpenL3 weights.
    """
    try:
        content = source.read_bytes()
    except OSError as error:
        raise WeightsError(f"{source}: cannot be read ({error.strerror or error})") from None
    folder = cache / f"openl3-{picture}-{hashlib.sha256(content).hexdigest()[:16]}-v{VERSION}"
    if not folder.exists():
        numbers = b"".join(array.tobytes() for array in fold(read_h5(content, name=str(source)), name=str(source)))
        graph = resources.files("sonotheque.embed.openl3").joinpath("graphs", f"{picture}.onnx").read_bytes()
        _place(folder, {"weights.bin": numbers, "model.onnx": graph})
    return folder / "model.onnx"


def _place(folder: Path, files: dict[str, bytes]) -> None:
    """Write a folder as a whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=folder.name, suffix=".part"))
    try:
        for name, content in files.items():
            (part / name).write_bytes(content)
        os.rename(part, folder)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        if not folder.exists():  # else another process was faster
            raise
