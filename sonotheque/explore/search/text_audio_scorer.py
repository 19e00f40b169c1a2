"""Score tracks by a network that embeds text and audio in one space, such as CLAP (Elizalde et al. 2023, arXiv 2206.04769).

No such network is shipped, because no weights with a suitable licence can be had. A program that has one gives its text encoder and
the vectors of its audio encoder to `TextAudioScorer`, and the scorer to `sonotheque.explore.search.search_tracks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from sonotheque.explore.search.parse import WordQuery
from sonotheque.explore.search.scores import MissingTerm, TermScores, standardize
from sonotheque.explore.search.track_arrays import TrackArrays
from sonotheque.index import l2_normalize
from sonotheque.types import FloatArray, IdArray


class TextEncoder(Protocol):
    """Turns a text into a vector of the space in which the tracks have vectors."""

    def encode(self, text: str) -> FloatArray:
        """Return the vector of a text, float32 [D]."""
        ...


class TextAudioScorer:
    """Scores the whole text of a query by the cosine of its vector and each track's, standardised over the library.

    It knows every word, so no word is left that is not understood. Negation is left to the other scorers: text encoders hardly
    notice it, so negated terms are not scored here.

    Parameters
    ----------
    tracks : TrackArrays
    encoder : TextEncoder
    ids : int64 array [M]
    vectors : float32 array [M, D]
        Of the tracks with these ids. They need not be normalised.
    """

    def __init__(self, tracks: TrackArrays, *, encoder: TextEncoder, ids: IdArray, vectors: FloatArray) -> None:
        self._tracks, self._encoder, self._ids, self._vectors = tracks, encoder, ids, vectors

    def score(self, query: WordQuery) -> Sequence[TermScores | MissingTerm]:
        """Score all tracks for the text of a query."""
        wanted = tuple(term for term in query.terms if not term.negated)
        if not wanted:
            return []
        text = l2_normalize(self._encoder.encode(query.text))
        cosine = self._tracks.align(self._ids, l2_normalize(self._vectors) @ text)
        if np.isnan(cosine).all():
            return []
        return [
            TermScores(
                wanted,
                standardize(cosine),
                lambda row: None if np.isnan(cosine[row]) else f"similarity {cosine[row]:.2f}",
                "text",
            )
        ]
