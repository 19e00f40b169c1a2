"""Views that need no training: similar tracks, search by words, maps and clusters, label issues, attributes, single files."""

from typing import TYPE_CHECKING

from sonotheque.deprecation import module_getattr
from sonotheque.explore.playlists.m3u import format_m3u
from sonotheque.explore.similar.limits import SimilarityLimits
from sonotheque.explore.similar.neighbours import find_similar

__all__ = ["SimilarityLimits", "find_similar", "format_m3u"]

if not TYPE_CHECKING:  # type checkers see only the current names
    __getattr__ = module_getattr(
        __name__,
        {
            "Limits": "sonotheque.explore:SimilarityLimits",
            "playlist": "sonotheque.explore:format_m3u",
        },
    )
