"""Fixtures: audio files in every format, a library of the demo music, report data, and a browser."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf

from sonotheque import Library, results
from sonotheque.demo import music

if TYPE_CHECKING:
    from sonotheque.classify import TrainingSet
    from sonotheque.report import ReportData

RATE = 44_100

os.environ["SONOTHEQUE_OFFLINE"] = "1"  # tests never use the network
os.environ.pop("SONOTHEQUE_OPENL3_WEIGHTS", None)
os.environ["SONOTHEQUE_CACHE"] = tempfile.mkdtemp(prefix="sonotheque-tests-")


def tone(seconds: float = 3.0, *, rate: int = RATE, channels: int = 2) -> npt.NDArray[np.float32]:
    """Make a sine of 440 Hz with a little noise, the same on every channel, float32 [n, channels]."""
    time = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(0).standard_normal(len(time)) * 0.02
    return np.repeat((0.3 * np.sin(2 * np.pi * 440 * time) + noise).astype(np.float32)[:, None], channels, axis=1)


def encode(path: Path, codec: str, samples: npt.NDArray[np.float32], *, options: dict[str, str] | None = None) -> Path:
    """Write samples with FFmpeg, in formats that libsndfile cannot write."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=RATE)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "stereo"
        stream.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="stereo")
        frame.sample_rate = RATE
        for part in _resample_frames(frame, stream):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def _resample_frames(frame: av.AudioFrame, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
    resampler = av.AudioResampler(
        format=stream.format, layout="stereo", rate=frame.sample_rate, frame_size=stream.frame_size or 1024
    )
    yield from resampler.resample(frame)
    yield from resampler.resample(None)


@pytest.fixture(scope="session")
def formats(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three seconds of a tone in every supported format."""
    folder = tmp_path_factory.mktemp("formats")
    samples = tone()
    files = {}
    for name, container, subtype in (
        ("wav16.wav", "WAV", "PCM_16"),
        ("wav24.wav", "WAV", "PCM_24"),
        ("float.wav", "WAV", "FLOAT"),
        ("flac.flac", "FLAC", "PCM_16"),
        ("vorbis.ogg", "OGG", "VORBIS"),
        ("mp3.mp3", "MP3", "MPEG_LAYER_III"),
        ("aiff.aiff", "AIFF", "PCM_16"),
    ):
        files[name] = folder / name
        sf.write(files[name], samples, RATE, format=container, subtype=subtype)
    files["opus.opus"] = folder / "opus.opus"
    sf.write(files["opus.opus"], tone(rate=48_000), 48_000, format="OGG", subtype="OPUS")
    for name, codec in (("aac.m4a", "aac"), ("wma.wma", "wmav2"), ("raw.aac", "aac"), ("alac.m4a", "alac")):
        files[name] = encode(folder / name, codec, samples)
    files["video.mp4"] = _write_video(folder / "video.mp4", samples)
    return files


def _write_video(path: Path, samples: npt.NDArray[np.float32] | None) -> Path:
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=5)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = None
        if samples is not None:
            audio = container.add_stream("aac", rate=RATE)
            assert isinstance(audio, av.AudioStream)
            audio.layout = "stereo"
        for number in range(15):
            image = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 16 * number, np.uint8), format="rgb24")
            container.mux(video.encode(image))
        container.mux(video.encode(None))
        if audio is not None and samples is not None:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="stereo")
            frame.sample_rate = RATE
            for part in _resample_frames(frame, audio):
                container.mux(audio.encode(part))
            container.mux(audio.encode(None))
    return path


@pytest.fixture(scope="session")
def silent_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that has no audio stream."""
    return _write_video(tmp_path_factory.mktemp("video") / "mute.mp4", None)


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of the labelled demo clips. Tests must not change it; see `demo_library`.

    With pytest-xdist, one worker makes it and the others copy it.
    """
    made = tmp_path_factory.getbasetemp() / "demo"
    if "PYTEST_XDIST_WORKER" in os.environ:
        made = made.parent.parent / "demo"
    made.parent.mkdir(exist_ok=True)
    with (made.parent / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed
        if not made.exists():
            with Library(made.with_name("demo.part")) as library:
                library.add(music(), labels=str(music() / "metadata.csv"), embedders=["musicnn"])
                library.train(model="logreg")
            made.with_name("demo.part").rename(made)
    return made


@pytest.fixture
def demo_library(demo_folder: Path, tmp_path: Path) -> Iterator[Library]:
    """An open copy of the demo library, which a test may change."""
    shutil.copytree(demo_folder, tmp_path / "library")
    with Library(tmp_path / "library") as library:
        yield library


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder with three short music clips, one of them in a subfolder."""
    folder = tmp_path / "clips"
    (folder / "slow").mkdir(parents=True)
    shutil.copy(music() / "classical" / "john-michel-ave-maria-1.mp3", folder / "slow" / "ave.mp3")
    shutil.copy(music() / "ambient" / "nikola-whallon-ambient-2.mp3", folder / "ambient.mp3")
    shutil.copy(music() / "metal" / "muldjord-armygeddon.ogg", folder / "metal.ogg")
    return folder


@pytest.fixture(scope="session")
def openl3_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write random weights in the layout of the published files."""
    import h5py

    generator = np.random.default_rng(0)
    channels = (1, 64, 64, 128, 128, 256, 256, 512, 512)
    path = tmp_path_factory.mktemp("weights") / "random.h5"
    norm = ["gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"]
    with h5py.File(path, "w") as file:
        names = []

        def layer(name: str, arrays: dict[str, np.ndarray]) -> None:
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{key}".encode() for key in arrays]
            for key, array in arrays.items():
                group[f"{name}/{key}"] = array.astype(np.float32)
            names.append(name.encode())

        def normalisation(number: int, size: int, mean: float, spread: float) -> None:
            values = (
                generator.uniform(0.5, 1.5, size),
                generator.normal(0, 0.3, size),
                generator.normal(mean, 0.2, size),
                generator.uniform(0.6, 1.7, size) * spread,
            )
            layer(f"batch_normalization_{number}", dict(zip(norm, values, strict=True)))

        normalisation(1, 1, -40, 400)
        for number in range(8):
            shape = (3, 3, channels[number], channels[number + 1])
            kernel = generator.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape)
            name = "audio_embedding_layer" if number == 7 else f"conv2d_{number + 1}"
            layer(name, {"kernel:0": kernel, "bias:0": generator.normal(0, 0.05, shape[3])})
            if number < 7:
                normalisation(number + 2, shape[3], 0, 1)
                layer(f"activation_{number + 1}", {})
        file.attrs["layer_names"] = names
    return path


COMPARED_MODELS = ("logreg", "ensemble (learned shares)")
EVIL = "<script>alert(1)</script>"


def comparison_result(models: Sequence[str] = COMPARED_MODELS) -> results.ComparisonResult:
    """Make the result of a small model comparison, in which an ensemble is clearly better."""
    rows = [
        results.ComparisonRow(
            model=model,
            spaces=["musicnn-msd"] if model == "logreg" else [],
            decision="track" if model == "logreg" else "",
            copies=False,
            accuracy=0.5 + number / 10,
            accuracy_interval=(0.3, 0.8),
            balanced_accuracy=0.5,
            balanced_accuracy_interval=(0.3, 0.8),
            log_loss=1.0,
            auc=0.8,
            difference=number / 10,
            difference_interval=(number / 20, number / 5),
        )
        for number, model in enumerate(models)
    ]
    return results.ComparisonResult(protocol="4 folds", tracks=46, best="logreg on musicnn", rows=rows)


def mislabel(training: TrainingSet, *, every: int = 5) -> TrainingSet:
    """Give every few tracks another genre, and all tracks a title that is markup."""
    y = training.y.copy()
    genres = np.unique(y)
    for row in range(0, len(y), every):
        y[row] = genres[(np.flatnonzero(genres == y[row])[0] + 1) % len(genres)]
    tracks = [track._replace(label=str(label)) for track, label in zip(training.tracks, y, strict=True)]
    tracks = [track._replace(title=EVIL, artist=f"{track.artist} & <b>") for track in tracks]
    return replace(training, tracks=tracks, y=y)


def add_descriptors(training: TrainingSet) -> TrainingSet:
    """Add descriptors to musicnn: MFCCs that are linear in the musicnn vectors, and noise in the other columns."""
    from sonotheque.embed import descriptors

    generator = np.random.default_rng(0)
    space, places = training.data.spaces[0], descriptors.family_slices()["mfcc"]
    vectors = training.data.tracks[space]
    columns = generator.standard_normal((len(vectors), len(descriptors.column_names()))).astype(np.float32)
    columns[:, places] = vectors @ generator.standard_normal((vectors.shape[1], places.stop)).astype(np.float32)
    segments = [
        np.tile(row, (len(parts), 1)) for row, parts in zip(columns, training.data.segments[space], strict=True)
    ]
    data = replace(
        training.data,
        tracks={**training.data.tracks, descriptors.SPACE.id: columns},
        segments={**training.data.segments, descriptors.SPACE.id: segments},
    )
    return replace(training, data=data)


@pytest.fixture(scope="session")
def report_data(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    """Report data with every optional part, from the demo library with some wrong labels, so that there are errors."""
    from sonotheque.classify import load_training_set, make_learner
    from sonotheque.report import collect_report_data

    copy = tmp_path_factory.mktemp("report") / "library"
    shutil.copytree(demo_folder, copy)
    with Library(copy) as library:
        catalogue = library.catalogue
        spaces = [space.id for space in catalogue.spaces.all() if space.tracks]
        training = add_descriptors(mislabel(load_training_set(catalogue, spaces=spaces)))
    failed = [results.FailedFile("/music/<i>broken.mp3", "not an audio file")]
    learner = make_learner("logreg", spaces=training.data.spaces)
    return collect_report_data(training, learner, model="logreg", comparison=comparison_result(), failed=failed)


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REASON = "NO CHROMIUM FOUND: the pages are NOT tested in a browser (Debian: apt-get install chromium)"
GRAPHICS = ("--disable-gpu", "--enable-unsafe-swiftshader")
"""Options for software rendering, including WebGL."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("SONOTHEQUE_NEEDS_BROWSER") else pytest.skip)(REASON)
    pytest.importorskip("playwright", reason="NO PLAYWRIGHT: the pages are NOT tested in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", *GRAPHICS]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=arguments)
        yield browser
        browser.close()


class BrowserPage:
    """A page in the browser, with the errors that occurred on it and the addresses that it requested."""

    def __init__(self, browser: Any, page: Path, *, bad: frozenset[str], **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.hosts: list[str] = []
        self._bad = bad
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(dialog.message))
        self.page.on("request", self._request)
        self.page.goto(page.as_uri())
        self.page.wait_for_selector("html[data-drawn=yes]", timeout=60_000)

    def _console(self, message: Any) -> None:
        if message.type in self._bad:
            self.errors.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.hosts.append(request.url)


def _open_pages(chromium: Any) -> Iterator[Callable[..., BrowserPage]]:
    pages: list[BrowserPage] = []

    def open_browser_page(page: Path, *, bad: tuple[str, ...] = ("error", "warning"), **options: Any) -> BrowserPage:
        pages.append(BrowserPage(chromium, page, bad=frozenset(bad), **options))
        return pages[-1]

    yield open_browser_page
    for page in pages:
        page.context.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., BrowserPage]]:
    """Return a function that opens a page. Console messages of the types `bad` count as errors."""
    yield from _open_pages(chromium)


@pytest.fixture(scope="module")
def open_shared_page(chromium: Any) -> Iterator[Callable[..., BrowserPage]]:
    """Return a function that opens a page, like `open_page`; it stays open for all tests of the module."""
    yield from _open_pages(chromium)
