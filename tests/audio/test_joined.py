"""Recordings that are joined in one file are all decoded, whatever their format, sampling rate and number of channels."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf

from sonotheque.audio import MonoStream
from sonotheque.audio.joined import find_recordings
from sonotheque.errors import NoSamplesError

SHORT = 1.0
LOW, HIGH = 440, 880


def sine(frequency: int, *, rate: int, channels: int, seconds: float = SHORT) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return np.repeat((0.3 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)[:, None], channels, axis=1)


def written(frequency: int, container: str, subtype: str, *, rate: int = 44_100, channels: int = 2) -> bytes:
    """Encode a sine with libsndfile."""
    file = io.BytesIO()
    sf.write(file, sine(frequency, rate=rate, channels=channels), rate, format=container, subtype=subtype)
    return file.getvalue()


def encoded(
    frequency: int,
    container: str,
    codec: str,
    *,
    rate: int = 44_100,
    channels: int = 2,
    bit_rate: int = 128_000,
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
) -> bytes:
    """Encode a sine with FFmpeg."""
    file = io.BytesIO()
    layout = "mono" if channels == 1 else "stereo"
    with av.open(file, "w", format=container, options=options or {}) as output:
        stream = output.add_stream(codec, rate=rate, options=codec_options or {})
        assert isinstance(stream, av.AudioStream)
        stream.layout, stream.bit_rate = layout, bit_rate
        resampler = av.AudioResampler(
            format=stream.format, layout=layout, rate=rate, frame_size=stream.frame_size or 1024
        )
        samples = np.ascontiguousarray(sine(frequency, rate=rate, channels=channels).T)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        frame.sample_rate = rate
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        with contextlib.suppress(
            av.ArgumentError
        ):  # the muxer of Ogg takes no packet without samples from the FLAC encoder
            output.mux(stream.encode(None))
    return file.getvalue()


WRITTEN = {
    "vorbis": ("OGG", "VORBIS", 22_050),
    "opus": ("OGG", "OPUS", 24_000),
    "flac": ("FLAC", "PCM_16", 22_050),
    "mp3": ("MP3", "MPEG_LAYER_III", 22_050),
    "wav": ("WAV", "PCM_16", 22_050),
    "rf64": ("RF64", "PCM_16", 22_050),
    "w64": ("W64", "PCM_16", 22_050),
    "aiff": ("AIFF", "PCM_16", 22_050),
    "au": ("AU", "PCM_16", 22_050),
    "caf": ("CAF", "PCM_16", 22_050),
}
ENCODED = {"ogg-flac": ("ogg", "flac"), "aac": ("adts", "aac"), "m4a": ("ipod", "aac"), "mka": ("matroska", "flac")}
ENCODED |= {
    "webm": ("webm", "libopus"),
    "wma": ("asf", "wmav2"),
    "mp2": ("mp2", "mp2"),
    "mp3 of CBR": ("mp3", "libmp3lame"),
}


def heard(path: Path) -> tuple[np.ndarray, MonoStream]:
    with MonoStream(path, sample_rate=16_000) as stream:
        return np.concatenate(list(stream)), stream


def peak_frequency(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * 16_000 / len(samples))


def require_both(path: Path, *, seconds: float = 2 * SHORT, tolerance: float = 0.01) -> MonoStream:
    """Check that a file of a low and a high sine is heard to its end, at the same loudness."""
    samples, stream = heard(path)
    assert stream.seconds == pytest.approx(seconds, abs=tolerance)
    assert len(samples) / 16_000 == pytest.approx(seconds, abs=tolerance)
    low, high = samples[4_000:12_000], samples[-12_000:-4_000]
    assert peak_frequency(low) == pytest.approx(LOW, abs=3)
    assert peak_frequency(high) == pytest.approx(HIGH, abs=3)
    for part in (low, high):
        assert np.sqrt(np.mean(part**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    return stream


@pytest.mark.parametrize("change", ["nothing", "rate", "channels"])
@pytest.mark.parametrize("name", WRITTEN)
def test_joined_files_are_heard_to_the_end(tmp_path: Path, name: str, change: str) -> None:
    container, subtype, other_rate = WRITTEN[name]
    rate = 48_000 if name == "opus" else 44_100
    first = written(LOW, container, subtype, rate=rate)
    second = written(
        HIGH,
        container,
        subtype,
        rate=other_rate if change == "rate" else rate,
        channels=1 if change == "channels" else 2,
    )
    (tmp_path / "two").write_bytes(first + second)
    stream = require_both(tmp_path / "two")
    assert (stream.source_rate, stream.channels, stream.notice) == (rate, 2, None)
    if change == "nothing":
        (tmp_path / "three").write_bytes(first + second + second)
        assert heard(tmp_path / "three")[1].seconds == pytest.approx(3 * SHORT, abs=0.02)
    elif change == "rate":
        (tmp_path / "reversed").write_bytes(written(LOW, container, subtype, rate=other_rate, channels=1) + second)
        require_both(tmp_path / "reversed")


@pytest.mark.parametrize("name", ENCODED)
def test_joined_files_of_other_encoders(tmp_path: Path, name: str) -> None:
    container, codec = ENCODED[name]
    fixed = codec == "libopus"
    rate, other_rate = (48_000, 48_000) if fixed else (44_100, 48_000)
    options = {"write_xing": "0"} if codec == "libmp3lame" else {}
    first = encoded(LOW, container, codec, rate=rate, options=options)
    for number, (other, channels) in enumerate(((rate, 2), (other_rate, 2), (rate, 1))):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(first + encoded(HIGH, container, codec, rate=other, channels=channels, options=options))
        assert require_both(path, tolerance=0.2).notice is None  # encoders add up to 0.1 s of padding


PADDING = {
    "70,000 zeros": bytes(70_000),
    "noise": np.random.default_rng(0).bytes(70_000),
    "0xFF": b"\xff" * 70_000,
    "an ID3 tag of 1.5 MB": b"ID3\x03\0\0\0\x60\0\0" + np.random.default_rng(1).bytes(0x60 << 14),
    "an ID3 tag and zeros": b"ID3\x04\0\0\0\0\x10\0" + bytes((0x10 << 7) + 70_000),
}


@pytest.mark.parametrize("padding", PADDING)
def test_padding_around_an_mp3_is_not_a_truncation(tmp_path: Path, padding: str) -> None:
    mp3, path = written(LOW, "MP3", "MPEG_LAYER_III"), tmp_path / "a.mp3"
    for content in (PADDING[padding] + mp3, mp3 + PADDING[padding], PADDING[padding] + mp3 + PADDING[padding]):
        path.write_bytes(content)
        stream = heard(path)[1]
        assert stream.seconds == pytest.approx(SHORT, abs=0.001)
        assert stream.notice is None
    path.write_bytes(mp3 + PADDING[padding] + written(HIGH, "MP3", "MPEG_LAYER_III"))
    require_both(path)


@pytest.mark.parametrize("name", ["vorbis", "flac", "wav", "aiff"])
def test_zeros_around_a_file_are_skipped(tmp_path: Path, name: str) -> None:
    content = bytes(70_000) + written(LOW, *WRITTEN[name][:2]) + bytes(70_000) + written(HIGH, *WRITTEN[name][:2])
    (tmp_path / "a.bin").write_bytes(content)
    assert require_both(tmp_path / "a.bin").notice is None


def test_mp3_without_a_count_of_its_frames(tmp_path: Path) -> None:
    """libsndfile estimates the length of such a file from the bit rate of its first frame, and stops there."""
    path = tmp_path / "a.mp3"
    coarse, fine = (
        encoded(frequency, "mp3", "libmp3lame", bit_rate=bit_rate, options={"write_xing": "0"})
        for frequency, bit_rate in ((HIGH, 64_000), (LOW, 320_000))
    )
    path.write_bytes(fine + coarse)
    require_both(path, tolerance=0.1)
    counted = written(LOW, "MP3", "MPEG_LAYER_III")
    path.write_bytes(counted + coarse)
    require_both(path, tolerance=0.1)
    path.write_bytes(counted + b"TAG" + bytes(125) + b"ID3\x03\0\0\0\0\x10\0" + bytes(0x10 << 7) + coarse)
    require_both(path, tolerance=0.1)
    path.write_bytes(counted[: len(counted) // 2])
    assert re.match(r"truncated: 0\.\d s of 1\.0 s decoded", heard(path)[1].notice or "")


def test_a_missing_end_is_reported_for_the_right_recording(tmp_path: Path) -> None:
    whole, path = written(LOW, "OGG", "VORBIS"), tmp_path / "a.ogg"
    path.write_bytes(whole + whole[: len(whole) * 6 // 10])
    assert heard(path)[1].notice == "damaged: 1 of 2 joined recordings cannot be decoded"
    opus = written(LOW, "OGG", "OPUS", rate=48_000)
    path.write_bytes(opus + opus[:-100])
    assert re.match(r"truncated: no end of stream, 0\.\d s decoded, in recording 2 of 2", heard(path)[1].notice or "")
    wav = written(LOW, "WAV", "PCM_16")
    path.write_bytes(wav + written(HIGH, "WAV", "PCM_16")[:-1000])
    assert (heard(path)[1].notice or "").startswith("truncated: ")
    path.write_bytes(wav + wav[:44])
    stream = heard(path)[1]
    assert (stream.seconds, (stream.notice or "").split(":")[0]) == (SHORT, "damaged")


def patched(content: bytes, **patches: tuple[int, bytes]) -> bytes:
    changed = bytearray(content)
    for offset, value in patches.values():
        changed[offset : offset + len(value)] = value
    return bytes(changed)


def unfinished() -> dict[str, bytes]:
    """Files whose header has a placeholder where a length belongs, as a program leaves it that streams or is stopped."""
    zero, ones = bytes(4), b"\xff" * 4
    files = {}
    for name, container in (("WAV", "WAV"), ("AIFF", "AIFF")):
        content = written(LOW, container, "PCM_16")
        chunk = content.index(b"data" if name == "WAV" else b"SSND") + 4
        for kind, riff, data in (
            ("0", None, zero),
            ("1", None, ones),
            ("00", zero, zero),
            ("11", ones, ones),
            ("0.", zero, None),
        ):
            sizes = (riff or content[4:8], data or content[chunk : chunk + 4])
            files[f"{name} {kind}"] = patched(content, riff=(4, sizes[0]), data=(chunk, sizes[1]))
    content = written(LOW, "WAV", "PCM_16")
    files["SoX"] = patched(content, riff=(4, struct.pack("<I", 0x7FFFF024)), data=(40, struct.pack("<I", 0x7FFFF000)))
    content = written(LOW, "AIFF", "PCM_16")
    files["AIFF 8"] = patched(
        content, data=(content.index(b"SSND") + 4, b"\0\0\0\x08"), frames=(content.index(b"COMM") + 10, zero)
    )
    content = written(LOW, "RF64", "PCM_16")
    files["RF64 0"], files["RF64 1"] = (
        patched(content, sizes=(20, bytes(24))),
        patched(content, sizes=(20, b"\xff" * 24)),
    )
    content = written(LOW, "W64", "PCM_16")
    chunk = content.index(b"data\xf3\xac") + 16
    for kind, size in (("0", 0), ("24", 24), ("1", 2**64 - 1)):
        files[f"W64 {kind}"] = patched(content, riff=(16, bytes(8)), data=(chunk, struct.pack("<Q", size)))
    files["AU 0"] = patched(written(LOW, "AU", "PCM_16"), data=(8, zero))
    content = written(LOW, "CAF", "PCM_16")
    files["CAF 4"] = patched(content, data=(content.index(b"data") + 4, struct.pack(">Q", 4)))
    return files


UNFINISHED = unfinished()


@pytest.mark.parametrize("name", UNFINISHED)
def test_a_file_without_a_stated_length_is_heard_with_a_notice(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(UNFINISHED[name])
    samples, stream = heard(path)
    assert stream.seconds == SHORT
    assert peak_frequency(samples) == pytest.approx(LOW, abs=2)
    assert stream.notice == "unfinished: the header does not state the length, decoded to the end of the file (1.0 s)"
    if name.startswith(("WAV", "AIFF", "W64")):
        path.write_bytes(UNFINISHED[name] + written(HIGH, "WAV", "PCM_16"))
        require_both(path)


def test_a_data_chunk_that_is_really_empty(tmp_path: Path) -> None:
    """Chunks that follow are no sound."""
    file = io.BytesIO()
    sf.write(file, np.zeros((0, 2)), 44_100, format="WAV")
    (tmp_path / "a.wav").write_bytes(file.getvalue() + b"LIST\x10\0\0\0INFOIART\x04\0\0\0Bach")
    with pytest.raises(NoSamplesError, match="no audio samples"):
        heard(tmp_path / "a.wav")


def test_flac_of_unknown_length(tmp_path: Path) -> None:
    content = bytearray(written(LOW, "FLAC", "PCM_16"))
    content[21:26] = bytes([content[21] & 0xF0, 0, 0, 0, 0])  # the number of samples in STREAMINFO
    (tmp_path / "a.flac").write_bytes(content)
    assert heard(tmp_path / "a.flac")[1].seconds == SHORT


def test_a_stream_that_changes_its_format_without_a_new_header(tmp_path: Path) -> None:
    """As in television: FFmpeg's frames change, and the decoder follows."""
    path = tmp_path / "a.ts"
    path.write_bytes(encoded(LOW, "mpegts", "mp2") + encoded(HIGH, "mpegts", "mp2", rate=48_000, channels=1))
    require_both(path, tolerance=0.2)


