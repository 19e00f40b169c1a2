"""One file's own tags, open for writing with mutagen: which kinds of file can be written, and how each takes a genre and a tempo.

ID3 (MP3, AIFF, WAV), Vorbis comments (FLAC, Ogg), MP4 and ASF (WMA). It changes the file that it is given, in place. What mutagen
cannot make sense of, such as an empty ID3 frame, is not kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sonotheque.audio.decode import DEMUXERS
from sonotheque.errors import AudioError
from sonotheque.metadata.file_tags import TAG_FIELDS, read_values, tag_format


class WritableTags:
    """The tags of one file. A file without tags gets empty ones, which are not in the file until `write`.

    Parameters
    ----------
    path : str

    Raises
    ------
    AudioError
        If it has none that can be written, or they are damaged.
    """

    def __init__(self, path: str) -> None:
        import mutagen

        try:
            file: Any = mutagen.File(path)
        except OSError as error:
            raise AudioError(f"cannot be opened ({error.strerror or error})") from None
        except Exception as error:  # mutagen leaks IndexError, struct.error and others on damaged tags
            raise AudioError(f"its tags cannot be read ({_first_line(error)})") from None
        if file is None or not isinstance(file, _writable()):
            raise AudioError("has no tags that can be written")
        if file.tags is None:
            file.add_tags()
        self._kind = tag_format(file.tags) or ""
        if self._kind == "id3" and file.tags.size:
            file = type(file)(path, translate=False)  # frames as they are in the file, not turned into those of 2.4
            if file.tags.version < (2, 3):
                file.tags.update_to_v23()  # 2.2 cannot be written
        self._path, self._file = path, file
        self._names = TAG_FIELDS[self._kind]

    def values(self, field: str) -> list[str]:
        """Read the values of a field, see `sonotheque.metadata.file_tags`."""
        return read_values(self._file.tags, field)

    def require(self, field: str, text: str) -> None:
        """Check that a field can hold a text.

        Raises
        ------
        AudioError
            If it cannot, such as a genre 17 in ID3, where that means Rock.
        """
        if self._kind != "id3" or field != "genre":
            return
        from mutagen.id3 import TCON

        read = TCON(text=[text]).genres
        if read != [text]:
            raise AudioError(f"ID3 takes the genre {text!r} for {'; '.join(read)!r}; give genres names (--ids)")

    def write(self, fields: Mapping[str, str]) -> None:
        """Set fields and save. ID3 2.3 stays 2.3, to which 2.2 comes too; the rest is 2.4. An ID3v1 tag that is there follows.

        Raises
        ------
        AudioError
            If mutagen cannot save them.
        """
        for field, text in fields.items():
            self._set(self._names[field][0], field, text)
        options = {}
        if self._kind == "id3":
            options = {"v2_version": 3 if (2, 2) <= self._file.tags.version < (2, 4) else 4, "v23_sep": None}
        try:
            self._file.save(self._path, **options)
        except OSError:
            raise
        except Exception as error:
            raise AudioError(f"its tags cannot be written ({_first_line(error)})") from None

    def _set(self, name: str, field: str, text: str) -> None:
        from mutagen import id3

        tags = self._file.tags
        if self._kind == "id3":
            tags.setall(name, [getattr(id3, name)(encoding=id3.Encoding.UTF8, text=[text])])
        elif self._kind == "mp4" and field == "tempo":
            tags[name] = [int(text)]
        else:
            tags[name] = [text]

    def others(self, fields: Iterable[str]) -> list[str]:
        """List everything else that the tags hold, pictures too, in a form that compares equal where it is the same."""
        names = {self._names[field][0].lower() for field in fields}
        tags = self._file.tags
        if self._kind == "id3":  # the encoding of a text may change with the version
            found = [
                (key, {name: value for name, value in vars(frame).items() if name != "encoding"})
                for key, frame in tags.items()
            ]
            found += [("", frame) for frame in tags.unknown_frames]
        elif self._kind == "mp4":
            found = list(tags.items())
        else:
            found = list(tags)
            found += [
                ("", block.write()) for block in getattr(self._file, "metadata_blocks", []) if block.code not in {1, 4}
            ]
        return sorted(f"{key} {value!r}" for key, value in found if key.lower() not in names)

    def streams(self) -> str:
        """Condense the packets of all streams of a container that may hold more than sound, such as a video; else nothing."""
        import av

        if self._kind not in {"mp4", "asf"}:
            return ""
        digest = hashlib.sha256()
        try:
            with av.open(self._path, options={"format_whitelist": DEMUXERS}) as container:
                for packet in container.demux():
                    digest.update(f"{packet.stream_index} {packet.pts} {packet.dts} {packet.size}".encode())
                    digest.update(bytes(packet))
        except av.FFmpegError as error:
            digest.update(str(error).encode())
        return digest.hexdigest()


def _writable() -> tuple[Any, ...]:
    from mutagen.aiff import AIFF
    from mutagen.asf import ASF
    from mutagen.flac import FLAC
    from mutagen.mp3 import MP3
    from mutagen.mp4 import MP4
    from mutagen.ogg import OggFileType
    from mutagen.wave import WAVE

    return MP3, AIFF, WAVE, FLAC, OggFileType, MP4, ASF


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
