"""The command line as a user sees it: output, exit statuses, one-line errors, speed."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sonotheque.cli import SECTIONS, cli
from sonotheque.demo import music, unlabelled
from sonotheque.errors import SonothequeError

MESSAGES = ("note: ", "map: ", "clusters: ", "open it with: ")
METAL = str(music() / "metal" / "obsidian-shell-fear.mp3")


def run(*arguments: str | Path, library: Path | None = None) -> subprocess.CompletedProcess[str]:
    options = ["-L", str(library)] if library else []
    command = [sys.executable, "-m", "sonotheque", *options, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def run_json(*arguments: str | Path, library: Path) -> dict[str, Any]:
    result = run(*arguments, "--json", library=library)
    assert result.returncode == 0
    assert all(line.startswith(MESSAGES) for line in result.stderr.splitlines())
    content: dict[str, Any] = json.loads(result.stdout)
    return content


@pytest.fixture
def library(demo_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_folder, tmp_path / "library"))


def test_help_is_fast() -> None:
    def measure_seconds() -> float:
        start = time.perf_counter()
        assert run("--help").returncode == 0
        return time.perf_counter() - start

    assert min(measure_seconds() for _ in range(5)) < 0.3


def test_help_imports_no_heavy_packages() -> None:
    code = "import sys, sonotheque.cli; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "rich", "sqlite3", "faiss", "sklearn", "openvino"} & set(modules)


def test_help_lists_every_command_in_full() -> None:
    result = CliRunner().invoke(cli, ["--help"], terminal_width=80)
    assert result.exit_code == 0
    assert "..." not in result.output.split("Options:")[1]
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    for heading, commands in SECTIONS.items():
        assert f"{heading}:" in lines
        for command in commands:
            (summary,) = [line.split(maxsplit=1)[1] for line in lines if line.startswith(f"  {command.name} ")]
            assert (command.help or "").startswith(summary)


RENAMED_OPTIONS = [
    ("train", ["--aggregation", "mean"], ["--decision", "mean"]),
    ("evaluate", ["--aggregation", "mean"], ["--decision", "mean"]),
    ("errors", ["--limit", "2"], ["--most", "2"]),
    ("errors", ["-n", "2"], ["--most", "2"]),
    ("map", ["--rebuild"], ["--anew"]),
    ("clusters", ["--rebuild"], ["--anew"]),
]


class RecordingLibrary:
    """A library whose methods record their arguments and then fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def record(*_: Any, **arguments: Any) -> None:
            self.calls.append((name, {key: value for key, value in arguments.items() if not callable(value)}))
            raise SonothequeError("recorded")

        return record


@pytest.fixture
def recording_library(monkeypatch: pytest.MonkeyPatch) -> RecordingLibrary:
    library = RecordingLibrary()
    for module in ("classification", "label_issues", "maps"):
        monkeypatch.setattr(f"sonotheque.cli.{module}.open_library", lambda *_, **__: library)
    return library


@pytest.mark.parametrize(("command", "new", "old"), RENAMED_OPTIONS)
def test_old_option_names(recording_library: RecordingLibrary, command: str, new: list[str], old: list[str]) -> None:
    results = [CliRunner().invoke(cli, [command, *options]) for options in ([], new, old)]
    assert [result.exit_code for result in results] == [1, 1, 1]
    without, with_new, with_old = recording_library.calls
    assert with_old == with_new != without
    long_name = f"--{new[0].strip('-')}" if new[0] != "-n" else "--limit"
    notice = f"warning: {old[0]} is deprecated; use {long_name}\n"
    assert results[2].stderr == notice + results[1].stderr
    assert results[2].stdout == results[1].stdout
    assert old[0] not in CliRunner().invoke(cli, [command, "--help"]).output


@pytest.mark.parametrize(("command", "new", "old"), RENAMED_OPTIONS)
def test_old_and_new_option_name_together(
    recording_library: RecordingLibrary, command: str, new: list[str], old: list[str]
) -> None:
    for options in (new + old, old + new):
        result = CliRunner().invoke(cli, [command, *options])
        assert result.exit_code == 2
        assert f"{old[0]} is the old name of" in result.stderr
    assert recording_library.calls == []


def test_old_option_names_check_their_values() -> None:
    for arguments in (["train", "--decision", "nonsense"], ["errors", "--most", "0"]):
        assert CliRunner().invoke(cli, arguments).exit_code == 2


