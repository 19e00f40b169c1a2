"""The sheet shows the right values at the right places, letters do not overlap, and any recording and any name can be drawn."""

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
from sonotheque.explore.inspection import Inspection, inspect
from sonotheque.report.inspection import draw_inspection
from sonotheque.report.inspection.lettering import UNKNOWN, printable
from sonotheque.report.inspection.sheet import _sheet
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


def recording(folder: Path, samples: FloatArray, *, rate: int = RATE) -> Inspection:
    sf.write(folder / "a.wav", samples, rate, subtype="FLOAT")
    return inspect(folder / "a.wav")


def timeline(count: int) -> list[results.TimelineSegment]:
    return [
        results.TimelineSegment(10.0 * row, GENRES[row % len(GENRES)], 0.3 + 0.02 * (row % 30)) for row in range(count)
    ]


def opened(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def told(seen: Inspection, **numbers: Any) -> Inspection:
    changed: InspectionResult = replace(seen.numbers, **numbers)
    return replace(seen, numbers=changed)


@pytest.fixture(scope="module")
def clip() -> Inspection:
    """Ten seconds of music."""
    return inspect(music() / "metal" / "david-reeves-david01.mp3")


@pytest.fixture(scope="module")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    """1 kHz for 12 s, and a louder click at 4.0 s."""
    time = np.arange(12 * RATE) / RATE
    samples = (0.1 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    samples[4 * RATE] = 0.9
    return recording(tmp_path_factory.mktemp("tone"), samples)


def named(figure: Any, title: str) -> Any:
    """Return the axes whose title begins so."""
    (found,) = [axes for axes in figure.axes if axes.get_title(loc="left").startswith(title)]
    return found


def texts(figure: Any) -> list[Any]:
    """Return all texts that are drawn."""
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


def check_letters(figure: Any) -> None:
    """Check that no two texts overlap by more than two pixels, and that none lies outside of the sheet."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    for name, box in boxes:
        assert box.x0 >= 0, name
        assert box.x1 <= figure.bbox.width, name
        assert box.y0 >= 0, name
        assert box.y1 <= figure.bbox.height, name
    for (name, one), (other, two) in combinations(boxes, 2):
        wide = min(one.x1, two.x1) - max(one.x0, two.x0)
        tall = min(one.y1, two.y1) - max(one.y0, two.y0)
        assert wide <= 2 or tall <= 2, f"{name!r} lies over {other!r}"


def test_a_clip_is_a_picture_with_colours_in_every_panel(clip: Inspection, tmp_path: Path) -> None:
    seen = told(clip, timeline=timeline(1))
    draw_inspection(seen, tmp_path / "new" / "picture.png", title="music")
    picture = np.asarray(opened(tmp_path / "new" / "picture.png").convert("RGB"))
    figure = _sheet(seen, "music")
    assert picture.shape[:2] == (pytest.approx(figure.get_figheight() * 150, abs=1), 1350)
    panels = [axes for axes in figure.axes if axes.get_title(loc="left")]
    titles = " ".join(axes.get_title(loc="left") for axes in panels)
    for name in (
        "Waveform",
        "Amplitude spectrum",
        "Cut into frames",
        "linear",
        "mel",
        "Bark",
        "Chroma",
        "Onset",
        "Level",
    ):
        assert name in titles
    for name in ("Centroid", "Flatness", "Contrast", "Genre", "Strongest tags"):
        assert name in titles
    for axes in panels:
        left, bottom, width, height = axes.get_position().bounds
        rows = slice(round((1 - bottom - height) * len(picture)), round((1 - bottom) * len(picture)))
        columns = slice(round(left * picture.shape[1]), round((left + width) * picture.shape[1]))
        colours = np.unique(picture[rows, columns].reshape(-1, 3), axis=0)
        assert len(colours) > 8, axes.get_title(loc="left")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["picture.png"]


def test_the_same_bytes_each_time(clip: Inspection, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_inspection(clip, tmp_path / name, title="music")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert "Software" not in opened(tmp_path / "a.png").info


def test_a_tone_is_at_its_frequency_on_every_axis(tone: Inspection) -> None:
    figure = _sheet(tone, "tone")
    places = {}
    for scale in ("linear", "mel", "Bark"):
        axes = named(figure, f"Spectrogram, {scale}")
        (image,) = axes.get_images()
        left, right, bottom, top = image.get_extent()
        values = image.get_array()
        row = int(values[:, values.shape[1] // 2].argmax())
        places[scale] = bottom + (row + 0.5) * (top - bottom) / len(values)
        assert (values.min(), values.max()) == (-80, 0)
        assert left <= 0 < right
        assert axes.get_xlim() == (0, 12)
    assert places["linear"] == pytest.approx(1.0, abs=0.012)
    mel = named(figure, "Spectrogram, mel")
    marks = {label.get_text(): place for label, place in zip(mel.get_yticklabels(), mel.get_yticks(), strict=True)}
    assert places["mel"] == pytest.approx(marks["1"], abs=0.6)  # bands
    bark = named(figure, "Spectrogram, Bark")
    below, above = (BARK_EDGES[int(edge)] for edge in (np.floor(places["Bark"]), np.ceil(places["Bark"])))
    assert below <= 1000 < above
    for label, place in zip(bark.get_yticklabels(), bark.get_yticks(), strict=True):
        assert float(label.get_text()) == BARK_EDGES[place] / 1000
    line = named(figure, "Amplitude spectrum").get_lines()[0]
    hz, level = line.get_data()
    assert hz[level.argmax()] == pytest.approx(1000, abs=3)
    assert level.max() == pytest.approx(-20, abs=1.43)


def test_a_click_is_at_its_time_on_every_axis(tone: Inspection) -> None:
    figure = _sheet(tone, "tone")
    for scale in ("linear", "mel", "Bark"):
        (image,) = named(figure, f"Spectrogram, {scale}").get_images()
        left, right, _, _ = image.get_extent()
        column = int(image.get_array().sum(axis=0).argmax())
        assert left + (column + 0.5) * (right - left) / image.get_array().shape[1] == pytest.approx(4.0, abs=0.03)
    (area,) = named(figure, "Waveform").collections[:1]
    edge = area.get_paths()[0].vertices
    assert edge[edge[:, 1].argmax(), 0] == pytest.approx(4.0, abs=0.02)
    (area,) = named(figure, "Onset").collections[:1]
    edge = area.get_paths()[0].vertices
    assert edge[edge[:, 1].argmax(), 0] == pytest.approx(4.0, abs=0.08)
    assert "from 0:03." in named(figure, "Cut into frames").get_xlabel()


def test_what_is_said(clip: Inspection) -> None:
    figure = _sheet(clip, "music")
    said = [text.get_text() for text in texts(figure)]
    numbers = clip.numbers
    assert f"\N{MINUS SIGN}{-(numbers.loudness or 0):.1f} LUFS, range {numbers.loudness_range:.1f} LU" in said
    assert any(line.startswith(f"{numbers.tempo:.1f} BPM") for line in said)
    assert any(line.startswith(str(numbers.key)) for line in said)
    tags = [label.get_text() for label in named(figure, "Strongest tags").get_yticklabels()]
    assert tags == [tag.name for tag in numbers.tags]
    assert len(named(figure, "Onset").collections) == 2  # the curve and the beats
    check_letters(figure)


@pytest.mark.parametrize(
    "title", ["$x_1$ \\$ \\frac{1}{2} $ <b>&amp;</b>%s{}", "音楽 \udcff\x00\n\t€", "long " * 60, ""]
)
def test_any_title(clip: Inspection, title: str) -> None:
    figure = _sheet(told(clip, notice=title or None), title)
    check_letters(figure)
    if "long" not in title:
        letters = set("".join(text.get_text() for text in figure.texts))
        assert {letter for letter in title if letter.isascii() and letter.isprintable()} <= letters | {" "}


def test_letters_that_the_font_lacks_are_replaced() -> None:
    assert printable("aé音Ω") == f"aé{UNKNOWN}Ω"
    assert printable(" a\r\n\tb ") == "a b"
    assert printable("$") == r"\$"


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
    seen = recording(tmp_path, samples, rate=rate)
    check_letters(_sheet(seen, "odd"))
    if seen.numbers.seconds < 0.1 or seen.numbers.silent:  # the rest is drawn as any other
        draw_inspection(seen, tmp_path / "a.png", title="odd")
        assert opened(tmp_path / "a.png").size[0] == 1350


@pytest.mark.parametrize("seconds", [95.0, 10_800.0])
def test_long_recordings_have_a_legible_sheet(clip: Inspection, seconds: float) -> None:
    """The pictures are those of a clip, drawn as if they went on for hours: the axes are what is tested."""
    count = round(seconds / 10)
    seen = told(
        clip,
        seconds=seconds,
        windows=[clip.numbers.windows[0]] * count,
        timeline=timeline(count),
        notice="truncated: x",
    )
    seen = replace(seen, beats=np.arange(0.3, 9.5, 0.05))
    figure = _sheet(seen, "long")
    check_letters(figure)
    marks = [text.get_text() for text in named(figure, "Waveform").get_xticklabels()]
    assert ("1:30" if seconds < 3600 else "2:30:00") in marks
    assert named(figure, "Beats at").get_xlabel() == ("Time (h:min:s)" if seconds > 3600 else "Time (min:s)")


def test_a_place_that_cannot_be_written(clip: Inspection, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match=r"a\.png: cannot be written"):
        draw_inspection(clip, tmp_path / "file" / "a.png", title="music")


def test_no_window_and_no_global_state(tmp_path: Path) -> None:
    code = (
        "import sys; from sonotheque.report.inspection import draw_inspection as d; assert 'matplotlib' not in sys.modules;"
        "from sonotheque.explore.inspection import inspect;"
        "d(inspect('tests/data/tone.flac'), sys.argv[1], title='t'); print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.png")], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"
