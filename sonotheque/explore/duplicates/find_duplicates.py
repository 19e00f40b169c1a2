"""Find byte-identical files, tracks that are one recording, and tracks that may be versions of one piece.

Vectors and titles propose pairs of tracks. Fingerprints decide whether they are one recording, and the lengths have to agree.
Versions are proposed by titles, and their harmony is compared. Nothing is merged or deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from sonotheque import results
from sonotheque.audio.fingerprint import SPECTRAL, FingerprintMethod
from sonotheque.errors import LibraryError
from sonotheque.explore.duplicates.candidates import (
    VectorIndex,
    have_similar_lengths,
    near_duplicate_similarity,
    pair_rows,
    propose_pairs,
)
from sonotheque.explore.duplicates.fingerprints import TrackFingerprints
from sonotheque.explore.duplicates.harmony import CHROMA, HarmonyMatch, match_harmony, unpack_chroma
from sonotheque.explore.duplicates.matching import MIN_OVERLAP, THRESHOLDS, FingerprintMatch, match_fingerprints
from sonotheque.explore.duplicates.versions import VersionCandidate, propose_versions
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import Progress

MIN_HARMONY = 0.35
"""Minimum harmony score of two tracks with the same title of which nothing else says that they are versions
(docs/benchmarks/duplicates.md)."""

BETTER_LENGTH = 1.0
"""A file that is shorter than the longest one by more than this, in s, is not the better one."""


@dataclass(frozen=True)
class ComparedPair:
    """Two tracks, their cosine similarity, and how well their fingerprints agree; None if this is not known.

    `confirmed` is false if the spectral fingerprints do not agree although those of another method do.
    """

    first: int
    second: int
    similarity: float
    match: FingerprintMatch | None
    confirmed: bool = True


def find_duplicates(
    catalogue: Catalogue,
    *,
    space: str,
    index: VectorIndex,
    method: FingerprintMethod,
    progress: Progress | None = None,
) -> results.DuplicatesResult:
    """Find duplicates among the tracks of a catalogue.

    Parameters
    ----------
    catalogue : Catalogue
        Fingerprints that are computed are stored in it.
    space : str
        Id of the space whose nearest neighbours are compared.
    index : VectorIndex
        The index of the space.
    method : FingerprintMethod
        Chromaprints that agree are confirmed by spectral fingerprints: loops and drones that two recordings share are enough for
        Chromaprint (docs/benchmarks/duplicates.md).
    progress : callable or None
        Called with (files done, files to do) while files are decoded.

    Returns
    -------
    DuplicatesResult
    """
    with suppress(LibraryError):  # read-only, or in use for long
        catalogue.fingerprints.delete_unused()
    ids, vectors = catalogue.vectors.matrix(space)
    known, lengths, silent = catalogue.recordings.lengths()
    places = np.searchsorted(known, ids)
    audible = ~silent[places]
    if not audible.all():
        ids, places, vectors = ids[audible], places[audible], vectors[audible]
    versions = list(propose_versions(catalogue.recordings.titles()))
    near_duplicates = near_duplicate_similarity(space)
    nearest = propose_pairs(ids, vectors, lengths[places], index=index, near_duplicates=near_duplicates)
    titled = pair_rows(ids, vectors, lengths[places], [(pair.first, pair.second) for pair in versions])
    del vectors
    rows, first_places = np.unique(np.concatenate([nearest[0], titled[0]]), axis=0, return_index=True)
    similarities = np.concatenate([nearest[1], titled[1]])[first_places]
    pairs = [(int(ids[first]), int(ids[second])) for first, second in rows]
    tracks = catalogue.tracks.read({track for pair in pairs for track in pair})
    fingerprints = TrackFingerprints(catalogue, method)
    fingerprints.compute(tracks.values(), progress=progress)
    compared = _compare(
        pairs, similarities.tolist(), tracks=tracks, fingerprints=fingerprints, near_duplicates=near_duplicates
    )
    spectral = TrackFingerprints(catalogue, SPECTRAL)
    if method is not SPECTRAL:
        compared = _confirm(compared, tracks=tracks, method=method, spectral=spectral, progress=progress)
    sure = [pair for pair in compared if _is_sure(pair, tracks, method)]
    groups = _connect(sure, tracks)
    group_of = {track: number for number, group in enumerate(groups) for track in group}
    chroma = TrackFingerprints(catalogue, CHROMA)
    separate = [pair for pair in versions if not _in_one_group(pair.first, pair.second, group_of)]
    return results.DuplicatesResult(
        space=space,
        fingerprint=method.id,
        tracks=len(ids),
        pairs=len(pairs),
        identical=list_identical_files(catalogue),
        same_recording=_describe_groups(groups, sure, tracks=tracks, catalogue=catalogue),
        other_versions=_find_versions(separate, catalogue=catalogue, chroma=chroma, progress=progress),
        unsure=[
            _describe_unsure(pair, tracks)
            for pair in sorted(compared, key=lambda pair: _unsure_order(pair, tracks))
            if not _in_one_group(pair.first, pair.second, group_of) and _is_unsure(pair, tracks, method)
        ],
        failed=[
            results.FailedFile(path, reason)
            for path, reason in sorted({**chroma.failed, **spectral.failed, **fingerprints.failed}.items())
        ],
    )


def list_identical_files(catalogue: Catalogue) -> list[results.IdenticalFiles]:
    """List the tracks that have several files, ordered by path."""
    found = catalogue.recordings.with_several_files()
    tracks = catalogue.tracks.read(found)
    return [
        results.IdenticalFiles(catalogue.files.of_track(track), tracks[track].title, tracks[track].artist)
        for track in found
    ]


def _compare(
    pairs: Sequence[tuple[int, int]],
    similarities: Sequence[float],
    *,
    tracks: dict[int, Track],
    fingerprints: TrackFingerprints,
    near_duplicates: float,
) -> list[ComparedPair]:
    """Compare the fingerprints of pairs, and keep those that may be one recording."""
    thresholds = THRESHOLDS[fingerprints.method.id]
    compared = []
    for (first, second), similarity in zip(pairs, similarities, strict=True):
        steps = fingerprints.get(tracks[first]), fingerprints.get(tracks[second])
        match = match_fingerprints(*steps, hop=fingerprints.method.hop)
        minimum = thresholds.unsure
        if match is None and min(map(len, steps)):  # too short, or hardly audible
            match, minimum = match_fingerprints(*steps, hop=fingerprints.method.hop, min_overlap=0), thresholds.sure
        unknown = match is None and similarity >= near_duplicates
        if unknown or (match is not None and match.agreement >= minimum):
            if tracks[first].path > tracks[second].path:  # so that a result does not depend on the order of adding
                first, second = second, first
                match = match and FingerprintMatch(match.agreement, 0.0 - match.offset, match.overlap)
            compared.append(ComparedPair(first, second, similarity, match))
    return compared


def _confirm(
    compared: Sequence[ComparedPair],
    *,
    tracks: dict[int, Track],
    method: FingerprintMethod,
    spectral: TrackFingerprints,
    progress: Progress | None,
) -> list[ComparedPair]:
    """Compare the spectral fingerprints of the pairs that another method finds sure."""
    sure = [pair for pair in compared if _is_sure(pair, tracks, method)]
    spectral.compute(
        {track: tracks[track] for pair in sure for track in (pair.first, pair.second)}.values(), progress=progress
    )
    refuted = set()
    for pair in sure:
        steps = spectral.get(tracks[pair.first]), spectral.get(tracks[pair.second])
        match = match_fingerprints(*steps, hop=SPECTRAL.hop)
        if match is None or match.agreement < THRESHOLDS[SPECTRAL.id].sure:
            refuted.add((pair.first, pair.second))
    return [replace(pair, confirmed=(pair.first, pair.second) not in refuted) for pair in compared]


def _have_similar_lengths(pair: ComparedPair, tracks: dict[int, Track]) -> bool:
    lengths = (np.array(tracks[track].seconds) for track in (pair.first, pair.second))
    return bool(have_similar_lengths(*lengths))


def _is_sure(pair: ComparedPair, tracks: dict[int, Track], method: FingerprintMethod) -> bool:
    return (
        pair.match is not None
        and pair.confirmed
        and pair.match.overlap >= MIN_OVERLAP
        and pair.match.agreement >= THRESHOLDS[method.id].sure
        and _have_similar_lengths(pair, tracks)
    )


def _is_unsure(pair: ComparedPair, tracks: dict[int, Track], method: FingerprintMethod) -> bool:
    if pair.match is None or pair.match.overlap < MIN_OVERLAP:
        return _have_similar_lengths(pair, tracks)
    return not _is_sure(pair, tracks, method)


def _unsure_order(pair: ComparedPair, tracks: dict[int, Track]) -> tuple[float, float, str, str]:
    agreement = 0.0 if pair.match is None else pair.match.agreement
    return -agreement, -pair.similarity, tracks[pair.first].path, tracks[pair.second].path


def _connect(pairs: Iterable[ComparedPair], tracks: dict[int, Track]) -> list[list[int]]:
    """Return the connected components of pairs, each ordered by path, in the order of their first paths."""
    parent: dict[int, int] = {}

    def root(track: int) -> int:
        parent.setdefault(track, track)
        while parent[track] != track:
            parent[track] = parent[parent[track]]
            track = parent[track]
        return track

    for pair in pairs:
        parent[root(pair.second)] = root(pair.first)
    groups: dict[int, list[int]] = {}
    for track in sorted(parent, key=lambda track: tracks[track].path):
        groups.setdefault(root(track), []).append(track)
    return list(groups.values())


def _in_one_group(first: int, second: int, group_of: dict[int, int]) -> bool:
    return first in group_of and group_of[first] == group_of.get(second)


def _describe_groups(
    groups: Sequence[Sequence[int]],
    sure: Iterable[ComparedPair],
    *,
    tracks: dict[int, Track],
    catalogue: Catalogue,
) -> list[results.RecordingGroup]:
    pairs: dict[int, list[ComparedPair]] = {}
    group_of = {track: number for number, group in enumerate(groups) for track in group}
    for pair in sure:
        pairs.setdefault(group_of[pair.first], []).append(pair)
    return [
        results.RecordingGroup(
            files=_describe_files([tracks[track] for track in group], catalogue),
            agreement=min(pair.match.agreement for pair in pairs[number] if pair.match is not None),
            similarity=min(pair.similarity for pair in pairs[number]),
        )
        for number, group in enumerate(groups)
    ]


def _describe_files(tracks: Sequence[Track], catalogue: Catalogue) -> list[results.RecordingFile]:
    bit_rates = [
        round(catalogue.recordings.sizes(track.id)[track.path] * 8 / 1000 / max(track.seconds, 0.001))
        for track in tracks
    ]
    longest = max(track.seconds for track in tracks)
    whole = [track.seconds >= longest - BETTER_LENGTH for track in tracks]
    best = max(bit_rate for bit_rate, is_whole in zip(bit_rates, whole, strict=True) if is_whole)
    better = [is_whole and bit_rate == best for bit_rate, is_whole in zip(bit_rates, whole, strict=True)]
    return [
        results.RecordingFile(
            path=track.path,
            title=track.title,
            artist=track.artist,
            album=track.album,
            seconds=track.seconds,
            bit_rate=bit_rate,
            likely_better=is_better and not all(better),
        )
        for track, bit_rate, is_better in zip(tracks, bit_rates, better, strict=True)
    ]


def _describe_unsure(pair: ComparedPair, tracks: dict[int, Track]) -> results.UnsurePair:
    difference = tracks[pair.first].seconds - tracks[pair.second].seconds
    if pair.match is None:
        reason = "similar vectors, but no fingerprints of both"
    elif not _have_similar_lengths(pair, tracks):
        reason = f"the fingerprints agree, but one is {abs(difference):.0f} s longer: an excerpt or another edit"
    elif pair.match.overlap < MIN_OVERLAP:
        reason = f"the fingerprints agree, but for less than {MIN_OVERLAP:.0f} s, which is too short to be sure"
    elif not pair.confirmed:
        reason = "Chromaprint agrees, but the spectral fingerprints do not: perhaps the same loops or drones"
    else:
        reason = "the fingerprints agree only in part: another mix or edit, or a poor encoding"
    match = pair.match
    return results.UnsurePair(
        paths=(tracks[pair.first].path, tracks[pair.second].path),
        similarity=pair.similarity,
        agreement=None if match is None else match.agreement,
        offset=None if match is None else match.offset,
        overlap=None if match is None else match.overlap,
        length_difference=round(difference, 2),
        reason=reason,
    )


def _find_versions(
    candidates: Sequence[VersionCandidate],
    *,
    catalogue: Catalogue,
    chroma: TrackFingerprints,
    progress: Progress | None,
) -> list[results.VersionPair]:
    """Compare the harmony of tracks with the title of one piece.

    A pair is returned if the harmony is similar, or if the titles of one artist name a kind of version.
    """
    tracks = catalogue.tracks.read({track for pair in candidates for track in (pair.first, pair.second)})
    candidates = [pair for pair in candidates if not (tracks[pair.first].silent or tracks[pair.second].silent)]
    chroma.compute(
        {track: tracks[track] for pair in candidates for track in (pair.first, pair.second)}.values(), progress=progress
    )
    found = []
    for pair in candidates:
        first, second = tracks[pair.first], tracks[pair.second]
        match = match_harmony(unpack_chroma(chroma.get(first)), unpack_chroma(chroma.get(second)))
        if (match is not None and match.score >= MIN_HARMONY) or (pair.kind is not None and pair.same_artist):
            found.append(_describe_version(pair.kind, first, second, match))
    return sorted(found, key=lambda pair: (-(pair.harmony or 0.0), pair.paths))


def _describe_version(kind: str | None, first: Track, second: Track, match: HarmonyMatch | None) -> results.VersionPair:
    return results.VersionPair(
        paths=(first.path, second.path),
        titles=(first.title, second.title),
        artists=(first.artist, second.artist),
        kind=kind or "version",
        harmony=None if match is None else match.score,
        transposition=None if match is None else match.transposition,
    )
