"""The map of a library as an HTML page: points, clusters, search, audio, and export of track lists. Computes nothing itself."""

from sonotheque.report.map.page import write_map

__all__ = ["write_map"]
