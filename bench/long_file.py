"""Measure the memory of `sonotheque add` on an MP3 of 3 minutes and on one of 3 hours: it must not grow with the length.

    python bench/long_file.py [--hours 3]

Each file is a concatenation of the demo clips.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from itertools import cycle
from pathlib import Path

import numpy as np
import soundfile as sf
from processes import describe_machine, run_and_measure

from sonotheque.audio import load
from sonotheque.demo import music

RATE = 44_100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=3.0)
    hours = parser.parse_args().hours
    clips = [load(path, sample_rate=RATE)[0] for path in sorted(music().glob("*/*.mp3"))]
    print(describe_machine())
    with tempfile.TemporaryDirectory() as folder:
        for length in (3 / 60, hours):
            path = Path(folder) / f"{length:.2f}h.mp3"
            remaining = int(length * 3600 * RATE)
            with sf.SoundFile(path, "w", RATE, 2, format="MP3", subtype="MPEG_LAYER_III") as file:
                for clip in cycle(clips):
                    file.write(np.stack([clip, clip], axis=1)[:remaining])
                    remaining -= len(clip)
                    if remaining <= 0:
                        break
            seconds, peak = run_and_measure(
                [sys.executable, "-m", "sonotheque", "-L", f"{folder}/library", "add", str(path)]
            )
            print(
                f"{60 * length:.0f} minutes: embedded in {seconds:.0f} s, peak memory of all processes {peak:.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
