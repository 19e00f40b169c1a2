"""The page of label issues: complete without a browser, and in one: listen, decide, save a CSV that `errors --apply` reads."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sonotheque import Library, results
from sonotheque.cli import cli
from sonotheque.errors import LibraryError
from sonotheque.explore.label_issues.corrections import COLUMNS
from sonotheque.report.label_issues.page import write_label_issues_page
from sonotheque.store.records import Track

EVIL = '</script><b>"x", <i>'


def make_track(number: int, label: str) -> Track:
    return Track(
        id=number, hash=str(number), path=f"/music/{number}, {EVIL.replace('/', '')}.flac", seconds=3.0, silent=False, notice=None,
        title=f"{EVIL}{number}", artist=None if number % 2 else f"{EVIL} & co", album=None, genre=None, label=label,
        label_source=None,
    )  # fmt: skip


TRACKS = {
    track.path: track for number in range(9) for track in [make_track(number, ("rock", "jazz", "folk")[number % 3])]
}


def make_issues(count: int = 4) -> results.LabelIssuesResult:
    """Make label issues of the first tracks, each with the tracks after it as neighbours."""
    tracks = list(TRACKS.values())
    suspicious = []
    for number, track in enumerate(tracks[:count]):
        near = [
            results.LabelledNeighbour(one.path, str(one.label), 0.9 - rank / 10)
            for rank, one in enumerate(tracks[number + 1 : number + 6])
        ]
        proposal = str(tracks[number + 1].label)
        suspicious.append(
            results.LabelIssue(
                path=track.path,
                title=track.title,
                artist=track.artist,
                label=str(track.label),
                proposal=proposal,
                confidence=0.6,
                support=0.1,
                by_track=number == 0,
                neighbours=near[:1],
                nearest=near,
            )
        )
    return results.LabelIssuesResult(
        tracks=9, doubtful=2, suspicious=suspicious, by_track=[], alone=[], outliers=[], duplicates=[], remarks=[]
    )


def write_page(
    path: Path, *, issues: results.LabelIssuesResult | None = None, audio: str = "none", lang: str = "en"
) -> Path:
    return write_label_issues_page(
        path, issues or make_issues(), tracks=TRACKS, command="sonotheque errors --apply", audio=audio, lang=lang
    )


def script_data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="issues-data">(.*?)</script>', page, re.DOTALL)
    assert found
    result: dict[str, Any] = json.loads(found[1])
    return result


def test_the_page_shows_each_label_with_its_support_and_the_neighbours(tmp_path: Path) -> None:
    page = write_page(tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<article") == 4
    assert page.count('class="neighbour"') == 4 * 5
    assert page.count("10%") == page.count("60%") >= 4
    assert page.count("few artists") == 1
    data = script_data(page)
    assert data["columns"] == list(COLUMNS)
    assert data["genres"] == ["folk", "jazz", "rock"]
    assert [row[0] for row in data["rows"]] == list(TRACKS)[:4]
    assert "<b>" not in re.sub(r"<dt>.*?</dt>", "", page)
    assert len(re.findall("<script", page)) == 2
    assert len(page) < 100_000  # without Plotly
    assert write_page(tmp_path / "again.html").read_bytes() == (tmp_path / "page.html").read_bytes()


def test_the_page_is_in_french(tmp_path: Path) -> None:
    page = write_page(tmp_path / "page.html", lang="fr").read_text(encoding="utf-8")
    assert '<html lang="fr">' in page
    for english in ("Keep", "Change to", "Sounds", "Support", "Another", "Save"):
        assert english not in page[page.index("<body>") : page.index("<script")]
    assert "60\xa0%" in page


def test_a_page_without_issues_says_so(tmp_path: Path) -> None:
    page = write_page(tmp_path / "page.html", issues=replace(make_issues(), suspicious=[])).read_text(encoding="utf-8")
    assert "There is no label to check." in page
    assert "<article" not in page
    assert 'id="save"' not in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--audio", "none"), "--audio requires --page"),
        (("--lang", "fr"), "--lang requires --page"),
        (("--page", "a.html", "--apply", "b.csv"), "--apply cannot be combined with --csv, --page"),
    ],
)
def test_options_of_the_page_need_the_page(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = CliRunner().invoke(cli, ["-L", str(tmp_path), "errors", *arguments])
    assert result.exit_code == 2
    assert message in result.output


def test_the_page_is_never_written_into_a_file_of_another_kind(demo_library: Library, tmp_path: Path) -> None:
    for name in ("page.mp3", "page.csv", "page"):
        with pytest.raises(LibraryError, match=r"ends in \.html"):
            demo_library.errors(page=tmp_path / name)
        assert not (tmp_path / name).exists()


def test_audio_is_embedded_linked_or_left_out(tmp_path: Path) -> None:
    sounds = {}
    for audio in ("none", "files", "http://localhost:8000/x"):
        page = write_page(tmp_path / "page.html", audio=audio).read_text(encoding="utf-8")
        sounds[audio] = script_data(page)["sounds"]
        assert page.count('class="play"') == (0 if audio == "none" else 4 + 4 * 5)
        assert ("media-src data: file: http://localhost:8000" in page) is audio.startswith("http")
    assert sounds["none"] == [None] * 9
    assert sounds["files"][0].startswith("file:///music/0%2C%20%3C")
    assert sounds["http://localhost:8000/x"][8].startswith("http://localhost:8000/x/8%2C")
    with pytest.raises(LibraryError, match="unknown audio source"):
        write_page(tmp_path / "page.html", audio="loud")


def save_corrections(page: Any, path: Path) -> list[list[str]]:
    """Save the CSV from the page, and return its rows."""
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename == "corrections.csv"
    download.value.save_as(path)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_decisions_by_key_and_mouse_are_saved_and_applied(
    open_page: Callable[..., Any], demo_library: Library, tmp_path: Path
) -> None:
    issues = demo_library.errors(limit=5, page=tmp_path / "labels.html", csv=tmp_path / "issues.csv")
    opened = open_page(tmp_path / "labels.html", viewport={"width": 1000, "height": 800})
    page = opened.page
    labels = [issue.label for issue in issues.suspicious]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("2")  # the suggested label, then the next track
    page.keyboard.press("1")  # keep
    cards = page.locator(".card")
    other = next(
        genre for genre in demo_library.status().labels if genre not in {labels[2], issues.suspicious[2].proposal}
    )
    cards.nth(2).locator("select").select_option(other)
    cards.nth(3).locator("input").fill("  new   wave ")
    cards.nth(4).locator(".choice").nth(1).click()
    cards.nth(4).locator(".choice").nth(1).click()  # taken back
    assert page.locator("#progress-text").inner_text() == "4 of 5 decided, 3 to change"
    assert "--new-genres" in page.locator("#command").inner_text()
    header, *rows = save_corrections(page, tmp_path / "corrections.csv")
    decisions = [issues.suspicious[0].proposal, "", other, "new wave", ""]
    assert [row[-1] for row in rows] == decisions
    with (tmp_path / "issues.csv").open(encoding="utf-8", newline="") as file:
        expected = list(csv.reader(file))
    assert [header, *(row[:-1] for row in rows)] == [expected[0], *(row[:-1] for row in expected[1:])]
    page.reload()
    assert page.locator(".state").all_inner_texts() == [
        f"→ {decisions[0]}", "✓ kept", f"→ {other}", "→ new wave", ""
    ]  # fmt: skip
    assert opened.errors == []
    assert opened.hosts == []
    assert demo_library.apply_corrections(tmp_path / "corrections.csv", new_genres=True).changed == 3
    changed = {track.path: track.label for track in demo_library.catalogue.tracks.all()}
    assert [changed[issue.path] for issue in issues.suspicious] == [
        decision or label for decision, label in zip(decisions, labels, strict=True)
    ]


def test_tracks_and_neighbours_play_one_at_a_time(
    open_page: Callable[..., Any], demo_library: Library, tmp_path: Path
) -> None:
    demo_library.errors(limit=1, page=tmp_path / "labels.html")
    opened = open_page(tmp_path / "labels.html")
    page = opened.page
    buttons = page.locator(".play")
    assert buttons.count() == 6
    page.keyboard.press("p")
    assert [button.get_attribute("aria-pressed") for button in buttons.all()] == ["true"] + ["false"] * 5
    buttons.nth(3).click()
    page.wait_for_timeout(300)
    assert [button.get_attribute("aria-pressed") == "true" for button in buttons.all()] == [n == 3 for n in range(6)]
    assert (buttons.nth(3).get_attribute("aria-label") or "").startswith("Pause ")
    assert page.locator("#notice").is_hidden()
    assert opened.errors == []


def test_fields_with_commas_quotes_and_markup_survive(open_page: Callable[..., Any], tmp_path: Path) -> None:
    opened = open_page(write_page(tmp_path / "page.html"))
    opened.page.locator(".new-genre").nth(1).fill('r"n,b')
    rows = save_corrections(opened.page, tmp_path / "corrections.csv")
    assert [row[0] for row in rows[1:]] == list(TRACKS)[:4]
    assert [row[2] for row in rows[1:]] == [track.title for track in TRACKS.values()][:4]
    assert [row[-1] for row in rows[1:]] == ["", 'r"n,b', "", ""]
    assert opened.errors == []


def test_words_for_keeping_and_known_genres_are_recognised(open_page: Callable[..., Any], tmp_path: Path) -> None:
    page = open_page(write_page(tmp_path / "page.html")).page
    for number, text in enumerate(("OK", "keep", "Folk", "")):
        page.locator(".new-genre").nth(number).fill(text)
    assert page.locator(".state").all_inner_texts() == ["✓ kept", "✓ kept", "✓ kept", ""]  # the third track is folk
    assert page.locator("#new-genres-note").is_hidden()


def test_a_browser_without_storage_is_told(open_page: Callable[..., Any], chromium: Any, tmp_path: Path) -> None:
    path = write_page(tmp_path / "page.html")
    context = chromium.new_context()
    context.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } })")
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-drawn=yes]")
    assert "does not keep decisions" in page.locator("#notice").inner_text()
    page.locator(".choice").first.click()
    assert page.locator(".state").first.inner_text() == "✓ kept"
    assert [row[-1] for row in save_corrections(page, tmp_path / "corrections.csv")[1:]] == [""] * 4
    context.close()


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_does_not_scroll_sideways(open_page: Callable[..., Any], tmp_path: Path, width: int) -> None:
    opened = open_page(write_page(tmp_path / "page.html", audio="files"), viewport={"width": width, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
