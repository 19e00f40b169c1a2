"""Tempo and key of a recording, each with its confidence.

They are computed with every `add`, from the samples that are decoded for the embedders, and do not depend on these. The file's own
sampling rate is reduced to 11,025 Hz first.
"""

from sonotheque.embed.tempo_key.estimation import METHOD, MIN_CONFIDENCE, TempoKey, TempoKeyEstimation
from sonotheque.embed.tempo_key.key import parse_key

__all__ = ["METHOD", "MIN_CONFIDENCE", "TempoKey", "TempoKeyEstimation", "parse_key"]
