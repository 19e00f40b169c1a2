"""What is said of the views of a library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from sonotheque import results
from sonotheque.console.terminal import clip, clock, plural, short, table


def show_suspicious(result: results.LabelIssuesResult) -> None:
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


def show_mapped(result: results.MapResult, *, table_of_genres: bool = False) -> None:
    """Print the clusters of a map, how they agree with the labels, and where a classifier fails."""
    rows = [
        [
            str(cluster.number),
            cluster.name,
            str(cluster.tracks),
            _counts(cluster.labels),
            "-" if cluster.error_rate is None else f"{cluster.error_rate:.0%}",
            _confusion(cluster.confusions),
        ]
        for cluster in result.clusters
    ]
    if result.unclustered:
        rows.append(["", "in none", str(result.unclustered), _counts(result.unclustered_labels), "", ""])
    judged = result.error_rate is not None
    shown = rows if judged else [row[:4] for row in rows]
    header = ["", "cluster", "tracks", "labels", "wrong answers", "most often"]
    table(header[: len(shown[0])] if shown else header, shown, right=(0, 2, 4) if judged else (0, 2))
    if table_of_genres:
        _show_genres(result)
    click.echo()
    if result.agreement:
        one = result.agreement
        click.echo(
            f"clusters and labels of {plural(one.tracks, 'track')}: adjusted mutual information "
            f"{one.adjusted_mutual_information:.3f}, adjusted Rand index {one.adjusted_rand:.3f}, homogeneity {one.homogeneity:.3f}"
        )
    if result.error_rate is not None:
        labelled = plural(result.judged, "labelled track")
        click.echo(
            f"a classifier that learned without them is wrong for {result.error_rate:.0%} of {labelled}{_known(result)}"
        )
    if result.weakest:
        weak = result.weakest
        parts = [f"it fails most around ({weak.x:.1f}, {weak.y:.1f}) on the map"]
        parts += [f"in {weak.cluster}"] if weak.cluster else []
        parts.append(f"{weak.error_rate:.0%} of {plural(weak.tracks, 'track')}")
        parts += [_confusion(weak.confusions)] if weak.confusions else []
        click.echo(", ".join(parts))
    quality = result.quality
    if quality.trustworthiness is not None:
        click.echo(f"the map's trustworthiness is {quality.trustworthiness:.3f}")
    if quality.same_label_map is not None and quality.same_label_space is not None:
        click.echo(
            f"of a track's ten nearest {quality.same_label_map:.0%} bear its label on the map, "
            f"{quality.same_label_space:.0%} by sound, {quality.same_label_chance:.0%} by chance"
        )
    later = f", {result.later} of them put on it later" if result.later else ""
    click.echo(
        f"{plural(result.tracks, 'track')}{later}, {plural(len(result.clusters), 'cluster')}, {result.unclustered} in none"
    )


def _known(result: results.MapResult) -> str:
    return f" (in {', '.join(result.by_track)} it knew other tracks of the same artists)" if result.by_track else ""


def _counts(counts: Mapping[str, int], *, most: int = 3) -> str:
    named = [f"{name} {count}" for name, count in list(counts.items())[:most]]
    return ", ".join(named + ["..."] * (len(counts) > most)) or "-"


def _confusion(confusions: Sequence[results.ConfusedPair]) -> str:
    if not confusions:
        return ""
    first = confusions[0]
    return f"{first.label} taken for {first.taken_for} ({first.tracks})"


def _show_genres(result: results.MapResult) -> None:
    """Print how many tracks of each label lie in each cluster."""
    rows = [(cluster.name, cluster.labels) for cluster in result.clusters] + [("in none", result.unclustered_labels)]
    labels = sorted({label for _, counts in rows for label in counts})
    if labels:
        click.echo()
        cells = [[name, *(str(counts.get(label, 0) or "") for label in labels)] for name, counts in rows]
        table(["cluster \\ label", *labels], cells, right=range(1, 1 + len(labels)))


def show_inspected(result: results.InspectionResult) -> None:
    """Print what is seen and heard of one file."""
    channels = {1: "mono", 2: "stereo"}.get(result.channels, f"{result.channels} channels")
    rows = [
        ["file", short(result.path)],
        [
            "duration",
            f"{clock(result.seconds)} ({result.seconds:.1f} s), {result.sample_rate / 1000:g} kHz, {channels}",
        ],
        ["tempo", _measured(result.tempo, "BPM", f"beat strength {result.beat_strength:.2f} of 1") or "no clear beat"],
        ["key", f"{result.key} (clarity {result.clarity:.2f} of 1)" if result.key else "none"],
        ["loudness", _measured(result.loudness, "LUFS", _range(result.loudness_range)) or "none: silent or too short"],
        ["peak", _measured(result.true_peak, "dBTP") or _measured(result.sample_peak, "dBFS") or "none: silent"],
        ["tags", ", ".join(f"{tag.name} {tag.strength:.2f}" for tag in result.tags) or "none: silent"],
    ]
    if result.timeline:
        rows.append(["genres", ", ".join(f"{clock(m.start)} {m.genre} {m.probability:.2f}" for m in result.timeline)])
    if result.silent or result.notice:
        rows.append(["remark", "; ".join(filter(None, ["silent" if result.silent else None, result.notice]))])
    for name, text in rows:
        click.echo(f"{name:<9} {text}")


def _measured(value: float | None, unit: str, more: str = "") -> str | None:
    return None if value is None else f"{value:.1f} {unit}" + (f" ({more})" if more else "")


def _range(loudness_range: float | None) -> str:
    return "" if loudness_range is None else f"range {loudness_range:.1f} LU"
