"""Planted errors come first, nothing is relabelled by itself, and a person's decisions come back in."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque import Library
from sonotheque.classify import EmbeddingSet, TrainingSet
from sonotheque.errors import LabelsError
from sonotheque.explore.label_issues.corrections import write_corrections
from sonotheque.explore.label_issues.label_quality import (
    compute_label_quality,
    find_near_duplicates,
    find_outliers,
    nearest_rows,
    suggest_labels,
)
from sonotheque.explore.label_issues.out_of_fold import track_folds


def training_set(*, artists: int = 8, tracks: int = 4, genres: int = 4, seed: int = 0) -> TrainingSet:
    """Genres that are far apart, artists that are less so."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(artists * genres), tracks)
    y = groups % genres
    X = 3 * generator.standard_normal((genres, 20))[y] + generator.standard_normal((artists * genres, 20))[groups]
    X += 0.5 * generator.standard_normal(X.shape)
    return TrainingSet([], EmbeddingSet({"a": X.astype(np.float32)}), np.array(list("abcd"))[y], groups, 0)


def test_planted_errors_come_first() -> None:
    training = training_set()
    wrong = np.arange(0, 128, 20)
    training.y[wrong] = [{"a": "b", "b": "c", "c": "d", "d": "a"}[label] for label in training.y[wrong]]
    support = compute_label_quality(training)
    assert np.allclose(support.shares.sum(axis=1), 1)
    proposal, order = suggest_labels(support, training.codes)
    assert set(order[: len(wrong)]) == set(wrong)
    truth = (np.arange(128) // 4 % 4)[wrong]
    assert (proposal[wrong] == truth).all()
    assert not support.by_track.any()


def test_a_genre_of_one_artist_does_not_look_wrong_as_a_whole() -> None:
    training = training_set()
    only = np.flatnonzero(training.y == "d")
    training.groups[only] = training.groups[only[0]]
    support = compute_label_quality(training)
    assert set(np.flatnonzero(support.by_track)) == set(only)
    assert (support.shares[only, 3] > 0.5).mean() > 0.9


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4), others=st.integers(1, 5), seed=st.integers(0, 3))
@settings(max_examples=40)
def test_folds_of_tracks_ask_each_once_and_never_teach_it(sizes: list[int], others: int, seed: int) -> None:
    codes = np.concatenate([np.full(others, 0), *(np.full(size, code) for code, size in enumerate(sizes))])
    rows = np.arange(others, len(codes))
    folds = track_folds(codes, rows, seed=seed)
    assert sorted(np.concatenate([test for _, test in folds])) == rows.tolist()
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(len(codes)))


@given(count=st.integers(2, 30), equal=st.booleans(), seed=st.integers(0, 5))
@settings(max_examples=40)
def test_a_track_is_not_its_own_neighbour(count: int, equal: bool, seed: int) -> None:
    vectors = np.random.default_rng(seed).standard_normal((count, 4)).astype(np.float32)
    if equal:
        vectors[:] = vectors[0]
    rows, similarities = nearest_rows(vectors, space="a")
    assert rows.shape == similarities.shape == (count, min(10, count - 1))
    assert not (rows == np.arange(count)[:, None]).any()


def test_what_is_odd() -> None:
    generator = np.random.default_rng(0)
    vectors = (0.2 * generator.standard_normal((60, 8)) + np.eye(8)[np.arange(60) % 3]).astype(np.float32)
    vectors[7] = vectors[3] * 2
    vectors[50] = -vectors[:3].sum(axis=0)
    assert find_outliers(vectors, space="a").tolist() == [50]
    assert find_near_duplicates(vectors) == [(3, 7, 1.0)]
    assert find_near_duplicates(vectors[:1]) == []


@pytest.fixture
def spoiled_library(tmp_path: Path, demo_library: Library) -> Library:
    """The demo with two labels exchanged, a copy of one track in another quality, and silence."""
    tracks = {Path(track.path).name: track for track in demo_library.catalogue.tracks.all()}
    calm = next(name for name, track in tracks.items() if track.label == "classical")
    loud = next(name for name, track in tracks.items() if track.label == "metal")
    (tmp_path / "labels.csv").write_text(f"file,genre\n{tracks[calm].path},metal\n{tracks[loud].path},classical\n")
    demo_library.label(str(tmp_path / "labels.csv"))
    (tmp_path / "more").mkdir()
    samples, rate = sf.read(tracks[calm].path)
    sf.write(tmp_path / "more" / "again.flac", samples, rate)
    sf.write(tmp_path / "more" / "silence.wav", np.zeros(rate), rate)
    demo_library.add(tmp_path / "more")
    return demo_library


def test_a_library_with_errors(spoiled_library: Library, tmp_path: Path) -> None:
    before = spoiled_library.status().labels
    found = spoiled_library.errors()
    assert found.tracks == len([track for track in spoiled_library.catalogue.tracks.all() if track.label])
    assert len(found.suspicious) == -(-found.tracks // 10)
    worst = {(one.label, one.proposal) for one in found.suspicious}
    assert {("metal", "classical"), ("classical", "metal")} & worst
    supports = [one.support for one in found.suspicious]
    assert supports == sorted(supports)
    for one in found.suspicious:
        assert all(neighbour.label == one.proposal for neighbour in one.neighbours)
    assert any(path.endswith("again.flac") for path in found.duplicates[0].paths)
    assert found.duplicates[0].similarity > 0.999
    assert [Path(remark.path).name for remark in found.remarks] == ["silence.wav"]
    assert spoiled_library.status().labels == before
    assert spoiled_library.errors() == found
    assert len(spoiled_library.errors(limit=3).suspicious) == 3

    table = tmp_path / "found.csv"
    write_corrections(found, table)
    assert spoiled_library.apply_decisions(table).changed == 0
    rows = list(csv.reader(table.read_text(encoding="utf-8").splitlines()))
    rows[1][-1] = found.suspicious[0].proposal
    rows[2][-1] = found.suspicious[1].label
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    applied = spoiled_library.apply_decisions(table)
    assert applied.matched == 2
    labels = {track.path: track.label for track in spoiled_library.catalogue.tracks.all()}
    assert labels[found.suspicious[0].path] == found.suspicious[0].proposal
    assert labels[found.suspicious[1].path] == found.suspicious[1].label
    assert spoiled_library.status().labelled == sum(before.values())


def test_decisions_that_cannot_be_taken(
    demo_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = demo_library.catalogue.tracks.all()[0].path
    before = demo_library.status()
    for text, reason in (
        ("file,genre\na,rock\n", "no column 'decision'"),
        (f"file,decision\n{known},rock\nelsewhere.mp3,rock\n", r"line 3: 'elsewhere.mp3' is no track"),
    ):
        (tmp_path / "bad.csv").write_text(text)
        with pytest.raises(LabelsError, match=reason):
            demo_library.apply_decisions(tmp_path / "bad.csv")
    assert demo_library.status() == before
    (tmp_path / "new.csv").write_text(f"file,decision\n{known},polka\n")
    assert demo_library.apply_decisions(tmp_path / "new.csv").changed == 1
    assert "new to this library: 'polka'" in caplog.text
