"""Fingerprints by Chromaprint, the library of AcoustID, if it is installed.

It is found as the Python package ``pyacoustid`` with the library ``libchromaprint``, or as the program ``fpcalc``. Both get samples
that this package has decoded, so the fingerprint does not depend on other decoders.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from sonotheque.audio.fingerprint import FINGERPRINT_SECONDS, Fingerprint, FingerprintMethod, read_start
from sonotheque.audio.source import Source, source_name
from sonotheque.errors import AudioError, SonothequeError

SAMPLE_RATE = 11_025
"""The sampling rate to which Chromaprint resamples its input, in Hz."""

HOP_SAMPLES = 1365
"""Its step: a third of a frame of 4096 samples."""

ALGORITHM = 2
"""Chromaprint's default algorithm, which AcoustID uses, as ``fpcalc`` numbers it."""

TIMEOUT = 60
"""Longest time that ``fpcalc`` may take in s. It takes less than one for two minutes of audio."""


def chromaprint_is_available() -> bool:
    """Return whether Chromaprint is installed."""
    return _find_engine() is not None


def compute_chromaprint(source: Source) -> Fingerprint:
    """Compute the Chromaprint of the first two minutes of a recording.

    Parameters
    ----------
    source : path, or bytes of a whole file

    Returns
    -------
    uint32 array [n]
        One number for each 124 ms. Empty if the recording is too short or silent.

    Raises
    ------
    AudioError
        If the recording cannot be read, or Chromaprint fails.
    SonothequeError
        If Chromaprint is not installed.
    """
    engine = _find_engine()
    if engine is None:
        raise SonothequeError(
            "Chromaprint is not installed: install fpcalc (Debian: libchromaprint-tools) or the Python package pyacoustid"
        )
    samples = read_start(source, sample_rate=SAMPLE_RATE, seconds=FINGERPRINT_SECONDS)
    pcm = np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2")
    if not pcm.any():
        return np.zeros(0, np.uint32)
    try:
        return engine(pcm.tobytes())
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise AudioError(f"{source_name(source)}: Chromaprint cannot compute a fingerprint ({error})") from None


@cache
def _find_engine() -> Callable[[bytes], Fingerprint] | None:
    try:
        module: Any = import_module("chromaprint")
        module.Fingerprinter, module.decode_fingerprint  # noqa: B018 - another package may have this name
    except (ImportError, AttributeError, OSError):  # pyacoustid raises ImportError without libchromaprint
        program = shutil.which("fpcalc")
        return None if program is None else lambda pcm: _run_fpcalc(program, pcm)
    return lambda pcm: _run_library(module, pcm)


def _run_library(module: Any, pcm: bytes) -> Fingerprint:
    fingerprinter = module.Fingerprinter()
    try:
        fingerprinter.start(SAMPLE_RATE, 1)
        fingerprinter.feed(pcm)
        numbers, _ = module.decode_fingerprint(fingerprinter.finish())
    except module.FingerprintError as error:
        raise ValueError(str(error) or "no fingerprint") from None
    return np.array(numbers, dtype=np.int64).astype(np.uint32)


def _run_fpcalc(program: str, pcm: bytes) -> Fingerprint:
    layout = ["-format", "s16le", "-rate", str(SAMPLE_RATE), "-channels", "1"]
    options = ["-raw", "-json", "-algorithm", str(ALGORITHM), "-length", str(round(FINGERPRINT_SECONDS))]
    ended = subprocess.run(  # noqa: S603 - a fixed command; the samples are its input
        [program, *options, *layout, "-"], input=pcm, capture_output=True, timeout=TIMEOUT, check=False
    )
    try:  # version 1.5.1 reports the end of its input as an error, with status 3, after it has done its work
        numbers = json.loads(ended.stdout)["fingerprint"]
    except (ValueError, KeyError):
        message = " ".join(ended.stderr.decode(errors="replace").split())
        if "Empty fingerprint" in message:
            return np.zeros(0, np.uint32)
        raise ValueError(message[:200] or f"fpcalc ended with status {ended.returncode}") from None
    return np.array(numbers, dtype=np.int64).astype(np.uint32)


CHROMAPRINT = FingerprintMethod("chromaprint@2", HOP_SAMPLES / SAMPLE_RATE, compute_chromaprint)
"""Chromaprint with the algorithm that AcoustID uses."""
