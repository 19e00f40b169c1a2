"""Similarity search is evaluated by what lists of similar tracks share, and agrees with `build_knn_graph` and with loops."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from sonotheque import Library, results
from sonotheque.cli import cli
from sonotheque.explore.retrieval.evaluate_retrieval import evaluate_space, group_by_name
from sonotheque.index import COSINE, SimilarityMeasure, default_measure
from sonotheque.store import Track

SPACE = "musicnn-msd-penultimate-h3.0@1"


def make_tracks(count: int, *, seed: int = 0) -> list[Track]:
    generator = np.random.default_rng(seed)
    tracks = []
    for number in range(count):
        artist = int(generator.integers(8))
        tracks.append(
            Track(
                id=number,
                hash=f"{number:064d}",
                path=f"/music/{number}.mp3",
                seconds=30.0,
                silent=False,
                notice=None,
                title=f"Title {number}",
                artist=["Björk ", "bjork"][number % 2] if artist == 0 else f"Artist {artist}" if artist < 7 else None,
                album=["Greatest Hits", "Debut", None][int(generator.integers(3))],
                genre="rock" if number % 5 == 0 else None,
                label=["Rock", "pop", "jazz"][artist % 3] if number % 4 else None,
                label_source=None,
            )
        )
    return tracks


def score_by_loops(similarities: np.ndarray, tracks: list[Track], k: int) -> dict[str, tuple[int, float, float]]:
    """Precision and MAP with one loop for each query, from the sets of tracks alone."""
    groups = group_by_name(tracks)
    found = {}
    for name, codes in (("genre", groups.genres), ("album", groups.albums), ("artist", groups.artists)):
        precisions, averages = [], []
        for query in range(len(tracks)):
            if codes[query] < 0:
                continue
            others = [
                other
                for other in range(len(tracks))
                if other != query
                and (
                    name != "genre"
                    or (codes[other] >= 0 and groups.artist_groups[other] != groups.artist_groups[query])
                )
            ]
            others.sort(key=lambda other: (-similarities[query, other], other))
            hits = [bool(codes[other] == codes[query]) for other in others]
            if any(hits):
                precisions.append(np.mean(hits[:k]))
                averages.append(np.mean([np.mean(hits[: rank + 1]) for rank, hit in enumerate(hits) if hit]))
        found[name] = (len(precisions), float(np.mean(precisions)), float(np.mean(averages)))
    return found


def test_scores_agree_with_loops() -> None:
    tracks = make_tracks(60)
    vectors = np.random.default_rng(1).normal(loc=0.5, size=(60, 12)).astype(np.float32)
    steps: list[tuple[int, int]] = []
    evaluation = evaluate_space(vectors, tracks, space=SPACE, k=5, progress=lambda *step: steps.append(step))
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]
    assert [measure.measure for measure in evaluation.measures] == ["cosine", "default"]
    for measure, chosen in zip(evaluation.measures, (COSINE, default_measure(SPACE)), strict=True):
        fitted = SimilarityMeasure.fit(vectors, settings=chosen)
        products = fitted.transform_queries(vectors) @ fitted.transform_rows(vectors).T
        expected = score_by_loops(products, tracks, 5)
        assert {score.criterion: score.queries for score in measure.scores} == {n: e[0] for n, e in expected.items()}
        for score in measure.scores:
            assert score.precision == pytest.approx(expected[score.criterion][1], abs=1e-6)
            assert score.mean_average_precision == pytest.approx(expected[score.criterion][2], abs=1e-6)
            assert score.precision_interval[0] <= score.precision <= score.precision_interval[1]
        np.fill_diagonal(products, -np.inf)
        lists = np.argsort(-products, axis=1, kind="stable")[:, :5]
        counts = np.bincount(lists.ravel(), minlength=60)
        assert measure.orphans == (counts == 0).sum()
        assert measure.reach == pytest.approx((counts > 0).mean(), abs=1e-6)
        assert [hub.lists for hub in measure.hubs] == sorted(counts, reverse=True)[:5]
    plain, default = (measure.scores[0] for measure in evaluation.measures)
    assert plain.precision_difference is None
    assert default.precision_difference == pytest.approx(default.precision - plain.precision, abs=2e-6)


def test_names_are_compared_without_case_and_accents_and_albums_belong_to_artists() -> None:
    def track(number: int, artist: str | None, album: str | None, label: str | None, genre: str | None = None) -> Track:
        return Track(number, str(number), f"/{number}", 1.0, False, None, None, artist, album, genre, label, None)

    groups = group_by_name(
        [
            track(0, "Björk", "Greatest Hits", "Pop"),
            track(1, "BJORK", "greatest hits", None, "pop"),
            track(2, "Queen", "Greatest Hits", "rock"),
            track(3, None, None, None),
        ]
    )
    assert groups.genres.tolist() == [0, 0, 1, -1]
    assert groups.artists.tolist() == [0, 0, 1, -1]
    assert groups.albums.tolist() == [0, 0, 1, -1]
    assert groups.artist_groups[2] != groups.artist_groups[3] >= 0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_tracks_have_no_scores_but_lists(count: int) -> None:
    tracks = [track._replace(artist=None, album=None, label=None, genre=None) for track in make_tracks(count)]
    vectors = np.ones((count, 3), dtype=np.float32)
    for measure in evaluate_space(vectors, tracks, space=SPACE).measures:
        assert measure.scores == []
        assert (measure.reach, measure.orphans, measure.skewness) == ((1.0, 0, 0.0) if count != 1 else (0.0, 1, 0.0))


def test_the_demo_music(demo_folder: Path) -> None:
    with Library(demo_folder, create=False) as library:
        result = library.evaluate_retrieval(k=5)
        assert library.evaluate_retrieval(k=5, embedders=["musicnn"]) == result
    (space,) = result.spaces
    assert (result.k, space.space, space.tracks) == (5, SPACE, 46)
    cosine, default = space.measures
    assert default.scores[0].mean_average_precision > cosine.scores[0].mean_average_precision
    assert {score.criterion for score in default.scores} == {"genre", "album", "artist"} & {
        score.criterion for score in cosine.scores
    }
    assert all(score.precision > 2 * score.chance for score in default.scores)

    def run(*arguments: str) -> str:
        ran = CliRunner().invoke(cli, ["-L", str(demo_folder), "evaluate", "--retrieval", "-k", "5", *arguments])
        assert (ran.exit_code, ran.stderr) == (0, "")
        return ran.stdout

    assert json.loads(run("--json")) == json.loads(json.dumps(results.to_dict(result)))
    table = run()
    assert f"{default.scores[0].precision:.3f}" in table
    assert f"{default.skewness:.2f}" in table
    assert (default.hubs[0].artist or "") in table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--retrieval", "--folds", "3"], "--retrieval cannot be combined with --folds"),
        (["--retrieval", "--model", "knn"], "--retrieval cannot be combined with --model"),
        (["-k", "3"], "-k requires --retrieval"),
    ],
)
def test_other_options_are_refused(arguments: list[str], message: str, tmp_path: Path) -> None:
    ran = CliRunner().invoke(cli, ["-L", str(tmp_path), "evaluate", *arguments])
    assert ran.exit_code == 2
    assert message in ran.stderr
