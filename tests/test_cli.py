"""The command as a person meets it: its documents, its exit statuses, its one-line errors, its speed."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sonotheque.demo import music, unlabelled

NOTICES = ("note: ", "map: ", "clusters: ", "embedding-atlas ", "warning: 46 of 46 tracks have no tempo")
METAL = str(music() / "metal" / "obsidian-shell-fear.mp3")


def run(*arguments: str | Path, library: Path | None = None) -> subprocess.CompletedProcess[str]:
    where = ["-L", str(library)] if library else []
    command = [sys.executable, "-m", "sonotheque", *where, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def document(*arguments: str | Path, library: Path) -> dict[str, Any]:
    result = run(*arguments, "--json", library=library)
    assert result.returncode == 0
    assert all(line.startswith(NOTICES) for line in result.stderr.splitlines())
    content: dict[str, Any] = json.loads(result.stdout)
    return content


@pytest.fixture
def library(demo_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_folder, tmp_path / "library"))


def test_help_answers_at_once() -> None:
    def seconds() -> float:
        begin = time.perf_counter()
        assert run("--help").returncode == 0
        return time.perf_counter() - begin

    assert min(seconds() for _ in range(5)) < 0.3


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, sonotheque.cli; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "rich", "sqlite3", "faiss", "sklearn", "openvino"} & set(modules)


def test_documents_have_the_promised_names(library: Path) -> None:
    status = document("status", library=library)
    assert (status["tracks"], status["labelled"], status["failed"]) == (46, 46, [])
    assert status["spaces"] == [
        {"id": "musicnn-msd-penultimate-h3.0@1", "dimensions": 200, "tracks": 46, "index": "exact"}
    ]
    assert document("add", music(), library=library) == status

    similar = document("similar", METAL, "-k", "3", library=library)
    assert similar["query"] == [METAL]
    assert similar["space"] == status["spaces"][0]["id"]
    assert [set(r) >= {"rank", "similarity", "path", "title", "artist", "album"} for r in similar["results"]] == [
        True
    ] * 3

    trained = document("train", library=library)
    assert trained["model"] in {"knn", "logreg", "svm"}
    classified = document("classify", unlabelled(), library=library)
    assert set(classified) >= {"model", "tracks", "failed"}
    assert set(classified["tracks"][0]) >= {"path", "genre", "probability", "probabilities", "neighbours"}
    assert set(classified["tracks"][0]["neighbours"][0]) == {"path", "label", "similarity"}

    evaluated = document("evaluate", library=library)
    names = "protocol accuracy accuracy_interval balanced_accuracy macro_f1 labels confusion"
    assert set(evaluated) >= set(names.split())


def test_failed_files_are_listed_and_exit_is_0(tmp_path: Path, clips: Path) -> None:
    (clips / "words.mp3").write_text("words")
    result = run("add", clips, library=tmp_path / "new")
    assert result.returncode == 0
    assert "note: 3 listened to, 0 found at a new place, 0 known already, 1 failed" in result.stderr
    assert "words.mp3: not an audio file" in result.stderr
    assert result.stdout.splitlines()[-1] == "3 tracks, 0 labelled, 1 file failed"
    assert "words.mp3" in run("status", library=tmp_path / "new").stderr


def test_c_libraries_do_not_write_into_the_output(tmp_path: Path, clips: Path) -> None:
    """libmpg123 complains on the C-level standard error about this file."""
    content = (clips / "slow" / "ave.mp3").read_bytes()
    (clips / "slow" / "ave.mp3").write_bytes(content[:30_000] + bytes(500) + content[30_000:50_000])
    result = run("add", clips, library=tmp_path / "new")
    assert all(line.startswith(("note: ", "warning: ", "failed: ", "remark: ")) for line in result.stderr.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "nowhere"], "nowhere: no such file or folder"),
        (["similar", "nobody"], "neither a file nor"),
        (["label", "nothing.csv"], "nothing.csv: no such file"),
        (["add", METAL, "--labels", "nothing.csv"], "nothing.csv: no such file"),
        (["add", METAL, "--embedder", "vggish"], "unknown embedder"),
        (["remove", "nowhere"], "no such file"),
        (["evaluate", "--folds", "30"], "nothing to judge"),
        (["similar", METAL, "--m3u", "/nowhere/a.m3u8"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_1(library: Path, arguments: list[str], message: str) -> None:
    result = run(*arguments, library=library)
    assert (result.returncode, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert message in result.stderr


def test_no_library_yet(tmp_path: Path) -> None:
    result = run("status", library=tmp_path / "none")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "add FOLDER" in result.stderr


def test_a_library_is_not_made_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, message in (("empty", "no audio file there"), ("nowhere", "no such file")):
        result = run("add", tmp_path / path, library=tmp_path / "new")
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
        assert message in result.stderr
    assert not (tmp_path / "new").exists()


def test_a_pipe_does_not_block(tmp_path: Path, clips: Path) -> None:
    os.mkfifo(clips / "pipe.mp3")
    assert run("add", clips, library=tmp_path / "new").returncode == 0
    for command in ("add", "similar", "classify"):
        result = run(command, clips / "pipe.mp3", library=tmp_path / "new")
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)


def test_a_library_that_may_only_be_read(library: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    for path in [library, *library.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert document("similar", METAL, library=library)["results"]
        result = run("remove", METAL, library=library)
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
        assert "may only be read" in result.stderr
    finally:
        library.chmod(0o755)


def test_the_library_option_is_asked_for_in_its_place(library: Path) -> None:
    result = run("status", "-L", str(library))
    assert result.returncode == 2
    assert result.stderr.endswith("sonotheque -L FOLDER COMMAND\n")


def test_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    """OpenVINO's Python package sends an event at every import unless it is kept from it."""
    code = """
import sys, time

def hook(event, arguments):
    if event.startswith("socket.") and event != "socket.gethostname":
        raise SystemExit(f"network: {event} {arguments}")

sys.addaudithook(hook)
from sonotheque.extract.pool import listen
listen(sys.argv[1], ["musicnn-msd-penultimate-h3.0@1"])
time.sleep(1)
"""
    environment = {**os.environ, "HOME": str(tmp_path)}
    command = [sys.executable, "-c", code, METAL]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage_is_exit_2(library: Path) -> None:
    for arguments in (
        ["nonsense"],
        ["add"],
        ["similar", METAL, "-k", "0"],
        ["remove"],
        ["classify", METAL, "--ids", "x"],
    ):
        assert run(*arguments, library=library).returncode == 2


