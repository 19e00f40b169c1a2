"""Name clusters: by the labels where most tracks have one, otherwise by the auto-tags that are significantly more frequent in them.

A tag is *present* in a track if its probability is at least `sonotheque.explore.track_attributes.MIN_PROBABILITY`. Its lift is its
frequency in a cluster divided by that in the library (Brin et al. 1997, "Dynamic itemset counting and implication rules for market
basket data"). A lift is significant by the one-sided exact test of Fisher (1922, "On the interpretation of chi-squared from
contingency tables"), at a false discovery rate of 5% over all tags and clusters (Benjamini & Hochberg 1995, "Controlling the false
discovery rate").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque.embed.auto_tags import TAGS, tag_group
from sonotheque.explore.track_attributes import MIN_PROBABILITY
from sonotheque.types import BoolArray, Codes, Float64Array

MAX_TAGS = 2
"""Maximum number of auto-tags in a name."""

FALSE_DISCOVERY_RATE = 0.05
"""Expected fraction of tags that are wrongly called more frequent in a cluster."""

MIN_COVERAGE = 0.5
"""Minimum fraction of a cluster's tracks in which a tag of its name is present."""

MIN_TEMPO_DIFFERENCE = 0.1
"""Minimum relative difference of a cluster's median tempo from that of all tracks, for the words slow and fast."""

MIN_LABELLED = 3
"""Minimum number of labelled tracks in a cluster for a genre in its name."""

MAJORITY = 0.5
"""Minimum fraction of a cluster's tracks that have a label if the label leads the name, of the labelled tracks that have the genre
of a name, and of all tracks that are by its artist."""


MIN_JAZZ = -0.6
"""Minimum mean log odds of ``jazz`` in a cluster in which ``instrumental`` is typical: a probability of about 0.35. musicnn calls
much classical music jazz, but less surely: plucked and bowed music had at most 0.27 in the half of the collection that this was
chosen on. There was no jazz to test it on."""

INSTRUMENTAL, JAZZ = TAGS.index("instrumental"), TAGS.index("jazz")
IS_STYLE = np.array([tag_group(tag) == "style" for tag in TAGS])
IS_ERA = np.array([tag_group(tag) == "era" for tag in TAGS])


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

    If most of a cluster's tracks are labelled, and most of these with one genre, the genre comes first. Moods and instruments
    follow, but styles only if they refine the genre (``indie rock`` for rock): others would contradict it. Any other cluster is
    named after its tags, and after a genre that most of its few labelled tracks have. ``slow`` or ``fast`` is added if the
    cluster's median tempo is outside the interquartile range of all tracks, and the artist of the majority of its tracks.

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
    insides = [clusters == number for number in range(n_clusters)]
    candidates = _rank_tags(features.tags, insides)
    leading = [_leading_genre(features.genres, inside) for inside in insides]
    word_lists = [
        _name_words(features, inside, genre, tags)
        for inside, genre, (tags, _) in zip(insides, leading, candidates, strict=True)
    ]
    frequency = Counter(frozenset(words) for words in word_lists)
    for words, genre, (typical, rarer) in zip(word_lists, leading, candidates, strict=True):
        if words and frequency[frozenset(words)] > 1:
            words += [tag for tag in (*typical, *rarer) if _can_follow(tag, genre, words)][:1]
    names = [", ".join(words) or f"group {number + 1}" for number, words in enumerate(word_lists)]
    counts: Counter[str] = Counter()
    result = []
    for name in names:
        counts[name] += 1
        result.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return result


def _leading_genre(genres: Sequence[str | None], inside: BoolArray) -> str | None:
    """Return the genre of most labelled tracks of a cluster, or None if there is none or too few tracks are labelled."""
    genre, n_labelled, n_tracks = _majority_genre(genres, inside)
    return genre if n_labelled >= MAJORITY * n_tracks else None


def _majority_genre(genres: Sequence[str | None], inside: BoolArray) -> tuple[str | None, int, int]:
    """Return the genre of most labelled tracks of a cluster, and the numbers of its labelled tracks and of its tracks."""
    rows = np.flatnonzero(inside).tolist()
    labels = [name for row in rows if (name := genres[row])]
    genre, fraction = _most_frequent(labels)
    return genre if len(labels) >= MIN_LABELLED and fraction >= MAJORITY else None, len(labels), len(rows)


