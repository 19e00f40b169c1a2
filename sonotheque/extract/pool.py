"""A pool of worker processes that extract vectors from files.

Each worker runs ``python -m sonotheque.extract.worker``, which reads one JSON request per line and writes one JSON response per
line. Nothing is pickled. A decoder that crashes affects only the file that it was decoding. The output of C libraries is discarded.
A worker whose parent process dies reaches the end of its input and exits.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from types import TracebackType
from typing import IO, Self, TypeVar

from sonotheque import errors
from sonotheque.embed.runtime import Compute, count_cores
from sonotheque.errors import AudioError, LibraryError
from sonotheque.extract.extraction import Extraction, from_json

Item = TypeVar("Item")


class _Worker:
    """One worker process, used by one thread of the pool."""

    def __init__(self, *, tempo_key: bool = False) -> None:
        self._tempo_key = tempo_key
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sonotheque.extract.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **one_thread},
        )
        self._input: IO[bytes] = self._process.stdin  # type: ignore[assignment]
        self._output: IO[bytes] = self._process.stdout  # type: ignore[assignment]
        if not self._output.readline():
            raise LibraryError(
                f"worker processes do not start (exit status {self.close()}); "
                f"run `{sys.executable} -m sonotheque.extract.worker` to see the reason"
            )

    def extract(self, path: str, spaces: Sequence[str], compute: Compute, augmentation_seed: int | None) -> Extraction:
        """Send one request and wait for the response."""
        request = {
            "path": path,
            "spaces": list(spaces),
            "augmentation_seed": augmentation_seed,
            "tempo_key": self._tempo_key,
            "compute": asdict(compute),
        }
        try:
            self._input.write(json.dumps(request).encode() + b"\n")
            self._input.flush()
            line = self._output.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise AudioError(f"{path}: the decoder crashed (worker exit status {self.close()})")
        response = json.loads(line)
        if "error" in response:
            raise getattr(errors, response["kind"])(response["error"])
        return from_json(response)

    @property
    def running(self) -> bool:
        """Whether the process is still running."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill the process without waiting for it."""
        self._process.kill()

    def close(self) -> int:
        """Close the pipes, wait for the process to exit and return its exit status."""
        for pipe in (self._input, self._output):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        try:
            return self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


class ExtractionPool:
    """A pool of worker processes, used as a context manager.

    The processes start when the first file arrives. There is one process per processor, each with one thread. If there are
    fewer files than processors, there is one process per file, and each uses several threads.

    Parameters
    ----------
    files : int
        The largest number of files that will be submitted.
    compute : Compute
        Device and precision.
    workers : int or None
        Number of processes. By default chosen as described above.
    tempo_key : bool
        Whether the tempo and key of each file are estimated too.
    """

    def __init__(
        self, *, files: int, compute: Compute = Compute(), workers: int | None = None, tempo_key: bool = False
    ) -> None:
        self._count = workers or max(1, min(files, count_cores()))
        self._compute = replace(compute, threads=max(1, count_cores() // self._count))
        self._tempo_key = tempo_key
        self._pool = ThreadPoolExecutor(self._count, thread_name_prefix="extraction")
        self._local = threading.local()
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the workers. Files that have not been started are dropped."""
        if kind is not None:
            for worker in self._workers:
                worker.kill()
        self._pool.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.close()

    def _extract(self, path: str, spaces: Sequence[str], augmentation_seed: int | None = None) -> Extraction:
        worker: _Worker | None = getattr(self._local, "worker", None)
        if worker is None or not worker.running:
            worker = self._local.worker = _Worker(tempo_key=self._tempo_key)
            self._workers.append(worker)
        return worker.extract(path, spaces, self._compute, augmentation_seed)

    def map(
        self,
        items: Iterable[Item],
        *,
        key: Callable[[Item], tuple[str, Sequence[str]] | tuple[str, Sequence[str], int]],
    ) -> Iterator[tuple[Item, Extraction | AudioError]]:
        """Extract vectors from files, in the order in which they finish.

        Parameters
        ----------
        items : iterable
            Consumed lazily: at most two items per worker are in flight.
        key : callable
            Converts an item to (path, space ids) or, for an augmented copy, (path, space ids, seed).

        Yields
        ------
        item
        extraction : Extraction or AudioError
            The error if the file cannot be used.

        Raises
        ------
        SonothequeError
            If something other than a single file fails, such as a damaged network.
        """
        running: dict[Future[Extraction], Item] = {}
        source = iter(items)
        exhausted = False
        while running or not exhausted:
            while not exhausted and len(running) < 2 * self._count:
                try:
                    item = next(source)
                except StopIteration:
                    exhausted = True
                else:
                    running[self._pool.submit(self._extract, *key(item))] = item
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                item = running.pop(future)
                error = future.exception()
                if error is None:
                    yield item, future.result()
                elif isinstance(error, AudioError):
                    yield item, error
                else:
                    raise error
