"""From samples to vectors: spaces and their registry, the networks, the inference runtime, pooling.

It knows nothing of libraries, labels or neighbours.
"""

from sonotheque.embed.pooling import Pooler, pool
from sonotheque.embed.registry import Choice, choose, embedder_names, open_embedder, space_of
from sonotheque.embed.space import Embedder, Space
from sonotheque.embed.track import TrackVectors, embed_track

__all__ = [
    "Choice",
    "Embedder",
    "Pooler",
    "Space",
    "TrackVectors",
    "choose",
    "embed_track",
    "embedder_names",
    "open_embedder",
    "pool",
    "space_of",
]
