"""The six published audio models of OpenL3: where they are, how they are checked, under which licence.

Facts of the project marl/openl3, branch `models`. Only one SHA-256 was published; the others are checked by their git blob
ids, which the same repository states.
"""

from __future__ import annotations

from dataclasses import dataclass

ADDRESS = "https://github.com/marl/openl3/raw/models/openl3_audio_{picture}_{content}-v0_4_0.h5.gz"
LICENCE = "CC BY 4.0"
CITATION = (
    "Cramer, Wu, Salamon, Bello: Look, Listen and Learn More: Design Choices for Deep Audio Embeddings, ICASSP 2019"
)


@dataclass(frozen=True)
class PublishedModel:
    """A published file of weights.

    Attributes
    ----------
    name : str
        As a person names it, such as ``openl3-music-mel256``.
    content, picture : str
        What it was trained on, and what it sees.
    blob : str
        Git blob id of the .h5.gz: SHA-1 of ``blob``, a space, the size, a zero byte and the bytes.
    sha256, unpacked : str or None
        SHA-256 of the .h5.gz and of the .h5 in it, where published.
    """

    name: str
    content: str
    picture: str
    blob: str
    sha256: str | None = None
    unpacked: str | None = None

    @property
    def address(self) -> str:
        """The official address."""
        return ADDRESS.format(picture=self.picture, content=self.content)

    @property
    def file(self) -> str:
        """The file's name, in the cache and at a mirror."""
        return self.address.rpartition("/")[2]


_BLOBS = {
    ("music", "mel256"): "15e483646fa3d4091a463f0affbb706e6bbbb098",
    ("music", "mel128"): "73ff29de441865318c4b3a3f98c40763c4773e7c",
    ("music", "linear"): "4e2e61beb17865481c8b8791c72eac8307e2753a",
    ("env", "mel256"): "34dbd7a91cdd2de6a3d6d036ac0a24d27d78e3cc",
    ("env", "mel128"): "8c3dfee140f7776373841e5938a3e76c54f28942",
    ("env", "linear"): "7837407f033f3564c7e8d53fc4a4241fe160478b",
}
_SHA256 = {
    ("music", "mel256"): (
        "e379f41e880b78e157c199ebddac80d3764e6a46282bcccdbe875bcf538f9afd",
        "624ee7b1dd5ff87e18073f66fd8b2052bebb8ac70210e9c0937c0c940c63e9d6",
    ),
}

MODELS = {
    f"openl3-{content}-{picture}": PublishedModel(
        f"openl3-{content}-{picture}", content, picture, blob, *_SHA256.get((content, picture), (None, None))
    )
    for (content, picture), blob in _BLOBS.items()
}
