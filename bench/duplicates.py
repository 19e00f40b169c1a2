"""Make copies of recordings, and measure which of them `sonotheque duplicates` finds, with and without Chromaprint.

    python bench/duplicates.py AUDIO CACHE [--manifest manifest.csv] [--copied N] [--harmony]

AUDIO is a folder of recordings. Each is encoded again as MP3 (64 kbit/s) and Opus (64 kbit/s), trimmed by 3 s at its start or end,
made 6 dB quieter or louder (and clipped), equalised, and played 2% faster. The copies and a library of all are kept in CACHE;
a run that was stopped continues where it stopped. The manifest is a CSV with the columns ``path`` or ``file``, ``artist`` and
``genre``; without it, the artists are those of the file tags.

The artists are divided into two halves. Thresholds were chosen on the first half, the figures are those of the second half.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
import soundfile as sf

from sonotheque import Library
from sonotheque.audio import open_decoder
from sonotheque.audio.chromaprint import chromaprint_is_available
from sonotheque.audio.fingerprint import FingerprintMethod
from sonotheque.embed import musicnn
from sonotheque.explore.duplicates import probably_same_recording
from sonotheque.explore.duplicates.candidates import propose_pairs
from sonotheque.explore.duplicates.fingerprints import TrackFingerprints
from sonotheque.explore.duplicates.harmony import compute_chroma, match_harmony, unpack_chroma
from sonotheque.explore.duplicates.matching import METHODS, THRESHOLDS, FingerprintMatch, match_fingerprints
from sonotheque.extract.extraction import extract
from sonotheque.extract.file_identity import FileStamp, content_hash
from sonotheque.metadata.file_tags import read_tags
from sonotheque.store import Catalogue

Samples = npt.NDArray[Any]

TRIM, GAIN, SPEED = 3.0, 6.0, 1.02
BIT_RATE = 64_000


def decode(path: Path) -> tuple[Samples, int]:
    """Decode a recording to float32 [n, channels]."""
    decoder = open_decoder(path)
    try:
        return np.concatenate(list(decoder.blocks())), decoder.sample_rate
    finally:
        decoder.close()


def encode(path: Path, samples: Samples, rate: int, *, codec: str) -> None:
    """Encode samples with FFmpeg at `BIT_RATE`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000 if codec == "libopus" else rate)
        if not isinstance(stream, av.AudioStream):
            raise TypeError(codec)
        layout = "stereo" if samples.shape[1] == 2 else "mono"
        stream.layout = layout
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout=layout)
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            format=stream.format, layout=layout, rate=stream.rate, frame_size=stream.frame_size or 960
        )
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def write_flac(path: Path, samples: Samples, rate: int) -> None:
    """Write 16-bit FLAC. Samples beyond full scale are clipped."""
    sf.write(path, np.clip(samples, -1, 1 - 2**-15), rate, format="FLAC", subtype="PCM_16")


def shelf(samples: Samples, rate: int, *, hz: float, decibels: float, high: bool) -> Samples:
    """Apply a shelving filter with slope 1 (R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients")."""
    from scipy.signal import lfilter

    amplitude, w = 10 ** (decibels / 40), 2 * np.pi * hz / rate
    sign = -1.0 if high else 1.0
    cos, root = np.cos(w), np.sin(w) * np.sqrt(2 * amplitude)
    plus, minus = amplitude + 1, amplitude - 1
    b = amplitude * np.array(
        [plus - sign * minus * cos + root, sign * 2 * (minus - sign * plus * cos), plus - sign * minus * cos - root]
    )
    a = np.array(
        [plus + sign * minus * cos + root, -sign * 2 * (minus + sign * plus * cos), plus + sign * minus * cos - root]
    )
    filtered: Samples = lfilter(b, a, samples, axis=0).astype(np.float32)
    return filtered


def equalise(samples: Samples, rate: int) -> Samples:
    """Raise the bass (below 150 Hz) and the treble (above 5 kHz) by 6 dB, and lower the level by 6 dB."""
    bass = shelf(samples, rate, hz=150, decibels=6, high=False)
    return shelf(bass, rate, hz=5000, decibels=6, high=True) / 2


def change_speed(samples: Samples, rate: int, *, speed: float = SPEED) -> Samples:
    """Play faster, with a higher pitch."""
    import soxr

    faster: Samples = soxr.resample(samples, rate * speed, rate, quality="HQ").astype(np.float32)
    return faster


