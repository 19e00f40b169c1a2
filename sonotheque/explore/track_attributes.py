"""Attributes of each track: tempo, key, and its likely auto-tags for style, mood, instruments and era.

Tempo and key are stored by `add`; auto-tags are computed from stored vectors. No audio is decoded, and no training is needed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.embed import musicnn
from sonotheque.embed.auto_tags import GROUPS, TAGS, logistic, tag_group, tag_logits
from sonotheque.embed.tempo_key import TempoKey
from sonotheque.plurals import pluralize
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import BoolArray, Float64Array

log = logging.getLogger("sonotheque")

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
        In BPM; None if its confidence is below `sonotheque.embed.tempo_key.MIN_CONFIDENCE`.
    key : str or None
        Such as ``F# minor``; None if its confidence is below the same.
    tags : float64 array [50] or None
        Probabilities in the order of `sonotheque.embed.auto_tags.TAGS`.
    tempo_confidence, key_confidence : float or None
        In [0, 1], also of a tempo and key that are left out; see `sonotheque.embed.tempo_key`.

    Notes
    -----
    An attribute is None if it has not been computed: the tempo and key of a library that was made by an older version, and the
    auto-tags of a library without musicnn. All attributes of a silent track are None.
    """

    tempo: float | None = None
    tempo_confidence: float | None = None
    key: str | None = None
    tags: Float64Array | None = None
    key_confidence: float | None = None


def load_track_attributes(catalogue: Catalogue) -> dict[int, TrackAttributes]:
    """Load the attributes of each track of a library.

    Parameters
    ----------
    catalogue : Catalogue

    Returns
    -------
    dict of track id to TrackAttributes
        It contains every track.
    """
    tempo_keys = catalogue.tempo_keys.all()
    tags = {track: logistic(logits) for track, logits in load_tag_logits(catalogue).items()}
    return {
        track.id: TrackAttributes() if track.silent else _make_attributes(tempo_keys.get(track.id), tags.get(track.id))
        for track in catalogue.tracks.all()
    }


def _make_attributes(found: TempoKey | None, tags: Float64Array | None) -> TrackAttributes:
    if found is None:
        return TrackAttributes(tags=tags)
    return TrackAttributes(
        found.clear_tempo, found.tempo_confidence, found.clear_key, tags, key_confidence=found.key_confidence
    )


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
            "no auto-tags for %s (of %d), %s; `sonotheque add FOLDER --auto-tags` computes them",
            *(pluralize(missing, "track"), len(attributes), use),
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


def find_likely_tags(logits: npt.NDArray[np.floating]) -> BoolArray:
    """Find the likely auto-tags of many tracks at once, by the rule of `likely_tags`.

    Parameters
    ----------
    logits : float array [50, M]
        In the order of `sonotheque.embed.auto_tags.TAGS`; NaN for tracks without auto-tags, for which no tag is likely.

    Returns
    -------
    bool array [50, M]
    """
    result = np.zeros(logits.shape, dtype=bool)
    for group, tags in GROUPS.items():
        result[[TAGS.index(tag) for tag in tags]] = _find_likely_in_group(logits, group)
    return result


def are_likely(logits: npt.NDArray[np.floating], tag: str) -> BoolArray:
    """Return for each of M tracks whether one auto-tag is likely, bool array [M]: a row of `find_likely_tags`.

    Raises
    ------
    SpaceError
        If there is no such tag.
    """
    group = tag_group(tag)
    result: BoolArray = _find_likely_in_group(logits, group)[GROUPS[group].index(tag)]
    return result


def _find_likely_in_group(logits: npt.NDArray[np.floating], group: str) -> BoolArray:
    """Find the likely tags of a group, bool array [number of tags in the group, M]."""
    probabilities = logistic(logits[[TAGS.index(tag) for tag in GROUPS[group]]].astype(np.float64))
    probabilities[np.isnan(probabilities)] = -1
    top = probabilities.max(axis=0)
    order = np.argsort(-probabilities, axis=0, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(order))[:, None], axis=0)
    likely: BoolArray = (probabilities >= np.maximum(MIN_PROBABILITY[group], MIN_RELATIVE_PROBABILITY * top)) & (
        ranks < MAX_TAGS
    )
    if group == "style":
        likely |= (ranks == 0) & (top >= 0)
    return likely
