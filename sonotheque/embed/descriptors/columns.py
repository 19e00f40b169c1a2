"""Names of the descriptor columns, in vector order.

A column is ``family``, ``family_part``, ``family.suffix`` or ``family_part.suffix``. For example, ``mfcc_03.mean`` is the mean of
the fourth coefficient over the analysis frames of a window.

==================  ===============================================================================================
family              measures, in unit
==================  ===============================================================================================
``mfcc``            20 mel-frequency cepstral coefficients of 128 mel bands in dB; 00 is the level
``mfcc_delta``      first derivative of the MFCCs per analysis frame
``mfcc_delta2``     second derivative of the MFCCs
``centroid``        mean frequency of the magnitude spectrum, log2 of Hz
``bandwidth``       standard deviation around the centroid, log2 of Hz
``rolloff``         frequency below which 85% of the magnitude lies, log2 of Hz
``flatness``        ratio of geometric to arithmetic mean of the power spectrum, dB: 0 if flat, far below for a tone
``zero_crossings``  fraction of samples where the sign changes
``contrast``        ratio of peaks to valleys in an octave band, dB: 00 up to 200 Hz, 01 up to 400 Hz, ..., 06 above 6.4 kHz
``bark``            level in a critical band, dBFS: 01 up to 100 Hz, ..., 23 above 9.5 kHz
``rms``             level, dBFS
``envelope``        level over time: slope in dB/s, range (95th minus 5th percentile) in dB, fraction of frames below the
                    mean, modulation at 1-2 Hz and 3-15 Hz in dB relative to the mean
``onset``           onset strength: increase of the mel spectrum from frame to frame, dB
``tempo``           beats per minute
``beat_strength``   autocorrelation of the onset strength at a lag of one beat: 0 no beat, 1 identical beats
``chroma``          strength of a pitch class, relative to the strongest one of the frame
``tonnetz``         tonal centroid on the circles of fifths, minor thirds and major thirds
``key``             cosine and sine of the position on the circle of fifths (C major and A minor at 0 degrees, G major at
                    30 degrees), times clarity; mode (above 0 major, below 0 minor); clarity (correlation with the best
                    key's profile)
==================  ===============================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sonotheque.errors import SpaceError

STATISTICS = ("mean", "std", "min", "max", "skew")
"""Statistics over the analysis frames of a window."""

DELTA_STATISTICS = ("std", "min", "max", "skew")
"""Statistics of derivatives. Their mean is left out: it depends only on the two ends of the window."""

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def _two_digits(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{number:02d}" for number in range(first, last + 1))


@dataclass(frozen=True)
class Family:
    """A group of columns that measure the same property.

    Attributes
    ----------
    name : str
    parts : tuple of str
        Parts such as frequency bands; one empty string if there is only one part.
    suffixes : tuple of str
        Statistics of each part, or the names of measurements of the whole window.
    """

    name: str
    parts: tuple[str, ...] = ("",)
    suffixes: tuple[str, ...] = STATISTICS

    def column_names(self) -> tuple[str, ...]:
        """Return the names of the columns, part by part."""
        stems = [f"{self.name}_{part}" if part else self.name for part in self.parts]
        return tuple(f"{stem}.{suffix}" if suffix else stem for stem in stems for suffix in self.suffixes)


FAMILIES = (
    Family("mfcc", _two_digits(0, 19)),
    Family("mfcc_delta", _two_digits(0, 19), DELTA_STATISTICS),
    Family("mfcc_delta2", _two_digits(0, 19), DELTA_STATISTICS),
    Family("centroid"),
    Family("bandwidth"),
    Family("rolloff"),
    Family("flatness"),
    Family("zero_crossings"),
    Family("contrast", _two_digits(0, 6)),
    Family("bark", _two_digits(1, 23)),
    Family("rms"),
    Family("envelope", suffixes=("slope", "range", "low", "modulation_1_2", "modulation_3_15")),
    Family("onset", suffixes=("mean", "std", "max", "skew")),  # the minimum is nearly always 0
    Family("tempo", suffixes=("bpm",)),
    Family("beat_strength", suffixes=("",)),
    Family("chroma", PITCH_CLASSES, ("mean", "std", "skew")),  # in each frame the minimum is near 0, the maximum 1
    Family("tonnetz", ("fifth_x", "fifth_y", "minor_x", "minor_y", "major_x", "major_y")),
    Family("key", suffixes=("cos", "sin", "mode", "clarity")),
)


@cache
def column_names() -> tuple[str, ...]:
    """Return the names of all columns, in vector order.

    Examples
    --------
    >>> column_names()[:6]
    ('mfcc_00.mean', 'mfcc_00.std', 'mfcc_00.min', 'mfcc_00.max', 'mfcc_00.skew', 'mfcc_01.mean')
    >>> len(column_names())
    521
    """
    return tuple(column for family in FAMILIES for column in family.column_names())


@cache
def family_slices() -> dict[str, slice]:
    """Return the slice of the vector that each family occupies, in vector order.

    Examples
    --------
    >>> column_names()[family_slices()["key"]]
    ('key.cos', 'key.sin', 'key.mode', 'key.clarity')
    """
    slices, start = {}, 0
    for family in FAMILIES:
        stop = start + len(family.column_names())
        slices[family.name] = slice(start, stop)
        start = stop
    return slices


def family_of(column: str) -> str:
    """Return the name of the family that a column belongs to.

    Raises
    ------
    SpaceError
        If there is no such column.

    Examples
    --------
    >>> family_of("mfcc_delta_03.std"), family_of("beat_strength")
    ('mfcc_delta', 'beat_strength')
    """
    for family in FAMILIES:
        if column in family.column_names():
            return family.name
    raise SpaceError(f"descriptors have no column {column!r}; column_names() lists them, such as {column_names()[0]}")
