"""Fingerprints do not depend on the level, mark silence, and agree between the ways to run Chromaprint."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf

from sonotheque.audio import chromaprint
from sonotheque.audio.chromaprint import chromaprint_is_available, compute_chromaprint
from sonotheque.audio.fingerprint import FINGERPRINT_SECONDS, compute_spectral_fingerprint, read_start
from sonotheque.demo import music
from sonotheque.errors import AudioError, MissingFileError, SonothequeError

RATE = 22_050
CLIP = music() / "metal" / "obsidian-shell-fear.mp3"

needs_chromaprint = pytest.mark.skipif(
    not chromaprint_is_available(),
    reason="NO CHROMAPRINT: it is NOT tested (Debian: apt-get install libchromaprint-tools)",
)


def write_noise(path: Path, seconds: float, *, silence: tuple[float, float] = (0, 0), level: float = 0.1) -> Path:
    samples: npt.NDArray[np.float64] = level * np.random.default_rng(1).standard_normal(int(seconds * RATE))
    samples[int(silence[0] * RATE) : int(silence[1] * RATE)] = 0
    sf.write(path, samples, RATE, subtype="FLOAT")
    return path


def test_the_level_does_not_matter(tmp_path: Path) -> None:
    loud = compute_spectral_fingerprint(write_noise(tmp_path / "a.wav", 5))
    quiet = compute_spectral_fingerprint(write_noise(tmp_path / "b.wav", 5, level=0.05))
    assert loud.dtype == np.uint32
    assert 90 <= len(loud) <= 108
    assert np.bitwise_count(loud ^ quiet).sum() <= 0.001 * 32 * len(loud)


def test_silence_is_zero_and_nothing_else_is(tmp_path: Path) -> None:
    steps = compute_spectral_fingerprint(write_noise(tmp_path / "a.wav", 9, silence=(3, 6)))
    start = np.arange(len(steps)) * 256 / 5512
    inside = (start >= 3) & (start + 0.42 <= 6)
    outside = (start + 0.42 <= 3) | (start >= 6)
    assert inside.sum() > 50
    assert not steps[inside].any()
    assert steps[outside].all()


def test_what_is_too_short_has_no_fingerprint(tmp_path: Path) -> None:
    assert len(compute_spectral_fingerprint(write_noise(tmp_path / "a.wav", 0.2))) == 0


def test_only_the_start_is_decoded(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.wav", FINGERPRINT_SECONDS + 20)
    assert len(read_start(path, sample_rate=5512)) == round(FINGERPRINT_SECONDS * 5512)
    assert len(read_start(path, sample_rate=5512, seconds=1.5)) == round(1.5 * 5512)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        compute_spectral_fingerprint(tmp_path / "none.wav")


@needs_chromaprint
def test_chromaprint_is_that_of_fpcalc_on_the_file() -> None:
    program = shutil.which("fpcalc")
    if program is None:
        pytest.skip("fpcalc is not installed")
    result = subprocess.run([program, "-raw", "-plain", str(CLIP)], capture_output=True, text=True, check=False)
    expected = np.array(result.stdout.split(","), dtype=np.int64).astype(np.uint32)
    steps = compute_chromaprint(CLIP)
    length = min(len(steps), len(expected))
    assert abs(len(steps) - len(expected)) <= 1
    assert np.bitwise_count(steps[:length] ^ expected[:length]).sum() <= 0.02 * 32 * length


@needs_chromaprint
def test_chromaprint_of_silence_is_empty(tmp_path: Path) -> None:
    assert len(compute_chromaprint(write_noise(tmp_path / "a.wav", 3, silence=(0, 3)))) == 0
    assert len(compute_chromaprint(write_noise(tmp_path / "b.wav", 0.2))) == 0


def write_program(path: Path, code: str) -> str:
    path.write_text(f"#!{sys.executable}\nimport sys\nsys.stdin.buffer.read()\n{code}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_fpcalc_is_read_also_if_it_reports_the_end_as_an_error(tmp_path: Path) -> None:
    fpcalc = write_program(tmp_path / "fpcalc", "print('{\"fingerprint\": [1, 4294967295]}'); sys.exit(3)")
    assert chromaprint._run_fpcalc(fpcalc, b"\0\0").tolist() == [1, 2**32 - 1]


def test_a_broken_fpcalc_is_an_error_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fpcalc = write_program(tmp_path / "fpcalc", "sys.exit('no such codec')")
    monkeypatch.setattr(chromaprint, "_find_engine", lambda: lambda pcm: chromaprint._run_fpcalc(fpcalc, pcm))
    with pytest.raises(AudioError, match=r"a\.wav: Chromaprint cannot compute a fingerprint \(no such codec\)"):
        compute_chromaprint(write_noise(tmp_path / "a.wav", 1))


def test_chromaprint_that_is_not_installed_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromaprint, "_find_engine", lambda: None)
    with pytest.raises(SonothequeError, match="install fpcalc"):
        compute_chromaprint(CLIP)
