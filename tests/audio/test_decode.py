"""Decoding of all supported formats, sampling rates and channel counts, and the errors for unusable files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from conftest import RATE, encode, tone

from sonotheque.audio import MonoStream, load
from sonotheque.audio.ffmpeg_decoder import DEMUXERS
from sonotheque.audio.formats import EXTENSIONS
from sonotheque.errors import EmptyFileError, InvalidSamplesError, MissingFileError, NoSamplesError, NotAudioError

NAMES = ["wav16.wav", "wav24.wav", "float.wav", "flac.flac", "vorbis.ogg", "mp3.mp3", "aiff.aiff", "opus.opus"]
NAMES += ["aac.m4a", "wma.wma", "raw.aac", "alac.m4a", "video.mp4"]


def peak_frequency(samples: np.ndarray, rate: int) -> float:
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * rate / len(samples))


@pytest.mark.parametrize("name", NAMES)
def test_every_format(formats: dict[str, Path], name: str) -> None:
    with MonoStream(formats[name], sample_rate=16_000) as stream:
        samples = np.concatenate(list(stream))
    assert len(samples) / 16_000 == pytest.approx(3.0, abs=0.15)
    assert stream.seconds == pytest.approx(3.0, abs=0.15)
    assert peak_frequency(samples, 16_000) == pytest.approx(440, abs=1)
    assert np.sqrt(np.mean(samples[4000:-4000] ** 2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)
    assert (stream.notice, stream.silent, stream.channels) == (None, False, 2)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.tta", "tta"), ("a.eac3", "eac3"), ("a.mp2", "mp2"), ("a.rm", "ac3"), ("a.voc", "pcm_s16le")]
)
def test_rarer_formats(tmp_path: Path, name: str, codec: str) -> None:
    assert Path(name).suffix in EXTENSIONS
    samples, _ = load(encode(tmp_path / name, codec, tone()), sample_rate=16_000)
    assert len(samples) / 16_000 == pytest.approx(3.0, abs=0.15)
    assert peak_frequency(samples, 16_000) == pytest.approx(440, abs=1)


def test_musepack_is_known() -> None:
    assert {".mpc", ".mp+", ".mpp"} <= EXTENSIONS
    assert {"mpc", "mpc8"} <= set(DEMUXERS.split(","))


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 5, 8])
def test_rates_and_channels(tmp_path: Path, rate: int, channels: int) -> None:
    sf.write(tmp_path / "a.wav", tone(1.0, rate=rate, channels=channels), rate)
    samples, _ = load(tmp_path / "a.wav", sample_rate=16_000)
    assert len(samples) == pytest.approx(16_000, abs=2)
    assert peak_frequency(samples, 16_000) == pytest.approx(440, abs=1)


def test_channels_are_averaged(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.array([[0.5, -0.25], [1.0, 0.5]]), RATE, subtype="FLOAT")
    assert load(tmp_path / "a.wav")[0].tolist() == [0.125, 0.75]


@pytest.mark.parametrize("name", ["mp3.mp3", "aac.m4a"])
def test_bytes_decode_like_a_path(formats: dict[str, Path], name: str) -> None:
    assert np.array_equal(load(formats[name])[0], load(formats[name].read_bytes())[0])


def test_content_chooses_the_decoder(formats: dict[str, Path], tmp_path: Path) -> None:
    misnamed = tmp_path / "misnamed.wav"
    misnamed.write_bytes(formats["mp3.mp3"].read_bytes())
    assert np.array_equal(load(misnamed)[0], load(formats["mp3.mp3"])[0])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"gone\.mp3: no such file"):
        load(tmp_path / "gone.mp3")


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    with pytest.raises(EmptyFileError, match=r"a\.mp3.*empty"):
        load(tmp_path / "a.mp3")


@pytest.mark.parametrize("content", [b"no music at all, only words. " * 100, bytes(5000), b"ID3", b"RIFF"])
def test_not_audio(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(NotAudioError, match=r"a\.mp3"):
        load(tmp_path / "a.mp3")


def test_folder_is_not_audio(tmp_path: Path) -> None:
    with pytest.raises(NotAudioError, match="folder"):
        load(tmp_path)


def test_video_without_sound(silent_video: Path) -> None:
    with pytest.raises(NotAudioError, match="no audio stream"):
        load(silent_video)


def test_no_samples(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.zeros((0, 1)), RATE)
    with pytest.raises(NoSamplesError, match="no audio samples"):
        load(tmp_path / "a.wav")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_samples(tmp_path: Path, bad: float) -> None:
    samples = tone(1.0)
    samples[30_000, 1] = bad
    sf.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(InvalidSamplesError, match=r"a\.wav.*NaN"):
        load(tmp_path / "a.wav")


def test_silence_is_flagged_and_not_an_error(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.zeros((RATE, 2)), RATE)
    with MonoStream(tmp_path / "a.wav", sample_rate=16_000) as stream:
        assert sum(map(len, stream)) == 16_000
    assert stream.silent


@pytest.mark.parametrize(
    "name", ["wav16.wav", "aiff.aiff", "flac.flac", "vorbis.ogg", "mp3.mp3", "opus.opus", "wma.wma"]
)
def test_a_truncated_file_is_decoded_as_far_as_possible(formats: dict[str, Path], tmp_path: Path, name: str) -> None:
    content = formats[name].read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) * 6 // 10])
    with MonoStream(tmp_path / name, sample_rate=16_000) as stream:
        samples = np.concatenate(list(stream))
    assert 0.9 < len(samples) / 16_000 < 2.5  # Ogg pages hold up to a second each
    assert stream.notice is not None
    assert stream.notice.startswith(("truncated", "damaged"))


def test_truncated_m4a_with_the_index_at_the_start(tmp_path: Path) -> None:
    whole = encode(tmp_path / "a.m4a", "aac", tone(10.0), options={"movflags": "faststart"})
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) * 6 // 10])
    with MonoStream(whole) as stream:
        list(stream)
    assert 2 < stream.seconds < 8
    assert stream.notice is not None


def test_cut_mp3_without_a_xing_header_is_not_reported_as_truncated(tmp_path: Path) -> None:
    """A constant-bit-rate MP3 that was cut is still a valid MP3, and libsndfile's frame count is only an estimate."""
    path = encode(tmp_path / "a.mp3", "libmp3lame", tone(4.0), options={"write_xing": "0"})
    with MonoStream(path) as stream:
        list(stream)
    assert stream.notice is None


@pytest.mark.parametrize(
    "text", ["#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:3,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile '{}'\n"]
)
def test_a_playlist_cannot_make_the_decoder_open_another_file(
    formats: dict[str, Path], tmp_path: Path, text: str
) -> None:
    playlist = tmp_path / "playlist.m4a"
    playlist.write_text(text.format(formats["aac.m4a"]))
    with pytest.raises(NotAudioError):
        load(playlist)
