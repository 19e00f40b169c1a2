"""The tables of feature importance as HTML: permutation importance, SHAP values per genre, auto-tags per genre."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sonotheque.report.feature_importance.importance_data import AutoTagCorrelation, ImportanceData
from sonotheque.report.feature_importance.text import format_family_name
from sonotheque.report.html_elements import Html, join, table, tag
from sonotheque.report.translation import Translator
from sonotheque.types import Float64Array

MAX_FAMILIES, MAX_FEATURES = 3, 4
"""Feature families and single features listed for each genre."""


def build_permutation_table(importance: ImportanceData, translator: Translator) -> Html:
    """Build the table of the losses of spaces and feature families, in accuracy and in log loss."""
    rows: list[list[str]] = []
    for loss in (*importance.space_losses, *importance.family_losses):
        low, high = loss.drop_interval
        drop_interval = translator.format_interval((100 * low, 100 * high), digits=1, sign=True)
        rise_interval = translator.format_interval(loss.rise_interval, sign=True)
        rows.append(
            [
                format_family_name(loss.family, translator),
                join([translator.format_points(loss.drop), tag("small", drop_interval)]),
                join([translator.format_number(loss.rise, sign=True), tag("small", rise_interval)]),
            ]
        )
    names = ("feature_family", "accuracy_decrease", "log_loss_increase")
    titles = [translator.translate(f"column.{name}") for name in names]
    summary = tag("summary", translator.translate("page.importance_table"))
    return tag("details", summary, table(titles, rows, numbers=(1, 2)))


def build_shap_table(
    importance: ImportanceData, labels: Sequence[str], genres: Sequence[str], translator: Translator
) -> Html:
    """Build the table of the feature families and features with the largest SHAP values for each genre.

    Parameters
    ----------
    importance : ImportanceData
    labels : sequence of str
        All genres, in the column order of the SHAP values.
    genres : sequence of str
        The genres that get a row.
    translator : Translator
    """
    shap = importance.shap
    if shap is None:
        return Html("")

    def largest(strengths: Float64Array, limit: int) -> list[int]:
        return [int(n) for n in np.argsort(-strengths, kind="stable")[:limit] if strengths[n] > 0]

    rows: list[list[str]] = []
    for genre in genres:
        code = labels.index(genre)
        families = [
            format_family_name(shap.families[n], translator) for n in largest(shap.strengths[:, code], MAX_FAMILIES)
        ]
        features = [
            f"{'↑' if shap.directions[n, code] > 0 else '↓'}\u00a0{shap.columns[n][1]}"
            for n in largest(shap.column_strengths[:, code], MAX_FEATURES)
        ]
        rows.append([genre, _lines(families), _lines(features)])
    return table([translator.translate(f"column.{name}") for name in ("genre", "feature_families", "features")], rows)


def build_auto_tag_table(importance: ImportanceData, translator: Translator) -> Html:
    """Build the table of the auto-tags that correlate with each genre."""
    if not importance.auto_tags:
        return Html("")

    def cell(tags: Sequence[AutoTagCorrelation]) -> Html:
        values = [translator.format_number(one.correlation, digits=2) for one in tags]
        intervals = [translator.format_interval(one.interval, digits=2) for one in tags]
        return _lines([f"{one.name} {v} ({i})" for one, v, i in zip(tags, values, intervals, strict=True)])

    rows = [[genre.label, cell(genre.positive), cell(genre.negative)] for genre in importance.auto_tags]
    names = ("genre", "positive_correlation", "negative_correlation")
    return table([translator.translate(f"column.{name}") for name in names], rows)


def _lines(texts: Sequence[str]) -> Html:
    return join([tag("div", text) for text in texts] or ["–"])
