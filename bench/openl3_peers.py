"""Benchmark OpenL3 from MP3 files to vectors: sonotheque, the official package, torchopenl3 and ONNX Runtime in one run.

    python bench/openl3_peers.py FILE.mp3 FILE.mp3 ... [--environments FOLDER] [--weights FILE.h5] [--runs 3]

The first file is the single song; all files together are the folder. The official package and torchopenl3 are installed once into
their own environments, which need 4 GB and a package index; the official package needs Python 3.11. Without the published weights,
random weights in the same layout are used; they do not change the times. Times are measured from the file on disk to the vectors in
memory, after one warm-up. Start-up and model loading are in a separate column.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from processes import describe_machine

ENGINES = Path(__file__).parent / "openl3_engines.py"
OFFICIAL = [
    "setuptools==65.5.0",
    "tensorflow-cpu==2.15.1",
    "kapre==0.3.6",
    "resampy==0.2.2",
    "librosa==0.10.2.post1",
    "numpy==1.26.4",
    "scikit-image",
    "soundfile",
    "h5py",
]
UNPACK = ["--quiet", "--no-clean", "--no-deps", "--no-binary", ":all:", "openl3==0.4.2"]
TORCH = ["torch==2.13.0", "torchopenl3==1.0.1", "setuptools<81", "six", "soundfile"]
CHANNELS = (1, 64, 64, 128, 128, 256, 256, 512, 512)


def create_environment(folder: Path, packages: list[str]) -> Path:
    """Create a virtual environment if it does not exist; return its Python."""
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        print(f"installing {' '.join(packages)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        (folder / "done").touch()
    return python


def create_official_environment(folder: Path) -> Path:
    """Install the dependencies of the official package and unpack it, because its setup would download all models."""
    if sys.version_info[:2] != (3, 11):
        raise SystemExit("the official package needs Python 3.11")
    python = create_environment(folder, OFFICIAL)
    if not (folder / "openl3").exists():
        with tempfile.TemporaryDirectory() as work:
            subprocess.run(
                [str(python), "-m", "pip", "download", *UNPACK, "-d", work],
                env={**os.environ, "TMPDIR": work},
                check=False,
                capture_output=True,
            )
            (setup,) = Path(work).glob("pip-download-*/openl3_*/setup.py")
            shutil.copytree(setup.parent / "openl3", folder / "openl3")
    return python


def write_random_weights(path: Path) -> None:
    """Write random weights in the layout of the published files."""
    generator = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        names: list[bytes] = []

        def layer(name: str, arrays: dict[str, np.ndarray]) -> None:
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{key}:0".encode() for key in arrays]
            for key, array in arrays.items():
                group[f"{name}/{key}:0"] = array.astype(np.float32)
            names.append(name.encode())

        def normalisation(number: int, size: int, mean: float, spread: float) -> None:
            layer(
                f"batch_normalization_{number}",
                {
                    "gamma": generator.uniform(0.5, 1.5, size),
                    "beta": generator.normal(0, 0.3, size),
                    "moving_mean": generator.normal(mean, 0.2, size),
                    "moving_variance": generator.uniform(0.6, 1.7, size) * spread,
                },
            )

        normalisation(1, 1, -40, 400)
        for number in range(8):
            shape = (3, 3, CHANNELS[number], CHANNELS[number + 1])
            kernel = generator.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape)
            name = "audio_embedding_layer" if number == 7 else f"conv2d_{number + 1}"
            layer(name, {"kernel": kernel, "bias": generator.normal(0, 0.05, shape[3])})
            if number < 7:
                normalisation(number + 2, shape[3], 0, 1)
        file.attrs["layer_names"] = names
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.15.0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--environments", type=Path, default=Path("bench-environments"))
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    folder = options.environments.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    weights = options.weights or folder / "random.h5"
    if not weights.exists():
        write_random_weights(weights)
    own = Path(sys.executable)
    bf16 = ["sonotheque-bf16"] if "amx_bf16" in Path("/proc/cpuinfo").read_text() else []
    engines = {
        "official": create_official_environment(folder / "official"),
        "torchopenl3": create_environment(folder / "torchopenl3", TORCH),
        **dict.fromkeys(["onnxruntime", "sonotheque-f32", *bf16], own),
    }
    print(describe_machine())
    print("| engine | hop, s | frames | song, s | speed-up | folder, s per song | speed-up | load, s | MB | cosine |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for hop, files, runs in ((1.0, options.files, options.runs), (0.1, options.files[:1], 1)):
        measured: dict[str, tuple[dict[str, Any], np.ndarray]] = {}
        for engine, python in engines.items():
            with tempfile.NamedTemporaryFile(suffix=".npz") as output:
                command = [str(python), str(ENGINES), engine, str(weights), str(hop), str(runs), output.name]
                variables = {
                    **os.environ,
                    "PYTHONPATH": str(folder / "official")
                    if engine == "official"
                    else os.environ.get("PYTHONPATH", ""),
                    "TF_CPP_MIN_LOG_LEVEL": "3",
                    "SONOTHEQUE_CACHE": str(folder / "cache"),
                }
                process = subprocess.run(
                    [*command, *map(str, files)], env=variables, stdout=subprocess.PIPE, text=True, check=True
                )
                with np.load(output.name) as vectors:
                    measured[engine] = json.loads(process.stdout.splitlines()[-1]), vectors["vectors"]
            print_row(engine, hop, len(files), measured)


def print_row(engine: str, hop: float, songs: int, measured: dict[str, tuple[dict[str, Any], np.ndarray]]) -> None:
    """Print one row of the table, with speed-ups over the official package."""
    official, expected = measured["official"]
    result, vectors = measured[engine]
    song = statistics.median(result["song"])
    cells = [engine, f"{hop}", f"{result['frames']}", f"{song:.2f}"]
    cells.append(f"{statistics.median(official['song']) / song:.2f}")
    if "folder" in result:
        cells += [f"{result['folder'] / songs:.2f}", f"{official['folder'] / result['folder']:.2f}"]
    else:
        cells += ["", ""]
    megabytes = max(result["megabytes"], result.get("worker_megabytes", 0))
    cells += [f"{result['load']:.1f}", f"{megabytes:.0f}"]
    if engine == "torchopenl3":
        cells.append("")  # it has other weights
    else:
        norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(expected, axis=1)
        cells.append(f"{((vectors * expected).sum(axis=1) / norms).min():.6f}")
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
