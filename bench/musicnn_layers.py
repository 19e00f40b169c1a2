"""Compare layers, hops, poolings and precisions for the musicnn space, with artist-grouped cross-validation.

    python bench/musicnn_layers.py FOLDER

FOLDER holds `manifest.csv` (path, genre, artist, album). The script prints the table of docs/spaces.md as Markdown.
"""

from __future__ import annotations

import argparse
import csv
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from sonotheque.audio import MonoStream
from sonotheque.classify import EmbeddingSet, cross_validate, group_tracks, make_learner
from sonotheque.embed import pool_frames
from sonotheque.embed.musicnn import OUTPUTS, PATCH_LENGTH, SAMPLE_RATE, Musicnn
from sonotheque.embed.runtime import Compute, load_network
from sonotheque.embed.weights import read_shipped
from sonotheque.index import l2_normalize

HOPS = {3.0: PATCH_LENGTH, 1.5: 94, 1.0: 62}
POOLINGS = (("mean",), ("mean", "std"), ("mean", "max"))
SEEDS = range(5)

Frames = dict[tuple[str, float, str], np.ndarray]
"""Frame vectors of a track by (output, hop, precision)."""
VARIANTS = [(output, 3.0, "f32") for output in OUTPUTS]
VARIANTS += [("penultimate", 1.5, "f32"), ("penultimate", 1.0, "f32"), ("penultimate", 3.0, "bf16")]


def compute_frames(path: str) -> Frames:
    with threadpool_limits(1), MonoStream(path, sample_rate=SAMPLE_RATE) as stream:
        blocks = list(stream)
    return {
        (output, hop, precision): np.concatenate(
            [vectors for vectors, _ in open_embedder(output, hop, precision).frames(blocks)]
        )
        for output, hop, precision in VARIANTS
    }


_embedders: dict[tuple[str, float, str], Musicnn] = {}


def open_embedder(output: str, hop: float, precision: str) -> Musicnn:
    key = (output, hop, precision)
    if key not in _embedders:
        _embedders[key] = Musicnn(output=output, hop=HOPS[hop], compute=Compute(precision=precision))
    return _embedders[key]


def format_metrics(X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> str:
    cells = []
    for model in ("logreg", "knn"):
        results = [
            cross_validate(
                EmbeddingSet.from_matrix(X),
                y,
                groups=groups,
                learner=make_learner(model, spaces=["vectors"]),
                seed=seed,
            )
            for seed in SEEDS
        ]
        low, high = np.mean([result.accuracy_interval for result in results], axis=0)
        accuracy = np.mean([result.accuracy for result in results])
        balanced = np.mean([result.balanced_accuracy for result in results])
        cells.append(f"{accuracy:.3f} [{low:.3f}, {high:.3f}] | {balanced:.3f}")
    cells.append(f"{precision_at_5(X, y, groups):.3f}")
    return " | ".join(cells)


def precision_at_5(X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> float:
    """Return the precision at 5: the fraction of the five nearest tracks by other artists that have the same genre.

    Only tracks of genres with at least five artists are counted.
    """
    similarity = l2_normalize(X) @ l2_normalize(X).T
    similarity[groups[:, None] == groups] = -2
    nearest = np.argsort(-similarity, axis=1)[:, :5]
    included = np.array([len(set(groups[y == label])) >= 5 for label in y])
    return float((y[nearest] == y[:, None])[included].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    y = np.array([row["genre"] for row in rows])
    groups, _ = group_tracks([row["artist"] for row in rows], [row["album"] for row in rows])
    with get_context("spawn").Pool(2) as processes:
        tracks = processes.map(compute_frames, [str(folder / row["path"]) for row in rows], chunksize=4)

    print(f"{len(rows)} clips, {len(set(groups))} artists, {len(SEEDS)} seeds\n")
    print("| layer | hop, s | pooling | precision | D | logreg accuracy | balanced | knn accuracy | balanced | P@5 |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for output, hop, precision in VARIANTS:
        for pooling in POOLINGS if hop == 3.0 and precision == "f32" else POOLINGS[:1]:
            X = np.stack([pool_frames(track[output, hop, precision], statistics=pooling) for track in tracks])
            head = f"| {output} | {hop} | {'+'.join(pooling)} | {precision} | {X.shape[1]} "
            print(f"{head}| {format_metrics(X, y, groups)} |", flush=True)

    f32_vectors, bf16_vectors = (
        np.stack([pool_frames(t["penultimate", 3.0, p]) for t in tracks]) for p in ("f32", "bf16")
    )
    cosine = (l2_normalize(f32_vectors) * l2_normalize(bf16_vectors)).sum(axis=1)
    print(f"\ncosine of bf16 and f32 track vectors: median {np.median(cosine):.5f}, minimum {cosine.min():.5f}")
    patch = np.random.default_rng(0).random((1, PATCH_LENGTH, 96), dtype=np.float32) * 5
    for precision in ("f32", "bf16"):
        network = load_network(
            read_shipped("musicnn-msd.onnx"), output="penultimate", shape=patch.shape, precision=precision, device="cpu"
        )
        times = []
        for _ in range(40):
            begin = time.perf_counter()
            network(patch)
            times.append(time.perf_counter() - begin)
        print(f"{precision}: {1000 * np.median(times):.1f} ms per frame on one core")


if __name__ == "__main__":
    main()
