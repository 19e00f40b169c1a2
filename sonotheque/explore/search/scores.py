"""Scores of all tracks for the terms of a query, and the tracks with the highest sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sonotheque.explore.search.parse import Term, WordQuery
from sonotheque.types import BoolArray, FloatArray, Rows

MAX_SCORE = 3.0
"""Scores are clipped to this many standard deviations, so that no single word outweighs all others."""

MIN_DEVIATION = 1e-6
"""Scores with a smaller standard deviation are all equal."""


@dataclass(frozen=True)
class TermScores:
    """How well each of N tracks fits one or several terms of a query.

    Attributes
    ----------
    terms : tuple of Term
        All negated, or none.
    values : float32 array [N]
        In standard deviations above the mean of the library, from -`MAX_SCORE` to `MAX_SCORE`. NaN if a track's is unknown.
    explain : callable
        Returns what is known of a row, such as ``82 BPM``, or None.
    source : str
        What the scores are made from: ``tags``, ``genre``, ``tempo``, ``key``, ``level``, ``names`` or ``text``.
    excluded : bool array [N] or None
        Tracks that are known not to fit.
    required : bool array [N] or None
        Tracks that fit; if no other term is wanted, only these are found.
    notes : tuple of str
        What a person should know about the scores.
    """

    terms: tuple[Term, ...]
    values: FloatArray
    explain: Callable[[int], str | None]
    source: str
    excluded: BoolArray | None = None
    required: BoolArray | None = None
    notes: tuple[str, ...] = ()

    @property
    def negated(self) -> bool:
        """Whether tracks should not have it."""
        return self.terms[0].negated


@dataclass(frozen=True)
class MissingTerm:
    """A term that a scorer knows, but about which nothing is known in this library, and why."""

    term: Term
    reason: str


class Scorer(Protocol):
    """One way to tell how well tracks fit the words of a query."""

    def score(self, query: WordQuery) -> Sequence[TermScores | MissingTerm]:
        """Score all tracks for those terms of a query that this way knows. The others are left to other scorers."""
        ...


@dataclass(frozen=True)
class RankedTracks:
    """The result of `search_tracks`.

    Attributes
    ----------
    rows : int64 array [K]
        The best tracks first.
    totals : float32 array [K]
        The sums of their scores.
    scores : sequence of TermScores
    missing : mapping of Term to str
        Terms that no scorer knows, and the reason; empty if the words mean nothing.
    n_candidates : int
        Number of tracks that were not excluded.
    n_unknown : int
        Number of candidates of which nothing is known that the query asks for. They are not found.
    """

    rows: Rows
    totals: FloatArray
    scores: Sequence[TermScores]
    missing: Sequence[MissingTerm] = field(default_factory=tuple)
    n_candidates: int = 0
    n_unknown: int = 0


def standardize(values: npt.NDArray[Any]) -> FloatArray:
    """Express values in standard deviations above their mean, clipped to `MAX_SCORE`. NaN is ignored and stays.

    A tag with low probabilities counts as much as a frequent one. Equal values are all 0.

    Parameters
    ----------
    values : float or bool array [N]

    Returns
    -------
    float32 array [N]

    Examples
    --------
    >>> standardize(np.array([1.0, 5.0, np.nan]))
    array([-1.,  1., nan], dtype=float32)
    """
    result: FloatArray = values.astype(np.float32)
    known = result[~np.isnan(result)]
    if len(known) == 0:
        return result
    deviation = float(known.std(dtype=np.float64))
    result -= np.float32(known.mean(dtype=np.float64))
    result /= np.float32(deviation if deviation > MIN_DEVIATION else np.inf)
    return np.clip(result, -MAX_SCORE, MAX_SCORE, out=result)


def mean_of_known(arrays: Sequence[FloatArray]) -> FloatArray:
    """Return the mean over several arrays [N], without NaN; NaN where all are."""
    if len(arrays) == 1:
        return arrays[0]
    total, count = np.zeros_like(arrays[0]), np.zeros_like(arrays[0])
    for array in arrays:
        total += np.nan_to_num(array)
        count += ~np.isnan(array)
    with np.errstate(invalid="ignore"):
        result: FloatArray = np.divide(total, count, dtype=np.float32)
    return result


def search_tracks(
    query: WordQuery, scorers: Sequence[Scorer], *, k: int, allowed: BoolArray | None = None
) -> RankedTracks:
    """Find the tracks with the highest sums of scores.

    Parameters
    ----------
    query : WordQuery
    scorers : sequence of Scorer
        All score the same N tracks, in an order that breaks ties.
    k : int
        Number of tracks.
    allowed : bool array [N] or None
        Find only these.

    Returns
    -------
    RankedTracks
        An unknown score counts as 0, the mean of the library. Tracks of which all scores are unknown are not found.
    """
    found = [scored for scorer in scorers for scored in scorer.score(query)]
    scores = [scored for scored in found if isinstance(scored, TermScores)]
    known_terms = {term for scored in scores for term in scored.terms}
    reasons = {scored.term: scored.reason for scored in found if isinstance(scored, MissingTerm)}
    missing = [MissingTerm(term, reasons.get(term, "")) for term in query.terms if term not in known_terms]
    if not scores:
        return RankedTracks(np.zeros(0, np.int64), np.zeros(0, np.float32), (), missing)
    n_tracks = len(scores[0].values)
    candidates = np.ones(n_tracks, np.bool_) if allowed is None else allowed.copy()
    for scored in scores:
        if scored.excluded is not None:
            candidates &= ~scored.excluded
    wanted = [scored for scored in scores if not scored.negated]
    if wanted and all(scored.required is not None for scored in wanted):
        candidates &= np.logical_or.reduce([scored.required for scored in wanted if scored.required is not None])
    totals, known = np.zeros(n_tracks, np.float32), np.zeros(n_tracks, np.bool_)
    for scored in scores:
        totals += np.nan_to_num(scored.values)
        known |= ~np.isnan(scored.values)
    totals = np.round(totals, 4)
    rows = np.flatnonzero(candidates & known)
    best = _largest(totals[rows], k)
    return RankedTracks(
        rows[best],
        totals[rows[best]],
        scores,
        missing,
        n_candidates=int(candidates.sum()),
        n_unknown=int((candidates & ~known).sum()),
    )


def _largest(values: FloatArray, k: int) -> Rows:
    """Return the positions of the k largest values, the largest first; of equal values, the first one first."""
    if k < len(values):
        limit = np.partition(values, len(values) - k)[len(values) - k]
        above = np.flatnonzero(values > limit)
        positions = np.concatenate([above, np.flatnonzero(values == limit)[: k - len(above)]])
    else:
        positions = np.arange(len(values))
    order: Rows = positions[np.lexsort((positions, -values[positions]))]
    return order
