"""What spaces and models are, in a sentence each, in English and French."""

from __future__ import annotations

from sonotheque.report.wording import Phrase

METHODS = {
    "space openl3": Phrase(
        "{space}: OpenL3, a network that learned from videos which sound belongs to which picture (Cramer et al. 2019).",
        "{space} : OpenL3, un réseau qui a appris sur des vidéos quel son va avec quelle image (Cramer et al. 2019).",
    ),
    "space musicnn": Phrase(
        "{space}: musicnn, a network that learned to tag music by listeners' words (Pons & Serra 2019).",
        "{space} : musicnn, un réseau qui a appris à décrire la musique par les mots d'auditeurs (Pons & Serra 2019).",
    ),
    "space descriptors": Phrase(
        "{space}: descriptors computed by formula: timbre, harmony, rhythm, dynamics.",
        "{space} : des descripteurs calculés par formule : timbre, harmonie, rythme, dynamique.",
    ),
    "space mel": Phrase(
        "{space}: pictures of the sound (mel spectrograms of 10 s), from which a network learns from scratch.",
        "{space} : des images du son (spectrogrammes mel de 10 s), sur lesquelles un réseau apprend à partir de zéro.",
    ),
    "space frames": Phrase(
        "{space}: single frames of a pretrained network, not pooled.",
        "{space} : les trames d'un réseau pré-entraîné, une à une, sans moyenne.",
    ),
    "space other": Phrase("{space}: a space of this library.", "{space} : un espace de cette bibliothèque."),
    "model knn": Phrase("knn lets the nearest tracks vote.", "knn fait voter les morceaux les plus proches."),
    "model logreg": Phrase(
        "logreg is logistic regression: one weight for each number and genre, simple and hard to beat on few tracks.",
        "logreg est la régression logistique : un poids par nombre et par genre, simple et dure à battre sur peu de morceaux.",
    ),
    "model svm": Phrase(
        "svm is a support vector machine: curved borders as far as possible from the tracks on either side.",
        "svm est une machine à vecteurs de support : des frontières courbes, aussi loin que possible des morceaux.",
    ),
    "model forest": Phrase("forest: many trees that vote.", "forest : beaucoup d'arbres qui votent."),
    "model lightgbm": Phrase(
        "lightgbm: trees that correct each other in turn.", "lightgbm : des arbres qui se corrigent l'un après l'autre."
    ),
    "model xgboost": Phrase(
        "xgboost: trees that correct each other in turn.", "xgboost : des arbres qui se corrigent l'un après l'autre."
    ),
    "model mlp": Phrase("mlp: a small neural network.", "mlp : un petit réseau de neurones."),
    "model cnn": Phrase(
        "cnn: a small convolutional network that learned from the labelled tracks alone.",
        "cnn : un petit réseau convolutif qui n'a appris que des morceaux étiquetés.",
    ),
    "model head": Phrase(
        "head: a neural network on the single frames of a pretrained one; a track's answer is the mean of its frames'.",
        "head : un réseau de neurones sur les trames d'un réseau pré-entraîné ; un morceau répond par leur moyenne.",
    ),
    "model auto": Phrase(
        "auto takes the model that does best on folds inside the training tracks.",
        "auto prend le modèle qui réussit le mieux sur des blocs à l'intérieur des morceaux d'apprentissage.",
    ),
    "model ensemble": Phrase(
        "ensemble mixes all models, each with the share that helps on folds inside the training tracks.",
        "ensemble mélange tous les modèles, chacun avec la part qui aide sur des blocs intérieurs à l'apprentissage.",
    ),
    "model other": Phrase("The model is {model}.", "Le modèle est {model}."),
}
"""By ``space`` and embedder, ``model`` and name; ``other`` is for those that have no sentence."""
