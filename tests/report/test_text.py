"""The text of the report: both languages have the same numbers, and sentences say only what the statistics support."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from sonotheque import results
from sonotheque.report import ReportData
from sonotheque.report.report_statistics import compute_statistics, judge_calibration, judge_learning_curve
from sonotheque.report.text import build_text


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_section_has_text(report_data: ReportData, lang: str) -> None:
    text = build_text(report_data, compute_statistics(report_data), lang=lang)
    assert all(text.values())
    assert not re.search(r"\{|\bnan\b", " ".join(" ".join(part) for part in text.values()))


def test_both_languages_have_the_same_numbers(report_data: ReportData) -> None:
    statistics = compute_statistics(report_data)
    english, french = (build_text(report_data, statistics, lang=lang) for lang in ("en", "fr"))
    for section in english:
        assert len(english[section]) == len(french[section])
        numbers = [
            sorted(re.findall(r"\d+", re.sub(r"(?<=\d),(?=\d)", ".", " ".join(text[section]))))
            for text in (english, french)
        ]
        assert numbers[0] == numbers[1], section


def test_the_summary_gives_the_metrics(report_data: ReportData) -> None:
    sentence = build_text(report_data, compute_statistics(report_data), lang="en")["summary"][0]
    low, high = report_data.evaluation.accuracy_interval
    assert f"({100 * report_data.evaluation.accuracy:.0f}%)" in sentence
    assert f"between {100 * low:.0f}% and {100 * high:.0f}%" in sentence


def test_recommendations_follow_the_statistics(report_data: ReportData) -> None:
    recommendations = " ".join(build_text(report_data, compute_statistics(report_data), lang="en")["recommendations"])
    assert "1\xa0file that could not be used" in recommendations
    assert "clearly better than the best single model" in recommendations
    assert "learned shares" in recommendations
    without_problems = replace(report_data, failed=(), comparison=None, n_ungrouped=0)
    recommendations = " ".join(
        build_text(without_problems, compute_statistics(without_problems), lang="en")["recommendations"]
    )
    assert "could not be used" not in recommendations
    assert "single model" not in recommendations


def test_merging_confused_genres_is_recommended(report_data: ReportData) -> None:
    cross_validation = report_data.cross_validation
    predicted, probabilities = (
        cross_validation.reference.copy(),
        np.eye(len(cross_validation.labels))[cross_validation.reference],
    )
    first, second = (int(code) for code in np.unique(cross_validation.reference)[:2])
    rows = np.flatnonzero(cross_validation.reference == first)[:4]
    predicted[rows] = second
    probabilities[rows] = np.eye(len(cross_validation.labels))[second]
    confused = replace(cross_validation, predicted=predicted, probabilities=probabilities)
    evaluation = replace(report_data.evaluation, confusion=confused.confusion.tolist(), accuracy=confused.accuracy)
    confused_data = replace(report_data, cross_validation=confused, evaluation=evaluation)
    (pair,) = compute_statistics(confused_data).confused_genres
    assert (pair.first, pair.second) == (cross_validation.labels[first], cross_validation.labels[second])
    assert (pair.n_errors, pair.error_fraction, pair.merged_accuracy) == (4, 1.0, 1.0)
    recommendations = " ".join(
        build_text(confused_data, compute_statistics(confused_data), lang="en")["recommendations"]
    )
    assert f"Merge {pair.first} and {pair.second}" in recommendations


def test_no_errors_are_not_called_a_guarantee(report_data: ReportData) -> None:
    cross_validation = report_data.cross_validation
    correct = replace(
        cross_validation,
        predicted=cross_validation.reference,
        probabilities=np.eye(len(cross_validation.labels))[cross_validation.reference],
    )
    perfect = replace(report_data, cross_validation=correct, misclassifications=())
    statistics = compute_statistics(perfect)
    text = build_text(perfect, statistics, lang="en")
    assert "This does not mean that it makes no errors" in text["summary"][0]
    assert 0.05 < 1 - 0.05 ** (1 / statistics.n_tested_artists) < 0.3
    assert text["confusion"] == ["There are no errors."]


TRUSTED = ("no evidence against the probabilities", "Rien n’indique que les probabilités soient fausses")
NOT_TRUSTED = ("Do not take the probabilities at face value", "Ne prenez pas les probabilités au pied de la lettre")


@pytest.mark.parametrize("lang", [0, 1])
@pytest.mark.parametrize("gap", [-0.3, 0.0, 0.3])
@pytest.mark.parametrize("beyond_the_range", [False, True])
def test_one_measurement_decides_what_is_said_about_the_probabilities(
    report_data: ReportData, beyond_the_range: bool, gap: float, lang: int
) -> None:
    statistics = compute_statistics(report_data)
    low, high = statistics.calibration_range
    error = high + 0.001 if beyond_the_range else high
    changed = replace(
        statistics, calibration_error=error, mean_confidence=report_data.evaluation.accuracy + gap * error
    )
    text = build_text(report_data, changed, lang=("en", "fr")[lang])
    sentences = " ".join(sentence for section in text.values() for sentence in section)
    assert (TRUSTED[lang] in sentences) is not beyond_the_range
    assert (NOT_TRUSTED[lang] in sentences) is beyond_the_range
    judged = " ".join([*text["results"], *text["calibration"]])
    for words in (("too high", "too low", "informative"), ("trop élevées", "trop faibles", "informatives"))[lang]:
        assert words not in judged or beyond_the_range
    assert f"{low:.3f}".replace(".", ".,"[lang]) in " ".join(text["calibration"])


@pytest.mark.parametrize(
    ("error", "gap", "verdict"),
    [
        (0.10, 0.10, "calibrated"),
        (0.11, 0.11, "overconfident"),
        (0.11, -0.06, "underconfident"),
        (0.11, 0.05, "uneven"),
    ],
)
def test_the_direction_of_a_calibration_error_is_named_only_if_there_is_one(
    report_data: ReportData, error: float, gap: float, verdict: str
) -> None:
    statistics = replace(
        compute_statistics(report_data),
        calibration_range=(0.02, 0.10),
        calibration_error=error,
        mean_confidence=0.5 + gap,
    )
    assert judge_calibration(statistics, accuracy=0.5) == verdict


@pytest.mark.parametrize(
    ("gain", "half", "verdict", "words"),
    [
        (0.10, 0.05, "rising", "will probably improve"),
        (0.04, 0.09, "uncertain", "may be due to chance"),
        (0.01, 0.005, "flat", "no sign that more music"),
    ],
)
def test_a_step_within_the_interval_is_not_called_an_improvement(
    report_data: ReportData, gain: float, half: float, verdict: str, words: str
) -> None:
    curve = [
        results.LearningCurvePoint(20.0, 0.6, (0.5, 0.7), 0.6),
        results.LearningCurvePoint(40.0, 0.6 + gain, (0.6 + gain - half, 0.6 + gain + half), 0.6),
    ]
    data = replace(report_data, evaluation=replace(report_data.evaluation, learning_curve=curve))
    assert judge_learning_curve(data) == verdict
    text = build_text(data, compute_statistics(data), lang="en")
    assert words in " ".join(text["learning_curve"])
    assert ("Label more artists" in " ".join(text["recommendations"])) is (verdict == "rising")


def test_auc_has_intervals(report_data: ReportData) -> None:
    statistics = compute_statistics(report_data)
    assert statistics.auc.interval is not None
    assert statistics.auc.interval[0] <= statistics.auc.value <= statistics.auc.interval[1]
    for genre in statistics.genres:
        assert genre.auc_interval is not None
        assert genre.auc_interval[0] <= genre.auc <= genre.auc_interval[1]
    for one in statistics.calibration_bins:
        low, high = one.consistency_interval
        assert low <= one.confidence <= high


def test_missing_artists_are_reported(report_data: ReportData) -> None:
    unknown_artists = replace(
        report_data,
        n_ungrouped=len(report_data.tracks),
        evaluation=replace(
            report_data.evaluation, apart=[results.UnevaluatedGenre("ska", 3, 1, "1 artist for 4 folds")]
        ),
    )
    text = build_text(unknown_artists, compute_statistics(unknown_artists), lang="en")
    assert any(
        sentence.startswith("ska (3\xa0tracks, 1\xa0artist) could not be evaluated") for sentence in text["data"]
    )
    assert any("too optimistic" in sentence for sentence in text["protocol"])
    assert any(one.startswith("Provide the artist of") for one in text["recommendations"])
    n_missing = report_data.evaluation.folds - 1
    assert any(f"{n_missing}\xa0more artists in ska" in one for one in text["recommendations"])


def test_a_given_split_is_reported(report_data: ReportData) -> None:
    unevaluated = results.UnevaluatedGenre("ska", 3, 1, "not tested")
    given = replace(report_data, given_split=True, evaluation=replace(report_data.evaluation, apart=[unevaluated]))
    text = build_text(given, compute_statistics(given), lang="en")
    assert text["protocol"][0].startswith("The split into training and test tracks was given")
    assert any("the given split has none of its tracks" in sentence for sentence in text["data"])
    assert not any("ska" in one for one in text["recommendations"])
    assert not any("artists that the model had not seen" in sentence for sentence in text["summary"])
