"""The inspection figure: values at the right positions, no overlapping text, any recording and any title."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from PIL import Image

from sonotheque import results
from sonotheque.demo import music
from sonotheque.embed.descriptors.filters import BARK_EDGES
from sonotheque.errors import LibraryError
from sonotheque.explore.inspection import Inspection, inspect_recording
from sonotheque.report.inspection import draw_inspection
from sonotheque.report.inspection.figure import build_figure
from sonotheque.report.inspection.formatting import REPLACEMENT, sanitize_text
from sonotheque.results import InspectionResult
from sonotheque.types import FloatArray

RATE = 44_100
GENRES = (
    "drum & bass",
    "jazz $x_1$",
    "音楽",
    "a name of a genre that goes on and on and on",
    "metal",
    "folk",
    "pop",
    "rai",
    "ska",
)


def inspect_samples(folder: Path, samples: FloatArray, *, rate: int = RATE) -> Inspection:
    sf.write(folder / "a.wav", samples, rate, subtype="FLOAT")
    return inspect_recording(folder / "a.wav")


def make_timeline(count: int) -> list[results.TimelineSegment]:
    return [
        results.TimelineSegment(10.0 * row, GENRES[row % len(GENRES)], 0.3 + 0.02 * (row % 30)) for row in range(count)
    ]


def open_image(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def change_result(inspection: Inspection, **fields: Any) -> Inspection:
    result: InspectionResult = replace(inspection.result, **fields)
    return replace(inspection, result=result)


@pytest.fixture(scope="module")
def clip() -> Inspection:
    """Ten seconds of music."""
    return inspect_recording(music() / "metal" / "david-reeves-david01.mp3")


@pytest.fixture(scope="module")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    """A 1 kHz tone of 12 s with a louder click at 4.0 s."""
    time = np.arange(12 * RATE) / RATE
    samples = (0.1 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    samples[4 * RATE] = 0.9
    return inspect_samples(tmp_path_factory.mktemp("tone"), samples)


def find_axes(figure: Any, title: str) -> Any:
    """Return the axes whose title starts with `title`."""
    (found,) = [axes for axes in figure.axes if axes.get_title(loc="left").startswith(title)]
    return found


def visible_texts(figure: Any) -> list[Any]:
    """Return all visible texts of the figure."""
    figure.draw_without_rendering()
    found = list(figure.texts)
    for axes in figure.axes:
        found += [axes._left_title, axes.xaxis.label, axes.yaxis.label, axes.xaxis.offsetText, axes.yaxis.offsetText]
        found += [*axes.texts, *(axes.get_legend().get_texts() if axes.get_legend() else [])]
        for axis in (axes.xaxis, axes.yaxis):
            found += [
                label for tick in axis._update_ticks() for label in (tick.label1, tick.label2) if label.get_visible()
            ]
    return [text for text in found if text.get_text().strip() and text.get_visible()]


def check_texts(figure: Any) -> None:
    """Check that no two texts overlap by more than two pixels, and that all are inside the figure."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in visible_texts(figure)]
    for name, box in boxes:
        assert box.x0 >= 0, name
        assert box.x1 <= figure.bbox.width, name
        assert box.y0 >= 0, name
        assert box.y1 <= figure.bbox.height, name
    for (name, one), (other, two) in combinations(boxes, 2):
        wide = min(one.x1, two.x1) - max(one.x0, two.x0)
        tall = min(one.y1, two.y1) - max(one.y0, two.y0)
        assert wide <= 2 or tall <= 2, f"{name!r} overlaps {other!r}"