def make_mp3(path: Path, samples: Samples, rate: int) -> None:
    encode(path, samples, rate, codec="libmp3lame")


def make_opus(path: Path, samples: Samples, rate: int) -> None:
    encode(path, samples, rate, codec="libopus")


Maker = Callable[[Path, Samples, int], None]

COPIES: Mapping[str, tuple[str, Maker]] = {
    "mp3 64": (".mp3", make_mp3),
    "opus 64": (".opus", make_opus),
    "start cut": (".flac", lambda path, x, rate: write_flac(path, x[round(TRIM * rate) :], rate)),
    "end cut": (".flac", lambda path, x, rate: write_flac(path, x[: -round(TRIM * rate)], rate)),
    "-6 dB": (".flac", lambda path, x, rate: write_flac(path, x * np.float32(10 ** (-GAIN / 20)), rate)),
    "+6 dB": (".flac", lambda path, x, rate: write_flac(path, x * np.float32(10 ** (GAIN / 20)), rate)),
    "eq": (".flac", lambda path, x, rate: write_flac(path, equalise(x, rate), rate)),
    "speed": (".flac", lambda path, x, rate: write_flac(path, change_speed(x, rate), rate)),
}
"""The copies that are made of each recording: extension and maker."""


def copy_path(cache: Path, name: str, clip: Path) -> Path:
    """Return where a copy of a clip lies."""
    return cache / "copies" / name / (clip.stem + COPIES[name][0])


def make_copies(clip: Path, cache: Path) -> list[Path]:
    """Make the copies of a recording that are missing, and return the paths of all."""
    missing = [name for name in COPIES if not copy_path(cache, name, clip).exists()]
    if missing:
        samples, rate = decode(clip)
    for name in missing:
        path = copy_path(cache, name, clip)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name("part" + path.suffix)
        COPIES[name][1](part, samples, rate)
        os.replace(part, path)
    return [copy_path(cache, name, clip) for name in COPIES]


