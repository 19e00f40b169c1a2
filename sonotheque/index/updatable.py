"""An index that follows changes without being built again: the index as it was built, and the vectors that have changed since."""

from __future__ import annotations

import numpy as np

from sonotheque.index.approximate import ApproximateIndex
from sonotheque.index.exact import DEAD, ExactIndex, IdArray, sort_by_similarity
from sonotheque.index.measure import SimilarityMeasure
from sonotheque.types import FloatArray


class UpdatableIndex:
    """Index of the current vectors.

    Parameters
    ----------
    base : ExactIndex or ApproximateIndex
        The index as it was built. Rows with the id `DEAD` are never returned.
    changed : int64 array
        Ids of the vectors that have been written or deleted since. Those in `base` are outdated.
    recent : ExactIndex
        The current vectors of `changed`, without the deleted ones.
    """

    def __init__(self, base: ExactIndex | ApproximateIndex, *, changed: IdArray, recent: ExactIndex) -> None:
        self.base = base
        self.changed = changed
        self.recent = recent
        self.outdated = len(base.find_rows(changed)) + int((np.asarray(base.ids) == DEAD).sum())

    @property
    def kind(self) -> str:
        """Name of the kind of index, see `sonotheque.index.kinds`."""
        return self.base.kind

    @property
    def recall(self) -> float | None:
        """Measured recall of the ten nearest neighbours when the index was built; None if it is exact."""
        return self.base.recall

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.base) - self.outdated + len(self.recent)

    @property
    def measure(self) -> SimilarityMeasure:
        """The measure of similarity."""
        return self.base.measure

    def search(self, queries: FloatArray, *, k: int, restrict_to: IdArray | None = None) -> tuple[IdArray, FloatArray]:
        """Find the nearest neighbours of each query, see `ExactIndex.search`."""
        return self.search_transformed(self.measure.transform_queries(queries), k=k, restrict_to=restrict_to)

    def search_transformed(
        self, queries: FloatArray, *, k: int, restrict_to: IdArray | None = None, farthest: bool = False
    ) -> tuple[IdArray, FloatArray]:
        """Find the nearest neighbours or the farthest vectors, see `ExactIndex.search_transformed`."""
        if restrict_to is not None:
            current = np.setdiff1d(restrict_to, self.changed)
            ids, similarities = self.base.search_transformed(queries, k=k, restrict_to=current, farthest=farthest)
        else:
            ids, similarities = self._search_base(queries, min(k, len(self.base) - self.outdated), farthest=farthest)
        if len(self.recent):
            others, values = self.recent.search_transformed(queries, k=k, restrict_to=restrict_to, farthest=farthest)
            ids, similarities = np.concatenate([ids, others], axis=1), np.concatenate([similarities, values], axis=1)
            ids, similarities = sort_by_similarity(ids, similarities, farthest=farthest)
        return ids[:, :k], similarities[:, :k]

    def _search_base(self, queries: FloatArray, k: int, *, farthest: bool) -> tuple[IdArray, FloatArray]:
        """Search the base without outdated vectors: more are fetched until each query has `k` current ones."""
        fetched = k + min(self.outdated, k)
        while True:
            ids, similarities = self.base.search_transformed(queries, k=fetched, farthest=farthest)
            if not self.outdated:
                return ids, similarities
            current = ~np.isin(ids, self.changed) & (ids != DEAD)
            if (current.sum(axis=1) >= k).all() or fetched >= len(self.base):
                break
            fetched = min(4 * fetched, len(self.base))
        order = np.argsort(~current, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(ids, order, 1), np.take_along_axis(similarities, order, 1)
