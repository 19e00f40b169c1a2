"""Libraries with few tracks, few genres, one artist, silence or one sound: cases for tests and `bench/awkward_inputs.py`."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from sonotheque import Library

RATE = 22_050
EMBEDDERS = ("musicnn", "descriptors", "mel")

SOUNDS = ("music", "silence", "one sound")
MAX_CLIPS = 12


@dataclass(frozen=True)
class Case:
    """The tracks of a library.

    Attributes
    ----------
    labels : str
        One letter for each track: its genre, or ``-`` for none.
    sound : str
        One of `SOUNDS`.
    artists : str
        One letter for each track, ``-`` for an unknown artist. By default each track has an artist of its own.
    """

    labels: str
    sound: str = "music"
    artists: str = "abcdefghijkl"


CASES = {
    "no track": Case(""),
    "1 track, no genre": Case("-"),
    "1 track, 1 genre": Case("P"),
    "2 tracks, no genre": Case("--"),
    "2 tracks, 1 genre": Case("PP"),
    "2 tracks, 2 genres": Case("PR"),
    "2 tracks, one labelled": Case("P-"),
    "3 tracks, no genre": Case("---"),
    "3 tracks, 1 genre": Case("PPP"),
    "3 tracks, 2 genres": Case("PPR"),
    "3 tracks, 2 genres, one unlabelled": Case("PR-"),
    "3 tracks, 3 genres": Case("PRJ"),
    "2 genres, one of them on one track": Case("PPPPPR"),
    "3 genres, two of them on one track": Case("PPPPRJ"),
    "3 genres of 2 tracks": Case("PPRRJJ"),
    "one artist, 2 genres": Case("PPPRRR", artists="aaaaaa"),
    "one artist for each genre": Case("PPPRRR", artists="aaabbb"),
    "no artist known": Case("PPPRRR", artists="------"),
    "1 silent track": Case("P", sound="silence"),
    "2 silent tracks, 2 genres": Case("PR", sound="silence"),
    "all silent, no genre": Case("------", sound="silence"),
    "all silent, 2 genres": Case("PPPRRR", sound="silence"),
    "2 tracks of one sound": Case("PR", sound="one sound"),
    "one sound, no genre": Case("------", sound="one sound"),
    "one sound, 2 genres": Case("PPPRRR", sound="one sound"),
    "12 tracks of one sound, 3 genres": Case("PPPPRRRRJJJJ", sound="one sound"),
    "12 silent tracks, 1 genre": Case("P" * 12, sound="silence"),
    "12 tracks, 3 genres": Case("PPPPRRRRJJJJ"),
}
"""Every number of tracks from 0 to 3 with every number of genres, and what is degenerate in other ways."""

GENRES = {"P": "pop", "R": "rock", "J": "jazz"}


def make_clips(folder: Path) -> dict[str, list[Path]]:
    """Write the clips of each sound. All have different content; the clips of one sound have the same samples."""
    generator = np.random.default_rng(0)
    clips: dict[str, list[Path]] = {sound: [] for sound in SOUNDS}
    time = np.arange(12 * RATE) / RATE
    for number in range(MAX_CLIPS):
        seconds = 12 if number == 0 else 1.0 + 0.25 * number
        count = int(seconds * RATE)
        pitch = 110 * 2 ** (number / 4)
        beat = np.sin(2 * np.pi * (1 + number / 4) * time[:count]) > 0.5
        music = 0.3 * beat * np.sin(2 * np.pi * pitch * time[:count]) + generator.normal(
            0, 0.01 + 0.003 * number, count
        )
        for sound, samples in (
            ("music", music),
            ("silence", np.zeros(count)),
            ("one sound", 0.3 * np.sin(2 * np.pi * 440 * time[: 2 * RATE])),
        ):
            path = folder / sound / f"{number:02d}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            sf.write(path, samples.astype(np.float32), RATE, subtype="PCM_16")
            if sound == "one sound":  # another chunk, so that the content differs and the samples do not
                path.write_bytes(path.read_bytes() + b"junk\x02\0\0\0" + bytes([number, 0]))
            clips[sound].append(path)
    return clips


def add_all_clips(library: Path, clips: Sequence[Path], *, embedders: Sequence[str] = EMBEDDERS) -> None:
    """Make a library of all clips, of which `make_library` takes some."""
    with Library(library) as opened:
        opened.add(*clips, embedders=embedders)


def make_library(folder: Path, case: Case, *, source: Path, clips: Sequence[Path]) -> Path:
    """Make the library of a case from a library of all clips; without tracks, it is a new one."""
    if not case.labels:
        with Library(folder):
            return folder
    shutil.copytree(source, folder)
    kept = clips[: len(case.labels)]
    table = folder / "labels.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "genre", "artist"])
        for path, label, artist in zip(kept, case.labels, case.artists, strict=False):
            if label != "-":
                writer.writerow([path, GENRES[label], "" if artist == "-" else f"Artist {artist}"])
    with Library(folder) as library:
        if len(kept) < len(clips):
            library.remove(*clips[len(kept) :])
        if set(case.labels) != {"-"}:
            library.label(str(table))
    return folder
