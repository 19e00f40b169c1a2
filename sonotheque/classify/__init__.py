"""Vectors and labels to genres: estimators, recipes and ensembles, protocols, metrics, saved classifiers, the challenge's CSV."""

from sonotheque.classify.answer import FileVectors, answer, fitting_classifier, vectors_of
from sonotheque.classify.estimators import MODELS, Neighbours, make_classifier
from sonotheque.classify.folds import group_tracks, grouped_folds
from sonotheque.classify.handin import hand_in, write_predictions, write_template
from sonotheque.classify.labelled import TrainingSet, training_set
from sonotheque.classify.learners import make_learner
from sonotheque.classify.protocol import Evaluation, evaluate, learning_curve
from sonotheque.classify.recipe import DECISIONS, Fitted, Recipe
from sonotheque.classify.recordings import Recordings
from sonotheque.classify.saved import SavedClassifier
from sonotheque.classify.training import Budget, judge, train

__all__ = [
    "DECISIONS",
    "MODELS",
    "Budget",
    "Evaluation",
    "FileVectors",
    "Fitted",
    "Neighbours",
    "Recipe",
    "Recordings",
    "SavedClassifier",
    "TrainingSet",
    "answer",
    "evaluate",
    "fitting_classifier",
    "group_tracks",
    "grouped_folds",
    "hand_in",
    "judge",
    "learning_curve",
    "make_classifier",
    "make_learner",
    "train",
    "training_set",
    "vectors_of",
    "write_predictions",
    "write_template",
]
