"""Fingerprints are compared at each offset, without silence; vectors propose each pair once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sonotheque.errors import LibraryError
from sonotheque.explore.duplicates import candidates, choose_method, matching
from sonotheque.explore.duplicates.candidates import propose_pairs
from sonotheque.explore.duplicates.matching import FingerprintMatch, match_fingerprints
from sonotheque.index import ExactIndex

HOP = 0.125


def random_steps(length: int, seed: int = 0) -> npt.NDArray[np.uint32]:
    return np.random.default_rng(seed).integers(1, 2**32, length, dtype=np.uint32)


@pytest.mark.parametrize("offset", [-80, -1, 0, 24, 120])
def test_the_offset_is_found_with_its_sign(offset: int) -> None:
    steps = random_steps(600)
    first, second = (steps, steps[offset:]) if offset >= 0 else (steps[-offset:], steps)
    match = match_fingerprints(first, second, hop=HOP)
    assert match == FingerprintMatch(1.0, round(offset * HOP, 2), round((600 - abs(offset)) * HOP, 2))


def test_an_offset_beyond_the_maximum_is_not_tried() -> None:
    steps = random_steps(600)
    match = match_fingerprints(steps, steps[121:], hop=HOP)
    assert match is not None
    assert match.agreement < 0.6


def test_agreement_is_the_fraction_of_equal_bits() -> None:
    steps = random_steps(400)
    changed = steps ^ np.uint32(0b1111)
    match = match_fingerprints(steps, changed, hop=HOP)
    assert match is not None
    assert match.agreement == pytest.approx(28 / 32)
    different = match_fingerprints(steps, random_steps(400, seed=1), hop=HOP)
    assert different is not None
    assert 0.48 < different.agreement < 0.53


def test_common_silence_is_no_agreement() -> None:
    first, second = random_steps(400), random_steps(400, seed=1)
    for steps in (first, second):
        steps[100:300] = 0
    match = match_fingerprints(first, second, hop=HOP)
    assert match is None  # 200 of 400 steps are left, which is not enough
    for steps, seed in ((first, 2), (second, 3)):
        steps[150:300] = random_steps(150, seed)
    match = match_fingerprints(first, second, hop=HOP)
    assert match is not None
    assert match.agreement < 0.55


@pytest.mark.parametrize("length", [0, 1, 79])
def test_what_is_too_short_is_not_compared(length: int) -> None:
    steps = random_steps(400)
    assert match_fingerprints(steps[:length], steps, hop=HOP) is None
    assert match_fingerprints(steps, steps[:length], hop=HOP) is None
    assert match_fingerprints(steps[:80], steps, hop=HOP) is not None


def test_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "chromaprint_is_available", lambda: False)
    assert choose_method("auto").id == choose_method("spectral").id == "spectral@1"
    with pytest.raises(LibraryError, match="Chromaprint is not installed"):
        choose_method("chromaprint")
    with pytest.raises(LibraryError, match="no fingerprint method 'x'"):
        choose_method("x")
    monkeypatch.setattr(matching, "chromaprint_is_available", lambda: True)
    assert choose_method("auto").id == choose_method("chromaprint").id == "chromaprint@2"


@pytest.fixture(scope="module")
def vectors() -> npt.NDArray[np.float32]:
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(20, 8))
    return (np.repeat(centres, 3, axis=0) + 0.05 * generator.normal(size=(60, 8))).astype(np.float32)


def test_pairs_are_proposed_once_and_in_order(vectors: npt.NDArray[np.float32]) -> None:
    ids = np.random.default_rng(1).permutation(1000)[:60]
    seconds = np.full(60, 100.0)
    index = ExactIndex.build(np.append(ids, 5000), np.append(vectors, vectors[:1], axis=0))
    pairs, similarities = propose_pairs(ids, vectors, seconds, index=index)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert (similarities >= candidates.MIN_SIMILARITY).all()
    expected = {(3 * n + i, 3 * n + j) for n in range(20) for i, j in ((0, 1), (0, 2), (1, 2))}
    assert expected <= set(map(tuple, pairs.tolist()))
    searched, cosines = propose_pairs(ids, vectors, seconds, index=index, max_exact=10)
    assert np.array_equal(searched, pairs)
    assert np.allclose(cosines, similarities, atol=2e-6)


def test_other_lengths_are_proposed_only_for_near_duplicates() -> None:
    vectors = np.array([[1, 0], [1, 0.01], [1, 0.4]], np.float32)
    index = ExactIndex.build(np.arange(3), vectors)
    pairs, _ = propose_pairs(np.arange(3), vectors, np.array([100.0, 300.0, 100.0]), index=index)
    assert pairs.tolist() == [[0, 1], [0, 2]]


@pytest.mark.parametrize("count", [0, 1])
def test_one_track_has_no_pair(count: int) -> None:
    vectors = np.ones((count, 4), np.float32)
    index = ExactIndex.build(np.arange(count), vectors)
    pairs, similarities = propose_pairs(np.arange(count), vectors, np.ones(count), index=index)
    assert (pairs.shape, similarities.shape) == ((0, 2), (0,))
