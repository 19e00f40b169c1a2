"""Runs a command and watches the memory of it and of all its children. Used by the other scripts here."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

INTERVAL = 0.1  # s


def run(command: list[str]) -> tuple[float, float]:
    """Run a command to its end.

    Returns
    -------
    seconds : float
        Wall time.
    megabytes : float
        Largest sum of the resident sets of all its processes; pages that two of them share count twice.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(INTERVAL):
            peak = max(peak, sum(_resident(child) for child in _family(process.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = process.wait()
    seconds = time.perf_counter() - begin
    done.set()
    watcher.join()
    if status:
        raise SystemExit(f"{' '.join(command)}: exit status {status}")
    return seconds, peak / 1024


def _family(root: int) -> set[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    family = {root}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return family


def _resident(process: int) -> int:
    """Resident set in KiB; 0 where the process is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def machine() -> str:
    """Name the processor, its cores and what matters of its instructions."""
    info = Path("/proc/cpuinfo").read_text()
    names = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    flags = set(info.split())
    kinds = [label for flag, label in (("avx512f", "AVX-512"), ("amx_bf16", "AMX")) if flag in flags]
    return f"{names[0]}, {len(names)} cores, {' and '.join(kinds) or 'neither AVX-512 nor AMX'}"
