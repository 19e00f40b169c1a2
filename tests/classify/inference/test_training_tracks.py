"""Files that a classifier was trained on are recognised and get their out-of-fold prediction; weak predictions are marked."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest

from sonotheque import Library, results
from sonotheque.classify import SavedClassifier
from sonotheque.classify.inference.margin import MIN_MARGIN
from sonotheque.classify.inference.training_tracks import TrainingTracks, fingerprint
from sonotheque.console import print_inspection, print_predictions
from sonotheque.demo import music, unlabelled
from sonotheque.store.tracks import TrackRepository
from sonotheque.store.vectors import VectorRepository

METAL = music() / "metal" / "obsidian-shell-fear.mp3"
AVE = music() / "classical" / "john-michel-ave-maria-1.mp3"


def test_out_of_fold_predictions_are_those_of_evaluate(demo_library: Library) -> None:
    labels = {track.path: track.label for track in demo_library.catalogue.tracks.all()}
    tracks = demo_library.classify(music()).tracks
    assert len(tracks) == 46
    assert all(track.learned_from and track.label == labels[track.path] for track in tracks)
    held_out = [(track, track.out_of_fold) for track in tracks if track.out_of_fold is not None]
    assert {track.label for track in tracks} - {track.label for track, _ in held_out} == {"metal"}  # only three artists
    accuracy = float(np.mean([track.label == one.genre for track, one in held_out]))
    evaluated = demo_library.evaluate(model="logreg")
    assert len(held_out) == evaluated.tracks
    assert accuracy == pytest.approx(evaluated.accuracy)
    for track, one in held_out:
        assert one.probability == max(one.probabilities.values()) == one.probabilities[one.genre]
        assert list(one.probabilities) == list(track.probabilities)
    gain = np.mean(
        [track.probabilities[str(track.label)] - one.probabilities[str(track.label)] for track, one in held_out]
    )
    assert gain > 0  # why the probability of a training track is no evidence


def test_other_files_are_not_learned_from(demo_library: Library) -> None:
    tracks = demo_library.classify(unlabelled()).tracks
    assert {(track.learned_from, track.label, track.out_of_fold) for track in tracks} == {(False, None, None)}


def test_a_file_with_new_tags_is_recognised_by_its_sound(demo_library: Library, tmp_path: Path) -> None:
    shutil.copy(METAL, tmp_path / "other.mp3")
    tags: Any = mutagen.File(tmp_path / "other.mp3", easy=True)
    tags["title"] = "Another title"
    tags.save()
    (track,) = demo_library.classify(tmp_path / "other.mp3").tracks
    assert (track.learned_from, track.label) == (True, "metal")


def test_shared_fingerprints_identify_no_track() -> None:
    silence, sound = np.zeros(3, np.float32), np.ones(3, np.float32)
    prints = np.array([fingerprint(vector) for vector in (silence, silence, sound)])
    tracks = TrainingTracks(np.array([b"a", b"b", b"c"]), prints, np.array([0, 1, 0]), np.zeros((3, 2), np.float32))
    assert [tracks.find(*query) for query in (("x", silence), ("b", silence), ("x", sound))] == [None, 1, 2]


def test_classifiers_of_older_versions_do_not_know(demo_library: Library, caplog: pytest.LogCaptureFixture) -> None:
    saved = SavedClassifier.load(demo_library._classifier_path)
    assert saved.training_tracks is not None
    assert len(saved.training_tracks.hashes) == 46
    replace(saved, training_tracks=None).save(demo_library._classifier_path)
    (track,) = demo_library.classify(METAL).tracks
    assert (track.learned_from, track.out_of_fold) == (None, None)
    assert "did not record which tracks it was trained on; train again" in caplog.text


def test_one_file_is_classified_without_reading_all_tracks(
    demo_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = demo_library.classify(AVE)

    def refuse(*_: object) -> None:
        raise AssertionError("all tracks are read")

    for repository, method in ((TrackRepository, "all"), (TrackRepository, "labelled"), (VectorRepository, "matrix")):
        monkeypatch.setattr(repository, method, refuse)
    assert demo_library.classify(AVE) == expected
    nearest = expected.tracks[0].neighbours[0]
    assert (nearest.artist, nearest.title) == ("John Michel", "Ave Maria (Bach/Gounod) (excerpt 2)")


def test_small_margins_are_marked_and_still_submitted(demo_library: Library, tmp_path: Path) -> None:
    result = demo_library.classify(unlabelled(), timeline=True, csv=tmp_path / "genres.csv")
    for track in result.tracks:
        first, second = sorted(track.probabilities.values(), reverse=True)[:2]
        assert track.margin == pytest.approx(first - second, abs=2e-6)
        assert track.unsure == (track.margin < MIN_MARGIN)
    assert len((tmp_path / "genres.csv").read_text().splitlines()) == 1 + len(result.tracks)
    abstaining = demo_library.classify(unlabelled(), abstain=0.5).tracks
    assert [track.unsure for track in abstaining] == [track.unsure for track in result.tracks]


def prediction(**fields: Any) -> results.Prediction:
    """Make a weak prediction for a file, with one neighbour."""
    neighbour = results.LabelledNeighbour("/music/b.mp3", "electronic", 0.9, title="Air", artist="Bach")
    unnamed = results.LabelledNeighbour("/music/c.mp3", "electronic", 0.8)
    probabilities = {"electronic": 0.23, "pop": 0.21, "rock": 0.2}
    weak = results.Prediction(
        "a.mp3", "electronic", 0.23, probabilities, [neighbour, unnamed], None, True, False, 0.5, 0.02, unsure=True
    )
    return replace(weak, **fields)


OUT_OF_FOLD = results.OutOfFoldPrediction("rock", 0.4, {"electronic": 0.38, "pop": 0.22, "rock": 0.4}, unsure=True)


@pytest.mark.parametrize(
    ("fields", "genre", "out_of_fold"),
    [
        ({}, "electronic or pop? (unsure)", None),
        ({"unsure": False}, "electronic  ", None),
        ({"answered": False}, "(electronic: uncertain)", None),
        ({"answered": False, "none_of_these": True}, "electronic? (unlike all labelled tracks)", None),
        ({"learned_from": True, "label": "pop"}, "electronic or pop? (unsure)", "none"),
        (
            {"learned_from": True, "label": "pop", "out_of_fold": OUT_OF_FOLD},
            "electronic or pop? (unsure)",
            "rock or electronic? (unsure) 0.40",
        ),
    ],
)  # fmt: skip
def test_table_of_predictions(
    capsys: pytest.CaptureFixture[str], fields: dict[str, Any], genre: str, out_of_fold: str | None
) -> None:
    print_predictions(results.ClassificationResult("logreg", [prediction(**fields)], [], "rock", None))
    header, row, *notes = capsys.readouterr().out.splitlines()
    assert row.startswith(f"a.mp3  {genre}")
    assert row.endswith("  Bach - Air, c")
    assert ("out-of-fold" in header) == (out_of_fold is not None)
    assert out_of_fold is None or out_of_fold in row
    assert any(note.startswith("1 of 1 file is a track that the classifier was trained on") for note in notes) == (
        out_of_fold is not None
    )


def test_inspect_names_training_tracks(demo_library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    for path, without in ((AVE, "without its artist: classical "), (METAL, "the genre has too few artists")):
        result = demo_library.inspect(path)
        assert result.prediction is not None
        assert (result.prediction.learned_from, result.prediction.timeline) == (True, None)
        assert result.prediction.genre == result.prediction.label
        print_inspection(result)
        output = capsys.readouterr().out
        assert "the classifier was trained on this track, as " in output
        assert without in output
        assert "nearest   " in output
