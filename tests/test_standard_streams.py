"""Standard output in any encoding, file names in any bytes, full disks, closed pipes, and unexpected errors."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import soundfile as sf

from sonotheque import Library, cli, error_log
from sonotheque.cli import main

NAMES = ("été ♫.wav", "日本.wav", "naïve.wav", "plain.wav")
LABELS = "file,genre,artist\nété ♫.wav,Éléctro,Ä\n日本.wav,J-ポップ,Ö\nnaïve.wav,Éléctro,É\nplain.wav,J-ポップ,日\n"
LOCALE_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

Run = Callable[..., tuple[int, bytes, bytes]]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library, music with names beyond ASCII, and one whose name is not valid UTF-8."""
    folder = tmp_path_factory.mktemp("names")
    (folder / "music").mkdir()
    generator = np.random.default_rng(0)
    for name in (*NAMES, os.fsdecode(b"bad\xff.wav")):
        parent = folder if "bad" in name else folder / "music"
        sf.write(os.fsencode(parent / name), generator.normal(0, 0.1, 22_050).astype(np.float32), 22_050, format="WAV")
    (folder / "labels.csv").write_text(LABELS, encoding="utf-8")
    with Library(folder / "library") as library:
        library.add(folder / "music", labels=str(folder / "labels.csv"), embedders=["musicnn"])
        library.train(model="logreg")
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Run:
    """Return a function that runs `main` on the library with standard streams in an encoding."""

    def run_main(*arguments: str | Path, encoding: str = "utf-8") -> tuple[int, bytes, bytes]:
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["sonotheque", "-L", "library", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdout", streams[0])
        monkeypatch.setattr(sys, "stderr", streams[1])
        with pytest.raises(SystemExit) as end:
            main()
        contents = [stream.buffer.getvalue() for stream in streams]
        return int(end.value.code or 0), contents[0], contents[1]

    return run_main


def commands(out: Path) -> list[list[str]]:
    return [
        ["add", "music"],
        ["status"],
        ["label", "labels.csv"],
        ["similar", "music/été ♫.wav", "--m3u", str(out / "日本.m3u8")],
        ["train", "--model", "knn"],
        ["classify", "music", "--csv", str(out / "é.csv")],
        ["errors", "--csv", str(out / "♫.csv")],
        ["map", "-o", str(out / "é.html"), "--audio", "none"],
        ["clusters", "--csv", str(out / "é2.csv")],
        ["export", "--tags", str(out / "é3.csv")],
        ["tag"],
        ["tag", "music/日本.wav"],
    ]


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("cp437", marks=pytest.mark.slow)])
def test_names_that_cannot_be_shown_are_escaped(run: Run, encoding: str, tmp_path: Path) -> None:
    for command in commands(tmp_path):
        status, output, messages = run(*command, encoding=encoding)
        assert (status, b"Traceback" in messages) == (0, False), (command, messages)
        output.decode(encoding)
        messages.decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "Éléctro"),
        ("cp1252", "Éléctro"),
        ("latin-1", "Éléctro"),
        ("cp437", "Éléctro".replace("É", "É")),
        ("ascii", r"\xc9l\xe9ctro"),
    ],
)
def test_the_encoding_decides_what_is_escaped(run: Run, encoding: str, shown: str) -> None:
    status, output, _ = run("status", encoding=encoding)
    assert status == 0
    assert shown in output.decode(encoding)
    assert (r"J-\u30dd\u30c3\u30d7" in output.decode(encoding)) == (encoding != "utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "latin-1", "cp437", "ascii", "utf-16"])
def test_json_is_the_same_in_every_encoding(run: Run, encoding: str) -> None:
    status, output, _ = run("similar", "plain", "--same-recording", "--json", encoding=encoding)
    assert status == 0
    paths = {Path(track["path"]).name for track in json.loads(output.decode(encoding))["results"]}
    assert paths == set(NAMES) - {"plain.wav"}
    if encoding not in {"utf-8", "utf-16"}:
        output.decode("ascii")


def test_an_error_with_a_name_that_cannot_be_shown(run: Run) -> None:
    for arguments in (["similar", "日本語"], ["add", "日本語"], ["similar", "plain", "--genre", "日本語"]):
        status, output, messages = run(*arguments, encoding="ascii")
        assert (status, output, len(messages.splitlines())) == (1, b"", 1)
        assert rb"\u65e5\u672c\u8a9e" in messages
    assert run("similar", "x", "-k", "日", encoding="ascii")[0] == 2


BAD = os.fsdecode(b"bad\xff")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["add", f"{BAD}.wav"], 1, "not valid UTF-8; rename it"),
        (["classify", f"{BAD}.wav"], 1, "not valid UTF-8; rename it"),
        (["similar", f"{BAD}.wav"], 1, "not valid UTF-8; rename it"),
        (["inspect", f"{BAD}.wav"], 1, "not valid UTF-8; rename it"),
        (["classify", f"{BAD}.wav", "music", "--csv", "OUT.csv"], 0, "not valid UTF-8; rename it"),
        (["remove", f"{BAD}.wav"], 1, "no such file or folder in the library"),
        (["tag", f"{BAD}.wav"], 1, "no such file or folder in the library"),
        (["label", f"{BAD}.csv"], 1, "no such file"),
        (["similar", BAD], 1, "not valid UTF-8"),
        (["similar", "plain", "--m3u", f"{BAD}.m3u8"], 0, ""),
        (["similar", "plain", "--genre", BAD], 1, "no track is labelled"),
        (["export", "--tags", f"{BAD}.csv"], 0, ""),
        (["errors", "--csv", f"{BAD}.csv"], 0, ""),
    ],
)
def test_names_that_are_not_utf_8(
    run: Run, arguments: list[str], status: int, message: str, tmp_path: Path, folder: Path
) -> None:
    arguments = [value.replace("OUT", str(tmp_path / "out")) for value in arguments]
    if status == 0 and BAD in arguments[-1]:
        arguments[-1] = str(tmp_path / arguments[-1])
    result, output, messages = run(*arguments)
    output.decode()
    assert (result, message in messages.decode()) == (status, True), messages
    assert b"unexpected" not in messages
    if status == 0 and BAD in arguments[-1]:
        assert os.path.getsize(arguments[-1]) > 0
    failed = json.loads(run("classify", f"{BAD}.wav", "music", "--json")[1])["failed"]
    assert failed == [{"path": str(folder / r"bad\xff.wav"), "reason": "its name is not valid UTF-8; rename it"}]


