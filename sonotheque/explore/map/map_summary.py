"""The document of a map: its clusters with names, how they agree with the labels, and where a classifier fails on it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from sonotheque import results
from sonotheque.explore.map.cluster_agreement import HeldOutPredictions, cluster_agreement, weakest_region
from sonotheque.explore.map.cluster_names import ClusterFeatures, name_clusters
from sonotheque.explore.map.map_data import MapData
from sonotheque.explore.map.predictions import MapPredictions
from sonotheque.explore.map.projection_quality import measure_projection_quality
from sonotheque.explore.track_attributes import TrackAttributes
from sonotheque.metadata.tables import write_table

EXAMPLES = 3
"""Tracks that stand for a cluster, and artists that are named."""


def summarize_map(
    atlas: MapData, answers: MapPredictions, characters: Mapping[int, TrackAttributes]
) -> results.MapResult:
    """Put together what a map shows.

    Parameters
    ----------
    atlas : Atlas
    answers : Answers
    characters : mapping of track id to Character
        Of all tracks.
    """
    tracks, kept = atlas.tracks, atlas.kept
    labels = [track.label for track in tracks]
    found = measure_projection_quality(atlas.compared, kept.positions, labels=labels)
    names = name_clusters(kept.clusters, cluster_features(atlas, characters))
    code = {name: number for number, name in enumerate(answers.names)}
    rows = np.flatnonzero(answers.judged)
    judged = HeldOutPredictions(answers.names, np.array([code[str(labels[row])] for row in rows]), answers.genres[rows])
    clusters = [
        _cluster(atlas, characters, judged, rows, number=number, name=name) for number, name in enumerate(names)
    ]
    strongest = kept.membership.max(axis=1, initial=0)
    leaning = kept.membership.argmax(axis=1) + 1 if names else np.zeros(len(tracks), dtype=np.int64)
    return results.MapResult(
        space=atlas.space,
        tracks=len(tracks),
        later=int(kept.later.sum()),
        parameters=kept.parameters,
        quality=results.ProjectionQuality(*(None if one is None else round(one, 6) for one in vars(found).values())),
        clusters=clusters,
        unclustered=int((kept.clusters < 0).sum()),
        unclustered_labels=_count(labels[row] for row in np.flatnonzero(kept.clusters < 0)),
        agreement=cluster_agreement(labels, kept.clusters),
        judged=len(rows),
        error_rate=judged.error_rate(np.arange(len(rows))),
        by_track=answers.by_track,
        weakest=_weakest(atlas, judged, rows, names),
        places=[
            results.MapPosition(
                path=track.path,
                x=round(float(x), 4),
                y=round(float(y), 4),
                cluster=None if cluster < 0 else int(cluster) + 1,
                leans_to=int(leans) if most > 0 else None,
                membership=round(float(most), 4),
                later=bool(later),
            )
            for track, (x, y), cluster, leans, most, later in zip(
                tracks, kept.positions, kept.clusters, leaning, strongest, kept.later, strict=True
            )
        ],
    )


def write_clusters(mapped: results.MapResult, path: str | os.PathLike[str]) -> None:
    """Write the cluster of each track to a CSV, tracks in the order of their paths.

    Raises
    ------
    LabelsError
        If the file cannot be written.
    """
    names = {cluster.number: cluster.name for cluster in mapped.clusters}
    header = ("file", "cluster", "name", "leans_to", "membership", "x", "y")
    rows = [
        (one.path, one.cluster, names.get(one.cluster or 0), one.leans_to, f"{one.membership:.4f}", one.x, one.y)
        for one in sorted(mapped.places, key=lambda one: one.path)
    ]
    write_table(path, [header, *rows])


def cluster_features(atlas: MapData, characters: Mapping[int, TrackAttributes]) -> ClusterFeatures:
    """Collect what clusters are named by."""
    known = [characters[track.id] for track in atlas.tracks]
    tempo = np.array([np.nan if one.tempo is None else one.tempo for one in known], dtype=np.float64)
    held = [one.tags for one in known if one.tags is not None]
    tags = None
    if held:
        tags = np.full((len(known), len(held[0])), np.nan)
        for row, one in enumerate(known):
            if one.tags is not None:
                shares = np.clip(one.tags, 1e-9, 1 - 1e-9)
                tags[row] = np.log(shares / (1 - shares))
    return ClusterFeatures(
        tags=tags,
        tempo=None if np.isnan(tempo).all() else tempo,
        genres=[track.label for track in atlas.tracks],
        artists=[track.artist for track in atlas.tracks],
    )


def _cluster(
    atlas: MapData,
    characters: Mapping[int, TrackAttributes],
    judged: HeldOutPredictions,
    rows: npt.NDArray[np.int64],
    *,
    number: int,
    name: str,
) -> results.Cluster:
    members = np.flatnonzero(atlas.kept.clusters == number)
    tracks = [atlas.tracks[row] for row in members.tolist()]
    tempi = [tempo for track in tracks if (tempo := characters[track.id].tempo) is not None]
    typical = members[np.lexsort((members, -atlas.kept.membership[members, number]))]
    inside = np.flatnonzero(atlas.kept.clusters[rows] == number)
    return results.Cluster(
        number=number + 1,
        name=name,
        tracks=len(members),
        labels=_count(track.label for track in tracks),
        artists=_count((track.artist for track in tracks), most=EXAMPLES),
        tempo=round(float(np.median(tempi)), 1) if tempi else None,
        judged=len(inside),
        error_rate=judged.error_rate(inside),
        confusions=judged.confusions(inside),
        examples=[atlas.tracks[row].path for row in typical[:EXAMPLES]],
    )


def _count(names: Iterable[str | None], *, most: int | None = None) -> dict[str, int]:
    """Count names, the most frequent first, equal ones in the order of the alphabet."""
    counts = Counter(name for name in names if name)
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:most])


def _weakest(
    atlas: MapData, judged: HeldOutPredictions, rows: npt.NDArray[np.int64], names: Sequence[str]
) -> results.WeakRegion | None:
    found = weakest_region(atlas.kept.positions[rows], judged)
    if found is None:
        return None
    area, radius = found
    x, y = atlas.kept.positions[rows[area[0]]]
    around = atlas.kept.clusters[rows[area]]
    cluster = int(np.bincount(around + 1).argmax()) - 1
    return results.WeakRegion(
        x=round(float(x), 4),
        y=round(float(y), 4),
        radius=round(radius, 4),
        tracks=len(area),
        error_rate=judged.error_rate(area) or 0.0,
        confusions=judged.confusions(area),
        cluster=names[cluster] if cluster >= 0 else None,
    )
