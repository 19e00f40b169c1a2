"""Measure tempo and key on made music whose tempo and key are known, and compare with librosa.

    python bench/tempo_and_key.py [--seed 1] [--step 5] [--library LIBRARY]

Click tracks of 60 to 200 BPM, of five timbres, with and without accents, noise and jitter (`tests/made_music.py`): a tempo counts
as right within 4%. Chord progressions and scales in all 24 keys and three tunings. With a library, its tracks are decoded: both
tempi are compared, and tempo and key of the two halves of each clip, which shows what a confidence is worth. Then the time that
tempo and key add to a clip is measured. librosa is only needed for its column; without it, the column is left out.

The constants of the method were chosen on 16 tempi (60, 66, 72, 80, 88, 97, 110, 120, ...) with other seeds, not on these tracks.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from sonotheque import Library
from sonotheque.audio import load
from sonotheque.audio.mono import MonoStream
from sonotheque.demo import music
from sonotheque.embed.tempo_key import TempoKey, TempoKeyEstimation
from sonotheque.embed.tempo_key.tempo import TEMPO_TOLERANCE

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from made_music import RATE, click_tracks, key_examples

FACTORS = (2, 1 / 2, 3, 1 / 3, 3 / 2, 2 / 3)
"""Ratios of an estimated tempo to the right one that are called octave errors."""


def estimate(samples: np.ndarray, rate: int = RATE) -> TempoKey:
    estimation = TempoKeyEstimation(sample_rate=rate)
    estimation.add(samples)
    return estimation.result()


def librosa_tempo() -> Callable[[np.ndarray], float] | None:
    try:
        import librosa
    except ImportError:
        return None
    return lambda samples: float(librosa.feature.tempo(y=samples, sr=RATE)[0])  # librosa.beat.tempo is its old name


def equal(tempo: float | None, other: float | None) -> bool:
    return tempo is not None and other is not None and abs(tempo / other - 1) <= TEMPO_TOLERANCE


def ratio_name(tempo: float | None, bpm: float) -> str:
    for factor in FACTORS:
        if tempo is not None and equal(tempo, factor * bpm):
            return f"{factor:.3g} x"
    return "none" if tempo is None else "other"


def print_rates(title: str, rates: dict[str, dict[str, list[bool]]]) -> None:
    columns = sorted({name for row in rates.values() for name in row}, reverse=True)
    print(f"\n| {title} | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
    for name, row in rates.items():
        print(
            f"| {name} | "
            + " | ".join(f"{np.mean(row[column]):.1%} of {len(row[column])}" for column in columns)
            + " |"
        )


def measure_click_tracks(tempi: Iterable[int], seed: int) -> None:
    reference = librosa_tempo()
    rates: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    errors: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    confidences: dict[bool, list[float]] = {True: [], False: []}
    for bpm, timbre, variant, samples in click_tracks(list(tempi), seed=seed):
        found = estimate(samples)
        tempi_found = {"sonotheque": found.tempo} | ({"librosa": reference(samples)} if reference else {})
        confidences[equal(found.tempo, bpm)].append(found.tempo_confidence)
        band = f"{bpm // 35 * 35:.0f} to {bpm // 35 * 35 + 34:.0f} BPM"
        for name, tempo in tempi_found.items():
            for group in ("all", variant, timbre, band):
                rates[group][name].append(equal(tempo, bpm))
            if not equal(tempo, bpm):
                errors[name][ratio_name(tempo, bpm)].append(f"{bpm:.0f} {timbre}, {variant}")
    print_rates("click tracks", rates)
    for name, by_ratio in errors.items():
        print(f"\nerrors of {name}: " + ", ".join(f"{ratio}: {len(tracks)}" for ratio, tracks in by_ratio.items()))
        if name == "sonotheque":
            for ratio, tracks in by_ratio.items():
                print(f"- {ratio}: " + "; ".join(tracks))
    for right, values in confidences.items():
        quartiles = ", ".join(f"{value:.2f}" for value in np.quantile(values, [0.25, 0.5, 0.75])) if values else "-"
        print(f"confidence of {'right' if right else 'wrong'} tempi, quartiles: {quartiles}")


def measure_keys() -> None:
    rates: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    confidences: dict[bool, list[float]] = {True: [], False: []}
    for key, progression, tuning, samples in key_examples():
        found = estimate(samples)
        confidences[found.key == key].append(found.key_confidence)
        for group in ("all", progression, tuning, key.split()[1]):
            rates[group]["right key"].append(found.key == key)
    print_rates("chords and scales", rates)
    for right, values in confidences.items():
        quartiles = ", ".join(f"{value:.2f}" for value in np.quantile(values, [0.25, 0.5, 0.75])) if values else "-"
        print(f"confidence of {'right' if right else 'wrong'} keys, quartiles: {quartiles}")


def measure_library(folder: str) -> None:
    """Compare with librosa on the library's tracks, and the two halves of each track with each other."""
    reference = librosa_tempo()
    rows = []
    with Library(folder, create=False) as library:
        paths = [track.path for track in library.catalogue.tracks.all() if not track.silent]
    for path in paths:
        samples, _ = load(path, sample_rate=RATE)
        whole, *halves = (estimate(part) for part in (samples, *np.array_split(samples, 2)))
        beside = reference(samples) if reference else None
        beside_halves = [reference(part) for part in np.array_split(samples, 2)] if reference else [None, None]
        rows.append((whole, halves, beside, equal(*beside_halves)))
    tempo_agrees = np.array([equal(halves[0].tempo, halves[1].tempo) for _, halves, _, _ in rows])
    key_agrees = np.array([halves[0].key == halves[1].key for _, halves, _, _ in rows])
    print(f"\n{len(rows)} tracks: the halves have the same tempo in {tempo_agrees.mean():.1%}")
    print(f"and the same key in {key_agrees.mean():.1%}")
    if reference:
        same = np.array([equal(whole.tempo, tempo) for whole, _, tempo, _ in rows])
        octave = np.array(
            [
                whole.tempo is not None and ratio_name(whole.tempo, tempo or 1) not in ("other", "none")
                for whole, _, tempo, _ in rows
            ]
        )
        print(
            f"librosa: its halves agree in {np.mean([agrees for *_, agrees in rows]):.1%}; "
            f"same tempo as ours in {same.mean():.1%}, an octave error between the two in {octave.mean():.1%}"
        )
    print(
        "\n| confidence | tempo: tracks | halves agree | same as librosa | key: tracks | halves agree |\n|---|---|---|---|---|---|"
    )
    tempo_confidence = np.array([whole.tempo_confidence for whole, *_ in rows])
    key_confidence = np.array([whole.key_confidence for whole, *_ in rows])
    for low, high in ((0, 0.15), (0.15, 0.3), (0.3, 0.45), (0.45, 0.6), (0.6, 0.75), (0.75, 1.01)):
        tempi, keys = ((values >= low) & (values < high) for values in (tempo_confidence, key_confidence))
        cells = [
            f"{tempi.sum()}",
            f"{tempo_agrees[tempi].mean():.0%}" if tempi.any() else "-",
            f"{same[tempi].mean():.0%}" if reference and tempi.any() else "-",
            f"{keys.sum()}",
            f"{key_agrees[keys].mean():.0%}" if keys.any() else "-",
        ]
        print(f"| {low:.2f} to {min(high, 1):.2f} | " + " | ".join(cells) + " |")