def _name_words(features: ClusterFeatures, inside: BoolArray, leading: str | None, tags: Sequence[str]) -> list[str]:
    tempo_word = _tempo_word(features.tempo, inside)
    words = [word for word in (leading, tempo_word) if word]
    n_others = len(words)
    for tag in tags:
        if len(words) < n_others + MAX_TAGS and _can_follow(tag, leading, words):
            words.append(tag)
    genre, *_ = _majority_genre(features.genres, inside)
    if genre and not leading and _is_new(genre, words):
        words.append(genre)
    artist, fraction = _most_frequent(features.artists[row] or "" for row in np.flatnonzero(inside).tolist())
    if artist and fraction >= MAJORITY:
        words.append(artist)
    return words


def _can_follow(tag: str, genre: str | None, words: Sequence[str]) -> bool:
    """Whether a tag adds something to a name, and does not contradict the genre that leads it.

    A mood or an instrument does not, nor does a style with all words of the genre and one more.
    """
    if genre is None:
        return _is_new(tag, words)
    group = tag_group(tag)
    if group == "style":
        return set(_split(genre)) < set(_split(tag)) and _is_new(tag, [word for word in words if word != genre])
    return group in {"mood", "instruments"} and _is_new(tag, words)


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


def _rank_tags(tags: Float64Array | None, insides: Sequence[BoolArray]) -> list[tuple[list[str], list[str]]]:
    """List the tags that can be in the name of each cluster, and those that can tell it from one of the same name, best first.

    The first are the tags with a significant lift and, if there are none, the most probable tag, if they are present in at least
    half of the cluster's tracks; the second are the others with a significant lift. The order is that of the difference between
    the frequencies in the cluster and elsewhere; decades come last. If ``instrumental`` is typical of a cluster and more probable
    than a style, the style is left out: the network knows better that nobody sings than what it hears, as with classical music,
    for which it has no tag. See `MIN_JAZZ` too.
    """
    if tags is None or not insides:
        return [([], []) for _ in insides]
    from scipy.stats import false_discovery_control, hypergeom

    tagged = ~np.isnan(tags[:, 0])
    minimum = np.array([MIN_PROBABILITY[tag_group(tag)] for tag in TAGS])
    present = np.where(tagged[:, None], tags, -np.inf) >= np.log(minimum / (1 - minimum))
    sizes = np.array([(inside & tagged).sum() for inside in insides])
    counts = np.array([present[inside].sum(axis=0) for inside in insides])
    frequency = present.sum(axis=0)
    p_values = hypergeom.sf(counts - 1, tagged.sum(), frequency, sizes[:, None])
    significant = (
        false_discovery_control(np.clip(p_values, 0, 1).ravel()).reshape(p_values.shape) <= FALSE_DISCOVERY_RATE
    )
    result: list[tuple[list[str], list[str]]] = []
    for inside, size, count, is_significant in zip(insides, sizes, counts, significant, strict=True):
        if not size:
            result.append(([], []))
            continue
        strength = tags[inside & tagged].mean(axis=0)
        typical = count >= MIN_COVERAGE * size
        chosen = is_significant & typical
        allowed = np.ones(len(TAGS), dtype=bool)
        if typical[INSTRUMENTAL]:
            allowed = ~IS_STYLE | (strength >= strength[INSTRUMENTAL])
            allowed[JAZZ] &= strength[JAZZ] >= MIN_JAZZ
        chosen &= allowed
        rarer = is_significant & allowed & ~typical
        if not chosen.any():
            chosen = typical & allowed & (strength == strength[typical & allowed].max(initial=-np.inf))
        difference = count / size - (frequency - count) / max(tagged.sum() - size, 1)

        def by_difference(
            tag: int, difference: Float64Array = difference, strength: Float64Array = strength
        ) -> tuple[float, ...]:
            return IS_ERA[tag], -difference[tag], -strength[tag]

        first, second = (
            [TAGS[tag] for tag in sorted(np.flatnonzero(some).tolist(), key=by_difference)] for some in (chosen, rarer)
        )
        result.append((first, second))
    return result


def _is_new(word: str, words: Sequence[str]) -> bool:
    """Whether a word adds something to other words: ``electronica`` adds nothing to ``electronic``.

    Examples
    --------
    >>> _is_new("heavy metal", ["metal"]), _is_new("chill", ["chillout"]), _is_new("jazz", ["metal"])
    (False, False, True)
    """
    return not any(
        known.startswith(part) or part.startswith(known)
        for other in words
        for known in _split(other)
        for part in _split(word)
    )


def _split(text: str) -> list[str]:
    return text.casefold().replace("-", " ").split()
