"""The sections of the page as HTML: text, tables and placeholders of the figures, in reading order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from sonotheque.report.feature_importance.tables import (
    build_auto_tag_table,
    build_permutation_table,
    build_shap_table,
)
from sonotheque.report.html_elements import Html, join, table, tag
from sonotheque.report.model_name import format_model_name
from sonotheque.report.plotly_figure import Figure
from sonotheque.report.report_data import MAX_MISCLASSIFICATIONS, Misclassification, ReportData
from sonotheque.report.report_statistics import ReportStatistics
from sonotheque.report.translation import Translator
from sonotheque.store.records import Track

N_CONFIDENT_ERRORS = 10
"""Errors that the page shows at once; the rest are folded."""

MAX_FAILED_FILES = 60
"""Failed files that are listed."""

MAX_NEAREST = 3
"""Nearest tracks shown for each misclassified track."""


def format_title(track: Track) -> str:
    """Return the title of a track, or the name of its file if it has no title."""
    return track.title or os.path.splitext(os.path.basename(track.path))[0]


class SectionBuilder:
    """Build the HTML of the page, one method per section or element.

    Parameters
    ----------
    data : ReportData
    statistics : ReportStatistics
    figures : sequence of Figure
    text : mapping of str to sequence of str
        Sentences by section, see `sonotheque.report.text.build_text`.
    translator : Translator
    """

    def __init__(
        self,
        data: ReportData,
        statistics: ReportStatistics,
        figures: Sequence[Figure],
        text: Mapping[str, Sequence[str]],
        translator: Translator,
    ) -> None:
        self.data, self.statistics, self.text, self.translator = data, statistics, text, translator
        self.figures = {figure.key: figure for figure in figures}
        self.track_numbers = {track.hash: number for number, track in enumerate(data.tracks)}

    def body(self) -> Iterator[Html]:
        """Yield the elements of the page's body; sections without text are left out."""
        contents = {
            "summary": [self._metric_cards()],
            "recommendations": [],
            "data": [self._figure("classes"), self._failed_files()],
            "protocol": [],
            "results": [self._figure("metrics"), self._metric_table()],
            "genres": [self._figure("genres"), self._genre_table()],
            "curves": [self._figure_pair("roc", "precision_recall")],
            "confusion": [*self._confusion()],
            "calibration": [self._figure_pair("calibration", "coverage")],
            "errors": [*self._errors()],
            "models": [self._figure("models"), self._model_table()],
            "aggregation": [self._figure("decisions")],
            **self._importance(),
            "learning_curve": [self._figure("learning")],
        }
        contents = {name: elements for name, elements in contents.items() if self.text.get(name)}
        yield tag("a", self.translator.translate("page.skip_link"), class_="skip", href="#report")
        yield self._header([*contents, "glossary"])
        sections = [self._text_section(name, elements) for name, elements in contents.items()]
        yield tag("main", *sections, self._glossary(), id="report")
        yield tag("footer", f"sonotheque · {self.data.evaluation.protocol}")

    def _header(self, section_names: Sequence[str]) -> Html:
        translator = self.translator
        n_genres = len({track.label for track in self.data.tracks})
        subtitle = translator.translate(
            "page.subtitle",
            tracks=translator.format_count(len(self.data.tracks), "track"),
            genres=translator.format_count(n_genres, "genre"),
        )
        links = [
            tag("li", tag("a", translator.translate(f"section.{name}.title"), href=f"#{name}"))
            for name in section_names
        ]
        nav = tag("nav", tag("ul", *links), aria_label=translator.translate("page.contents"))
        title = tag("h1", translator.translate("page.title"))
        return tag("header", title, tag("p", subtitle, class_="subtitle"), nav, class_="top")

    def _text_section(self, name: str, elements: Sequence[Html]) -> Html:
        """Build a section from its text, followed by tables and figures."""
        text = self.text[name]
        if name == "recommendations":
            return self._section(name, tag("ol", *(tag("li", one) for one in text), class_="recommendations"))
        paragraphs = [
            tag("p", one, class_="lead" if name == "summary" and not number else None)
            for number, one in enumerate(text)
        ]
        return self._section(name, *paragraphs, *elements)

    def _section(self, name: str, *elements: Html) -> Html:
        title = tag("h2", self.translator.translate(f"section.{name}.title"), id=f"{name}-title")
        intro = tag("p", self.translator.translate(f"section.{name}.intro"), class_="intro")
        return tag("section", title, intro, *elements, id=name, aria_labelledby=f"{name}-title")

    def _figure(self, key: str) -> Html:
        figure = self.figures.get(key)
        if figure is None:
            return Html("")
        translator, comparison = self.translator, self.data.comparison
        n_shown, n_rows = len(figure.data[-1].get("y", ())), len(comparison.rows) if comparison else 0
        image = tag("noscript", tag("img", src=f"{key}.png", alt=figure.alt))
        plot = tag("div", image, id=f"plot-{key}", class_="plot", role="img", aria_label=figure.alt)
        link = tag("a", translator.translate("page.png_link"), href=f"{key}.png", class_="picture")
        caption = translator.translate(f"caption.{key}", shown=n_shown, count=n_rows)
        return tag("figure", tag("h3", figure.title), plot, tag("figcaption", caption, " ", link), id=f"figure-{key}")

    def _figure_pair(self, first: str, second: str) -> Html:
        """Put two figures with the same axes side by side where there is room."""
        return tag("div", self._figure(first), self._figure(second), class_="pair")

    def _metric_cards(self) -> Html:
        translator, evaluation = self.translator, self.data.evaluation
        metrics = [
            ("accuracy", evaluation.accuracy, evaluation.accuracy_interval),
            ("balanced_accuracy", evaluation.balanced_accuracy, evaluation.balanced_accuracy_interval),
            ("macro_f1", evaluation.macro_f1, evaluation.macro_f1_interval),
        ]
        cards = [
            (key, translator.format_percent(value, digits=1), translator.format_percent_interval(interval))
            for key, value, interval in metrics
        ]
        note = translator.translate("page.auc_without_interval")
        if self.statistics.auc.interval:
            note = translator.format_interval(self.statistics.auc.interval, digits=2)
        cards.append(("auc", translator.format_number(evaluation.auc, digits=2), note))
        elements = [
            tag("div", tag("dt", translator.translate(f"metric.{key}")), tag("dd", value, tag("small", note)))
            for key, value, note in cards
        ]
        return tag("dl", *elements, class_="cards")

    def _metric_table(self) -> Html:
        translator, evaluation, statistics = self.translator, self.data.evaluation, self.statistics
        percentages = [
            ("accuracy", evaluation.accuracy, evaluation.accuracy_interval),
            ("balanced_accuracy", evaluation.balanced_accuracy, evaluation.balanced_accuracy_interval),
            ("macro_f1", evaluation.macro_f1, evaluation.macro_f1_interval),
        ]
        numbers = [
            ("auc", evaluation.auc, statistics.auc.interval),
            ("log_loss", statistics.log_loss.value, statistics.log_loss.interval),
        ]
        rows = [
            [
                translator.translate(f"metric.{key}"),
                translator.format_percent(value, digits=1),
                translator.format_percent_interval(interval, digits=1),
            ]
            for key, value, interval in percentages
        ]
        rows += [
            [
                translator.translate(f"metric.{key}"),
                translator.format_number(value),
                translator.format_interval(interval),
            ]
            for key, value, interval in numbers
        ]
        calibration_range = translator.format_interval(statistics.calibration_range)
        rows.append(
            [
                translator.translate("metric.calibration_error"),
                translator.format_number(statistics.calibration_error),
                translator.translate("metric.calibration_range", range=calibration_range),
            ]
        )
        return table(self._column_titles("metric", "value", "interval"), rows, numbers=(1, 2), kind="metrics")

    def _column_titles(self, *names: str) -> list[str]:
        return [self.translator.translate(f"column.{name}") for name in names]

    def _genre_table(self) -> Html:
        translator = self.translator
        rows: list[list[str]] = []
        for genre in self.statistics.genres:
            cells = [
                join(
                    [
                        translator.format_percent(one.value),
                        tag("small", translator.format_percent_interval(one.interval)),
                    ]
                )
                for one in (genre.precision, genre.recall, genre.f1)
            ]
            auc_interval = tag("small", translator.format_interval(genre.auc_interval, digits=2))
            cells.append(join([translator.format_number(genre.auc, digits=2), auc_interval]))
            average_precision = translator.format_number(genre.average_precision, digits=2)
            rows.append([genre.label, str(genre.n_tracks), str(genre.n_artists), *cells, average_precision])
        titles = self._column_titles(
            "genre", "tracks", "artists", "precision", "recall", "f1", "auc", "average_precision"
        )
        return table(titles, rows, numbers=range(1, 8))

    def _failed_files(self) -> Html:
        failed = self.data.failed
        if not failed:
            return Html("")
        rows = [[os.path.basename(one.path), one.reason] for one in failed[:MAX_FAILED_FILES]]
        n_more = len(failed) - MAX_FAILED_FILES
        more = [tag("p", f"… +{n_more}", class_="quiet")] if n_more > 0 else []
        return join([table(self._column_titles("file", "reason"), rows), *more])

    def _confusion(self) -> Iterator[Html]:
        """Yield the confusion matrix as a figure and as a table of buttons, the panel for a cell, and the normalised matrix."""
        translator, labels = self.translator, self.data.cross_validation.labels
        matrix = self.data.cross_validation.confusion
        yield self._figure("confusion")
        corner = f"{translator.translate('axis.reference')} \\ {translator.translate('axis.predicted')}"
        head = tag(
            "tr",
            tag("th", corner, scope="col"),
            *(tag("th", label, scope="col", class_="number") for label in labels),
        )
        body = []
        for row, genre in enumerate(self.statistics.genres):
            counts = matrix[labels.index(genre.label)].tolist()
            cells = [
                self._confusion_cell(genre.label, predicted, count, number=f"{row}-{column}")
                for column, (predicted, count) in enumerate(zip(labels, counts, strict=True))
            ]
            body.append(tag("tr", tag("th", genre.label, scope="row"), *cells))
        matrix_table = tag("table", tag("thead", head), tag("tbody", *body), class_="cells")
        yield tag(
            "details",
            tag("summary", translator.translate("page.confusion_table")),
            tag("div", matrix_table, class_="scroll"),
        )
        yield tag("div", id="cell-tracks", class_="panel", role="region", aria_live="polite", hidden=True)
        yield self._figure("confusion_rates")

    def _confusion_cell(self, reference: str, predicted: str, count: int, *, number: str) -> Html:
        correct = reference == predicted
        key = "page.correct_cell" if correct else "page.confusion_cell"
        button = tag(
            "button",
            str(count),
            type="button",
            data_cell=number,
            aria_pressed="false",
            aria_label=self.translator.translate(key, reference=reference, predicted=predicted, count=count),
            disabled=None if count else True,
        )
        return tag("td", button, class_="correct" if correct else None)

    def _errors(self) -> Iterator[Html]:
        """Yield the table of the most confident errors, and a folded table of the rest."""
        errors = self.data.misclassifications[:MAX_MISCLASSIFICATIONS]
        if not errors:
            return
        yield self._error_table(errors[:N_CONFIDENT_ERRORS])
        rest = errors[N_CONFIDENT_ERRORS:]
        if rest:
            count = self.translator.format_count(len(rest), "more_error")
            summary = tag("summary", self.translator.translate("page.more_errors", errors=count))
            yield tag("details", summary, self._error_table(rest), class_="unfold-in-print")

    def _error_table(self, errors: Sequence[Misclassification]) -> Html:
        titles = self._column_titles("track", "label", "prediction", "nearest")
        head = tag("tr", *(tag("th", title, scope="col") for title in titles))
        body = [self._error_row(one, titles) for one in errors]
        return tag("div", tag("table", tag("thead", head), tag("tbody", *body), class_="errors"), class_="scroll")

    def _error_row(self, misclassification: Misclassification, titles: Sequence[str]) -> Html:
        translator, track = self.translator, misclassification.track
        mark = " ◆" if misclassification in self.statistics.possible_label_issues else ""
        nearest = [
            tag(
                "small",
                f"{one.track.label} · {translator.format_number(one.similarity, digits=2)} · {format_title(one.track)}",
            )
            for one in misclassification.nearest[:MAX_NEAREST]
        ]
        artist = tag("small", track.artist or translator.translate("page.unknown_artist"))
        prediction = f"{misclassification.predicted_label} {translator.format_percent(misclassification.probability)}"
        player = tag("span", data_track=self.track_numbers[track.hash])
        return tag(
            "tr",
            tag("th", format_title(track), mark, artist, player, scope="row"),
            tag("td", str(track.label), data_name=titles[1]),
            tag("td", prediction, data_name=titles[2]),
            tag("td", *nearest, data_name=titles[3]),
        )

    def _importance(self) -> dict[str, list[Html]]:
        importance, translator = self.data.importance, self.translator
        if importance is None:
            return {}
        labels, genres = self.data.cross_validation.labels, [genre.label for genre in self.statistics.genres]
        return {
            "importance": [self._figure("permutation"), build_permutation_table(importance, translator)],
            "shap": [
                self._figure("trees"),
                self._figure("columns"),
                build_shap_table(importance, labels, genres, translator),
            ],
            "auto_tags": [build_auto_tag_table(importance, translator)],
        }

    def _model_table(self) -> Html:
        translator, comparison = self.translator, self.data.comparison
        if comparison is None:
            return Html("")
        rows: list[list[str]] = []
        for row in sorted(comparison.rows, key=lambda row: -row.accuracy):
            low, high = row.difference_interval
            difference_interval = translator.format_interval((100 * low, 100 * high), digits=1, sign=True)
            accuracy_interval = translator.format_percent_interval(row.accuracy_interval)
            rows.append(
                [
                    format_model_name(row, translator),
                    join([translator.format_percent(row.accuracy, digits=1), tag("small", accuracy_interval)]),
                    translator.format_percent(row.balanced_accuracy, digits=1),
                    translator.format_number(row.log_loss, digits=2),
                    translator.format_number(row.auc),
                    join([translator.format_points(row.difference), tag("small", difference_interval)]),
                ]
            )
        titles = [
            *self._column_titles("model"),
            translator.translate("metric.accuracy"),
            translator.translate("metric.balanced_accuracy"),
            *self._column_titles("log_loss", "auc", "accuracy_difference"),
        ]
        return table(titles, rows, numbers=range(1, 6), kind="models")

    def _glossary(self) -> Html:
        metrics = ("accuracy", "balanced_accuracy", "f1", "log_loss", "calibration_error")
        entries = [tag("li", self.translator.translate(f"glossary.{metric}")) for metric in metrics]
        return self._section("glossary", tag("ul", *entries))
