"""What the script of the map's page needs, column by column: names once and codes for each track, so that many stay small."""

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
from sonotheque.report.drawing import PALETTES
from sonotheque.store.records import Track

TAGS_SHOWN = 3
"""Tags of a track on its card."""

SCALES = {
    "light": [[0, "#e0a100"], [0.5, "#c2503a"], [1, "#3b1a5a"]],
    "dark": [[0, "#7b5cc4"], [0.5, "#e07b6a"], [1, "#fde38c"]],
}
"""Colours of numbers, from low to high: their lightness runs one way, for any colour vision, and both ends stand out."""


def columns(
    atlas: MapData,
    answers: MapPredictions,
    characters: Mapping[int, TrackAttributes],
    mapped: results.MapResult,
    *,
    clips: Sequence[str | None],
    base: str | None,
) -> dict[str, Any]:
    """Put together what the page shows of each track.

    Parameters
    ----------
    atlas : Atlas
    answers : Answers
    characters : mapping of track id to Character
    mapped : Mapped
    clips : data URIs [N], or None where there is no excerpt
    base : str or None
        Address that the tracks' paths are appended to, to play them; None: nothing is played but excerpts.
    """
    tracks, kept = list(atlas.tracks), atlas.stored_map
    known = [characters[track.id] for track in tracks]
    root = common_folder([track.path for track in tracks])
    genres = by_frequency([track.label for track in tracks], also=answers.names)
    return {
        "x": kept.positions[:, 0].astype(float).round(3).tolist(),
        "y": kept.positions[:, 1].astype(float).round(3).tolist(),
        "title": [track.title or Path(track.path).stem for track in tracks],
        "seconds": [round(track.seconds) for track in tracks],
        "path": [os.path.relpath(track.path, root) if root else track.path for track in tracks],
        "root": root,
        "separator": os.sep,
        "base": base,
        "clips": list(clips) if any(clips) else None,
        "album": coded([track.album for track in tracks]),
        "key": coded([one.key for one in known]),
        "tags": {"names": list(TAGS), "codes": [_strongest(one) for one in known]},
        "near": atlas.neighbours.rows.tolist(),
        "similarity": atlas.neighbours.similarities.astype(float).round(3).tolist(),
        "leans": [one.leans_to or 0 for one in mapped.places],
        "membership": [round(one.membership, 2) for one in mapped.places],
        "dimensions": _dimensions(tracks, answers, known, mapped, genres),
        "clusters": [_spot(atlas, cluster) for cluster in mapped.clusters],
        "weakest": vars(mapped.weakest) | {"confusions": []} if mapped.weakest else None,
        "palettes": {name: palette | {"numbers": SCALES[name]} for name, palette in PALETTES.items()},
    }


def common_folder(paths: Sequence[str]) -> str:
    """Return the folder that holds all of some absolute paths; empty where there is none."""
    try:
        return os.path.commonpath([os.path.dirname(path) for path in paths])
    except ValueError:  # no path, or several drives
        return ""


def by_frequency(names: Sequence[str | None], *, also: Sequence[str] = ()) -> list[str]:
    """List names, the most frequent first, and others that may not be among them last.

    Examples
    --------
    >>> by_frequency(["b", "a", None, "b"], also=["c"])
    ['b', 'a', 'c']
    """
    counts = Counter(name for name in names if name)
    return sorted({*counts, *also}, key=lambda name: (-counts[name], name))


def coded(names: Sequence[str | None], *, known: Sequence[str] | None = None) -> dict[str, Any]:
    """Write names as codes: of `known`, or of themselves by frequency; -1 where there is none."""
    order = by_frequency(names) if known is None else list(known)
    code = {name: number for number, name in enumerate(order)}
    return {"names": order, "codes": [code.get(name or "", -1) for name in names]}


def _dimensions(
    tracks: Sequence[Track],
    answers: MapPredictions,
    known: Sequence[TrackAttributes],
    mapped: results.MapResult,
    genres: Sequence[str],
) -> list[dict[str, Any]]:
    """List what points can be coloured by; what is known of no track is left out."""
    names = {cluster.number: cluster.name for cluster in mapped.clusters}
    predicted = [answers.names[code] if code >= 0 else None for code in answers.genres.tolist()]
    verdicts = [
        None if not judged else "right" if answer == track.label else "wrong"
        for track, answer, judged in zip(tracks, predicted, answers.held_out.tolist(), strict=True)
    ]
    confidence = [None if value != value else round(value, 3) for value in answers.confidence.tolist()]
    tempo = [None if one.tempo is None else round(one.tempo, 1) for one in known]
    found: list[dict[str, Any]] = [
        {"key": "genre", "says": "genre", **coded([track.label for track in tracks], known=genres)},
        {
            "key": "cluster",
            "says": "cluster",
            "names": list(names.values()),
            "codes": [-1 if place.cluster is None else place.cluster - 1 for place in mapped.places],
        },
        {"key": "predicted", "says": "predicted genre", **coded(predicted, known=genres)},
        {"key": "right", "says": "right or wrong", **coded(verdicts, known=["right", "wrong"])},
        {"key": "confidence", "says": "confidence", "values": confidence, "range": [0, 1], "unit": "%"},
        {"key": "artist", "says": "artist", **coded([track.artist for track in tracks])},
        {"key": "tempo", "says": "tempo", "values": tempo, "unit": "BPM"},
    ]
    return [
        one
        for one in found
        if any(value is not None for value in one.get("values", ())) or any(code >= 0 for code in one.get("codes", ()))
    ]


def _strongest(one: TrackAttributes) -> list[int]:
    if one.tags is None:
        return []
    order: list[int] = np.argsort(-one.tags, kind="stable")[:TAGS_SHOWN].tolist()
    return order


def _spot(atlas: MapData, cluster: results.Cluster) -> dict[str, Any]:
    """Say where on the map a cluster's name stands: in the middle of its tracks."""
    x, y = np.median(atlas.stored_map.positions[atlas.stored_map.clusters == cluster.number - 1], axis=0)
    return {"name": cluster.name, "tracks": cluster.tracks, "x": round(float(x), 3), "y": round(float(y), 3)}
