"""The time of questions to large libraries.

    python bench/scale.py FOLDER --like LIBRARY [--tracks 100000 1000000]

Makes a library of each size in FOLDER (it is used again if it exists), with vectors drawn around the segments of LIBRARY, and
prints the median of 100 questions in one process, and of three commands from start to end.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from sonotheque import Library
from sonotheque.embed import musicnn
from sonotheque.embed.tempo_key import METHOD
from sonotheque.embed.tempo_key.key import KEYS
from sonotheque.extract.file_identity import FileStamp, content_hash
from sonotheque.store import Catalogue
from sonotheque.types import FloatArray

SPACE = musicnn.SPACE.id
GENRES = ("rock", "pop", "electronic", "folk", "classical", "metal", "ambient", "orchestral")
KNOWN_FILES = 1000
LABELLED = 2000
BLOCK = 20_000
SEGMENTS = 3


def read_segments(library: Path) -> tuple[FloatArray, list[str]]:
    """Read the musicnn segments [S, D] of a library, and the label of each one's track."""
    vectors, labels = [], []
    with Catalogue(library / "library.sqlite") as catalogue:
        for track in catalogue.tracks.labelled():
            segments = catalogue.vectors.segments(track.id, SPACE)
            vectors.append(segments)
            labels += [str(track.label)] * len(segments)
    return np.concatenate(vectors), labels


def draw_vectors(segments: FloatArray, count: int, *, seed: int) -> tuple[FloatArray, np.ndarray]:
    """Draw vectors around segments: one of them, moved along the difference of two others; and the number of the first."""
    generator = np.random.default_rng(seed)
    own, one, other = generator.integers(0, len(segments), (3, count))
    step = 0.7 * generator.random((count, 1), dtype=np.float32)
    return segments[own] + step * (segments[one] - segments[other]), own


def make_library(folder: Path, count: int, *, like: Path) -> None:
    """Make a library of `count` tracks. The first `KNOWN_FILES` of them are files on disk, in the folder ``music``."""
    segments, labels = read_segments(like)
    genres = sorted(set(labels)) or list(GENRES)
    codes = np.array([genres.index(label) for label in labels])
    music = folder / "music"
    music.mkdir(parents=True)
    generator = np.random.default_rng(0)
    files: list[tuple[str, FileStamp, str]] = []
    for number in range(min(KNOWN_FILES, count)):
        path = music / f"{number:06d}.wav"
        soundfile.write(path, generator.uniform(-0.1, 0.1, 1600).astype(np.float32), 16_000)
        files.append((str(path), FileStamp.of(str(path)), content_hash(str(path))))
    with Catalogue(folder / "library.sqlite") as catalogue:
        database = catalogue.database
        catalogue.spaces.ensure(SPACE, dimensions=segments.shape[1])
        database.set_setting("embedders", SPACE)
        (space,) = database.execute("SELECT id FROM spaces").fetchone()
        for start in range(0, count, BLOCK):
            numbers = range(start, min(start + BLOCK, count))
            drawn, own = draw_vectors(segments, SEGMENTS * len(numbers), seed=start)
            parts = drawn.reshape(len(numbers), SEGMENTS, -1)
            parts = parts[:, :1] + 0.3 * (parts - parts[:, :1])  # the segments of a track resemble each other
            vectors, own = parts.mean(axis=1), own[::SEGMENTS]
            tempos, confidences = generator.uniform(60, 180, len(numbers)), generator.uniform(0, 1, len(numbers))
            with database.transaction():
                database.executemany(
                    "INSERT INTO tracks (id, hash, seconds, sample_rate, channels, silent, title, artist, album, genre, year) "
                    "VALUES (?, ?, ?, 44100, 2, 0, ?, ?, ?, ?, ?)",
                    (
                        (
                            n + 1,
                            files[n][2] if n < len(files) else f"{n * 2654435761 % 2**32:08x}{n:056x}",
                            120 + n % 240,
                            f"Title {n}",
                            f"Artist {n % (count // 20 + 1)}",
                            f"Album {n % (count // 10 + 1)}",
                            genres[codes[own[n - start]]],
                            1960 + n % 65,
                        )
                        for n in numbers
                    ),
                )
                database.executemany(
                    "INSERT INTO files VALUES (?, ?, ?, ?)",
                    (
                        (files[n][0], n + 1, files[n][1].size, files[n][1].mtime_ns)
                        if n < len(files)
                        else (f"/collection/{n % 1000:03d}/{n:07d}.mp3", n + 1, 4_000_000, 1)
                        for n in numbers
                    ),
                )
                database.executemany(
                    "INSERT INTO vectors VALUES (?, ?, ?, ?)",
                    (
                        (n + 1, space, vector.astype("<f4").tobytes(), part.astype("<f4").tobytes())
                        for n, vector, part in zip(numbers, vectors, parts, strict=True)
                    ),
                )
                database.executemany(
                    "INSERT INTO tempo_keys VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        (n + 1, METHOD, tempo, confidence, KEYS[n % 24], confidence)
                        for n, tempo, confidence in zip(numbers, tempos.tolist(), confidences.tolist(), strict=True)
                    ),
                )
                database.executemany(
                    "INSERT INTO labels SELECT id, genre, 'made up', NULL, NULL FROM tracks WHERE id = ?",
                    ((n + 1,) for n in numbers if n < LABELLED),
                )
                database.mark_changed([SPACE])
        catalogue.search_names.refresh()