@pytest.mark.parametrize(("container", "subtype"), [("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("FLAC", "PCM_16")])
def test_a_plain_file_is_one_recording(container: str, subtype: str) -> None:
    content = written(LOW, container, subtype)
    (recording,) = find_recordings(io.BytesIO(content))
    assert (recording.start, recording.end, recording.patches) == (0, len(content), {})


def test_metadata_that_is_not_utf8_does_not_hide_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    content = encoded(LOW, "avi", "ac3").replace(b"ISFT", b"IART").replace(b"Lavf", b"\xe9t\xe9!")
    path.write_bytes(content)
    assert b"\xe9t\xe9!" in content
    assert heard(path)[1].seconds == pytest.approx(SHORT, abs=0.1)


def test_memory_does_not_grow_with_the_number_of_recordings(tmp_path: Path) -> None:
    one = written(LOW, "FLAC", "PCM_16")
    path = tmp_path / "a.flac"
    peaks = []
    for count in (4, 24):
        path.write_bytes(one * count)
        tracemalloc.start()
        with MonoStream(path) as stream:
            assert sum(map(len, stream)) == count * int(SHORT * 44_100)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 3_000_000


def test_damaged_headers_raise_no_other_errors() -> None:
    """Cut and altered headers of every format: whatever they say, it is only looked at."""
    generator = np.random.default_rng(0)
    contents = [written(LOW, *settings[:2], rate=48_000) for settings in WRITTEN.values()]
    contents += [encoded(LOW, "ipod", "aac"), encoded(LOW, "asf", "wmav2"), encoded(LOW, "adts", "aac")]
    for content in contents:
        for size in range(1, 90, 3):
            find_recordings(io.BytesIO(content[:size]))
        for _ in range(30):
            altered = bytearray(content[:4000])
            for place in generator.integers(0, 200, 8):
                altered[place] = (0, 255, int(generator.integers(256)))[generator.integers(3)]
            recordings = find_recordings(io.BytesIO(bytes(altered)))
            assert all(0 <= recording.start < recording.end <= 4000 for recording in recordings)
