"""The text of the report: both languages have the same numbers, and sentences say only what the statistics support."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from sonotheque import results
from sonotheque.report import ReportData
from sonotheque.report.report_statistics import compute_statistics
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


def test_text_says_whether_the_model_is_calibrated(report_data: ReportData) -> None:
    statistics = compute_statistics(report_data)
    low, high = statistics.calibration_range
    for error, english_words, french_words in (
        (high, "is no larger", "n’est pas plus grande"),
        (high + 0.01, "is larger", "est plus grande"),
    ):
        changed = replace(statistics, calibration_error=error)
        english, french = (
            " ".join(build_text(report_data, changed, lang=lang)["calibration"]) for lang in ("en", "fr")
        )
        assert english_words in english
        assert french_words in french
        assert f"{low:.3f} to {high:.3f}" in english


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
