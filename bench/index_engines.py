"""Build time, size, recall and speed of nearest-neighbour engines on the same vectors.

    python bench/index_engines.py RESULTS.jsonl --like LIBRARY
    python bench/index_engines.py RESULTS.jsonl --like LIBRARY --count 1000000 --engines hnsw ivf hnswlib
    python bench/index_engines.py RESULTS.jsonl --count 200000 --dimensions 512 --engines exact hnsw ivf

Vectors of 200 dimensions are drawn around the musicnn segments of LIBRARY as in bench/scale.py, those of other dimensions around
1,000 random centres. Each engine runs in a process of its own; what RESULTS.jsonl contains already is not run again, so an
interrupted run can be continued. Engines that are not installed (hnswlib, voyager, usearch) are left out with a line.

Queries are 1,000 further vectors. Recall@10 is the fraction of the ten nearest vectors that are found.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.index import ApproximateIndex, ExactIndex
from sonotheque.index.approximate import KINDS, measure_recall, scan_with_blas
from sonotheque.types import FloatArray

QUERIES, K = 1000, 10

Search = Callable[[FloatArray, int], np.ndarray]
"""Finds the row numbers of the nearest vectors, with a number of threads."""


def make_vectors(count: int, dimensions: int, *, like: Path | None) -> tuple[FloatArray, FloatArray]:
    """Return unit vectors [N, D] and queries [Q, D]."""
    if like is not None and dimensions == 200:
        from scale import draw_vectors, read_segments

        segments, _ = read_segments(like)
        drawn = np.concatenate([draw_vectors(segments, count, seed=0)[0], draw_vectors(segments, QUERIES, seed=1)[0]])
    else:
        generator = np.random.default_rng(0)
        centres = generator.standard_normal((1000, dimensions), dtype=np.float32)
        drawn = np.empty((count + QUERIES, dimensions), np.float32)
        for start in range(0, len(drawn), 50_000):
            block = drawn[start : start + 50_000]
            block[:] = generator.standard_normal(block.shape, dtype=np.float32)
            block += centres[generator.integers(0, 1000, len(block))]
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn[:count], drawn[count:]


def build_own(kind: str, vectors: FloatArray) -> tuple[dict[str, Search], int]:
    """Build an index of this package, as a library does."""
    import faiss

    ids = np.arange(len(vectors))
    index = ExactIndex.build(ids, vectors) if kind == "exact" else ApproximateIndex.build(kind, ids, vectors)
    if isinstance(index, ApproximateIndex):
        print(f"recall measured at build time: {measure_recall(index):.4f}", file=sys.stderr)

    def search(queries: FloatArray, threads: int) -> np.ndarray:
        faiss.omp_set_num_threads(threads)
        if isinstance(index, ExactIndex) and len(queries) > 1:
            return scan_with_blas(queries, index.rows, k=K)[0]
        return index.search(queries, k=K)[0]

    size = 0 if isinstance(index, ExactIndex) else KINDS[kind].bytes_per_vector(vectors.shape[1])
    return {"": search}, 4 * vectors.shape[1] + size


def build_faiss(name: str, vectors: FloatArray) -> tuple[dict[str, Search], int]:
    """Build NSG, or an IVF index with scalar quantisation whose candidates are compared exactly."""
    import faiss

    count, dimensions = vectors.shape
    if name == "nsg":
        create: Any = faiss.IndexNSGFlat
        index: Any = create(dimensions, 32, faiss.METRIC_INNER_PRODUCT)
        index.build_type = 1
        index.add(vectors)

        def make(depth: int) -> Search:
            def search(queries: FloatArray, threads: int) -> np.ndarray:
                faiss.omp_set_num_threads(threads)
                index.nsg.search_L = depth
                found: np.ndarray = index.search(queries, K)[1]
                return found

            return search

        return {f"search_L={depth}": make(depth) for depth in (16, 32, 64, 128)}, len(
            faiss.serialize_index(index)
        ) // count
    cells = round(4 * np.sqrt(count))
    index = faiss.index_factory(dimensions, f"IVF{cells},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(vectors[:: max(1, count // (40 * cells))])
    index.add(vectors)

    def make_ivf(cells: int) -> Search:
        def search(queries: FloatArray, threads: int) -> np.ndarray:
            faiss.omp_set_num_threads(threads)
            index.nprobe = cells
            candidates = index.search(queries, 3 * K)[1]
            products = np.einsum("qrd,qd->qr", vectors[candidates], queries)
            return np.take_along_axis(candidates, np.argsort(-products, axis=1)[:, :K], 1)

        return search

    size = 4 * dimensions + len(faiss.serialize_index(index)) // count
    return {f"nprobe={cells}": make_ivf(cells) for cells in (16, 32, 64)}, size


def build_hnswlib(vectors: FloatArray) -> tuple[dict[str, Search], int]:
    """Build hnswlib's graph."""
    import hnswlib

    index = hnswlib.Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), ef_construction=100, M=32, random_seed=0)
    index.add_items(vectors, num_threads=2)

    def make(depth: int) -> Search:
        def search(queries: FloatArray, threads: int) -> np.ndarray:
            index.set_ef(depth)
            found: np.ndarray = index.knn_query(queries, k=K, num_threads=threads)[0]
            return found

        return search

    return {f"ef={depth}": make(depth) for depth in (32, 64, 128)}, 4 * vectors.shape[1] + 8 * 32 + 16


