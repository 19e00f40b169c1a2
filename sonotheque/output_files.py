"""Write output files: completely or not at all, and only over files that may be replaced.

Every file that a command or a method of `Library` writes for the user is an `OutputFile`. An existing file is never replaced if it

- is an input of the same command,
- is part of a library, of this one or another,
- holds audio, or anything else that is not of the output's own kind (`CSV`, `HTML`, `PNG`, `M3U`, `PARQUET` or `REKORDBOX`).

A file of the right kind is replaced without being asked only if the same output of the same library wrote it and nobody has
changed it since, which the library knows from its content hash (`OutputLog`). Otherwise the caller must pass ``force=True``
(``--force``). Links are followed first, and paths are compared as files, so other spellings of a path make no difference.
"""

from __future__ import annotations

import csv
import hashlib
import io
import logging
import os
import re
import secrets
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from sonotheque.errors import LibraryError
from sonotheque.plurals import pluralize

log = logging.getLogger("sonotheque")

FilePath = str | os.PathLike[str]

HEAD_SIZE = 1 << 16
"""Number of bytes at the start of a file that tell its kind."""

LIBRARY_FILE = "library.sqlite"
"""A folder that holds a file of this name is a library."""

MAX_SHRINKAGE = 2
"""An output about a whole library is not replaced silently if the library had more than this many times as many tracks then."""