def test_json_keys(library: Path) -> None:
    status = run_json("status", library=library)
    assert (status["tracks"], status["labelled"], status["failed"]) == (46, 46, [])
    assert status["spaces"] == [
        {"id": "musicnn-msd-penultimate-h3.0@1", "dimensions": 200, "tracks": 46, "index": "exact", "recall": None}
    ]
    assert run_json("add", music(), library=library) == status

    similar = run_json("similar", METAL, "-k", "3", library=library)
    assert similar["query"] == [METAL]
    assert similar["space"] == status["spaces"][0]["id"]
    assert [set(r) >= {"rank", "similarity", "path", "title", "artist", "album"} for r in similar["results"]] == [
        True
    ] * 3

    trained = run_json("train", library=library)
    assert trained["model"] in {"knn", "logreg", "svm"}
    classified = run_json("classify", unlabelled(), library=library)
    assert set(classified) >= {"model", "tracks", "failed"}
    assert set(classified["tracks"][0]) >= {"path", "genre", "probability", "probabilities", "neighbours"}
    assert set(classified["tracks"][0]["neighbours"][0]) == {"path", "label", "similarity", "title", "artist"}
    assert set(classified["tracks"][0]) >= {"margin", "unsure", "learned_from", "label", "out_of_fold"}

    evaluated = run_json("evaluate", library=library)
    names = "protocol accuracy accuracy_interval balanced_accuracy macro_f1 labels confusion"
    assert set(evaluated) >= set(names.split())


def test_failed_files_are_listed_and_exit_is_0(tmp_path: Path, clips: Path) -> None:
    (clips / "words.mp3").write_text("words")
    result = run("add", clips, library=tmp_path / "new")
    assert result.returncode == 0
    assert "note: 3 files embedded, 1 failed\n" in result.stderr
    assert "words.mp3: not an audio file" in result.stderr
    assert result.stdout.splitlines()[-1] == "3 tracks, none labelled, 1 file failed"
    assert "words.mp3" in run("status", library=tmp_path / "new").stderr


