"""The tracks that a classifier was trained on, with their out-of-fold predictions, so that it recognises them later."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.types import Codes, FloatArray, Probabilities


@dataclass(frozen=True)
class TrainingTracks:
    """The N training tracks of a classifier with C genres.

    Attributes
    ----------
    hashes : bytes array [N]
        Content hashes, as the library has them.
    fingerprints : bytes array [N]
        Fingerprints of the track vectors in the classifier's first space. They stay the same when the tags of a file change, which
        changes its content hash.
    codes : int array [N]
        The genre of each track at training time.
    probabilities : float32 array [N, C]
        Calibrated out-of-fold probabilities, by models that were fitted without the track's artist. NaN in the rows of tracks that
        have none, because their genre has too few artists for artist-grouped folds.
    """

    hashes: npt.NDArray[np.bytes_]
    fingerprints: npt.NDArray[np.bytes_]
    codes: Codes
    probabilities: FloatArray

    @classmethod
    def from_training(
        cls, training: TrainingSet, *, space: str, out_of_fold: Probabilities | None, n_classes: int
    ) -> TrainingTracks:
        """Record the tracks of a training set.

        Parameters
        ----------
        training : TrainingSet
        space : str
            The classifier's first space.
        out_of_fold : float64 array [N, C] or None
            NaN in the rows of tracks without a prediction; None if no track has one.
        n_classes : int
        """
        if out_of_fold is None:
            out_of_fold = np.full((len(training.tracks), n_classes), np.nan)
        return cls(
            np.array([track.hash.encode() for track in training.tracks]),
            np.array([fingerprint(vector) for vector in training.data.tracks[space]]),
            training.codes,
            out_of_fold.astype(np.float32),
        )

    def find(self, content: str, vector: FloatArray) -> int | None:
        """Return the row of the training track with this content, or with the same sound; None if there is none.

        Parameters
        ----------
        content : str
            Content hash.
        vector : float32 array [D]
            Track vector in the classifier's first space.
        """
        row = self._rows_by_hash.get(content.encode())
        return self._rows_by_fingerprint.get(fingerprint(vector)) if row is None else row

    @cached_property
    def _rows_by_hash(self) -> dict[bytes, int]:
        return {content: row for row, content in enumerate(self.hashes.tolist())}

    @cached_property
    def _rows_by_fingerprint(self) -> dict[bytes, int]:
        """Rows by fingerprint, without fingerprints that several tracks share, such as that of silence."""
        names: Sequence[Any] = self.fingerprints.tolist()
        unique, counts = np.unique(self.fingerprints, return_counts=True)
        shared = set(unique[counts > 1].tolist())
        return {name: row for row, name in enumerate(names) if name not in shared}


def fingerprint(vector: FloatArray) -> bytes:
    """Return the first 16 bytes of the SHA-256 of a vector's float32 values, as hexadecimal digits."""
    return hashlib.sha256(vector.astype("<f4").tobytes()).hexdigest()[:32].encode()
