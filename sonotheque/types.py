"""Array types, callbacks and other aliases that several packages share. There is no code here.

Shapes are written in the docstrings that use these types, as in ``float32 array [N, D]``.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
"""Audio samples, embeddings and other float32 arrays."""

Float64Array = npt.NDArray[np.float64]

BoolArray = npt.NDArray[np.bool_]

Codes = npt.NDArray[np.int64]
"""Integer-encoded labels, or counts of them such as a confusion matrix."""

IdArray = npt.NDArray[np.int64]
"""Track ids."""

Rows = npt.NDArray[np.int64]
"""Row indices of a matrix."""

Probabilities = npt.NDArray[np.float64]
"""Class probabilities [N, C]; each row sums to 1."""

Interval = tuple[float, float]
"""Lower and upper bound of a confidence interval."""

PathLike = str | os.PathLike[str]

Progress = Callable[[int, int], None]
"""Called with the number of steps done and the total number of steps."""
