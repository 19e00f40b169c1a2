"""From samples to vectors: spaces and their registry, the networks, the inference runtimes, and pooling.

This package does not know about libraries, labels or neighbours.
"""

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
