"""The unsupervised views: what lies near what."""

from sonotheque.explore.playlist import playlist
from sonotheque.explore.similar import Limits, find_similar

__all__ = ["Limits", "find_similar", "playlist"]
