"""What clusters are called: what sets each apart from the rest, in words of tempo, tags, genres and artists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.embed.auto_tags import TAGS

TAGS_NAMED = 2
"""Tags in a name."""

HEARD = 15
"""A tag names a cluster only if it is among so many that are heard most in it: one that is hardly there says nothing."""

APART, CHANCE = 0.5, 2.5
"""Deviations of all tracks by which a tag must be heard more in a cluster than elsewhere, and standard errors, so that a small
cluster is not named by chance."""

FELT = 0.1
"""Share of the middle tempo of all by which a cluster's must differ to be called slow or fast."""

FEWEST = 3
"""Labelled tracks below which their genre does not name a cluster."""

MAJORITY = 0.5
"""Share of the labelled tracks from which on their genre names a cluster, and of all tracks from which on their artist does."""


@dataclass(frozen=True)
class ClusterFeatures:
    """What is known of N tracks; None where a library does not know it of any.

    Attributes
    ----------
    tags : float64 array [N, 50] or None
        Log odds of musicnn's tags, NaN in the rows of tracks without.
    tempo : float64 array [N] or None
        In beats per minute, NaN where there is none.
    genres, artists : names [N], None where unknown
    """

    tags: npt.NDArray[np.float64] | None
    tempo: npt.NDArray[np.float64] | None
    genres: Sequence[str | None]
    artists: Sequence[str | None]


def name_clusters(clusters: npt.NDArray[np.int64], traits: ClusterFeatures) -> list[str]:
    """Name each cluster.

    A name has at most: ``slow`` or ``fast`` where the cluster's middle tempo lies outside that of half of all tracks; the tags
    that most set it apart; the genre that most of its labelled tracks bear; the artist that most of its tracks are by.

    Parameters
    ----------
    clusters : int array [N]
        Number of each track's cluster, below 0 for none.
    traits : Traits

    Returns
    -------
    list of str
        All different. ``group 3`` where nothing sets a cluster apart.
    """
    count = int(clusters.max(initial=-1)) + 1
    distinctive = [_distinctive_tags(traits.tags, clusters == number) for number in range(count)]
    parts = [_words(traits, clusters == number, distinctive[number]) for number in range(count)]
    alike = Counter(frozenset(words) for words in parts)
    for words, tags in zip(parts, distinctive, strict=True):
        if words and alike[frozenset(words)] > 1:
            words += [tag for tag in tags if _new(tag, words)][:1]
    names = [", ".join(words) or f"group {number + 1}" for number, words in enumerate(parts)]
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


def _words(traits: ClusterFeatures, inside: npt.NDArray[np.bool_], distinctive: Sequence[str]) -> list[str]:
    words = [word] if (word := _pace(traits.tempo, inside)) else []
    for tag in distinctive:
        if len(words) < TAGS_NAMED + bool(word) and _new(tag, words):
            words.append(tag)
    rows = np.flatnonzero(inside).tolist()
    labelled = [known for row in rows if (known := traits.genres[row])]
    genre = _most(labelled)
    if genre and len(labelled) >= FEWEST and genre[1] >= MAJORITY and _new(genre[0], words):
        words.append(genre[0])
    artist = _most(traits.artists[row] or "" for row in rows)
    if artist and artist[0] and artist[1] >= MAJORITY:
        words.append(artist[0])
    return words


def _most(names: Iterable[str]) -> tuple[str, float] | None:
    """Return the most frequent name, of equal ones the first in the alphabet, and its share."""
    counts = Counter(names)
    if not counts:
        return None
    name = min(counts, key=lambda one: (-counts[one], one))
    return name, counts[name] / counts.total()


def _pace(tempo: npt.NDArray[np.float64] | None, inside: npt.NDArray[np.bool_]) -> str | None:
    if tempo is None or np.isnan(tempo[inside]).mean() > MAJORITY:
        return None
    middle = float(np.nanmedian(tempo[inside]))
    slow, usual, fast = np.nanquantile(tempo, [0.25, 0.5, 0.75])
    if abs(middle - usual) < FELT * usual:
        return None
    return "slow" if middle <= slow else "fast" if middle >= fast else None


def _distinctive_tags(tags: npt.NDArray[np.float64] | None, inside: npt.NDArray[np.bool_]) -> list[str]:
    """Return the tags that set some tracks apart, the most telling first."""
    if tags is None:
        return []
    known = ~np.isnan(tags[:, 0])
    if not (inside & known).any() or not (~inside & known).any():
        return []
    own, rest = tags[inside & known].mean(axis=0), tags[~inside & known].mean(axis=0)
    apart = (own - rest) / np.maximum(tags[known].std(axis=0), 1e-9)
    needed = max(APART, CHANCE / np.sqrt((inside & known).sum()))
    heard = set(np.argsort(-own, kind="stable")[:HEARD].tolist())
    order = np.argsort(-apart, kind="stable").tolist()
    return [TAGS[number] for number in order if number in heard and apart[number] >= needed]


def _new(word: str, words: Sequence[str]) -> bool:
    """Whether a word says something that the others do not: ``electronica`` says nothing beside ``electronic``.

    Examples
    --------
    >>> _new("heavy metal", ["metal"]), _new("chill", ["chillout"]), _new("jazz", ["metal"])
    (False, False, True)
    """

    def parts(text: str) -> list[str]:
        return text.casefold().replace("-", " ").split()

    return not any(
        one.startswith(other) or other.startswith(one)
        for known in words
        for one in parts(known)
        for other in parts(word)
    )
