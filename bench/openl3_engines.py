"""One engine of `openl3_peers.py`, in a process of its own: the official package, torchopenl3, or sonotheque.

    python openl3_engines.py ENGINE WEIGHTS HOP RUNS OUTPUT.npz FILE...

Stands alone, since it runs in environments without sonotheque. Prints one JSON document: seconds to import and load, of each
song alone, of all songs one after the other or side by side, largest resident set of a process; the first song's vectors
go to the output.
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
    """Weights as PyTorch makes them: they change the vectors, not the time."""
    import soundfile
    import torchopenl3.models
    from torchopenl3.core import get_audio_embedding

    model = torchopenl3.models.PytorchOpenl3(input_repr="mel256", embedding_size=6144, content_type="music").eval()

    def embed(path: str) -> Any:
        audio, rate = soundfile.read(path)
        return get_audio_embedding(audio, rate, model=model, hop_size=hop)[0][0].numpy()

    return embed


def onnxruntime(weights: str, hop: float) -> Any:
    """Sonotheque's own pipeline, with ONNX Runtime on the processor in OpenVINO's place."""
    import sonotheque.embed.openl3.embedder as module
    from sonotheque.embed.cuda import CudaNetwork

    def load(model: Path, *, output: str, shape: tuple[int, ...], precision: str, device: str) -> CudaNetwork:
        return CudaNetwork(model, output=output, shape=shape, provider="CPUExecutionProvider")

    setattr(module, "load", load)  # noqa: B010
    return sonotheque(weights, hop, precision="f32")


def sonotheque(weights: str, hop: float, *, precision: str) -> Any:
    import numpy as np
    from threadpoolctl import threadpool_limits

    from sonotheque.audio import MonoStream
    from sonotheque.embed.openl3 import OpenL3, Variant
    from sonotheque.embed.runtime import Compute, cores

    embedder = OpenL3(
        Variant(hop=hop, size=6144), weights=Path(weights), compute=Compute(precision, "cpu", threads=cores())
    )

    def embed(path: str) -> Any:
        with (
            threadpool_limits(limits=1, user_api="blas"),
            MonoStream(path, sample_rate=48_000, resampler="kaiser_best") as stream,
        ):
            return np.concatenate([vectors for vectors, _ in embedder.frames(stream)])

    return embed


def folder(weights: str, hop: float, *, precision: str, files: list[str]) -> tuple[float, float]:
    """Seconds that sonotheque's worker processes take for all files, after a warm-up, and the largest process in MB."""
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
        result["folder"], result["worker_megabytes"] = folder(weights, float(hop), precision=precision, files=files)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
