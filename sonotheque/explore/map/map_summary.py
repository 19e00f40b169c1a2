"""Summarise a map: named clusters, their agreement with the labels, and the errors of a classifier on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from sonotheque import results
from sonotheque.embed.auto_tags import TAGS
from sonotheque.explore.map.cluster_agreement import HeldOutPredictions, cluster_agreement, weakest_region
from sonotheque.explore.map.cluster_names import ClusterFeatures, name_clusters
from sonotheque.explore.map.map_data import MapData
from sonotheque.explore.map.predictions import MapPredictions
from sonotheque.explore.map.projection_quality import measure_projection_quality
from sonotheque.explore.track_attributes import TrackAttributes
from sonotheque.metadata.tables import write_table
from sonotheque.output_files import OutputFile
from sonotheque.store.records import Track
from sonotheque.types import PathLike, Rows

N_EXAMPLES = 3
"""Maximum number of example tracks, and of artists, that are listed for a cluster."""


def summarize_map(
    data: MapData, predictions: MapPredictions, attributes: Mapping[int, TrackAttributes]
) -> results.MapResult:
    """Summarise a map with its predictions and track attributes.

    Parameters
    ----------
    data : MapData
    predictions : MapPredictions
    attributes : mapping of track id to TrackAttributes
        It contains every track of the map.

    Returns
    -------
    MapResult
    """
    tracks, stored = data.tracks, data.stored_map
    labels = [track.label for track in tracks]
    quality = measure_projection_quality(data.standardized, stored.positions, labels=labels)
    names = name_clusters(stored.clusters, make_cluster_features(data.tracks, attributes))
    code_of = {name: code for code, name in enumerate(predictions.names)}
    rows = np.flatnonzero(predictions.held_out)
    reference = np.array([code_of[str(labels[row])] for row in rows], dtype=np.int64)
    held_out = HeldOutPredictions(predictions.names, reference, predictions.genres[rows])
    clusters = [
        _summarize_cluster(data, attributes, held_out, rows, number=number, name=name)
        for number, name in enumerate(names)
    ]
    strengths = stored.membership.max(axis=1, initial=0)
    strongest = stored.membership.argmax(axis=1) + 1 if names else np.zeros(len(tracks), dtype=np.int64)
    return results.MapResult(
        space=data.space,
        tracks=len(tracks),
        later=int(stored.later.sum()),
        parameters=stored.parameters,
        quality=_round_quality(quality),
        clusters=clusters,
        unclustered=int((stored.clusters < 0).sum()),
        unclustered_labels=_count_names(labels[row] for row in np.flatnonzero(stored.clusters < 0)),
        agreement=cluster_agreement(labels, stored.clusters),
        judged=len(rows),
        error_rate=held_out.error_rate(np.arange(len(rows))),
        by_track=predictions.by_track,
        alone=predictions.single_track,
        weakest=_summarize_weakest_region(data, held_out, rows, names),
        places=[
            results.MapPosition(
                path=track.path,
                x=round(float(x), 4),
                y=round(float(y), 4),
                cluster=None if cluster < 0 else int(cluster) + 1,
                leans_to=int(number) if strength > 0 else None,
                membership=round(float(strength), 4),
                later=bool(later),
            )
            for track, (x, y), cluster, number, strength, later in zip(
                tracks, stored.positions, stored.clusters, strongest, strengths, stored.later, strict=True
            )
        ],
    )


def write_clusters(summary: results.MapResult, path: PathLike | OutputFile) -> None:
    """Write the cluster and position of each track to a CSV, ordered by path.

    Raises
    ------
    LibraryError
        If the file cannot be written, or would replace a file that is not a CSV table.
    """
    names = {cluster.number: cluster.name for cluster in summary.clusters}
    header = ("file", "cluster", "name", "leans_to", "membership", "x", "y")
    rows = [
        (
            position.path,
            position.cluster,
            names.get(position.cluster or 0),
            position.leans_to,
            f"{position.membership:.4f}",
            position.x,
            position.y,
        )
        for position in sorted(summary.places, key=lambda position: position.path)
    ]
    write_table(path, [header, *rows])


def make_cluster_features(tracks: Sequence[Track], attributes: Mapping[int, TrackAttributes]) -> ClusterFeatures:
    """Collect the features of all tracks that clusters are named by."""
    ordered = [attributes[track.id] for track in tracks]
    tempo = np.array([np.nan if track.tempo is None else track.tempo for track in ordered], dtype=np.float64)
    log_odds = np.full((len(ordered), len(TAGS)), np.nan)
    for row, track in enumerate(ordered):
        if track.tags is not None:
            probabilities = np.clip(track.tags, 1e-9, 1 - 1e-9)
            log_odds[row] = np.log(probabilities / (1 - probabilities))
    return ClusterFeatures(
        tags=None if np.isnan(log_odds).all() else log_odds,
        tempo=None if np.isnan(tempo).all() else tempo,
        genres=[track.label for track in tracks],
        artists=[track.artist for track in tracks],
    )


def _summarize_cluster(
    data: MapData,
    attributes: Mapping[int, TrackAttributes],
    held_out: HeldOutPredictions,
    held_out_rows: Rows,
    *,
    number: int,
    name: str,
) -> results.Cluster:
    stored = data.stored_map
    rows = np.flatnonzero(stored.clusters == number)
    tracks = [data.tracks[row] for row in rows.tolist()]
    tempi = [tempo for track in tracks if (tempo := attributes[track.id].tempo) is not None]
    by_membership = rows[np.lexsort((rows, -stored.membership[rows, number]))]
    evaluated = np.flatnonzero(stored.clusters[held_out_rows] == number)
    return results.Cluster(
        number=number + 1,
        name=name,
        tracks=len(rows),
        labels=_count_names(track.label for track in tracks),
        artists=_count_names((track.artist for track in tracks), limit=N_EXAMPLES),
        tempo=round(float(np.median(tempi)), 1) if tempi else None,
        judged=len(evaluated),
        error_rate=held_out.error_rate(evaluated),
        confusions=held_out.confusions(evaluated),
        examples=[data.tracks[row].path for row in by_membership[:N_EXAMPLES]],
    )


def _count_names(names: Iterable[str | None], *, limit: int | None = None) -> dict[str, int]:
    """Count names, the most frequent first. Ties are ordered alphabetically."""
    counts = Counter(name for name in names if name)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit])


def _round_quality(quality: results.ProjectionQuality) -> results.ProjectionQuality:
    return results.ProjectionQuality(*(None if value is None else round(value, 6) for value in vars(quality).values()))


def _summarize_weakest_region(
    data: MapData, held_out: HeldOutPredictions, held_out_rows: Rows, cluster_names: Sequence[str]
) -> results.WeakRegion | None:
    stored = data.stored_map
    region = weakest_region(stored.positions[held_out_rows], held_out)
    if region is None:
        return None
    rows, radius = region
    x, y = stored.positions[held_out_rows[rows[0]]]
    cluster = int(np.bincount(stored.clusters[held_out_rows[rows]] + 1).argmax()) - 1
    return results.WeakRegion(
        x=round(float(x), 4),
        y=round(float(y), 4),
        radius=round(radius, 4),
        tracks=len(rows),
        error_rate=held_out.error_rate(rows) or 0.0,
        confusions=held_out.confusions(rows),
        cluster=cluster_names[cluster] if cluster >= 0 else None,
    )
