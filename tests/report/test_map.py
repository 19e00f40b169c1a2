"""The map's page: what it holds, and in a real browser: points, search, sound, nearest, lasso, legend, keys; no request."""

from __future__ import annotations

import csv
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from sonotheque import Library, results
from sonotheque.demo import music, unlabelled
from sonotheque.errors import LibraryError
from sonotheque.explore.map.layout import MapSettings, compute_layout, layout_parameters
from sonotheque.explore.map.map_data import MapData
from sonotheque.explore.map.map_summary import summarize_map
from sonotheque.explore.map.predictions import MapPredictions
from sonotheque.explore.track_attributes import TrackAttributes
from sonotheque.report.map import write_map
from sonotheque.report.map.data import by_frequency, coded, common_folder
from sonotheque.store.maps import StoredMap
from sonotheque.store.records import Track

EVIL = '</script><img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def drawn(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, results.MapResult, Path]:
    """A page of the demo's music, one title of which is markup; its document; its library."""
    folder = tmp_path_factory.mktemp("map")
    shutil.copytree(demo_folder, folder / "library")
    with Library(folder / "library") as library:
        library.add(unlabelled())
        first = library.catalogue.tracks.all()[0]
        library.catalogue.database.execute("UPDATE tracks SET title = ? WHERE id = ?", (EVIL, first.id))
        mapped = library.map(folder / "map.html", cluster_size=5)
    return folder / "map.html", mapped, folder / "library"


