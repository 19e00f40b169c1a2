"""Write tags of audio files with mutagen: ID3 (MP3, AIFF, WAV), Vorbis comments (FLAC, Ogg), MP4 and ASF (WMA).

Files are changed in place; `sonotheque.metadata.tag_rewriting` does it safely. Whatever mutagen cannot parse, such as an empty ID3
frame, is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sonotheque.audio.ffmpeg_decoder import DEMUXERS
from sonotheque.errors import AudioError
from sonotheque.metadata.file_tags import TAG_FIELDS, read_values, tag_format
from sonotheque.metadata.genre_tags import resolve_numbers


class WritableTags:
    """The tags of one file, open for writing. A file without tags gets some when `write` is called.

    Parameters
    ----------
    path : str

    Raises
    ------
    AudioError
        If the format has no tags that can be written, or the tags are damaged.
    """

    def __init__(self, path: str) -> None:
        import mutagen

        try:
            file: Any = mutagen.File(path)
        except OSError as error:
            raise AudioError(f"cannot be opened ({error.strerror or error})") from None
        except Exception as error:  # mutagen raises IndexError, struct.error and others for damaged tags
            raise AudioError(f"its tags cannot be read ({_first_line(error)})") from None
        if file is None or not isinstance(file, _writable_classes()):
            raise AudioError("its format has no tags that can be written")
        if file.tags is None:
            file.add_tags()
        self._format = tag_format(file.tags) or ""
        if self._format == "id3" and file.tags.size:
            file = type(file)(path, translate=False)  # keeps the frames as they are, without converting them to 2.4
            if file.tags.version < (2, 3):
                file.tags.update_to_v23()  # mutagen cannot write 2.2
        self._path, self._file = path, file
        self._names = TAG_FIELDS[self._format]

    def values(self, field: str) -> list[str]:
        """Read the values of a field, see `sonotheque.metadata.file_tags.read_values`."""
        return read_values(self._file.tags, field)

    def require_storable(self, field: str, text: str) -> None:
        """Check that a field can store a text.

        Raises
        ------
        AudioError
            If it cannot, such as the genre ``17`` in ID3, where that means Rock.
        """
        if self._format != "id3" or field != "genre":
            return
        genres = resolve_numbers([text], id3=True)
        if genres != [text]:
            read = repr("; ".join(genres)) if genres else "none"
            raise AudioError(f"ID3 reads the genre {text!r} as {read}; give the genres names with --ids")

    def write(self, fields: Mapping[str, str]) -> None:
        """Set fields and save the file.

        ID3 2.3 tags stay 2.3 and 2.2 tags become 2.3; all others are written as 2.4. An existing ID3v1 tag is updated.

        Raises
        ------
        AudioError
            If mutagen cannot save them.
        """
        for field, text in fields.items():
            self._set(self._names[field][0], field, text)
        options = {}
        if self._format == "id3":
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
        if self._format == "id3":
            tags.setall(name, [getattr(id3, name)(encoding=id3.Encoding.UTF8, text=[text])])
        elif self._format == "mp4" and field == "tempo":
            tags[name] = [int(text)]
        else:
            tags[name] = [text]

    def other_tags(self, fields: Iterable[str]) -> list[str]:
        """List all tags except some fields, pictures included, as texts that are equal if the tags are."""
        excluded = {self._names[field][0].lower() for field in fields}
        tags = self._file.tags
        if self._format == "id3":  # the encoding of a text depends on the version
            entries = [
                (key, {name: value for name, value in vars(frame).items() if name != "encoding"})
                for key, frame in tags.items()
            ]
            entries += [("", frame) for frame in tags.unknown_frames]
        elif self._format == "mp4":
            entries = list(tags.items())
        else:
            entries = list(tags)
            entries += [
                ("", block.write()) for block in getattr(self._file, "metadata_blocks", []) if block.code not in {1, 4}
            ]
        return sorted(f"{key} {value!r}" for key, value in entries if key.lower() not in excluded)

    def stream_digest(self) -> str:
        """Compute the SHA-256 of the packets of all streams of an MP4 or ASF file, which may contain video; otherwise ''."""
        import av

        if self._format not in {"mp4", "asf"}:
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


def _writable_classes() -> tuple[Any, ...]:
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
