"""Data augmentation: make altered copies of a recording to train classifiers with.

A copy differs in tempo, pitch, equalisation, noise, level or codec. The transforms come from audiomentations (the extra
``augment``). This module knows nothing of labels or folds.
"""

from __future__ import annotations

import io
import random
from typing import Any

import numpy as np

from sonotheque.audio.mono import MonoStream
from sonotheque.audio.source import Source, source_name
from sonotheque.errors import InvalidSamplesError, NoSamplesError, SonothequeError

SAMPLE_RATE = 44_100
"""Sampling rate of the copies in Hz: the highest one that is common for MP3."""

MAX_SECONDS = 300
"""A copy covers at most this many seconds from the start of the recording, because the transforms hold it in memory."""

VERSION = "audiomentations-0.43-1"
"""Version of the transforms below. Change it whenever they change, so that existing copies are rebuilt."""


def check_installed() -> None:
    """Check that the packages of the extra ``augment`` are installed.

    Raises
    ------
    SonothequeError
        If one of them is not installed.
    """
    try:
        import audiomentations  # noqa: F401
        import fast_mp3_augment  # noqa: F401
    except ImportError as error:
        raise SonothequeError(
            f"augmented copies need the package {error.name}; install it with `pip install 'sonotheque[augment]'`"
        ) from None


def build_transforms() -> Any:
    """Build the random transform: for each copy it applies two to five of the six transforms below, in this order.

    - time stretch by up to 15%;
    - pitch shift by up to 2 semitones;
    - seven-band parametric equaliser with gains of up to 6 dB;
    - coloured noise at a signal-to-noise ratio of 15 to 40 dB;
    - gain of -12 to 0 dB;
    - MP3 compression at 32 to 128 kbit/s.

    Schlüter & Grill (2015) shift tempo and pitch by up to 30% for singing voice detection. The changes are smaller here
    because tempo and register are part of a genre.

    Returns
    -------
    audiomentations.SomeOf
    """
    import audiomentations

    return audiomentations.SomeOf(
        (2, 5),
        [
            audiomentations.TimeStretch(min_rate=0.87, max_rate=1.15, leave_length_unchanged=False, p=1.0),
            audiomentations.PitchShift(min_semitones=-2.0, max_semitones=2.0, p=1.0),
            audiomentations.SevenBandParametricEQ(min_gain_db=-6.0, max_gain_db=6.0, p=1.0),
            audiomentations.AddColorNoise(min_snr_db=15.0, max_snr_db=40.0, p=1.0),
            audiomentations.Gain(min_gain_db=-12.0, max_gain_db=0.0, p=1.0),
            audiomentations.Mp3Compression(min_bitrate=32, max_bitrate=128, backend="fast-mp3-augment", p=1.0),
        ],
    )


def make_augmented_copy(source: Source, *, seed: int) -> bytes:
    """Make one augmented copy of a recording.

    Parameters
    ----------
    source : path, or bytes of a whole file
    seed : int
        Seed of all random choices, 0 to 2**32 - 1. The same seed gives the same samples. The state of the global random
        generators, which audiomentations uses, is restored afterwards.

    Returns
    -------
    bytes
        Content of an AU file: mono, float32, 44,100 Hz. A float WAV file is not used because its header contains the time of
        writing, so that equal copies would differ.

    Raises
    ------
    AudioError
        If the recording cannot be read; always one of its subclasses.
    SonothequeError
        If the packages of the extra ``augment`` are not installed.
    """
    import soundfile

    check_installed()
    with MonoStream(source, sample_rate=SAMPLE_RATE) as stream:
        blocks, n_samples = [], 0
        for block in stream:
            blocks.append(block)
            n_samples += len(block)
            if n_samples >= MAX_SECONDS * SAMPLE_RATE:
                break
    if not n_samples:
        raise NoSamplesError(f"{source_name(source)}: too short for an augmented copy")
    samples = np.concatenate(blocks)[: MAX_SECONDS * SAMPLE_RATE]
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - audiomentations uses the global generators
    try:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        copy = build_transforms()(samples, SAMPLE_RATE) if np.abs(samples).max() > 0 else samples
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
    if not np.isfinite(copy).all():
        raise InvalidSamplesError(
            f"{source_name(source)}: the augmented copy has infinite samples; the level of the recording is damaged"
        )
    file = io.BytesIO()
    soundfile.write(file, copy, SAMPLE_RATE, subtype="FLOAT", format="AU")
    return file.getvalue()
