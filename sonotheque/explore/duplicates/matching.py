"""Compare two fingerprints: the fraction of bits that agree at the best offset, and what that says.

Two recordings of different music agree in half of the bits. The thresholds are those of docs/benchmarks/duplicates.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sonotheque.audio.chromaprint import CHROMAPRINT, chromaprint_is_available
from sonotheque.audio.fingerprint import SPECTRAL, Fingerprint, FingerprintMethod
from sonotheque.errors import LibraryError

METHODS: Mapping[str, FingerprintMethod] = {"chromaprint": CHROMAPRINT, "spectral": SPECTRAL}
"""The methods by the names that users write."""

MAX_OFFSET = 15.0
"""Largest difference in s between the starts of two files of one recording."""

MIN_OVERLAP = 10.0
"""Shortest audible overlap in s that shows that two files are one recording."""

MIN_OVERLAP_FRACTION = 0.6
"""Least part of the shorter fingerprint that overlaps, and that must be audible."""


STRIDE, N_REFINED = 4, 5
"""All offsets are tried with every fourth step, and the best five with all steps."""


@dataclass(frozen=True)
class AgreementThresholds:
    """Minimum fractions of agreeing bits.

    Attributes
    ----------
    sure : float
        From here on, two files are surely one recording.
    unsure : float
        From here on, they may be one.
    """

    sure: float
    unsure: float


THRESHOLDS: Mapping[str, AgreementThresholds] = {
    CHROMAPRINT.id: AgreementThresholds(sure=0.78, unsure=0.68),
    SPECTRAL.id: AgreementThresholds(sure=0.72, unsure=0.58),
}
"""By the id of the method."""


def choose_method(name: str) -> FingerprintMethod:
    """Return a fingerprint method by its name. ``auto`` is Chromaprint if it is installed, otherwise the spectral fingerprint.

    Raises
    ------
    LibraryError
        If the name is unknown, or Chromaprint is requested and not installed.
    """
    if name == "auto":
        return CHROMAPRINT if chromaprint_is_available() else SPECTRAL
    if name not in METHODS:
        raise LibraryError(f"no fingerprint method {name!r}; the methods are auto, {', '.join(METHODS)}")
    if name == "chromaprint" and not chromaprint_is_available():
        raise LibraryError(
            "Chromaprint is not installed; install fpcalc (Debian: libchromaprint-tools) or the Python package pyacoustid, "
            "or choose spectral"
        )
    return METHODS[name]


@dataclass(frozen=True)
class FingerprintMatch:
    """How well two fingerprints agree at their best offset.

    Attributes
    ----------
    agreement : float
        Fraction of the bits that agree, over the steps in which both are audible.
    offset : float
        Time in the first recording at which the second one starts, in s. Negative if the second one starts earlier.
    overlap : float
        Audible overlap in s.
    """

    agreement: float
    offset: float
    overlap: float


def match_fingerprints(
    first: Fingerprint, second: Fingerprint, *, hop: float, min_overlap: float = MIN_OVERLAP
) -> FingerprintMatch | None:
    """Find the offset at which two fingerprints agree best, by the bit error rate (Haitsma & Kalker 2002, section 4).

    Parameters
    ----------
    first, second : uint32 arrays [n] and [m]
        Fingerprints of one method. Steps that are 0 are silent, and left out.
    hop : float
        Step of the method in s.
    min_overlap : float
        Minimum audible overlap in s, besides that relative to the shorter fingerprint.

    Returns
    -------
    FingerprintMatch or None
        None if there is no offset up to `MAX_OFFSET` with enough audible overlap.

    Examples
    --------
    >>> steps = np.random.default_rng(0).integers(1, 2**32, 400, dtype=np.uint32)
    >>> match_fingerprints(steps, steps[24:], hop=0.125)
    FingerprintMatch(agreement=1.0, offset=3.0, overlap=47.0)
    """
    required = max(min_overlap / hop, 1, MIN_OVERLAP_FRACTION * min(len(first), len(second)))
    best: tuple[float, int, int] | None = None
    for offset in _promising_offsets(first, second, largest=int(MAX_OFFSET / hop), required=required):
        start, other = max(offset, 0), max(-offset, 0)
        length = min(len(first) - start, len(second) - other)
        one, two = first[start : start + length], second[other : other + length]
        audible = (one != 0) & (two != 0)
        compared = int(np.count_nonzero(audible))
        if compared < required:
            continue
        errors = int(np.bitwise_count(one ^ two)[audible].sum(dtype=np.int64))
        agreement = 1 - errors / (32 * compared)
        if best is None or agreement > best[0]:
            best = (agreement, offset, compared)
    if best is None:
        return None
    return FingerprintMatch(round(best[0], 4), round(best[1] * hop, 2), round(best[2] * hop, 2))


def _promising_offsets(first: Fingerprint, second: Fingerprint, *, largest: int, required: float) -> list[int]:
    """Return the `N_REFINED` offsets at which every `STRIDE`-th step agrees best. Of equal ones, the smallest are taken."""
    if not (len(first) and len(second)):
        return []
    sampled = first[::STRIDE]
    padding = np.zeros(largest, np.uint32)
    padded = np.concatenate([padding, second, padding, np.zeros(len(first), np.uint32)])
    offsets = largest - np.arange(2 * largest + 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(first))[: len(offsets), ::STRIDE]
    audible = (windows != 0) & (sampled != 0)
    compared = np.count_nonzero(audible, axis=1)
    errors = (np.bitwise_count(windows ^ sampled) * audible).sum(axis=1, dtype=np.int64)
    long_enough = compared * STRIDE >= required - STRIDE
    agreement = np.where(long_enough, 1 - errors / (32 * np.maximum(compared, 1)), -1.0)
    order = np.lexsort((np.abs(offsets), -agreement))[:N_REFINED]
    return [int(offsets[row]) for row in order if long_enough[row]]
