"""Made music whose tempo or key is known: click tracks, and chord progressions. Tests and ``bench/tempo_and_key.py`` use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

RATE = 22_050

Samples = npt.NDArray[np.float32]

TIMBRES = ("beep", "hi-hat", "kick", "wood", "pluck")

PARTIALS: dict[str, tuple[list[float], list[float]]] = {
    "beep": ([1000], [1]),
    "wood": ([820, 2140], [1, 0.6]),
    "pluck": ([220, 277.2, 329.6, 440, 554.4, 659.2, 660, 831.6, 988.8], [0.3] * 3 + [0.15] * 3 + [0.1] * 3),
}
"""Frequencies in Hz and amplitudes."""

VARIANTS: dict[str, dict[str, float]] = {
    "plain": {},
    "accent on every second": {"accent": 2},
    "accent on every third": {"accent": 3},
    "accent on every fourth": {"accent": 4},
    "noise, 10 dB below": {"noise_db": -10},
    "accents, noise as loud": {"accent": 4, "noise_db": 0},
    "jitter of 8 ms": {"jitter": 0.008},
    "hi-hat between the clicks, -12 dB": {"between": 0.25},
    "10 s": {"seconds": 10},
}

PROGRESSIONS: dict[str, dict[str, Sequence[Sequence[int]]]] = {
    "scale": {
        "major": [[0], [2], [4], [5], [7], [9], [11], [12], [11], [9], [7], [5], [4], [2], [0], [0]],
        "minor": [[0], [2], [3], [5], [7], [8], [11], [12], [11], [8], [7], [5], [3], [2], [0], [0]],
    },
    "I-IV-V-I": {
        "major": [[0, 4, 7], [5, 9, 12], [7, 11, 14], [0, 4, 7]],
        "minor": [[0, 3, 7], [5, 8, 12], [7, 11, 14], [0, 3, 7]],
    },
    "I-vi-ii-V-I": {
        "major": [[0, 4, 7], [9, 12, 16], [2, 5, 9], [7, 11, 14], [0, 4, 7]],
        "minor": [[0, 3, 7], [8, 12, 15], [2, 5, 8], [7, 11, 14], [0, 3, 7]],
    },
    "I-V-vi-IV": {
        "major": [[0, 4, 7], [7, 11, 14], [9, 12, 16], [5, 9, 12]],
        "minor": [[0, 3, 7], [7, 10, 14], [8, 12, 15], [5, 8, 12]],
    },
}
"""Chords in semitones above the tonic."""

TUNINGS: dict[str, tuple[float, float]] = {
    "A4 = 440 Hz": (0, 0),
    "30 cents flat": (-30, 0),
    "40 cents sharp, hi-hat": (40, 1),
}
"""Deviation from A4 = 440 Hz in cents, and amplitude of a hi-hat."""


def make_click(timbre: str, generator: np.random.Generator) -> Samples:
    """Make one click of 0.12 s, float32 [n]."""
    time = np.arange(round(0.12 * RATE)) / RATE
    decay = np.exp(-time / {"beep": 0.02, "hi-hat": 0.015, "kick": 0.06, "wood": 0.01, "pluck": 0.04}[timbre])
    if timbre == "hi-hat":
        wave = 0.5 * np.diff(generator.standard_normal(len(time)), prepend=0)
    elif timbre == "kick":
        wave = np.sin(2 * np.pi * (50 * time + 1.8 * (1 - np.exp(-time / 0.03))))
    else:
        hz, amplitudes = PARTIALS[timbre]
        wave = np.sin(2 * np.pi * np.outer(time, hz)) @ np.array(amplitudes)
    return (wave * decay).astype(np.float32)


def make_click_track(
    bpm: float,
    timbre: str,
    *,
    seed: int,
    seconds: float = 30,
    accent: float = 0,
    noise_db: float | None = None,
    jitter: float = 0,
    between: float = 0,
) -> Samples:
    """Make a click track whose first click is at a random time within the first beat.

    Parameters
    ----------
    bpm : float
    timbre : str
        One of `TIMBRES`.
    seed : int
    seconds : float
    accent : float
        Every so many clicks, one has twice the amplitude of the others; 0 for no accents.
    noise_db : float or None
        Level of white noise relative to the clicks, both as root mean squares.
    jitter : float
        Standard deviation of the times of the clicks in s.
    between : float
        Amplitude of a hi-hat halfway between the clicks.

    Returns
    -------
    float32 array [n]
        Mono at `RATE`.
    """
    generator = np.random.default_rng(seed)
    length = round(seconds * RATE)
    samples = np.zeros(length + RATE)
    click = make_click(timbre, generator)
    for number, time in enumerate(np.arange(generator.uniform(0, 60 / bpm), seconds, 60 / bpm)):
        start = round(max(time + generator.normal(0, jitter), 0) * RATE)
        samples[start : start + len(click)] += click * (0.5 if accent and number % accent else 1)
        if between:
            start += round(30 / bpm * RATE)
            samples[start : start + len(click)] += between * make_click("hi-hat", generator)
    samples = 0.5 * samples[:length] / np.abs(samples[:length]).max()
    if noise_db is not None:
        level = np.sqrt(np.mean(samples**2)) * 10 ** (noise_db / 20)
        samples = samples + level * generator.standard_normal(length)
    made: Samples = samples.astype(np.float32)
    return made


def click_tracks(
    tempi: Sequence[float], *, seed: int, timbres: Sequence[str] = TIMBRES
) -> Iterator[tuple[float, str, str, Samples]]:
    """Make click tracks of all tempi, timbres and variants; yield each with its tempo, timbre and variant."""
    for bpm in tempi:
        for timbre in timbres:
            for number, (variant, options) in enumerate(VARIANTS.items()):
                track_seed = seed + round(1000 * bpm) + 100 * TIMBRES.index(timbre) + number
                yield bpm, timbre, variant, make_click_track(bpm, timbre, seed=track_seed, **options)


def make_progression(
    tonic: int,
    chords: Sequence[Sequence[int]],
    *,
    seconds: float = 8,
    cents: float = 0,
    drums: float = 0,
    seed: int = 0,
) -> Samples:
    """Make notes with six partials and a bass note, each chord as long as the others.

    Parameters
    ----------
    tonic : int
        Pitch class of the tonic, 0 for C.
    chords : sequence of sequences of int
        Semitones above the tonic.
    seconds : float
    cents : float
        Deviation from A4 = 440 Hz.
    drums : float
        Amplitude of a hi-hat on every quarter of a second.
    seed : int

    Returns
    -------
    float32 array [n]
        Mono at `RATE`.
    """
    generator = np.random.default_rng(seed)
    length = round(seconds / len(chords) * RATE)
    time = np.arange(length) / RATE
    envelope = np.minimum(time / 0.01, 1) * np.exp(-time / 1.5)
    partials = np.arange(1, 7)
    parts = []
    for chord in chords:
        notes = np.array([chord[0] - 12, *chord]) + tonic + 60 + cents / 100
        hz = np.outer(440 * 2 ** ((notes - 69) / 12), partials)
        amplitudes = np.tile(1 / partials, len(notes))
        phases = generator.uniform(0, 2 * np.pi, len(amplitudes))
        parts.append(np.sin(2 * np.pi * np.outer(time, hz.ravel()) + phases) @ amplitudes * envelope)
    samples = np.concatenate(parts)
    samples /= 2 * np.abs(samples).max()
    if drums:
        for start in range(0, len(samples) - RATE, RATE // 4):
            click = make_click("hi-hat", generator)
            samples[start : start + len(click)] += 0.3 * drums * click
    made: Samples = samples.astype(np.float32)
    return made


def key_examples(tonics: Sequence[int] = range(12)) -> Iterator[tuple[str, str, str, Samples]]:
    """Make every progression in every key and tuning; yield each with its key, progression and tuning."""
    names = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    for progression, modes in PROGRESSIONS.items():
        for mode, chords in modes.items():
            for tuning, (cents, drums) in TUNINGS.items():
                for tonic in tonics:
                    yield (
                        f"{names[tonic]} {mode}",
                        progression,
                        tuning,
                        make_progression(tonic, chords, cents=cents, drums=drums),
                    )