AUDIO_SIGNATURES = re.compile(
    rb"ID3|fLaC|OggS|RIFF|RF64|RIFX|BW64|FORM|caff|riff|\.snd|MAC |wvpk|MP\+|MPCK|TTA1|DSD |tBaK|#!AMR|\.RMF|FLV\x01|\x1aE\xdf\xa3|"
    rb"\x30\x26\xb2\x75|\xff[\xe0-\xff]|\x0b\x77|\x7f\xfe\x80\x01|\x00\x00\x01\xba|G[\s\S]{187}G|[\s\S]{4}ftyp"
)
"""How files of the usual audio and video formats start."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

TEXT_CONTROLS = frozenset(b"\t\n\v\f\r\x1b\x1c\x1d\x1e\x1f")
"""Control characters that occur in text; the last four are separators, which `str.splitlines` takes for line ends."""


@dataclass(frozen=True)
class FileKind:
    """A kind of output file.

    Attributes
    ----------
    name : str
        With its article, for messages.
    extensions : tuple of str
        Accepted extensions in lower case, with the dot.
    matches : callable
        Whether the first `HEAD_SIZE` bytes of a file are of this kind.
    creates_folder : bool
        Whether the folder of the file is created if it does not exist.
    """

    name: str
    extensions: tuple[str, ...]
    matches: Callable[[bytes], bool]
    creates_folder: bool = True


def _decode_text(head: bytes) -> str | None:
    """Decode the start of a text file; None if it is binary. A character that is cut off at the end is left out."""
    if any(byte < 32 and byte not in TEXT_CONTROLS for byte in head):
        return None
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) == HEAD_SIZE and error.start > HEAD_SIZE - 4:
            return head[: error.start].decode("utf-8-sig")
        return None if AUDIO_SIGNATURES.match(head) else head.decode("latin-1")


def _is_csv(head: bytes) -> bool:
    """Check for two or more columns, of which each row has the same number."""
    text = _decode_text(head)
    if text is None or text.lstrip()[:1] in {"<", "{", "["}:
        return False
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error:
        return False
    if len(head) == HEAD_SIZE:
        rows = rows[:-1] or rows  # the last one may be cut off
    return bool(rows) and len(rows[0]) >= 2 and {len(row) for row in rows} == {len(rows[0])}


def _is_html(head: bytes) -> bool:
    text = _decode_text(head)
    return (
        text is not None
        and re.match(r"(\s|<\?xml[^>]*>|<!--.*?-->)*<(!doctype html|html)\b", text, re.I | re.S) is not None
    )


def _is_m3u(head: bytes) -> bool:
    """Check for the header of extended M3U, or for lines that all are file names or addresses."""
    text = _decode_text(head)
    if text is None:
        return False
    entries = [line.strip() for line in text.splitlines()]
    if entries and entries[0].upper().startswith("#EXTM3U"):
        return True
    if len(head) == HEAD_SIZE:
        entries = entries[:-1]  # the last one may be cut off
    files = [entry for entry in entries if entry and not entry.startswith("#")]
    return bool(files) and all(re.fullmatch(r".*\.\w{1,5}|\w+://.*", entry) for entry in files)


def _is_rekordbox(head: bytes) -> bool:
    """Check for the root element of Rekordbox XML; other XML files are not replaced."""
    text = _decode_text(head)
    return text is not None and re.match(r"(\s|<\?xml[^>]*>|<!--.*?-->)*<DJ_PLAYLISTS\b", text, re.S) is not None


CSV = FileKind("a CSV table", (".csv",), _is_csv, creates_folder=False)
HTML = FileKind("an HTML page", (".html", ".htm"), _is_html)
M3U = FileKind("a playlist", (".m3u", ".m3u8"), _is_m3u, creates_folder=False)
PARQUET = FileKind("a Parquet table", (".parquet",), lambda head: head.startswith(b"PAR1"))
REKORDBOX = FileKind("Rekordbox XML", (".xml",), _is_rekordbox, creates_folder=False)
PNG = FileKind("a PNG picture", (".png",), lambda head: head.startswith(PNG_SIGNATURE))


class WrittenFile(NamedTuple):
    """What a library remembers of a file that it wrote.

    Attributes
    ----------
    output : str
        The command and option, such as ``clusters --csv``.
    sha256 : str
        Hash of the content, in hexadecimal.
    tracks : int or None
        Number of tracks in the library at that time, for an output about the whole library.
    """

    output: str
    sha256: str
    tracks: int | None


class OutputLog(Protocol):
    """The files that a library wrote, by their real path."""

    def find(self, path: str) -> WrittenFile | None:
        """Return what was written to a path last, or None."""

    def record(self, path: str, written: WrittenFile) -> None:
        """Remember what was written to a path."""


@dataclass(frozen=True)
class OutputFile:
    """A file that may be written: `open_output` makes it and checks it.

    Attributes
    ----------
    path : Path
        As the user gave it.
    kind : FileKind
    output : str
        The command and option that write it, such as ``clusters --csv``.
    inputs : tuple of paths
        Files that the command reads.
    written : OutputLog or None
        The files that the library wrote. None if the output has no library.
    library : Path or None
        Folder of the library.
    tracks : int or None
        Number of tracks in the library, if the output is about the whole library.
    force : bool
        Replace a file of the right kind that was not written by this output.
    """

    path: Path
    kind: FileKind
    output: str = ""
    inputs: tuple[FilePath, ...] = ()
    written: OutputLog | None = None
    library: Path | None = None
    tracks: int | None = None
    force: bool = False

    @property
    def target(self) -> Path:
        """Path of the file that is written: `path` without symbolic links."""
        return Path(os.path.realpath(self.path))

    def check(self) -> None:
        """Check that the file may be written.

        Raises
        ------
        LibraryError
            If it would replace a file that must stay, see `sonotheque.output_files`.
        """
        path, target = self.path, self.target
        for name in (path, target):
            if name.suffix.lower() not in self.kind.extensions:
                link = "" if name == path else f" is a link to {name}:"
                raise LibraryError(f"{path}:{link} choose a name that ends in {' or '.join(self.kind.extensions)}")
        refuse_inputs(path, self.inputs)
        if not os.path.lexists(target):
            self._check_folder(target.parent)
            return
        if not target.is_file():
            raise LibraryError(f"{path}: exists and is not a regular file; choose another name")
        try:
            self._check_existing(target)
        except OSError as error:
            raise LibraryError(
                f"{path}: exists and cannot be read ({error.strerror or error}); choose another name"
            ) from None

    def _check_folder(self, folder: Path) -> None:
        existing = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
        if not existing.is_dir():
            raise LibraryError(f"{self.path}: cannot be written ({existing} is not a folder)")
        if existing != folder and not self.kind.creates_folder:
            raise LibraryError(f"{self.path}: cannot be written (no such folder: {folder})")
        if not os.access(existing, os.W_OK | os.X_OK):
            raise LibraryError(f"{self.path}: cannot be written (no permission to write in {existing})")

    def _check_existing(self, target: Path) -> None:
        with target.open("rb") as file:
            head = file.read(HEAD_SIZE)
        before = None if self.written is None else self.written.find(_key(target))
        folder = self._find_library(target)
        if folder is not None and before is None and not _is_own_page(head):
            raise LibraryError(f"{self.path}: is part of the library {folder}; choose a name outside of it")
        if not head:
            return
        if not self.kind.matches(head):
            if AUDIO_SIGNATURES.match(head):
                raise LibraryError(f"{self.path}: holds audio or video and is never replaced; choose another name")
            raise LibraryError(
                f"{self.path}: exists and is not {self.kind.name}, so it is not replaced; choose another name, or delete it"
            )
        reason = None if self.force else self._reason_to_ask(target, head, before)
        if reason is not None:
            raise LibraryError(
                f"{self.path}: {reason}; choose another name, or replace it with --force (in Python: force=True)"
            )

    def _find_library(self, target: Path) -> Path | None:
        """Return the folder of the library that an existing file is part of, also by another name (a hard link)."""
        for folder in (*Path(os.path.abspath(self.path)).parents, *target.parents):
            if (folder / LIBRARY_FILE).exists():
                return folder
        if self.library is not None and target.stat().st_nlink > 1:
            for file in (*self.library.iterdir(), *self.library.glob("*/*")):
                if file.exists() and file.samefile(target):
                    return self.library
        return None

    def _reason_to_ask(self, target: Path, head: bytes, before: WrittenFile | None) -> str | None:
        """Return why the file is not replaced without being asked, or None."""
        then: int | None = None
        if before is not None:
            if before.sha256 != _hash_file(target):
                return "has been changed since sonotheque wrote it"
            if before.output != self.output:
                return f"was written by `sonotheque {before.output}`"
            then = before.tracks
        elif self.kind is PNG and (signature := read_png_signature(target.read_bytes())) is not None:
            output, unchanged = signature
            if not unchanged:
                return "has been changed since sonotheque wrote it"
            return None if output == self.output else f"was written by `sonotheque {output}`"
        elif _is_own_page(head):
            title = OLD_MAP.search(head)
            if title is None:
                return "was not written for this library"
            then = int(title[1])
        else:
            return "exists and was not written by sonotheque" + (" for this library" if self.written else "")
        if then is not None and self.tracks is not None and then > MAX_SHRINKAGE * self.tracks:
            return f"is about {pluralize(then, 'track')}, and the library has only {self.tracks} now"
        return None

    def write(self, parts: Iterable[Any]) -> None:
        """Check the file once more, then write it completely or not at all, and remember it.

        Parameters
        ----------
        parts : iterable of bytes-like objects
            They are written one after another.

        Raises
        ------
        LibraryError
            If the file must not be replaced or cannot be written.
        """
        self.check()
        digest = hashlib.sha256()

        def hashed_parts() -> Iterator[Any]:
            for part in parts:
                digest.update(part)
                yield part

        target = self.target
        write_atomic(target, hashed_parts())
        if self.written is None:
            return
        try:
            self.written.record(_key(target), WrittenFile(self.output, digest.hexdigest(), self.tracks))
        except LibraryError:  # read-only, or in use for long
            log.info("%s: the library cannot remember this file; replace it with --force next time", self.path)


def open_output(
    path: FilePath,
    kind: FileKind,
    *,
    output: str = "",
    inputs: Sequence[FilePath] = (),
    written: OutputLog | None = None,
    library: Path | None = None,
    tracks: int | None = None,
    force: bool = False,
) -> OutputFile:
    """Check that a file may be written, before the work whose result it gets.

    Parameters
    ----------
    path : path of the file
    kind : FileKind
    output, inputs, written, library, tracks, force : see `OutputFile`

    Returns
    -------
    OutputFile

    Raises
    ------
    LibraryError
        If the file would replace one that must stay.

    Examples
    --------
    >>> open_output("tests/data/tone.flac", CSV, force=True)
    Traceback (most recent call last):
    sonotheque.errors.LibraryError: tests/data/tone.flac: choose a name that ends in .csv
    """
    file = OutputFile(Path(path), kind, output, tuple(inputs), written, library, tracks, force)
    file.check()
    return file


def as_output(path: FilePath | OutputFile, kind: FileKind) -> OutputFile:
    """Return an output as it is; make one of a plain path, which may replace any file of its kind.

    The functions below `Library` that write a file call this: their caller decides whether to ask. They never replace audio, a part
    of a library, or a file of another kind.
    """
    return path if isinstance(path, OutputFile) else open_output(path, kind, force=True)


def beside(output: OutputFile, name: str, kind: FileKind) -> OutputFile:
    """Return the output for another file in the same folder, with the same rules. It is not checked yet."""
    return replace(output, path=output.path.with_name(name), kind=kind)


def refuse_inputs(path: FilePath, inputs: Iterable[FilePath]) -> None:
    """Check that an output is none of the files that the command reads.

    Raises
    ------
    LibraryError
        If it is.
    """
    for file in inputs:
        try:
            same = os.path.samefile(path, file)
        except OSError:  # one of them does not exist
            same = os.path.realpath(path) == os.path.realpath(file)
        if same:
            raise LibraryError(f"{path}: is an input of this command; choose another name for the output")


def write_atomic(path: Path, parts: Iterable[Any]) -> None:
    """Write a temporary file and rename it to `path`, so that readers see the old file or the complete new one.

    Files for the user are written by `OutputFile.write` instead.

    Parameters
    ----------
    path : path of the file
        Its folder is created if it does not exist. A replaced file keeps its permissions.
    parts : iterable of bytes-like objects
        They are written one after another.

    Raises
    ------
    LibraryError
        If the file cannot be written.
    """
    temporary = path.with_name(f".sonotheque-{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            for part in parts:
                file.write(part)
        with suppress(FileNotFoundError):
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise LibraryError(f"{path}: cannot be written ({error.strerror or error})") from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


OWN_PAGE = re.compile(rb'<meta name="generator" content="sonotheque[ "]')

OLD_MAP = re.compile(rb'<meta name="generator" content="sonotheque">\s*<title>Map of (\d+) tracks?</title>')
"""A map of the first version, which did not remember what it wrote; later pages name their version as generator."""


def _is_own_page(head: bytes) -> bool:
    return OWN_PAGE.search(head) is not None


def _key(path: Path) -> str:
    """Return a path as text that SQLite can store, also if it is not valid UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


