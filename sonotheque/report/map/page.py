"""The HTML page of a map: controls, audio excerpts, and the quality of the map and its clusters as text and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sonotheque import results
from sonotheque.embed.space import short_name
from sonotheque.explore.map.map_data import MapData
from sonotheque.explore.map.predictions import MapPredictions
from sonotheque.explore.map.projection_quality import K
from sonotheque.explore.track_attributes import TrackAttributes
from sonotheque.output_files import HTML, FilePath, OutputFile, as_output
from sonotheque.plurals import pluralize
from sonotheque.report.html_elements import Html, table, tag
from sonotheque.report.html_page import build_html_page
from sonotheque.report.map.data import make_page_data
from sonotheque.report.track_audio import collect_track_audio
from sonotheque.types import Progress

MIN_MEASURABLE = 2 * K + 1
"""Minimum number of tracks for which `sonotheque.explore.map.projection_quality.trustworthiness` is defined."""


def write_map(
    path: FilePath | OutputFile,
    map_data: MapData,
    predictions: MapPredictions,
    attributes: Mapping[int, TrackAttributes],
    result: results.MapResult,
    *,
    audio: str = "auto",
    genre_colours: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write the page of a map.

    Parameters
    ----------
    path : path of the page, or OutputFile
        See `sonotheque.output_files.as_output`.
    map_data : MapData
    predictions : MapPredictions
    attributes : mapping of track id to TrackAttributes
    result : MapResult
    audio : str
        ``auto``, ``embed``, ``files``, ``none`` or a web address; see `Library.map`.
    genre_colours : mapping of str to int or None
        Colours of the genres that the library remembers, see `sonotheque.report.genre_colours`.
    progress : callable
        Called with (excerpts done, total).

    Returns
    -------
    Path
        Path of the page. The same map and files give the same bytes.

    Raises
    ------
    LibraryError
        If `audio` is none of these, the page cannot be written, or it would replace a file that is not an HTML page.
    """
    output = as_output(path, HTML)
    sound = collect_track_audio(map_data.tracks, audio=audio, progress=progress)
    page = build_html_page(
        [
            tag(
                "div",
                _make_header(),
                _make_notice(list_limits(map_data, predictions, result)),
                _make_main(),
                class_="screen",
            ),
            tag("div", id="status", aria_live="polite", class_="visually-hidden"),
            _make_footer(result),
        ],
        title=f"Map of {pluralize(len(map_data.tracks), 'track')}",
        lang="en",
        package="sonotheque.report.map",
        name="map",
        scripts=("cluster_labels", "track_search"),
        data_id="map-data",
        data=make_page_data(
            map_data,
            predictions,
            attributes,
            result,
            clips=sound.clips,
            base=sound.base,
            genre_colours=genre_colours or {},
        ),
        webgl=True,
        media=sound.origin,
    )
    output.write([page.encode("utf-8")])
    return output.path


def _make_header() -> Html:
    return tag(
        "header",
        tag("a", "Skip to the map", href="#plot", class_="skip-link"),
        tag("h1", "Map"),
        tag(
            "div",
            tag("label", "Search ", for_="search"),
            tag(
                "input",
                type="search",
                id="search",
                placeholder="title, artist, genre, tag, file",
                autocomplete="off",
                spellcheck="false",
                aria_controls="results",
            ),
            tag("div", id="results", role="group", aria_label="Search results", hidden=True),
            class_="search",
        ),
        tag("div", tag("label", "Colour by ", for_="colour"), tag("select", id="colour"), class_="colour-by"),
        tag(
            "div",
            tag("button", "Pan", type="button", id="pan", aria_pressed="true"),
            tag("button", "Lasso", type="button", id="lasso", aria_pressed="false"),
            tag("button", "Reset view", type="button", id="reset-view"),
            class_="drag-modes",
            role="group",
            aria_label="View and selection",
        ),
    )


def _make_main() -> Html:
    keys = (
        "Arrow keys go to the next track in that direction, Enter plays it, + and - zoom, 0 resets the view, "
        "Escape clears the search, the selection and the track."
    )
    plot = tag(
        "div",
        tag("div", id="plot", tabindex=0, role="application", aria_label=f"Map of the tracks. {keys}"),
        tag("div", id="hover", class_="hover", hidden=True),
        class_="map",
    )
    panel = tag(
        "aside",
        tag("section", id="selection", aria_label="Selected tracks", hidden=True),
        tag("section", id="card", aria_label="Current track", hidden=True),
        id="panel",
        aria_label="Selection and track",
        hidden=True,
    )
    legend = tag(
        "section",
        tag("h2", "Legend", id="legend-title"),
        tag("div", id="legend", role="group", aria_labelledby="legend-title"),
        tag("p", "Click a point to play the track. ", keys, class_="muted key-help"),
        class_="legend",
    )
    return tag("main", plot, panel, legend)