@dataclass(frozen=True)
class Clips:
    """The recordings, with their artists and genres; `half` is 0 for those on which thresholds are chosen, and 1 for the others."""

    paths: Sequence[Path]
    artists: Sequence[str]
    genres: Sequence[str]
    half: Sequence[int]


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def read_clips(folder: Path, manifest: Path | None) -> Clips:
    """List the recordings of a folder in a random order, and divide the artists into two halves by the hash of their names."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in {".mp3", ".flac", ".ogg", ".wav"})
    paths = sorted(found, key=lambda path: digest(path.name))
    rows: dict[str, dict[str, str]] = {}
    if manifest is not None:
        with manifest.open(encoding="utf-8", newline="") as file:
            rows = {Path(row.get("path") or row["file"]).name: row for row in csv.DictReader(file)}
    artists, genres = [], []
    for path in paths:
        row = rows.get(path.name) or {}
        artists.append(row.get("artist") or read_tags(str(path)).artist or path.stem)
        genres.append(row.get("genre") or "")
    half = [digest(artist)[0] % 2 for artist in artists]
    return Clips(paths, artists, genres, half)


def make_library(clips: Clips, cache: Path, *, copied: int | None) -> None:
    """Add the recordings and the copies of the first ones to the library in the cache. What is there is not computed again."""
    with Library(cache / "library") as library:
        known = set(library.catalogue.files.all())

        def add(path: Path) -> None:
            name = os.path.abspath(path)
            if name not in known:
                extraction = extract(name, [musicnn.SPACE.id])
                library.catalogue.store_extraction(content_hash(name), {name: FileStamp.of(name)}, extraction)

        for clip in clips.paths:
            add(clip)
        for number, clip in enumerate(clips.paths[:copied], start=1):
            for path in make_copies(clip, cache):
                add(path)
            print(f"copies of {number} of {len(clips.paths[:copied])} clips", flush=True)


class Truth:
    """Which recording each file of the library is, and what was done to it."""

    def __init__(self, clips: Clips, cache: Path, known: Container[str]) -> None:
        self.clip: dict[str, int] = {}
        self.copy: dict[str, str] = {}
        for number, clip in enumerate(clips.paths):
            for name, path in (("original", clip), *((name, copy_path(cache, name, clip)) for name in COPIES)):
                if os.path.abspath(path) in known:
                    self.clip[os.path.abspath(path)] = number
                    self.copy[os.path.abspath(path)] = name


def compare_all_originals(clips: Clips, library: Library, method: FingerprintMethod) -> None:
    """Print the highest agreement of two different recordings, over all pairs, not only those that vectors propose."""
    fingerprints = TrackFingerprints(library.catalogue, method)
    by_path = {track.path: track for track in library.catalogue.tracks.all()}
    tracks = [by_path[os.path.abspath(path)] for path in clips.paths]
    fingerprints.compute(tracks)
    found = []
    for first, second in combinations(range(len(tracks)), 2):
        match = match_fingerprints(fingerprints.get(tracks[first]), fingerprints.get(tracks[second]), hop=method.hop)
        if match is not None:
            found.append((match.agreement, match.offset, first, second))
    found.sort(reverse=True)
    agreements = np.array([one[0] for one in found])
    print(f"\n{method.id}: {len(found)} pairs of different clips; highest agreements")
    for agreement, offset, *rows in found[:8]:
        names = ", ".join(f"{clips.paths[row].stem} {clips.artists[row]}" for row in rows)
        print(f"  {agreement:.3f} at {offset:+.1f} s: {names}")
    print(
        "  quantiles .5 .9 .99 .999: "
        + " ".join(f"{value:.3f}" for value in np.quantile(agreements, [0.5, 0.9, 0.99, 0.999]))
    )


def compare_proposed(
    library: Library, method: FingerprintMethod
) -> list[tuple[str, str, float, FingerprintMatch | None]]:
    """Propose pairs as `find_duplicates` does, and compare their fingerprints: (path, path, cosine, match)."""
    catalogue = library.catalogue
    (space,) = catalogue.spaces.all()
    ids, vectors = catalogue.vectors.matrix(space.id)
    known, lengths, silent = catalogue.recordings.lengths()
    places = np.searchsorted(known, ids)
    audible = ~silent[places]
    ids, vectors, seconds = ids[audible], vectors[audible], lengths[places][audible]
    rows, cosines = propose_pairs(ids, vectors, seconds, index=library._indexes.open(space.id))
    tracks = catalogue.tracks.read(ids.tolist())
    fingerprints = TrackFingerprints(catalogue, method)
    fingerprints.compute(tracks.values(), progress=lambda done, total: report(done, total, "fingerprints"))
    compared = []
    for (first, second), cosine in zip(rows, cosines, strict=True):
        one, two = tracks[int(ids[first])], tracks[int(ids[second])]
        match = match_fingerprints(fingerprints.get(one), fingerprints.get(two), hop=method.hop)
        compared.append((one.path, two.path, float(cosine), match))
    return compared


def report(done: int, total: int, what: str) -> None:
    """Print a line for each 200 files."""
    if done % 200 == 0:
        print(f"{what}: {done} of {total} files", flush=True)


def print_distributions(
    compared: Sequence[tuple[str, str, float, FingerprintMatch | None]], truth: Truth, clips: Clips
) -> None:
    """Print quantiles of the agreement and of the cosine on the first half of the artists, on which thresholds are chosen."""
    groups: dict[str, list[tuple[float, float]]] = {}
    for one, two, cosine, match in compared:
        first, second = truth.clip[one], truth.clip[two]
        if clips.half[first] or clips.half[second]:
            continue
        copies = {truth.copy[one], truth.copy[two]}
        kind = "different" if first != second else "speed" if "speed" in copies else "same"
        groups.setdefault(kind, []).append((cosine, 0.0 if match is None else match.agreement))
    for kind, values in groups.items():
        cosines, agreements = np.array(values).T
        for name, column in (("agreement", agreements), ("cosine", cosines)):
            quantiles = np.quantile(column, [0, 0.001, 0.01, 0.05, 0.5, 0.95, 0.99, 0.999, 1])
            print(
                f"  first half, {kind} ({len(values)} pairs), {name}: min .001 .01 .05 .5 .95 .99 .999 max "
                + " ".join(f"{q:.3f}" for q in quantiles)
            )


def evaluate(library: Library, method: FingerprintMethod, name: str, truth: Truth, clips: Clips) -> None:
    """Run `Library.duplicates` on everything, and print recall and false pairs of the second half of the artists."""
    started = time.perf_counter()
    result = library.duplicates(fingerprint=name)
    print(f"\n{name}: {result.pairs} pairs compared, {time.perf_counter() - started:.0f} s with stored fingerprints")
    group = {file.path: number for number, group in enumerate(result.same_recording) for file in group.files}
    unsure = {frozenset(pair.paths) for pair in result.unsure}
    paths = [path for path, clip in truth.clip.items() if clips.half[clip]]
    by_clip: dict[int, list[str]] = {}
    for path in paths:
        by_clip.setdefault(truth.clip[path], []).append(path)
    found: dict[str, Counter[str]] = {}
    for files in by_clip.values():
        for one, two in combinations(files, 2):
            copies = {truth.copy[one], truth.copy[two]}
            outcome = (
                "found"
                if one in group and group[one] == group.get(two)
                else "unsure"
                if frozenset((one, two)) in unsure
                else "missed"
            )
            kinds = [f"original, {copy}" for copy in copies - {"original"} if "original" in copies]
            for kind in (*kinds, "all pairs with speed" if "speed" in copies else "all pairs without speed"):
                found.setdefault(kind, Counter())[outcome] += 1
    for kind, counts in found.items():
        recall, other = counts["found"] / counts.total(), f"unsure {counts['unsure']}, missed {counts['missed']}"
        print(f"  {kind}: recall {recall:.4f} of {counts.total()}, {other}")
    members: dict[int, list[str]] = {}
    for path, number in group.items():
        members.setdefault(number, []).append(path)
    for label, among in (("second half", 1), ("first half", 0)):
        proposed = false = 0
        by_genre: Counter[str] = Counter()
        for files in members.values():
            for one, two in combinations(files, 2):
                first, second = truth.clip[one], truth.clip[two]
                if clips.half[first] != among and clips.half[second] != among:
                    continue
                proposed += 1
                if first != second:
                    false += 1
                    by_genre[f"{clips.genres[first]}, {clips.genres[second]}"] += 1
        print(f"  {label}: {false} of {proposed} pairs in groups are false {dict(by_genre) or ''}")
    wrong = sum(truth.clip[one] != truth.clip[two] for one, two in map(tuple, unsure))
    print(
        f"  unsure: {len(unsure)} pairs, {wrong} of them different clips; other versions: {len(result.other_versions)}"
    )


def print_sure_pairs(
    compared: Sequence[tuple[str, str, float, FingerprintMatch | None]],
    method: FingerprintMethod,
    truth: Truth,
    clips: Clips,
) -> None:
    """Print what a method alone finds, without joining pairs to groups.

    For the second half: how many copies are joined to the original directly.
    For each half: how many sure pairs are different clips.
    """
    pairs = {frozenset((one, two)): match for one, two, _, match in compared}
    for copy in COPIES:
        clips_with_copy = {truth.clip[path] for path, name in truth.copy.items() if name == copy}
        rows = [
            {truth.copy[path]: path for path, clip in truth.clip.items() if clip == number}
            for number in clips_with_copy
            if clips.half[number]
        ]
        matches = [pairs.get(frozenset((row["original"], row[copy]))) for row in rows]
        direct = sum(match is not None and match.agreement >= THRESHOLDS[method.id].sure for match in matches)
        proposed = sum(match is not None for match in matches)
        print(
            f"  {method.id}, original and {copy}: {proposed} of {len(rows)} pairs proposed, {direct} sure without others"
        )
    for half in (0, 1):
        counts: Counter[bool] = Counter()
        for one, two, _, match in compared:
            first, second = truth.clip[one], truth.clip[two]
            among = half in {clips.half[first], clips.half[second]}
            if among and match is not None and match.agreement >= THRESHOLDS[method.id].sure:
                counts[first == second] += 1
        print(
            f"  {method.id} alone, half {half + 1}: {counts[False]} of {counts.total()} sure pairs are different clips"
        )


class NoFingerprints:
    """A catalogue without stored fingerprints."""

    fingerprints = SimpleNamespace(read=lambda content, method: None)

    def __init__(self, catalogue: Catalogue) -> None:
        self.vectors = catalogue.vectors


def evaluate_search_results(library: Library, truth: Truth, clips: Clips) -> None:
    """Print how well the nearest ten tracks of each file of the second half are told to be the query's recording."""
    catalogue = library.catalogue
    (space,) = catalogue.spaces.all()
    index = library._indexes.open(space.id)
    tracks = {track.id: track for track in catalogue.tracks.all()}
    for name, stored in (
        ("vectors and lengths", cast(Catalogue, NoFingerprints(catalogue))),
        ("stored fingerprints", catalogue),
    ):
        counts: Counter[tuple[str, bool, bool]] = Counter()
        for track in tracks.values():
            if not clips.half[truth.clip[track.path]]:
                continue
            ids, _ = index.search(catalogue.vectors.track_vector(track.id, space.id)[None], k=11)
            hits = [tracks[int(id_)] for id_ in ids[0] if int(id_) != track.id]
            same = probably_same_recording(track, hits, catalogue=stored, space=space.id)
            for hit, told in zip(hits, same, strict=True):
                kind = "with speed" if "speed" in {truth.copy[hit.path], truth.copy[track.path]} else "without speed"
                counts[kind, truth.clip[hit.path] == truth.clip[track.path], told] += 1
        for kind in ("without speed", "with speed"):
            found, missed, false = (counts[kind, *key] for key in ((True, True), (True, False), (False, True)))
            print(
                f"  results of a search by {name}, {kind}: recall {found / max(found + missed, 1):.4f} of "
                f"{found + missed}, precision {found / max(found + false, 1):.4f} of {found + false}"
            )