PNG_KEYWORD = b"sonotheque\0"


def sign_png(content: bytes, *, output: str) -> bytes:
    """Add a text chunk to a PNG that names the output and the hash of everything else in the file.

    So a picture that needs no library is recognised later, and so is a change of it.

    Parameters
    ----------
    content : bytes
        A PNG file.
    output : str
        See `OutputFile`.

    Returns
    -------
    bytes
    """
    end = content.rindex(b"IEND") - 4
    text = PNG_KEYWORD + f"{output}; sha256 {hashlib.sha256(content).hexdigest()}".encode("latin-1")
    checksum = zlib.crc32(b"tEXt" + text)
    chunk = len(text).to_bytes(4, "big") + b"tEXt" + text + checksum.to_bytes(4, "big")
    return content[:end] + chunk + content[end:]


def read_png_signature(content: bytes) -> tuple[str, bool] | None:
    """Return the output that signed a PNG, and whether the file is unchanged; None if it has no signature."""
    start = content.rfind(b"tEXt" + PNG_KEYWORD) - 4
    if start < 0:
        return None
    end = start + 12 + int.from_bytes(content[start : start + 4], "big")
    output, _, hashed = content[start + 8 + len(PNG_KEYWORD) : end - 4].decode("latin-1").partition("; sha256 ")
    return output, hashlib.sha256(content[:start] + content[end:]).hexdigest() == hashed
