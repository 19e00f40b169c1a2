"""Attributes of each track: tempo, key, and its likely auto-tags for style, mood, instruments and era.

They are computed from stored vectors. No audio is decoded, and no training is needed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sonotheque.embed import descriptors, musicnn
from sonotheque.embed.auto_tags import GROUPS, TAGS, logistic, tag_logits
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import Float64Array, FloatArray

log = logging.getLogger("sonotheque")

MIN_BEAT_STRENGTH, MIN_SEGMENT_BEAT_STRENGTH = 0.1, 0.3
"""Minimum beat strength of a reliable tempo: ``max(0.1, 0.3 / sqrt(S))`` for S segments.

Onsets at random times, 2 to 7 per second, have no tempo. In 300 windows of such noise bursts, the beat strength was above 0.3 in
less than 5 % of single segments, above 0.17 in less than 1 % of groups of three segments, and above 0.12 in less than 1 % of
groups of six: the more segments there are, the less they agree by chance."""

MIN_ONSET = 1.0
"""Minimum rise of a segment's mel bands at an onset, in dB. Below it, the beats of the segment are the ripple of a steady sound: a
held chord has 0.35, a sine wave 0.06. No segment of 221 tracks in 8 genres has less than 1.28."""

MIN_PROBABILITY = {"style": 0.1, "instruments": 0.1, "mood": 0.05, "era": 0.05}
"""Minimum probability of a likely tag, by group. Listeners tag few tracks with moods and decades, so the probabilities of these
stay low even if they fit: in 221 tracks of 8 genres, no mood except chillout and Mellow exceeded 0.08."""

MIN_RELATIVE_PROBABILITY, MAX_TAGS = 0.5, 3
"""Minimum probability of a likely tag relative to the most likely tag of its group, and the maximum number of tags per group."""


@dataclass(frozen=True)
class TrackAttributes:
    """Attributes of one track.

    Attributes
    ----------
    tempo : float or None
        In BPM; None if the beat is too weak, see `MIN_BEAT_STRENGTH`.
    beat_strength : float or None
        In [0, 1], see `sonotheque.embed.descriptors.estimate_track_tempo`.
    key : str or None
        Such as ``F# minor``.
    tags : float64 array [50] or None
        Probabilities in the order of `sonotheque.embed.auto_tags.TAGS`.

    Notes
    -----
    An attribute is None if the library lacks the space that it is computed from. All attributes of a silent track are None.
    """

    tempo: float | None = None
    beat_strength: float | None = None
    key: str | None = None
    tags: Float64Array | None = None


def load_track_attributes(catalogue: Catalogue) -> dict[int, TrackAttributes]:
    """Compute the attributes of each track of a library from its stored vectors.

    Parameters
    ----------
    catalogue : Catalogue

    Returns
    -------
    dict of track id to TrackAttributes
        It contains every track.
    """
    available = {space.id for space in catalogue.spaces.all() if space.tracks}
    tempi = {
        track: reliable_tempo(segments) for track, segments in catalogue.vectors.all_segments(descriptors.SPACE.id)
    }
    keys = _load_keys(catalogue) if descriptors.SPACE.id in available else {}
    tags = {track: logistic(logits) for track, logits in load_tag_logits(catalogue).items()}
    result = {}
    for track in catalogue.tracks.all():
        if track.silent:
            result[track.id] = TrackAttributes()
        else:
            tempo, strength = tempi.get(track.id, (None, None))
            result[track.id] = TrackAttributes(tempo, strength, keys.get(track.id), tags.get(track.id))
    return result


def reliable_tempo(segments: FloatArray) -> tuple[float | None, float]:
    """Estimate the tempo and beat strength of a track. There is no tempo if the beat is too weak, see `MIN_BEAT_STRENGTH`.

    Parameters
    ----------
    segments : float32 array [S, D], S >= 1
        Descriptor vectors of 10 s segments.

    Returns
    -------
    bpm : float or None
    strength : float
        Beat strength in [0, 1].
    """
    has_onsets = segments[:, descriptors.column_names().index("onset.max")] >= MIN_ONSET
    if not has_onsets.any():
        return None, 0.0
    bpm, strength = descriptors.estimate_track_tempo(segments[has_onsets])
    strength *= float(has_onsets.mean())
    required = max(MIN_BEAT_STRENGTH, MIN_SEGMENT_BEAT_STRENGTH / len(segments) ** 0.5)
    return (bpm if strength >= required else None), strength


def _load_keys(catalogue: Catalogue) -> dict[int, str | None]:
    ids, vectors = catalogue.vectors.matrix(descriptors.SPACE.id)
    return {int(track): descriptors.key_name(vector) for track, vector in zip(ids, vectors, strict=True)}


def load_tag_logits(catalogue: Catalogue) -> dict[int, Float64Array]:
    """Load the logits of the auto-tags of all tracks that have some.

    They are computed from the musicnn vectors of the library. Tracks without such a vector have those that
    ``add --auto-tags`` stored, if it has run.

    Returns
    -------
    dict of track id to float64 array [50]
        In the order of `sonotheque.embed.auto_tags.TAGS`.
    """
    stored = catalogue.auto_tags.read(musicnn.SPACE.id)
    result = {track: logits.astype(np.float64) for track, logits in stored.items()}
    if any(space.id == musicnn.SPACE.id and space.tracks for space in catalogue.spaces.all()):
        ids, vectors = catalogue.vectors.matrix(musicnn.SPACE.id)
        result.update(zip(ids.tolist(), tag_logits(vectors), strict=True))
    return result


def report_missing_auto_tags(attributes: Mapping[int, TrackAttributes], silent: int, *, use: str) -> None:
    """Log how many tracks lack auto-tags, what they would be used for, and how to compute them.

    Parameters
    ----------
    attributes : mapping of track id to TrackAttributes
        Of all tracks.
    silent : int
        Number of silent tracks, which never have auto-tags.
    use : str
        Such as ``which name clusters``.
    """
    missing = sum(one.tags is None for one in attributes.values()) - silent
    if missing:
        log.info(
            "%d of %d tracks have no auto-tags, %s; `sonotheque add FOLDER --auto-tags` computes them",
            *(missing, len(attributes), use),
        )


def likely_tags(attributes: TrackAttributes, group: str) -> list[str]:
    """List the likely auto-tags of a track in a group, the most likely first.

    A tag is likely if its probability is at least `MIN_PROBABILITY` and at least half that of the most likely tag of the group. At
    most `MAX_TAGS` are listed. For style, there is always at least one. The tags do not cover all music: there is none for
    classical, which musicnn tags as instrumental and mostly as jazz.

    Parameters
    ----------
    attributes : TrackAttributes
    group : str
        ``style``, ``mood``, ``instruments`` or ``era``, see `sonotheque.embed.auto_tags.GROUPS`.

    Returns
    -------
    list of str
        Empty if no tag is likely, or the track has no auto-tags.

    Examples
    --------
    >>> import numpy as np
    >>> tags = np.full(50, 0.01)
    >>> tags[[TAGS.index("rock"), TAGS.index("blues"), TAGS.index("jazz")]] = [0.4, 0.25, 0.15]
    >>> likely_tags(TrackAttributes(tags=tags), "style"), likely_tags(TrackAttributes(tags=tags), "mood")
    (['rock', 'blues'], [])
    """
    if attributes.tags is None:
        return []
    probabilities = {tag: float(attributes.tags[TAGS.index(tag)]) for tag in GROUPS[group]}
    ranked = sorted(probabilities, key=lambda tag: -probabilities[tag])
    required = max(MIN_PROBABILITY[group], MIN_RELATIVE_PROBABILITY * probabilities[ranked[0]])
    likely = [tag for tag in ranked if probabilities[tag] >= required][:MAX_TAGS]
    return likely or (ranked[:1] if group == "style" else [])
