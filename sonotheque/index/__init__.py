"""Nearest-neighbour search over vectors. This package knows vectors and ids, and nothing about music."""

from typing import TYPE_CHECKING

from sonotheque.deprecation import module_getattr
from sonotheque.index.approximate import ApproximateIndex
from sonotheque.index.exact import ExactIndex, l2_normalize
from sonotheque.index.knn_graph import KnnGraph, build_knn_graph
from sonotheque.index.measure import COSINE, MeasureSettings, SimilarityMeasure, default_measure
from sonotheque.index.updatable import UpdatableIndex

__all__ = [
    "COSINE",
    "ApproximateIndex",
    "ExactIndex",
    "KnnGraph",
    "MeasureSettings",
    "SimilarityMeasure",
    "UpdatableIndex",
    "build_knn_graph",
    "default_measure",
    "l2_normalize",
]

if not TYPE_CHECKING:  # type checkers see only the current names
    __getattr__ = module_getattr(
        __name__,
        {
            "Neighbourhood": "sonotheque.index:KnnGraph",
            "nearest_of_all": "sonotheque.index:build_knn_graph",
            "unit": "sonotheque.index:l2_normalize",
        },
    )
