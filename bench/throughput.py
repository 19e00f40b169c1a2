"""Measure the end-to-end throughput of `sonotheque add` on a folder of music, and the memory of all its processes.

    python bench/throughput.py FOLDER [--runs 3] [--embedder musicnn]

Run it once for each embedder to compare them. For each run, the script prints the tracks per minute from the start of the command
to its end, the peak memory of all processes together, the time of a second `add`, and the speed of float32 matrix multiplication on
one core as a reference for the machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from processes import describe_machine, run_and_measure

from sonotheque import Library

SGEMM = """
import time, numpy as np
a = np.random.default_rng(0).random((2000, 2000), dtype=np.float32)
times = []
for _ in range(9):
    begin = time.perf_counter(); a @ a; times.append(time.perf_counter() - begin)
print(16 / sorted(times)[4])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--embedder", default="musicnn")
    options = parser.parse_args()
    print(describe_machine())
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    rates, peaks, seconds = [], [], []
    for number in range(1, options.runs + 1):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "sonotheque", "-L", folder, "add", str(options.folder)]
            command += ["--embedder", options.embedder]
            first, peak = run_and_measure(command)
            second, _ = run_and_measure(command)
            with Library(folder) as library:
                status = library.status()
        sgemm = subprocess.run(
            [sys.executable, "-c", SGEMM], env=environment, capture_output=True, text=True, check=True
        )
        rates.append(status.tracks / first * 60)
        peaks.append(peak)
        seconds.append(second)
        print(
            f"run {number}: {status.tracks} tracks in {first:.1f} s, {rates[-1]:.0f} per minute, {len(status.failed)} failed; "
            f"peak {peak:.0f} MB; second add {second:.2f} s; one core {float(sgemm.stdout):.0f} GFLOP/s",
            flush=True,
        )
    print(
        f"median: {statistics.median(rates):.0f} tracks per minute, peak {max(peaks):.0f} MB, "
        f"second add {statistics.median(seconds):.2f} s"
    )


if __name__ == "__main__":
    main()
