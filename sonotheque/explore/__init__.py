"""Views that need no training: similar tracks, the map and its clusters, label issues, track attributes, and single files."""

from sonotheque.explore.similar.neighbours import SimilarityLimits, find_similar
from sonotheque.explore.similar.playlist import format_m3u

__all__ = ["SimilarityLimits", "find_similar", "format_m3u"]
