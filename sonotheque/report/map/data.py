"""Data for the script of the map page, as JSON: one array per column, with categories as names and integer codes to save space."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque import results
from sonotheque.embed.auto_tags import TAGS
from sonotheque.explore.map.map_data import MapData
from sonotheque.explore.map.predictions import MapPredictions
from sonotheque.explore.track_attributes import TrackAttributes
from sonotheque.report.genre_colours import assign_colours
from sonotheque.report.plotly_figure import PALETTES
from sonotheque.report.track_audio import common_folder
from sonotheque.store.records import Track

N_TAGS = 3
"""Number of auto-tags of a track on its card."""

MAX_COLOURED = 24
"""Maximum number of clusters and artists with a colour and shape of their own; the others are grey. Genres have a slot each."""

WRONG_SLOT = 33
"""Slot of wrong predictions: the second colour, as a cross."""

COLOURSCALES = {
    "light": [[0, "#e0a100"], [0.5, "#c2503a"], [1, "#3b1a5a"]],
    "dark": [[0, "#7b5cc4"], [0.5, "#e07b6a"], [1, "#fde38c"]],
}
"""Colours for numbers, from low to high: monotonic in lightness, colour-blind safe, both ends in contrast with the background."""


def make_page_data(
    map_data: MapData,
    predictions: MapPredictions,
    attributes: Mapping[int, TrackAttributes],
    result: results.MapResult,
    *,
    clips: Sequence[str | None],
    base: str | None,
    genre_colours: Mapping[str, int],
) -> dict[str, Any]:
    """Collect what the page shows of each track.

    Parameters
    ----------
    map_data : MapData
    predictions : MapPredictions
    attributes : mapping of track id to TrackAttributes
    result : MapResult
    clips : sequence of str or None, length N
        Audio excerpts as data URIs; None for a track without one.
    base : str or None
        URL to which the relative paths of the tracks are appended to play them. If None, only excerpts can be played.
    genre_colours : mapping of str to int
        Slots of the genres, see `sonotheque.report.genre_colours`. Genres without one get a free one.

    Returns
    -------
    dict
        JSON-serialisable.
    """
    tracks, stored = list(map_data.tracks), map_data.stored_map
    attributes_by_row = [attributes[track.id] for track in tracks]
    root = common_folder([track.path for track in tracks])
    genres = sort_by_frequency([track.label for track in tracks], also=predictions.names)
    return {
        "x": stored.positions[:, 0].astype(float).round(3).tolist(),
        "y": stored.positions[:, 1].astype(float).round(3).tolist(),
        "title": [track.title or Path(track.path).stem for track in tracks],
        "seconds": [round(track.seconds) for track in tracks],
        "path": [os.path.relpath(track.path, root) if root else track.path for track in tracks],
        "root": root,
        "separator": os.sep,
        "base": base,
        "clips": list(clips) if any(clips) else None,
        "album": encode_categories([track.album for track in tracks]),
        "key": encode_categories([one.key for one in attributes_by_row]),
        "tags": {"names": list(TAGS), "codes": [_strongest_tags(one) for one in attributes_by_row]},
        "neighbours": map_data.neighbours.rows.tolist(),
        "similarities": map_data.neighbours.similarities.astype(float).round(3).tolist(),
        "closest_cluster": [one.leans_to or 0 for one in result.places],
        "membership": [round(one.membership, 2) for one in result.places],
        "colour_options": _make_colour_options(
            tracks, predictions, attributes_by_row, result, genres, assign_colours(genres, stored=genre_colours)
        ),
        "label_support": _encode_label_support(tracks, predictions, genres),
        "clusters": [{"name": cluster.name, "tracks": cluster.tracks} for cluster in result.clusters],
        "weakest": vars(result.weakest) | {"confusions": []} if result.weakest else None,
        "palettes": {name: palette | {"colourscale": COLOURSCALES[name]} for name, palette in PALETTES.items()},
    }


def sort_by_frequency(names: Sequence[str | None], *, also: Sequence[str] = ()) -> list[str]:
    """Return the distinct names, the most frequent first; names that are only in `also` come last.

    Examples
    --------
    >>> sort_by_frequency(["b", "a", None, "b"], also=["c"])
    ['b', 'a', 'c']
    """
    counts = Counter(name for name in names if name)
    return sorted({*counts, *also}, key=lambda name: (-counts[name], name))


def encode_categories(names: Sequence[str | None], *, categories: Sequence[str] | None = None) -> dict[str, Any]:
    """Encode names as indices into a list of categories.

    Parameters
    ----------
    names : sequence of str or None
    categories : sequence of str or None
        By default the distinct names, the most frequent first.

    Returns
    -------
    dict
        ``names``, the categories, and ``codes``, one for each name; -1 for None and for names that are not a category.
    """
    ordered = sort_by_frequency(names) if categories is None else list(categories)
    code_of = {name: code for code, name in enumerate(ordered)}
    return {"names": ordered, "codes": [code_of.get(name or "", -1) for name in names]}


def _make_colour_options(
    tracks: Sequence[Track],
    predictions: MapPredictions,
    attributes_by_row: Sequence[TrackAttributes],
    result: results.MapResult,
    genres: Sequence[str],
    genre_colours: Mapping[str, int],
) -> list[dict[str, Any]]:
    """List what points can be coloured by; options without a value for any track are left out.

    ``slots`` has the slot of each name, see `sonotheque.report.genre_colours`, or None for grey. ``missing`` names the tracks
    without a value.
    """
    predicted = [predictions.names[code] if code >= 0 else None for code in predictions.genres.tolist()]
    correctness = [
        None if not evaluated else "correct" if prediction == track.label else "wrong"
        for track, prediction, evaluated in zip(tracks, predicted, predictions.held_out.tolist(), strict=True)
    ]
    confidence = [None if value != value else round(value, 3) for value in predictions.confidence.tolist()]
    tempo = [None if one.tempo is None else round(one.tempo, 1) for one in attributes_by_row]
    cluster_names = [cluster.name for cluster in result.clusters]
    genre_slots = [genre_colours[genre] for genre in genres]
    artists = encode_categories([track.artist for track in tracks])
    artist_colours = assign_colours(artists["names"][:MAX_COLOURED])
    options: list[dict[str, Any]] = [
        {
            "key": "genre",
            "label": "genre",
            "hint": "The label of each track.",
            "missing": "no label",
            "slots": genre_slots,
            **encode_categories([track.label for track in tracks], categories=genres),
        },
        {
            "key": "cluster",
            "label": "cluster",
            "hint": "Groups of similar tracks, found without labels.",
            "missing": "no cluster",
            "slots": [slot if slot < MAX_COLOURED else None for slot in range(len(cluster_names))],
            "names": cluster_names,
            "codes": [-1 if one.cluster is None else one.cluster - 1 for one in result.places],
        },
        {
            "key": "predicted",
            "label": "predicted genre",
            "hint": "For a labelled track, by a classifier that was trained without it.",
            "missing": "no prediction",
            "slots": genre_slots,
            **encode_categories(predicted, categories=genres),
        },
        {
            "key": "correct",
            "label": "correct or wrong",
            "hint": "Whether the predicted genre is the label. The classifier was trained without the track.",
            "missing": "no label",
            "slots": [0, WRONG_SLOT],
            **encode_categories(correctness, categories=["correct", "wrong"]),
        },
        {
            "key": "confidence",
            "label": "confidence",
            "hint": "Probability of the predicted genre.",
            "missing": "no prediction",
            "values": confidence,
            "range": [0, 1],
            "unit": "%",
        },
        {
            "key": "artist",
            "label": "artist",
            "hint": f"The {MAX_COLOURED} artists with the most tracks." if len(artists["names"]) > MAX_COLOURED else "",
            "missing": "unknown artist",
            "slots": [artist_colours.get(name) for name in artists["names"]],
            **artists,
        },
        {
            "key": "tempo",
            "label": "tempo",
            "hint": "In beats per minute.",
            "missing": "no clear tempo",
            "values": tempo,
            "unit": "BPM",
        },
    ]
    return [
        option
        for option in options
        if any(value is not None for value in option.get("values", ()))
        or any(code >= 0 for code in option.get("codes", ()))
    ]


def _encode_label_support(
    tracks: Sequence[Track], predictions: MapPredictions, genres: Sequence[str]
) -> dict[str, Any] | None:
    """List the support of each label and of the suggested one; None if no label was tested.

    ``rank`` is 1 for the label with the least support, and 0 for tracks whose label was not tested. ``voters`` are the rows of the
    nearest tracks that have the suggested label.
    """
    if not predictions.ranked_labels:
        return None
    row_of = {track.path: row for row, track in enumerate(tracks)}
    code_of = {genre: code for code, genre in enumerate(genres)}
    columns: dict[str, list[Any]] = {
        "proposal": [-1] * len(tracks),
        "proposal_support": [0] * len(tracks),
        "support": [0] * len(tracks),
        "rank": [0] * len(tracks),
        "by_track": [0] * len(tracks),
        "voters": [[] for _ in tracks],
    }
    for rank, issue in enumerate(predictions.ranked_labels, start=1):
        row = row_of.get(issue.path)
        if row is None:
            continue
        columns["proposal"][row] = code_of[issue.proposal]
        columns["proposal_support"][row] = round(issue.confidence, 3)
        columns["support"][row] = round(issue.support, 3)
        columns["rank"][row] = rank
        columns["by_track"][row] = int(issue.by_track)
        columns["voters"][row] = [row_of[voter.path] for voter in issue.neighbours if voter.path in row_of]
    return {"names": list(genres), "tested": len(predictions.ranked_labels), **columns}


def _strongest_tags(attributes: TrackAttributes) -> list[int]:
    if attributes.tags is None:
        return []
    order: list[int] = np.argsort(-attributes.tags, kind="stable")[:N_TAGS].tolist()
    return order
