"""The document of a map: its clusters with names, how they agree with the labels, and where a classifier fails on it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sonotheque import documents as doc
from sonotheque.classify.labelled import TrainingSet
from sonotheque.classify.learners import spaces_for
from sonotheque.classify.recipe import Recipe, fit
from sonotheque.classify.recordings import Recordings
from sonotheque.explore.agreement import Judged, agreement, weakest_area
from sonotheque.explore.atlas import Atlas
from sonotheque.explore.character import Character
from sonotheque.explore.faithfulness import faithfulness
from sonotheque.explore.naming import Traits, name_clusters
from sonotheque.explore.unheard import MODEL, unheard
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.tables import write_table

EXAMPLES = 3
"""Tracks that stand for a cluster, and artists that are named."""


@dataclass(frozen=True)
class Answers:
    """What a classifier says of the N tracks of an atlas.

    Attributes
    ----------
    names : list of str
        Of the genres.
    genres : int array [N]
        Codes of `names`; -1 where nothing is known.
    confidence : float64 array [N]
        Probability of that genre; NaN where nothing is known.
    judged : bool array [N]
        Where the track is labelled and was not learned from.
    by_track : list of str
        Genres with too few artists: there other tracks of the same artist were learned.
    """

    names: Sequence[str]
    genres: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    judged: npt.NDArray[np.bool_]
    by_track: Sequence[str] = ()


class Seen(NamedTuple):
    """All that is known of a map: what pages and tables of it are made of."""

    atlas: Atlas
    answers: Answers
    characters: Mapping[int, Character]
    mapped: doc.Mapped


def answers_for(atlas: Atlas, training: TrainingSet | None, *, catalogue: Catalogue, seed: int = 0) -> Answers:
    """Let a classifier name the genre of each track: labelled ones without having learned them, the others having learned all.

    Parameters
    ----------
    atlas : Atlas
    training : TrainingSet or None
        None where there is nothing to learn from.
    catalogue : Catalogue
    seed : int
        Of the folds.
    """
    count = len(atlas.tracks)
    genres, confidence = np.full(count, -1, dtype=np.int64), np.full(count, np.nan)
    judged = np.zeros(count, dtype=bool)
    if training is None:
        return Answers([], genres, confidence, judged)
    row_of = {track.id: row for row, track in enumerate(atlas.tracks)}
    found = unheard(training, seed=seed)
    held_out = found.probabilities
    numbers = [number for number, track in enumerate(training.tracks) if track.id in row_of]
    rows = np.array([row_of[training.tracks[number].id] for number in numbers], dtype=np.int64)
    genres[rows], confidence[rows] = held_out[numbers].argmax(axis=1), held_out[numbers].max(axis=1)
    judged[rows] = True
    spaces = spaces_for(MODEL, training.data.spaces)
    held = {space: dict(zip(*catalogue.vectors(space), strict=True)) for space in spaces}
    others = [
        row
        for row, track in enumerate(atlas.tracks)
        if not track.label and all(track.id in vectors for vectors in held.values())
    ]
    names = np.unique(training.y).tolist()
    if others:
        member = fit(Recipe(MODEL, spaces), training.data, training.codes, groups=training.groups, seed=seed)
        asked = {space: np.stack([vectors[atlas.tracks[row].id] for row in others]) for space, vectors in held.items()}
        shares = member.probabilities(Recordings(asked), labels=len(names))
        genres[others], confidence[others] = shares.argmax(axis=1), shares.max(axis=1)
    return Answers(names, genres, confidence, judged, sorted(set(training.y[found.by_track].tolist())))


def overview(atlas: Atlas, answers: Answers, characters: Mapping[int, Character]) -> doc.Mapped:
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
    found = faithfulness(atlas.compared, kept.places, labels=labels)
    names = name_clusters(kept.clusters, traits_of(atlas, characters))
    code = {name: number for number, name in enumerate(answers.names)}
    rows = np.flatnonzero(answers.judged)
    judged = Judged(answers.names, np.array([code[str(labels[row])] for row in rows]), answers.genres[rows])
    clusters = [
        _cluster(atlas, characters, judged, rows, number=number, name=name) for number, name in enumerate(names)
    ]
    strongest = kept.membership.max(axis=1, initial=0)
    leaning = kept.membership.argmax(axis=1) + 1 if names else np.zeros(len(tracks), dtype=np.int64)
    return doc.Mapped(
        space=atlas.space,
        tracks=len(tracks),
        later=int(kept.later.sum()),
        parameters=kept.parameters,
        quality=doc.Quality(*(None if one is None else round(one, 6) for one in vars(found).values())),
        clusters=clusters,
        unclustered=int((kept.clusters < 0).sum()),
        unclustered_labels=_count(labels[row] for row in np.flatnonzero(kept.clusters < 0)),
        agreement=agreement(labels, kept.clusters),
        judged=len(rows),
        error_rate=judged.error_rate(np.arange(len(rows))),
        by_track=answers.by_track,
        weakest=_weakest(atlas, judged, rows, names),
        places=[
            doc.Place(
                path=track.path,
                x=round(float(x), 4),
                y=round(float(y), 4),
                cluster=None if cluster < 0 else int(cluster) + 1,
                leans_to=int(leans) if most > 0 else None,
                membership=round(float(most), 4),
                later=bool(later),
            )
            for track, (x, y), cluster, leans, most, later in zip(
                tracks, kept.places, kept.clusters, leaning, strongest, kept.later, strict=True
            )
        ],
    )


def write_clusters(mapped: doc.Mapped, path: str | os.PathLike[str]) -> None:
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


def traits_of(atlas: Atlas, characters: Mapping[int, Character]) -> Traits:
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
    return Traits(
        tags=tags,
        tempo=None if np.isnan(tempo).all() else tempo,
        genres=[track.label for track in atlas.tracks],
        artists=[track.artist for track in atlas.tracks],
    )


def _cluster(
    atlas: Atlas,
    characters: Mapping[int, Character],
    judged: Judged,
    rows: npt.NDArray[np.int64],
    *,
    number: int,
    name: str,
) -> doc.Cluster:
    members = np.flatnonzero(atlas.kept.clusters == number)
    tracks = [atlas.tracks[row] for row in members.tolist()]
    tempi = [tempo for track in tracks if (tempo := characters[track.id].tempo) is not None]
    typical = members[np.lexsort((members, -atlas.kept.membership[members, number]))]
    inside = np.flatnonzero(atlas.kept.clusters[rows] == number)
    return doc.Cluster(
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


def _weakest(atlas: Atlas, judged: Judged, rows: npt.NDArray[np.int64], names: Sequence[str]) -> doc.WeakArea | None:
    found = weakest_area(atlas.kept.places[rows], judged)
    if found is None:
        return None
    area, radius = found
    x, y = atlas.kept.places[rows[area[0]]]
    around = atlas.kept.clusters[rows[area]]
    cluster = int(np.bincount(around + 1).argmax()) - 1
    return doc.WeakArea(
        x=round(float(x), 4),
        y=round(float(y), 4),
        radius=round(radius, 4),
        tracks=len(area),
        error_rate=judged.error_rate(area) or 0.0,
        confusions=judged.confusions(area),
        cluster=names[cluster] if cluster >= 0 else None,
    )
