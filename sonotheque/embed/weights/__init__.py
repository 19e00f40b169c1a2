"""The network files that ship inside the package: their origin, and their integrity check on loading."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources

from sonotheque.errors import WeightsError


@dataclass(frozen=True)
class WeightFile:
    """A network file and its origin.

    Attributes
    ----------
    name, sha256, licence, origin, citation : str
    """

    name: str
    sha256: str
    licence: str
    origin: str
    citation: str


SHIPPED = {
    file.name: file
    for file in (
        WeightFile(
            name="musicnn-msd.onnx",
            sha256="7e4ef6e26d942d8c6f28116573620e2273830c28f8d85f21f78393a32525072d",
            licence="ISC (musicnn-LICENSE.md in the same folder)",
            origin="MSD_musicnn in the Python package musicnn 0.1.0, converted by tools/convert_musicnn.py",
            citation="Pons, Serra: musicnn: pre-trained convolutional neural networks for music audio tagging, 2019",
        ),
        WeightFile(
            name="musicnn-msd-tags.npy",
            sha256="d73488aaa915ac414f92393103ab131f5c471478af2bc50abfd486e668dfa521",
            licence="ISC (musicnn-LICENSE.md in the same folder)",
            origin="the output layer of musicnn-msd.onnx, written by tools/extract_tag_layer.py",
            citation="Pons, Serra: musicnn: pre-trained convolutional neural networks for music audio tagging, 2019",
        ),
    )
}


def read_shipped(name: str) -> bytes:
    """Read a network file that ships with the package, and verify its SHA-256.

    Parameters
    ----------
    name : str
        A key of `SHIPPED`.

    Returns
    -------
    bytes

    Raises
    ------
    WeightsError
        If the file is missing or its SHA-256 is not the expected one.
    """
    file = resources.files(__package__).joinpath(name)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise WeightsError(f"{name}: missing from the installed package ({error}); reinstall sonotheque") from None
    found = hashlib.sha256(content).hexdigest()
    if found != SHIPPED[name].sha256:
        raise WeightsError(f"{name}: SHA-256 {found[:12]}... is not the expected one; reinstall sonotheque")
    return content
