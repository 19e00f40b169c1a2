"""OpenL3 (Cramer et al. 2019): the published weights and the same numbers, without TensorFlow.

`embed` replaces ``openl3.get_audio_embedding``; docs/openl3.md describes how to migrate. `OpenL3` is the embedder of the OpenL3
spaces, and `Variant` identifies one of them.
"""

from sonotheque.embed.openl3.embedder import OpenL3, Variant, embed

__all__ = ["OpenL3", "Variant", "embed"]