def test_playlist(library: Path, tmp_path: Path) -> None:
    assert run("similar", METAL, "--m3u", tmp_path / "a.m3u8", "-k", "2", library=library).returncode == 0
    lines = (tmp_path / "a.m3u8").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert all((tmp_path / line).exists() for line in lines[2::2])


def test_the_challenge(tmp_path: Path) -> None:
    """Files of the challenge's form, from labels by id to a hand-in by id, with one that cannot be decoded."""
    genres = ["acoustic", "ambient", "classical", "electronic", "metal"]
    (tmp_path / "genres.csv").write_text("genre_id,genre\n" + "".join(f"{n},{g}\n" for n, g in enumerate(genres, 1)))
    for name in ("Train", "Test"):
        (tmp_path / name).mkdir()
    train = ["track_id,genre_id"]
    for number, clip in enumerate(sorted(music().glob("*/*.mp3"))):
        shutil.copy(clip, tmp_path / "Train" / f"{number:06d}.mp3")
        train.append(f"{number:06d},{genres.index(clip.parent.name) + 1}")
    (tmp_path / "train.csv").write_text("\n".join(train) + "\n")
    tests = sorted(unlabelled().glob("*.mp3"))
    for number, clip in enumerate(tests):
        shutil.copy(clip, tmp_path / "Test" / f"{900 + number:06d}.mp3")
    (tmp_path / "Test" / "098559.mp3").write_bytes(b"")
    wanted = ["098559", *(f"{900 + number:06d}" for number in reversed(range(len(tests)))), "133297"]
    (tmp_path / "sample.csv").write_text("track_id,genre_id\n" + "".join(f"{row},9\n" for row in wanted))
    library = tmp_path / "library"
    ids: list[str | Path] = ["--ids", tmp_path / "genres.csv"]

    added = document("status", library=_added(library, tmp_path, ids))
    assert (added["tracks"], added["labelled"]) == (len(train) - 1, len(train) - 1)
    assert run("train", library=library).returncode == 0
    result = run(
        "classify", tmp_path / "Test", "--csv", tmp_path / "out.csv", *ids, "--template", tmp_path / "sample.csv",
        "--check", tmp_path / "sample.csv", library=library,
    )  # fmt: skip
    assert result.returncode == 0
    assert f"{len(wanted)} rows with the ids of" in result.stderr
    checked = run("classify", "--csv", tmp_path / "out.csv", "--check", tmp_path / "train.csv", *ids, library=library)
    assert checked.returncode == 1
    assert "it must be '000000'" in checked.stderr
    rows = [line.split(",") for line in (tmp_path / "out.csv").read_bytes().decode().splitlines()]
    assert [row[0] for row in rows] == ["track_id", *wanted]
    assert all(row[1] in set("12345") for row in rows[1:])
    frequent = str(genres.index(max(added["labels"], key=added["labels"].__getitem__)) + 1)
    assert [row[1] for row in rows if row[0] in {"098559", "133297"}] == [frequent, frequent]
    assert "no prediction for 098559" in result.stderr
    assert "no prediction for 133297" in result.stderr


