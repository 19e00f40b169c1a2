"""How networks are run: device, precision and number of threads. This module does not know which networks there are.

On the CPU each inference runs in one thread with a fixed batch shape, so the same frame gives the same bytes whatever else is
running. To use all cores, several inferences run in parallel, in threads or in processes.
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
    """Settings for running networks.

    Attributes
    ----------
    precision : str
        ``auto``, ``f32`` or ``bf16``.
    device : str
        ``auto``, ``cpu`` or ``cuda``. ``auto`` is the GPU if the extra ``cuda`` is installed and finds one, else the CPU.
    threads : int
        Number of inferences that run in parallel in this process. It does not change the vectors.

    Raises
    ------
    SpaceError
        If the precision or the device is unknown.
    """

    precision: str = "auto"
    device: str = "auto"
    threads: int = 1

    def __post_init__(self) -> None:
        """Check the values."""
        for name, value, known in (("precision", self.precision, PRECISIONS), ("device", self.device, DEVICES)):
            if value not in known:
                raise SpaceError(f"unknown {name} {value!r}; choose one of {', '.join(known)}")


class Network(Protocol):
    """A loaded network with one input and one selected output."""

    def __call__(self, batch: FloatArray) -> FloatArray:
        """Run one batch of the fixed shape and return the output, float32 [n, D]."""


def count_cores() -> int:
    """Count the CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def has_amx() -> bool:
    """Return whether the CPU multiplies bf16 matrices in hardware (AMX); without AMX, bf16 is slower than float32."""
    try:
        return " amx_bf16 " in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


@cache
def choose_device(device: str) -> str:
    """Resolve ``auto`` to ``cuda`` if ONNX Runtime can use a GPU, else to ``cpu``."""
    if device != "auto":
        return device
    from sonotheque.embed.runtime_onnxruntime import cuda_is_available

    return "cuda" if cuda_is_available() else "cpu"


def batch_size(device: str) -> int:
    """Return the number of frames per inference: 1 on the CPU, where larger batches are no faster, and 16 on a GPU."""
    return 1 if choose_device(device) == "cpu" else 16


def load_network(model: bytes | Path, *, output: str, shape: Sequence[int], precision: str, device: str) -> Network:
    """Load a network.

    Parameters
    ----------
    model : bytes or path
        An ONNX file; a path if its weights are stored in a separate file beside it.
    output : str
        Name of the output to compute.
    shape : sequence of int
        Fixed shape of the input, batch first.
    precision : str
        ``auto``, ``f32`` or ``bf16``. On the CPU, ``auto`` is ``bf16`` if there is AMX, else ``f32``. On a GPU it is ``f32``.
    device : str
        ``auto``, ``cpu`` or ``cuda``.

    Returns
    -------
    Network

    Raises
    ------
    SpaceError
        If this machine does not support the device or the precision.
    """
    if choose_device(device) == "cuda":
        from sonotheque.embed.runtime_onnxruntime import OnnxRuntimeNetwork

        if precision == "bf16":
            raise SpaceError("precision bf16 is available on the CPU only; use f32 or auto on a GPU")
        return OnnxRuntimeNetwork(model, output=output, shape=shape)
    from sonotheque.embed.runtime_openvino import OpenVinoNetwork

    chosen = precision if precision != "auto" else "bf16" if has_amx() else "f32"
    return OpenVinoNetwork(model, output=output, shape=shape, precision=chosen)


_BUILD_LOCK = threading.Lock()
"""Held while a thread imports a runtime and compiles a network: two threads that import OpenVINO at once can deadlock."""


class ParallelMap(Generic[Item, Result]):
    """Apply a function to items in several threads, and return the results in order.

    Parameters
    ----------
    build : callable
        Makes the function, such as a network. Each thread gets its own: `build` is called when a thread first needs one.
    threads : int
        Number of threads. With 1, everything runs in the caller's thread.
    """

    def __init__(self, build: Callable[[], Callable[[Item], Result]], *, threads: int) -> None:
        self._build = build
        self._threads = threads
        self._idle: queue.LifoQueue[Callable[[Item], Result]] = queue.LifoQueue()

    def __call__(self, item: Item) -> Result:
        """Apply the function to one item. This method is thread-safe."""
        try:
            function = self._idle.get_nowait()
        except queue.Empty:
            with _BUILD_LOCK:
                function = self._build()
        try:
            return function(item)
        finally:
            self._idle.put(function)

    def map(self, items: Iterable[Item]) -> Iterator[Result]:
        """Apply the function to all items. Items are read lazily: at most two per thread are waiting at any time."""
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
