"""No command writes over music, a library, an input or anything else that it did not write itself.

`OUTPUTS` lists every option that names an output file and `INPUTS` every other one that names a file. An option that is in neither
fails a test, so a new output cannot miss the guard.
"""

from __future__ import annotations

import ast
import csv
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sonotheque import Library, LibraryError
from sonotheque.cli import cli
from sonotheque.demo import music
from sonotheque.output_files import (
    CSV,
    HTML,
    M3U,
    PARQUET,
    PNG,
    OutputFile,
    WrittenFile,
    as_output,
    open_output,
    read_png_signature,
    sign_png,
)
from sonotheque.report.figures import FIGURE_KEYS

DATA = Path(__file__).parent / "data"
SONG = DATA / "tone.flac"
CLIP = music() / "metal" / "obsidian-shell-fear.mp3"
FOREIGN = {
    ".csv": b"file,genre\na.mp3,rock\n",
    ".html": b"<!DOCTYPE html>\n<title>Mine</title>\n",
    ".m3u8": "#EXTM3U\nmusik/ä.mp3\n".encode(),
    ".parquet": b"PAR1\0\0\0\0PAR1",
    ".png": b"\x89PNG\r\n\x1a\n....",
    ".xml": b'<?xml version="1.0" encoding="UTF-8"?>\n<DJ_PLAYLISTS Version="1.0.0"/>\n',
}
"""Files of each kind that somebody else wrote."""


@dataclass(frozen=True)
class Output:
    """An option that names an output; `name` is the file that it writes, and the option's value its folder for a report."""

    option: str
    arguments: tuple[str, ...]
    name: str

    @property
    def command(self) -> str:
        return self.arguments[0]

    def value(self, file: Path) -> str:
        return str(file.parent if self.option == "--report" else file)


OUTPUTS = [
    Output("--m3u", ("similar", str(CLIP)), "out.m3u8"),
    Output("--m3u", ("search", "slow"), "out.m3u8"),
    Output("--m3u", ("playlist", "--genre", "metal"), "out.m3u8"),
    Output("--rekordbox", ("playlist", "--genre", "metal"), "out.xml"),
    Output("--csv", ("duplicates",), "out.csv"),
    Output("--csv", ("classify", str(CLIP)), "out.csv"),
    Output("--report", ("evaluate",), "report.html"),
    Output("--report", ("evaluate",), f"{FIGURE_KEYS[2]}.png"),
    Output("--csv", ("errors",), "out.csv"),
    Output("--page", ("errors",), "out.html"),
    Output("--output", ("map",), "out.html"),
    Output("--csv", ("clusters",), "out.csv"),
    Output("--output", ("inspect", str(CLIP)), "out.png"),
    Output("--tags", ("export",), "out.csv"),
    Output("--tags", ("export",), "out.parquet"),
    Output("--parquet", ("export",), "out.parquet"),
]
INPUTS = {
    *(("add", "--ids"), ("add", "--labels"), ("label", "--ids"), ("errors", "--apply"), ("evaluate", "--split")),
    *(("classify", "--ids"), ("classify", "--template"), ("classify", "--check")),
    ("similar", "--folder"),
    ("playlist", "--extend"),
}


def name_output(output: Output) -> str:
    return f"{output.command} {output.option} {output.name}"


def run(library: Path, *arguments: str) -> str:
    """Run a command that fails, and return its message."""
    result = CliRunner().invoke(cli, ["-L", str(library), *arguments])
    assert result.exit_code == 1, result.output
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


