"""Evaluate how well similar tracks are found in a library, by the plain cosine and by the default measure of each space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from sonotheque.classify.data.folds import folders_as_artists, group_tracks
from sonotheque.classify.evaluation.bootstrap import mean_interval, round_interval
from sonotheque.explore.retrieval.metrics import (
    count_occurrences,
    measure_reach,
    measure_skewness,
    score_rankings,
)
from sonotheque.index import build_knn_graph
from sonotheque.index.measure import COSINE, MeasureSettings, SimilarityMeasure, default_measure
from sonotheque.results import Hub, MeasureEvaluation, RetrievalResult, RetrievalScore, SpaceEvaluation
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.store.search_names import search_key
from sonotheque.types import BoolArray, Codes, Float64Array, FloatArray, Progress, Rows

MAX_QUERIES = 2_000
"""Queries of each criterion. In a larger library they are its first tracks by content hash, which is a random sample."""

N_HUBS = 5
"""Number of hubs that are named."""

BLOCK_VALUES = 1 << 22
"""Similarities in memory at a time, for each thread."""


@dataclass(frozen=True)
class TrackGroups:
    """What tracks share, as integers. -1 is unknown.

    Attributes
    ----------
    genres : int64 array [N]
        The label, or for tracks without one the genre in the file tags.
    artists : int64 array [N]
    albums : int64 array [N]
        Albums of the same name by different artists differ.
    artist_groups : int64 array [N]
        The artist, or what takes its place, see `sonotheque.classify.data.folds.group_tracks`. Never -1.
    """

    genres: Codes
    artists: Codes
    albums: Codes
    artist_groups: Codes


@dataclass(frozen=True)
class RankingScores:
    """The scores of the queries of one criterion.

    Attributes
    ----------
    rows : int64 array [Q]
        The queries.
    chance, precision, average_precision : float64 arrays [Q]
        `chance` is the precision that a random order is expected to have.
    """

    rows: Rows
    chance: Float64Array
    precision: Float64Array
    average_precision: Float64Array


def group_by_name(tracks: Sequence[Track]) -> TrackGroups:
    """Group tracks by genre, artist and album. Case, accents and white space are ignored."""
    genres = [search_key(track.label or track.genre or "") for track in tracks]
    artists = [search_key(track.artist or "") for track in tracks]
    albums = [
        f"{artist}\n{search_key(track.album)}" if track.album else ""
        for artist, track in zip(artists, tracks, strict=True)
    ]
    folders = folders_as_artists(
        [track.path for track in tracks], genres, [not (track.artist or track.album) for track in tracks]
    )
    artist_groups, _ = group_tracks(
        [track.artist for track in tracks], [track.album for track in tracks], folders=folders
    )
    return TrackGroups(_encode(genres), _encode(artists), _encode(albums), artist_groups)


def _encode(names: Sequence[str]) -> Codes:
    """Encode names as integers, int64 [N]; an empty name is -1."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) if name else -1 for name in names], dtype=np.int64)