VERSIONS: Mapping[str, Callable[[Samples, int], Samples]] = {
    "centre removed (as karaoke)": lambda x, rate: np.repeat(x[:, :1] - x[:, 1:], 2, axis=1) / np.float32(2),
    "2 semitones higher and 12% faster": lambda x, rate: change_speed(x, rate, speed=2 ** (2 / 12)),
    "2% faster": lambda x, rate: change_speed(x, rate),
}
"""Made versions, whose harmony is compared with that of the recording."""


def measure_harmony(clips: Clips, cache: Path, *, copied: int | None, pairs: int = 2000) -> None:
    """Print how similar the harmony of made versions and of different recordings is, in each half of the artists."""
    folder = cache / "versions"
    folder.mkdir(parents=True, exist_ok=True)
    chroma = [unpack_chroma(compute_chroma(path)) for path in clips.paths]
    generator = np.random.default_rng(0)
    scores: dict[tuple[str, int], list[float]] = {}
    for first, second in generator.integers(0, len(chroma), (pairs, 2)):
        if clips.artists[first] != clips.artists[second] and clips.half[first] == clips.half[second]:
            match = match_harmony(chroma[first], chroma[second])
            scores.setdefault(("other artists", clips.half[first]), []).append(match.score if match else 0.0)
    for first, second in combinations(range(len(chroma)), 2):
        if clips.artists[first] == clips.artists[second]:
            match = match_harmony(chroma[first], chroma[second])
            scores.setdefault(("same artist", clips.half[first]), []).append(match.score if match else 0.0)
    for number, path in enumerate(clips.paths[:copied]):
        samples, rate = decode(path)
        if samples.shape[1] != 2 or np.abs(samples[:, 0] - samples[:, 1]).max() < 0.01:
            continue
        for name, make in VERSIONS.items():
            file = folder / "version.flac"
            write_flac(file, make(samples, rate), rate)
            match = match_harmony(chroma[number], unpack_chroma(compute_chroma(file)))
            scores.setdefault((name, clips.half[number]), []).append(match.score if match else 0.0)
    print("\nharmony: quantiles .05 .25 .5 .75 .95 .99, and fractions from .2 .3 .35 .4 .5 on")
    for (name, half), values in sorted(scores.items()):
        quantiles = " ".join(f"{value:.2f}" for value in np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95, 0.99]))
        fractions = " ".join(f"{np.mean(np.array(values) >= least):.3f}" for least in (0.2, 0.3, 0.35, 0.4, 0.5))
        print(f"  {name}, half {half + 1} ({len(values)}): {quantiles}; {fractions}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--harmony", action="store_true", help="measure the comparison of harmony instead")
    parser.add_argument("--copied", type=int, metavar="N", help="make copies of N of the recordings only")
    options = parser.parse_args()
    clips = read_clips(options.audio, options.manifest)
    if options.harmony:
        measure_harmony(clips, options.cache, copied=options.copied)
        return
    make_library(clips, options.cache, copied=options.copied)
    print(
        f"{len(clips.paths)} clips by {len(set(clips.artists))} artists; {sum(clips.half)} of them in the second half"
    )
    with Library(options.cache / "library") as library:
        truth = Truth(clips, options.cache, library.catalogue.files.all())
        for name, method in METHODS.items():
            if name == "chromaprint" and not chromaprint_is_available():
                print("Chromaprint is not installed")
                continue
            compare_all_originals(clips, library, method)
            compared = compare_proposed(library, method)
            print_distributions(compared, truth, clips)
            print_sure_pairs(compared, method, truth, clips)
            evaluate(library, method, name, truth, clips)
        evaluate_search_results(library, truth, clips)


if __name__ == "__main__":
    main()