@pytest.fixture(scope="module")
def library_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library without tracks, with all its files, and others in its folder. The tests that use it change nothing."""
    folder = tmp_path_factory.mktemp("guard") / "library"
    Library(folder).close()
    (folder / "index").mkdir()
    (folder / "index" / "musicnn.faiss").write_bytes(b'{"generation": 1}\n\0\1')
    (folder / "classifier.skops").write_bytes(b"PK\3\4")
    for extension, content in FOREIGN.items():
        (folder / f"notes{extension}").write_bytes(content)
    return folder


def make_victims(folder: Path, library: Path, output: Output) -> Iterator[Path]:
    """Make files that must never be replaced, each under the name that the output has, in folders of their own."""
    extension = Path(output.name).suffix

    def path(name: str) -> Path:
        (folder / name).mkdir(parents=True)
        return folder / name / output.name

    shutil.copy(SONG, audio := path("audio with another extension"))
    yield audio
    headers = {
        "mp3": b"ID3\x04",
        "raw mp3": b"\xff\xfb\x90\x64",
        "ogg": b"OggS\0",
        "mpc": b"MPCK\0",
        "m4a": b"\0\0\0\x20ftypM4A ",
    }
    for name, content in headers.items():
        (header := path(f"start of an {name}")).write_bytes(content)
        yield header
    (link := path("symbolic link to audio")).symlink_to(audio)
    yield link
    os.link(audio, hard := path("hard link to audio"))
    yield hard
    for name, file in (
        ("database", library / "library.sqlite"),
        ("classifier", library / "classifier.skops"),
        ("index", next((library / "index").iterdir())),
        ("notes", library / f"notes{extension}"),
    ):
        (link := path(f"symbolic link to the {name}")).symlink_to(file)
        yield link
        os.link(file, hard := path(f"hard link to the {name}"))
        yield hard
    (path("other library").parent / "library.sqlite").touch()
    inside = folder / "other library" / "deep" / output.name
    inside.parent.mkdir()
    inside.write_bytes(FOREIGN[extension])
    yield inside
    yield folder / "other library" / "x" / ".." / "deep" / output.name
    for other, content in FOREIGN.items():
        if other != extension:
            (wrong := path(f"content of {other}")).write_bytes(content)
            yield wrong
    (words := path("words")).write_text("It was a dark night.\nThe rain, it fell, in torrents.\n", encoding="utf-8")
    yield words
    os.mkfifo(pipe := path("a pipe"))
    yield pipe
    if output.option == "--report":
        path("a folder").mkdir()  # click refuses it for the other options
        yield folder / "a folder" / output.name
    else:
        shutil.copy(SONG, song := folder / "song.flac")
        yield from (song, folder / "new.mp3", folder / "new.mpc", folder / "no extension", Path("/dev/null"))
        yield from (library / "library.sqlite", library / "LIBRARY.SQLITE", library / "classifier.skops")
        yield from (
            library / "index" / ".." / f"notes{extension}",
            Path(os.path.relpath(library / f"notes{extension}")),
        )


@pytest.mark.parametrize("output", OUTPUTS, ids=name_output)
def test_an_output_never_replaces_what_must_stay(output: Output, library_folder: Path, tmp_path: Path) -> None:
    victims = list(make_victims(tmp_path, library_folder, output))
    assert len(victims) >= 20
    for victim in victims:
        before = victim.read_bytes() if victim.is_file() and not victim.is_fifo() else None
        for force in ([], ["--force"]):
            message = run(library_folder, *output.arguments, output.option, output.value(victim), *force)
            assert str(victim) in message
            assert "--force" not in message, "it cannot be forced"
            assert any(remedy in message for remedy in ("choose a", "delete it", "give a file that ends in")), message
        assert before is None or victim.read_bytes() == before
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("output", OUTPUTS, ids=name_output)
def test_a_file_of_somebody_else_is_replaced_only_with_force(output: Output, tmp_path: Path) -> None:
    """A command that passes the guard fails next: the library is empty, and the file to inspect does not exist."""
    file = tmp_path / "folder" / output.name
    file.parent.mkdir()
    content = FOREIGN[file.suffix]
    file.write_bytes(content)
    Library(tmp_path / "empty").close()
    command = [str(tmp_path / "none.mp3") if argument == str(CLIP) else argument for argument in output.arguments]
    arguments = (*command, output.option, output.value(file))
    message = run(tmp_path / "empty", *arguments)
    assert "exists and was not written by sonotheque" in message
    assert "replace it with --force" in message
    passed = run(tmp_path / "empty", *arguments, "--force")
    assert any(word in passed for word in ("library is empty", "no trained classifier", "no such file")), passed
    assert file.read_bytes() == content


@pytest.mark.slow
@pytest.mark.parametrize("output", OUTPUTS, ids=name_output)
def test_an_output_replaces_what_it_wrote_and_nobody_changed(output: Output, demo_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(demo_folder, tmp_path / "copy"))
    file = tmp_path / "folder" / output.name
    file.parent.mkdir()
    arguments = ["-L", str(folder), *output.arguments, output.option, output.value(file)]
    for _ in range(2):
        assert CliRunner().invoke(cli, arguments).exit_code == 0
    written = file.read_bytes()
    file.write_bytes(written[:-20] + b"x" + written[-20:])
    assert "has been changed since sonotheque wrote it" in run(folder, *arguments[2:])
    assert CliRunner().invoke(cli, [*arguments, "--force"]).exit_code == 0
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    assert file.read_bytes() == written
    if output.command != "inspect":
        other = Path(shutil.copytree(demo_folder, tmp_path / "other"))
        message = run(other, *arguments[2:])
        assert "for this library" in message
        assert file.read_bytes() == written


def test_inputs_are_not_replaced(library_folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "in.csv"
    table.write_text("file,genre\nobsidian-shell-fear,rock\n", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(table)
    os.link(table, tmp_path / "hard.csv")
    for option in ("--ids", "--template", "--check"):
        for other in (
            table,
            tmp_path / "link.csv",
            tmp_path / "hard.csv",
            tmp_path / "x" / ".." / "in.csv",
            tmp_path / "new.csv",
        ):
            file = tmp_path / "new.csv" if other.name == "new.csv" else table
            message = run(library_folder, "classify", str(CLIP), option, str(file), "--csv", str(other), "--force")
            assert "is an input of this command" in message
    (tmp_path / "query.m3u").write_text("#EXTM3U\n", encoding="utf-8")
    query = str(tmp_path / "query.m3u")
    assert "is an input" in run(library_folder, "similar", query, "--m3u", query, "--force")
    both = CliRunner().invoke(cli, ["export", "--tags", "a.parquet", "--parquet", "./a.parquet"])
    assert (both.exit_code, "two different files" in both.stderr) == (2, True)
    assert table.read_text(encoding="utf-8").endswith("rock\n")


def test_every_option_that_names_a_file_is_known() -> None:
    """Add a new option that names an output to `OUTPUTS`, and one that names an input to `INPUTS`."""
    outputs = {(output.command, output.option) for output in OUTPUTS}
    found = set()
    for name, command in cli.commands.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option) and isinstance(parameter.type, click.Path):
                found.add((name, max(parameter.opts, key=len)))
    assert found <= outputs | INPUTS, "an option is in neither table"
    assert found >= outputs
    for name, _ in outputs:
        assert any("--force" in parameter.opts for parameter in cli.commands[name].params), name


WRITERS = {
    "output_files": "writes every output",
    "error_log": "the log of unexpected errors",
    "index/array_cache": "a library's arrays for search",
    "index/cache": "a library's index",
    "classify/inference/persistence": "a library's classifier",
    "store/tag_update": "tags in the files themselves, after a dry run",
    "embed/weights/fetch": "downloaded weights",
    "embed/openl3/convert": "converted weights",
    "extract/worker": "a pipe to the parent process",
    "console/standard_error": "standard error",
    "report/audio_excerpts": "an excerpt in memory",
    "report/inspection/figure": "a picture in memory",
    "report/static_figures": "pictures in memory",
    "metadata/tag_rewriting": "tags in a copy of a file",
}
"""The modules that write files or streams."""


def test_no_other_module_writes_files() -> None:
    package = Path(__file__).parent.parent / "sonotheque"
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            modes = [value.value for value in [*node.args, *(keyword.value for keyword in node.keywords)]
                     if isinstance(value, ast.Constant)]  # fmt: skip
            opens = name in {"open", "fdopen"} and any(
                isinstance(mode, str) and set(mode) <= set("rwxabt+") and set(mode) & set("wxa+") for mode in modes
            )
            if opens or name in {
                "write_text",
                "write_bytes",
                "savefig",
                "write_atomic",
                "copyfile",
                "copy2",
                "replace_file",
            }:
                found.add(path.relative_to(package).with_suffix("").as_posix())
    assert found <= set(WRITERS), "write an output with `OutputFile.write`"


class DictLog(dict[str, WrittenFile]):
    """An `OutputLog` in memory."""

    def find(self, path: str) -> WrittenFile | None:
        return self.get(path)

    def record(self, path: str, written: WrittenFile) -> None:
        self[path] = written


def test_what_was_written_is_recognised(tmp_path: Path) -> None:
    log = DictLog()
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    output = open_output(tmp_path / "link" / "a.csv", CSV, output="errors --csv", written=log, tracks=221)
    output.write([b"file,decision\n", b"a.mp3,\n"])
    assert list(log) == [str(tmp_path / "real" / "a.csv")]
    output.check()
    replace(output, path=tmp_path / "real" / ".." / "real" / "a.csv").check()
    with pytest.raises(LibraryError, match="was written by `sonotheque errors --csv`"):
        replace(output, output="clusters --csv").check()
    (tmp_path / "real" / "a.csv").write_text("file,decision\na.mp3,rock\n", encoding="utf-8")  # a correction
    with pytest.raises(LibraryError, match="changed since sonotheque wrote it"):
        output.write([b"lost"])
    assert (tmp_path / "real" / "a.csv").read_text(encoding="utf-8").endswith("rock\n")
    replace(output, force=True).write([b"file,decision\n"])
    output.check()


@pytest.mark.parametrize(("tracks", "asks"), [(3, True), (110, True), (111, False), (221, False), (1000, False)])
def test_a_map_of_far_more_tracks_is_not_replaced_silently(tmp_path: Path, tracks: int, asks: bool) -> None:
    log = DictLog()
    output = open_output(tmp_path / "map.html", HTML, output="map -o", written=log, tracks=221)
    output.write([b'<!DOCTYPE html>\n<html><meta name="generator" content="sonotheque 1.2">'])
    first_version = tmp_path / "old.html"
    first_version.write_text(
        '<!DOCTYPE html>\n<html><meta name="generator" content="sonotheque"><title>Map of 221 tracks</title>',
        encoding="utf-8",
    )
    for file in (output, replace(output, path=first_version)):
        smaller = replace(file, tracks=tracks)
        if asks:
            with pytest.raises(LibraryError, match=f"is about 221 tracks, and the library has only {tracks} now"):
                smaller.check()
        else:
            smaller.check()
        replace(smaller, force=True).check()
    with pytest.raises(LibraryError, match="was not written for this library"):
        replace(output, written=DictLog()).check()


def test_a_page_in_the_folder_of_its_library_may_be_replaced(tmp_path: Path) -> None:
    """The demo writes its map there."""
    (tmp_path / "library.sqlite").touch()
    log = DictLog()
    page = open_output(tmp_path / "map.html", HTML, output="map -o", written=log, tracks=46)
    page.write([b"<!DOCTYPE html>"])
    page.check()
    with pytest.raises(LibraryError, match="is part of the library"):
        replace(page, written=None, force=True).check()


def test_a_picture_tells_whether_it_was_changed(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    file = tmp_path / "a.png"
    Figure(figsize=(1, 1)).savefig(file)
    plain = file.read_bytes()
    assert read_png_signature(plain) is None
    signed = sign_png(plain, output="inspect -o")
    assert read_png_signature(signed) == ("inspect -o", True)
    assert read_png_signature(signed.replace(b"pHYs", b"pHYz")) == ("inspect -o", False)
    file.write_bytes(signed)
    open_output(file, PNG, output="inspect -o")
    with pytest.raises(LibraryError, match="was written by `sonotheque inspect -o`"):
        open_output(file, PNG, output="evaluate --report")
    from matplotlib.image import imread

    assert imread(file).shape == (100, 100, 4)


def test_kinds_are_told_by_content() -> None:
    assert all(kind.matches(FOREIGN[extension]) for kind, extension in (
        (CSV, ".csv"), (HTML, ".html"), (M3U, ".m3u8"), (PARQUET, ".parquet"), (PNG, ".png"))
    )  # fmt: skip
    long_row = "é" * 50_000
    for text in ("a;b\n1;2\n", "\ufeffa\tb\n", 'a,b\n"1\n2",3\n', "FORMAT,b\n", "ID3,b\n", f"a,b\n1,{long_row}\n2,3\n"):
        assert CSV.matches(text.encode()[: 1 << 16]), text[:10]
    assert CSV.matches("Künstler,b\n".encode("latin-1"))
    for text in ("", "one column\n", "a,b\n1\n", "[1, 2]\n", "a,b\0\n"):
        assert not CSV.matches(text.encode()), text
    assert HTML.matches(b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<HTML lang='en'>")
    assert not HTML.matches(b"<svg></svg>")
    for text in ("#EXTM3U\n", "a.mp3\n# b\n\n\\\\nas\\b.flac\n", "http://localhost/a\n"):
        assert M3U.matches(text.encode()), text
    for content in (b"", b"\xff\xfb\x90\x64", b"a.mp3,rock\n", b"words\n"):
        assert not M3U.matches(content), content


def test_files_are_written_completely_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,b\n", encoding="utf-8")
    file.chmod(0o640)
    (tmp_path / "link.csv").symlink_to(file)
    output = as_output(tmp_path / "link.csv", CSV)

    def interrupted() -> Iterator[bytes]:
        yield b"c,d\n"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        output.write(interrupted())
    assert file.read_text(encoding="utf-8") == "a,b\n"
    output.write([b"c,d\n"])
    assert (tmp_path / "link.csv").is_symlink()
    assert (file.read_text(encoding="utf-8"), file.stat().st_mode & 0o777) == ("c,d\n", 0o640)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "link.csv"]
    for path in (file / "b.html", tmp_path / "none" / "b.csv"):
        with pytest.raises(LibraryError, match="cannot be written"):
            open_output(path, HTML if path.suffix == ".html" else CSV)


def test_corrections_that_were_entered_stay(demo_library: Library, tmp_path: Path) -> None:
    file = tmp_path / "issues.csv"
    for _ in range(2):
        demo_library.errors(csv=file, limit=3)
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 3
    edited = file.read_text(encoding="utf-8")[:-1] + "rock\n"
    file.write_text(edited, encoding="utf-8")
    with pytest.raises(LibraryError, match="has been changed since sonotheque wrote it"):
        demo_library.errors(csv=file)
    assert file.read_text(encoding="utf-8") == edited
    demo_library.errors(csv=file, limit=2, force=True)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 3


def test_an_output_is_written_for_a_library_that_cannot_remember_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class ReadOnlyLog(DictLog):
        def record(self, path: str, written: WrittenFile) -> None:
            raise LibraryError("is read-only")

    caplog.set_level("INFO", logger="sonotheque")
    output = OutputFile(tmp_path / "a.m3u", M3U, "similar --m3u", written=ReadOnlyLog())
    output.write([b"#EXTM3U\n"])
    assert "cannot remember this file" in caplog.text
