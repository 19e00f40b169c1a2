"""Write label issues as one self-contained HTML page: listen to the tracks, compare them with their neighbours, decide.

The page saves the decisions as the CSV that `sonotheque.explore.label_issues.corrections` reads. ``issues.css`` is its style and
``issues.js`` its script.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sonotheque import results
from sonotheque.explore.label_issues.corrections import COLUMNS, correction_row
from sonotheque.output_files import HTML, FilePath, OutputFile, as_output
from sonotheque.report.html_elements import Html, tag
from sonotheque.report.html_page import build_html_page
from sonotheque.report.sections import format_title
from sonotheque.report.track_audio import TrackAudio, collect_track_audio
from sonotheque.report.translation import Translator
from sonotheque.store.records import Track
from sonotheque.types import Progress

MESSAGES = (
    "progress", "saved", "nothing_decided", "new_genre", "not_kept", "play", "pause", "cannot_play", "kept", "restored",
)  # fmt: skip
"""Phrases of the page's script."""


def write_label_issues_page(
    path: FilePath | OutputFile,
    issues: results.LabelIssuesResult,
    *,
    tracks: Mapping[str, Track],
    command: str,
    audio: str = "auto",
    lang: str = "en",
    progress: Progress | None = None,
) -> Path:
    """Write the page.

    Parameters
    ----------
    path : path of the page, or OutputFile
        See `sonotheque.output_files.as_output`.
    issues : LabelIssuesResult
        From `sonotheque.explore.label_issues.find_issues.find_label_issues`; nothing is computed again.
    tracks : mapping of path to Track
        All labelled tracks: the genres to choose from, and the titles and artists of the neighbours.
    command : str
        The command line that the path of the saved CSV is appended to, such as ``sonotheque errors --apply``.
    audio : str
        See `sonotheque.report.track_audio.collect_track_audio`.
    lang : str
        ``en`` or ``fr``.
    progress : callable
        Called with (excerpts done, total).

    Returns
    -------
    Path
        Path of the page. The same issues and files give the same bytes.

    Raises
    ------
    LibraryError
        If `audio` is unknown, or the page cannot be written.
    """
    output = as_output(path, HTML)
    translator = Translator(lang)
    paths = dict.fromkeys(path for issue in issues.suspicious for path in _heard_paths(issue))
    heard = [tracks[path] for path in paths]
    sound = collect_track_audio(heard, audio=audio, progress=progress)
    builder = _PageBuilder(
        issues, tracks, {track.path: number for number, track in enumerate(heard)}, sound, translator
    )
    page = build_html_page(
        list(builder.body()),
        title=translator.translate("issues.title"),
        lang=lang,
        package="sonotheque.report.label_issues",
        name="issues",
        data_id="issues-data",
        data=_script_data(issues, tracks, heard, sound, translator) | {"command": command},
        plotly=False,
        media=sound.origin,
    )
    output.write([page.encode("utf-8")])
    return output.path


def _heard_paths(issue: results.LabelIssue) -> Iterator[str]:
    yield issue.path
    yield from (neighbour.path for neighbour in issue.nearest)


