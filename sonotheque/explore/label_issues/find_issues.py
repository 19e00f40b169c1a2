"""Find label issues in a library, with the neighbours that support another label, and other tracks that need attention."""

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

MAX_NEIGHBOURS = 3
"""Maximum number of neighbours with the suggested label that are listed for a label issue."""

N_NEAREST = 5
"""Number of nearest tracks with any label that are listed for a label issue."""


def find_label_issues(
    training: TrainingSet, *, catalogue: Catalogue, limit: int | None = None, seed: int = 0
) -> results.LabelIssuesResult:
    """Rank the labelled tracks by the quality of their labels, the worst first.

    Parameters
    ----------
    training : TrainingSet
    catalogue : Catalogue
        Outliers and near-duplicates are searched among all of its tracks, in the first space of the training set.
    limit : int or None
        Number of labels to return; by default a tenth of them.
    seed : int
        Seed of the folds.

    Returns
    -------
    LabelIssuesResult
    """
    quality = compute_label_quality(training, seed=seed)
    ranked = rank_labels(training, quality)
    space = training.data.spaces[0]
    ids, vectors = catalogue.vectors.matrix(space)
    tracks = {track.id: track for track in catalogue.tracks.all()}
    audible = np.array([not tracks[int(id_)].silent for id_ in ids], dtype=bool)
    audible_tracks = [tracks[int(id_)] for id_ in ids[audible]]
    return results.LabelIssuesResult(
        tracks=len(ranked),
        doubtful=sum(issue.confidence > issue.support for issue in ranked),
        suspicious=ranked[: limit or math.ceil(len(ranked) / 10)],
        by_track=sorted({issue.label for issue in ranked if issue.by_track}),
        alone=[
            str(label) for label, count in zip(*np.unique(training.y, return_counts=True), strict=True) if count == 1
        ],
        outliers=[audible_tracks[row].path for row in find_outliers(vectors[audible], space=space)],
        duplicates=[
            results.NearDuplicatePair(
                (audible_tracks[first].path, audible_tracks[second].path),
                (audible_tracks[first].label, audible_tracks[second].label),
                cosine,
            )
            for first, second, cosine in find_near_duplicates(vectors[audible])
        ],
        remarks=track_notices(tracks.values()),
    )


def rank_labels(training: TrainingSet, quality: LabelQuality) -> list[results.LabelIssue]:
    """List the support of each label and of the suggested one, the label with the least support first.

    Parameters
    ----------
    training : TrainingSet
    quality : LabelQuality
        Of the same tracks.

    Returns
    -------
    list of LabelIssue
        The only track of a genre is left out, because its label cannot be tested.
    """
    labels, codes, counts = np.unique(training.y, return_inverse=True, return_counts=True)
    proposals, order = suggest_labels(quality, codes)
    return [
        _label_issue(
            training, quality, row, label=int(codes[row]), proposal=int(proposals[row]), labels=labels.tolist()
        )
        for row in order.tolist()
        if counts[codes[row]] > 1
    ]


def _label_issue(
    training: TrainingSet, quality: LabelQuality, row: int, *, label: int, proposal: int, labels: Sequence[str]
) -> results.LabelIssue:
    track = training.tracks[row]
    nearest = [
        results.LabelledNeighbour(
            training.tracks[neighbour].path,
            str(training.y[neighbour]),
            round(float(similarity), 6),
            title=training.tracks[neighbour].title,
            artist=training.tracks[neighbour].artist,
        )
        for neighbour, similarity in zip(quality.neighbours[row], quality.similarities[row], strict=True)
    ]
    return results.LabelIssue(
        path=track.path,
        title=track.title,
        artist=track.artist,
        label=labels[label],
        proposal=labels[proposal],
        confidence=round(float(quality.scores[row, proposal]), 6),
        support=round(float(quality.scores[row, label]), 6),
        by_track=bool(quality.by_track[row]),
        neighbours=[one for one in nearest if one.label == labels[proposal]][:MAX_NEIGHBOURS],
        nearest=nearest[:N_NEAREST],
    )
