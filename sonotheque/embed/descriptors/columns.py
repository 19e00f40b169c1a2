"""What the numbers of a vector of descriptors are called, in vector order. Not how they are computed.

A column is ``family``, ``family_part``, ``family.suffix`` or ``family_part.suffix``: ``mfcc_03.mean`` is the mean of the fourth
coefficient over the analysis frames of a window.

==================  ===============================================================================================
family              what it measures, in which unit
==================  ===============================================================================================
``mfcc``            20 mel-frequency cepstral coefficients of 128 mel bands in dB; 00 is the level
``mfcc_delta``      their slope per analysis frame
``mfcc_delta2``     the slope of that
``centroid``        mean frequency of the magnitude spectrum, log2 of Hz
``bandwidth``       deviation around it, log2 of Hz
``rolloff``         frequency below which 85 % of the magnitude lies, log2 of Hz
``flatness``        geometric over arithmetic mean of the power spectrum, dB: 0 if flat, far below for a tone
``zero_crossings``  share of samples where the sign changes
``contrast``        peaks over valleys in an octave band, dB: 00 up to 200 Hz, 01 up to 400 Hz, ..., 06 above 6.4 kHz
``bark``            level in a critical band, dB of full scale: 01 up to 100 Hz, ..., 23 above 9.5 kHz
``rms``             level, dB of full scale
``envelope``        course of the level: slope in dB/s, range (95th less 5th percentile) in dB, share of frames below the
                    mean, modulation at 1-2 Hz and 3-15 Hz in dB of the mean
``onset``           growth of the mel spectrum from frame to frame, dB
``tempo``           beats per minute
``beat_strength``   how alike the onsets are one beat apart: 0 not at all, 1 equal
``chroma``          strength of a pitch class, 1 for the strongest of a frame
``tonnetz``         tonal centroid on the circles of fifths, minor and major thirds
``key``             place on the circle of fifths (C major and A minor at cos 1, G major at 30 degrees), as long as the
                    key is clear; mode (over 0 major, under 0 minor); clarity (correlation with the best key's profile)
==================  ===============================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sonotheque.errors import SpaceError

STATISTICS = ("mean", "std", "min", "max", "skew")
"""Over the analysis frames of a window."""

MOTION = ("std", "min", "max", "skew")
"""For slopes: their mean is the difference of two ends, which says nothing."""

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def _numbers(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{number:02d}" for number in range(first, last + 1))


@dataclass(frozen=True)
class Family:
    """Columns that measure the same thing.

    Attributes
    ----------
    name : str
    parts : tuple of str
        Such as the bands; one without a name where there is just one.
    suffixes : tuple of str
        Statistics of each part, or what is measured of the whole window.
    """

    name: str
    parts: tuple[str, ...] = ("",)
    suffixes: tuple[str, ...] = STATISTICS

    def columns(self) -> tuple[str, ...]:
        """Name the columns, part by part."""
        stems = [f"{self.name}_{part}" if part else self.name for part in self.parts]
        return tuple(f"{stem}.{suffix}" if suffix else stem for stem in stems for suffix in self.suffixes)


FAMILIES = (
    Family("mfcc", _numbers(0, 19)),
    Family("mfcc_delta", _numbers(0, 19), MOTION),
    Family("mfcc_delta2", _numbers(0, 19), MOTION),
    Family("centroid"),
    Family("bandwidth"),
    Family("rolloff"),
    Family("flatness"),
    Family("zero_crossings"),
    Family("contrast", _numbers(0, 6)),
    Family("bark", _numbers(1, 23)),
    Family("rms"),
    Family("envelope", suffixes=("slope", "range", "low", "modulation_1_2", "modulation_3_15")),
    Family("onset", suffixes=("mean", "std", "max", "skew")),  # the least is 0 nearly always
    Family("tempo", suffixes=("bpm",)),
    Family("beat_strength", suffixes=("",)),
    Family("chroma", PITCH_CLASSES, ("mean", "std", "skew")),  # in each frame the least is near 0, the greatest is 1
    Family("tonnetz", ("fifth_x", "fifth_y", "minor_x", "minor_y", "major_x", "major_y")),
    Family("key", suffixes=("cos", "sin", "mode", "clarity")),
)


@cache
def columns() -> tuple[str, ...]:
    """Name the numbers of a vector, in its order.

    Examples
    --------
    >>> columns()[:6]
    ('mfcc_00.mean', 'mfcc_00.std', 'mfcc_00.min', 'mfcc_00.max', 'mfcc_00.skew', 'mfcc_01.mean')
    >>> len(columns())
    521
    """
    return tuple(column for each in FAMILIES for column in each.columns())


@cache
def families() -> dict[str, slice]:
    """Say where in a vector each family lies, in vector order.

    Examples
    --------
    >>> columns()[families()["key"]]
    ('key.cos', 'key.sin', 'key.mode', 'key.clarity')
    """
    places, first = {}, 0
    for each in FAMILIES:
        last = first + len(each.columns())
        places[each.name] = slice(first, last)
        first = last
    return places


def family(column: str) -> str:
    """Return the family of a column.

    Raises
    ------
    SpaceError
        If there is no such column.

    Examples
    --------
    >>> family("mfcc_delta_03.std"), family("beat_strength")
    ('mfcc_delta', 'beat_strength')
    """
    for each in FAMILIES:
        if column in each.columns():
            return each.name
    raise SpaceError(f"descriptors have no column {column!r}; columns() lists them, such as {columns()[0]}")
