"""Change the tags of a copy of an audio file and verify the copy, so that it can replace the file safely."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing

from sonotheque.audio.decode import open_decoder
from sonotheque.audio.stated_length import read_stated_length
from sonotheque.errors import AudioError
from sonotheque.metadata.writable_tags import WritableTags


@contextlib.contextmanager
def temporary_copy(path: str, *, folder: str | None = None) -> Iterator[str]:
    """Copy a file to a hidden file in its folder, with owner, permissions and extended attributes.

    The copy is deleted when the ``with`` block ends, unless it has been moved.

    Parameters
    ----------
    path : str
    folder : str or None
        Another folder for the copy.

    Yields
    ------
    str
        Path of the copy.
    """
    status = os.stat(path)
    handle, copy = tempfile.mkstemp(
        prefix=".sonotheque-", suffix=os.path.splitext(path)[1], dir=folder or os.path.dirname(path)
    )
    try:
        os.close(handle)
        shutil.copyfile(path, copy)
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):  # only root can keep another user as the owner
                os.chown(copy, status.st_uid, status.st_gid)
        shutil.copystat(path, copy)
        yield copy
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(copy)


def require_stated_length(path: str) -> None:
    """Check that the header of a file states how long it is: otherwise tags after the samples would be heard, or lost.

    Raises
    ------
    AudioError
        If it has a placeholder there, see `sonotheque.audio.stated_length`.
    """
    with open(path, "rb") as file:
        stated = read_stated_length(file, start=0, limit=file.seek(0, os.SEEK_END))
    if stated is not None and stated.unknown:
        raise AudioError("its header does not state its length; save it again with an audio editor first")


def write_verified(copy: str, original: str, fields: Mapping[str, str]) -> None:
    """Write tags to a copy, and verify that its other tags and its audio are those of the original.

    Parameters
    ----------
    copy, original : paths
    fields : mapping of field to text
        Fields of `sonotheque.metadata.file_tags.TAG_FIELDS`.

    Raises
    ------
    AudioError
        If the copy is not as expected.
    """
    tags = WritableTags(copy)
    others = tags.other_tags(fields)
    tags.write(fields)
    written = WritableTags(copy)
    for name, text in fields.items():
        if written.values(name) != [text]:
            raise AudioError(
                f"its tags cannot hold the {name} {text!r}; they would hold {'; '.join(written.values(name)) or 'nothing'}"
            )
    if written.other_tags(fields) != others:
        raise AudioError("its other tags would change; the file is left as it is")
    if (
        decoded_digest(copy) != decoded_digest(original)
        or written.stream_digest() != WritableTags(original).stream_digest()
    ):
        raise AudioError("its audio would change; the file is left as it is")
    with open(copy, "rb+") as file:
        os.fsync(file.fileno())


def decoded_digest(path: str) -> str:
    """Compute the SHA-256 of the decoded samples of a file, with its sample rate, channels and point of truncation.

    Raises
    ------
    AudioError
        If the file cannot be decoded.
    """
    with closing(open_decoder(path)) as decoder:
        digest = hashlib.sha256(f"{decoder.sample_rate} {decoder.channels}".encode())
        for block in decoder.blocks():
            digest.update(block.tobytes())
        digest.update(str(decoder.truncated).encode())
    return digest.hexdigest()
