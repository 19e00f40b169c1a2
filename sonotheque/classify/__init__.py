"""Vectors and labels to genres: estimators, protocols, metrics, saved classifiers, the challenge's CSV."""

from sonotheque.classify.answer import FileVectors, answer, fitting_classifier, vectors_of
from sonotheque.classify.estimators import MODELS, AutoClassifier, Neighbours, make_classifier
from sonotheque.classify.handin import hand_in, write_predictions, write_template
from sonotheque.classify.protocol import Evaluation, evaluate, group_tracks
from sonotheque.classify.saved import SavedClassifier
from sonotheque.classify.training import Fitted, TrainingSet, judge, train, training_set

__all__ = [
    "MODELS",
    "AutoClassifier",
    "Evaluation",
    "FileVectors",
    "Fitted",
    "Neighbours",
    "SavedClassifier",
    "TrainingSet",
    "answer",
    "evaluate",
    "fitting_classifier",
    "group_tracks",
    "hand_in",
    "judge",
    "make_classifier",
    "train",
    "training_set",
    "vectors_of",
    "write_predictions",
    "write_template",
]
