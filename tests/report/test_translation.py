"""Translations: the same keys and placeholders in each language, and the number formats."""

from __future__ import annotations

from string import Formatter

import pytest

from sonotheque.report.translation import LANGUAGES, Translator, load_translations

ENGLISH = load_translations("en")


def placeholders(phrase: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(phrase) if name}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_languages_have_the_same_keys_and_placeholders(lang: str) -> None:
    phrases = load_translations(lang)
    assert set(phrases) == set(ENGLISH)
    for key, phrase in phrases.items():
        assert phrase.strip() == phrase != "", key
        assert placeholders(phrase) == placeholders(ENGLISH[key]), key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nouns_have_a_singular_and_a_plural(lang: str) -> None:
    nouns = [key for key in load_translations(lang) if key.startswith("nouns.")]
    assert nouns
    assert all(key.rpartition(".")[0] + ".one" in nouns for key in nouns)
    assert all(key.rpartition(".")[0] + ".other" in nouns for key in nouns)


def test_french_typography() -> None:
    for key, phrase in load_translations("fr").items():
        assert not any(f" {mark}" in phrase for mark in ":;?!%»"), key
        assert "« " not in phrase, key
        assert "'" not in phrase, key
    french = Translator("fr")
    assert french.translate("metric.calibration_range", range="0") == "si calibré\xa0: 0"
    assert french.translate("page.auc_without_interval").startswith("moyenne des genres\u202f; 0,5")
    assert french.translate("section.protocol.title") == "Protocole d’évaluation"


def test_formats() -> None:
    english, french = Translator("en"), Translator("fr")
    assert french.format_count(0, "track") == "0\xa0morceau"
    assert english.format_count(0, "track") == "0\xa0tracks"
    assert english.format_points(-0.0123) == "\u22121.2"
    assert english.format_interval(None) == "no interval"
    assert english.format_number(float("nan")) == "–"
    assert english.format_number(-0.0004) == english.format_number(0.0004, sign=True) == "0.000"
    assert french.format_percent_interval((0.1, 0.25)) == "10 à 25\xa0%"
    assert english.format_percent_interval(None) == "no interval"
    assert french.format_interval((0.1, 0.25), digits=2) == "0,10 à 0,25"
    assert french.format_percent(0.5) == "50\xa0%"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown language 'de'; choose one of en, fr"):
        Translator("de")
