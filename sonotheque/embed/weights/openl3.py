"""The six published audio models of OpenL3: their URLs, checksums and licence.

Source: the repository marl/openl3, branch `models`. A SHA-256 is published for one model only; the others are verified by their
git blob ids, which the same repository lists.
"""

from __future__ import annotations

from dataclasses import dataclass

DOWNLOAD_MEGABYTES = 17
"""Size of each published file."""

URL_TEMPLATE = "https://github.com/marl/openl3/raw/models/openl3_audio_{input_repr}_{content}-v0_4_0.h5.gz"
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
        Name on the command line, such as ``openl3-music-mel256``.
    content : str
        Training data: ``music`` or ``env`` (environmental videos).
    input_repr : str
        Input representation: ``mel256``, ``mel128`` or ``linear``.
    git_blob_id : str
        Git blob id of the .h5.gz file: SHA-1 of ``blob``, a space, the size, a zero byte and the content.
    sha256, unpacked_sha256 : str or None
        SHA-256 of the .h5.gz file and of the .h5 file inside it; None if not published.
    """

    name: str
    content: str
    input_repr: str
    git_blob_id: str
    sha256: str | None = None
    unpacked_sha256: str | None = None

    @property
    def url(self) -> str:
        """The official URL."""
        return URL_TEMPLATE.format(input_repr=self.input_repr, content=self.content)

    @property
    def filename(self) -> str:
        """The file name in the cache and on a mirror."""
        return self.url.rpartition("/")[2]


_GIT_BLOB_IDS = {
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
    f"openl3-{content}-{input_repr}": PublishedModel(
        f"openl3-{content}-{input_repr}",
        content,
        input_repr,
        blob_id,
        *_SHA256.get((content, input_repr), (None, None)),
    )
    for (content, input_repr), blob_id in _GIT_BLOB_IDS.items()
}
