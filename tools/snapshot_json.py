"""Write the JSON document of every command on the demo's music into a folder, so that two versions can be compared.

    python tools/snapshot_json.py BEFORE/.venv/bin/sonotheque before
    python tools/snapshot_json.py .venv/bin/sonotheque after
    diff -r before after

The music is copied beside the output folder, because JSON documents contain the paths of files.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

DEMO = Path(__file__).resolve().parent.parent / "sonotheque" / "demo"


def commands(music: Path, new: Path, scratch: Path) -> list[tuple[str, list[str]]]:
    """List (name of the snapshot, arguments of the command) in the order in which they run."""
    cello = str(music / "classical" / "john-michel-ave-maria-1.mp3")
    metal = str(next(iter(sorted((music / "metal").glob("*.mp3")))))
    unknown = str(next(iter(sorted(new.rglob("*.mp3")))))
    corrections = str(scratch / "corrections.csv")
    return [
        ("add", ["add", str(music), "--labels", str(music / "metadata.csv"), *spaces("musicnn", "descriptors")]),
        ("add-again", ["add", str(music)]),
        ("status", ["status"]),
        ("label", ["label", str(music / "metadata.csv")]),
        ("similar", ["similar", cello, "-k", "5", "--max-per-artist", "1"]),
        ("similar-genre", ["similar", cello, metal, "--genre", "classical"]),
        ("search", ["search", "slow acoustic vocals, not metal", "-k", "5"]),
        ("playlist", ["playlist", "--from", cello, "--to", metal, "-n", "6"]),
        ("similar-file", ["similar", unknown]),
        ("evaluate", ["evaluate"]),
        ("evaluate-segments", ["evaluate", "--model", "svm", "--decision", "learned", "--repeats", "2"]),
        ("evaluate-curve", ["evaluate", "--model", "logreg", "--embedder", "musicnn", "--learning-curve"]),
        ("evaluate-search", ["evaluate", "--trials", "3"]),
        ("evaluate-ensemble", ["evaluate", "--model", "ensemble"]),
        ("evaluate-all", ["evaluate", "--model", "all"]),
        ("evaluate-report", ["evaluate", "--model", "lightgbm", "--report", str(scratch / "report")]),
        ("train", ["train"]),
        ("classify", ["classify", str(new), "--timeline"]),
        ("classify-csv", ["classify", str(new), "--csv", str(scratch / "predictions.csv")]),
        ("classify-known", ["classify", str(music / "classical")]),
        ("train-segments", ["train", "--model", "svm", "--decision", "vote"]),
        ("classify-segments", ["classify", str(new), "--timeline"]),
        ("train-ensemble", ["train", "--model", "ensemble"]),
        ("classify-ensemble", ["classify", str(new), "--abstain", "0.9"]),
        ("train-search", ["train", "--trials", "3"]),
        ("map", ["map", "-o", str(scratch / "map.html")]),
        ("map-descriptors", ["map", "-o", str(scratch / "map2.html"), "--embedder", "descriptors", "--seed", "3"]),
        ("clusters", ["clusters", "--csv", str(scratch / "clusters.csv")]),
        ("errors", ["errors", "--csv", corrections]),
        ("inspect", ["inspect", unknown, "-o", str(scratch / "inspect.png")]),
        ("export-tags", ["export", "--tags", str(scratch / "tags.csv")]),
        ("export-parquet", ["export", "--parquet", str(scratch / "tracks.parquet")]),
        ("tag", ["tag", "--predicted"]),
        ("tag-write", ["tag", str(music / "classical"), "--write", "--overwrite"]),
        ("add-tagged", ["add", str(music)]),
        ("errors-apply", ["errors", "--apply", corrections]),
        ("remove", ["remove", str(music / "metal")]),
        ("status-last", ["status"]),
    ]


def spaces(*names: str) -> list[str]:
    """Return the options that name embedders."""
    return [argument for name in names for argument in ("--embedder", name)]


def decide(corrections: Path) -> None:
    """Fill in the first three rows of a table of label corrections."""
    with corrections.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[:3]:
        row["decision"] = row["proposal"]
    with corrections.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the command sonotheque of the version to look at")
    parser.add_argument("folder", type=Path, help="where the documents are written")
    parser.add_argument("--library", type=Path, help="library to use (made anew by default)")
    options = parser.parse_args(argv)
    scratch = Path("snapshot-scratch").resolve()
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    shutil.copytree(DEMO, scratch)
    library = options.library or scratch / "library"
    for number, (name, arguments) in enumerate(commands(scratch / "music", scratch / "new", scratch)):
        if options.library and arguments[0] == "add" and name == "add":
            arguments = ["add", str(scratch / "music")]
        done = subprocess.run(  # noqa: S603 - our own commands
            [options.program, "-L", str(library), *arguments, "--json"], capture_output=True, check=False
        )
        (options.folder / f"{number:02d}-{name}.json").write_bytes(done.stdout)
        print(f"{name}: exit status {done.returncode}, {len(done.stdout)} bytes", file=sys.stderr)
        if done.returncode:
            print(done.stderr.decode(), file=sys.stderr)
        if name == "errors":
            decide(scratch / "corrections.csv")
    import numpy as np
    import pyarrow.parquet as pq

    table = pq.read_table(scratch / "tracks.parquet")
    digest = hashlib.sha256(np.array(table["vector"].to_pylist(), dtype="<f4").tobytes()).hexdigest()
    (options.folder / "vectors.sha256").write_text(f"{digest}\n")
    for name in ("predictions.csv", "clusters.csv", "tags.csv", "corrections.csv"):
        shutil.copy(scratch / name, options.folder / name)


if __name__ == "__main__":
    main()
