"""Libraries with few tracks, few genres, one artist, silence or one sound: cases for tests and `bench/awkward_inputs.py`."""

from __future__ import annotations

import csv
import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from click.testing import CliRunner

from sonotheque import Library
from sonotheque.cli import cli

RATE = 22_050
MAX_CLIPS = 12
SOUNDS = ("music", "silence", "one sound")
GENRES = {"P": "pop", "R": "rock", "J": "jazz"}

MODELS = ("auto", "ensemble", "logreg", "knn", "svm", "forest", "lightgbm", "xgboost", "mlp", "cnn", "head")
AGGREGATIONS = ("track", "mean", "vote", "product", "learned")


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
    "one artist for both genres, others for one": Case("PPPRRR", artists="abcccd"),
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


def make_clips(folder: Path, *, count: int = MAX_CLIPS) -> dict[str, list[Path]]:
    """Write clips of each sound. All have different content; the clips of one sound have the same samples."""
    generator = np.random.default_rng(0)
    clips: dict[str, list[Path]] = {sound: [] for sound in SOUNDS}
    time = np.arange(12 * RATE) / RATE
    for number in range(count):
        length = int((12 if number == 0 else 1 + 0.1 * number) * RATE)
        beat = np.sin(2 * np.pi * (1 + number / 4) * time[:length]) > 0.5
        tone = 0.3 * beat * np.sin(2 * np.pi * 110 * 2 ** (number / 4) * time[:length])
        for sound, samples in (
            ("music", tone + generator.normal(0, 0.01 + 0.003 * number, length)),
            ("silence", np.zeros(length)),
            ("one sound", 0.3 * np.sin(2 * np.pi * 440 * time[:RATE])),
        ):
            path = folder / sound / f"{number:02d}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            sf.write(path, samples.astype(np.float32), RATE, subtype="PCM_16")
            if sound == "one sound":  # another chunk, so that the content differs and the samples do not
                path.write_bytes(path.read_bytes() + b"junk\x02\0\0\0" + bytes([number, 0]))
            clips[sound].append(path)
    return clips


def add_clips(
    library: Path, clips: Mapping[str, Sequence[Path]], *, embedders: Sequence[str] = ("musicnn", "descriptors")
) -> None:
    """Make a library of all clips, of which `make_library` takes some."""
    with Library(library) as opened:
        opened.add(*(path for paths in clips.values() for path in paths), embedders=embedders)


def make_library(folder: Path, case: Case, *, source: Path, clips: Mapping[str, Sequence[Path]]) -> Path:
    """Make the library of a case from a library of all clips; without tracks, it is a new one."""
    if not case.labels:
        with Library(folder):
            return folder
    shutil.copytree(source, folder)
    kept = clips[case.sound][: len(case.labels)]
    table = folder / "labels.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "genre", "artist"])
        for path, label, artist in zip(kept, case.labels, case.artists, strict=False):
            if label != "-":
                writer.writerow([path, GENRES[label], "" if artist == "-" else f"Artist {artist}"])
    with Library(folder) as library:
        library.remove(*(path for paths in clips.values() for path in paths if path not in kept))
        if set(case.labels) != {"-"}:
            library.label(str(table))
    return folder


def quick_commands(query: Path, out: Path) -> list[list[str]]:
    """List one run of every command that uses a library, in an order in which each finds what it needs."""
    path = str(query)
    return [
        ["status"],
        ["similar", path, "-k", "3", "--m3u", str(out / "a.m3u8")],
        ["search", "slow acoustic vocals in A minor, not rock", "-k", "3", "--m3u", str(out / "s.m3u8")],
        ["index"],
        ["playlist", path, "-n", "3", "--m3u", str(out / "l.m3u8"), "--rekordbox", str(out / "l.xml")],
        ["duplicates", "--csv", str(out / "d.csv")],
        ["train", "--model", "logreg"],
        ["classify", path, "--timeline", "--csv", str(out / "c.csv")],
        ["evaluate", "--model", "knn"],
        ["evaluate", "--retrieval", "-k", "3"],
        ["errors", "--csv", str(out / "e.csv")],
        ["map", "-o", str(out / "m.html"), "--audio", "none"],
        ["clusters", "--csv", str(out / "k.csv"), "--cluster-size", "2"],
        ["export", "--tags", str(out / "t.csv"), "--parquet", str(out / "p.parquet")],
        ["tag", "--predicted", "--probability", "0"],
    ]


def all_commands(query: Path, out: Path) -> list[list[str]]:
    """List runs of every command with every model, aggregation and output."""
    path = str(query)
    models = [["--model", model] for model in MODELS]
    aggregations = [["--model", model, "--aggregation", name] for model in ("logreg", "knn") for name in AGGREGATIONS]
    return [
        *quick_commands(query, out),
        ["similar", path, "--genre", "pop", "--max-per-artist", "1"],
        ["playlist", "--genre", "pop", "--minutes", "1"],
        ["playlist", "--from", path, "--to", str(query.with_name("01.wav")), "--max-per-artist", "2"],
        ["playlist", "--extend", str(out / "a.m3u8")],
        ["playlist", "--cluster", "1", "--seed", "1"],
        *(
            command
            for options in (*models, *aggregations)
            for command in (["train", *options], ["classify", path, "--timeline"], ["evaluate", *options])
        ),
        ["evaluate", "--model", "knn", "--learning-curve", "--repeats", "2", "--seed", "4294967295"],
        ["train", "--trials", "2"],
        ["evaluate", "--trials", "1"],
        ["evaluate", "--model", "all"],
        ["evaluate", "--model", "logreg", "--folds", "2", "--report", str(out / "report")],
        ["train", "--model", "logreg"],
        ["classify", path, "--abstain", "0.9"],
        ["errors", "--limit", "1", "--embedder", "descriptors"],
        ["map", "-o", str(out / "n.html"), "--rebuild", "--neighbours", "2", "--embedder", "descriptors"],
        ["inspect", path, "-o", str(out / "i.png")],
        ["label", "tags"],
        ["remove", path],
    ]


def check_command(library: Path, arguments: Sequence[str]) -> str:
    """Run a command with and without ``--json`` and return what it said: ``ok``, or its error.

    Raises
    ------
    AssertionError
        If there was a traceback or a warning, if the error is not one line, or if the JSON is not valid.
    """
    said = []
    for options in ([], ["--json"])[arguments[0] in {"train", "evaluate", "remove"} :]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            warnings.filterwarnings("ignore", category=ResourceWarning)
            result = CliRunner().invoke(cli, ["-L", str(library), *arguments, *options])
        where = " ".join(arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), f"{where}: {result.exception!r}"
        assert result.exit_code in {0, 1}, f"{where}: {result.stderr}"
        assert "Warning" not in result.stderr, where
        if result.exit_code == 0:
            if options:
                json.loads(result.stdout, parse_constant=_refuse_constant)
            said.append("ok")
        else:
            errors = [line for line in result.stderr.splitlines() if not line.startswith(("note: ", "warning: "))]
            assert len(errors) == 1, f"{where}: {result.stderr}"
            said.append(errors[0])
    assert len(set(said)) == 1, f"{arguments}: {said}"
    return said[0]


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
