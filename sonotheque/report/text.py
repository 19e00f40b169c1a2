"""The text of the report's sections: choose the sentences that the statistics support, and fill in the numbers.

The thresholds of these choices are the constants below. Sentences are plain text, not HTML; the page escapes them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from sonotheque.embed.space import kind_of
from sonotheque.report.feature_importance.text import describe_importance
from sonotheque.report.model_name import format_model_name
from sonotheque.report.recommendations import build_recommendations
from sonotheque.report.report_data import ReportData
from sonotheque.report.report_statistics import (
    FEW_ARTISTS,
    HALF_COVERAGE,
    GenreStatistics,
    ReportStatistics,
    find_hard_genres,
    judge_calibration,
    judge_learning_curve,
)
from sonotheque.report.translation import Translator

NOTABLE_GAP = 0.05
"""Gap from which balanced accuracy is called lower than accuracy."""

WEAK_CALIBRATION_TEST = 0.1
"""If even exact probabilities may have a larger calibration error than this, the text says that only a large one is noticed."""

WIDE_INTERVAL = 0.15
"""A confidence interval of the accuracy that is wider than this is called wide."""


def build_text(data: ReportData, statistics: ReportStatistics, *, lang: str) -> dict[str, list[str]]:
    """Build the text of a report.

    Parameters
    ----------
    data : ReportData
    statistics : ReportStatistics
        Those of `data`.
    lang : str
        ``en`` or ``fr``.

    Returns
    -------
    dict of str to list of str
        Sentences or short paragraphs by section; the list is empty if there is no data for a section. The items of
        ``recommendations`` are one recommendation each.
    """
    builder = TextBuilder(data, statistics, Translator(lang))
    sections: dict[str, Iterable[str]] = {
        "summary": builder.summary(),
        "data": builder.data_set(),
        "protocol": builder.protocol(),
        "results": builder.results(),
        "genres": builder.genres(),
        "curves": builder.curves(),
        "confusion": builder.confusion(),
        "calibration": builder.calibration(),
        "errors": builder.errors(),
        "models": builder.models(),
        "aggregation": builder.aggregation(),
        **describe_importance(data.importance, builder.translator, model=data.evaluation.model),
        "learning_curve": builder.learning_curve(),
        "recommendations": build_recommendations(data, statistics, builder.translator),
    }
    return {name: list(sentences) for name, sentences in sections.items()}


class TextBuilder:
    """One method per section of the report; each yields the sentences that the statistics support.

    Parameters
    ----------
    data : ReportData
    statistics : ReportStatistics
    translator : Translator
    """

    def __init__(self, data: ReportData, statistics: ReportStatistics, translator: Translator) -> None:
        self.data, self.statistics, self.translator = data, statistics, translator
        self.evaluation = data.evaluation
        self.genres_by_f1 = sorted(statistics.genres, key=lambda genre: (-genre.f1.value, genre.label))

    def summary(self) -> Iterator[str]:
        """Yield accuracy, baseline, uncertainty, and the best and worst genre."""
        statistics, translator = self.statistics, self.translator
        low, high = self.evaluation.accuracy_interval
        if not statistics.n_errors:
            yield translator.translate(
                "summary.perfect",
                model=self.evaluation.model,
                predictions=translator.format_count(statistics.n_predictions, "prediction"),
                artists=translator.format_count(statistics.n_tested_artists, "artist"),
                bound=translator.format_percent(1 - 0.05 ** (1 / statistics.n_tested_artists)),
            )
            yield from self._unseen_artists()
            return
        yield translator.translate(
            "summary.accuracy",
            model=self.evaluation.model,
            correct=statistics.n_correct,
            cases=translator.format_count(statistics.n_predictions, "case"),
            accuracy=translator.format_percent(self.evaluation.accuracy),
            low=translator.format_percent(low),
            high=translator.format_percent(high),
        )
        yield from self._unseen_artists()
        above = low > statistics.majority_accuracy
        yield translator.translate(
            "summary.above_baseline" if above else "summary.not_above_baseline",
            majority=translator.format_percent(statistics.majority_accuracy),
        )
        if high - low > WIDE_INTERVAL:
            yield translator.translate(
                "summary.wide_interval", artists=translator.format_count(statistics.n_artists, "artist")
            )
        best, worst = self.genres_by_f1[0], self.genres_by_f1[-1]
        yield translator.translate(
            "summary.best_and_worst",
            best=best.label,
            best_f1=translator.format_percent(best.f1.value),
            worst=worst.label,
            worst_f1=translator.format_percent(worst.f1.value),
        )

    def _unseen_artists(self) -> Iterator[str]:
        """Say that the tested artists are unseen, if the folds are grouped by artist and all artists are known."""
        if not self.data.given_split and not self.data.n_ungrouped:
            yield self.translator.translate("summary.unseen_artists")

    def data_set(self) -> Iterator[str]:
        """Yield sizes, imbalance, missing artists, genres that were not evaluated, and failed files."""
        translator = self.translator
        counts = Counter(str(track.label) for track in self.data.tracks)
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        (largest, n_largest), (smallest, n_smallest) = ordered[0], ordered[-1]
        yield translator.translate(
            "data.counts",
            tracks=translator.format_count(len(self.data.tracks), "track"),
            artists=translator.format_count(self.statistics.n_artists, "artist"),
            genres=translator.format_count(len(counts), "genre"),
            largest=largest,
            largest_tracks=translator.format_count(n_largest, "track"),
            smallest=smallest,
            smallest_tracks=translator.format_count(n_smallest, "track"),
        )
        if n_largest >= 2 * n_smallest:
            yield translator.translate("data.imbalanced")
        if self.data.n_ungrouped:
            yield translator.translate("data.ungrouped", tracks=translator.format_count(self.data.n_ungrouped, "track"))
        for genre in self.evaluation.apart:
            tracks, artists = (
                translator.format_count(genre.tracks, "track"),
                translator.format_count(genre.artists, "artist"),
            )
            if self.data.given_split:
                yield translator.translate("data.not_in_test_set", label=genre.label, tracks=tracks, artists=artists)
            else:
                folds = translator.format_count(self.evaluation.folds, "fold")
                yield translator.translate(
                    "data.too_few_artists", label=genre.label, tracks=tracks, artists=artists, folds=folds
                )
        if self.data.failed:
            yield translator.translate("data.failures", files=translator.format_count(len(self.data.failed), "file"))
        else:
            yield translator.translate("data.no_failures")

    def protocol(self) -> Iterator[str]:
        """Yield folds, grouping, confidence intervals, spaces and model."""
        translator = self.translator
        if self.data.given_split:
            yield translator.translate("protocol.given_split")
        else:
            yield translator.translate("protocol.folds", folds=translator.format_count(self.evaluation.folds, "fold"))
            if self.statistics.n_repeats > 1:
                times = translator.format_count(self.statistics.n_repeats, "time")
                yield translator.translate("protocol.repeats", times=times, predictions=self.statistics.n_predictions)
            artists_known = self.data.n_ungrouped < len(self.data.tracks)
            yield translator.translate("protocol.grouped" if artists_known else "protocol.no_artists")
        yield translator.translate("protocol.intervals")
        for space in self.evaluation.spaces:
            kind = "frames" if kind_of(space) == "frames" else space.partition("-")[0]
            yield translator.translate(f"space.{kind}" if f"space.{kind}" in translator else "space.other", space=space)
        model = self.evaluation.model
        yield (
            translator.translate(f"model.{model}")
            if f"model.{model}" in translator
            else translator.translate("model.other", model=model)
        )
        if self.evaluation.chosen:
            selected = translator.format_list(list(dict.fromkeys(self.evaluation.chosen)))
            yield translator.translate("protocol.model_selection", selected=selected)

    def results(self) -> Iterator[str]:
        """Yield balanced accuracy and log loss."""
        translator, evaluation = self.translator, self.evaluation
        low, high = evaluation.balanced_accuracy_interval
        if self.statistics.n_errors:
            yield translator.translate(
                "results.balanced_accuracy",
                balanced=translator.format_percent(evaluation.balanced_accuracy),
                low=translator.format_percent(low),
                high=translator.format_percent(high),
            )
        gap = evaluation.accuracy - evaluation.balanced_accuracy
        if gap > NOTABLE_GAP:
            yield translator.translate("results.below_accuracy", gap=translator.format_number(100 * gap, digits=0))
        uniform_loss = math.log(len(evaluation.labels))
        yield translator.translate(
            "results.log_loss_better" if evaluation.log_loss < uniform_loss else "results.log_loss_worse",
            loss=translator.format_number(evaluation.log_loss, digits=2),
            uniform=translator.format_number(uniform_loss, digits=2),
        )

    def genres(self) -> Iterator[str]:
        """Yield one paragraph per hard genre, and whether the order of the genres is certain."""
        hard = find_hard_genres(self.data, self.statistics)
        for genre in hard:
            yield " ".join(self._hard_genre(genre))
        if not hard:
            yield self.translator.translate("genres.similar")
        best, worst = self.genres_by_f1[0].f1.interval, self.genres_by_f1[-1].f1.interval
        if self.statistics.n_errors and best and worst and best[0] <= worst[1]:
            yield self.translator.translate("genres.intervals_overlap")

    def _hard_genre(self, genre: GenreStatistics) -> Iterator[str]:
        translator = self.translator
        code = self.evaluation.labels.index(genre.label)
        n_predictions = sum(self.evaluation.confusion[code])
        n_correct = n_predictions - genre.n_errors
        errors = translator.format_count(genre.n_errors, "error")
        artists = translator.format_count(genre.n_artists, "artist")
        yield translator.translate(
            "genres.hard",
            label=genre.label,
            correct=n_correct,
            predictions=translator.format_count(n_predictions, "prediction"),
            recall=translator.format_percent(genre.recall.value),
            precision=translator.format_percent(genre.precision.value),
        )
        if genre.n_artists < FEW_ARTISTS:
            yield translator.translate("genres.few_artists", artists=artists)
        if genre.predicted_as and 5 * genre.predicted_as[0][1] >= 2 * genre.n_errors:
            other, count = genre.predicted_as[0]
            yield translator.translate("genres.confused_with", other=other, count=count, errors=errors)
        if genre.n_errors >= 3 and 5 * genre.max_errors_per_artist >= 2 * genre.n_errors:
            yield translator.translate("genres.one_artist", count=genre.max_errors_per_artist, errors=errors)
        elif genre.n_artists_always_correct and genre.n_artists_never_correct:
            always, never = genre.n_artists_always_correct, genre.n_artists_never_correct
            yield translator.translate("genres.artists_differ", always=always, never=never, artists=artists)
        n_predicted = sum(row[code] for row in self.evaluation.confusion)
        n_wrong = n_predicted - n_correct
        if n_predicted and 2 * n_wrong > n_predicted:
            predictions = translator.format_count(n_predicted, "prediction")
            yield translator.translate(
                "genres.low_precision", label=genre.label, wrong=n_wrong, predictions=predictions
            )
        auc = translator.format_number(genre.auc, digits=2)
        if genre.auc >= 0.8 and genre.recall.value < 0.5:
            yield translator.translate("genres.good_ranking", auc=auc)
        elif genre.auc < 0.7:
            yield translator.translate("genres.poor_ranking", auc=auc)

    def curves(self) -> Iterator[str]:
        """Yield the mean, best and worst AUC."""
        translator = self.translator
        ordered = sorted(self.statistics.genres, key=lambda genre: (-genre.auc, genre.label))
        best, worst = ordered[0], ordered[-1]
        same = round(best.auc, 2) == round(worst.auc, 2)
        yield translator.translate(
            "curves.same_auc" if same else "curves.auc",
            auc=translator.format_number(self.evaluation.auc, digits=2),
            best=best.label,
            best_auc=translator.format_number(best.auc, digits=2),
            worst=worst.label,
            worst_auc=translator.format_number(worst.auc, digits=2),
        )

    def confusion(self) -> Iterator[str]:
        """Yield the two most confused pairs of genres."""
        translator = self.translator
        if not self.statistics.confused_genres:
            yield translator.translate("confusion.no_errors")
        for number, pair in enumerate(self.statistics.confused_genres[:2]):
            yield translator.translate(
                "confusion.next_confused" if number else "confusion.most_confused",
                first=pair.first,
                second=pair.second,
                errors=translator.format_count(pair.n_errors, "error"),
                percentage=translator.format_percent(pair.error_fraction),
            )

    def calibration(self) -> Iterator[str]:
        """Yield whether the probabilities can be trusted, the means that show it, and the accuracy at half coverage."""
        translator, statistics = self.translator, self.statistics
        verdict = judge_calibration(statistics, accuracy=self.evaluation.accuracy)
        low, high = statistics.calibration_range
        yield translator.translate(
            f"calibration.{verdict}",
            ece=translator.format_number(statistics.calibration_error),
            low=translator.format_number(low),
            high=translator.format_number(high),
        )
        yield translator.translate(
            "calibration.means",
            confidence=translator.format_percent(statistics.mean_confidence),
            accuracy=translator.format_percent(self.evaluation.accuracy),
        )
        if verdict != "calibrated":
            yield translator.translate("calibration.temperature")
        elif high > WEAK_CALIBRATION_TEST:
            yield translator.translate(
                "calibration.weak_test",
                predictions=translator.format_count(statistics.n_predictions, "prediction"),
                high=translator.format_number(high),
            )
        half = statistics.coverage[HALF_COVERAGE][1]
        if half.interval and statistics.n_errors:
            yield translator.translate(
                "calibration.half_coverage",
                half=translator.format_percent(half.value),
                low=translator.format_percent(half.interval[0]),
                high=translator.format_percent(half.interval[1]),
                accuracy=translator.format_percent(self.evaluation.accuracy),
            )

    def errors(self) -> Iterator[str]:
        """Yield the number of errors, and how many point to wrong labels."""
        translator = self.translator
        if not self.data.misclassifications:
            yield translator.translate("confusion.no_errors")
            return
        errors = translator.format_count(self.statistics.n_errors, "error")
        yield translator.translate("errors.count", errors=errors, space=self.data.space)
        if self.statistics.possible_label_issues:
            tracks = translator.format_count(len(self.statistics.possible_label_issues), "track")
            yield translator.translate("errors.label_issues", tracks=tracks)

    def models(self) -> Iterator[str]:
        """Yield the best single model, and the accuracy with nested selection."""
        comparison, translator = self.data.comparison, self.translator
        if comparison is None:
            return
        best = max((row for row in comparison.rows if row.decision), key=lambda row: row.accuracy)
        yield translator.translate(
            "models.best",
            count=len(comparison.rows),
            best=format_model_name(best, translator),
            accuracy=translator.format_percent(best.accuracy, digits=1),
            worse=sum(row.difference_interval[1] < 0 for row in comparison.rows),
            better=sum(row.difference_interval[0] > 0 for row in comparison.rows),
        )
        nested = [row for row in comparison.rows if row.model == "best by inner folds"]
        if nested:
            yield translator.translate(
                "models.nested_selection", accuracy=translator.format_percent(nested[0].accuracy, digits=1)
            )

    def aggregation(self) -> Iterator[str]:
        """Yield the accuracies of track and segment aggregation, and their difference."""
        aggregation, difference, translator = self.data.aggregation, self.statistics.segment_difference, self.translator
        if aggregation is None or difference is None:
            return
        yield translator.translate(
            "aggregation.accuracies",
            model=aggregation.model,
            track=translator.format_percent(aggregation.track.accuracy, digits=1),
            segment=translator.format_percent(aggregation.segment.accuracy, digits=1),
        )
        value, (low, high) = difference
        if low == value == high:
            yield translator.translate("aggregation.equal")
            return
        kind = "segments_better" if low > 0 else "segments_worse" if high < 0 else "no_difference"
        interval = translator.format_interval((100 * low, 100 * high), digits=1, sign=True)
        significant = kind != "no_difference"
        points = (
            translator.format_number(100 * abs(value), digits=1) if significant else translator.format_points(value)
        )
        yield translator.translate(f"aggregation.{kind}", points=points, interval=interval)

    def learning_curve(self) -> Iterator[str]:
        """Yield whether more music would help."""
        points, translator = self.evaluation.learning_curve, self.translator
        verdict = judge_learning_curve(self.data)
        if verdict is None:
            return
        if not self.statistics.n_errors:
            yield translator.translate("learning_curve.no_errors")
            return
        previous, last = points[-2], points[-1]
        low, high = last.accuracy_interval
        yield translator.translate(
            f"learning_curve.{verdict}",
            fewer=round(previous.tracks),
            more=round(last.tracks),
            points=translator.format_number(
                100 * (last.accuracy - previous.accuracy), digits=1, sign=verdict == "flat"
            ),
            half=round(50 * (high - low)),
        )
