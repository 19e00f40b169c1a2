"""Extract everything that the library stores from one file: its properties, tags and vectors."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sonotheque.embed.runtime import Compute
from sonotheque.embed.tempo_key import TempoKey
from sonotheque.metadata.file_tags import FileTags, read_tags
from sonotheque.types import FloatArray


@dataclass(frozen=True)
class Extraction:
    """What was extracted from one file.

    Attributes
    ----------
    seconds : float
        Decoded duration in s.
    sample_rate : int
        In Hz, as stored in the file.
    channels : int
    silent : bool
        Whether the file is digital silence.
    notice : str or None
        A remark for the user, such as that the file is truncated.
    tags : FileTags
    vectors : mapping of space id to (float32 array [D], float32 array [S, D])
        The track vector and the segment vectors.
    tempo_key : TempoKey or None
        None if it was not asked for.
    """

    seconds: float
    sample_rate: int
    channels: int
    silent: bool
    notice: str | None
    tags: FileTags
    vectors: Mapping[str, tuple[FloatArray, FloatArray]]
    tempo_key: TempoKey | None = None


def extract(
    path: str,
    spaces: Sequence[str],
    *,
    tempo_key: bool = False,
    augmentation_seed: int | None = None,
    compute: Compute = Compute(),
) -> Extraction:
    """Embed one file, or an augmented copy of it, and read its tags.

    Parameters
    ----------
    path : str
    spaces : sequence of str
        Ids of the spaces.
    tempo_key : bool
        Whether the tempo and key are estimated too.
    augmentation_seed : int or None
        Seed of an augmented copy, see `sonotheque.audio.augment`. None embeds the file itself.
    compute : Compute

    Returns
    -------
    Extraction

    Raises
    ------
    AudioError
        If the file cannot be used.
    """
    from sonotheque.audio.augment import make_augmented_copy
    from sonotheque.embed.track import embed_track

    source = path if augmentation_seed is None else make_augmented_copy(path, seed=augmentation_seed)
    embedded = embed_track(source, spaces=spaces, tempo_key=tempo_key, compute=compute)
    tags = read_tags(path)
    unreadable = None if tags.unreadable is None else f"its tags cannot be read ({tags.unreadable})"
    return Extraction(
        seconds=embedded.seconds,
        sample_rate=embedded.sample_rate,
        channels=embedded.channels,
        silent=embedded.silent,
        notice="; ".join(filter(None, (embedded.notice, unreadable))) or None,
        tags=tags,
        vectors={space: (embedded.track[space], embedded.segments[space]) for space in spaces},
        tempo_key=embedded.tempo_key,
    )


def to_json(extraction: Extraction) -> dict[str, Any]:
    """Convert an extraction into a JSON object. Arrays become base64 of little-endian float32."""
    vectors = {
        space: [base64.b64encode(array.astype("<f4").tobytes()).decode() for array in arrays]
        for space, arrays in extraction.vectors.items()
    }
    properties = {
        name: value for name, value in vars(extraction).items() if name not in {"tags", "vectors", "tempo_key"}
    }
    tempo_key = asdict(extraction.tempo_key) if extraction.tempo_key else None
    return {**properties, "tags": asdict(extraction.tags), "vectors": vectors, "tempo_key": tempo_key}


def from_json(content: Mapping[str, Any]) -> Extraction:
    """Convert the JSON object made by `to_json` back into an extraction."""

    def array(text: str) -> FloatArray:
        return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float32)

    vectors = {}
    for space, (track, segments) in content["vectors"].items():
        vector = array(track)
        vectors[space] = (vector, array(segments).reshape(-1, len(vector)))
    tags = FileTags(**{**content["tags"], "genres": tuple(content["tags"]["genres"])})
    tempo_key = TempoKey(**content["tempo_key"]) if content["tempo_key"] else None
    return Extraction(**{**content, "tags": tags, "vectors": vectors, "tempo_key": tempo_key})
