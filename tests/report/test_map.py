"""The map page: its data, and in a browser: points, search, audio, neighbours, lasso, legend, keyboard, no network requests."""

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
from sonotheque.report.map.data import encode_categories, sort_by_frequency
from sonotheque.report.track_audio import common_folder
from sonotheque.store.maps import StoredMap
from sonotheque.store.records import Track

EVIL = '</script><img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def map_page(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, results.MapResult, Path]:
    """The page of the demo music, with markup as one of the titles; the result; the library."""
    folder = tmp_path_factory.mktemp("map")
    shutil.copytree(demo_folder, folder / "library")
    with Library(folder / "library") as library:
        library.add(unlabelled())
        first = library.catalogue.tracks.all()[0]
        library.catalogue.database.execute("UPDATE tracks SET title = ? WHERE id = ?", (EVIL, first.id))
        mapped = library.map(folder / "map.html", cluster_size=5)
    return folder / "map.html", mapped, folder / "library"


def read_data(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="map-data">(.*?)</script>', text, re.DOTALL)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


def test_page_data(map_page: tuple[Path, results.MapResult, Path], tmp_path: Path) -> None:
    page, result, folder = map_page
    data = read_data(page)
    assert len(data["x"]) == len(data["title"]) == len(data["neighbours"]) == result.tracks == 55
    assert [one["key"] for one in data["colour_options"]] == [
        "genre",
        "cluster",
        "predicted",
        "correct",
        "confidence",
        "artist",
    ]
    genre, cluster, predicted, correct = data["colour_options"][:4]
    assert genre["names"] == predicted["names"]
    assert sum(code >= 0 for code in genre["codes"]) == sum(code >= 0 for code in correct["codes"]) == 46
    assert all(code >= 0 for code in predicted["codes"])
    assert sum(code >= 0 for code in cluster["codes"]) == result.tracks - result.unclustered
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
def test_audio_sources(
    map_page: tuple[Path, results.MapResult, Path], tmp_path: Path, audio: str, base: str | None, policy: str
) -> None:
    with Library(map_page[2]) as library:
        library.map(tmp_path / "map.html", audio=audio)
    data = read_data(tmp_path / "map.html")
    assert data["clips"] is None
    assert data["base"] == base or data["base"].startswith(base)
    assert policy in (tmp_path / "map.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("audio", ["loud", "ftp://x/", "http://", "http://a;script-src *", "javascript:alert(1)"])
def test_unknown_audio_source(map_page: tuple[Path, results.MapResult, Path], tmp_path: Path, audio: str) -> None:
    with Library(map_page[2]) as library, pytest.raises(LibraryError, match="unknown audio source"):
        library.map(tmp_path / "map.html", audio=audio)
    assert not (tmp_path / "map.html").exists()


def test_unwritable_path(map_page: tuple[Path, results.MapResult, Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Library(map_page[2]) as library, pytest.raises(LibraryError, match="cannot be written"):
        library.map(tmp_path / "file" / "map.html", audio="none")


def test_data_helpers() -> None:
    assert common_folder(["/a/b/c.mp3", "/a/b/d/e.mp3"]) == "/a/b"
    assert common_folder([]) == ""
    assert sort_by_frequency(["x", None, "y", "y"]) == ["y", "x"]
    assert encode_categories(["x", None, "y", "y"]) == {"names": ["y", "x"], "codes": [1, -1, 0, 0]}


# In a browser

WIDE = {"width": 1300, "height": 900}
BAD = ("error",)  # not "warning": Chromium warns about software rendering


def track_position(page: Any, row: int) -> tuple[float, float]:
    """Return the position of a track on the screen, in pixels."""
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


def count_points(page: Any) -> int:
    """Return the number of points that are drawn."""
    return int(
        page.evaluate(
            'document.getElementById("plot").data.filter(one => one.meta === "points").reduce((sum, one) => sum + one.x.length, 0)'
        )
    )


def count_pixels(page: Any) -> int:
    """Return the number of pixels that WebGL has drawn."""
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
def test_every_colour_option_draws_all_points_without_errors_or_requests(
    open_page: Callable[..., Any], map_page: tuple[Path, results.MapResult, Path], scheme: str
) -> None:
    opened = open_page(map_page[0], bad=BAD, color_scheme=scheme, viewport=WIDE)
    page = opened.page
    assert count_points(page) == 55
    assert count_pixels(page) > 55 * 30
    names = page.locator("#plot .annotation-text")
    assert names.count() >= 1
    assert names.first.text_content() in {f"{cluster.name} ({cluster.tracks})" for cluster in map_page[1].clusters}
    for key in page.locator("#colour option").evaluate_all("all => all.map(one => one.value)"):
        page.select_option("#colour", key)
        page.wait_for_timeout(150)
        assert count_points(page) == 55, key
        entries = page.locator("#legend button.entry")
        assert entries.count() >= 1
        entries.last.click(modifiers=["Shift"])  # show only this group, such as the unknown ones
        page.wait_for_timeout(150)
        n_points = count_points(page)
        assert n_points == int(entries.last.locator("span").last.inner_text())
        assert count_pixels(page) > 15 * n_points, key
    assert opened.errors == []
    assert opened.hosts == []


def test_search_opens_a_track(open_page: Callable[..., Any], map_page: tuple[Path, results.MapResult, Path]) -> None:
    opened = open_page(map_page[0], bad=BAD, viewport=WIDE)
    page = opened.page
    page.fill("#search", "obsidian fear")
    page.wait_for_selector("#results button")
    assert page.locator("#results button").count() == 1
    page.press("#search", "Enter")
    page.wait_for_selector("#card:visible")
    assert "Obsidian Shell" in page.locator("#card").inner_text()
    page.fill("#search", "obs\u00eddi\u00e1n f\u00e9ar")  # accents are ignored
    page.wait_for_selector("#results button")
    page.fill("#search", "no such thing")
    page.wait_for_selector("#results:has-text('no tracks found')")
    page.press("#search", "Escape")
    assert page.locator("#results").is_hidden()
    page.fill("#search", "onerror")
    page.wait_for_selector("#results button")
    page.press("#search", "Enter")
    assert page.locator("#card h2").inner_text() == EVIL
    assert opened.errors == []


def test_a_click_plays_the_track_and_draws_lines_to_its_neighbours(
    open_page: Callable[..., Any], map_page: tuple[Path, results.MapResult, Path]
) -> None:
    opened = open_page(map_page[0], bad=BAD, viewport=WIDE)
    page, data = opened.page, read_data(map_page[0])
    row = most_isolated(data)
    page.mouse.move(*track_position(page, row))
    page.wait_for_selector("#hover:visible")
    assert data["title"][row] in page.locator("#hover").inner_text()
    page.mouse.click(*track_position(page, row))
    page.wait_for_function(
        "(sound => sound && !sound.paused && sound.currentTime > 0.2)(document.getElementById('player'))"
    )
    assert 9 < page.evaluate("document.getElementById('player').duration") < 11
    lines = page.evaluate("document.getElementById('plot').data.find(one => one.meta === 'lines').x")
    assert len(lines) == 30
    assert page.locator("#card ol button").count() == 10
    page.locator("#card ol button").first.click()
    assert page.locator("#card h2").inner_text() == data["title"][data["neighbours"][row][0]]
    assert opened.errors == []
    assert opened.hosts == []


def most_isolated(data: dict[str, Any]) -> int:
    """Return the track with the largest distance to its nearest neighbour on the map."""
    positions = np.array([data["x"], data["y"]]).T
    distances = np.linalg.norm(positions[:, None] - positions, axis=2)
    np.fill_diagonal(distances, np.inf)
    return int(distances.min(axis=1).argmax())


def test_lasso_selection_is_exported(
    open_page: Callable[..., Any], map_page: tuple[Path, results.MapResult, Path]
) -> None:
    opened = open_page(map_page[0], bad=BAD, viewport=WIDE)
    page, data = opened.page, read_data(map_page[0])
    page.click("#lasso")
    box = page.locator("#plot").bounding_box()
    left, right = box["x"] + 20, box["x"] + box["width"] / 2
    top, bottom = box["y"] + 20, box["y"] + box["height"] - 20
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 5)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    page.wait_for_selector("#selection:visible")
    inside = {row for row in range(55) if left < track_position(page, row)[0] < right}
    assert 5 < len(inside) < 50
    assert page.locator("#selection h2").inner_text() == f"{len(inside)} tracks selected"
    playlist = download(page, "#selection button:has-text('M3U8')")
    lines = playlist.splitlines()
    assert lines[0] == "#EXTM3U"
    assert {Path(line) for line in lines[2::2]} == {Path(data["root"]) / data["path"][row] for row in inside}
    assert all(Path(line).is_file() for line in lines[2::2])
    assert all(re.match(r"#EXTINF:\d+,.+", line) for line in lines[1::2])
    rows = list(csv.DictReader(download(page, "#selection button:has-text('CSV')").splitlines()))
    assert {row["file"] for row in rows} == set(lines[2::2])
    assert {row["genre"] for row in rows} <= {"", *map_page[1].unclustered_labels, *data["colour_options"][0]["names"]}
    page.click("#selection button:has-text('Clear')")
    assert page.locator("#selection").is_hidden()
    assert opened.errors == []


def download(page: Any, button: str) -> str:
    with page.expect_download() as event:
        page.click(button)
    return Path(event.value.path()).read_text(encoding="utf-8")


def test_legend_filters_and_keyboard_navigation(
    open_page: Callable[..., Any], map_page: tuple[Path, results.MapResult, Path]
) -> None:
    opened = open_page(map_page[0], bad=BAD, viewport=WIDE)
    page = opened.page
    entry = page.locator("#legend button.entry").first
    count = int(entry.locator("span").last.inner_text())
    entry.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        f"document.getElementById('plot').data.reduce((sum, one) => sum + one.x.length, 0) === {55 - count}"
    )
    assert page.locator("#legend button.entry").first.get_attribute("aria-pressed") == "false"
    page.click("#select-visible")
    assert page.locator("#selection h2").inner_text() == f"{55 - count} tracks selected"
    page.click("#legend button:has-text('All')")
    page.focus("#plot")
    titles = set()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
        titles.add(page.locator("#card h2").inner_text())
    assert len(titles) >= 3
    assert page.locator("#status").inner_text()
    assert page.evaluate("document.getElementById('player').paused")
    page.keyboard.press("Enter")
    page.wait_for_function("!document.getElementById('player').paused")
    before = page.evaluate("document.getElementById('plot').layout.xaxis.range")
    page.keyboard.press("+")
    page.wait_for_function(f"document.getElementById('plot').layout.xaxis.range[0] > {before[0]}")
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    assert page.locator("#card").is_hidden()
    assert opened.errors == []


def test_map_fits_the_window_after_resizing(
    open_page: Callable[..., Any], map_page: tuple[Path, results.MapResult, Path]
) -> None:
    opened = open_page(map_page[0], bad=BAD, viewport={"width": 900, "height": 900})
    page = opened.page

    def filled() -> float:
        positions = np.array([track_position(page, row) for row in range(55)])
        box = page.locator("#plot").bounding_box()
        return float((np.ptp(positions, axis=0) / [box["width"], box["height"]]).max())

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
def test_no_horizontal_scrolling_on_a_phone(
    open_page: Callable[..., Any], map_page: tuple[Path, results.MapResult, Path], width: int
) -> None:
    opened = open_page(map_page[0], bad=BAD, viewport={"width": width, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.errors == []


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A local web server for the demo music: its URL and the paths requested from it."""
    requested: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            requested.append(self.path)

    root = music().parent
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root))) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}/", requested
        serving.shutdown()
        thread.join()


def test_audio_from_files_and_from_a_web_server(
    open_page: Callable[..., Any],
    map_page: tuple[Path, results.MapResult, Path],
    tmp_path: Path,
    server: tuple[str, list[str]],
) -> None:
    address, requested = server
    for audio in ("files", address):
        with Library(map_page[2]) as library:
            library.map(tmp_path / "map.html", audio=audio)
        opened = open_page(tmp_path / "map.html", bad=BAD, viewport=WIDE)
        page, data = opened.page, read_data(tmp_path / "map.html")
        row = most_isolated(data)
        page.mouse.click(*track_position(page, row))
        page.wait_for_function(
            "(sound => sound && !sound.paused && sound.currentTime > 0.2)(document.getElementById('player'))"
        )
        assert opened.errors == []
        assert all(host.startswith(address) for host in opened.hosts)
        assert bool(opened.hosts) == (audio == address)
    assert unquote(urlsplit(requested[0]).path) == "/" + data["path"][row]


def test_ten_thousand_tracks_open_in_three_seconds(open_page: Callable[..., Any], tmp_path: Path) -> None:
    import time

    count = 10_000
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((30, 16))
    vectors = (centres[generator.integers(0, 30, count)] + 0.4 * generator.standard_normal((count, 16))).astype(
        np.float32
    )
    layout = compute_layout(vectors[:500], space="a")  # the layout of 10,000 would take a minute
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
    assert count_points(opened.page) == count
    assert opened.errors == []
    assert seconds < 3 or (seconds < 12 and is_machine_busy()), seconds


def is_machine_busy() -> bool:
    """Whether other processes use the CPUs, so that timings are unreliable."""
    import os

    return "PYTEST_XDIST_WORKER" in os.environ or os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)