def list_limits(map_data: MapData, predictions: MapPredictions, result: results.MapResult) -> list[str]:
    """List what a map of few tracks cannot show; nothing if its quality can be measured.

    Parameters
    ----------
    map_data : MapData
    predictions : MapPredictions
    result : MapResult

    Returns
    -------
    list of str
        Sentences.
    """
    if result.quality.trustworthiness is not None:
        return []
    if result.tracks == 1:
        return ["With a single track there is nothing to compare: a map needs more."]
    limits = [
        f"With only {result.tracks} tracks, the positions say little: "
        f"how well a map keeps the neighbours can be measured from {MIN_MEASURABLE} tracks on."
    ]
    if map_data.neighbours.rows.shape[1] == result.tracks - 1:
        limits.append("The most similar tracks of each track are all the other tracks.")
    if not result.clusters:
        limits.append("No clusters were found.")
    if not (predictions.genres >= 0).any():
        limits.append("No genres are predicted and no labels are checked: that needs labels of two genres.")
    elif predictions.held_out.any():
        limits.append(
            f"The predicted genres come from only {pluralize(int(predictions.held_out.sum()), 'labelled track')}."
        )
    return limits


def _make_notice(sentences: Sequence[str]) -> Html:
    return tag("p", " ".join(sentences), class_="notice", role="note") if sentences else Html("")


def _make_footer(result: results.MapResult) -> Html:
    parameters = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in result.parameters.items())
    return tag(
        "footer",
        tag(
            "details",
            tag("summary", "Quality of the map and its clusters"),
            tag("ul", *(tag("li", fact) for fact in _list_facts(result))),
            table(
                ("cluster", "tracks", "labels", "error rate", "most frequent errors"),
                _make_cluster_rows(result),
                numbers=(1, 3),
            ),
            tag(
                "p",
                "Directions, and distances between groups that are far apart, have little meaning. Parameters: ",
                parameters,
                ".",
                class_="muted",
            ),
        ),
    )


def _make_cluster_rows(result: results.MapResult) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (
            cluster.name,
            str(cluster.tracks),
            _format_label_counts(cluster.labels),
            "-" if cluster.error_rate is None else f"{cluster.error_rate:.0%}",
            ", ".join(_format_confusion(pair) for pair in cluster.confusions) or "-",
        )
        for cluster in result.clusters
    ]
    if result.unclustered:
        rows.append(("no cluster", str(result.unclustered), _format_label_counts(result.unclustered_labels), "", ""))
    return rows


def _list_facts(result: results.MapResult) -> list[str]:
    quality, agreement = result.quality, result.agreement
    facts = [f"{pluralize(result.tracks, 'track')}, embedded with {short_name(result.space)} ({result.space})"]
    if result.later:
        facts.append(f"{pluralize(result.later, 'track')} added after the map was computed")
    if quality.trustworthiness is not None:
        facts.append(
            f"trustworthiness {quality.trustworthiness:.3f} (1: all neighbours on the map also sound similar; about 0.5: chance)"
        )
    if quality.same_label_map is not None:
        facts.append(
            f"of the ten nearest neighbours of a track, {quality.same_label_map:.0%} have the same label on the map, "
            f"{quality.same_label_space or 0:.0%} in the embedding space and {quality.same_label_chance or 0:.0%} by chance"
        )
    if agreement:
        facts.append(
            f"agreement of clusters and labels: adjusted mutual information {agreement.adjusted_mutual_information:.3f}, "
            f"adjusted Rand index {agreement.adjusted_rand:.3f}, homogeneity {agreement.homogeneity:.3f} "
            "(0: chance, 1: perfect)"
        )
    if result.error_rate is not None:
        same_artists = (
            f" (for {', '.join(result.by_track)} it was trained with other tracks by the same artists)"
            if result.by_track
            else ""
        )
        facts.append(
            f"out-of-fold error rate of a classifier: {result.error_rate:.0%} of {pluralize(result.judged, 'labelled track')}"
            f"{same_artists}"
        )
    if result.alone:
        facts.append(f"not judged, because they have only one track: {', '.join(result.alone)}")
    if result.weakest:
        weakest = result.weakest
        most_frequent = "".join(f", most frequently {_format_confusion(pair)}" for pair in weakest.confusions[:1])
        facts.append(
            f"highest local error rate, in the dashed circle: {weakest.error_rate:.0%} of {pluralize(weakest.tracks, 'track')}"
            f"{most_frequent}"
        )
    return facts


def _format_label_counts(labels: Mapping[str, int]) -> str:
    return ", ".join(f"{label} {count}" for label, count in labels.items()) or "-"


def _format_confusion(pair: results.ConfusedPair) -> str:
    return f"{pair.label} predicted as {pair.taken_for} ({pair.tracks})"