def measure_time() -> None:
    """Measure the processor time for 30 s of music at 44.1 kHz: blocks as the decoder yields them."""
    path = music() / "metal" / "obsidian-shell-fear.mp3"
    with MonoStream(path) as stream:
        blocks, rate = list(stream), stream.source_rate
    blocks = blocks * round(30 / stream.seconds)
    seconds = sum(map(len, blocks)) / rate
    times = []
    for _ in range(8):
        start = time.process_time()
        estimation = TempoKeyEstimation(sample_rate=rate)
        for block in blocks:
            estimation.add(block)
        estimation.result()
        times.append((time.process_time() - start) * 30 / seconds)
    print(
        f"\ntime for 30 s at {rate} Hz: {1000 * min(times):.1f} ms at best, {1000 * np.median(times):.1f} ms in the median of 8"
    )


def main() -> None:
    from threadpoolctl import threadpool_limits

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--step", type=int, default=5, help="step between the tempi of the click tracks in BPM")
    parser.add_argument("--library")
    arguments = parser.parse_args()
    with threadpool_limits(limits=1):
        measure_time()
        measure_keys()
        measure_click_tracks(range(60, 201, arguments.step), arguments.seed)
        if arguments.library:
            measure_library(arguments.library)


if __name__ == "__main__":
    main()
