"""The map of a library as one page: points, clusters, search, sounds, lists to take away. It computes nothing of the map itself."""

from sonotheque.report.map.page import write_map

__all__ = ["write_map"]
