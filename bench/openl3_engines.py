"""Measure one engine for `openl3_peers.py`, in its own process: the official package, torchopenl3, ONNX Runtime or sonotheque.

    python openl3_engines.py ENGINE WEIGHTS HOP RUNS OUTPUT.npz FILE...

The script does not import the other scripts, because it also runs in environments without sonotheque. It prints one JSON document
with the seconds to import and load, for each run on the first song, and for all songs (in sequence, or in parallel for
sonotheque), and with the largest resident set size of a process. The vectors of the first song are written to OUTPUT.npz.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")


def official(weights: str, hop: float) -> Any:
    import openl3
    import soundfile
    from openl3.models import load_audio_embedding_model_from_path

    model = load_audio_embedding_model_from_path(weights, "mel256", 6144, frontend="kapre")

    def embed(path: str) -> Any:
        audio, rate = soundfile.read(path)
        return openl3.get_audio_embedding(
            audio, rate, model=model, frontend="kapre", embedding_size=6144, hop_size=hop, verbose=0
        )[0]

    return embed


def torchopenl3(weights: str, hop: float) -> Any:
    """Use PyTorch's default initial weights: they change the vectors, but not the time."""
    import soundfile
    import torchopenl3.models
    from torchopenl3.core import get_audio_embedding

    model = torchopenl3.models.PytorchOpenl3(input_repr="mel256", embedding_size=6144, content_type="music").eval()

    def embed(path: str) -> Any:
        audio, rate = soundfile.read(path)
        return get_audio_embedding(audio, rate, model=model, hop_size=hop)[0][0].numpy()

    return embed


def onnxruntime(weights: str, hop: float) -> Any:
    """Run the pipeline of sonotheque with ONNX Runtime on the CPU instead of OpenVINO."""
    import sonotheque.embed.openl3.embedder as module
    from sonotheque.embed.runtime_onnxruntime import OnnxRuntimeNetwork

    def load_network(
        model: Path, *, output: str, shape: tuple[int, ...], precision: str, device: str
    ) -> OnnxRuntimeNetwork:
        return OnnxRuntimeNetwork(model, output=output, shape=shape, provider="CPUExecutionProvider")

    setattr(module, "load_network", load_network)  # noqa: B010
    return sonotheque(weights, hop, precision="f32")


def sonotheque(weights: str, hop: float, *, precision: str) -> Any:
    import numpy as np
    from threadpoolctl import threadpool_limits

    from sonotheque.audio import MonoStream
    from sonotheque.embed.openl3 import OpenL3, Variant
    from sonotheque.embed.runtime import Compute, count_cores

    embedder = OpenL3(
        Variant(hop=hop, size=6144), weights=Path(weights), compute=Compute(precision, "cpu", threads=count_cores())
    )

    def embed(path: str) -> Any:
        with (
            threadpool_limits(limits=1, user_api="blas"),
            MonoStream(path, sample_rate=48_000, resampler="kaiser_best") as stream,
        ):
            return np.concatenate([vectors for vectors, _ in embedder.frames(stream)])

    return embed


def measure_folder(weights: str, hop: float, *, precision: str, files: list[str]) -> tuple[float, float]:
    """Return the seconds that the worker processes take for all files after a warm-up, and the memory of the largest in MB."""
    import os

    from sonotheque.embed.openl3 import Variant
    from sonotheque.embed.runtime import Compute
    from sonotheque.extract import ExtractionPool

    os.environ["SONOTHEQUE_OPENL3_WEIGHTS"] = weights
    space = Variant(hop=hop, size=6144).space(Path(weights)).id
    with ExtractionPool(files=len(files), compute=Compute(precision, "cpu")) as listener:
        for _ in listener.map(files, key=lambda path: (path, [space])):
            pass
        begin = time.perf_counter()
        for _, heard in listener.map(files, key=lambda path: (path, [space])):
            if isinstance(heard, Exception):
                raise heard
        seconds = time.perf_counter() - begin
        peaks = [
            int(line.split()[1])
            for worker in listener._workers
            for line in Path(f"/proc/{worker._process.pid}/status").read_text().splitlines()
            if line.startswith("VmHWM:")
        ]
    return seconds, max(peaks) / 1024


def main() -> None:
    import numpy as np

    engine, weights, hop, runs, output, *files = sys.argv[1:]
    begin = time.perf_counter()
    name, _, precision = engine.partition("-")
    if name == "sonotheque":
        embed = sonotheque(weights, float(hop), precision=precision)
    else:
        embed = {"official": official, "torchopenl3": torchopenl3, "onnxruntime": onnxruntime}[name](
            weights, float(hop)
        )
    loaded = time.perf_counter()
    vectors = embed(files[0])
    np.savez(output, vectors=vectors)
    result: dict[str, Any] = {"load": loaded - begin, "first": time.perf_counter() - loaded, "frames": len(vectors)}
    songs = []
    for _ in range(int(runs)):
        begin = time.perf_counter()
        embed(files[0])
        songs.append(time.perf_counter() - begin)
    result["song"] = songs
    if len(files) > 1:
        begin = time.perf_counter()
        for path in files:
            embed(path)
        result["folder"] = time.perf_counter() - begin
    result["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if len(files) > 1 and name == "sonotheque":
        result["folder"], result["worker_megabytes"] = measure_folder(
            weights, float(hop), precision=precision, files=files
        )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
