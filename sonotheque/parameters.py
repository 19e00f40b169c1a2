"""The ranges of all numbers that a user can give, for the options of the commands and for the methods of `Library`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from sonotheque.errors import ParameterError

MAX_COUNT = 1_000_000
"""More tracks, trials or neighbours than any library or search has."""


@dataclass(frozen=True)
class NumberRange:
    """A closed range of numbers, or one that leaves out its minimum or maximum. NaN is outside every range.

    Attributes
    ----------
    minimum, maximum : float
    whole : bool
        Whether only whole numbers are allowed.
    min_open, max_open : bool
        Whether the minimum or maximum itself is outside.
    """

    minimum: float
    maximum: float
    whole: bool = True
    min_open: bool = False
    max_open: bool = False

    def contains(self, value: Any) -> bool:
        """Return whether a value is a number in the range.

        Examples
        --------
        >>> NumberRange(1, 5).contains(5), NumberRange(0, 1, whole=False).contains(float("nan"))
        (True, False)
        """
        if isinstance(value, bool) or not isinstance(value, Integral if self.whole else Real):
            return False
        number: Any = value
        above = number > self.minimum if self.min_open else number >= self.minimum
        below = number < self.maximum if self.max_open else number <= self.maximum
        return bool(above and below)

    def describe(self) -> str:
        """Describe the range for an error message.

        Examples
        --------
        >>> NumberRange(0.5, 1, whole=False, max_open=True).describe()
        'a number from 0.5 to less than 1'
        """
        kind = "a whole number" if self.whole else "a number"
        low = f"more than {self.minimum}" if self.min_open else f"from {self.minimum}"
        return f"{kind} {low} to {'less than ' if self.max_open else ''}{self.maximum}"


RANGES: Mapping[str, NumberRange] = {
    "k": NumberRange(1, MAX_COUNT),
    "segment": NumberRange(0, 10_000_000, whole=False),
    "max_per_artist": NumberRange(1, MAX_COUNT),
    "max_per_album": NumberRange(1, MAX_COUNT),
    "min_similarity": NumberRange(0, 1, whole=False),
    "diversity": NumberRange(0, 1, whole=False, max_open=True),
    "min_year": NumberRange(1000, 2999),
    "max_year": NumberRange(1000, 2999),
    "min_duration": NumberRange(0, 10_000_000, whole=False),
    "max_duration": NumberRange(0, 10_000_000, whole=False),
    "min_tempo": NumberRange(0, 1000, whole=False),
    "max_tempo": NumberRange(0, 1000, whole=False),
    "n": NumberRange(1, 10_000),
    "limit": NumberRange(1, MAX_COUNT),
    "folds": NumberRange(2, 10_000),
    "repeats": NumberRange(1, 1000),
    "minutes": NumberRange(0, 100_000, whole=False, min_open=True),
    "min_minutes": NumberRange(0, 100_000, whole=False, min_open=True),
    "max_minutes": NumberRange(0, 100_000, whole=False, min_open=True),
    "trials": NumberRange(1, MAX_COUNT),
    "augment": NumberRange(0, 20),
    "seed": NumberRange(0, 2**32 - 1),
    "abstain": NumberRange(0.5, 1, whole=False, max_open=True),
    "probability": NumberRange(0, 1, whole=False),
    "neighbours": NumberRange(2, MAX_COUNT),
    "cluster_size": NumberRange(2, MAX_COUNT),
}
"""The range of each number, by the name of the option or argument. Seeds are those that NumPy and scikit-learn accept."""


def require_in_range(**values: Any) -> None:
    """Check numbers against `RANGES`. None, for a default, is always allowed.

    Raises
    ------
    ParameterError
        If a value is outside its range, not a number, or not a whole number where one is needed.

    Examples
    --------
    >>> require_in_range(k=10, folds=None)
    """
    for name, value in values.items():
        if value is not None and not RANGES[name].contains(value):
            raise ParameterError(f"{name}={value!r}: {name} must be {RANGES[name].describe()}")