def test_a_library_whose_name_is_not_utf_8(run: Run, folder: Path) -> None:
    copy = os.fsdecode(os.fsencode(folder) + b"/library\xff")
    shutil.copytree(folder / "library", copy, dirs_exist_ok=True)
    for command in (["status"], ["similar", "plain"], ["classify", "music"]):
        status, output, messages = run("-L", copy, *command)
        assert (status, b"unexpected" in messages) == (0, False), messages
        assert output.decode()


def command_line(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "sonotheque", *map(str, arguments)]


def test_names_beyond_ascii_in_the_locale_c(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "library", tmp_path / "library")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONIOENCODING"} | LOCALE_C
    for arguments in (
        ["similar", "music/été ♫.wav", "--m3u", tmp_path / "é.m3u8", "-k", "1"],
        ["add", "music", "--json"],
        ["similar", "été ♫", "--json"],
    ):
        command = command_line("-L", tmp_path / "library", *arguments)
        result = subprocess.run(command, capture_output=True, env=environment, cwd=folder, check=False)
        assert result.returncode == 0, result.stderr
        assert result.stdout.isascii()
        assert result.stderr.isascii()
        if "--json" in arguments:
            json.loads(result.stdout)
    assert "♫" not in (tmp_path / "é.m3u8").read_text(encoding="utf-8")
    assert len(json.loads(result.stdout)["results"]) == 3


