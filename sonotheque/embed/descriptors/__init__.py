"""Audio descriptors with fixed formulas, such as MFCCs, chroma and tempo, as a space of named columns.

`Descriptors` computes the vectors, `column_names` names their columns, `key_name` and `estimate_track_tempo` read the key and the
tempo from them. The definitions are librosa's, but only NumPy is needed: there is no network, no download, and librosa itself is
used only by the tests.
"""

from sonotheque.embed.descriptors.columns import column_names, family_of, family_slices
from sonotheque.embed.descriptors.embedder import SPACE, Descriptors
from sonotheque.embed.descriptors.rhythm_tonal import estimate_track_tempo, key_name

__all__ = ["SPACE", "Descriptors", "column_names", "estimate_track_tempo", "family_of", "family_slices", "key_name"]
