"""Score tracks by what is known of them: genres, auto-tags, tempo, key and level."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sonotheque.embed.auto_tags import logistic, tag_group
from sonotheque.embed.tempo_key.key import KEYS
from sonotheque.explore.search.parse import Term, WordQuery
from sonotheque.explore.search.scores import MAX_SCORE, MissingTerm, TermScores, mean_of_known, standardize
from sonotheque.explore.search.track_arrays import TrackArrays
from sonotheque.explore.search.vocabulary import Meaning, split_words
from sonotheque.explore.track_attributes import MIN_PROBABILITY
from sonotheque.types import BoolArray, FloatArray

NO_TAGS = "the library has no auto-tags; `sonotheque add FOLDER --auto-tags` computes them"
NO_TEMPO = "no track has a clear tempo; `sonotheque add FOLDER` computes those of an older library"
NO_KEY = "no track has a clear key; `sonotheque add FOLDER` computes those of an older library"
NO_LEVEL = "no level is stored; `sonotheque add FOLDER --embedder descriptors` computes it"

WITHIN_GENRE = 0.25
"""Weight of the tags for tracks with a label: they order the tracks of a genre, and never outweigh the label."""

Explain = Callable[[int], str | None]


class AttributeScorer:
    """Scores the terms that have a meaning, a tempo or a key.

    - The log-odds of an auto-tag, the fit of a tempo and the level are standardised over the library: 0 is its mean, 1 one standard
      deviation. If a meaning has several tags, their weighted sum is standardised again.
    - If the library has the genre as a label, the labels of tracks decide, and the tags order the tracks of a genre. Tracks without
      a label and without a genre in their file tags are scored by the mean of the classifier's log-odds and the tags.
    - A stated tempo or key counts `MAX_SCORE`. Tracks that are known to have another one are excluded; those whose tempo or key is
      not clear score 0.
    - Negated scores have the other sign. Tracks whose label is a negated genre, or that have a negated key, are excluded.

    Parameters
    ----------
    tracks : TrackArrays
    """

    def __init__(self, tracks: TrackArrays) -> None:
        self._tracks = tracks

    def score(self, query: WordQuery) -> Sequence[TermScores | MissingTerm]:
        """Score all tracks for the terms with a meaning, a tempo or a key."""
        return [self._score(term) for term in query.terms if not term.is_name]

    def _score(self, term: Term) -> TermScores | MissingTerm:
        if term.tempo is not None:
            return self._score_tempo(term, *term.tempo)
        if term.keys is not None:
            return self._score_keys(term, term.keys)
        assert term.meaning is not None  # noqa: S101 - not a name
        return self._score_meaning(term, term.meaning)

    def _score_tempo(self, term: Term, low: float, high: float) -> TermScores | MissingTerm:
        tempo = self._tracks.tempo
        if np.isnan(tempo).all():
            return MissingTerm(term, NO_TEMPO)
        inside = (tempo >= low) & (tempo <= high)
        return _limit(term, inside, ~np.isnan(tempo), explain=self._explain_tempo, source="tempo")

    def _score_keys(self, term: Term, keys: frozenset[int]) -> TermScores | MissingTerm:
        key = self._tracks.key
        if (key < 0).all():
            return MissingTerm(term, NO_KEY)
        inside = np.isin(key, list(keys))
        return _limit(term, inside, key >= 0, explain=self._explain_key, source="key")

    def _score_meaning(self, term: Term, meaning: Meaning) -> TermScores | MissingTerm:
        parts: list[FloatArray] = []
        explanations: list[Explain] = []
        notes: tuple[str, ...] = ()
        source, reason = "genre", ""
        if meaning.tags:
            logits = {tag: self._tracks.tag_logits(tag) for tag in meaning.tags}
            weighted = [weight * standardize(logits[tag]) for tag, weight in meaning.tags.items()]
            parts.append(standardize(np.sum(weighted, axis=0)))
            explanations.append(lambda row: _explain_tags(meaning, logits, row))
            if not term.negated and not meaning.approximate:
                notes = _note_unlikely(term, meaning, logits)
            source, reason = "tags", NO_TAGS
        if meaning.tempo is not None:
            parts.append(standardize(tempo_fit(self._tracks.tempo, meaning.tempo)))
            explanations.append(self._explain_tempo)
            source, reason = ("tags", reason) if meaning.tags else ("tempo", NO_TEMPO)
        if meaning.level:
            parts.append(standardize(meaning.level * self._tracks.level))
            explanations.append(self._explain_level)
            source, reason = "level", NO_LEVEL
        values = mean_of_known(parts) if parts else np.full(len(self._tracks), np.nan, np.float32)
        excluded: BoolArray | None = None
        labels = self._labels(meaning)
        if labels:
            unlabelled = bool((self._tracks.genre < 0).any())
            probability = self._tracks.genre_probability(labels) if unlabelled else None
            values, has_label = self._add_genres(values, labels, probability)
            excluded = has_label if term.negated else None
            explanations.insert(0, lambda row: self._explain_genre(labels, probability, row))
            source = "genre"
        if np.isnan(values).all():
            return MissingTerm(term, reason)
        return TermScores(
            (term,),
            -values if term.negated else values,
            lambda row: next(filter(None, (explain(row) for explain in explanations)), None),
            source,
            excluded=excluded,
            notes=notes,
        )

    def _labels(self, meaning: Meaning) -> list[str]:
        """List the genres of the library and of the classifier that the meaning stands for."""
        if not meaning.genres:
            return []
        predictions = self._tracks.predictions if (self._tracks.genre < 0).any() else None
        known = [*self._tracks.genres, *(predictions.labels if predictions else ())]
        return [label for label in dict.fromkeys(known) if split_words(label) in meaning.genres]

    def _add_genres(
        self, values: FloatArray, labels: Sequence[str], probability: FloatArray | None
    ) -> tuple[FloatArray, BoolArray]:
        """Replace the scores of labelled tracks, and combine those of others with the classifier's."""
        tracks = self._tracks
        codes = [code for code, label in enumerate(tracks.genres) if label in labels]
        labelled, has_label = tracks.genre >= 0, np.isin(tracks.genre, codes)
        if probability is not None:
            clipped = np.clip(probability.astype(np.float64), 1e-4, 1 - 1e-4)
            values = mean_of_known([values, standardize(np.log(clipped / (1 - clipped)))])
        if codes:
            by_label = standardize(np.where(labelled, has_label, np.nan))
            values = np.where(labelled, by_label + WITHIN_GENRE * np.nan_to_num(values), values)
        return values, has_label

    def _explain_tempo(self, row: int) -> str | None:
        tempo = float(self._tracks.tempo[row])
        return None if np.isnan(tempo) else f"{tempo:.0f} BPM"

    def _explain_key(self, row: int) -> str | None:
        key = int(self._tracks.key[row])
        return None if key < 0 else KEYS[key]

    def _explain_level(self, row: int) -> str | None:
        level = float(self._tracks.level[row])
        return None if np.isnan(level) else f"{level:.0f} dBFS"

    def _explain_genre(self, labels: Sequence[str], probability: FloatArray | None, row: int) -> str | None:
        code = int(self._tracks.genre[row])
        if code >= 0:
            return f"genre {self._tracks.genres[code]}"
        if probability is None or np.isnan(probability[row]):
            return None
        return f"genre {' or '.join(labels)} {probability[row]:.0%}"


