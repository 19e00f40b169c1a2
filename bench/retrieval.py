"""Compare ways to compare vectors, by how well similar tracks are found and by hubs.

    python bench/retrieval.py LIBRARY [--seeds 10]
    python bench/retrieval.py LIBRARY --large
    python bench/retrieval.py --cost

LIBRARY is the folder of a library with labelled tracks and artists. The first tables show every candidate on the whole library.
The table of halves is the one to trust: for each seed, the artists of each genre are divided into two halves; a candidate is chosen
on one half and measured on the other, and the other way round. The choice is the candidate with the highest genre precision@10
among those that halve the skewness of the plain cosine and whose lists reach 95 % of the tracks, on that half. `--large` draws
20,000 vectors around the segments of the library. `--cost` measures the time to fit and apply the default measure to synthetic
vectors.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from sonotheque import Library
from sonotheque.embed.auto_tags import tag_logits
from sonotheque.embed.space import kind_of, short_name
from sonotheque.explore.retrieval.evaluate_retrieval import (
    TrackGroups,
    find_queries,
    group_by_name,
    select_relevant,
)
from sonotheque.explore.retrieval.metrics import count_occurrences, measure_reach, measure_skewness, score_rankings
from sonotheque.index import COSINE, MeasureSettings, SimilarityMeasure, build_knn_graph, default_measure
from sonotheque.types import FloatArray

K = 10

Matrix = npt.NDArray[Any]
Hubs = Callable[[Matrix], Matrix]


@dataclass(frozen=True)
class MusicCollection:
    """Tracks with their vectors and the deviation of their segments in each space, and what they share."""

    vectors: Mapping[str, Matrix]
    deviations: Mapping[str, Matrix]
    groups: TrackGroups

    def select(self, rows: Matrix) -> MusicCollection:
        """Keep some tracks."""
        groups = self.groups
        return MusicCollection(
            {space: matrix[rows] for space, matrix in self.vectors.items()},
            {space: matrix[rows] for space, matrix in self.deviations.items()},
            TrackGroups(groups.genres[rows], groups.artists[rows], groups.albums[rows], groups.artist_groups[rows]),
        )


def load_collection(folder: Path) -> MusicCollection:
    with Library(folder, create=False) as library:
        catalogue = library.catalogue
        spaces = [
            space.id
            for space in catalogue.spaces.all()
            if space.tracks and kind_of(space.id) in {"embedding", "descriptors"}
        ]
        tracks = {track.id: track for track in catalogue.tracks.all() if not track.silent}
        vectors, deviations = {}, {}
        for space in spaces:
            ids, matrix = catalogue.vectors.matrix(space)
            rows = [row for row, id_ in enumerate(ids) if int(id_) in tracks]
            kept = [tracks[int(ids[row])] for row in rows]
            vectors[space] = matrix[rows].astype(np.float64)
            deviations[space] = np.stack(
                [catalogue.vectors.segments(track.id, space).astype(np.float64).std(axis=0) for track in kept]
            )
        return MusicCollection(vectors, deviations, group_by_name(kept))


def unit(vectors: Matrix) -> Matrix:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Matrix = vectors / np.where(norms > 0, norms, 1)
    return result


def standardize(vectors: Matrix) -> Matrix:
    result: Matrix = (vectors - vectors.mean(axis=0)) / np.maximum(vectors.std(axis=0), 1e-9)
    return result


def rotate(vectors: Matrix, *, components: int, power: float) -> Matrix:
    """Principal components, divided by their deviation to the given power: 1 whitens, 0 keeps the variance."""
    centered = vectors - vectors.mean(axis=0)
    _, singular, axes = np.linalg.svd(centered, full_matrices=False)
    kept = min(components, int((singular > singular[0] * 1e-6).sum()))
    result: Matrix = centered @ axes[:kept].T / singular[:kept] ** power
    return result


def list_bases(collection: MusicCollection, space: str) -> Iterator[tuple[str, Matrix]]:
    """Yield the unit vectors that each way compares by their inner product."""
    vectors = collection.vectors[space]
    centered = vectors - vectors.mean(axis=0)
    scaled = kind_of(space) == "descriptors"
    yield "cosine", unit(vectors)
    yield "centred", unit(centered)
    yield "unit vectors, centred", unit(unit(vectors) - unit(vectors).mean(axis=0))
    yield "standardised", unit(standardize(vectors))
    prepared = standardize(vectors) if scaled else vectors
    for components in (20, 50):
        yield f"PCA {components}", unit(rotate(prepared, components=components, power=0))
    for components in (30, 60):
        yield f"PCA {components}, whitened", unit(rotate(prepared, components=components, power=1))
    yield "PCA 60, half whitened", unit(rotate(prepared, components=60, power=0.5))
    base = unit(standardize(vectors) if scaled else centered)
    nearest = np.argsort(-(base @ base.T), axis=1, kind="stable")[:, 1:6]
    yield "averaged with the 5 nearest tracks", unit(base + base[nearest].mean(axis=1))
    yield "averaged with the 3 nearest tracks, 4:1", unit(base + base[nearest[:, :3]].mean(axis=1) / 4)
    deviations = collection.deviations[space]
    spread = unit(standardize(deviations) if scaled else deviations - deviations.mean(axis=0))
    for weight in (0.25, 0.5):
        yield (
            f"mean and deviation, {1 - weight:.2f}:{weight:.2f}",
            np.hstack([np.sqrt(1 - weight) * base, np.sqrt(weight) * spread]),
        )
    if short_name(space) == "musicnn":
        logits = tag_logits(vectors)
        tags = unit(logits - logits.mean(axis=0))
        yield "tag logits", tags
        yield "tag logits, standardised", unit(standardize(logits))
        for weight in (0.25, 0.5, 0.75):
            yield (
                f"centred and tag logits, {1 - weight:.2f}:{weight:.2f}",
                np.hstack([np.sqrt(1 - weight) * base, np.sqrt(weight) * tags]),
            )


def nearest_mean(similarities: Matrix, k: int) -> Matrix:
    others = np.where(np.eye(len(similarities), dtype=bool), -np.inf, similarities)
    k = min(k, len(similarities) - 1)
    result: Matrix = -np.sort(-others, axis=1)[:, :k].mean(axis=1)
    return result


def csls(*, k: int = 10, weight: float = 0.5) -> Hubs:
    return lambda s: s - weight * nearest_mean(s, k)[None, :]


def local_scaling(similarities: Matrix, k: int = 7) -> Matrix:
    """Zelnik-Manor & Perona 2004: distances in units of the distances to the k-th neighbours of both."""
    distances = np.sqrt(np.maximum(2 - 2 * similarities, 0))
    others = np.where(np.eye(len(distances), dtype=bool), np.inf, distances)
    scale = np.sort(others, axis=1)[:, min(k, len(distances) - 1) - 1]
    result: Matrix = -(distances**2) / np.maximum(scale[:, None] * scale[None, :], 1e-12)
    return result


def mutual_proximity(similarities: Matrix) -> Matrix:
    """Schnitzer, Flexer, Schedl & Widmer 2012, "Local and global scaling reduce hubs in space": independent Gaussians."""
    from scipy.stats import norm

    off = ~np.eye(len(similarities), dtype=bool)
    rows = similarities[off].reshape(len(similarities), -1)
    z = (similarities - rows.mean(axis=1)[:, None]) / np.maximum(rows.std(axis=1)[:, None], 1e-12)
    result: Matrix = norm.logcdf(z) + norm.logcdf(z.T)
    return result


def empirical_mutual_proximity(similarities: Matrix) -> Matrix:
    """Count the tracks that are farther from both, instead of assuming Gaussians."""
    closer = similarities[:, :, None] > similarities[:, None, :]  # [x, y, z]: y is nearer to x than z
    result: Matrix = (closer & closer.transpose(1, 0, 2)).sum(axis=2).astype(np.float64)
    return result


HUBS: Mapping[str, Hubs] = {
    "": lambda similarities: similarities,
    "CSLS": csls(),
    "CSLS, k = 5": csls(k=5),
    "CSLS, k = 20": csls(k=20),
    "CSLS, k = 40": csls(k=40),
    "CSLS, w = 0.25": csls(weight=0.25),
    "CSLS, k = 20, w = 0.25": csls(k=20, weight=0.25),
    "CSLS, k = 20, w = 0.35": csls(k=20, weight=0.35),
    "CSLS, k = 20, w = 0.75": csls(k=20, weight=0.75),
    "CSLS, w = 0.75": csls(weight=0.75),
    "CSLS, w = 1": csls(weight=1),
    "local scaling": local_scaling,
    "mutual proximity": mutual_proximity,
    "mutual proximity, empirical": empirical_mutual_proximity,
}


def list_candidates(collection: MusicCollection, space: str) -> Iterator[tuple[str, Matrix]]:
    original = collection.vectors[space].astype(np.float32)
    fitted = SimilarityMeasure.fit(original, settings=default_measure(space))
    yield "the default", fitted.transform_queries(original) @ fitted.transform_rows(original).T
    for base, vectors in list_bases(collection, space):
        similarities = vectors @ vectors.T
        for name, reduce_hubs in HUBS.items():
            yield " + ".join(filter(None, [base, name])), reduce_hubs(similarities)


def list_fusions(collection: MusicCollection) -> Iterator[tuple[str, Matrix]]:
    """Combine all spaces, compared by their default base, by score and by rank."""
    matrices = []
    for space, vectors in collection.vectors.items():
        scaled = kind_of(space) == "descriptors"
        base = unit(standardize(vectors) if scaled else vectors - vectors.mean(axis=0))
        matrices.append(base @ base.T)
    names = " and ".join(map(short_name, collection.vectors))
    for weight in (0.25, 0.5, 0.75):
        fused = (1 - weight) * matrices[0] + weight * matrices[1]
        for name in ("", "CSLS", "mutual proximity"):
            yield f"{names}, scores {1 - weight:.2f}:{weight:.2f}{' + ' * bool(name)}{name}", HUBS[name](fused)
    ranks = [np.argsort(np.argsort(-matrix, axis=1), axis=1) for matrix in matrices]
    yield f"{names}, reciprocal ranks", sum(1 / (60 + rank) for rank in ranks)  # type: ignore[misc]
    proximities = [mutual_proximity(matrix) for matrix in matrices]
    yield f"{names}, mutual proximities added", sum(proximities)  # type: ignore[misc]


@dataclass(frozen=True)
class Score:
    """Genre precision@10 and MAP with the artist left out, MAP of the same album and artist, skewness and reach."""

    precision: float
    genre_map: float
    album_map: float
    artist_map: float
    skewness: float
    reach: float

    def format(self) -> str:
        """Format the cells of a row."""
        return (
            f"{self.precision:.3f} | {self.genre_map:.3f} | {self.album_map:.3f} | {self.artist_map:.3f} | "
            f"{self.skewness:.2f} | {self.reach:.1%}"
        )


HEADER = (
    "genre P@10 | genre MAP | album MAP | artist MAP | skewness | reach |",
    "---|---|---|---|---|---|",
)


def measure(similarities: Matrix, groups: TrackGroups) -> Score:
    others = np.where(np.eye(len(similarities), dtype=bool), -np.inf, similarities)
    nearest = np.argsort(-others, axis=1, kind="stable")[:, :K]
    counts = count_occurrences(nearest, tracks=len(similarities))
    values = []
    for codes, excluded in ((groups.genres, groups.artist_groups), (groups.albums, None), (groups.artists, None)):
        rows = find_queries(codes, excluded)
        relevant, candidates = select_relevant(codes, excluded, rows)
        precision, average = score_rankings(similarities[rows], relevant=relevant, candidates=candidates, k=K)
        values.append((float(precision.mean()), float(average.mean())))
    return Score(*values[0], values[1][1], values[2][1], measure_skewness(counts), measure_reach(counts))


def divide_artists(groups: TrackGroups, *, seed: int) -> tuple[Matrix, Matrix]:
    """Divide the tracks into two halves without a common artist. The artists of each genre are divided equally."""
    generator = np.random.default_rng(seed)
    artists, first = np.unique(groups.artist_groups, return_index=True)
    halves = np.zeros(len(groups.artist_groups), dtype=bool)
    for genre in np.unique(groups.genres):
        own = generator.permutation(artists[groups.genres[first] == genre])
        start = generator.integers(2) if len(own) % 2 else 0
        halves |= np.isin(groups.artist_groups, own[start::2] if len(own) > 1 else own[:start])
    return np.flatnonzero(halves), np.flatnonzero(~halves)


def choose(scores: Mapping[str, Score], among: Collection[str]) -> str:
    limit = scores["cosine"].skewness / 2
    fit = [name for name in among if scores[name].skewness <= limit and scores[name].reach >= 0.95]
    return max(fit or among, key=lambda name: scores[name].precision)


def can_be_measure(name: str) -> bool:
    """Return whether `SimilarityMeasure` can compare like that."""
    base, _, hubs = name.partition(" + ")
    return base in {"cosine", "centred", "standardised"} and (not hubs or hubs.startswith("CSLS"))


def score_all(collection: MusicCollection, space: str) -> dict[str, Score]:
    return {name: measure(matrix, collection.groups) for name, matrix in list_candidates(collection, space)}


def print_whole(collection: MusicCollection) -> None:
    for space in collection.vectors:
        print(f"\n{short_name(space)}, the whole library: {len(collection.groups.genres)} tracks\n")
        print(f"| | {HEADER[0]}\n|---|{HEADER[1]}")
        for name, score in score_all(collection, space).items():
            print(f"| {name} | {score.format()} |", flush=True)
    if len(collection.vectors) > 1:
        print(f"\nseveral spaces\n\n| | {HEADER[0]}\n|---|{HEADER[1]}")
        for name, matrix in list_fusions(collection):
            print(f"| {name} | {measure(matrix, collection.groups).format()} |", flush=True)


def print_halves(collection: MusicCollection, *, seeds: int) -> None:
    for space in collection.vectors:
        scores: list[dict[str, Score]] = []
        for seed in range(seeds):
            scores += [
                score_all(collection.select(rows), space) for rows in divide_artists(collection.groups, seed=seed)
            ]
        others = [scores[number ^ 1] for number in range(len(scores))]
        print(f"\n{short_name(space)}: mean over {len(scores)} halves, {seeds} seeds\n")
        print(f"| measured on one half | {HEADER[0]} difference of P@10 (deviation over seeds) |\n|---|{HEADER[1]}---|")
        print_mean("cosine", [half["cosine"] for half in scores], [half["cosine"] for half in scores])
        choices = {
            "any, chosen on the other half": list(scores[0]),
            "a setting of the measure, chosen on the other half": list(filter(can_be_measure, scores[0])),
        }
        chosen = {title: [choose(half, among) for half in scores] for title, among in choices.items()}
        for title, names in chosen.items():
            found = [half[name] for half, name in zip(others, names, strict=True)]
            print_mean(title, found, [half["cosine"] for half in others])
        for name in scores[0]:
            if name != "cosine":
                print_mean(name, [half[name] for half in scores], [half["cosine"] for half in scores])
        for title, names in chosen.items():
            counts = "; ".join(f"{name} ({count})" for name, count in Counter(names).most_common())
            print(f"\n{title}: {counts}", flush=True)


def print_mean(name: str, scores: Sequence[Score], plain: Sequence[Score]) -> None:
    mean = Score(*(float(np.mean([getattr(score, field) for score in scores])) for field in Score.__dataclass_fields__))
    changes = np.array([score.precision - other.precision for score, other in zip(scores, plain, strict=True)])
    by_seed = changes.reshape(-1, 2).mean(axis=1)
    print(f"| {name} | {mean.format()} | {changes.mean():+.3f} ({by_seed.std():.3f}) |", flush=True)


def print_sizes(collection: MusicCollection, *, seeds: int) -> None:
    """Print the genre MAP of small libraries, for several weights of the prior and with plain centring."""
    import sonotheque.index.measure as module

    default = module.PRIOR_SIZE
    for space, vectors in collection.vectors.items():
        print(f"\n{short_name(space)}, small libraries: genre MAP, mean of {10 * seeds} random samples of tracks\n")
        priors = (0, 5, 10, 20, 50)
        print(
            "| tracks | cosine | "
            + " | ".join(f"prior {prior}" for prior in priors)
            + " |\n|"
            + "---|" * (len(priors) + 2)
        )
        for size in (5, 10, 20, 50, 100, len(vectors)):
            cells: dict[int | None, list[float]] = {}
            for seed in range(10 * seeds if size < len(vectors) else 1):
                rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:size])
                part = collection.select(rows)
                if not len(find_queries(part.groups.genres, part.groups.artist_groups)):
                    continue
                matrix = part.vectors[space].astype(np.float32)
                for prior in (None, *priors):
                    module.PRIOR_SIZE = prior or 0
                    settings = module.COSINE if prior is None else default_measure(space)
                    cells.setdefault(prior, []).append(measure_genres(matrix, part.groups, settings))
            print(f"| {size} | " + " | ".join(f"{np.mean(values):.3f}" for values in cells.values()) + " |", flush=True)
    module.PRIOR_SIZE = default


def measure_genres(vectors: Matrix, groups: TrackGroups, settings: MeasureSettings) -> float:
    fitted = SimilarityMeasure.fit(vectors, settings=settings)
    similarities = fitted.transform_queries(vectors) @ fitted.transform_rows(vectors).T
    rows = find_queries(groups.genres, groups.artist_groups)
    relevant, candidates = select_relevant(groups.genres, groups.artist_groups, rows)
    return float(score_rankings(similarities[rows], relevant=relevant, candidates=candidates, k=K)[1].mean())


def print_sample_sizes(collection: MusicCollection) -> None:
    """Print the effect of estimating the measure on a part of the library."""
    print(f"\nmeasures fitted on a part of the library\n\n| space, size of the sample | {HEADER[0]}\n|---|{HEADER[1]}")
    for space, vectors in collection.vectors.items():
        matrix = vectors.astype(np.float32)
        for size in (25, 50, 100, len(matrix)):
            fitted = SimilarityMeasure.fit(matrix, settings=default_measure(space), sample_size=size)
            similarities = fitted.transform_queries(matrix) @ fitted.transform_rows(matrix).T
            print(f"| {short_name(space)}, {size} | {measure(similarities, collection.groups).format()} |", flush=True)


def print_values(collection: MusicCollection) -> None:
    """Print the usual similarities of the nearest tracks and of random pairs, and how many pairs are clipped."""
    header = ("space, measure", "1st of a list", "10th", "any pair", "lowest", "clipped at 1")
    print(f"\nusual similarities\n\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for space, vectors in collection.vectors.items():
        matrix = vectors.astype(np.float32)
        for name, settings in (("cosine", COSINE), ("default", default_measure(space))):
            fitted = SimilarityMeasure.fit(matrix, settings=settings)
            queries = fitted.transform_queries(matrix)
            similarities = fitted.similarities(queries @ fitted.transform_rows(matrix).T, queries=queries)
            pairs = similarities[~np.eye(len(matrix), dtype=bool)].reshape(len(matrix), -1)
            ordered = -np.sort(-pairs, axis=1)
            print(
                f"| {short_name(space)}, {name} | {np.median(ordered[:, 0]):.2f} | {np.median(ordered[:, K - 1]):.2f} | "
                f"{np.median(pairs):.2f} | {pairs.min():.2f} | {(pairs >= 1).sum()} of {pairs.size} |",
                flush=True,
            )


def draw_tracks(segments: Matrix, count: int, *, seed: int = 0) -> FloatArray:
    """Draw vectors around segments: half of the way to one of the 20 nearest, and half of the difference of two others of these."""
    generator = np.random.default_rng(seed)
    directions = unit(segments - segments.mean(axis=0))
    nearest = np.argsort(-(directions @ directions.T), axis=1)[:, 1:21]
    rows = generator.integers(len(segments), size=count)
    first, second, third = (segments[nearest[rows, generator.integers(20, size=count)]] for _ in range(3))
    drawn: FloatArray = (segments[rows] + 0.5 * (first - segments[rows]) + 0.5 * (second - third)).astype(np.float32)
    return drawn


def print_large(folder: Path, *, count: int = 20_000) -> None:
    """Print the hubs of a large library for several sizes of the sample and settings."""
    with Library(folder, create=False) as library:
        space = library.catalogue.spaces.all()[0].id
        vectors = library.catalogue.vectors
        segments = np.concatenate([vectors.segments(int(track), space) for track in vectors.matrix(space)[0]])
    drawn = draw_tracks(segments.astype(np.float64), count)
    print(f"\n{count:,} vectors drawn around {len(segments)} segments of {short_name(space)}, lists of {K}\n")
    print("| measure | sample | skewness | reach | longest |\n|---|---|---|---|---|")
    settings = [("cosine", COSINE), ("centred", MeasureSettings(hub_weight=0.0))]
    settings += [
        (f"centred, k = {k}, w = {weight}", MeasureSettings(hub_weight=weight, n_neighbors=k))
        for k, weight in ((10, 0.5), (20, 0.25), (20, 0.35), (20, 0.5))
    ]
    for name, chosen in settings:
        for size in (2_000, 4_000, 8_000) if chosen.hub_weight else (count,):
            fitted = SimilarityMeasure.fit(drawn, settings=chosen, sample_size=size)
            graph = build_knn_graph(drawn, k=K, measure=fitted)
            counts = count_occurrences(graph.rows, tracks=count)
            sample = f"{size:,}" if chosen.hub_weight else "-"
            print(
                f"| {name} | {sample} | {measure_skewness(counts):.2f} | {measure_reach(counts):.1%} | {counts.max()} |",
                flush=True,
            )


def print_cost() -> None:
    print("| vectors | dimensions | fit | transform rows | one query and its similarities |\n|---|---|---|---|---|")
    for count, dimensions in ((10_000, 200), (100_000, 200), (1_000_000, 200), (100_000, 512)):
        vectors = np.random.default_rng(0).standard_normal((count, dimensions), dtype=np.float32)
        start = time.perf_counter()
        fitted = SimilarityMeasure.fit(vectors, settings=default_measure("musicnn"))
        fit = time.perf_counter()
        rows = fitted.transform_rows(vectors)
        transformed = time.perf_counter()
        for number in range(100):
            queries = fitted.transform_queries(vectors[number : number + 1])
            fitted.similarities(queries @ rows[:10].T, queries=queries)
        query = (time.perf_counter() - transformed) / 100
        print(
            f"| {count:,} | {dimensions} | {fit - start:.2f} s | {transformed - fit:.1f} s | {1000 * query:.2f} ms |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    if options.cost:
        print_cost()
    if options.library and options.large:
        print_large(options.library)
    elif options.library:
        collection = load_collection(options.library)
        with threadpool_limits(limits=1, user_api="blas"):
            print_whole(collection)
            print_halves(collection, seeds=options.seeds)
            print_sizes(collection, seeds=options.seeds)
            print_sample_sizes(collection)
            print_values(collection)


if __name__ == "__main__":
    main()