def test_every_panel_is_drawn(clip: Inspection, tmp_path: Path) -> None:
    inspection = change_result(clip, timeline=make_timeline(1))
    draw_inspection(inspection, tmp_path / "new" / "picture.png", title="music")
    image = np.asarray(open_image(tmp_path / "new" / "picture.png").convert("RGB"))
    figure = build_figure(inspection, "music")
    assert image.shape[:2] == (pytest.approx(figure.get_figheight() * 150, abs=1), 1350)
    panels = [axes for axes in figure.axes if axes.get_title(loc="left")]
    titles = " ".join(axes.get_title(loc="left") for axes in panels)
    for name in (
        "Waveform",
        "Amplitude spectrum",
        "Analysis frames",
        "linear",
        "mel",
        "Bark",
        "Chroma",
        "Onset",
        "Level",
    ):
        assert name in titles
    for name in ("Centroid", "Flatness", "Contrast", "Genre", "Strongest auto-tags"):
        assert name in titles
    for axes in panels:
        left, bottom, width, height = axes.get_position().bounds
        rows = slice(round((1 - bottom - height) * len(image)), round((1 - bottom) * len(image)))
        columns = slice(round(left * image.shape[1]), round((left + width) * image.shape[1]))
        colours = np.unique(image[rows, columns].reshape(-1, 3), axis=0)
        assert len(colours) > 8, axes.get_title(loc="left")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["picture.png"]


