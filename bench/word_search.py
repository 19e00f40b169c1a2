"""Measure the search by words: the ranking of twenty queries with their expected genres, and the time of a search.

    python bench/word_search.py --library LIBRARY           # labelled tracks, musicnn, descriptors; it is copied, not changed
    python bench/word_search.py --made-up 100000 --folder DIR

The queries in ``word_search_queries.csv`` were written before anything was measured. A track is relevant if its label is one of the
expected genres. The search does not see the labels, nor the genres in the file tags.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sonotheque import Library, LibraryError
from sonotheque.classify import load_training_set
from sonotheque.embed import musicnn
from sonotheque.embed.auto_tags import TAGS, logistic
from sonotheque.embed.tempo_key import METHOD
from sonotheque.embed.tempo_key.key import KEYS
from sonotheque.explore.label_issues.out_of_fold import out_of_fold_predictions
from sonotheque.explore.search import GenrePredictions, TrackArrays, find_tracks, load_track_arrays
from sonotheque.explore.search.vocabulary import split_words
from sonotheque.store import Catalogue
from sonotheque.types import BoolArray

QUERIES = Path(__file__).parent / "word_search_queries.csv"
SHUFFLES = 200
SPEED_QUERIES = (
    "slow acoustic female vocals",
    "instrumental electronic, not ambient, 110-125 bpm",
    "sad guitar in A minor without vocals",
    "rock -metal",
)


def read_queries() -> list[tuple[str, frozenset[str]]]:
    with QUERIES.open(encoding="utf-8", newline="") as file:
        return [(row["query"], frozenset(row["genres"].split())) for row in csv.DictReader(file)]


def average_precision(ranked: Sequence[int], relevant: BoolArray) -> float:
    """Mean of the precisions at the relevant tracks; those that are not found count 0."""
    hits = relevant[np.asarray(ranked, np.int64)]
    precisions = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precisions[hits].sum() / relevant.sum())


def precision_at_10(ranked: Sequence[int], relevant: BoolArray) -> float:
    return float(relevant[np.asarray(ranked[:10], np.int64)].sum() / 10)


def hide_labels(catalogue: Catalogue) -> dict[int, str]:
    """Delete all labels and the genres in the file tags, and return the labels."""
    labels = {track.id: track.label for track in catalogue.tracks.all() if track.label}
    catalogue.database.execute("DELETE FROM labels")
    catalogue.database.execute("UPDATE tracks SET genre = NULL")
    return labels


def predict_out_of_fold(library: Library) -> GenrePredictions:
    """Predict the genre of each track by logistic regression on musicnn, trained without its artist.

    Tracks of genres with too few artists for that have no prediction.
    """
    training = load_training_set(library.catalogue, spaces=[musicnn.SPACE.id], segments=False)
    predictions = out_of_fold_predictions(training)
    probabilities = predictions.probabilities.copy()
    probabilities[predictions.by_track] = np.nan
    ids = np.array([track.id for track in training.tracks])
    return GenrePredictions(sorted(set(training.y.tolist())), ids, probabilities.T.astype(np.float32))


def rank_by_search(catalogue: Catalogue, tracks: TrackArrays, query: str) -> list[int]:
    """Rank all tracks by the search; rows of the arrays."""
    try:
        found = find_tracks(query, catalogue=catalogue, tracks=tracks, k=len(tracks))
    except LibraryError:
        return []
    by_path = {track.path: track.id for track in catalogue.tracks.all()}
    rows = {int(track): row for row, track in enumerate(tracks.ids)}
    return [rows[by_path[result.path]] for result in found.results]


def tag_name_scores(tracks: TrackArrays, query: str) -> npt.NDArray[np.float64] | None:
    """Sum the probabilities of the tags whose whole name is in a query; None if there is none."""
    words = split_words(query)
    named = [
        tag
        for tag in TAGS
        if any(words[start : start + len(split_words(tag))] == split_words(tag) for start in range(len(words)))
    ]
    if not named:
        return None
    result: npt.NDArray[np.float64] = np.sum(
        [logistic(tracks.tag_logits(tag).astype(np.float64)) for tag in named], axis=0
    )
    return result


def measure_ranking(source: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(source, Path(folder) / "library")
        with Library(Path(folder) / "library") as library:
            predictions = predict_out_of_fold(library)
            labels = hide_labels(library.catalogue)
            index = Path(folder) / "arrays"
            tracks = load_track_arrays(library.catalogue, index)
            with_classifier = load_track_arrays(library.catalogue, index, predictions=lambda: predictions)
            known = np.array([labels.get(int(track), "") for track in tracks.ids])
            generator = np.random.default_rng(0)
            orders = [generator.permutation(len(tracks)).tolist() for _ in range(SHUFFLES)]
            rows = []
            for query, genres in read_queries():
                relevant = np.isin(known, list(genres))
                named = tag_name_scores(tracks, query)
                by_name = (
                    orders
                    if named is None
                    else [np.lexsort((order, -np.nan_to_num(named))).tolist() for order in orders]
                )
                searched = rank_by_search(library.catalogue, tracks, query)
                classified = rank_by_search(library.catalogue, with_classifier, query)
                rows.append(
                    [
                        [statistics.fmean(measure(order, relevant) for order in orders),
                         statistics.fmean(measure(order, relevant) for order in by_name),
                         measure(searched, relevant), measure(classified, relevant)]
                        for measure in (average_precision, precision_at_10)
                    ]
                )  # fmt: skip
            print_table(rows)


def print_table(rows: Sequence[Sequence[Sequence[float]]]) -> None:
    columns = ("random order", "tag names alone", "search", "search with a classifier")
    print(f"| query | expected | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    for (query, genres), (precision, _) in zip(read_queries(), rows, strict=True):
        print(f"| {query} | {', '.join(sorted(genres))} | {' | '.join(f'{value:.2f}' for value in precision)} |")
    values = np.array(rows)
    for number, name in enumerate(("MAP", "precision at 10")):
        print(f"| {name} |  | {' | '.join(f'{value:.3f}' for value in values[:, number].mean(axis=0))} |")
    generator = np.random.default_rng(0)
    sample = generator.integers(len(values), size=(10_000, len(values)))
    for first, second in ((2, 0), (2, 1), (3, 2)):
        differences = values[:, 0, first] - values[:, 0, second]
        low, high = np.percentile(differences[sample].mean(axis=1), [2.5, 97.5])
        better = f"{(differences > 0).sum()} of {len(values)} queries are better"
        print(f"{columns[first]} - {columns[second]}: {differences.mean():+.3f} [{low:+.3f}, {high:+.3f}], {better}")


def make_library(folder: Path, count: int) -> None:
    """Make a library of made-up tracks: vectors around random centres, tempi, keys, some labels, and names."""
    generator = np.random.default_rng(0)
    words = ["".join(generator.choice(list("abcdefghijklmnoprstuvw"), 6)) for _ in range(20_000)]
    centres = np.abs(generator.normal(0, 1, (50, 200))).astype(np.float32)
    with Catalogue(folder / "library.sqlite") as catalogue:
        database = catalogue.database
        catalogue.spaces.ensure(musicnn.SPACE.id, dimensions=200)
        (space,) = database.execute("SELECT id FROM spaces").fetchone()
        for start in range(0, count, 10_000):
            numbers = range(start, min(start + 10_000, count))
            vectors = centres[generator.integers(50, size=len(numbers))] + generator.normal(
                0, 0.5, (len(numbers), 200)
            ).astype(np.float32)
            tempi, confidences = generator.uniform(60, 180, len(numbers)), generator.uniform(0, 1, len(numbers))
            titles = np.minimum(generator.zipf(1.3, (len(numbers), 3)) - 1, len(words) - 1)
            with database.transaction():
                database.executemany(
                    "INSERT INTO tracks (id, hash, seconds, sample_rate, channels, silent, title, artist, album) "
                    "VALUES (?, ?, 200, 44100, 2, 0, ?, ?, ?)",
                    (
                        (
                            n + 1,
                            f"{n * 2654435761 % 2**32:064x}",
                            " ".join(words[word] for word in title),
                            f"{words[n % 9999]} {words[n % 997]}",
                            f"{words[n // 12 % 20_000]} {n // 12}",
                        )
                        for n, title in zip(numbers, titles.tolist(), strict=True)
                    ),
                )
                database.executemany(
                    "INSERT INTO files VALUES (?, ?, 1, 1)",
                    ((f"/music/{n % 9999}/{n // 12}/{n}.mp3", n + 1) for n in numbers),
                )
                database.executemany(
                    "INSERT INTO vectors VALUES (?, ?, ?, ?)",
                    ((n + 1, space, v.tobytes(), v.tobytes()) for n, v in zip(numbers, vectors, strict=True)),
                )
                database.executemany(
                    "INSERT INTO tempo_keys VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        (n + 1, METHOD, tempo, confidence, KEYS[n % 24], confidence)
                        for n, tempo, confidence in zip(numbers, tempi.tolist(), confidences.tolist(), strict=True)
                    ),
                )
                database.executemany(
                    "INSERT INTO labels VALUES (?, ?, 'made up', NULL, NULL)",
                    ((n + 1, ("rock", "pop", "metal", "jazz")[n % 4]) for n in numbers if n % 3),
                )
                database.mark_changed([musicnn.SPACE.id])


def measure_speed(folder: Path, count: int) -> None:
    if not (folder / "library.sqlite").exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"library made: {measure_seconds(lambda: make_library(folder, count)):.1f} s")
    with Library(folder) as library:
        names = library.catalogue.search_names
        print(f"names of all tracks: {measure_seconds(names.refresh):.2f} s")
        print(
            f"first search, which makes the arrays: {measure_seconds(lambda: library.search(SPEED_QUERIES[0])):.2f} s"
        )
        title, artist = library.catalogue.database.execute("SELECT title, artist FROM tracks WHERE id = 77").fetchone()
        for query in (*SPEED_QUERIES, artist, f"{title} slow"):
            seconds = [measure_seconds(lambda text=query: library.search(text)) for _ in range(20)]  # type: ignore[misc]
            print(
                f"{query!r}: median of 20 {1000 * statistics.median(seconds):.1f} ms, fastest {1000 * min(seconds):.1f} ms"
            )
        database = library.catalogue.database
        database.execute("UPDATE tracks SET title = title || '!' WHERE id = 5")
        print(f"names after one title changed: {1000 * measure_seconds(names.refresh):.2f} ms")
        database.execute(
            "INSERT INTO tracks (id, hash, seconds, sample_rate, channels, silent, title) VALUES (?, ?, 9, 44100, 2, 0, 'New')",
            (count + 1, f"{count:064x}"),
        )
        database.execute("INSERT OR REPLACE INTO files VALUES ('/music/new.mp3', ?, 1, 1)", (count + 1,))
        print(f"names after one track was added: {1000 * measure_seconds(lambda: names.find_titles('new')):.2f} ms")
        print(f"suggest: {1000 * measure_seconds(lambda: names.suggest(title[:4])):.2f} ms")
        print(f"search after it: {measure_seconds(lambda: library.search(SPEED_QUERIES[0])):.2f} s")
        database.execute("DELETE FROM tracks WHERE id = ?", (count + 1,))


def measure_seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, help="measure the ranking on this library of labelled tracks")
    parser.add_argument("--made-up", type=int, metavar="N", help="measure the time with N made-up tracks")
    parser.add_argument("--folder", type=Path, help="folder of the made-up library; it is used again if it exists")
    arguments = parser.parse_args()
    if arguments.library is not None:
        measure_ranking(arguments.library)
    if arguments.made_up is not None:
        with tempfile.TemporaryDirectory() as folder:
            measure_speed(arguments.folder or Path(folder), arguments.made_up)


if __name__ == "__main__":
    main()
