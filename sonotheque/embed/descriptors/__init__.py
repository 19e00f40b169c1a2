"""Descriptors: what the field measures in a recording by hand-made formulas, as a space of named columns.

`columns` names the numbers of a vector, `Descriptors` computes them, `key_name` and `track_tempo` read them. No network, no
download, and nothing but NumPy: librosa, whose definitions these are, is needed by the tests alone.
"""

from sonotheque.embed.descriptors.columns import columns, families, family
from sonotheque.embed.descriptors.embedder import SPACE, Descriptors
from sonotheque.embed.descriptors.musical import key_name, track_tempo

__all__ = ["SPACE", "Descriptors", "columns", "families", "family", "key_name", "track_tempo"]
