"""Everything that is shown of a map: positions, predictions, track attributes and the summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.explore.map.layout import MapSettings
from sonotheque.explore.map.map_data import MapData, load_map
from sonotheque.explore.map.map_summary import summarize_map
from sonotheque.explore.map.predictions import MapPredictions, predict_map
from sonotheque.explore.track_attributes import (
    TrackAttributes,
    load_track_attributes,
    report_missing_auto_tags,
)
from sonotheque.results import MapResult
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import Progress


class MapView(NamedTuple):
    """All that pages and tables of a map are made of.

    Attributes
    ----------
    data : MapData
    predictions : MapPredictions
    attributes : mapping of track id to TrackAttributes
    summary : MapResult
    """

    data: MapData
    predictions: MapPredictions
    attributes: Mapping[int, TrackAttributes]
    summary: MapResult


def load_map_view(
    catalogue: Catalogue,
    training: TrainingSet | None,
    *,
    space: str,
    settings: MapSettings | None = None,
    rebuild: bool = False,
    with_labels: bool = False,
    progress: Progress | None = None,
) -> MapView:
    """Load or compute the map of a space, with predictions for its tracks and a summary.

    Parameters
    ----------
    catalogue : Catalogue
    training : TrainingSet or None
        Labelled tracks for the predictions. None if there are too few.
    space, settings, rebuild, progress : see `sonotheque.explore.map.map_data.load_map`
    with_labels : bool
        Also rank the labels by their support, see `sonotheque.explore.map.predictions.predict_map`.

    Returns
    -------
    MapView
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        data = load_map(catalogue, space=space, settings=settings, rebuild=rebuild, progress=progress)
        attributes = load_track_attributes(catalogue)
        silent = sum(track.silent for track in data.tracks)
        report_missing_auto_tags(attributes, silent, use="which name clusters and describe tracks")
        predictions = predict_map(data, training, catalogue=catalogue, with_labels=with_labels)
        return MapView(data, predictions, attributes, summarize_map(data, predictions, attributes))