def _added(library: Path, folder: Path, ids: list[Any]) -> Path:
    assert run("add", folder / "Train", "--labels", folder / "train.csv", *ids, library=library).returncode == 0
    return library


def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sonotheque", "-L", str(tmp_path / "library"), "add", str(music())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.2)
        if document_or_none(tmp_path / "library"):
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith("stopped; what was done is kept")
    assert 0 < document("status", library=tmp_path / "library")["tracks"] < 46


def document_or_none(library: Path) -> int:
    result = run("status", "--json", library=library)
    return json.loads(result.stdout)["tracks"] if result.returncode == 0 else 0


def test_a_terminal_sees_progress(tmp_path: Path, clips: Path) -> None:
    main, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-m", "sonotheque", "-L", str(tmp_path / "library"), "add", str(clips), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, env=environment, text=True)
    os.close(terminal)
    parts = []

    def read() -> None:  # a terminal hands out a few KB at a time, and an error when nobody writes to it any more
        with contextlib.suppress(OSError):
            while part := os.read(main, 1 << 16):
                parts.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    output, _ = process.communicate(timeout=60)
    reader.join(timeout=10)
    os.close(main)
    drawn = b"".join(parts).decode()
    assert json.loads(output)["tracks"] == 3
    assert "embedding" in drawn
    assert "3/3" in drawn
    assert "/min" in drawn
    assert ":" in drawn  # time left


def test_demo(tmp_path: Path) -> None:
    begin = time.monotonic()
    result = run("demo", library=tmp_path / "library")
    assert result.returncode == 0
    assert time.monotonic() - begin < 60
    for text in ("46 tracks, 46 labelled in 5 genres", "john-michel-ave-maria-2.ogg", "accuracy", "9 files classified"):
        assert text in result.stdout
    assert f"This library lies in {tmp_path / 'library'}" in result.stdout


def test_one_file_needs_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_one_file_with_a_classifier_and_in_words(library: Path, tmp_path: Path) -> None:
    text = run("inspect", METAL, library=library).stdout
    assert [line.split()[0] for line in text.splitlines()] == [
        *("file", "duration", "tempo", "key", "loudness", "peak", "tags", "genres")
    ]
    assert "0:00 metal" in text
    (tmp_path / "words.mp3").write_text("words")
    bad = run("inspect", tmp_path / "words.mp3", library=library)
    assert (bad.returncode, len(bad.stderr.splitlines())) == (1, 1)


def test_map_clusters_export_and_tag(library: Path, tmp_path: Path) -> None:
    mapped = document("map", "-o", tmp_path / "map.html", "--audio", "none", library=library)
    assert set(mapped) >= {"space", "quality", "clusters", "agreement", "places", "parameters"}
    assert (tmp_path / "map.html").stat().st_size > 4_000_000
    clusters = document("clusters", "--csv", tmp_path / "clusters.csv", library=library)
    assert clusters == mapped
    assert len((tmp_path / "clusters.csv").read_text().splitlines()) == 47
    text = run("clusters", library=library).stdout
    assert "cluster \\ label" in text
    assert "adjusted mutual information" in text
    tables = document("export", "--tags", tmp_path / "t.csv", "--parquet", tmp_path / "p.parquet", library=library)
    assert [table["rows"] for table in tables["tables"]] == [46, 46]
    assert run("export", library=library).returncode == 2
    wrong = run("export", "--tags", tmp_path / "t.txt", library=library)
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (1, 1)
    tagged = document("tag", music() / "metal", "--only", "genre", library=library)
    assert tagged["dry_run"]
    assert tagged["written"] == 0
    assert "--write writes" in run("tag", library=library).stdout
