"""Classify genres: training sets, models, evaluation, and predictions with trained classifiers.

The subpackages are ``data`` (what is trained on), ``models`` (what is fitted), ``evaluation`` (how good it is) and ``inference``
(predictions for new files).
"""

from typing import TYPE_CHECKING

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.data.folds import group_tracks, grouped_folds
from sonotheque.classify.data.training_set import TrainingSet, load_training_set
from sonotheque.classify.evaluation.cross_validation import CrossValidationResult, cross_validate, learning_curve
from sonotheque.classify.evaluation.evaluate_model import evaluate_model
from sonotheque.classify.inference.persistence import SavedClassifier
from sonotheque.classify.inference.predict import load_classifier, predict_genres
from sonotheque.classify.inference.submission import fill_template, write_predictions, write_submission
from sonotheque.classify.models.aggregation import AGGREGATIONS
from sonotheque.classify.models.estimators import MODELS, NearestNeighbours, make_classifier
from sonotheque.classify.models.learners import make_learner
from sonotheque.classify.models.model_spec import Ensemble, ModelSpec
from sonotheque.classify.models.search import SearchBudget
from sonotheque.classify.training import train_classifier
from sonotheque.deprecation import module_getattr

__all__ = [
    "AGGREGATIONS",
    "MODELS",
    "CrossValidationResult",
    "EmbeddingSet",
    "Ensemble",
    "ModelSpec",
    "NearestNeighbours",
    "SavedClassifier",
    "SearchBudget",
    "TrainingSet",
    "cross_validate",
    "evaluate_model",
    "fill_template",
    "group_tracks",
    "grouped_folds",
    "learning_curve",
    "load_classifier",
    "load_training_set",
    "make_classifier",
    "make_learner",
    "predict_genres",
    "train_classifier",
    "write_predictions",
    "write_submission",
]

if not TYPE_CHECKING:  # type checkers see only the current names
    __getattr__ = module_getattr(
        __name__,
        {
            "DECISIONS": "sonotheque.classify:AGGREGATIONS",
            "Budget": "sonotheque.classify:SearchBudget",
            "Evaluation": "sonotheque.classify:CrossValidationResult",
            "FileVectors": "sonotheque.extract:FileVectors",
            "Fitted": "sonotheque.classify:Ensemble",
            "Neighbours": "sonotheque.classify:NearestNeighbours",
            "Recipe": "sonotheque.classify:ModelSpec",
            "Recordings": "sonotheque.classify:EmbeddingSet",
            "answer": "sonotheque.classify:predict_genres",
            "evaluate": "sonotheque.classify:cross_validate",
            "fitting_classifier": "sonotheque.classify:load_classifier",
            "hand_in": "sonotheque.classify:write_submission",
            "judge": "sonotheque.classify:evaluate_model",
            "train": "sonotheque.classify:train_classifier",
            "training_set": "sonotheque.classify:load_training_set",
            "vectors_of": "sonotheque.extract:get_vectors",
            "write_template": "sonotheque.classify:fill_template",
        },
    )
