"""Threads, devices and precisions: they do not change order or numbers, and unsupported ones raise clear errors."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.audio import MonoStream
from sonotheque.demo import music
from sonotheque.embed.musicnn import N_MELS, PATCH_LENGTH, SAMPLE_RATE, Musicnn
from sonotheque.embed.runtime import Compute, ParallelMap, choose_device
from sonotheque.embed.runtime_onnxruntime import OnnxRuntimeNetwork, cuda_is_available
from sonotheque.embed.runtime_openvino import OpenVinoNetwork
from sonotheque.embed.weights import read_shipped
from sonotheque.errors import SpaceError


@settings(max_examples=30, deadline=None)
@given(items=st.lists(st.integers(0, 5), max_size=30), threads=st.integers(1, 4))
def test_results_come_in_order(items: list[int], threads: int) -> None:
    def build() -> Callable[[int], int]:
        def slow(item: int) -> int:
            time.sleep(item / 5000)
            return -item

        return slow

    assert list(ParallelMap(build, threads=threads).map(items)) == [-item for item in items]


@pytest.mark.parametrize("threads", [1, 2])
def test_each_thread_has_its_own_function(threads: int) -> None:
    built, running, peak = 0, 0, 0
    lock = threading.Lock()

    def build() -> Callable[[int], int]:
        nonlocal built
        built += 1
        in_use = threading.Lock()

        def function(item: int) -> int:
            nonlocal running, peak
            assert in_use.acquire(blocking=False), "two threads share one function"
            with lock:
                running += 1
                peak = max(peak, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            in_use.release()
            return item

        return function

    parallel = ParallelMap(build, threads=threads)
    for _ in range(2):
        assert list(parallel.map(range(8))) == list(range(8))
    assert built == peak == threads


def test_items_are_read_lazily() -> None:
    items = iter(range(1, 101))

    def build() -> Callable[[int], int]:
        return lambda item: -item

    results = ParallelMap(build, threads=2).map(items)
    assert next(results) == -1
    assert next(items) <= 7


def test_an_error_reaches_the_caller() -> None:
    def build() -> Callable[[int], float]:
        return lambda item: 1 / item

    with pytest.raises(ZeroDivisionError):
        list(ParallelMap(build, threads=2).map([1, 0, 1]))


def test_threads_do_not_change_vectors() -> None:
    def vectors(threads: int) -> bytes:
        with MonoStream(music() / "classical" / "john-michel-ave-maria-1.mp3", sample_rate=SAMPLE_RATE) as stream:
            found = [v for v, _ in Musicnn(hop=PATCH_LENGTH // 4, compute=Compute(threads=threads)).frames(stream)]
        return np.concatenate(found).tobytes()

    assert vectors(1) == vectors(3)


def test_the_runtimes_agree() -> None:
    patches = np.random.default_rng(0).random((4, PATCH_LENGTH, N_MELS), dtype=np.float32) * 5
    model = read_shipped("musicnn-msd.onnx")
    batch = OnnxRuntimeNetwork(model, output="taggram", shape=patches.shape, provider="CPUExecutionProvider")(patches)
    single = OpenVinoNetwork(model, output="taggram", shape=(1, PATCH_LENGTH, N_MELS))
    assert np.abs(batch - np.concatenate([single(patch[None]) for patch in patches])).max() < 1e-5


def test_unsupported_settings() -> None:
    with pytest.raises(SpaceError, match="choose one of"):
        Compute(precision="int8")
    with pytest.raises(SpaceError, match="choose one of"):
        Compute(device="tpu")
    if not cuda_is_available():
        assert choose_device("auto") == "cpu"
        with pytest.raises(SpaceError, match=r"device cpu|extra"):
            Musicnn(compute=Compute(device="cuda"))._vectors([])
    with pytest.raises(SpaceError, match="f32"):
        Musicnn(compute=Compute(precision="bf16", device="cuda"))._vectors([])


@pytest.mark.parametrize(
    ("package", "module", "function"),
    [
        ("openvino", "sonotheque/embed/runtime_openvino.py", "import_openvino"),
        ("onnxruntime", "sonotheque/embed/runtime_onnxruntime.py", "import_onnxruntime"),
    ],
)
def test_a_runtime_is_imported_in_one_function_only(package: str, module: str, function: str) -> None:
    """These functions disable the telemetry, so no other code may import the runtimes."""
    root = Path(__file__).parents[2]
    importing = []
    for path in sorted(
        file for folder in ("sonotheque", "tools", "bench", "tests") for file in (root / folder).rglob("*.py")
    ):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {
            child: node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for child in ast.walk(node)
        }
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            if any(name.partition(".")[0] == package for name in names):
                importing.append((path.relative_to(root).as_posix(), functions.get(node)))
    assert importing == [(module, function)]


def test_openvino_is_imported_without_telemetry() -> None:
    code = "from sonotheque.embed.runtime_openvino import supports_bf16; supports_bf16()"
    check = "import sys; assert 'openvino' in sys.modules and sys.modules['openvino_telemetry'] is None"
    subprocess.run([sys.executable, "-c", f"{code}; {check}"], check=True)


def test_auto_tags_need_no_runtime() -> None:
    code = "import numpy; from sonotheque.embed.auto_tags import tag_logits; tag_logits(numpy.zeros((1, 200)))"
    check = "import sys; assert not {'openvino', 'onnxruntime'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", f"{code}; {check}"], check=True)
