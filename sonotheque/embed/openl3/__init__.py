"""OpenL3 (Cramer et al. 2019): the published weights, the same numbers, without TensorFlow.

`embed` is a drop-in for ``openl3.get_audio_embedding``; docs/openl3.md is for people who come from there. `OpenL3` is the embedder
of its spaces.
"""

from sonotheque.embed.openl3.embedder import OpenL3, Variant, embed

__all__ = ["OpenL3", "Variant", "embed"]
