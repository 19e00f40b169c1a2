"""The recommendations of a report: what the statistics suggest to improve, in the data and in the model."""

from __future__ import annotations

from collections.abc import Iterator

from sonotheque.report.model_name import format_model_name
from sonotheque.report.report_data import ReportData
from sonotheque.report.report_statistics import (
    FEW_ARTISTS,
    HALF_COVERAGE,
    ReportStatistics,
    find_hard_genres,
    judge_learning_curve,
)
from sonotheque.report.translation import Translator

MERGE_FRACTION = 0.2
"""Two genres that account for at least this fraction of all errors are suggested for merging."""

MAX_LABEL_ISSUES = 5
"""Tracks listed whose label may be wrong."""


def build_recommendations(data: ReportData, statistics: ReportStatistics, translator: Translator) -> list[str]:
    """Build the recommendations: first those that make the metrics reliable, then those that improve the model."""
    recommendations = [
        *_improve_reliability(data, translator),
        *_improve_model(data, statistics, translator),
    ]
    return recommendations or [translator.translate("recommendation.none")]


def _improve_reliability(data: ReportData, translator: Translator) -> Iterator[str]:
    if data.n_ungrouped:
        tracks = translator.format_count(data.n_ungrouped, "track")
        yield translator.translate("recommendation.add_artist_names", tracks=tracks)
    if data.failed:
        files = translator.format_count(len(data.failed), "file")
        yield translator.translate("recommendation.replace_files", files=files)
    for genre in data.evaluation.apart:
        n_missing = data.evaluation.folds - genre.artists
        if n_missing > 0 and not data.given_split:
            artists = translator.format_count(n_missing, "additional_artist")
            yield translator.translate("recommendation.evaluate_genre", artists=artists, label=genre.label)


def _improve_model(data: ReportData, statistics: ReportStatistics, translator: Translator) -> Iterator[str]:
    accuracy = translator.format_percent(data.evaluation.accuracy)
    label_issues = [
        translator.translate(
            "recommendation.check_label",
            title=one.track.title or one.track.path.rpartition("/")[2],
            label=one.track.label,
            predicted=one.predicted_label,
        )
        for one in statistics.possible_label_issues[:MAX_LABEL_ISSUES]
    ]
    if label_issues:
        yield translator.translate("recommendation.check_labels", tracks=translator.format_list(label_issues))
    for genre in find_hard_genres(data, statistics):
        if genre.n_artists < FEW_ARTISTS:
            yield translator.translate(
                "recommendation.add_artists",
                label=genre.label,
                artists=translator.format_count(genre.n_artists, "artist"),
                recall=translator.format_percent(genre.recall.value),
            )
    pairs = statistics.confused_genres
    if len(statistics.genres) > 2 and pairs and pairs[0].error_fraction >= MERGE_FRACTION:
        yield translator.translate(
            "recommendation.merge_genres",
            first=pairs[0].first,
            second=pairs[0].second,
            percentage=translator.format_percent(pairs[0].error_fraction),
            merged=translator.format_percent(pairs[0].merged_accuracy),
            accuracy=accuracy,
        )
    if statistics.n_errors and judge_learning_curve(data) == "rising":
        yield translator.translate("recommendation.more_artists")
    better = [row for row in getattr(data.comparison, "rows", ()) if row.difference_interval[0] > 0]
    if better:
        row = max(better, key=lambda row: row.difference)
        points = translator.format_number(100 * row.difference, digits=1)
        model = format_model_name(row, translator)
        yield translator.translate("recommendation.use_model", model=model, points=points)
    half = statistics.coverage[HALF_COVERAGE][1]
    if half.interval and half.interval[0] > data.evaluation.accuracy:
        percentage = translator.format_percent(half.value)
        yield translator.translate("recommendation.abstain", half=percentage, accuracy=accuracy)
