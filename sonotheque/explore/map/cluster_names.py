"""Name clusters by what distinguishes them from the other tracks: tempo, auto-tags, genre and artist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque.embed.auto_tags import TAGS
from sonotheque.types import BoolArray, Codes, Float64Array

MAX_TAGS = 2
"""Maximum number of auto-tags in a name."""

N_STRONGEST_TAGS = 15
"""Only this many auto-tags, the strongest of a cluster, can be in its name. A distinctive tag that is weak would mislead."""

MIN_DIFFERENCE, MIN_STANDARD_ERRORS = 0.5, 2.5
"""Minimum difference of a distinctive tag's mean log odds in a cluster and elsewhere, in standard deviations over all tracks and in
standard errors. The latter prevents chance names of small clusters."""

MIN_TEMPO_DIFFERENCE = 0.1
"""Minimum relative difference of a cluster's median tempo from that of all tracks, for the words slow and fast."""

MIN_LABELLED = 3
"""Minimum number of labelled tracks in a cluster for a genre in its name."""

MAJORITY = 0.5
"""Minimum fraction of the labelled tracks that have the genre of a name, and of all tracks that are by its artist."""


@dataclass(frozen=True)
class ClusterFeatures:
    """The features of N tracks that clusters are named by.

    Attributes
    ----------
    tags : float64 array [N, 50] or None
        Log odds of musicnn's tags, NaN in the rows of tracks without tags. None if no track has tags.
    tempo : float64 array [N] or None
        In BPM, NaN for tracks without a tempo. None if no track has a tempo.
    genres, artists : sequences of str or None, length N
    """

    tags: Float64Array | None
    tempo: Float64Array | None
    genres: Sequence[str | None]
    artists: Sequence[str | None]


def name_clusters(clusters: Codes, features: ClusterFeatures) -> list[str]:
    """Name each cluster.

    A name contains at most: ``slow`` or ``fast``, if the cluster's median tempo is outside the interquartile range of all tracks;
    the most distinctive auto-tags; the genre of the majority of its labelled tracks; the artist of the majority of its tracks.

    Parameters
    ----------
    clusters : int64 array [N]
        Cluster number of each track, negative for none.
    features : ClusterFeatures

    Returns
    -------
    list of str
        All names are different. A cluster without distinctive features is named as in ``group 3``.
    """
    n_clusters = int(clusters.max(initial=-1)) + 1
    distinctive = [_distinctive_tags(features.tags, clusters == number) for number in range(n_clusters)]
    word_lists = [_name_words(features, clusters == number, distinctive[number]) for number in range(n_clusters)]
    frequency = Counter(frozenset(words) for words in word_lists)
    for words, tags in zip(word_lists, distinctive, strict=True):
        if words and frequency[frozenset(words)] > 1:
            words += [tag for tag in tags if _is_new(tag, words)][:1]
    names = [", ".join(words) or f"group {number + 1}" for number, words in enumerate(word_lists)]
    counts: Counter[str] = Counter()
    result = []
    for name in names:
        counts[name] += 1
        result.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return result


def _name_words(features: ClusterFeatures, inside: BoolArray, distinctive: Sequence[str]) -> list[str]:
    tempo_word = _tempo_word(features.tempo, inside)
    words = [tempo_word] if tempo_word else []
    for tag in distinctive:
        if len(words) < MAX_TAGS + bool(tempo_word) and _is_new(tag, words):
            words.append(tag)
    rows = np.flatnonzero(inside).tolist()
    genres = [name for row in rows if (name := features.genres[row])]
    genre, fraction = _most_frequent(genres)
    if len(genres) >= MIN_LABELLED and fraction >= MAJORITY and _is_new(genre, words):
        words.append(genre)
    artist, fraction = _most_frequent(features.artists[row] or "" for row in rows)
    if artist and fraction >= MAJORITY:
        words.append(artist)
    return words


def _most_frequent(names: Iterable[str]) -> tuple[str, float]:
    """Return the most frequent name and its relative frequency; "" and 0 without names. Ties are resolved alphabetically."""
    counts = Counter(names)
    if not counts:
        return "", 0.0
    name = min(counts, key=lambda name: (-counts[name], name))
    return name, counts[name] / counts.total()


def _tempo_word(tempo: Float64Array | None, inside: BoolArray) -> str | None:
    if tempo is None or np.isnan(tempo[inside]).mean() > MAJORITY:
        return None
    cluster_median = float(np.nanmedian(tempo[inside]))
    slow, median, fast = np.nanquantile(tempo, [0.25, 0.5, 0.75])
    if abs(cluster_median - median) < MIN_TEMPO_DIFFERENCE * median:
        return None
    return "slow" if cluster_median <= slow else "fast" if cluster_median >= fast else None


def _distinctive_tags(tags: Float64Array | None, inside: BoolArray) -> list[str]:
    """List the tags that are stronger in some tracks than in the others, the most distinctive first."""
    if tags is None:
        return []
    tagged = ~np.isnan(tags[:, 0])
    if not (inside & tagged).any() or not (~inside & tagged).any():
        return []
    mean_inside, mean_outside = tags[inside & tagged].mean(axis=0), tags[~inside & tagged].mean(axis=0)
    difference = (mean_inside - mean_outside) / np.maximum(tags[tagged].std(axis=0), 1e-9)
    required = max(MIN_DIFFERENCE, MIN_STANDARD_ERRORS / np.sqrt((inside & tagged).sum()))
    strongest = set(np.argsort(-mean_inside, kind="stable")[:N_STRONGEST_TAGS].tolist())
    order = np.argsort(-difference, kind="stable").tolist()
    return [TAGS[tag] for tag in order if tag in strongest and difference[tag] >= required]


def _is_new(word: str, words: Sequence[str]) -> bool:
    """Whether a word adds something to other words: ``electronica`` adds nothing to ``electronic``.

    Examples
    --------
    >>> _is_new("heavy metal", ["metal"]), _is_new("chill", ["chillout"]), _is_new("jazz", ["metal"])
    (False, False, True)
    """

    def split(text: str) -> list[str]:
        return text.casefold().replace("-", " ").split()

    return not any(
        known.startswith(part) or part.startswith(known)
        for other in words
        for known in split(other)
        for part in split(word)
    )
