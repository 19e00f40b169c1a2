"""Nearest-neighbour search over vectors. This package knows vectors and ids, and nothing about music."""

from sonotheque.index.cache import load_or_build_index
from sonotheque.index.exact import ExactIndex, l2_normalize
from sonotheque.index.knn_graph import KnnGraph, build_knn_graph

__all__ = ["ExactIndex", "KnnGraph", "build_knn_graph", "l2_normalize", "load_or_build_index"]