def _script_data(
    issues: results.LabelIssuesResult,
    tracks: Mapping[str, Track],
    heard: Sequence[Track],
    sound: TrackAudio,
    translator: Translator,
) -> dict[str, Any]:
    rows = [correction_row(issue)[:-1] for issue in issues.suspicious]
    identity = hashlib.sha256(repr(rows).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return {
        "id": f"sonotheque-errors-{identity}",
        "columns": COLUMNS,
        "rows": rows,
        "genres": _genres(tracks),
        "sounds": [clip or sound.url_of(track.path) for track, clip in zip(heard, sound.clips, strict=True)],
        "titles": [format_title(track) for track in heard],
        "messages": {name: translator.template(f"issues.script.{name}") for name in MESSAGES},
    }


def _genres(tracks: Mapping[str, Track]) -> list[str]:
    return sorted({track.label for track in tracks.values() if track.label})


class _PageBuilder:
    """Build the elements of the page."""

    def __init__(
        self,
        issues: results.LabelIssuesResult,
        tracks: Mapping[str, Track],
        numbers: Mapping[str, int],
        sound: TrackAudio,
        translator: Translator,
    ) -> None:
        self.issues, self.tracks, self.numbers, self.sound, self.translator = issues, tracks, numbers, sound, translator

    def translate(self, key: str, **values: object) -> str:
        return self.translator.translate(f"issues.{key}", **values)

    def body(self) -> Iterator[Html]:
        """Yield the header, the bar with the progress, one card for each label issue, and the instructions."""
        yield tag("a", self.translate("skip_link"), class_="skip", href="#cards")
        yield self._header()
        if self.issues.suspicious:
            yield self._bar()
        cards = [self._card(number, issue) for number, issue in enumerate(self.issues.suspicious)]
        empty = tag("p", self.translate("none"))
        yield tag("main", *(cards or [empty]), id="cards")
        yield self._footer()
        yield tag("div", id="status", aria_live="polite", class_="visually-hidden")

    def _header(self) -> Html:
        count = self.translator.format_count
        subtitle = self.translate(
            "subtitle",
            listed=len(self.issues.suspicious),
            tracks=count(self.issues.tracks, "labelled_track"),
        )
        help_ = tag(
            "details",
            tag("summary", self.translate("help_title")),
            tag("p", self.translate("support")),
            tag("p", self.translate("steps")),
            tag("p", self.translate("keys"), class_="keys"),
        )
        intro = tag("p", self.translate("intro"), class_="intro")
        return tag("header", tag("h1", self.translate("title")), tag("p", subtitle, class_="subtitle"), intro, help_)

    def _bar(self) -> Html:
        return tag(
            "div",
            tag("span", id="progress-text"),
            tag("progress", id="progress", max=len(self.issues.suspicious), value=0, aria_labelledby="progress-text"),
            tag("button", self.translate("save"), type="button", id="save", class_="primary"),
            tag("p", id="notice", class_="notice", hidden=True),
            class_="bar",
        )

    def _card(self, number: int, issue: results.LabelIssue) -> Html:
        track = self.tracks[issue.path]
        artist = issue.artist or self.translator.translate("page.unknown_artist")
        names = tag(
            "div",
            tag("h2", format_title(track), id=f"title-{number}"),
            tag("p", artist, class_="quiet"),
            class_="names",
        )
        head = tag("div", self._play_button(issue.path), names, tag("span", class_="state"), class_="head")
        return tag(
            "article",
            head,
            tag("div", self._evidence(issue), self._neighbours(issue), class_="evidence"),
            self._decision(number, issue),
            class_="card",
            data_row=number,
            tabindex=-1,
            aria_labelledby=f"title-{number}",
        )

    def _play_button(self, path: str) -> Html:
        number = self.numbers[path]
        if self.sound.clips[number] is None and self.sound.url_of(path) is None:
            return Html("")
        label = self.translator.translate("issues.script.play", title=format_title(self.tracks[path]))
        return tag("button", type="button", class_="play", data_sound=number, aria_label=label, aria_pressed="false")

    def _evidence(self, issue: results.LabelIssue) -> Html:
        rows = [
            self._support_row("label", issue.label, issue.support),
            self._support_row("suggestion", issue.proposal, issue.confidence),
        ]
        note = [tag("p", self.translate("by_track"), class_="quiet")] if issue.by_track else []
        return tag("div", tag("h3", self.translate("support_title")), tag("dl", *rows), *note)

    def _support_row(self, kind: str, label: str, support: float) -> Html:
        bar = tag("span", tag("span", style=f"width:{100 * support:.1f}%"), class_="meter", aria_hidden="true")
        value = tag("span", self.translator.format_percent(support), class_="value")
        name = tag("dt", self.translate(kind), " ", tag("b", label))
        return tag("div", name, tag("dd", bar, value), class_=kind)

    def _neighbours(self, issue: results.LabelIssue) -> Html:
        items = []
        for neighbour in issue.nearest:
            track = self.tracks[neighbour.path]
            kind = {issue.label: "label", issue.proposal: "suggestion"}.get(neighbour.label, "other")
            artist = track.artist or self.translator.translate("page.unknown_artist")
            similarity = self.translator.format_number(neighbour.similarity, digits=2)
            text = tag("span", format_title(track), tag("small", f"{artist} ·\u00a0{similarity}"), class_="neighbour")
            items.append(
                tag("li", self._play_button(neighbour.path), tag("span", neighbour.label, class_=f"chip {kind}"), text)
            )
        return tag("div", tag("h3", self.translate("neighbours_title")), tag("ul", *items))

    def _decision(self, number: int, issue: results.LabelIssue) -> Html:
        others = [genre for genre in _genres(self.tracks) if genre not in {issue.label, issue.proposal}]
        options = [
            tag("option", self.translate("other"), value=""),
            *(tag("option", genre, value=genre) for genre in others),
        ]
        new_genre = tag(
            "input",
            type="text",
            class_="new-genre",
            placeholder=self.translate("new_genre"),
            aria_label=self.translate("new_genre"),
            autocomplete="off",
            maxlength=100,
        )
        return tag(
            "div",
            self._choice("keep", self.translate("keep", label=issue.label), key="1"),
            self._choice("suggestion", self.translate("change", label=issue.proposal), key="2"),
            tag("select", *options, class_="genre-list", aria_label=self.translate("other")),
            new_genre,
            class_="decision",
            role="group",
            aria_label=self.translate("decision", title=format_title(self.tracks[issue.path])),
        )

    def _choice(self, kind: str, text: str, *, key: str) -> Html:
        return tag(
            "button", text, tag("kbd", key), type="button", class_="choice", data_choice=kind, aria_pressed="false"
        )

    def _footer(self) -> Html:
        command = tag("code", id="command", tabindex=0)
        return tag(
            "footer",
            tag("p", self.translate("apply")),
            command,
            tag("p", self.translate("new_genres_option"), id="new-genres-note", hidden=True),
        )
