"""Vectors to neighbours. It knows vectors and ids, nothing of music."""

from sonotheque.index.cache import cached_index
from sonotheque.index.exact import ExactIndex, unit

__all__ = ["ExactIndex", "cached_index", "unit"]
