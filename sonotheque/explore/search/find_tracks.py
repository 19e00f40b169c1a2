"""Search a library by words: parse the query, score the tracks, and say what was understood and why each track is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sonotheque.errors import LibraryError
from sonotheque.explore.search.attribute_scorer import AttributeScorer
from sonotheque.explore.search.name_scorer import NameScorer
from sonotheque.explore.search.parse import Term, WordQuery, parse_query
from sonotheque.explore.search.scores import MissingTerm, RankedTracks, Scorer, TermScores, search_tracks
from sonotheque.explore.search.track_arrays import TrackArrays
from sonotheque.explore.search.vocabulary import load_vocabulary, split_words
from sonotheque.plurals import pluralize
from sonotheque.results import FoundTrack, SearchResult, UnderstoodWords, UnknownWords, WordMatch
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.track_filter import find_spellings
from sonotheque.types import BoolArray


def find_tracks(
    text: str,
    *,
    catalogue: Catalogue,
    tracks: TrackArrays,
    k: int = 10,
    genre: str | None = None,
    scorers: Sequence[Scorer] = (),
) -> SearchResult:
    """Find the tracks that fit a query in words best.

    Parameters
    ----------
    text : str
        Words, such as ``slow acoustic female vocals``.
    catalogue : Catalogue
    tracks : TrackArrays
        Of this catalogue.
    k : int
        Number of tracks.
    genre : str or None
        Find only tracks with this label or, without a label, with this genre in their file tags. Case, accents, white space and
        Unicode normalisation are ignored.
    scorers : sequence of Scorer
        Further ways to score tracks, such as a `TextAudioScorer`.

    Returns
    -------
    SearchResult

    Raises
    ------
    LibraryError
        If no word is understood, or no track has the genre.
    """
    predictions = tracks.predictions if len(tracks) and (tracks.genre < 0).any() else None
    genres = [*tracks.genres, *(predictions.labels if predictions else ())]
    vocabulary = load_vocabulary().with_genres(genres)
    query = parse_query(text, vocabulary)
    all_scorers: tuple[Scorer, ...] = (AttributeScorer(tracks), NameScorer(tracks, catalogue.search_names), *scorers)
    allowed = None if genre is None else _tracks_of_genre(tracks, genre)
    ranked = search_tracks(query, all_scorers, k=k, allowed=allowed)
    if not ranked.scores:
        raise LibraryError(_explain_nothing(query, ranked.missing, suggestions=catalogue.search_names.suggest(text)))
    known = catalogue.tracks.read(tracks.ids[ranked.rows].tolist())
    found = []
    for rank, (row, total) in enumerate(zip(ranked.rows.tolist(), ranked.totals.tolist(), strict=True), start=1):
        track = known[int(tracks.ids[row])]
        matches = [_match(scored, row) for scored in ranked.scores]
        names = (track.path, track.title, track.artist, track.album)
        found.append(FoundTrack(rank, round(total, 4), *names, track.seconds, matches))
    return SearchResult(
        query=text,
        understood=[_understood(term, scored, genres=genres) for scored in ranked.scores for term in scored.terms],
        not_understood=[UnknownWords(missing.term.words, missing.reason) for missing in ranked.missing],
        ignored=list(query.ignored),
        results=found,
        notes=[note for scored in ranked.scores for note in scored.notes],
        shortfall=_explain_shortfall(ranked, k=k, n_tracks=len(tracks), genre=genre),
    )


def _understood(term: Term, scored: TermScores, *, genres: Sequence[str]) -> UnderstoodWords:
    meaning = term.describe()
    if scored.source == "genre" and term.meaning is not None and term.meaning.tags:
        meaning = f"genre {term.meaning.name}, {meaning}"
    is_genre = split_words(term.words) in map(split_words, genres)
    approximate = term.meaning is not None and term.meaning.approximate and not is_genre
    return UnderstoodWords(term.words, meaning, scored.source, term.negated, approximate)


def _match(scored: TermScores, row: int) -> WordMatch:
    score = float(scored.values[row])
    words = " ".join(term.words for term in scored.terms)
    return WordMatch(
        f"not {words}" if scored.negated else words,
        None if np.isnan(score) else round(score, 4) + 0.0,
        scored.explain(row),
    )


def _tracks_of_genre(tracks: TrackArrays, genre: str) -> BoolArray:
    codes = [tracks.genres.index(name) for name in find_spellings(genre, tracks.genres)]
    return np.isin(tracks.genre, codes)


def _explain_nothing(query: WordQuery, missing: Sequence[MissingTerm], *, suggestions: Sequence[str]) -> str:
    """Say why no word of a query can be used."""
    if not query.terms:
        return f"{query.text!r}: no word to search for; try `slow acoustic female vocals`"
    reasons = dict.fromkeys(f"{term.term.words}: {term.reason}" for term in missing if term.reason)
    if reasons:
        return f"{query.text!r}: nothing to search by ({'; '.join(reasons)})"
    hint = f"; did you mean {', '.join(suggestions)}?" if suggestions else ""
    return (
        f"{query.text!r}: no word is understood; use words for genres, moods, instruments, tempo or key, or parts of titles, "
        f"artists and albums of the library{hint}"
    )


def _explain_shortfall(ranked: RankedTracks, *, k: int, n_tracks: int, genre: str | None) -> str | None:
    if len(ranked.rows) >= k:
        return None
    reasons = []
    if n_tracks < k:
        reasons.append(f"the library has only {pluralize(n_tracks, 'track')}")
    left_out = n_tracks - ranked.n_candidates
    if left_out:
        of_genre = f", or have another genre than {genre!r}" if genre is not None else ""
        reasons.append(f"{pluralize(left_out, 'track')} do not fit what is excluded or required{of_genre}")
    if ranked.n_unknown:
        reasons.append(f"nothing that the query asks for is known of {pluralize(ranked.n_unknown, 'track')}")
    return "; ".join(reasons)
