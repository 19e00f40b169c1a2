"""How a report speaks one language: looks up phrases, and writes numbers, shares, intervals and lists as that language does.

The phrases themselves stand in `sonotheque.report.phrases` (labels), `sonotheque.report.sentences`, `sonotheque.report.methods` and
`sonotheque.report.importance.words`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

Lang = Literal["en", "fr"]
LANGUAGES: tuple[Lang, ...] = ("en", "fr")

UNBROKEN = "\u00a0"
"""A space at which no line breaks."""


class Phrase(NamedTuple):
    """One thing to say, in each language; names in braces are filled in."""

    en: str
    fr: str


class Words:
    r"""Says things in one language.

    Parameters
    ----------
    lang : str
        ``en`` or ``fr``.

    Raises
    ------
    ValueError
        If the language is unknown.

    Examples
    --------
    >>> english, french = Words("en"), Words("fr")
    >>> english.count(1, "track"), french.count(2, "track")
    ('1\xa0track', '2\xa0morceaux')
    >>> french.number(0.5, digits=2), english.percent(0.725)
    ('0,50', '72\xa0%')
    """

    def __init__(self, lang: str) -> None:
        from sonotheque.report.importance.words import REASONS
        from sonotheque.report.methods import METHODS
        from sonotheque.report.phrases import NOUNS, PHRASES
        from sonotheque.report.sentences import SENTENCES

        if lang not in LANGUAGES:
            raise ValueError(f"unknown language {lang!r}; known are {', '.join(LANGUAGES)}")
        self.lang = lang
        self._nouns = NOUNS
        self._phrases = {**PHRASES, **SENTENCES, **METHODS, **REASONS}

    def say_either(self, key: str, otherwise: str, **values: object) -> str:
        """Say a phrase, or another where there is none of that name."""
        return self.say(key if key in self._phrases else otherwise, **values)

    def say(self, key: str, **values: object) -> str:
        """Look up a phrase and fill it in."""
        phrase: str = getattr(self._phrases[key], self.lang)
        if self.lang == "fr":
            for mark in ":;?!»":
                phrase = phrase.replace(f" {mark}", UNBROKEN + mark)
            phrase = phrase.replace("« ", "«" + UNBROKEN)
        return phrase.format(**values)

    def model(self, name: str) -> str:
        """Name a row of the comparison: models keep their names, what is made of several has a phrase."""
        return self.say(f"row {name}") if f"row {name}" in self._phrases else name

    def count(self, count: int, noun: str) -> str:
        """Write how many there are of something that `phrases.NOUNS` knows."""
        one, many = getattr(self._nouns[noun], self.lang).split("|")
        single = count == 1 if self.lang == "en" else count < 2
        return f"{count}{UNBROKEN}{one if single else many}"

    def number(self, value: float, *, digits: int = 3, sign: bool = False) -> str:
        """Write a number; a dash where there is none."""
        if math.isnan(value):
            return "–"
        text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
        text = text.replace("-", "\u2212")
        return text.replace(".", ",") if self.lang == "fr" else text

    def percent(self, share: float, *, digits: int = 0) -> str:
        """Write a share as a percentage."""
        return self.number(100 * share, digits=digits) + UNBROKEN + "%"

    def points(self, difference: float) -> str:
        """Write a difference of shares in percentage points, with its sign."""
        return self.number(100 * difference, digits=1, sign=True)

    def interval(self, interval: tuple[float, float] | None, *, digits: int = 3, sign: bool = False) -> str:
        """Write an interval, as far as there is one."""
        if interval is None or any(math.isnan(bound) for bound in interval):
            return self.say("no interval")
        low, high = (self.number(bound, digits=digits, sign=sign) for bound in interval)
        return self.say("range", low=low, high=high)

    def listed(self, items: Sequence[str]) -> str:
        """Join items as in a sentence.

        Examples
        --------
        >>> Words("en").listed(["a", "b", "c"])
        'a, b and c'
        """
        if len(items) < 2:
            return "".join(items)
        return self.say("and", first=", ".join(items[:-1]), last=items[-1])