def build_voyager(vectors: FloatArray) -> tuple[dict[str, Search], int]:
    """Build Voyager's graph."""
    import voyager

    index = voyager.Index(
        voyager.Space.InnerProduct, vectors.shape[1], M=32, ef_construction=100, max_elements=len(vectors)
    )
    index.add_items(vectors, num_threads=2)

    def make(depth: int) -> Search:
        return lambda queries, threads: index.query(queries, k=K, num_threads=threads, query_ef=depth)[0]

    return {f"ef={depth}": make(depth) for depth in (32, 64, 128)}, len(index.as_bytes()) // len(vectors)


def build_usearch(vectors: FloatArray) -> tuple[dict[str, Search], int]:
    """Build USearch's graph."""
    from usearch.index import Index

    index = Index(ndim=vectors.shape[1], metric="ip", dtype="f32", connectivity=32, expansion_add=100)
    index.add(np.arange(len(vectors)), vectors, threads=2)

    def make(depth: int) -> Search:
        def search(queries: FloatArray, threads: int) -> np.ndarray:
            index.expansion_search = depth
            return np.atleast_2d(index.search(queries, K, threads=threads).keys)

        return search

    return {f"expansion={depth}": make(depth) for depth in (32, 64, 128)}, index.memory_usage // len(vectors)


ENGINES: dict[str, Callable[[FloatArray], tuple[dict[str, Search], int]]] = {
    "exact": lambda vectors: build_own("exact", vectors),
    "hnsw": lambda vectors: build_own("hnsw", vectors),
    "ivf": lambda vectors: build_own("ivf", vectors),
    "faiss nsg": lambda vectors: build_faiss("nsg", vectors),
    "faiss ivf sq8": lambda vectors: build_faiss("ivf sq8", vectors),
    "hnswlib": build_hnswlib,
    "voyager": build_voyager,
    "usearch": build_usearch,
}


def run_engine(name: str, folder: Path) -> None:
    """Build one engine and print one JSON line for each setting of its search."""
    vectors, queries, expected = (np.load(folder / f"{part}.npy") for part in ("vectors", "queries", "expected"))
    start = time.perf_counter()
    searches, size = ENGINES[name](vectors)
    seconds = time.perf_counter() - start
    for setting, search in searches.items():
        search(queries[:20], 1)
        singles = queries[:300]
        start = time.perf_counter()
        for row in range(len(singles)):
            search(singles[row : row + 1], 1)
        one_by_one = len(singles) / (time.perf_counter() - start)
        batches = {}
        for threads in (1, 2):
            start = time.perf_counter()
            found = search(queries, threads)
            batches[threads] = len(queries) / (time.perf_counter() - start)
        recall = np.mean([len(set(a) & set(b)) / K for a, b in zip(found.tolist(), expected.tolist(), strict=True)])
        print(
            json.dumps(
                {
                    "engine": name,
                    "setting": setting,
                    "count": len(vectors),
                    "dimensions": vectors.shape[1],
                    "build_seconds": round(seconds, 1),
                    "bytes_per_vector": size,
                    "recall": round(float(recall), 4),
                    "one_by_one": round(one_by_one),
                    "batch_one_thread": round(batches[1]),
                    "batch_two_threads": round(batches[2]),
                    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                }
            ),
            flush=True,
        )


def print_table(results: list[dict[str, Any]]) -> None:
    """Print the results as a table."""
    print(
        "| vectors | engine | build | bytes a vector | recall@10 | one by one | batch, 1 thread | batch, 2 threads | peak |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for row in results:
        print(
            f"| {row['count']:,} x {row['dimensions']} | {row['engine']} {row['setting']} | {row['build_seconds']} s | "
            f"{row['bytes_per_vector']:,} | {row['recall']:.3f} | {row['one_by_one']:,}/s | {row['batch_one_thread']:,}/s | "
            f"{row['batch_two_threads']:,}/s | {row['peak_mb']:,} MB |"
        )


def main() -> None:
    """Run the engines that are missing from the results, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--like", type=Path, help="library whose segments vectors are drawn around")
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--dimensions", type=int, default=200)
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--run", choices=list(ENGINES), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run_engine(arguments.run, arguments.results)
        return
    results = (
        [json.loads(line) for line in arguments.results.read_text().splitlines()] if arguments.results.exists() else []
    )
    done = {(row["engine"], row["count"], row["dimensions"]) for row in results}
    missing = [name for name in arguments.engines if (name, arguments.count, arguments.dimensions) not in done]
    with tempfile.TemporaryDirectory() as folder:
        if missing:
            vectors, queries = make_vectors(arguments.count, arguments.dimensions, like=arguments.like)
            expected = scan_with_blas(queries, vectors, k=K)[0]
            for part, array in (("vectors", vectors), ("queries", queries), ("expected", expected)):
                np.save(Path(folder) / f"{part}.npy", array)
        for name in missing:
            command = [sys.executable, __file__, folder, "--run", name]
            process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
            if process.returncode:
                print(f"{name}: left out, it cannot be imported or failed", file=sys.stderr)
                continue
            with arguments.results.open("a") as file:
                file.write(process.stdout)
            results += [json.loads(line) for line in process.stdout.splitlines()]
    print_table(results)


if __name__ == "__main__":
    main()
