"""From samples to vectors: spaces and their registry, the networks, the inference runtimes, and pooling.

This package does not know about libraries, labels or neighbours.
"""

from typing import TYPE_CHECKING

from sonotheque.deprecation import module_getattr
from sonotheque.embed.pooling import Pooler, pool_frames
from sonotheque.embed.registry import SpaceChoice, choose_spaces, embedder_names, open_embedder, space_of
from sonotheque.embed.space import Embedder, Space
from sonotheque.embed.track import TrackVectors, embed_track

__all__ = [
    "Embedder",
    "Pooler",
    "Space",
    "SpaceChoice",
    "TrackVectors",
    "choose_spaces",
    "embed_track",
    "embedder_names",
    "open_embedder",
    "pool_frames",
    "space_of",
]

if not TYPE_CHECKING:  # type checkers see only the current names
    __getattr__ = module_getattr(
        __name__,
        {
            "Choice": "sonotheque.embed:SpaceChoice",
            "choose": "sonotheque.embed:choose_spaces",
            "pool": "sonotheque.embed:pool_frames",
        },
    )
