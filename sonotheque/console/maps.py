"""Output of map and clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from sonotheque import results
from sonotheque.console.formatting import print_table
from sonotheque.plurals import pluralize


def print_map_summary(result: results.MapResult, *, genre_table: bool = False) -> None:
    """Print the clusters of a map, their agreement with the labels, the classification errors and the projection quality."""
    has_predictions = result.error_rate is not None
    rows = [
        [
            str(cluster.number),
            cluster.name,
            str(cluster.tracks),
            _format_counts(cluster.labels),
            "-" if cluster.error_rate is None else f"{cluster.error_rate:.0%}",
            _format_most_frequent_error(cluster.confusions),
        ]
        for cluster in result.clusters
    ]
    if result.unclustered:
        rows.append(["", "(no cluster)", str(result.unclustered), _format_counts(result.unclustered_labels), "", ""])
    header = ["", "cluster", "tracks", "labels", "error rate", "most frequent error"]
    n_columns = 6 if has_predictions or not rows else 4
    print_table(
        header[:n_columns], [row[:n_columns] for row in rows], right_aligned=(0, 2, 4) if has_predictions else (0, 2)
    )
    if genre_table:
        _print_genre_table(result)
    click.echo()
    if result.agreement:
        agreement = result.agreement
        click.echo(
            f"clusters agree with labels: {agreement.adjusted_mutual_information:.2f} "
            "(adjusted mutual information; 0 is chance, 1 is perfect)"
        )
    if result.error_rate is not None:
        click.echo(
            f"out-of-fold error rate of a classifier: {result.error_rate:.0%} of "
            f"{pluralize(result.judged, 'labelled track')}{_format_ungrouped_genres(result)}"
        )
    if result.weakest:
        region = result.weakest
        cluster = f" in cluster {region.cluster!r}" if region.cluster else ""
        error = f"; {_format_most_frequent_error(region.confusions)}" if region.confusions else ""
        click.echo(
            f"highest error rate: {region.error_rate:.0%} of {pluralize(region.tracks, 'track')} around map position "
            f"({region.x:.1f}, {region.y:.1f}){cluster}{error}"
        )
    quality = result.quality
    if quality.trustworthiness is not None:
        click.echo(f"neighbours on the map sound alike: {quality.trustworthiness:.2f} (trustworthiness; 1 is perfect)")
    if quality.same_label_map is not None and quality.same_label_space is not None:
        click.echo(
            f"ten nearest neighbours with the same label: {quality.same_label_map:.0%} on the map, "
            f"{quality.same_label_space:.0%} in the vector space, {quality.same_label_chance:.0%} by chance"
        )
    later = f" ({result.later} added after the map was computed)" if result.later else ""
    tracks = f"{pluralize(result.tracks, 'track')}{later}"
    if not result.clusters:
        click.echo(f"{tracks}, no cluster")
        return
    unclustered = f", {pluralize(result.unclustered, 'track')} in none" if result.unclustered else ""
    click.echo(f"{tracks} in {pluralize(len(result.clusters), 'cluster')}{unclustered}")


def _format_ungrouped_genres(result: results.MapResult) -> str:
    if not result.by_track:
        return ""
    return f" (for {', '.join(result.by_track)}, the training folds contain other tracks by the same artists)"


def _format_counts(counts: Mapping[str, int], *, limit: int = 3) -> str:
    parts = [f"{name} {count}" for name, count in list(counts.items())[:limit]]
    return ", ".join(parts + ["..."] * (len(counts) > limit)) or "-"


def _format_most_frequent_error(confusions: Sequence[results.ConfusedPair]) -> str:
    if not confusions:
        return ""
    first = confusions[0]
    return f"{first.label} predicted as {first.taken_for} ({first.tracks})"


def _print_genre_table(result: results.MapResult) -> None:
    """Print the number of tracks with each label in each cluster."""
    rows = [(cluster.name, cluster.labels) for cluster in result.clusters]
    rows.append(("(no cluster)", result.unclustered_labels))
    labels = sorted({label for _, counts in rows for label in counts})
    if labels:
        click.echo()
        cells = [[name, *(str(counts.get(label, 0) or "") for label in labels)] for name, counts in rows]
        print_table(["cluster \\ label", *labels], cells, right_aligned=range(1, 1 + len(labels)))
