"""Compare ways to lead from one track to another, and orders of a mix.

    python bench/playlists.py LIBRARY [--pairs 200] [--sample 1000]
    python bench/playlists.py LIBRARY --times

LIBRARY is the folder of a library with artists. Pairs of tracks are drawn at random. Every path has the same number of tracks,
except the path in the graph of nearest neighbours, which has as many as it needs. The similarity is the cosine of centred vectors.
With `--sample`, paths are also found as in a library that has
many more tracks than the sample. `--times` measures how long playlists take, with the index loaded: medians of 11 different ones.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque import Library
from sonotheque.explore.playlists import find_path as finding
from sonotheque.explore.playlists.arrange import arrange_tracks, encode_artists, shorten_order
from sonotheque.explore.playlists.find_path import find_path, measure_way
from sonotheque.explore.playlists.make_playlist import SAMPLE_SIZE, gather_candidates
from sonotheque.explore.playlists.pool import PoolTrack, TrackPool, compare_tracks

Path_ = list[PoolTrack]
Matrix = npt.NDArray[Any]


def order_path(path: Path_, place: Callable[[PoolTrack], float]) -> Path_:
    """Arrange the tracks of a path by their place on the way, so that no artist follows itself where that is avoidable."""
    places = [place(found) for found in path]
    order = arrange_tracks(
        encode_artists(found.artist for found in path),
        choose=lambda _, rows: int(min(rows.tolist(), key=lambda row: places[row])),
        first=0,
        last=len(path) - 1,
    )
    return [path[row] for row in order.tolist()]


def nearest_to_waypoints(pool: TrackPool, ends: Path_, n: int) -> Path_:
    """Take the nearest unused track to each of n - 2 points that divide the great circle into equal parts (Shoemake 1985)."""
    start, end = ends
    angle = float(np.arccos(np.clip(start.direction @ end.direction, -1, 1)))
    measure = pool.index.measure
    queries = measure.transform_queries(np.stack([found.vector for found in ends]))
    parts = np.arange(1, n - 1) / (n - 1)
    weights = np.stack([np.sin((1 - parts) * angle), np.sin(parts * angle)], axis=1)
    waypoints = np.concatenate([measure.average_queries(queries, weights=row.tolist()) for row in weights])
    used: Path_ = []
    for layer in pool.search(waypoints, k=n + 2):
        used.append(next(found for found in layer if found not in used and found not in ends))
    places = {found.track.id: number for number, found in enumerate([start, *used, end])}
    return order_path([start, *used, end], lambda found: places[found.track.id])


def cheapest(everything: Path_, ends: Path_, *, n: int, power: int) -> Path_:
    """Find the sequence of n tracks with the smallest sum of the powers of its steps, and with increasing progress."""
    others = [found for found in everything if found not in ends]
    default, finding.POWER = finding.POWER, power
    tracks = [*ends, *others]
    path = find_path(tracks, measure_way(tracks), n=n - 2, refused=lambda _: ())
    finding.POWER = default
    return [ends[0], *path, ends[1]]


def cheapest_of_sample(pool: TrackPool, ends: Path_, n: int, *, sample_size: int) -> Path_:
    """Find the path as `make_playlist` does in a library that is larger than its sample."""
    tracks = gather_candidates(ends, pool=pool, sample_size=sample_size)
    path = find_path(tracks, measure_way(tracks), n=n - 2, refused=lambda _: ())
    return [ends[0], *path, ends[1]]


def smallest_largest_step(everything: Path_, ends: Path_, *, k: int) -> Path_:
    """Find the path in the symmetric graph of the k nearest neighbours whose largest step is the smallest (Dijkstra 1959)."""
    similarities = compare_tracks(everything)
    nearest = np.argsort(-similarities, axis=1)[:, 1 : k + 1]
    graph = np.zeros(similarities.shape, dtype=bool)
    np.put_along_axis(graph, nearest, True, axis=1)
    graph |= graph.T
    start, end = everything.index(ends[0]), everything.index(ends[1])
    best, came_from = np.full(len(everything), -np.inf), np.full(len(everything), -1)
    done = np.zeros(len(everything), dtype=bool)
    best[start] = np.inf
    while not done[end]:
        row = int(np.where(done, -np.inf, best).argmax())
        if done[row] or best[row] == -np.inf:
            return list(ends)  # not connected
        done[row] = True
        through = np.where(graph[row] & ~done, np.minimum(best[row], similarities[row]), -np.inf)
        better = through > best
        best[better], came_from[better] = through[better], row
    rows = [end]
    while rows[-1] != start:
        rows.append(int(came_from[rows[-1]]))
    return [everything[row] for row in reversed(rows)]


def score(path: Path_) -> tuple[float, float, float, float]:
    steps = [float(one.direction @ two.direction) for one, two in pairwise(path)]
    repeated = sum(one.artist is not None and one.artist == two.artist for one, two in pairwise(path))
    return len(path), min(steps), float(np.mean(steps)), repeated


def compare_paths(pool: TrackPool, everything: Path_, *, n: int, pairs: int, sample_size: int) -> None:
    generator = np.random.default_rng(0)
    drawn = [generator.choice(len(everything), 2, replace=False).tolist() for _ in range(pairs)]
    methods: dict[str, Callable[[Path_], Path_]] = {
        "random tracks": lambda ends: [
            ends[0],
            *[everything[row] for row in generator.permutation(len(everything))[: n - 2]],
            ends[1],
        ],
        "nearest unused track to each waypoint": lambda ends: nearest_to_waypoints(pool, ends, n),
        "minimax path in the graph of 10 neighbours": lambda ends: smallest_largest_step(everything, ends, k=10),
        **{
            f"smallest sum of steps to the power of {power}": partial(cheapest, everything, n=n, power=power)
            for power in (1, 2, 4, 8)
        },
        f"to the power of {finding.POWER}, from a sample of {sample_size}": lambda ends: cheapest_of_sample(
            pool, ends, n, sample_size=sample_size
        ),
    }
    print(f"\n{n} tracks, {pairs} pairs\n")
    print("| way | tracks | smallest similarity | mean similarity | same artist | ms |\n|---|---|---|---|---|---|")
    for name, method in methods.items():
        start = time.perf_counter()
        paths = [method([everything[one], everything[two]]) for one, two in drawn]
        milliseconds = 1000 * (time.perf_counter() - start) / pairs
        scores = np.mean([score(path) for path in paths], axis=0)
        cells = (
            f"{scores[0]:.1f}",
            *(f"{value:.3f}" for value in scores[1:3]),
            f"{scores[3]:.2f}",
            f"{milliseconds:.1f}",
        )
        print(f"| {name} | {' | '.join(cells)} |")


def compare_orders(everything: Path_, *, n: int, draws: int) -> None:
    generator = np.random.default_rng(0)
    print(f"\nOrders of {n} random tracks, {draws} draws\n")
    print("| order | smallest similarity | mean similarity | same artist |\n|---|---|---|---|")
    drawn = [[everything[row] for row in generator.permutation(len(everything))[:n]] for _ in range(draws)]
    for name, order in (("random", random_order), ("nearest next", greedy), ("nearest next, then 2-opt", improved)):
        scores = np.mean([score(order(tracks)) for tracks in drawn], axis=0)
        print(f"| {name} | {scores[1]:.3f} | {scores[2]:.3f} | {scores[3]:.2f} |")


def random_order(tracks: Path_) -> Path_:
    return tracks


def greedy(tracks: Path_) -> Path_:
    similarities = compare_tracks(tracks)
    order = arrange_tracks(
        encode_artists(found.artist for found in tracks),
        choose=lambda previous, rows: int(
            rows[(similarities[rows].sum(axis=1) if previous is None else similarities[previous, rows]).argmax()]
        ),
    )
    return [tracks[row] for row in order.tolist()]


def improved(tracks: Path_) -> Path_:
    tracks = greedy(tracks)
    artists = encode_artists(found.artist for found in tracks)
    order = shorten_order(np.arange(len(tracks)), compare_tracks(tracks), artists)
    return [tracks[row] for row in order.tolist()]


def time_playlists(library: Library, everything: Sequence[str], *, repeats: int = 11) -> None:
    genre = library.catalogue.tracks.genres()[0]
    rows = np.random.default_rng(0).permutation(len(everything))[: 2 * repeats].reshape(-1, 2)
    print(f"{library.catalogue.tracks.count()} tracks\n\n| playlist | median ms | longest ms |\n|---|---|---|")
    requests: dict[str, dict[str, Any]] = {
        "30 tracks from a seed": {"n": 30},
        "an hour from a seed": {"minutes": 60},
        "30 tracks from a seed, of a genre, one for each artist": {"n": 30, "genre": genre, "max_per_artist": 1},
        "path of 20 tracks": {"n": 20},
        "path of an hour": {"minutes": 60},
        "mix of 30 tracks of a genre": {"n": 30, "genre": genre},
    }
    for name, options in requests.items():
        times = []
        for number, (one, two) in enumerate(rows.tolist()):
            seeds = () if name.startswith(("path", "mix")) else (everything[one],)
            ends: dict[str, Any] = {"start": everything[one], "end": everything[two]} if name.startswith("path") else {}
            start = time.perf_counter()
            library.playlist(*seeds, **ends, **options, seed=number)
            times.append(1000 * (time.perf_counter() - start))
        print(f"| {name} | {np.median(times):.0f} | {max(times):.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--sample", type=int, default=SAMPLE_SIZE)
    parser.add_argument("--times", action="store_true")
    arguments = parser.parse_args()
    with Library(arguments.library, create=False) as library:
        space = library.catalogue.spaces.all()[0].id
        index = library._indexes.open(space)
        if arguments.times:
            ids = index.base.ids[:: max(1, len(index) // 1000)].tolist()
            time_playlists(library, [track.path for track in library.catalogue.tracks.read(ids).values()])
            return
        pool = TrackPool(library.catalogue, space=space, index=index)
        everything = [found for found in pool.read(sorted(index.base.ids.tolist())) if not found.track.silent]
        print(f"{len(everything)} tracks in {space}")
        for n in (10, 20):
            compare_paths(pool, everything, n=n, pairs=arguments.pairs, sample_size=arguments.sample)
        compare_orders(everything, n=30, draws=arguments.pairs)


if __name__ == "__main__":
    main()
