"""What is heard of each track in words: tempo, key, and the tags of style, mood, instruments and era.

All of it follows from vectors that the library holds; nothing is decoded here, and nothing is learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.embed import descriptors, musicnn
from sonotheque.embed.auto_tags import GROUPS, TAGS, tag_probabilities
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import FloatArray

WEAKEST_BEAT, WEAKEST_BEAT_OF_ONE = 0.1, 0.3
"""Beat strength from which a tempo means something: ``max(0.1, 0.3 / sqrt(S))`` over S segments.

Onsets at random times, 2 to 7 a second, have no tempo. In 300 windows of such noise bursts the beat strength of one segment was
above 0.3 in less than 5 %, of three segments above 0.17 in less than 1 %, of six above 0.12 in less than 1 %: the more
segments, the less they agree by chance."""

LEAST_ONSET = 1.0
"""dB by which the mel bands of a segment must grow at once, or its beats are the ripple of a steady sound: a held chord
has 0.35, a sine 0.06; no segment of 221 tracks of 8 genres has less than 1.28."""

LIKELY = {"style": 0.1, "instruments": 0.1, "mood": 0.05, "era": 0.05}
"""Probability from which a tag is named. Listeners give moods and decades to few of their tracks, so these stay unlikely even where
they fit: in 221 tracks of 8 genres no mood but chillout and Mellow came above 0.08."""

SHARE, MOST = 0.5, 3
"""A tag is named if it is at least this share as likely as the likeliest of its group, and this many are at most."""


@dataclass(frozen=True)
class TrackAttributes:
    """What is heard of one track.

    Attributes
    ----------
    tempo : float or None
        In BPM; None where the beat is too weak to tell, see `WEAKEST_BEAT`.
    beat_strength : float or None
        In [0, 1], see `sonotheque.embed.descriptors.estimate_track_tempo`.
    key : str or None
        Such as ``F# minor``.
    tags : float64 array [50] or None
        Probabilities in the order of `sonotheque.embed.auto_tags.TAGS`.

    Notes
    -----
    What the library lacks the space for is None. A silent track has nothing.
    """

    tempo: float | None = None
    beat_strength: float | None = None
    key: str | None = None
    tags: npt.NDArray[np.float64] | None = None


def load_track_attributes(catalogue: Catalogue) -> dict[int, TrackAttributes]:
    """Say what is heard of each track of a library.

    Parameters
    ----------
    catalogue : Catalogue

    Returns
    -------
    dict of track id to Character
        Every track has one.
    """
    have = {space.id for space in catalogue.spaces.all() if space.tracks}
    tracks = catalogue.tracks.all()
    tempi = {
        track: reliable_tempo(segments) for track, segments in catalogue.vectors.all_segments(descriptors.SPACE.id)
    }
    keys = _keys(catalogue) if descriptors.SPACE.id in have else {}
    tags = _tags(catalogue) if musicnn.SPACE.id in have else {}
    result = {}
    for track in tracks:
        tempo, strength = (None, None) if track.silent else tempi.get(track.id, (None, None))
        key, likely = (None, None) if track.silent else (keys.get(track.id), tags.get(track.id))
        result[track.id] = TrackAttributes(tempo, strength, key, likely)
    return result


def reliable_tempo(segments: FloatArray) -> tuple[float | None, float]:
    """Estimate a tempo and its beat strength; there is no tempo where the beat is too weak to tell, see `WEAKEST_BEAT`.

    Parameters
    ----------
    segments : float32 array [S, D], S >= 1
        Vectors of descriptors, 10 s each.

    Returns
    -------
    bpm : float or None
    strength : float
    """
    heard = segments[:, descriptors.column_names().index("onset.max")] >= LEAST_ONSET
    if not heard.any():
        return None, 0.0
    bpm, strength = descriptors.estimate_track_tempo(segments[heard])
    strength *= float(heard.mean())
    least = max(WEAKEST_BEAT, WEAKEST_BEAT_OF_ONE / len(segments) ** 0.5)
    return (bpm if strength >= least else None), strength


def _keys(catalogue: Catalogue) -> dict[int, str | None]:
    ids, vectors = catalogue.vectors.matrix(descriptors.SPACE.id)
    return {int(track): descriptors.key_name(vector) for track, vector in zip(ids, vectors, strict=True)}


def _tags(catalogue: Catalogue) -> dict[int, npt.NDArray[np.float64]]:
    ids, vectors = catalogue.vectors.matrix(musicnn.SPACE.id)
    return dict(zip(ids.tolist(), tag_probabilities(vectors), strict=True))


def likely_tags(character: TrackAttributes, group: str) -> list[str]:
    """Name the tags of a group that fit a track, the likeliest first.

    Those that are `LIKELY` and not much less so than the likeliest of the group, `MOST` at most; a style always. The tags do
    not know all music: there is none for classical, which is heard as instrumental and mostly as jazz.

    Parameters
    ----------
    character : Character
    group : str
        ``style``, ``mood``, ``instruments`` or ``era``, see `sonotheque.embed.auto_tags.GROUPS`.

    Returns
    -------
    list of str
        Empty where nothing is likely, or there are no tags.

    Examples
    --------
    >>> tags = np.full(50, 0.01)
    >>> tags[[TAGS.index("rock"), TAGS.index("blues"), TAGS.index("jazz")]] = [0.4, 0.25, 0.15]
    >>> words(Character(tags=tags), "style"), words(Character(tags=tags), "mood")
    (['rock', 'blues'], [])
    """
    if character.tags is None:
        return []
    likely = {tag: float(character.tags[TAGS.index(tag)]) for tag in GROUPS[group]}
    ranked = sorted(likely, key=lambda tag: -likely[tag])
    least = max(LIKELY[group], SHARE * likely[ranked[0]])
    named = [tag for tag in ranked if likely[tag] >= least][:MOST]
    return named or (ranked[:1] if group == "style" else [])
