"""The views of a library: what a person should look at. The last part of `sonotheque.Library`; thin methods over `explore`."""

from __future__ import annotations

from collections.abc import Sequence

from sonotheque import documents as doc
from sonotheque.library.collection import PathLike
from sonotheque.library.genres import Genres


class Library(Genres):
    """One folder on disk with everything that is known of a music collection.

    Parameters
    ----------
    path, create, precision, device : see `sonotheque.library.collection.Collection`

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Library(folder) as library:
    ...     library.status().tracks
    0
    """

    def errors(
        self, *, embedders: Sequence[str] | None = None, most: int | None = None, seed: int = 0
    ) -> doc.Suspicious:
        """Rank the labelled tracks by how little speaks for their labels. Nothing is relabelled, and no `train` is needed.

        Parameters
        ----------
        embedders : names of embedders, all of the library by default
        most : int or None
            Labels to return, by default a tenth of them.
        seed : int
            Of the folds.

        Raises
        ------
        ClassifierError
            If there are fewer than two labels.
        """
        from threadpoolctl import threadpool_limits

        from sonotheque.explore.wrong import suspicious

        training = self._training_set(embedders, model="logreg", segments=False)
        with threadpool_limits(limits=1, user_api="blas"):
            return suspicious(training, catalogue=self.catalogue, most=most, seed=seed)

    def apply_decisions(self, path: PathLike) -> doc.Labelled:
        """Take a person's decisions back in: the CSV that `sonotheque.explore.decisions.write_decisions` made, filled in.

        Parameters
        ----------
        path : path of the CSV
            Rows whose ``decision`` is empty change nothing.

        Raises
        ------
        LabelsError
            If the CSV is unusable, or a row names no track.
        """
        from sonotheque.explore.decisions import read_decisions

        return read_decisions(path, catalogue=self.catalogue)
