"""What is said of the views of a library."""

from __future__ import annotations

import click

from sonotheque import documents as doc
from sonotheque.console.terminal import clip, plural, short, table


def show_suspicious(result: doc.Suspicious) -> None:
    """Print labels that are probably wrong, and what is odd apart from labels."""
    rows = [
        [
            str(rank),
            one.label,
            one.proposal + ("*" if one.by_track else ""),
            f"{one.support:.2f}",
            f"{one.confidence:.2f}",
            clip(one.artist),
            short(one.path),
        ]
        for rank, one in enumerate(result.suspicious, start=1)
    ]
    if rows:
        table(["rank", "label", "proposal", "for label", "for proposal", "artist", "path"], rows, right=(0, 3, 4))
    if any(one.by_track for one in result.suspicious):
        genres = ", ".join(result.by_track)
        click.echo(f"* judged beside other tracks of the same artist: too few artists for folds of artists in {genres}")
    for label in result.alone:
        click.echo(f"not judged: {label} has one track")
    for pair in result.duplicates:
        labels = "" if len(set(pair.labels)) == 1 else f", labelled {pair.labels[0] or '-'} and {pair.labels[1] or '-'}"
        click.echo(f"nearly the same ({pair.similarity:.3f}{labels}): {short(pair.paths[0])}, {short(pair.paths[1])}")
    for path in result.outliers:
        click.echo(f"like no other track: {short(path)}")
    for remark in result.remarks:
        click.echo(f"{short(remark.path)}: {remark.notice}")
    click.echo(
        f"the first {len(result.suspicious)} of {plural(result.tracks, 'labelled track')}; {result.doubtful} have more that "
        "speaks for the proposal than for the label; nothing is relabelled"
    )