def data_of(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="map-data">(.*?)</script>', text, re.DOTALL)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


def test_what_the_page_holds(drawn: tuple[Path, results.MapResult, Path], tmp_path: Path) -> None:
    page, mapped, folder = drawn
    data = data_of(page)
    assert len(data["x"]) == len(data["title"]) == len(data["near"]) == mapped.tracks == 55
    assert [one["key"] for one in data["dimensions"]] == [
        "genre",
        "cluster",
        "predicted",
        "right",
        "confidence",
        "artist",
    ]
    genre, cluster, predicted, right = data["dimensions"][:4]
    assert genre["names"] == predicted["names"]
    assert sum(code >= 0 for code in genre["codes"]) == sum(code >= 0 for code in right["codes"]) == 46
    assert all(code >= 0 for code in predicted["codes"])
    assert sum(code >= 0 for code in cluster["codes"]) == mapped.tracks - mapped.unclustered
    assert all(clip.startswith("data:audio/ogg;base64,") for clip in data["clips"])
    assert EVIL in data["title"]
    text = page.read_text(encoding="utf-8")
    assert EVIL not in text
    assert "trustworthiness 0." in text
    assert not re.search(r"""(src|href)=["']?https?:""", text.partition("<script")[0])
    with Library(folder) as library:
        library.map(tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


@pytest.mark.parametrize(
    ("audio", "base", "policy"),
    [
        ("files", "file://", "media-src data: file:;"),
        ("none", None, "media-src data: file:;"),
        ("http://localhost:8000/music", "http://localhost:8000/music/", "media-src data: file: http://localhost:8000;"),
    ],
)
def test_where_sounds_come_from(
    drawn: tuple[Path, results.MapResult, Path], tmp_path: Path, audio: str, base: str | None, policy: str
) -> None:
    with Library(drawn[2]) as library:
        library.map(tmp_path / "map.html", audio=audio)
    data = data_of(tmp_path / "map.html")
    assert data["clips"] is None
    assert data["base"] == base or data["base"].startswith(base)
    assert policy in (tmp_path / "map.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("audio", ["loud", "ftp://x/", "http://", "http://a;script-src *", "javascript:alert(1)"])
def test_no_other_way(drawn: tuple[Path, results.MapResult, Path], tmp_path: Path, audio: str) -> None:
    with Library(drawn[2]) as library, pytest.raises(LibraryError, match="no way to play"):
        library.map(tmp_path / "map.html", audio=audio)
    assert not (tmp_path / "map.html").exists()


def test_a_place_that_cannot_be_written(drawn: tuple[Path, results.MapResult, Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Library(drawn[2]) as library, pytest.raises(LibraryError, match="cannot be written"):
        library.map(tmp_path / "file" / "map.html", audio="none")


def test_small_pieces() -> None:
    assert common_folder(["/a/b/c.mp3", "/a/b/d/e.mp3"]) == "/a/b"
    assert common_folder([]) == ""
    assert by_frequency(["x", None, "y", "y"]) == ["y", "x"]
    assert coded(["x", None, "y", "y"]) == {"names": ["y", "x"], "codes": [1, -1, 0, 0]}


# In a browser

WIDE = {"width": 1300, "height": 900}
BAD = ("error",)  # software rendering is warned of


def spot(page: Any, row: int) -> tuple[float, float]:
    """Where a track is on the screen."""
    x, y = page.evaluate(
        """row => {
          const plot = document.getElementById("plot"), layout = plot._fullLayout, box = plot.getBoundingClientRect();
          const points = plot.data.filter(trace => trace.meta === "points");
          for (const trace of points) {
            const at = trace.customdata.indexOf(row);
            if (at >= 0) return [box.x + layout.xaxis._offset + layout.xaxis.d2p(trace.x[at]),
                                 box.y + layout.yaxis._offset + layout.yaxis.d2p(trace.y[at])];
          }
        }""",
        row,
    )
    return x, y


def shown(page: Any) -> int:
    """How many points are drawn."""
    return int(
        page.evaluate(
            'document.getElementById("plot").data.filter(one => one.meta === "points").reduce((sum, one) => sum + one.x.length, 0)'
        )
    )


def coloured_pixels(page: Any) -> int:
    """How many pixels WebGL has drawn."""
    return int(
        page.evaluate(
            """() => {
              let count = 0;
              for (const canvas of document.querySelectorAll("#plot canvas")) {
                const copy = document.createElement("canvas");
                [copy.width, copy.height] = [canvas.width, canvas.height];
                const context = copy.getContext("2d");
                context.drawImage(canvas, 0, 0);
                const pixels = context.getImageData(0, 0, copy.width, copy.height).data;
                for (let at = 3; at < pixels.length; at += 4) count += pixels[at] > 0;
              }
              return count;
            }"""
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_points_are_drawn_in_every_colour_without_a_word_or_a_request(
    open_page: Callable[..., Any], drawn: tuple[Path, results.MapResult, Path], scheme: str
) -> None:
    opened = open_page(drawn[0], bad=BAD, color_scheme=scheme, viewport=WIDE)
    page = opened.page
    assert shown(page) == 55
    assert coloured_pixels(page) > 55 * 30
    names = page.locator("#plot .annotation-text")
    assert names.count() >= 1
    assert names.first.text_content() in {f"{cluster.name} ({cluster.tracks})" for cluster in drawn[1].clusters}
    for key in page.locator("#colour option").evaluate_all("all => all.map(one => one.value)"):
        page.select_option("#colour", key)
        page.wait_for_timeout(150)
        assert shown(page) == 55, key
        entries = page.locator("#legend button.entry")
        assert entries.count() >= 1
        entries.last.click(modifiers=["Shift"])  # only this one, such as those of which nothing is known
        page.wait_for_timeout(150)
        alone = shown(page)
        assert alone == int(entries.last.locator("span").last.inner_text())
        assert coloured_pixels(page) > 15 * alone, key
    assert opened.errors == []
    assert opened.hosts == []


def test_search_finds_a_track_and_goes_there(
    open_page: Callable[..., Any], drawn: tuple[Path, results.MapResult, Path]
) -> None:
    opened = open_page(drawn[0], bad=BAD, viewport=WIDE)
    page = opened.page
    page.fill("#search", "obsidian fear")
    page.wait_for_selector("#found button")
    assert page.locator("#found button").count() == 1
    page.press("#search", "Enter")
    page.wait_for_selector("#card:visible")
    assert "Obsidian Shell" in page.locator("#card").inner_text()
    page.fill("#search", "obs\u00eddi\u00e1n f\u00e9ar")  # with accents or without
    page.wait_for_selector("#found button")
    page.fill("#search", "no such thing")
    page.wait_for_selector("#found:has-text('no such track')")
    page.press("#search", "Escape")
    assert page.locator("#found").is_hidden()
    page.fill("#search", "onerror")
    page.wait_for_selector("#found button")
    page.press("#search", "Enter")
    assert page.locator("#card h2").inner_text() == EVIL
    assert opened.errors == []


def test_a_click_plays_and_draws_lines_to_the_nearest(
    open_page: Callable[..., Any], drawn: tuple[Path, results.MapResult, Path]
) -> None:
    opened = open_page(drawn[0], bad=BAD, viewport=WIDE)
    page, data = opened.page, data_of(drawn[0])
    row = lonely(data)
    page.mouse.move(*spot(page, row))
    page.wait_for_selector("#hover:visible")
    assert data["title"][row] in page.locator("#hover").inner_text()
    page.mouse.click(*spot(page, row))
    page.wait_for_function(
        "(sound => sound && !sound.paused && sound.currentTime > 0.2)(document.getElementById('sound'))"
    )
    assert 9 < page.evaluate("document.getElementById('sound').duration") < 11
    lines = page.evaluate("document.getElementById('plot').data.find(one => one.meta === 'lines').x")
    assert len(lines) == 30
    assert page.locator("#card ol button").count() == 10
    page.locator("#card ol button").first.click()
    assert page.locator("#card h2").inner_text() == data["title"][data["near"][row][0]]
    assert opened.errors == []
    assert opened.hosts == []


def lonely(data: dict[str, Any]) -> int:
    """The track that lies farthest from the others."""
    places = np.array([data["x"], data["y"]]).T
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(distances, np.inf)
    return int(distances.min(axis=1).argmax())


def test_the_lasso_exports_lists(open_page: Callable[..., Any], drawn: tuple[Path, results.MapResult, Path]) -> None:
    opened = open_page(drawn[0], bad=BAD, viewport=WIDE)
    page, data = opened.page, data_of(drawn[0])
    page.click("#lasso")
    box = page.locator("#plot").bounding_box()
    left, right = box["x"] + 20, box["x"] + box["width"] / 2
    top, bottom = box["y"] + 20, box["y"] + box["height"] - 20
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 5)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    page.wait_for_selector("#list:visible")
    inside = {row for row in range(55) if left < spot(page, row)[0] < right}
    assert 5 < len(inside) < 50
    assert page.locator("#list h2").inner_text() == f"{len(inside)} tracks taken"
    playlist = downloaded(page, "#list button:has-text('M3U8')")
    lines = playlist.splitlines()
    assert lines[0] == "#EXTM3U"
    assert {Path(line) for line in lines[2::2]} == {Path(data["root"]) / data["path"][row] for row in inside}
    assert all(Path(line).is_file() for line in lines[2::2])
    assert all(re.match(r"#EXTINF:\d+,.+", line) for line in lines[1::2])
    rows = list(csv.DictReader(downloaded(page, "#list button:has-text('CSV')").splitlines()))
    assert {row["file"] for row in rows} == set(lines[2::2])
    assert {row["genre"] for row in rows} <= {"", *drawn[1].unclustered_labels, *data["dimensions"][0]["names"]}
    page.click("#list button:has-text('Let go')")
    assert page.locator("#list").is_hidden()
    assert opened.errors == []


def downloaded(page: Any, button: str) -> str:
    with page.expect_download() as download:
        page.click(button)
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_the_legend_filters_and_keys_travel(
    open_page: Callable[..., Any], drawn: tuple[Path, results.MapResult, Path]
) -> None:
    opened = open_page(drawn[0], bad=BAD, viewport=WIDE)
    page = opened.page
    entry = page.locator("#legend button.entry").first
    count = int(entry.locator("span").last.inner_text())
    entry.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        f"document.getElementById('plot').data.reduce((sum, one) => sum + one.x.length, 0) === {55 - count}"
    )
    assert page.locator("#legend button.entry").first.get_attribute("aria-pressed") == "false"
    page.click("#shown")
    assert page.locator("#list h2").inner_text() == f"{55 - count} tracks taken"
    page.click("#legend button:has-text('All')")
    page.focus("#plot")
    titles = set()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
        titles.add(page.locator("#card h2").inner_text())
    assert len(titles) >= 3
    assert page.locator("#said").inner_text()
    assert page.evaluate("document.getElementById('sound').paused")
    page.keyboard.press("Enter")
    page.wait_for_function("!document.getElementById('sound').paused")
    before = page.evaluate("document.getElementById('plot').layout.xaxis.range")
    page.keyboard.press("+")
    page.wait_for_function(f"document.getElementById('plot').layout.xaxis.range[0] > {before[0]}")
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    assert page.locator("#card").is_hidden()
    assert opened.errors == []


def test_it_fills_its_place_when_the_window_changes(
    open_page: Callable[..., Any], drawn: tuple[Path, results.MapResult, Path]
) -> None:
    opened = open_page(drawn[0], bad=BAD, viewport={"width": 900, "height": 900})
    page = opened.page

    def filled() -> float:
        places = np.array([spot(page, row) for row in range(55)])
        box = page.locator("#plot").bounding_box()
        return float((np.ptp(places, axis=0) / [box["width"], box["height"]]).max())

    assert filled() > 0.7
    page.set_viewport_size({"width": 1400, "height": 900})
    page.wait_for_timeout(1000)
    assert filled() > 0.7
    page.focus("#plot")
    page.keyboard.press("+")
    page.wait_for_timeout(300)
    zoomed = page.evaluate("document.getElementById('plot').layout.xaxis.range[0]")
    page.set_viewport_size({"width": 1300, "height": 900})
    page.wait_for_timeout(1000)
    assert page.evaluate("document.getElementById('plot').layout.xaxis.range[0]") == pytest.approx(zoomed, abs=0.5)
    assert opened.errors == []


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_need_not_scroll_sideways(
    open_page: Callable[..., Any], drawn: tuple[Path, results.MapResult, Path], width: int
) -> None:
    opened = open_page(drawn[0], bad=BAD, viewport={"width": width, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.errors == []


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """The demo's music behind an address on this machine."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            asked.append(self.path)

    root = music().parent
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root))) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}/", asked
        serving.shutdown()
        thread.join()


def test_sounds_from_a_file_and_from_an_address(
    open_page: Callable[..., Any],
    drawn: tuple[Path, results.MapResult, Path],
    tmp_path: Path,
    server: tuple[str, list[str]],
) -> None:
    address, asked = server
    for audio in ("files", address):
        with Library(drawn[2]) as library:
            library.map(tmp_path / "map.html", audio=audio)
        opened = open_page(tmp_path / "map.html", bad=BAD, viewport=WIDE)
        page, data = opened.page, data_of(tmp_path / "map.html")
        row = lonely(data)
        page.mouse.click(*spot(page, row))
        page.wait_for_function(
            "(sound => sound && !sound.paused && sound.currentTime > 0.2)(document.getElementById('sound'))"
        )
        assert opened.errors == []
        assert all(host.startswith(address) for host in opened.hosts)
        assert bool(opened.hosts) == (audio == address)
    assert unquote(urlsplit(asked[0]).path) == "/" + data["path"][row]


def test_ten_thousand_tracks_open_in_three_seconds(open_page: Callable[..., Any], tmp_path: Path) -> None:
    import time

    count = 10_000
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((30, 16))
    vectors = (centres[generator.integers(0, 30, count)] + 0.4 * generator.standard_normal((count, 16))).astype(
        np.float32
    )
    layout = compute_layout(vectors[:500], space="a")  # the places of 10,000 would take a minute
    places = layout.positions[generator.integers(0, 500, count)] + generator.normal(0, 0.1, (count, 2)).astype(
        np.float32
    )
    tracks = [
        Track(n, f"{n:064x}", f"/music/artist {n % 700}/{n} title.mp3", 200.0, False, None, f"title {n}", f"artist {n % 700}",
              f"album {n % 1500}", None, f"genre {n % 12}", "test")
        for n in range(count)
    ]  # fmt: skip
    clusters = layout.clusters.labels[generator.integers(0, 500, count)]
    kept = StoredMap(layout_parameters(MapSettings(), count), np.arange(count), places, clusters,
                   np.zeros((count, int(clusters.max()) + 1), np.float32), np.zeros(count, bool))  # fmt: skip
    near = layout.neighbours.nearest(10)
    rows = np.tile(near.rows, (count // 500, 1))
    atlas = MapData("a", tracks, vectors, kept, type(near)(rows, np.tile(near.similarities, (count // 500, 1))))
    names = [f"genre {n}" for n in range(12)]
    codes = generator.integers(0, 12, count)
    answers = MapPredictions(names, codes, generator.random(count), np.ones(count, bool))
    heard = {n: TrackAttributes(100.0 + n % 80, 0.5, "C major", generator.random(50)) for n in range(count)}
    write_map(tmp_path / "map.html", atlas, answers, heard, summarize_map(atlas, answers, heard))
    begin = time.perf_counter()
    opened = open_page(tmp_path / "map.html", bad=BAD, viewport=WIDE)
    seconds = time.perf_counter() - begin
    assert shown(opened.page) == count
    assert opened.errors == []
    assert seconds < 3 or (seconds < 6 and busy()), seconds


def busy() -> bool:
    """Whether other work takes the processors: then a time says little."""
    import os

    return os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)
