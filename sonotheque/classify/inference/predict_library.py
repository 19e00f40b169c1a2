"""Predict the genres of all tracks of a library from their stored vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.inference.persistence import SavedClassifier
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import FloatArray, IdArray, Progress

BLOCK = 10_000
"""Tracks that are predicted at once."""


def predict_library(
    catalogue: Catalogue, classifier: SavedClassifier, *, progress: Progress | None = None
) -> tuple[IdArray, FloatArray]:
    """Predict the genre probabilities of all tracks that have vectors in the spaces of a classifier.

    Parameters
    ----------
    catalogue : Catalogue
    classifier : SavedClassifier
    progress : callable or None
        Called with (tracks done, tracks to do).

    Returns
    -------
    ids : int64 array [N]
        Ordered by content hash.
    probabilities : float32 array [N, C]
        In the order of `SavedClassifier.labels`.
    """
    matrices = {space: catalogue.vectors.matrix(space) for space in classifier.spaces}
    ids = next(iter(matrices.values()))[0]
    for others, _ in matrices.values():
        ids = ids[np.isin(ids, others)]
    vectors = {space: matrix[np.isin(others, ids)] for space, (others, matrix) in matrices.items()}
    probabilities = np.empty((len(ids), len(classifier.labels)), np.float32)
    for start in range(0, len(ids), BLOCK):
        rows = slice(start, min(start + BLOCK, len(ids)))
        segments: Mapping[str, Sequence[FloatArray]] = {}
        if classifier.ensemble.needs_segments:
            segments = {
                space: [catalogue.vectors.segments(int(track), space) for track in ids[rows]]
                for space in classifier.spaces
            }
        data = EmbeddingSet({space: matrix[rows] for space, matrix in vectors.items()}, segments)
        probabilities[rows] = classifier.predict_proba(data)
        if progress is not None:
            progress(rows.stop, len(ids))
    return ids, probabilities
