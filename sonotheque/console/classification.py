"""Output of train, classify and evaluate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from sonotheque import results
from sonotheque.console.formatting import (
    display_path,
    format_time,
    format_track,
    print_table,
)
from sonotheque.console.library import print_failed_files
from sonotheque.plurals import pluralize


def print_training(result: results.TrainingResult) -> None:
    """Print the classifier that was trained, and the accuracies that it was selected by."""
    protocol = f"{result.protocol}; {pluralize(result.tested, 'track')}"
    if result.candidates:
        click.echo(protocol)
    for candidate in result.candidates:
        click.echo(f"{candidate.model}: accuracy {candidate.accuracy:.3f}")
    if len(result.members) > 1:
        click.echo("ensemble weights:")
        for member in sorted(result.members, key=lambda member: -member.share):
            click.echo(
                f"{member.share:5.0%}  {member.model} on {_format_spaces(member.spaces)}, "
                f"{_format_aggregation(member.decision, augmented=member.copies)}"
            )
    if result.evaluated:
        low, high = result.evaluated.accuracy_interval
        click.echo(
            f"{protocol}; the search was repeated inside each fold: "
            f"accuracy {result.evaluated.accuracy:.3f}, 95% interval {low:.3f} to {high:.3f}, "
            f"balanced accuracy {result.evaluated.balanced_accuracy:.3f}"
        )
    selected = " (the most accurate of these)" if result.candidates else ""
    data = f"{pluralize(result.tracks, 'track')} in {pluralize(len(result.labels), 'genre')}"
    click.echo(f"trained {result.model}{selected} on {data}")
    if result.candidates:
        click.echo(
            "the best of several accuracies is a little too optimistic; `sonotheque evaluate` repeats the choice inside each fold"
        )
    elif result.accuracy is not None:
        click.echo(
            f"accuracy {result.accuracy:.3f} ({protocol}); `sonotheque evaluate --model {result.model}` shows more"
        )
    elif result.protocol and not result.evaluated:
        click.echo(f"`sonotheque evaluate --model {result.model}` estimates its accuracy on new artists")


def _format_spaces(spaces: Sequence[str]) -> str:
    from sonotheque.embed.space import short_name

    return " + ".join(map(short_name, spaces))


def _format_aggregation(aggregation: str, *, augmented: bool) -> str:
    level = "track" if aggregation == "track" else f"segments ({aggregation})"
    return f"{level}, augmented" if augmented else level


def print_comparison(result: results.ComparisonResult) -> None:
    """Print the comparison table, with the difference of each row from the best single model."""
    click.echo(f"{result.protocol}; {pluralize(result.tracks, 'track')}")
    click.echo(
        f"difference: accuracy minus that of the best single model ({result.best}); brackets: 95% intervals over artists"
    )
    click.echo()
    rows = [
        [
            row.model,
            _format_spaces(row.spaces),
            _format_aggregation(row.decision, augmented=row.copies) if row.decision else "",
            f"{row.accuracy:.3f} [{row.accuracy_interval[0]:.3f}, {row.accuracy_interval[1]:.3f}]",
            f"{row.balanced_accuracy:.3f}",
            f"{row.log_loss:.2f}",
            f"{row.auc:.3f}",
            f"{row.difference:+.3f} [{row.difference_interval[0]:+.3f}, {row.difference_interval[1]:+.3f}]",
        ]
        for row in result.rows
    ]
    header = ["model", "spaces", "aggregation", "accuracy", "balanced accuracy", "log loss", "AUC", "difference"]
    print_table(header, rows, right_aligned=(4, 5, 6))


def print_predictions(result: results.ClassificationResult) -> None:
    """Print the predicted genre of each file, with the nearest labelled tracks of that genre."""
    learned = [track for track in result.tracks if track.learned_from]
    rows = [
        [
            display_path(track.path),
            _format_genre(track),
            f"{track.probability:.2f}",
            *([format_out_of_fold(track)] if learned else []),
            ", ".join(format_neighbours(track)),
        ]
        for track in result.tracks
    ]
    if rows:
        header = ["file", "genre", "probability", *(["out-of-fold"] if learned else []), "nearest tracks of that genre"]
        print_table(header, rows, right_aligned=(2,))
    for track in result.tracks:
        if track.timeline is not None:
            click.echo(f"{display_path(track.path)}: {format_timeline(track.timeline)}")
    print_failed_files(result.failed, limit=None)
    if learned:
        click.echo(
            f"{len(learned)} of {pluralize(len(result.tracks), 'file')} {'is a track' if len(learned) == 1 else 'are tracks'} "
            "that the classifier was trained on, so the probability tends to be too high; out-of-fold is the prediction "
            "without the track's artist (none: too few artists in the genre)"
        )
    n_unsure = sum(track.unsure for track in result.tracks)
    if n_unsure:
        click.echo(f"{pluralize(n_unsure, 'prediction')} unsure: the next genre is almost as probable")
    if result.promise and result.promise.threshold is not None:
        abstention = result.promise
        click.echo(
            f"predictions below probability {abstention.threshold:.2f} are marked uncertain; on grouped folds, "
            f"{abstention.coverage:.0%} of the tracks are above it, with accuracy {abstention.accuracy:.1%} "
            f"(at least {abstention.lower:.1%} with 95% confidence)"
        )
    failed = f", {len(result.failed)} failed" if result.failed else ""
    click.echo(f"{pluralize(len(result.tracks), 'file')} classified by {result.model}{failed}")


def _format_genre(track: results.Prediction) -> str:
    """Format a predicted genre: novelty is shown before abstention, and abstention before a small margin."""
    if track.none_of_these:
        return f"{track.genre}? (unlike all labelled tracks)"
    if not track.answered:
        return f"({track.genre}: uncertain)"
    return _format_answer(track)


def _format_answer(prediction: results.Prediction | results.OutOfFoldPrediction) -> str:
    """Format a genre; an unsure one is followed by the genre that is almost as probable."""
    if not prediction.unsure:
        return prediction.genre
    others = {genre: p for genre, p in prediction.probabilities.items() if genre != prediction.genre}
    return f"{prediction.genre} or {max(others, key=lambda genre: others[genre])}? (unsure)"


def format_out_of_fold(track: results.Prediction) -> str:
    """Format the out-of-fold prediction of a training track; ``-`` for other tracks."""
    if not track.learned_from:
        return "-"
    if track.out_of_fold is None:
        return "none"
    return f"{_format_answer(track.out_of_fold)} {track.out_of_fold.probability:.2f}"


def format_prediction(track: results.Prediction) -> str:
    """Format the predicted genre of a track with its probability."""
    return f"{_format_genre(track)} {track.probability:.2f}"


def format_neighbours(track: results.Prediction) -> list[str]:
    """Format artist and title of the nearest labelled tracks of the predicted genre."""
    return [format_track(one.path, artist=one.artist, title=one.title) for one in track.neighbours]


def format_timeline(timeline: Sequence[results.TimelineSegment]) -> str:
    """Format the genre of each segment. A question mark follows unsure genres."""
    return ", ".join(
        f"{format_time(segment.start)} {segment.genre}{'?' * segment.unsure} {segment.probability:.2f}"
        for segment in timeline
    )


def print_evaluation(result: results.EvaluationResult) -> None:
    """Print the overall metrics, the metrics of each genre, and the confusion matrix."""
    low, high = result.accuracy_interval
    folds = ", ".join(f"{name} in {pluralize(count, 'fold')}" for name, count in Counter(result.chosen).most_common())
    selected = f" (selected inside the folds: {folds})" if folds else ""
    click.echo(f"{result.protocol}; model {result.model}{selected}; {pluralize(result.tracks, 'track')}")
    click.echo(f"accuracy {result.accuracy:.3f}, 95% interval {low:.3f} to {high:.3f} (bootstrap over artists)")
    low, high = result.balanced_accuracy_interval
    click.echo(
        f"balanced accuracy {result.balanced_accuracy:.3f} ({low:.3f} to {high:.3f}), macro F1 {result.macro_f1:.3f}"
    )
    click.echo(f"log loss {result.log_loss:.3f}, AUC {result.auc:.3f}")
    click.echo()
    rows = [
        [
            genre.label,
            str(genre.tracks),
            str(genre.artists),
            *(f"{metric:.2f}" for metric in (genre.precision, genre.recall, genre.f1, genre.auc)),
        ]
        for genre in result.genres
    ]
    header = ["genre", "tracks", "artists", "precision", "recall", "F1", "AUC"]
    print_table(header, rows, right_aligned=range(1, 7))
    for genre in result.apart:
        tracks = pluralize(genre.tracks, "track")
        click.echo(f"not evaluated: {genre.label} ({tracks}, {genre.reason}); used for training only")
    click.echo()
    unevaluated = {genre.label for genre in result.apart}
    confusion_rows = [
        [label, *map(str, counts)]
        for label, counts in zip(result.labels, result.confusion, strict=True)
        if label not in unevaluated
    ]
    print_table(["true \\ predicted", *result.labels], confusion_rows, right_aligned=range(1, 1 + len(result.labels)))
    if result.learning_curve:
        click.echo()
        curve = [
            [
                f"{point.tracks:.0f}",
                f"{point.accuracy:.3f}",
                "{:.3f} to {:.3f}".format(*point.accuracy_interval),
                f"{point.balanced_accuracy:.3f}",
            ]
            for point in result.learning_curve
        ]
        header = ["training tracks", "accuracy", "95% interval", "balanced accuracy"]
        print_table(header, curve, right_aligned=range(4))
