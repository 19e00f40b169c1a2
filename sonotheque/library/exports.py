"""What a library writes into other files: tables, and the tags of the music itself. The last part of `sonotheque.Library`."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from sonotheque import documents as doc
from sonotheque.library.collection import PathLike
from sonotheque.library.views import Views
from sonotheque.store import Progress
from sonotheque.store.files import require_ending
from sonotheque.store.records import Track

log = logging.getLogger("sonotheque")

LARGEST_DRAWN = 200_000
"""Tracks up to which `export_points` has a map: beyond, exact neighbours take hours."""


class Library(Views):
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

    def export_tags(self, path: PathLike) -> doc.Exported:
        """Write what is heard of each track, in words, to a CSV or Parquet file: tempo, key, mood, instruments, style, era, tags.

        Parameters
        ----------
        path : path of the file, ending in ``.csv`` or ``.parquet``

        Raises
        ------
        LibraryError
            If the library is empty, or the file ends otherwise or cannot be written.
        LabelsError
            If a CSV cannot be written.
        """
        from sonotheque.explore.tagging import COLUMNS, export_tags

        self._default_space()
        return doc.Exported(os.fspath(path), export_tags(self.catalogue, path), list(COLUMNS))

    def export_points(
        self, path: PathLike, *, embedder: str | None = None, progress: Progress | None = None
    ) -> doc.Exported:
        """Write vectors, places on the map, nearest tracks and what is known of each track as Parquet, as embedding-atlas opens it.

        More than 200,000 tracks are written without what needs a map.

        Parameters
        ----------
        path : path of the file
        embedder : name of an embedder
            See `map`.
        progress : callable
            Called with (steps done, steps in all) where the map must be drawn.

        Raises
        ------
        LibraryError
            If the library is empty, or the file cannot be written.
        """
        from sonotheque.explore.points import COLUMNS, MAPPED, write_points, write_vectors

        require_ending(path, ".parquet")
        space = self.catalogue.space(self._mapped_space(embedder))
        if space.tracks > LARGEST_DRAWN:
            log.warning("%d tracks are too many for a map: vectors and columns alone are written", space.tracks)
            rows = write_vectors(path, self.catalogue, space=space.id)
            return doc.Exported(os.fspath(path), rows, [name for name in COLUMNS if name not in MAPPED])
        seen = self._look(embedder, progress=progress)
        return doc.Exported(os.fspath(path), write_points(path, *seen), list(COLUMNS))

    def tag(
        self,
        *paths: PathLike,
        write: bool = False,
        overwrite: bool = False,
        only: str | None = None,
        predicted: bool = False,
        probability: float = 0.5,
        progress: Progress | None = None,
    ) -> doc.Tagged:
        """Put genres and tempi into the files' own tags, or say what that would change.

        The genre is the label that a person gave. The tempo is that of the descriptors, where there is a beat.

        Parameters
        ----------
        *paths : files and folders as they were added; all by default
            Copies of the same tracks that lie elsewhere are left alone.
        write : bool
            Change the files. Else nothing is written.
        overwrite : bool
            Change a genre or tempo that a file has already.
        only : str or None
            ``genre`` or ``tempo``, to leave the other one alone.
        predicted : bool
            Where there is no label, take the genre that the trained classifier names.
        probability : float
            The least probability of such a genre. One that is like none of the labelled tracks gets none.
        progress : callable
            Called with (tracks done, tracks to do) while files are written.

        Raises
        ------
        LibraryError
            If the library is empty, or a path is not known.
        ClassifierError
            If `predicted` and there is no classifier.
        """
        from sonotheque.explore.character import characters
        from sonotheque.store.tag_files import Wanted, plan_tags, write_tags

        self._default_space()
        files = self.catalogue.files()
        inside = {path for one in paths for path in self.catalogue.inside(os.path.abspath(one)) if path in files}
        chosen = {files[path][1] for path in inside}
        tracks = [track for track in self.catalogue.tracks() if not paths or track.id in chosen]
        genres = {track.id: track.label for track in tracks}
        if predicted and only != "tempo":
            genres |= self._named([track for track in tracks if not track.label], probability)
        heard = characters(self.catalogue) if only != "genre" else {}
        wanted = [
            Wanted(
                track,
                genre=genres[track.id] if only != "tempo" else None,
                bpm=round(tempo) if track.id in heard and (tempo := heard[track.id].tempo) else None,
                places=frozenset(inside) if paths else None,
            )
            for track in tracks
        ]
        nothing = sum(one.genre is None and one.bpm is None for one in wanted)
        if nothing:
            log.info("%d of %d tracks have nothing to write: neither a label nor a tempo", nothing, len(wanted))
        if not write:
            return plan_tags(self.catalogue, wanted, overwrite=overwrite)
        return write_tags(self.catalogue, wanted, overwrite=overwrite, progress=progress)

    def _named(self, tracks: Sequence[Track], probability: float) -> dict[int, str | None]:
        """Let the classifier name the genres of some tracks, where it is sure enough."""
        there = {track.path: track.id for track in tracks if os.path.isfile(track.path)}
        if not there:
            return {}
        answers = self.classify(*there).tracks
        return {
            there[answer.path]: answer.genre
            for answer in answers
            if answer.probability >= probability and not answer.none_of_these
        }