def test_output_is_reproducible(clip: Inspection, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_inspection(clip, tmp_path / name, title="music")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert "Software" not in open_image(tmp_path / "a.png").info


def test_tone_is_drawn_at_its_frequency(tone: Inspection) -> None:
    figure = build_figure(tone, "tone")
    positions = {}
    for scale in ("linear", "mel", "Bark"):
        axes = find_axes(figure, f"Spectrogram, {scale}")
        (image,) = axes.get_images()
        left, right, bottom, top = image.get_extent()
        values = image.get_array()
        row = int(values[:, values.shape[1] // 2].argmax())
        positions[scale] = bottom + (row + 0.5) * (top - bottom) / len(values)
        assert (values.min(), values.max()) == (-80, 0)
        assert left <= 0 < right
        assert axes.get_xlim() == (0, 12)
    assert positions["linear"] == pytest.approx(1.0, abs=0.012)
    mel = find_axes(figure, "Spectrogram, mel")
    marks = {
        label.get_text(): position for label, position in zip(mel.get_yticklabels(), mel.get_yticks(), strict=True)
    }
    assert positions["mel"] == pytest.approx(marks["1"], abs=0.6)  # bands
    bark = find_axes(figure, "Spectrogram, Bark")
    below, above = (BARK_EDGES[int(edge)] for edge in (np.floor(positions["Bark"]), np.ceil(positions["Bark"])))
    assert below <= 1000 < above
    for label, position in zip(bark.get_yticklabels(), bark.get_yticks(), strict=True):
        assert float(label.get_text()) == BARK_EDGES[position] / 1000
    line = find_axes(figure, "Amplitude spectrum").get_lines()[0]
    hz, level = line.get_data()
    assert hz[level.argmax()] == pytest.approx(1000, abs=3)
    assert level.max() == pytest.approx(-20, abs=1.43)


def test_click_is_drawn_at_its_time(tone: Inspection) -> None:
    figure = build_figure(tone, "tone")
    for scale in ("linear", "mel", "Bark"):
        (image,) = find_axes(figure, f"Spectrogram, {scale}").get_images()
        left, right, _, _ = image.get_extent()
        column = int(image.get_array().sum(axis=0).argmax())
        assert left + (column + 0.5) * (right - left) / image.get_array().shape[1] == pytest.approx(4.0, abs=0.03)
    (area,) = find_axes(figure, "Waveform").collections[:1]
    edge = area.get_paths()[0].vertices
    assert edge[edge[:, 1].argmax(), 0] == pytest.approx(4.0, abs=0.02)
    (area,) = find_axes(figure, "Onset").collections[:1]
    edge = area.get_paths()[0].vertices
    assert edge[edge[:, 1].argmax(), 0] == pytest.approx(4.0, abs=0.08)
    assert "from 0:03." in find_axes(figure, "Analysis frames").get_xlabel()


def test_facts_and_tags(clip: Inspection) -> None:
    clip = replace(clip, result=replace(clip.result, key="A minor", key_confidence=0.8))
    figure = build_figure(clip, "music")
    lines = [text.get_text() for text in visible_texts(figure)]
    result = clip.result
    assert f"\N{MINUS SIGN}{-(result.loudness or 0):.1f} LUFS, range {result.loudness_range:.1f} LU" in lines
    assert any(line.startswith(f"{result.tempo:.1f} BPM") for line in lines)
    assert any(line.startswith("A minor, confidence 0.80") for line in lines)
    tags = [label.get_text() for label in find_axes(figure, "Strongest auto-tags").get_yticklabels()]
    assert tags == [tag.name for tag in result.tags]
    assert len(find_axes(figure, "Onset").collections) == 2  # the curve and the beats
    check_texts(figure)


@pytest.mark.parametrize(
    "title", ["$x_1$ \\$ \\frac{1}{2} $ <b>&amp;</b>%s{}", "音楽 \udcff\x00\n\t€", "long " * 60, ""]
)
def test_any_title(clip: Inspection, title: str) -> None:
    figure = build_figure(change_result(clip, notice=title or None), title)
    check_texts(figure)
    if "long" not in title:
        letters = set("".join(text.get_text() for text in figure.texts))
        assert {letter for letter in title if letter.isascii() and letter.isprintable()} <= letters | {" "}


def test_sanitize_text() -> None:
    assert sanitize_text("aé音Ω") == f"aé{REPLACEMENT}Ω"
    assert sanitize_text(" a\r\n\tb ") == "a b"
    assert sanitize_text("$") == r"\$"


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        (np.array([0.1, 0.2, 0.3]), RATE),
        (0.1 * np.random.default_rng(0).standard_normal(4410), RATE),
        (0.3 * np.sin(np.arange(RATE) / 16), RATE),
        (1e-5 * np.random.default_rng(0).standard_normal(8_000 * 11), 8_000),
        (1e3 * np.random.default_rng(0).standard_normal(RATE), RATE),
        (np.zeros((RATE * 11, 2)), RATE),
    ],
    ids=["three samples", "0.1 s", "1 s", "quiet, 8 kHz", "far too loud", "silence"],
)
def test_any_recording(tmp_path: Path, samples: FloatArray, rate: int) -> None:
    inspection = inspect_samples(tmp_path, samples, rate=rate)
    check_texts(build_figure(inspection, "odd"))
    if inspection.result.seconds < 0.1 or inspection.result.silent:  # other PNG files are covered by other tests
        draw_inspection(inspection, tmp_path / "a.png", title="odd")
        assert open_image(tmp_path / "a.png").size[0] == 1350


@pytest.mark.parametrize("seconds", [95.0, 10_800.0])
def test_time_axes_of_long_recordings(clip: Inspection, seconds: float) -> None:
    """The signal views of a clip stand in for those of a long recording; only the axes are tested."""
    count = round(seconds / 10)
    inspection = change_result(
        clip,
        seconds=seconds,
        windows=[clip.result.windows[0]] * count,
        timeline=make_timeline(count),
        notice="truncated: x",
    )
    inspection = replace(inspection, beats=np.arange(0.3, 9.5, 0.05))
    figure = build_figure(inspection, "long")
    check_texts(figure)
    marks = [text.get_text() for text in find_axes(figure, "Waveform").get_xticklabels()]
    assert ("1:30" if seconds < 3600 else "2:30:00") in marks
    assert find_axes(figure, "Beats at").get_xlabel() == ("Time (h:min:s)" if seconds > 3600 else "Time (min:s)")


def test_unsure_genres_are_pale(clip: Inspection) -> None:
    timeline = [replace(segment, unsure=number == 1) for number, segment in enumerate(make_timeline(3))]
    inspection = change_result(clip, seconds=30.0, windows=[clip.result.windows[0]] * 3, timeline=timeline)
    axes = find_axes(build_figure(inspection, "genres"), "Genre over time")
    assert axes.get_title(loc="left").endswith("(pale: unsure)")
    bars = sorted(axes.patches, key=lambda bar: float(bar.get_x()))
    assert [bar.get_alpha() < 1 for bar in bars] == [False, True, False]
    assert [text.get_text().endswith("?") for text in axes.texts] == [False, True, False]


def test_unwritable_path(clip: Inspection, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match=r"a\.png: cannot be written"):
        draw_inspection(clip, tmp_path / "file" / "a.png", title="music")


def test_pyplot_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from sonotheque.report.inspection import draw_inspection as d; assert 'matplotlib' not in sys.modules;"
        "from sonotheque.explore.inspection import inspect_recording;"
        "d(inspect_recording('tests/data/tone.flac'), sys.argv[1], title='t'); print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.png")], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"
