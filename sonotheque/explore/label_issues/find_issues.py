"""The document of `errors`: suspicious labels with the neighbours that speak against them, and tracks that are odd otherwise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sonotheque import results
from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.explore.label_issues.label_quality import (
    LabelQuality,
    compute_label_quality,
    find_near_duplicates,
    find_outliers,
    suggest_labels,
)
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import track_notices

WITNESSES = 3
"""Neighbours that are named."""


def find_label_issues(
    training: TrainingSet, *, catalogue: Catalogue, limit: int | None = None, seed: int = 0
) -> results.LabelIssuesResult:
    """Rank the labelled tracks by how little speaks for their labels.

    Parameters
    ----------
    training : TrainingSet
    catalogue : Catalogue
        All of its tracks are looked at for what is odd apart from labels, in the first space of the training set.
    limit : int or None
        Labels to return, by default a tenth of them.
    seed : int
        Of the folds.
    """
    labels, codes = np.unique(training.y, return_inverse=True)
    single = np.flatnonzero(np.bincount(codes) == 1)
    support = compute_label_quality(training, seed=seed)
    proposal, order = suggest_labels(support, codes)
    ranked = [int(row) for row in order if codes[row] not in single]
    doubtful = sum(support.shares[row, proposal[row]] > support.shares[row, codes[row]] for row in ranked)
    space = training.data.spaces[0]
    ids, vectors = catalogue.vectors.matrix(space)
    tracks = {track.id: track for track in catalogue.tracks.all()}
    audible = np.array([not tracks[int(id_)].silent for id_ in ids], dtype=bool)
    members = [tracks[int(id_)] for id_ in ids[audible]]
    return results.LabelIssuesResult(
        tracks=len(ranked),
        doubtful=int(doubtful),
        suspicious=[
            _doubt(training, support, row, label=int(codes[row]), proposal=int(proposal[row]), labels=labels.tolist())
            for row in ranked[: limit or math.ceil(len(ranked) / 10)]
        ],
        by_track=sorted({str(training.y[row]) for row in ranked if support.by_track[row]}),
        alone=[str(labels[code]) for code in single],
        outliers=[members[row].path for row in find_outliers(vectors[audible], space=space)],
        duplicates=[
            results.NearDuplicatePair(
                (members[one].path, members[other].path), (members[one].label, members[other].label), cosine
            )
            for one, other, cosine in find_near_duplicates(vectors[audible])
        ],
        remarks=track_notices(tracks.values()),
    )


def _doubt(
    training: TrainingSet, support: LabelQuality, row: int, *, label: int, proposal: int, labels: Sequence[str]
) -> results.LabelIssue:
    track = training.tracks[row]
    against = [
        results.LabelledNeighbour(training.tracks[other].path, str(training.y[other]), round(float(cosine), 6))
        for other, cosine in zip(support.neighbours[row], support.similarities[row], strict=True)
        if training.y[other] == labels[proposal]
    ]
    return results.LabelIssue(
        path=track.path,
        title=track.title,
        artist=track.artist,
        label=labels[label],
        proposal=labels[proposal],
        confidence=round(float(support.shares[row, proposal]), 6),
        support=round(float(support.shares[row, label]), 6),
        by_track=bool(support.by_track[row]),
        neighbours=against[:WITNESSES],
    )
