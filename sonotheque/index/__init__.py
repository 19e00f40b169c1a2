"""Vectors to neighbours. It knows vectors and ids, nothing of music."""

from sonotheque.index.cache import cached_index
from sonotheque.index.exact import ExactIndex, unit
from sonotheque.index.graph import Neighbourhood, nearest_of_all

__all__ = ["ExactIndex", "Neighbourhood", "cached_index", "nearest_of_all", "unit"]
