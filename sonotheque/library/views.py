"""The views of a library: what a person should look at. A part of `sonotheque.Library`; thin methods over `explore`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sonotheque import documents as doc
from sonotheque.embed.registry import space_of
from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import kind_of
from sonotheque.errors import ClassifierError, LibraryError
from sonotheque.library.collection import PathLike
from sonotheque.library.genres import Genres
from sonotheque.store import Progress
from sonotheque.store.files import require_ending

if TYPE_CHECKING:
    from sonotheque.classify import TrainingSet
    from sonotheque.explore.layout import Settings
    from sonotheque.explore.overview import Seen


class Views(Genres):
    """What a library shows. For its parameters see `sonotheque.library.collection.Collection`."""

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

    # The map

    def map(
        self,
        page: PathLike | None = None,
        *,
        embedder: str | None = None,
        neighbours: int | None = None,
        cluster_size: int | None = None,
        seed: int | None = None,
        anew: bool = False,
        audio: str = "auto",
        progress: Progress | None = None,
        cutting: Progress | None = None,
    ) -> doc.Mapped:
        """Draw the map of all tracks with its clusters, or read it, and put tracks on it that have come since.

        A map is kept with the library. What is on it moves only when it is drawn anew: where `anew` says so, or where it was
        made with other `neighbours`, `cluster_size` or `seed` than those given.

        Parameters
        ----------
        page : path or None
            Where to write the map as a page that stands alone.
        embedder : name of an embedder
            By default that of the library's first space with pooled vectors.
        neighbours : int or None
            That shape the map; by default 15, more from 10,000 tracks on.
        cluster_size : int or None
            Fewest tracks of a cluster; by default half the square root of the number of tracks, at least 5.
        seed : int or None
            0 by default.
        anew : bool
            Draw the map anew.
        audio : str
            What the page plays: ``embed``: an excerpt of 10 s of each track, inside the page; ``files``: the files where they
            lie; an address such as ``http://localhost:8000/``: the files below it, by their path from their common folder;
            ``none``. ``auto``: excerpts of up to 300 tracks, else files.
        progress : callable
            Called with (steps done, steps in all) while the map is drawn.
        cutting : callable
            Called with (excerpts done, excerpts in all).

        Raises
        ------
        LibraryError
            If the library is empty, or the page cannot be written.
        SpaceError
            If the embedder is unknown or the library has no vectors of it.
        """
        from sonotheque.explore.layout import Settings

        if page is not None:
            require_ending(page, ".html", ".htm")
        seen = self._look(embedder, Settings(seed, neighbours, cluster_size), anew=anew, progress=progress)
        if page is not None:
            from sonotheque.report.map import write_map

            write_map(page, *seen, audio=audio, progress=cutting)
        return seen.mapped

    def _look(
        self, embedder: str | None, settings: Settings | None = None, *, anew: bool = False, progress: Progress | None
    ) -> Seen:
        from threadpoolctl import threadpool_limits

        from sonotheque.explore.atlas import open_atlas
        from sonotheque.explore.character import characters
        from sonotheque.explore.overview import Seen, answers_for, overview

        space = self._mapped_space(embedder)
        with threadpool_limits(limits=1, user_api="blas"):
            atlas = open_atlas(self.catalogue, space=space, settings=settings, anew=anew, progress=progress)
            heard = characters(self.catalogue)
            answers = answers_for(atlas, self._taught(), catalogue=self.catalogue)
            return Seen(atlas, answers, heard, overview(atlas, answers, heard))

    def _mapped_space(self, embedder: str | None) -> str:
        self._default_space()
        if embedder is not None:
            return self.catalogue.space(space_of(embedder).id).id
        for space in self.catalogue.spaces():
            if space.tracks and kind_of(space.id) in {"embedding", "descriptors"}:
                return space.id
        raise LibraryError(f"{self.path}: no pooled vectors; `sonotheque add FOLDER --embedder musicnn` gives some")

    def _taught(self) -> TrainingSet | None:
        """Collect what a classifier can learn from; None where that is too little."""
        try:
            return self._training_set(None, model="logreg", segments=False)
        except ClassifierError:
            return None

    # One recording

    def inspect(self, path: PathLike, *, picture: PathLike | None = None) -> doc.Inspected:
        """Look closely at one recording, in the library or not; where a classifier is trained, with the genre along time.

        Parameters
        ----------
        path : path of an audio file
        picture : path or None
            Where to draw it as a PNG.

        Raises
        ------
        AudioError
            If the file cannot be used.
        LibraryError
            If the picture cannot be written.
        """
        if picture is not None:
            require_ending(picture, ".png")
        timeline: Sequence[doc.Moment] = ()
        if self._classifier_path.exists():
            tracks = self.classify(path, timeline=True).tracks
            timeline = (tracks[0].timeline or ()) if tracks else ()
        return inspect_file(path, picture=picture, timeline=timeline, compute=self._compute)


def inspect_file(
    path: PathLike,
    *,
    picture: PathLike | None = None,
    timeline: Sequence[doc.Moment] = (),
    compute: Compute = Compute(),
) -> doc.Inspected:
    """Look closely at one recording, without a library: see `Library.inspect`.

    Parameters
    ----------
    path, picture : see `Library.inspect`
    timeline : sequence of Moment
        The genre of each segment, where one knows it.
    compute : Compute

    Examples
    --------
    >>> inspect_file("tests/data/tone.flac").loudness
    -14.15
    """
    from sonotheque.explore.inspection import inspect

    if picture is not None:
        require_ending(picture, ".png")
    seen = inspect(path, timeline=timeline, compute=compute)
    if picture is not None:
        from sonotheque.report.inspection import draw_inspection

        draw_inspection(seen, picture, title=os.path.basename(path))
    return seen.numbers