def evaluate_retrieval(
    catalogue: Catalogue, *, spaces: Sequence[str], k: int = 10, progress: Progress | None = None
) -> RetrievalResult:
    """Evaluate how well similar tracks are found.

    Parameters
    ----------
    catalogue : Catalogue
    spaces : sequence of str
        Ids of the spaces.
    k : int
        Length of a list.
    progress : callable or None
        Called with (steps done, total steps); a step is roughly a hundredth of the work of a space.

    Returns
    -------
    RetrievalResult
    """
    tracks = {track.id: track for track in catalogue.tracks.all() if not track.silent}
    evaluations = []
    for number, space in enumerate(spaces):
        ids, vectors = catalogue.vectors.matrix(space)
        audible = np.array([int(id_) in tracks for id_ in ids], dtype=bool)

        def report(done: int, total: int, number: int = number) -> None:
            if progress:
                progress(100 * number + 100 * done // max(total, 1), 100 * len(spaces))

        evaluations.append(
            evaluate_space(
                vectors[audible], [tracks[int(id_)] for id_ in ids[audible]], space=space, k=k, progress=report
            )
        )
    return RetrievalResult(k, evaluations)


def evaluate_space(
    vectors: FloatArray, tracks: Sequence[Track], *, space: str, k: int = 10, progress: Progress | None = None
) -> SpaceEvaluation:
    """Evaluate the plain cosine and the default measure of a space.

    Parameters
    ----------
    vectors : float32 array [N, D]
        Ordered by content hash.
    tracks : sequence of Track, length N
    space : str
        Space id.
    k : int
    progress : callable or None
        Called with (steps done, total steps).

    Returns
    -------
    SpaceEvaluation
    """
    groups = group_by_name(tracks)
    default = default_measure(space)
    settings = {"cosine": COSINE, **({"default": default} if default != COSINE else {})}
    plain: dict[str, RankingScores] = {}
    evaluations = []
    for number, (name, chosen) in enumerate(settings.items()):
        steps = _parts_of(progress, number=number, measures=len(settings))
        measure = SimilarityMeasure.fit(vectors, settings=chosen)
        graph = build_knn_graph(vectors, k=k, measure=measure, progress=steps(0))
        counts = count_occurrences(graph.rows, tracks=len(tracks))
        scores = score_criteria(vectors, groups, measure=measure, k=k, progress=steps(1))
        hubs = np.lexsort((np.arange(len(counts)), -counts))[:N_HUBS]
        evaluations.append(
            MeasureEvaluation(
                name,
                describe_measure(chosen),
                [
                    _summarize(criterion, found, plain.get(criterion), groups=groups.artist_groups)
                    for criterion, found in scores.items()
                ],
                skewness=round(measure_skewness(counts), 6),
                reach=round(measure_reach(counts), 6),
                orphans=int((counts == 0).sum()),
                hubs=[
                    Hub(tracks[row].path, tracks[row].title, tracks[row].artist, int(counts[row]))
                    for row in hubs
                    if counts[row]
                ],
            )
        )
        plain = plain or scores
    return SpaceEvaluation(space, len(tracks), evaluations)


def _parts_of(progress: Progress | None, *, number: int, measures: int) -> Callable[[int], Progress]:
    """Divide the progress of a space among its measures, each of which has two parts of equal length."""

    def part(which: int) -> Progress:
        def report(done: int, total: int) -> None:
            if progress:
                progress(100 * (2 * number + which) + 100 * done // max(total, 1), 200 * measures)

        return report

    return part


def describe_measure(settings: MeasureSettings) -> str:
    """Describe a measure in words.

    Examples
    --------
    >>> describe_measure(MeasureSettings(scale=True)), describe_measure(COSINE)
    ('cosine; columns standardised, corrected for hubs', 'cosine')
    """
    steps = [
        "columns standardised" if settings.scale else "centred" if settings.center else "",
        "corrected for hubs" if settings.hub_weight else "",
    ]
    words = ", ".join(filter(None, steps))
    return f"cosine; {words}" if words else "cosine"


def score_criteria(
    vectors: FloatArray,
    groups: TrackGroups,
    *,
    measure: SimilarityMeasure,
    k: int = 10,
    progress: Progress | None = None,
) -> dict[str, RankingScores]:
    """Score the complete rankings of all queries by each criterion: ``genre``, ``album``, ``artist``.

    Parameters
    ----------
    vectors : float32 array [N, D]
    groups : TrackGroups
    measure : SimilarityMeasure
    k : int
    progress : callable or None
        Called with (queries done, number of queries).

    Returns
    -------
    dict of str to RankingScores
        Criteria without queries are left out.
    """
    codes = {"genre": groups.genres, "album": groups.albums, "artist": groups.artists}
    excluded = {"genre": groups.artist_groups}
    queries = {
        name: rows[:MAX_QUERIES] for name, own in codes.items() if len(rows := find_queries(own, excluded.get(name)))
    }
    wanted = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *queries.values()]))
    items, transformed = measure.transform_rows(vectors), measure.transform_queries(vectors[wanted])
    size = max(1, BLOCK_VALUES // max(len(vectors), 1))

    def score(start: int) -> dict[str, RankingScores]:
        rows = wanted[start : start + size]
        similarities = transformed[start : start + size] @ items.T
        found = {}
        for name, own in codes.items():
            selected = np.isin(rows, queries.get(name, rows[:0]))
            relevant, candidates = select_relevant(own, excluded.get(name), rows[selected])
            scores = score_rankings(similarities[selected], relevant=relevant, candidates=candidates, k=k)
            chance = relevant.sum(axis=1) / np.maximum(candidates.sum(axis=1), 1)
            found[name] = RankingScores(rows[selected], chance, *scores)
        return found

    parts: list[dict[str, RankingScores]] = []
    for part in _map_in_threads(score, range(0, len(wanted), size)):
        parts.append(part)
        if progress:
            progress(min(len(parts) * size, len(wanted)), len(wanted))
    return {
        name: RankingScores(
            *(
                np.concatenate([getattr(part[name], field) for part in parts])
                for field in ("rows", "chance", "precision", "average_precision")
            )
        )
        for name in queries
    }


def _map_in_threads(
    function: Callable[[int], dict[str, RankingScores]], starts: range
) -> Iterator[dict[str, RankingScores]]:
    """Call a function in several threads, each with one BLAS thread, so that the result does not depend on their number."""
    from threadpoolctl import threadpool_limits

    from sonotheque.embed.runtime import count_cores

    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(count_cores()) as pool:
        yield from pool.map(function, starts)


def find_queries(codes: Codes, excluded: Codes | None) -> Rows:
    """Find the tracks that have a relevant track.

    Parameters
    ----------
    codes : int64 array [N]
        What a relevant track shares with its query, -1 if unknown.
    excluded : int64 array [N] or None
        Tracks of the same group as the query are not relevant.

    Returns
    -------
    int64 array [Q]
        Their rows.

    Examples
    --------
    >>> find_queries(np.array([0, 0, 1, 1]), np.array([5, 5, 6, 7])).tolist()
    [2, 3]
    """
    known = codes >= 0
    if not known.any():
        return np.empty(0, dtype=np.int64)
    same = np.bincount(codes[known])[codes]
    if excluded is None:
        return np.flatnonzero(known & (same > 1))
    _, pairs, counts = np.unique(np.stack([codes, excluded]), axis=1, return_inverse=True, return_counts=True)
    return np.flatnonzero(known & (same > counts[pairs.ravel()]))


def select_relevant(codes: Codes, excluded: Codes | None, rows: Rows) -> tuple[BoolArray, BoolArray]:
    """Select the relevant tracks of some queries, and their candidates.

    Parameters
    ----------
    codes, excluded : see `find_queries`
    rows : int64 array [Q]
        The queries.

    Returns
    -------
    relevant, candidates : bool arrays [Q, N]
        All other tracks are candidates. With `excluded`, only tracks of other groups whose code is known are.
    """
    if excluded is None:
        candidates = np.arange(len(codes)) != rows[:, None]
    else:
        candidates = (codes >= 0) & (excluded[rows][:, None] != excluded)
    return candidates & (codes[rows][:, None] == codes), candidates


def _summarize(criterion: str, scores: RankingScores, plain: RankingScores | None, *, groups: Codes) -> RetrievalScore:
    columns = np.stack([scores.precision, scores.average_precision], axis=1)
    if plain is not None:
        columns = np.hstack([columns, columns - np.stack([plain.precision, plain.average_precision], axis=1)])
    low, high = mean_interval(columns, groups=groups[scores.rows])
    precision, average_precision, *differences = [
        (round(float(mean), 6), round_interval((float(bounds[0]), float(bounds[1]))))
        for mean, *bounds in zip(columns.mean(axis=0), low, high, strict=True)
    ]
    chance = round(float(scores.chance.mean()), 6)
    score = RetrievalScore(criterion, len(scores.rows), chance, *precision, *average_precision)
    if not differences:
        return score
    (precision_change, precision_bounds), (average_change, average_bounds) = differences
    return replace(
        score,
        precision_difference=precision_change,
        precision_difference_interval=precision_bounds,
        mean_average_precision_difference=average_change,
        mean_average_precision_difference_interval=average_bounds,
    )
