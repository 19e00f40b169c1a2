"""What a library holds and what lies near: the first half of `sonotheque.Library`. Thin methods over the layers.

Notices go to the logger ``sonotheque``; results are the dataclasses of `sonotheque.documents`.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sonotheque import documents as doc
from sonotheque.embed.registry import choose
from sonotheque.embed.runtime import Compute
from sonotheque.errors import LabelsError, LibraryError
from sonotheque.index import ExactIndex, cached_index
from sonotheque.index.cache import is_fresh
from sonotheque.store import Catalogue, Ingest, Progress, apply_labels, label_source, scan
from sonotheque.store.records import remarks_of

log = logging.getLogger("sonotheque")

PathLike = str | os.PathLike[str]


def default_path() -> Path:
    """Return where a library lies if nobody says otherwise: $SONOTHEQUE_LIBRARY, else the user's data folder."""
    import platformdirs

    named = os.environ.get("SONOTHEQUE_LIBRARY")
    return Path(named) if named else platformdirs.user_data_path("sonotheque") / "library"


class Collection:
    """One folder on disk with everything that is known of a music collection.

    Parameters
    ----------
    path : path of the folder; by default as `default_path` says
    create : bool
        Make the library where there is none.
    precision : str
        ``f32`` or ``bf16`` for the networks; ``auto`` is what is fastest on this processor.
    device : str
        ``cpu`` or ``cuda``; ``auto`` is a GPU where the extra ``cuda`` is installed and finds one.

    Raises
    ------
    LibraryError
        If there is no library and `create` is false, or it cannot be opened.
    SpaceError
        If precision or device is unknown.
    """

    def __init__(
        self, path: PathLike | None = None, *, create: bool = True, precision: str = "auto", device: str = "auto"
    ) -> None:
        self._compute = Compute(precision=precision, device=device)
        self.path = Path(path) if path is not None else default_path()
        file = self.path / "library.sqlite"
        if not create and (not file.exists() or file.stat().st_size == 0):
            raise LibraryError(f"{self.path}: no library here; `sonotheque -L {self.path} add FOLDER` makes one")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(f"{self.path}: cannot be made ({error.strerror}); choose another with -L") from None
        self.catalogue = Catalogue(file)

    def __enter__(self) -> Self:
        """Return the library itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the library."""
        self.close()

    def close(self) -> None:
        """Close the library's files."""
        self.catalogue.close()

    # What is in it

    def add(
        self,
        *paths: PathLike,
        labels: str | None = None,
        columns: Sequence[str] | None = None,
        ids: PathLike | None = None,
        embedders: Sequence[str] = ("auto",),
        retry: bool = False,
        progress: Progress | None = None,
        fetching: Progress | None = None,
    ) -> doc.Status:
        """Embed the audio files of folders, or files named outright. What is known already is not done again.

        Parameters
        ----------
        *paths : folders and files
        labels : str or None
            Where labels come from: ``folder``, ``tags``, or the path of a CSV.
        columns, ids : for a CSV: names of its columns (file, genre[, artist]); a CSV that maps genre ids to names
        embedders : names of embedders; ``auto`` is what the library uses already, else the best that is there
        retry : bool
            Try files again that failed before and have not changed.
        progress : callable
            Called with (files done, files to do).
        fetching : callable
            Called with (bytes received, bytes in all) while weights are fetched.

        Returns
        -------
        Status

        Raises
        ------
        MissingFileError
            If a path does not exist.
        LabelsError
            If the labels are unusable; nothing is done then.
        LibraryError
            If there is no audio file, or none that could be used.
        SpaceError
            If an embedder is unknown.
        """
        found = scan(paths)
        if not found:
            raise LibraryError(f"{', '.join(map(str, paths))}: no audio file there; nothing to add")
        source = None
        if labels is not None:
            source = label_source(labels, paths=[(f.path, f.root) for f in found], columns=columns, ids=ids)
            for file in found:  # so that a row counts as matched also where its file turns out to be unusable
                source.label(file.path, root=file.root, genre=None)
        spaces = self._spaces(embedders, fetching)
        ingest = Ingest(self.catalogue, spaces=spaces, compute=self._compute, retry=retry)
        try:
            ingest.run(found, progress=progress)
        finally:  # also after Ctrl-C: what is in the library gets its label
            unmatched: Sequence[str] = []
            if source is not None:
                unmatched = apply_labels(self.catalogue, source, roots={f.path: f.root for f in found}).unmatched
        counts = ingest.counts
        log.info(
            "%d listened to, %d found at a new place, %d known already, %d failed",
            *(counts.heard, counts.placed, counts.unchanged, counts.failed),
        )
        if unmatched:
            log.warning("%d labelled rows match no file, such as %r", len(unmatched), unmatched[0])
        for space in self.catalogue.spaces():
            self._index(space.id)
        failed = self.catalogue.failed()
        if all(file.path in failed for file in found):
            raise LibraryError(
                f"none of {len(found)} files could be used; {found[0].path}: {failed[found[0].path][1]}"
                if len(found) > 1
                else f"{found[0].path}: {failed[found[0].path][1]}"
            )
        return self.status()

    def _spaces(self, embedders: Sequence[str], fetching: Progress | None) -> list[str]:
        remembered = (self.catalogue.setting("embedders") or "").split()
        named = [name for name in embedders if name != "auto"]
        choice = choose([*remembered, *named] or ["auto"], progress=fetching)
        if choice.reason:
            log.info("%s", choice.reason)
        names = list(dict.fromkeys(space.id for space in choice.spaces))
        if names != remembered:
            self.catalogue.remember("embedders", " ".join(names))
        return names

    def status(self) -> doc.Status:
        """Say what the library holds."""
        tracks = self.catalogue.tracks()
        counts = Counter(track.label for track in tracks if track.label)
        return doc.Status(
            tracks=len(tracks),
            files=len(self.catalogue.files()),
            labelled=counts.total(),
            labels=dict(sorted(counts.items())),
            failed=[doc.FailedFile(path, reason) for path, (_, reason) in self.catalogue.failed().items()],
            remarks=remarks_of(tracks),
            spaces=[
                doc.SpaceStatus(space.id, space.dimensions, space.tracks, self._index_state(space.id))
                for space in self.catalogue.spaces()
            ],
        )

    def label(self, source: str, *, columns: Sequence[str] | None = None, ids: PathLike | None = None) -> doc.Labelled:
        """Set or change labels of tracks that are in the library, from a CSV or the files' tags (``tags``).

        Parameters
        ----------
        source : path of a CSV, or ``tags``
        columns, ids : see `add`

        Raises
        ------
        LabelsError
            If the CSV is unusable or none of its rows matches a track.
        """
        if source == "folder":
            raise LabelsError("labels from folders need the folder: `sonotheque add FOLDER --labels folder`")
        result = apply_labels(self.catalogue, label_source(source, columns=columns, ids=ids))
        if result.matched == 0 and result.unmatched:
            raise LabelsError(
                f"{source}: none of its {len(result.unmatched)} rows matches a track; the first is "
                f"{result.unmatched[0]!r}: name the files by path, file name or stem"
            )
        return result

    def remove(self, *paths: PathLike, missing: bool = False) -> doc.Removed:
        """Forget files, or all files of folders, or all that no longer exist. Nothing on disk is touched.

        Parameters
        ----------
        *paths : files and folders as they were added
        missing : bool
            Forget every file that is no longer there.

        Raises
        ------
        LibraryError
            If a path is neither known nor holds a known file.
        """
        gone = self.catalogue.missing() if missing else set()
        for path in paths:
            gone |= self.catalogue.inside(os.path.abspath(path))
        before = len(self.catalogue.hashes())
        places = self.catalogue.remove(sorted(gone))
        after = len(self.catalogue.hashes())
        return doc.Removed(places=places, removed=before - after, tracks=after)

    # Neighbours

    def _index_file(self, space: str) -> tuple[Path, str]:
        generation = self.catalogue.space(space).generation
        return self.path / "index" / f"{space}.faiss", f"{space} generation {generation}"

    def _index(self, space: str) -> ExactIndex:
        path, stamp = self._index_file(space)
        return cached_index(path, stamp=stamp, vectors=lambda: self.catalogue.vectors(space))

    def _index_state(self, space: str) -> str:
        path, stamp = self._index_file(space)
        return "exact" if is_fresh(path, stamp=stamp) else "stale" if path.exists() else "missing"

    def _default_space(self) -> str:
        spaces = self.catalogue.spaces()
        if not spaces or not spaces[0].tracks:
            raise LibraryError(f"{self.path}: the library is empty; `sonotheque add FOLDER` fills it")
        return spaces[0].id

    def similar(
        self, *queries: PathLike, k: int = 10, max_per_artist: int | None = None, genre: str | None = None
    ) -> doc.Similar:
        """Find the tracks nearest to one or several tracks of the library, or to any audio files.

        The queries and their byte-identical copies are never returned.

        Parameters
        ----------
        *queries : paths of files; for tracks of the library also the file's name or stem alone
        k : int
            Wanted tracks.
        max_per_artist : int or None
            Tracks of one artist at most.
        genre : str or None
            Only tracks of this genre.

        Raises
        ------
        LibraryError
            If the library is empty or a query is neither a track nor a file.
        AudioError
            If a file cannot be decoded.
        """
        from sonotheque.explore import Limits, find_similar

        space = self._default_space()
        limits = Limits(k=k, max_per_artist=max_per_artist, genre=genre)
        index = self._index(space)
        return find_similar(
            queries, catalogue=self.catalogue, index=index, space=space, limits=limits, compute=self._compute
        )
