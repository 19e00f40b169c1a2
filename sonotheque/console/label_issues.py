"""Output of errors: label issues and applied corrections."""

from __future__ import annotations

import click

from sonotheque import results
from sonotheque.console.formatting import display_path, print_table, truncate_cell
from sonotheque.console.labels import print_changed_labels
from sonotheque.plurals import pluralize


def print_label_issues(result: results.LabelIssuesResult) -> None:
    """Print labels that are probably wrong, then near-duplicates, outliers and notices."""
    rows = [
        [
            str(rank),
            issue.label,
            issue.proposal + ("*" if issue.by_track else ""),
            f"{issue.support:.2f}",
            f"{issue.confidence:.2f}",
            truncate_cell(issue.artist),
            display_path(issue.path),
        ]
        for rank, issue in enumerate(result.suspicious, start=1)
    ]
    if rows:
        header = ["rank", "label", "suggested label", "support", "support for suggestion", "artist", "path"]
        print_table(header, rows, right_aligned=(0, 3, 4))
    if any(issue.by_track for issue in result.suspicious):
        click.echo(
            "* the training folds contain other tracks by the same artist: too few artists for artist-grouped folds in "
            + ", ".join(result.by_track)
        )
    for label in result.alone:
        click.echo(f"not checked: {label} has only one track")
    for pair in result.duplicates:
        labels = "" if len(set(pair.labels)) == 1 else f", labelled {pair.labels[0] or '-'} and {pair.labels[1] or '-'}"
        paths = ", ".join(map(display_path, pair.paths))
        click.echo(f"near-duplicates (similarity {pair.similarity:.3f}{labels}): {paths}")
    for path in result.outliers:
        click.echo(f"outlier: {display_path(path)}")
    for notice in result.remarks:
        click.echo(f"notice: {display_path(notice.path)}: {notice.notice}")
    click.echo(
        f"{len(result.suspicious)} of {pluralize(result.tracks, 'labelled track')} listed; "
        f"for {result.doubtful or 'none'} the suggested label has more support; no label was changed"
    )


def print_applied_corrections(result: results.LabellingResult, *, path: str) -> None:
    """Print how many decisions a CSV file contained and how many labels they changed or, in a dry run, would change."""
    if result.dry_run:
        print_changed_labels(result.changes)
    click.echo(
        f"{'dry run: ' if result.dry_run else ''}{path}: {pluralize(result.matched, 'decision')}, "
        f"{pluralize(result.changed, 'label')} {'would be ' if result.dry_run else ''}changed, "
        f"{pluralize(result.kept, 'row')} kept"
    )
    if result.changed and not result.dry_run:
        click.echo("`sonotheque undo` takes this back", err=True)
