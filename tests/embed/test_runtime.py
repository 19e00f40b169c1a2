"""Threads, devices and precisions: the order and the numbers do not depend on them, and what a machine lacks is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.audio import MonoStream
from sonotheque.demo import music
from sonotheque.embed import cuda
from sonotheque.embed.cpu import CpuNetwork
from sonotheque.embed.cuda import CudaNetwork
from sonotheque.embed.musicnn import N_MELS, PATCH, SAMPLE_RATE, Musicnn
from sonotheque.embed.runtime import Compute, SideBySide, choose_device
from sonotheque.embed.weights import shipped
from sonotheque.errors import SpaceError


@settings(max_examples=30, deadline=None)
@given(items=st.lists(st.integers(0, 5), max_size=30), threads=st.integers(1, 4))
def test_results_come_in_order(items: list[int], threads: int) -> None:
    def build() -> Callable[[int], int]:
        def slow(item: int) -> int:
            time.sleep(item / 5000)
            return -item

        return slow

    assert list(SideBySide(build, threads=threads).map(items)) == [-item for item in items]


@pytest.mark.parametrize("threads", [1, 2])
def test_each_thread_has_a_function_of_its_own(threads: int) -> None:
    built, running, most = 0, 0, 0
    lock = threading.Lock()

    def build() -> Callable[[int], int]:
        nonlocal built
        built += 1
        inside = threading.Lock()

        def function(item: int) -> int:
            nonlocal running, most
            assert inside.acquire(blocking=False), "two threads in one function"
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            inside.release()
            return item

        return function

    side_by_side = SideBySide(build, threads=threads)
    for _ in range(2):
        assert list(side_by_side.map(range(8))) == list(range(8))
    assert built == most == threads


def test_items_are_drawn_as_they_are_needed() -> None:
    items = iter(range(1, 101))

    def build() -> Callable[[int], int]:
        return lambda item: -item

    results = SideBySide(build, threads=2).map(items)
    assert next(results) == -1
    assert next(items) <= 7


def test_an_error_reaches_the_caller() -> None:
    def build() -> Callable[[int], float]:
        return lambda item: 1 / item

    with pytest.raises(ZeroDivisionError):
        list(SideBySide(build, threads=2).map([1, 0, 1]))


def test_threads_do_not_change_vectors() -> None:
    def vectors(threads: int) -> bytes:
        with MonoStream(music() / "classical" / "john-michel-ave-maria-1.mp3", sample_rate=SAMPLE_RATE) as stream:
            found = [v for v, _ in Musicnn(hop=PATCH // 4, compute=Compute(threads=threads)).frames(stream)]
        return np.concatenate(found).tobytes()

    assert vectors(1) == vectors(3)


def test_both_runtimes_agree() -> None:
    patches = np.random.default_rng(0).random((4, PATCH, N_MELS), dtype=np.float32) * 5
    model = shipped("musicnn-msd.onnx")
    batch = CudaNetwork(model, output="taggram", shape=patches.shape, provider="CPUExecutionProvider")(patches)
    single = CpuNetwork(model, output="taggram", shape=(1, PATCH, N_MELS))
    assert np.abs(batch - np.concatenate([single(patch[None]) for patch in patches])).max() < 1e-5


def test_what_there_is_not() -> None:
    with pytest.raises(SpaceError, match="known are"):
        Compute(precision="int8")
    with pytest.raises(SpaceError, match="known are"):
        Compute(device="tpu")
    if not cuda.is_available():
        assert choose_device("auto") == "cpu"
        with pytest.raises(SpaceError, match=r"device cpu|extra"):
            Musicnn(compute=Compute(device="cuda"))._vectors([])
    with pytest.raises(SpaceError, match="f32"):
        Musicnn(compute=Compute(precision="bf16", device="cuda"))._vectors([])
