"""How networks are computed: on which device, in which precision, in how many threads. Not which networks there are.

On the processor each inference runs on one thread, with a fixed batch shape, so that the same frame gives the same bytes whatever
else runs; several side by side, in processes or threads, fill the processor.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray

PRECISIONS = ("auto", "f32", "bf16")
DEVICES = ("auto", "cpu", "cuda")

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Compute:
    """How networks are to be computed.

    Attributes
    ----------
    precision : str
        ``auto``, ``f32`` or ``bf16``.
    device : str
        ``auto`` (a GPU where the extra ``cuda`` is installed and finds one), ``cpu`` or ``cuda``.
    threads : int
        Inferences side by side in this process. Vectors do not depend on it.

    Raises
    ------
    SpaceError
        If precision or device is unknown.
    """

    precision: str = "auto"
    device: str = "auto"
    threads: int = 1

    def __post_init__(self) -> None:
        """Check the values."""
        for name, value, known in (("precision", self.precision, PRECISIONS), ("device", self.device, DEVICES)):
            if value not in known:
                raise SpaceError(f"unknown {name} {value!r}; known are {', '.join(known)}")


class Network(Protocol):
    """A loaded network with one input and one chosen output."""

    def __call__(self, batch: FloatArray) -> FloatArray:
        """Run one batch of the fixed shape and return the output, float32 [n, D]."""


def cores() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def has_amx() -> bool:
    """Say whether the processor multiplies bf16 matrices in hardware (AMX); without that, bf16 is slower than float32."""
    try:
        return " amx_bf16 " in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


@cache
def choose_device(device: str) -> str:
    """Turn ``auto`` into ``cuda`` where ONNX Runtime can use a GPU, else ``cpu``."""
    if device != "auto":
        return device
    from sonotheque.embed import cuda

    return "cuda" if cuda.is_available() else "cpu"


def batch_size(device: str) -> int:
    """Frames that a device takes at once: one on the processor, where more gain nothing."""
    return 1 if choose_device(device) == "cpu" else 16


def load(model: bytes | Path, *, output: str, shape: Sequence[int], precision: str, device: str) -> Network:
    """Load a network.

    Parameters
    ----------
    model : bytes or path
        An ONNX file; a path where its weights lie beside it.
    output : str
        Name of the output to compute.
    shape : sequence of int
        Fixed shape of the input, batch first.
    precision : str
        ``auto`` is ``bf16`` on processors with AMX, else ``f32``.
    device : str

    Raises
    ------
    SpaceError
        If this machine cannot compute so.
    """
    if choose_device(device) == "cuda":
        from sonotheque.embed.cuda import CudaNetwork

        if precision == "bf16":
            raise SpaceError("precision bf16 is for processors; on a GPU networks run in f32")
        return CudaNetwork(model, output=output, shape=shape)
    from sonotheque.embed.cpu import CpuNetwork

    chosen = precision if precision != "auto" else "bf16" if has_amx() else "f32"
    return CpuNetwork(model, output=output, shape=shape, precision=chosen)


_BUILDING = threading.Lock()
"""Held while a thread imports and compiles: two threads that import OpenVINO at once can wait for each other for ever."""


class SideBySide(Generic[Item, Result]):
    """Applies a function to items in some threads, each with a function of its own; results come in order.

    Parameters
    ----------
    build : callable
        Makes a function, such as a network; called once for each thread, when it is first needed.
    threads : int
        With one, everything happens in the caller's thread.
    """

    def __init__(self, build: Callable[[], Callable[[Item], Result]], *, threads: int) -> None:
        self._build = build
        self._threads = threads
        self._idle: queue.LifoQueue[Callable[[Item], Result]] = queue.LifoQueue()

    def __call__(self, item: Item) -> Result:
        """Apply the function to one item; threads may do so side by side."""
        try:
            function = self._idle.get_nowait()
        except queue.Empty:
            with _BUILDING:
                function = self._build()
        try:
            return function(item)
        finally:
            self._idle.put(function)

    def map(self, items: Iterable[Item]) -> Iterator[Result]:
        """Apply the function to all items, which are drawn as results are taken: at most two for each thread wait."""
        if self._threads == 1:
            yield from map(self, items)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            waiting: deque[Future[Result]] = deque()
            for item in items:
                waiting.append(pool.submit(self, item))
                if len(waiting) > 2 * self._threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