def test_a_full_disk_behind_standard_output(folder: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("NO /dev/full: a full disk is NOT tested")
    for arguments, unbuffered in (
        (["-L", "library", "similar", "plain", "-k", "2"], ""),
        (["weights", "list"], "1"),
        (["--help"], ""),
    ):
        with open("/dev/full", "w") as full:
            result = subprocess.run(
                command_line(*arguments),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                cwd=folder,
                env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
                check=False,
            )
        assert result.returncode == 1
        assert result.stderr == f"Error: standard output: cannot be written ({os.strerror(errno.ENOSPC)})\n"


def test_closed_streams_and_pipes_are_quiet(folder: Path) -> None:
    command = " ".join(command_line("--version"))
    for redirection, status in ((">&-", 0), (">&- 2>&-", 0), ("<&- >/dev/null", 0), ("2>/dev/full >/dev/null", 0)):
        result = subprocess.run(["sh", "-c", f"{command} {redirection}"], capture_output=True, cwd=folder, check=False)
        assert (result.returncode, result.stdout, result.stderr) == (status, b"", b""), redirection
    process = subprocess.Popen(
        command_line("-L", "library", "similar", "plain", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
    )
    assert process.stdout is not None
    process.stdout.close()  # as `head` does
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


UNEXPECTED: list[tuple[Exception, str]] = [
    (RuntimeError("first\nsecond"), "unexpected RuntimeError: first second. Please report this"),
    (MemoryError(), "not enough memory; close other programs"),
    (RecursionError("too deep"), "unexpected RecursionError: too deep"),
    (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "/x/y: the disk is full"),
    (PermissionError(errno.EACCES, "Permission denied", "/x"), "unexpected PermissionError"),
    (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed"), "unexpected UnicodeEncodeError"),
    (KeyError("日本"), "unexpected KeyError"),
]


@pytest.mark.parametrize(("error", "message"), UNEXPECTED, ids=lambda value: type(value).__name__)
def test_an_unexpected_error_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, message: str
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(error_log, "log_folders", lambda: iter([tmp_path / "log"]))
    monkeypatch.setattr(Library, "status", fail)
    monkeypatch.delenv("SONOTHEQUE_DEBUG", raising=False)
    status, output, messages = run("status", encoding="ascii")
    assert (status, output, len(messages.splitlines())) == (1, b"", 1)
    assert message in messages.decode()
    log = tmp_path / "log" / "errors.log"
    if "disk is full" not in message:
        assert str(log) in messages.decode()
        assert "Traceback (most recent call last)" in log.read_text(encoding="utf-8")
        assert type(error).__name__ in log.read_text(encoding="utf-8")
    monkeypatch.setenv("SONOTHEQUE_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["sonotheque", "-L", "library", "status"])
    with pytest.raises(type(error)):
        main()


def test_an_unexpected_error_without_a_log(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("unknown")

    monkeypatch.setattr(Library, "status", fail)
    monkeypatch.setattr(error_log, "log_folders", lambda: iter([Path("/dev/null/nowhere")]))
    status, _, messages = run("status")
    assert (status, len(messages.splitlines())) == (1, 1)
    assert b"No log could be written" in messages
    assert b"SONOTHEQUE_DEBUG=1" in messages
    monkeypatch.setattr(error_log, "log_folders", fail)
    assert run("status")[0] == 1


def test_ctrl_c_stays_as_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Library, "status", interrupt)
    status, _, messages = run("status")
    assert status == 130
    assert messages.lstrip().startswith(b"interrupted;")


def test_warnings_of_other_packages_are_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    import warnings

    def warn(self: Library) -> Any:
        warnings.warn("this is for developers", RuntimeWarning, stacklevel=1)
        logging.getLogger("matplotlib").warning("this too")
        raise click.exceptions.Exit(0)

    monkeypatch.setattr(Library, "status", warn)
    monkeypatch.setattr(sys, "warnoptions", [])
    status, _, messages = run("status")
    assert (status, messages) == (0, b"")
    assert cli.main is main
