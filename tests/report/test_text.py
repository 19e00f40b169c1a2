"""The sentences: both languages say the same, with the same numbers, and only what the evidence supports."""

from __future__ import annotations

import re
from dataclasses import replace
from string import Formatter

import numpy as np
import pytest

from sonotheque import results
from sonotheque.report.evidence import weigh
from sonotheque.report.findings import Findings
from sonotheque.report.importance.words import REASONS
from sonotheque.report.methods import METHODS
from sonotheque.report.phrases import NOUNS, PHRASES
from sonotheque.report.sentences import SENTENCES
from sonotheque.report.text import explain
from sonotheque.report.wording import Phrase, Words


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize(("key", "phrase"), [*PHRASES.items(), *SENTENCES.items(), *METHODS.items(), *REASONS.items()])
def test_each_phrase_stands_in_both_languages_with_the_same_numbers(key: str, phrase: Phrase) -> None:
    assert phrase.en
    assert phrase.fr
    assert fields(phrase.en) == fields(phrase.fr), key


def test_nouns_have_a_plural_and_keys_are_said_once() -> None:
    assert all(text.count("|") == 1 for noun in NOUNS.values() for text in noun)
    assert len({**PHRASES, **SENTENCES, **METHODS, **REASONS}) == sum(map(len, (PHRASES, SENTENCES, METHODS, REASONS)))


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_section_is_said(findings: Findings, lang: str) -> None:
    text = explain(findings, weigh(findings), lang=lang)
    assert all(text.values())
    assert not re.search(r"\{|\bnan\b", " ".join(" ".join(part) for part in text.values()))


def test_both_languages_give_the_same_numbers(findings: Findings) -> None:
    evidence = weigh(findings)
    english, french = (explain(findings, evidence, lang=lang) for lang in ("en", "fr"))
    for section in english:
        assert len(english[section]) == len(french[section])
        numbers = [
            sorted(re.findall(r"\d+", re.sub(r"(?<=\d),(?=\d)", ".", " ".join(text[section]))))
            for text in (english, french)
        ]
        assert numbers[0] == numbers[1], section


def test_the_summary_gives_the_figures(findings: Findings) -> None:
    said = explain(findings, weigh(findings), lang="en")["summary"][0].replace("\xa0", " ")
    low, high = findings.evaluated.accuracy_interval
    assert f"({100 * findings.evaluated.accuracy:.0f} %)" in said
    assert f"between {100 * low:.0f} % and {100 * high:.0f} %" in said


def test_steps_follow_the_evidence(findings: Findings) -> None:
    steps = " ".join(explain(findings, weigh(findings), lang="en")["steps"])
    assert "1\xa0file that failed" in steps
    assert "clearly better than the best single model" in steps
    assert "learned shares" in steps
    calm = replace(findings, failed=(), compared=None, alone=0)
    steps = " ".join(explain(calm, weigh(calm), lang="en")["steps"])
    assert "failed" not in steps
    assert "single model" not in steps


def test_genres_taken_for_each_other_are_proposed_to_be_merged(findings: Findings) -> None:
    judged = findings.evaluation
    predicted, probabilities = judged.reference.copy(), np.eye(len(judged.labels))[judged.reference]
    first, second = (int(code) for code in np.unique(judged.reference)[:2])
    rows = np.flatnonzero(judged.reference == first)[:4]
    predicted[rows] = second
    probabilities[rows] = np.eye(len(judged.labels))[second]
    confused = replace(judged, predicted=predicted, probabilities=probabilities)
    figures = replace(findings.evaluated, confusion=confused.confusion.tolist(), accuracy=confused.accuracy)
    spoiled = replace(findings, evaluation=confused, evaluated=figures)
    (pair,) = weigh(spoiled).pairs
    assert (pair.first, pair.second) == (judged.labels[first], judged.labels[second])
    assert (pair.errors, pair.share, pair.merged) == (4, 1.0, 1.0)
    steps = " ".join(explain(spoiled, weigh(spoiled), lang="en")["steps"])
    assert f"Merge {pair.first} and {pair.second}" in steps


def test_without_an_error_nothing_is_promised(findings: Findings) -> None:
    judged = findings.evaluation
    right = replace(judged, predicted=judged.reference, probabilities=np.eye(len(judged.labels))[judged.reference])
    perfect = replace(findings, evaluation=right, mistakes=())
    evidence = weigh(perfect)
    text = explain(perfect, evidence, lang="en")
    assert "That is no promise" in text["summary"][0]
    assert 0.05 < 1 - 0.05 ** (1 / evidence.tested) < 0.3
    assert text["confusion"] == ["There is no error."]


def test_it_is_said_whether_probabilities_can_be_believed(findings: Findings) -> None:
    evidence = weigh(findings)
    low, high = evidence.calibration_range
    for error, said, dit in (
        (high, "is no larger", "n'est pas plus grande"),
        (high + 0.01, "is larger", "est plus grande"),
    ):
        told = replace(evidence, calibration_error=error)
        english, french = (" ".join(explain(findings, told, lang=lang)["confidence"]) for lang in ("en", "fr"))
        assert said in english
        assert dit in french
        assert f"{low:.3f} to {high:.3f}" in english


def test_areas_have_intervals(findings: Findings) -> None:
    evidence = weigh(findings)
    assert evidence.auc.interval is not None
    assert evidence.auc.interval[0] <= evidence.auc.value <= evidence.auc.interval[1]
    for genre in evidence.genres:
        assert genre.auc_interval is not None
        assert genre.auc_interval[0] <= genre.auc <= genre.auc_interval[1]
    for answers in evidence.bins:
        assert answers.kept[0] <= answers.confidence <= answers.kept[1]


def test_what_cannot_be_judged_or_trusted_is_said(findings: Findings) -> None:
    strange = replace(
        findings,
        alone=len(findings.tracks),
        evaluated=replace(findings.evaluated, apart=[results.UnevaluatedGenre("ska", 3, 1, "1 artist for 4 folds")]),
    )
    text = explain(strange, weigh(strange), lang="en")
    assert any(sentence.startswith("ska (3\xa0tracks, 1\xa0artist) could not be judged") for sentence in text["data"])
    assert any("the figures flatter" in sentence for sentence in text["protocol"])
    assert any(step.startswith("Name the artist of") for step in text["steps"])
    assert any("more in ska" in step for step in text["steps"])


def test_words() -> None:
    french = Words("fr")
    assert french.say("figure calibration") == "Calibration\xa0: promis et tenu"
    assert french.count(0, "track") == "0\xa0morceau"
    assert Words("en").count(0, "track") == "0\xa0tracks"
    assert Words("en").points(-0.0123) == "\u22121.2"
    assert Words("en").interval(None) == "no interval"
    with pytest.raises(ValueError, match="unknown language 'de'; known are en, fr"):
        Words("de")
