"""Translations of the report, and numbers, intervals and lists in the format of each language.

The phrases are data: ``translations/en.toml`` and ``translations/fr.toml`` have the same keys and placeholders.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Literal

Lang = Literal["en", "fr"]
LANGUAGES: tuple[Lang, ...] = ("en", "fr")

NO_BREAK_SPACE = "\u00a0"
NARROW_NO_BREAK_SPACE = "\u202f"

FRENCH_TYPOGRAPHY = {
    **{f" {mark}": NO_BREAK_SPACE + mark for mark in ":%»"},
    **{f" {mark}": NARROW_NO_BREAK_SPACE + mark for mark in ";?!"},
    "« ": "«" + NO_BREAK_SPACE,
    "'": "\u2019",
}
"""Replacements in the French phrases: non-breaking spaces around punctuation, and typographic apostrophes."""


@cache
def load_translations(lang: str) -> Mapping[str, str]:
    """Read the phrases of a language.

    Parameters
    ----------
    lang : str
        ``en`` or ``fr``.

    Returns
    -------
    mapping of str to str
        Phrases by dotted key, such as ``section.summary.title``. French typography is applied to French phrases.

    Raises
    ------
    ValueError
        If the language is unknown.
    """
    if lang not in LANGUAGES:
        raise ValueError(f"unknown language {lang!r}; choose one of {', '.join(LANGUAGES)}")
    file = resources.files("sonotheque.report") / "translations" / f"{lang}.toml"
    phrases = dict(_flatten(tomllib.loads(file.read_text(encoding="utf-8"))))
    return {key: _typeset_french(phrase) for key, phrase in phrases.items()} if lang == "fr" else phrases


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _typeset_french(phrase: str) -> str:
    for plain, typeset in FRENCH_TYPOGRAPHY.items():
        phrase = phrase.replace(plain, typeset)
    return phrase


class Translator:
    r"""Phrases and number formats of one language.

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
    >>> english, french = Translator("en"), Translator("fr")
    >>> english.format_count(1, "track"), french.format_count(2, "track")
    ('1\xa0track', '2\xa0morceaux')
    >>> french.format_number(0.5, digits=2), english.format_percent(0.725), french.format_percent(0.725)
    ('0,50', '72%', '72\xa0%')
    """

    def __init__(self, lang: str) -> None:
        self._phrases = load_translations(lang)
        self.lang = lang

    def __contains__(self, key: str) -> bool:
        """Whether there is a phrase with this key."""
        return key in self._phrases

    def translate(self, key: str, **values: object) -> str:
        """Look up a phrase and fill in its placeholders."""
        return self._phrases[key].format(**values)

    def template(self, key: str) -> str:
        """Return a phrase with its placeholders, to be filled in by a script."""
        return self._phrases[key]

    def format_count(self, count: int, noun: str) -> str:
        """Format a count with its noun, one of ``nouns`` in the translations."""
        singular = count < 2 if self.lang == "fr" else count == 1
        word = self.translate(f"nouns.{noun}.{'one' if singular else 'other'}")
        return f"{count}{NO_BREAK_SPACE}{word}"

    def format_number(self, value: float, *, digits: int = 3, sign: bool = False) -> str:
        """Format a number; NaN becomes a dash."""
        if math.isnan(value):
            return "–"
        value = value if round(value, digits) else 0.0  # not -0.0
        text = f"{value:+.{digits}f}" if sign and value else f"{value:.{digits}f}"
        return text.replace("-", "\u2212").replace(".", self.translate("format.decimal_separator"))

    def format_percent(self, fraction: float, *, digits: int = 0) -> str:
        """Format a fraction as a percentage."""
        return self.translate("format.percent", value=self.format_number(100 * fraction, digits=digits))

    def format_points(self, difference: float) -> str:
        """Format the difference of two fractions in percentage points, with its sign."""
        return self.format_number(100 * difference, digits=1, sign=True)

    def format_interval(self, interval: tuple[float, float] | None, *, digits: int = 3, sign: bool = False) -> str:
        """Format an interval, or say that there is none if it is None or has a NaN."""
        if interval is None or any(math.isnan(bound) for bound in interval):
            return self.translate("format.no_interval")
        low, high = (self.format_number(bound, digits=digits, sign=sign) for bound in interval)
        return self.translate("format.interval", low=low, high=high)

    def format_percent_interval(self, interval: tuple[float, float] | None, *, digits: int = 0) -> str:
        """Format an interval of two fractions in per cent, or say that there is none if it is None or has a NaN.

        Examples
        --------
        >>> Translator("en").format_percent_interval((0.5, 0.625), digits=1)
        '50.0 to 62.5%'
        """
        scaled = None if interval is None else (100 * interval[0], 100 * interval[1])
        text = self.format_interval(scaled, digits=digits)
        return text if text == self.translate("format.no_interval") else self.translate("format.percent", value=text)

    def format_list(self, items: Sequence[str]) -> str:
        """Join items as in a sentence.

        Examples
        --------
        >>> Translator("en").format_list(["a", "b", "c"])
        'a, b and c'
        """
        if len(items) < 2:
            return "".join(items)
        return self.translate("format.list", first=", ".join(items[:-1]), last=items[-1])
