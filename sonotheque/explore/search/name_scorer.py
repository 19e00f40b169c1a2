"""Score tracks by their titles, artists, albums and file names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sonotheque.explore.search.parse import Term, WordQuery
from sonotheque.explore.search.scores import MAX_SCORE, MissingTerm, TermScores
from sonotheque.explore.search.track_arrays import TrackArrays
from sonotheque.explore.search.vocabulary import split_words
from sonotheque.parameters import MAX_COUNT
from sonotheque.store.search_names import SearchNameRepository
from sonotheque.types import FloatArray

MAX_RANKED = 10_000
"""Tracks that words of names can find."""


class NameScorer:
    """Scores the words that the vocabulary does not have, and words in quotation marks, by BM25 over the names of the tracks.

    The best track scores `MAX_SCORE`, others in proportion, and tracks without any of the words 0. Tracks with a negated word are
    excluded. If all words have meanings but are also the whole title, artist or album of a track, as in "Happy Mondays", tracks
    with that name score `MAX_SCORE` as well.

    Parameters
    ----------
    tracks : TrackArrays
    names : SearchNameRepository
    """

    def __init__(self, tracks: TrackArrays, names: SearchNameRepository) -> None:
        self._tracks, self._names = tracks, names

    def score(self, query: WordQuery) -> Sequence[TermScores | MissingTerm]:
        """Score all tracks for the terms that can only be names."""
        found = [term for term in query.terms if term.is_name and self._names.has_word(term.words)]
        wanted = [term for term in found if not term.negated]
        result: list[TermScores | MissingTerm] = []
        if wanted:
            result.append(self._score(tuple(wanted), MAX_RANKED))
        elif not found and self._is_whole_name(query):
            result.append(self._score((Term(query.text, quoted=True),), MAX_RANKED))
        result += [self._score((term,), MAX_COUNT) for term in found if term.negated]
        return result

    def _is_whole_name(self, query: WordQuery) -> bool:
        negated = any(term.negated for term in query.terms)
        return len(split_words(query.text)) > 1 and not negated and self._names.is_name(query.text)

    def _score(self, terms: tuple[Term, ...], limit: int) -> TermScores:
        words = [term.words for term in terms]
        values: FloatArray = np.zeros(len(self._tracks), np.float32)
        ranked = self._names.rank(words, limit=limit)
        if ranked:
            best = ranked[0][1]
            ids = np.array([track for track, _ in ranked], np.int64)
            scores = np.array([MAX_SCORE * score / best if best > 0 else MAX_SCORE for _, score in ranked], np.float32)
            rows = self._tracks.rows_of(ids)
            values[rows[rows >= 0]] = scores[rows >= 0]
        matched = values > 0
        if terms[0].negated:
            return TermScores(terms, np.zeros_like(values), lambda _: None, "names", excluded=matched)

        def explain(row: int) -> str | None:
            columns = self._names.matching_columns(int(self._tracks.ids[row]), words) if matched[row] else []
            return ", ".join(columns) or None

        return TermScores(terms, values, explain, "names", required=matched)