def median_time(question: Callable[[int], object], *, repeats: int) -> str:
    """Return the median time of a question in ms, after one that is not counted; it is called with distinct numbers."""
    question(repeats)
    times = []
    for number in range(repeats):
        start = time.perf_counter()
        question(number)
        times.append(time.perf_counter() - start)
    return f"{1000 * statistics.median(times):.1f} ms"


def run_command(*arguments: str) -> tuple[float, int]:
    """Run a command and return its time in s, and its memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "sonotheque", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{arguments}: exit status {status}")
    return time.perf_counter() - start, usage.ru_maxrss // 1024


def measure(folder: Path, *, repeats: int) -> Iterator[tuple[str, str]]:
    """Yield what is measured, and the result."""
    with Library(folder) as library:
        catalogue = library.catalogue
        tracks = catalogue.tracks.count()
        generator = np.random.default_rng(1)
        chosen = [str(track) for track in generator.choice(np.arange(KNOWN_FILES, tracks), repeats + 1, replace=False)]
        paths = [catalogue.files.of_track(int(track) + 1)[0] for track in chosen]
        known = [str(folder / "music" / f"{number:06d}.wav") for number in range(repeats + 1)]
        start = time.perf_counter()
        library.similar(paths[0])
        yield "first similar: the index is built", f"{time.perf_counter() - start:.1f} s"
        space = library.status().spaces[0]
        yield "kind of index, recall@10", f"{space.index}, {space.recall if space.recall is not None else 'exact'}"
        yield "similar, by a track of the library", median_time(lambda n: library.similar(paths[n]), repeats=repeats)
        yield (
            "similar with a genre, at most 2 per artist and per album",
            median_time(
                lambda n: library.similar(paths[n], genre="rock", max_per_artist=2, max_per_album=2), repeats=repeats
            ),
        )
        yield (
            "similar with a year, a tempo and a key",
            median_time(
                lambda n: library.similar(paths[n], min_year=1990, max_year=1999, min_tempo=100, key="A minor"),
                repeats=repeats,
            ),
        )
        if not (folder / "classifier.skops").exists():
            library.train(model="logreg")
        yield "classify, a known file", median_time(lambda n: library.classify(known[n]), repeats=repeats)
        yield "status", median_time(lambda n: library.status(), repeats=min(repeats, 10))
        rows = "file,genre\n" + "".join(f"{n + 5000:07d}.mp3,pop\n" for n in range(1000))
        table = folder / "labels.csv"
        table.write_text(rows)
        start = time.perf_counter()
        changed = library.label(str(table)).changed
        yield f"label, 1,000 rows ({changed} changed)", f"{time.perf_counter() - start:.2f} s"
        library.undo()
        start = time.perf_counter()
        removed = library.remove("/collection/005").removed
        yield f"remove a folder of {removed} tracks", f"{time.perf_counter() - start:.2f} s"
        start = time.perf_counter()
        library.similar(paths[1])
        yield "the next similar", f"{time.perf_counter() - start:.2f} s"
        start = time.perf_counter()
        library.undo()
        yield "undo", f"{time.perf_counter() - start:.2f} s"
        start = time.perf_counter()
        library.add(folder / "music")
        yield "second add of a folder of 1,000 known files", f"{time.perf_counter() - start:.2f} s"
    yield "memory of this process", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
    place = ["-L", str(folder)]
    for name, arguments in (
        ("similar", [*place, "similar", paths[2]]),
        ("status", [*place, "status"]),
        ("classify", [*place, "classify", known[0]]),
        ("add, known folder", [*place, "add", str(folder / "music")]),
    ):
        runs = [run_command(*arguments) for _ in range(3)]
        yield (
            f"command {name}, from start to end",
            f"{statistics.median(seconds for seconds, _ in runs):.2f} s, {max(memory for _, memory in runs)} MB",
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--like", type=Path, required=True, help="library whose segments vectors are drawn around")
    parser.add_argument("--tracks", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=100)
    arguments = parser.parse_args()
    for count in arguments.tracks:
        folder = arguments.folder / str(count)
        if not (folder / "library.sqlite").exists():
            start = time.perf_counter()
            make_library(folder, count, like=arguments.like)
            print(f"{count:,} tracks made in {time.perf_counter() - start:.0f} s", flush=True)
        for name, result in measure(folder, repeats=arguments.repeats):
            print(f"| {count:,} | {name} | {result} |", flush=True)


if __name__ == "__main__":
    main()
