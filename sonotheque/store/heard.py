"""The one narrow function that ingest hands work to: a path goes out, what was heard comes back.

`Listener` runs it in worker processes of its own kind: ``python -m sonotheque.store.worker`` reads a line of JSON for each
file and answers with one. Nothing is pickled, a decoder that crashes takes only its own file with it, what C libraries print
is swallowed, and a worker whose parent dies sees the end of its input and stops.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from types import TracebackType
from typing import IO, Any, Self, TypeVar

import numpy as np

from sonotheque import errors
from sonotheque.audio.decode import FloatArray
from sonotheque.embed.runtime import Compute, cores
from sonotheque.errors import AudioError, LibraryError
from sonotheque.store.tags import Tags, read_tags

Item = TypeVar("Item")


@dataclass(frozen=True)
class Heard:
    """One file: its audio's facts, tags and vectors. `vectors` maps a space id to (track [D], segments [S, D])."""

    seconds: float
    sample_rate: int
    channels: int
    silent: bool
    notice: str | None
    tags: Tags
    vectors: Mapping[str, tuple[FloatArray, FloatArray]]


def listen(path: str, spaces: Sequence[str], *, copy: int | None = None, compute: Compute = Compute()) -> Heard:
    """Embed one file, or an augmented copy of it, and read its tags.

    Parameters
    ----------
    path : str
    spaces : ids of the spaces
    copy : int or None
        Seed of an augmented copy, see `sonotheque.audio.augment`; None for the file itself.
    compute : Compute

    Raises
    ------
    AudioError
        One of its children.
    """
    from sonotheque.audio.augment import augmented
    from sonotheque.embed.track import embed_track

    source = path if copy is None else augmented(path, seed=copy)
    heard = embed_track(source, spaces=spaces, compute=compute)
    return Heard(
        seconds=heard.seconds,
        sample_rate=heard.sample_rate,
        channels=heard.channels,
        silent=heard.silent,
        notice=heard.notice,
        tags=read_tags(path),
        vectors={space: (heard.track[space], heard.segments[space]) for space in spaces},
    )


def encode(heard: Heard) -> dict[str, Any]:
    """Turn what was heard into a JSON object; arrays as base64 of float32 little-endian bytes."""
    vectors = {
        space: [base64.b64encode(array.astype("<f4").tobytes()).decode() for array in arrays]
        for space, arrays in heard.vectors.items()
    }
    facts = {name: value for name, value in vars(heard).items() if name not in {"tags", "vectors"}}
    return {**facts, "tags": asdict(heard.tags), "vectors": vectors}


def decode(answer: dict[str, Any]) -> Heard:
    """Undo `encode`."""

    def array(text: str) -> FloatArray:
        return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float32)

    vectors = {}
    for space, (track, segments) in answer.pop("vectors").items():
        vector = array(track)
        vectors[space] = (vector, array(segments).reshape(-1, len(vector)))
    return Heard(**{**answer, "tags": Tags(**answer["tags"]), "vectors": vectors})


class _Worker:
    """One worker process and the thread that talks to it."""

    def __init__(self) -> None:
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sonotheque.store.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **single},
        )
        self._input: IO[bytes] = self._process.stdin  # type: ignore[assignment]
        self._output: IO[bytes] = self._process.stdout  # type: ignore[assignment]
        if not self._output.readline():
            raise LibraryError(
                f"worker processes do not start (exit status {self.close()}); "
                f"`{sys.executable} -m sonotheque.store.worker` says why"
            )

    def ask(self, path: str, spaces: Sequence[str], compute: Compute, copy: int | None) -> Heard:
        request = {"path": path, "spaces": list(spaces), "copy": copy, "compute": asdict(compute)}
        try:
            self._input.write(json.dumps(request).encode() + b"\n")
            self._input.flush()
            line = self._output.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise AudioError(f"{path}: the decoder crashed on it (worker ended with {self.close()})")
        answer = json.loads(line)
        if "error" in answer:
            raise getattr(errors, answer["kind"])(answer["error"])
        return decode(answer)

    def close(self) -> int:
        for pipe in (self._input, self._output):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        try:
            return self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


class Listener:
    """Worker processes that listen to files side by side.

    Use it as a context manager. Processes start when the first file comes: one for each processor, each with one thread; where
    there are fewer files than processors, one for each file, and the processors left over are threads of theirs.

    Parameters
    ----------
    files : int
        How many files will come, at most.
    compute : Compute
        Device and precision.
    workers : int or None
        Processes, where the number is not to be chosen so.
    """

    def __init__(self, *, files: int, compute: Compute = Compute(), workers: int | None = None) -> None:
        self._count = workers or max(1, min(files, cores()))
        self._compute = replace(compute, threads=max(1, cores() // self._count))
        self._pool = ThreadPoolExecutor(self._count, thread_name_prefix="listener")
        self._local = threading.local()
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        """Return the listener itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the workers; work that has not begun is dropped."""
        if kind is not None:
            for worker in self._workers:
                worker._process.kill()
        self._pool.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.close()

    def _listen(self, path: str, spaces: Sequence[str], copy: int | None = None) -> Heard:
        worker: _Worker | None = getattr(self._local, "worker", None)
        if worker is None or worker._process.poll() is not None:
            worker = self._local.worker = _Worker()
            self._workers.append(worker)
        return worker.ask(path, spaces, self._compute, copy)

    def map(
        self,
        items: Iterable[Item],
        *,
        key: Callable[[Item], tuple[str, Sequence[str]] | tuple[str, Sequence[str], int]],
    ) -> Iterator[tuple[Item, Heard | AudioError]]:
        """Listen to files, in the order in which they become ready.

        Parameters
        ----------
        items : iterable
            Drawn lazily: at most two for each worker are under way.
        key : callable
            Turns an item into (path, ids of spaces), for an augmented copy with its seed.

        Yields
        ------
        item, and what was heard or the error that says why not

        Raises
        ------
        SonothequeError
            What is not one file's fault, such as a damaged network.
        """
        running: dict[Future[Heard], Item] = {}
        source = iter(items)
        exhausted = False
        while running or not exhausted:
            while not exhausted and len(running) < 2 * self._count:
                try:
                    item = next(source)
                except StopIteration:
                    exhausted = True
                else:
                    running[self._pool.submit(self._listen, *key(item))] = item
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                item = running.pop(future)
                error = future.exception()
                if error is None:
                    yield item, future.result()
                elif isinstance(error, AudioError):
                    yield item, error
                else:
                    raise error
