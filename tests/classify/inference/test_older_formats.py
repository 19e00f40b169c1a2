"""Classifiers that were saved in file formats 4 and 5 can still be loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sonotheque.classify import EmbeddingSet, ModelSpec, NearestNeighbours, SavedClassifier
from sonotheque.classify.models.estimators import SupportVectorMachine

FOLDER = Path(__file__).parents[2] / "data"
FILE = FOLDER / "classifier-format-4.skops"
TRACKS = np.array([[1, 1, 1, 1], [0, 1, 0, -1], [-3, 0, 1, 2]], dtype=np.float32)
DATA = EmbeddingSet({"space@1": TRACKS}, {"space@1": [np.stack([track - 0.25, track + 0.25]) for track in TRACKS]})


def test_metadata_of_a_classifier_in_format_4() -> None:
    saved = SavedClassifier.load(FILE)
    assert (saved.model, saved.spaces, saved.generation) == ("ensemble", ["space@1"], 7)
    assert (saved.labels, saved.counts) == (["folk", "pop", "rock"], {"folk": 34, "pop": 34, "rock": 34})
    assert (saved.ensemble.weights, saved.ensemble.temperature) == ([0.25, 0.75], 1.5)
    assert [member.spec for member in saved.ensemble.members] == [
        ModelSpec("knn", ("space@1",), "track", copies=True),
        ModelSpec("svm", ("space@1",), "learned", (("C", 2.0),)),
    ]
    estimators = [type(member.estimator) for member in saved.ensemble.members]
    assert estimators == [NearestNeighbours, SupportVectorMachine]


def test_predictions_of_a_classifier_in_format_4() -> None:
    """The expected values were computed by the version that wrote the file."""
    saved = SavedClassifier.load(FILE)
    probabilities = [
        [0.1554418892433074, 0.4245037377149773, 0.4200543730417152],
        [0.13763334754259726, 0.45206631555843746, 0.4103003368989654],
        [0.08892742346418751, 0.2874627032365398, 0.6236098732992728],
    ]
    assert saved.predict_proba(DATA) == pytest.approx(np.array(probabilities), abs=1e-9)
    assert saved.novelty_detector is not None
    assert saved.novelty_detector.threshold == pytest.approx(2.0771921355847573)
    scores = [0.4127228897756844, 0.4167237288257855, 1.1560082230399211]
    assert saved.novelty_detector.novelty_score(DATA) == pytest.approx(np.array(scores), abs=1e-6)
    assert saved.calibration_set is not None
    assert saved.calibration_set.correct.sum() == 68


def test_a_converted_classifier_is_saved_in_the_current_format(tmp_path: Path) -> None:
    saved = SavedClassifier.load(FILE)
    saved.save(tmp_path / "classifier.skops")
    current = SavedClassifier.load(tmp_path / "classifier.skops")
    assert np.array_equal(current.predict_proba(DATA), saved.predict_proba(DATA))


def test_format_5_holds_the_same_without_training_tracks(tmp_path: Path) -> None:
    """The file is that of format 4, converted by the last version that wrote format 5."""
    four, five = SavedClassifier.load(FILE), SavedClassifier.load(FOLDER / "classifier-format-5.skops")
    assert np.array_equal(five.predict_proba(DATA), four.predict_proba(DATA))
    assert (five.labels, five.counts, five.generation) == (four.labels, four.counts, four.generation)
    assert five.novelty_detector is not None
    assert five.calibration_set is not None
    assert four.training_tracks is five.training_tracks is None
    five.save(tmp_path / "classifier.skops")
    assert SavedClassifier.load(tmp_path / "classifier.skops").training_tracks is None
