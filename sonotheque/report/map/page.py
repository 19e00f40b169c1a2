"""The page of a map, put together: what stands on it, the excerpts that it plays, and how true it is, in words and tables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from sonotheque import results
from sonotheque.embed.space import short_name
from sonotheque.errors import LibraryError
from sonotheque.explore.map.map_data import MapData
from sonotheque.explore.map.predictions import MapPredictions
from sonotheque.explore.track_attributes import TrackAttributes
from sonotheque.output_files import write_atomic
from sonotheque.report.excerpts import cut_excerpts
from sonotheque.report.map.data import columns, common_folder
from sonotheque.report.markup import Html, table, tag
from sonotheque.report.standalone import standalone
from sonotheque.types import Progress

EMBEDDED = 300
"""Tracks up to which ``auto`` puts excerpts into the page: 40 KB each, so 16 MB in all."""


def write_map(
    path: str | os.PathLike[str],
    atlas: MapData,
    answers: MapPredictions,
    characters: Mapping[int, TrackAttributes],
    mapped: results.MapResult,
    *,
    audio: str = "auto",
    progress: Progress | None = None,
) -> Path:
    """Write the page.

    Parameters
    ----------
    path : path of the page; an older one is replaced
    atlas : Atlas
    answers : Answers
    characters : mapping of track id to Character
    mapped : Mapped
    audio : str
        ``auto``, ``embed``, ``files``, ``none`` or a web address; see `Library.map`.
    progress : callable
        Called with (excerpts cut, excerpts in all).

    Returns
    -------
    Path
        Of the page. The same map and files give the same bytes.

    Raises
    ------
    LibraryError
        If `audio` is none of these, or the page cannot be written.
    """
    address = _address(audio)
    clips: Sequence[str | None] = [None] * len(atlas.tracks)
    base = address
    if audio == "embed" or (audio == "auto" and len(atlas.tracks) <= EMBEDDED):
        clips = cut_excerpts(atlas.tracks, progress=progress)
    if audio in {"auto", "embed", "files"}:
        root = common_folder([track.path for track in atlas.tracks])
        base = Path(root or os.sep).as_uri().rstrip("/") + "/" if root else "file://"
    data = columns(atlas, answers, characters, mapped, clips=clips, base=base)
    page = standalone(
        [_header(), _main(), _details(mapped)],
        title=f"Map of {len(atlas.tracks)} tracks",
        lang="en",
        package="sonotheque.report.map",
        name="map",
        data_id="map-data",
        data=data,
        webgl=True,
        media=None if address is None else "{0.scheme}://{0.netloc}".format(urlsplit(address)),
    )
    place = Path(path)
    write_atomic(place, [page.encode("utf-8")])
    return place


def _address(audio: str) -> str | None:
    """Return the web address that sounds come from; None where they come from files.

    Raises
    ------
    LibraryError
        If it is neither a way nor an address.
    """
    if audio in {"auto", "embed", "files", "none"}:
        return None
    parts = urlsplit(audio)
    if parts.scheme not in {"http", "https"} or not parts.netloc or any(letter in parts.netloc for letter in " ;,'\""):
        raise LibraryError(
            f"{audio}: no way to play sounds; give auto, embed, files, none or an address such as http://localhost:8000/"
        )
    return audio.rstrip("/") + "/"


def _header() -> Html:
    return tag(
        "header",
        tag("a", "Skip to the map", href="#plot", class_="skip"),
        tag("h1", "Map"),
        tag(
            "div",
            tag("label", "Search ", for_="search"),
            tag(
                "input",
                type="search",
                id="search",
                placeholder="title, artist, album, file",
                autocomplete="off",
                spellcheck="false",
                aria_controls="found",
            ),
            tag("div", id="found", role="group", aria_label="Tracks found", hidden=True),
            class_="search",
        ),
        tag("div", tag("label", "Colour ", for_="colour"), tag("select", id="colour")),
        tag(
            "div",
            tag("button", "Move", type="button", id="move", aria_pressed="true"),
            tag("button", "Lasso", type="button", id="lasso", aria_pressed="false"),
            tag("button", "Whole map", type="button", id="whole"),
            class_="modes",
            role="group",
            aria_label="What dragging does",
        ),
    )


def _main() -> Html:
    keys = "Arrow keys go to the next track in that direction, Enter plays, + and - zoom, 0 shows everything, Escape lets go."
    plot = tag(
        "div",
        tag("div", id="plot", tabindex=0, role="application", aria_label=f"Map of the tracks. {keys}"),
        tag("div", id="hover", class_="hover", hidden=True),
        class_="map",
    )
    side = tag(
        "aside",
        tag("section", id="card", aria_label="The chosen track", hidden=True),
        tag("section", id="list", aria_label="The tracks taken", hidden=True),
        tag(
            "section",
            tag("h2", "Legend", id="legend-title"),
            tag("div", id="legend", role="group", aria_labelledby="legend-title"),
            tag("p", tag("button", "Take all that is shown", type="button", id="shown"), class_="quiet"),
        ),
        tag("p", "Click a point to hear it. ", keys, class_="quiet keys"),
    )
    return tag("main", plot, side, tag("div", id="said", aria_live="polite", class_="unseen"))


def _details(mapped: results.MapResult) -> Html:
    quality, one = mapped.quality, mapped.agreement
    rows = [
        (
            cluster.name,
            str(cluster.tracks),
            ", ".join(f"{label} {count}" for label, count in cluster.labels.items()) or "-",
            "-" if cluster.error_rate is None else f"{cluster.error_rate:.0%}",
            ", ".join(f"{pair.label} taken for {pair.taken_for} ({pair.tracks})" for pair in cluster.confusions) or "-",
        )
        for cluster in mapped.clusters
    ]
    if mapped.unclustered:
        labels = ", ".join(f"{label} {count}" for label, count in mapped.unclustered_labels.items()) or "-"
        rows.append(("in none", str(mapped.unclustered), labels, "", ""))
    facts = [f"{mapped.tracks} tracks by {short_name(mapped.space)} ({mapped.space})"]
    if mapped.later:
        facts.append(f"{mapped.later} of them were put on the map after it was drawn")
    if quality.trustworthiness is not None:
        facts.append(
            f"trustworthiness {quality.trustworthiness:.3f} (1: whoever is near on the map is near in sound; about 0.5: chance)"
        )
    if quality.same_label_map is not None:
        facts.append(
            f"of a track's ten nearest {quality.same_label_map:.0%} bear its label on the map, "
            f"{quality.same_label_space or 0:.0%} by sound, {quality.same_label_chance or 0:.0%} by chance"
        )
    if one:
        facts.append(
            f"clusters and labels: adjusted mutual information {one.adjusted_mutual_information:.3f}, adjusted Rand index "
            f"{one.adjusted_rand:.3f}, homogeneity {one.homogeneity:.3f} (0: chance, 1: the same)"
        )
    known = f" (in {', '.join(mapped.by_track)} it knew other tracks of the same artists)" if mapped.by_track else ""
    if mapped.error_rate is not None:
        facts.append(
            f"a classifier that learned without them is wrong for {mapped.error_rate:.0%} of the {mapped.judged} "
            f"labelled tracks{known}"
        )
    if mapped.weakest:
        weak = mapped.weakest
        facts.append(
            f"it fails most inside the dashed circle: {weak.error_rate:.0%} of {weak.tracks} tracks there"
            + "".join(f", {pair.label} taken for {pair.taken_for} ({pair.tracks})" for pair in weak.confusions[:1])
        )
    made = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in mapped.parameters.items())
    header = ("cluster", "tracks", "labels", "wrong answers", "most often")
    return tag(
        "footer",
        tag(
            "details",
            tag("summary", "How true is this map, and what are its clusters?"),
            tag("ul", *(tag("li", fact) for fact in facts)),
            table(header, rows, numbers=(1, 3)),
            tag("p", "Directions and distances between far groups mean little. Made with: ", made, ".", class_="quiet"),
        ),
    )