def test_decoder_messages_are_not_shown(tmp_path: Path, clips: Path) -> None:
    """libmpg123 writes to the C-level standard error about this file."""
    content = (clips / "slow" / "ave.mp3").read_bytes()
    (clips / "slow" / "ave.mp3").write_bytes(content[:30_000] + bytes(500) + content[30_000:50_000])
    result = run("add", clips, library=tmp_path / "new")
    assert all(line.startswith(("note: ", "warning: ", "failed: ", "notice: ")) for line in result.stderr.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "nowhere"], "nowhere: no such file or folder"),
        (["similar", "nobody"], "neither a file on disk nor"),
        (["label", "nothing.csv"], "nothing.csv: no such file"),
        (["add", METAL, "--labels", "nothing.csv"], "nothing.csv: no such file"),
        (["add", METAL, "--embedder", "vggish"], "unknown embedder"),
        (["remove", "nowhere"], "no such file"),
        (["evaluate", "--folds", "30"], "nothing to evaluate"),
        (["similar", METAL, "--m3u", "/nowhere/a.m3u8"], "cannot be written"),
    ],
)
def test_errors_are_one_line_and_exit_1(library: Path, arguments: list[str], message: str) -> None:
    result = run(*arguments, library=library)
    assert (result.returncode, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert message in result.stderr


def test_missing_library(tmp_path: Path) -> None:
    result = run("status", library=tmp_path / "none")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "add FOLDER" in result.stderr


def test_no_library_is_created_without_audio(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, message in (("empty", "no audio file found"), ("nowhere", "no such file")):
        result = run("add", tmp_path / path, library=tmp_path / "new")
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
        assert message in result.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_named_pipes_do_not_block(tmp_path: Path, clips: Path) -> None:
    os.mkfifo(clips / "pipe.mp3")
    assert run("add", clips, library=tmp_path / "new").returncode == 0
    for command in ("add", "similar", "classify"):
        result = run(command, clips / "pipe.mp3", library=tmp_path / "new")
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)


def test_read_only_library(library: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root can write everywhere")
    for path in [library, *library.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert run_json("similar", METAL, library=library)["results"]
        result = run("remove", METAL, library=library)
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
        assert "is read-only" in result.stderr
    finally:
        library.chmod(0o755)


def test_misplaced_library_option(library: Path) -> None:
    result = run("status", "-L", str(library))
    assert result.returncode == 2
    assert result.stderr.endswith("sonotheque -L FOLDER COMMAND\n")


def test_no_network_access(tmp_path: Path) -> None:
    """OpenVINO's Python package sends a telemetry event at every import unless that is disabled."""
    code = """
import sys, time

def hook(event, arguments):
    if event.startswith("socket.") and event != "socket.gethostname":
        raise SystemExit(f"network: {event} {arguments}")

sys.addaudithook(hook)
from sonotheque.extract.extraction import extract
extract(sys.argv[1], ["musicnn-msd-penultimate-h3.0@1"])
time.sleep(1)
"""
    environment = {**os.environ, "HOME": str(tmp_path)}
    command = [sys.executable, "-c", code, METAL]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage_exits_2(library: Path) -> None:
    for arguments in (
        ["nonsense"],
        ["add"],
        ["similar", METAL, "-k", "0"],
        ["remove"],
        ["classify", METAL, "--ids", "x"],
    ):
        assert run(*arguments, library=library).returncode == 2


def test_m3u_playlist(library: Path, tmp_path: Path) -> None:
    assert run("similar", METAL, "--m3u", tmp_path / "a.m3u8", "-k", "2", library=library).returncode == 0
    lines = (tmp_path / "a.m3u8").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert all((tmp_path / line).exists() for line in lines[2::2])


def test_challenge_submission(tmp_path: Path) -> None:
    """From labels by genre id to a submission by genre id, with one file that cannot be decoded."""
    genres = ["acoustic", "ambient", "classical", "electronic", "metal"]
    (tmp_path / "genres.csv").write_text("genre_id,genre\n" + "".join(f"{n},{g}\n" for n, g in enumerate(genres, 1)))
    for name in ("Train", "Test"):
        (tmp_path / name).mkdir()
    train = ["track_id,genre_id"]
    for number, clip in enumerate(sorted(music().glob("*/*.mp3"))):
        shutil.copy(clip, tmp_path / "Train" / f"{number:06d}.mp3")
        train.append(f"{number:06d},{genres.index(clip.parent.name) + 1}")
    (tmp_path / "train.csv").write_text("\n".join(train) + "\n")
    test_clips = sorted(unlabelled().glob("*.mp3"))
    for number, clip in enumerate(test_clips):
        shutil.copy(clip, tmp_path / "Test" / f"{900 + number:06d}.mp3")
    (tmp_path / "Test" / "098559.mp3").write_bytes(b"")
    rows_to_fill = ["098559", *(f"{900 + number:06d}" for number in reversed(range(len(test_clips)))), "133297"]
    (tmp_path / "sample.csv").write_text("track_id,genre_id\n" + "".join(f"{row},9\n" for row in rows_to_fill))
    library = tmp_path / "library"
    ids: list[str | Path] = ["--ids", tmp_path / "genres.csv"]

    status = run_json("status", library=_add_training_tracks(library, tmp_path, ids))
    assert (status["tracks"], status["labelled"]) == (len(train) - 1, len(train) - 1)
    assert run("train", library=library).returncode == 0
    result = run(
        "classify", tmp_path / "Test", "--csv", tmp_path / "out.csv", *ids, "--template", tmp_path / "sample.csv",
        "--check", tmp_path / "sample.csv", library=library,
    )  # fmt: skip
    assert result.returncode == 0
    assert f"valid; {len(rows_to_fill)} rows with the same ids" in result.stderr
    checked = run("classify", "--csv", tmp_path / "out.csv", "--check", tmp_path / "train.csv", *ids, library=library)
    assert checked.returncode == 1
    assert "it must be '000000'" in checked.stderr
    rows = [line.split(",") for line in (tmp_path / "out.csv").read_bytes().decode().splitlines()]
    assert [row[0] for row in rows] == ["track_id", *rows_to_fill]
    assert all(row[1] in set("12345") for row in rows[1:])
    most_frequent = str(genres.index(max(status["labels"], key=status["labels"].__getitem__)) + 1)
    assert [row[1] for row in rows if row[0] in {"098559", "133297"}] == [most_frequent, most_frequent]
    assert "no prediction for 098559" in result.stderr
    assert "no prediction for 133297" in result.stderr


def _add_training_tracks(library: Path, folder: Path, ids: list[Any]) -> Path:
    assert run("add", folder / "Train", "--labels", folder / "train.csv", *ids, library=library).returncode == 0
    return library


def test_ctrl_c_keeps_completed_work(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sonotheque", "-L", str(tmp_path / "library"), "add", str(music())]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.2)
        if count_tracks(tmp_path / "library"):
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith("interrupted; everything that was already stored is kept")
    assert 0 < run_json("status", library=tmp_path / "library")["tracks"] < 46


def count_tracks(library: Path) -> int:
    """Read the number of tracks from the database; the command `status` would take longer than a track."""
    try:
        with closing(sqlite3.connect(f"file:{library / 'library.sqlite'}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM tracks").fetchone()[0])
    except sqlite3.Error:  # not created yet
        return 0


def test_progress_bar_on_a_terminal(tmp_path: Path, clips: Path) -> None:
    main, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-m", "sonotheque", "-L", str(tmp_path / "library"), "add", str(clips), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, env=environment, text=True)
    os.close(terminal)
    parts = []

    def read() -> None:  # a terminal returns a few KB at a time, and an error once its other end is closed
        with contextlib.suppress(OSError):
            while part := os.read(main, 1 << 16):
                parts.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    output, _ = process.communicate(timeout=60)
    reader.join(timeout=10)
    os.close(main)
    shown = b"".join(parts).decode()
    assert json.loads(output)["tracks"] == 3
    assert "embedding" in shown
    assert "3 of 3 files" in shown
    assert "a minute" in shown
    assert ":" in shown  # time left


def test_demo(tmp_path: Path) -> None:
    start = time.monotonic()
    result = run("demo", library=tmp_path / "my library")
    assert result.returncode == 0
    busy = "PYTEST_XDIST_WORKER" in os.environ or os.getloadavg()[0] > (os.cpu_count() or 1)
    assert time.monotonic() - start < (150 if busy else 60)
    for text in ("46 tracks, 46 labelled in 5 genres", "john-michel-ave-maria-2.ogg", "accuracy", "9 files classified"):
        assert text in result.stdout
    assert f"The demo library is in {tmp_path / 'my library'}" in result.stdout
    links = [line.split() for line in result.stdout.splitlines()[-2:]]
    assert [name for name, _ in links] == ["map", "report"]
    for (_, link), file in zip(links, ("map.html", "report/report.html"), strict=True):
        assert link == (tmp_path / "my library" / file).as_uri()
        assert (tmp_path / "my library" / file).stat().st_size > 1_000_000


def test_inspect_needs_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOTHEQUE_LIBRARY", str(tmp_path / "none"))
    result = run("inspect", METAL, "-o", tmp_path / "metal.png", "--json")
    assert result.returncode == 0
    content = json.loads(result.stdout)
    assert content["tags"][0]["name"] == "metal"
    assert (content["seconds"], content["timeline"]) == (pytest.approx(10, abs=0.1), [])
    assert -30 < content["loudness"] < 0
    assert (tmp_path / "metal.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "none").exists()
    assert run("inspect", METAL, library=tmp_path / "none").returncode == 1


def test_inspect_with_a_classifier(library: Path, tmp_path: Path) -> None:
    text = run("inspect", METAL, library=library).stdout
    assert [line.split()[0] for line in text.splitlines()] == [
        *("file", "duration", "tempo", "key", "loudness", "peak", "auto-tags", "genre", "training", "nearest", "genres")
    ]
    assert "0:00 metal" in text
    (tmp_path / "words.mp3").write_text("words")
    bad = run("inspect", tmp_path / "words.mp3", library=library)
    assert (bad.returncode, len(bad.stderr.splitlines())) == (1, 1)


def test_map_clusters_export_and_tag(library: Path, tmp_path: Path) -> None:
    mapped = run_json("map", "-o", tmp_path / "map.html", "--audio", "none", library=library)
    assert set(mapped) >= {"space", "quality", "clusters", "agreement", "places", "parameters"}
    assert (tmp_path / "map.html").stat().st_size > 4_000_000
    clusters = run_json("clusters", "--csv", tmp_path / "clusters.csv", library=library)
    assert clusters == mapped
    assert len((tmp_path / "clusters.csv").read_text().splitlines()) == 47
    text = run("clusters", library=library).stdout
    assert "cluster \\ label" in text
    assert "adjusted mutual information" in text
    tables = run_json("export", "--tags", tmp_path / "t.csv", "--parquet", tmp_path / "p.parquet", library=library)
    assert [table["rows"] for table in tables["tables"]] == [46, 46]
    assert run("export", library=library).returncode == 2
    wrong = run("export", "--tags", tmp_path / "t.txt", library=library)
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (1, 1)
    tagged = run_json("tag", music() / "metal", "--only", "genre", library=library)
    assert tagged["dry_run"]
    assert tagged["written"] == 0
    assert "nothing was written (use --write)" in run("tag", library=library).stdout
