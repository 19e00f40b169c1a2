"""Run a command and measure its memory, including all child processes. Other benchmarks import this module."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

SAMPLING_INTERVAL = 0.1  # s


def run_and_measure(command: list[str]) -> tuple[float, float]:
    """Run a command until it exits.

    Returns
    -------
    seconds : float
        Wall-clock time.
    megabytes : float
        Peak of the summed resident set sizes of all its processes; shared pages are counted once per process.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak, done = 0, threading.Event()

    def sample_memory() -> None:
        nonlocal peak
        while not done.wait(SAMPLING_INTERVAL):
            peak = max(peak, sum(_resident_kib(pid) for pid in _process_tree(process.pid)))

    sampler = threading.Thread(target=sample_memory)
    sampler.start()
    status = process.wait()
    seconds = time.perf_counter() - begin
    done.set()
    sampler.join()
    if status:
        raise SystemExit(f"{' '.join(command)}: exit status {status}")
    return seconds, peak / 1024


def _process_tree(root: int) -> set[int]:
    """Return the ids of a process and all its descendants."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    tree = {root}
    while children := {child for child, parent in parents.items() if parent in tree} - tree:
        tree |= children
    return tree


def _resident_kib(process: int) -> int:
    """Return the resident set size in KiB, or 0 if the process has exited."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def describe_machine() -> str:
    """Return the CPU model, the number of cores and the relevant instruction sets."""
    info = Path("/proc/cpuinfo").read_text()
    names = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    flags = set(info.split())
    extensions = [label for flag, label in (("avx512f", "AVX-512"), ("amx_bf16", "AMX")) if flag in flags]
    return f"{names[0]}, {len(names)} cores, {' and '.join(extensions) or 'neither AVX-512 nor AMX'}"
