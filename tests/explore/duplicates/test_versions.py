"""Titles name versions of a piece, and the harmony of two versions is compared in any key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf

from sonotheque.explore.duplicates.harmony import compute_chroma, match_harmony, unpack_chroma
from sonotheque.explore.duplicates.versions import MAX_SAME_TITLE, parse_title, propose_versions
from sonotheque.store.recordings import TitledTrack

RATE = 22_050


@pytest.mark.parametrize(
    ("title", "piece", "kind"),
    [
        ("Hurt", "hurt", None),
        ("Hurt (Live)", "hurt", "live"),
        ("Hurt - Live in Paris", "hurt", "live"),
        ("HURT [Karaoke Version]", "hurt", "karaoke"),
        ("Hurt - 2011 Remastered", "hurt", "remaster"),
        ("Hurt (Radio Edit)", "hurt", "edit"),
        ("Hurt (Four Tet Remix) [Live]", "hurt", "remix"),
        ("Hurt (feat. Someone)", "hurt", None),
        ("Hurt feat. Someone", "hurt", None),
        ("Déjà vu – Live", "deja vu", "live"),
        ("Live and Let Die", "live and let die", None),
        ("Cover Me", "cover me", None),
        ("Sonata No. 2 (Allegro)", "sonata no 2 allegro", None),
        ("Sonata - Allegro", "sonata allegro", None),
        ("Delivered (Delivery)", "delivered delivery", None),
        ("Track 07", "", None),
        ("Untitled", "", None),
        ("Intro (Live)", "", "live"),
        ("07", "", None),
        ("", "", None),
    ],
)
def test_titles(title: str, piece: str, kind: str | None) -> None:
    parsed = parse_title(title)
    assert (parsed.piece, parsed.kind) == (piece, kind)


def titled(number: int, title: str | None, artist: str | None, path: str = "/m/x.mp3") -> TitledTrack:
    return TitledTrack(number, title, artist, path)


def test_versions_are_pairs_with_one_piece() -> None:
    tracks = [
        titled(1, "Hurt", "Nine Inch Nails"),
        titled(2, "Hurt (Live)", "nine inch nails"),
        titled(3, "Hurt", "Johnny Cash"),
        titled(4, "Hurting", "Nine Inch Nails"),
        titled(5, None, None, "/m/05 - hurt.mp3"),
    ]
    found = [(pair.first, pair.second, pair.kind, pair.same_artist) for pair in propose_versions(tracks)]
    assert found == [
        (1, 2, "live", True),
        (1, 3, None, False),
        (1, 5, None, False),
        (2, 3, "live", False),
        (2, 5, "live", False),
        (3, 5, None, False),
    ]


def test_a_title_of_many_tracks_names_no_piece() -> None:
    tracks = [titled(number, "Prelude", f"artist {number}") for number in range(MAX_SAME_TITLE + 1)]
    assert list(propose_versions(tracks)) == []
    assert len(list(propose_versions(tracks[1:]))) == MAX_SAME_TITLE * (MAX_SAME_TITLE - 1) // 2


def write_chords(path: Path, chords: npt.NDArray[np.int64], *, semitones: int = 0, seconds: float = 1.0) -> Path:
    time = np.arange(int(seconds * RATE)) / RATE
    parts = []
    for root in chords:
        notes = 220 * 2 ** ((root + semitones + np.array([0, 4, 7])) / 12)
        parts.append(np.sin(2 * np.pi * notes[:, None] * time).sum(axis=0) * 0.1)
    sf.write(path, np.concatenate(parts), RATE)
    return path


def test_harmony_is_found_in_another_key_and_tempo(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    chords, others = generator.integers(0, 12, 40), generator.integers(0, 12, 40)
    first = unpack_chroma(compute_chroma(write_chords(tmp_path / "a.wav", chords)))
    assert first.shape == (106, 12)
    assert first.max() == 1
    version = unpack_chroma(compute_chroma(write_chords(tmp_path / "b.wav", chords, semitones=3, seconds=1.15)))
    different = unpack_chroma(compute_chroma(write_chords(tmp_path / "c.wav", others)))
    match, no_match = match_harmony(first, version), match_harmony(first, different)
    assert match is not None
    assert no_match is not None
    assert match.score > 0.5
    assert match.transposition == 3
    assert no_match.score < match.score / 2


def test_harmony_of_silence_is_unknown() -> None:
    chroma = np.random.default_rng(0).random((100, 12))
    assert match_harmony(chroma, np.zeros((100, 12))) is None
    assert match_harmony(chroma, chroma[:26]) is None
    assert match_harmony(chroma, np.zeros((0, 12))) is None
