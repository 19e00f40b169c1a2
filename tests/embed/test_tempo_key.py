"""Tempo and key of made music, what their confidence says, and that they depend on nothing but the recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from made_music import (
    PROGRESSIONS,
    RATE,
    VARIANTS,
    Samples,
    click_tracks,
    key_examples,
    make_click_track,
    make_progression,
)
from threadpoolctl import threadpool_limits

from sonotheque.demo import music
from sonotheque.embed import embed_track, musicnn
from sonotheque.embed.tempo_key import TempoKey, TempoKeyEstimation
from sonotheque.embed.tempo_key.key import TONICS
from sonotheque.embed.tempo_key.tempo import TEMPO_TOLERANCE


def estimate(samples: Samples, *, sample_rate: int = RATE, block: int = 1 << 30) -> TempoKey:
    estimation = TempoKeyEstimation(sample_rate=sample_rate)
    with threadpool_limits(limits=1, user_api="blas"):  # as in `embed_track`
        for start in range(0, len(samples), block):
            estimation.add(samples[start : start + block])
        return estimation.result()


def is_right(found: TempoKey, bpm: float) -> bool:
    return found.tempo is not None and abs(found.tempo / bpm - 1) <= TEMPO_TOLERANCE


def test_tempo_of_click_tracks() -> None:
    tracks = click_tracks((80, 125, 180), seed=5, timbres=("hi-hat", "kick"))
    right = [is_right(estimate(samples), bpm) for bpm, _, _, samples in tracks]
    assert len(right) == 3 * 2 * len(VARIANTS)
    assert np.mean(right) >= 0.95


@pytest.mark.slow
def test_tempo_of_click_tracks_from_60_to_200_bpm() -> None:
    right = [is_right(estimate(samples), bpm) for bpm, _, _, samples in click_tracks(range(60, 201, 7), seed=9)]
    assert np.mean(right) >= 0.95


@pytest.mark.parametrize("bpm", [60, 100, 150, 200])
def test_metronome_has_no_octave_error(bpm: int) -> None:
    found = estimate(make_click_track(bpm, "wood", seed=bpm))
    assert found.tempo == pytest.approx(bpm, rel=0.005)
    assert found.tempo_confidence > 0.8
    assert found.clear_tempo == found.tempo


def test_all_24_keys() -> None:
    for mode, chords in PROGRESSIONS["I-IV-V-I"].items():
        for tonic, name in enumerate(TONICS):
            found = estimate(make_progression(tonic, chords, seconds=4, cents=10 * (tonic % 5 - 2)))
            assert found.clear_key == f"{name} {mode}"


@pytest.mark.slow
def test_progressions_and_scales_in_all_keys_and_tunings() -> None:
    examples = [(key, estimate(samples)) for key, _, _, samples in key_examples()]
    wrong = [found for key, found in examples if found.key != key]
    assert len(wrong) <= 0.02 * len(examples)
    assert all(found.clear_key is None for found in wrong)


def test_sounds_without_tempo_or_key_have_low_confidence() -> None:
    generator = np.random.default_rng(0)
    time = np.arange(12 * RATE) / RATE
    noise = (0.1 * generator.standard_normal(len(time))).astype(np.float32)
    chord = (0.1 * np.sin(2 * np.pi * np.outer([220.0, 277.18, 329.63], time)).sum(axis=0)).astype(np.float32)
    assert (estimate(noise).clear_tempo, estimate(noise).clear_key) == (None, None)
    assert (estimate(chord).tempo, estimate(chord).clear_key) == (None, "A major")
    assert estimate(np.zeros(12 * RATE, np.float32)) == TempoKey(None, 0.0, None, 0.0)
    assert estimate(noise[:100]) == TempoKey(None, 0.0, None, 0.0)
    random_onsets = np.zeros(len(time), np.float32)
    random_onsets[generator.integers(0, len(time), 50)] = 1
    assert estimate(random_onsets).clear_tempo is None


def test_octave_ambiguity_lowers_the_confidence() -> None:
    clear = estimate(make_click_track(125, "kick", seed=1))
    ambiguous = estimate(make_click_track(75, "kick", seed=1, between=0.25))
    assert ambiguous.tempo_confidence < 0.8 < clear.tempo_confidence


def test_the_result_depends_only_on_the_recording(tmp_path: Path) -> None:
    samples = make_click_track(97, "pluck", seed=3, seconds=14)
    found = [estimate(samples, block=block) for block in (333, 65_536, 1 << 30)]
    assert found[0] == found[1] == found[2]
    path = tmp_path / "a.wav"
    sf.write(path, samples, RATE, subtype="FLOAT")
    musicnn_first = embed_track(path, spaces=[musicnn.SPACE.id], tempo_key=True)
    alone = embed_track(path, spaces=[], tempo_key=True)
    assert musicnn_first.tempo_key == alone.tempo_key == found[0]
    assert alone.seconds == musicnn_first.seconds
    assert not alone.track
    assert embed_track(path, spaces=[musicnn.SPACE.id]).tempo_key is None
    plain = embed_track(path, spaces=[musicnn.SPACE.id])
    assert np.array_equal(plain.track[musicnn.SPACE.id], musicnn_first.track[musicnn.SPACE.id])


def test_sampling_rates_agree() -> None:
    import soxr

    samples = make_click_track(132, "beep", seed=2, seconds=14)
    tempi = [
        estimate(soxr.resample(samples, RATE, rate).astype(np.float32), sample_rate=rate).tempo
        for rate in (8_000, 11_025, 44_100, 96_000)
    ]
    assert tempi == [pytest.approx(132, rel=0.01)] * 4


def test_real_music_has_plausible_values() -> None:
    found = embed_track(music() / "metal" / "david-reeves-david01.mp3", spaces=[], tempo_key=True).tempo_key
    assert found is not None
    assert found.tempo is not None
    assert 30 <= found.tempo <= 300
    assert 0 <= found.tempo_confidence <= 1
    assert 0 <= found.key_confidence <= 1
