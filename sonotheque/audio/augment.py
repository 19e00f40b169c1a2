"""Augmented copies of a recording: the same music faster, higher, louder, noisier, through a worse codec. For teaching alone.

The transforms are audiomentations' (the extra ``augment``). Nothing here knows of labels or folds.
"""

from __future__ import annotations

import io
import random
from typing import Any

import numpy as np

from sonotheque.audio.decode import Source, source_name
from sonotheque.audio.mono import MonoStream
from sonotheque.errors import InvalidSamplesError, NoSamplesError, SonothequeError

SAMPLE_RATE = 44_100
"""Of copies, in Hz: MP3 has no higher one that is common."""

MOST = 300
"""Seconds of a recording that are copied, from its start: the transforms hold a whole copy in memory."""

VERSION = "audiomentations-0.43-1"
"""Names the transforms below: where they change, copies made before are made anew."""


def require() -> None:
    """Check that the packages are there.

    Raises
    ------
    SonothequeError
        If they are not installed.
    """
    try:
        import audiomentations  # noqa: F401
        import fast_mp3_augment  # noqa: F401
    except ImportError as error:
        raise SonothequeError(
            f"augmented copies need the package {error.name}; `pip install 'sonotheque[augment]'` brings it"
        ) from None


def transforms() -> Any:
    """Make the transforms: two to five of six, drawn for each copy and applied in this order.

    Tempo by up to 15 %, pitch by up to 2 semitones (less than the 30 % that Schlüter & Grill 2015 use for singing voices: tempo
    and register are part of a genre), seven parametric equalisers of up to 6 dB, noise of any colour 15 to 40 dB below the
    music, up to 12 dB less level, and MP3 of 32 to 128 kbit/s.
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


def augmented(source: Source, *, seed: int) -> bytes:
    """Make one augmented copy.

    Parameters
    ----------
    source : path, or bytes of a whole file
    seed : int
        Of everything that is drawn, 0 to 2**32 - 1: the same seed gives the same samples. The global generators that
        audiomentations draws from are left as they were.

    Returns
    -------
    bytes
        A whole AU file: mono, float32, 44,100 Hz. (A WAV file of floats would hold the time at which it was written.)

    Raises
    ------
    AudioError
        One of its children.
    SonothequeError
        If audiomentations is not installed.
    """
    import soundfile

    require()
    with MonoStream(source, sample_rate=SAMPLE_RATE) as stream:
        blocks, held = [], 0
        for block in stream:
            blocks.append(block)
            held += len(block)
            if held >= MOST * SAMPLE_RATE:
                break
    if not held:
        raise NoSamplesError(f"{source_name(source)}: too short to be copied")
    samples = np.concatenate(blocks)[: MOST * SAMPLE_RATE]
    before = random.getstate(), np.random.get_state()  # noqa: NPY002 - what audiomentations draws from
    try:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        copy = transforms()(samples, SAMPLE_RATE) if np.abs(samples).max() > 0 else samples
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
    if not np.isfinite(copy).all():
        raise InvalidSamplesError(
            f"{source_name(source)}: an augmented copy has infinite samples; its level is damaged"
        )
    file = io.BytesIO()
    soundfile.write(file, copy, SAMPLE_RATE, subtype="FLOAT", format="AU")
    return file.getvalue()