def tempo_fit(tempo: FloatArray, limits: tuple[float, float, float, float]) -> FloatArray:
    """Return how well tempi fit, float32 [N] from 0 to 1: linear in the logarithm between the limits; NaN for unknown ones.

    Parameters
    ----------
    tempo : float32 array [N]
        In BPM.
    limits : four floats
        BPM at which the fit starts, is full, is full up to, and ends.

    Examples
    --------
    >>> tempo_fit(np.array([60, 200, np.nan], np.float32), (0, 0, 80, 100))
    array([ 1.,  0., nan], dtype=float32)
    """
    start, full, full_to, end = (np.log(max(limit, 1e-3)) for limit in limits)
    known = np.log(np.maximum(tempo, 1e-3))
    fit = np.interp(known, [start - 1e-6, max(full, start), max(full_to, full), max(end, full_to) + 1e-6], [0, 1, 1, 0])
    result: FloatArray = np.where(np.isnan(tempo), np.nan, fit).astype(np.float32)
    return result


def _limit(term: Term, inside: BoolArray, known: BoolArray, *, explain: Explain, source: str) -> TermScores:
    """Score a stated tempo or key: known others are excluded."""
    values = np.where(known, np.float32(0 if term.negated else MAX_SCORE), np.float32(np.nan)).astype(np.float32)
    return TermScores((term,), values, explain, source, excluded=inside if term.negated else known & ~inside)


def _explain_tags(meaning: Meaning, logits: dict[str, FloatArray], row: int) -> str | None:
    """Name the most probable of the wanted tags."""
    wanted = {tag: float(logits[tag][row]) for tag, weight in meaning.tags.items() if weight > 0}
    tag = max(wanted, key=lambda name: wanted[name])
    return None if np.isnan(wanted[tag]) else f"{tag} {_probability(wanted[tag]):.0%}"


def _probability(logit: float) -> float:
    return float(logistic(np.array([logit]))[0])


def _note_unlikely(term: Term, meaning: Meaning, logits: dict[str, FloatArray]) -> tuple[str, ...]:
    """Say so if no track is likely to have one of the tags: the best of the library can still be a poor match."""
    probabilities = {
        tag: _probability(float(np.nanmax(logits[tag])))
        for tag, weight in meaning.tags.items()
        if weight > 0 and not np.isnan(logits[tag]).all()
    }
    if not probabilities or any(value >= MIN_PROBABILITY[tag_group(tag)] for tag, value in probabilities.items()):
        return ()
    tag = max(probabilities, key=lambda name: probabilities[name])
    return (f"no track is likely to be {term.words!r}: the highest probability of {tag} is {probabilities[tag]:.1%}",)
