"""The class `Library`: one method for each command, over the functions of the other packages.

Notices are logged to the logger ``sonotheque``. Results are the dataclasses of `sonotheque.results`.
"""

from __future__ import annotations

import logging
import os
import shlex
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sonotheque import results
from sonotheque.deprecation import renamed_parameters
from sonotheque.embed import musicnn
from sonotheque.embed.registry import space_of
from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import kind_of
from sonotheque.errors import ClassifierError, LabelsError, LibraryError
from sonotheque.extract import scan_paths
from sonotheque.library.add_files import add_files, preview_files, require_usable
from sonotheque.library.indexes import LibraryIndexes
from sonotheque.library.watch_folders import watch_folders
from sonotheque.metadata import open_label_source
from sonotheque.metadata.file_names import existing_path
from sonotheque.metadata.genres import find_variants
from sonotheque.output_files import CSV, HTML, M3U, PARQUET, PNG, REKORDBOX, FileKind, OutputFile, open_output
from sonotheque.parameters import require_in_range
from sonotheque.plurals import pluralize
from sonotheque.store import Catalogue, Track, label_tracks, undo_last_change
from sonotheque.store.label_tracks import list_changes
from sonotheque.store.records import track_notices
from sonotheque.types import PathLike, Progress
from sonotheque.user_folders import data_folder

if TYPE_CHECKING:
    from sonotheque.classify import TrainingSet
    from sonotheque.classify.inference.persistence import SavedClassifier
    from sonotheque.explore.map.layout import MapSettings
    from sonotheque.explore.map.map_view import MapView
    from sonotheque.explore.search import TrackArrays

log = logging.getLogger("sonotheque")

MAX_MAPPED_TRACKS = 200_000
"""`Library.export_points` leaves the map out of larger libraries, for which exact nearest neighbours take hours."""


POOLED = frozenset({"embedding", "descriptors"})
"""Kinds of spaces that hold one vector for each track."""

MAX_ARGUMENTS = 3
"""Arguments of a command that the history names."""


def default_path() -> Path:
    """Return the default folder of a library: $SONOTHEQUE_LIBRARY if set, otherwise a folder in the user's data folder.

    Raises
    ------
    LibraryError
        If the variable is not set and the user has no home folder.
    """
    configured = os.environ.get("SONOTHEQUE_LIBRARY")
    return Path(configured) if configured else data_folder() / "library"


class Library:
    """A folder on disk with the vectors, labels, classifier and maps of a music collection.

    Parameters
    ----------
    path : path of the folder; by default `default_path`
    create : bool
        Create the library if it does not exist.
    precision : str
        Precision of the networks, ``f32`` or ``bf16``. ``auto`` chooses the faster one on this processor.
    device : str
        ``cpu`` or ``cuda``. ``auto`` chooses a GPU if the extra ``cuda`` is installed and finds one.

    Raises
    ------
    LibraryError
        If there is no library and `create` is false, or if the library cannot be opened.
    SpaceError
        If the precision or the device is unknown.

    Notes
    -----
    The numbers that the methods take have the ranges of `sonotheque.parameters.RANGES`; a method raises `ParameterError` for a
    number outside its range.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Library(folder) as library:
    ...     library.status().tracks
    0
    """

    def __init__(
        self, path: PathLike | None = None, *, create: bool = True, precision: str = "auto", device: str = "auto"
    ) -> None:
        self._compute = Compute(precision=precision, device=device)
        self.path = Path(path) if path is not None else default_path()
        file = self.path / "library.sqlite"
        if not create and not _has_content(file):
            raise LibraryError(f"{self.path}: no library here; `sonotheque -L {self.path} add FOLDER` creates one")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(
                f"{self.path}: cannot be created ({error.strerror}); choose another folder with -L"
            ) from None
        self.catalogue = Catalogue(file)
        self._indexes = LibraryIndexes(self.path, self.catalogue)
        self._classifier: tuple[tuple[int, int, int], SavedClassifier] | None = None
        self._track_arrays: tuple[str, TrackArrays] | None = None

    def __enter__(self) -> Self:
        """Return the library."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the library."""
        self.close()

    def close(self) -> None:
        """Close the files of the library."""
        self.catalogue.close()

    # The collection

    def add(
        self,
        *paths: PathLike,
        labels: str | None = None,
        columns: Sequence[str] | None = None,
        ids: PathLike | None = None,
        embedders: Sequence[str] = ("auto",),
        auto_tags: bool | None = None,
        retry: bool = False,
        new_genres: bool = False,
        progress: Progress | None = None,
        fetching: Progress | None = None,
    ) -> results.Status:
        """Add the audio files of folders, or single files, to the library. Files that it already contains are skipped.

        Parameters
        ----------
        *paths : folders and files
        labels : str or None
            Source of the labels: ``folder``, ``tags``, or the path of a CSV.
        columns : sequence of str or None
            For a CSV: the names of its columns (file, genre[, artist]).
        ids : path or None
            For a CSV with genre ids: the path of a CSV that maps ids to names.
        embedders : sequence of str
            Names of embedders. ``auto`` chooses those that the library already uses or, for a new library, OpenL3 if its weights
            are on this machine, else musicnn.
        auto_tags : bool or None
            Compute musicnn's auto-tags of every track, also if the library has no musicnn vectors. None does as the library did
            before. With musicnn vectors, auto-tags cost nothing and are always there.
        retry : bool
            Try unchanged files again that failed before.
        new_genres : bool
            Accept numbers as labels in a library whose genres are names.
        progress : callable or None
            Called with (files done, files to do).
        fetching : callable or None
            Called with (bytes received, total bytes) while weights are downloaded.

        Returns
        -------
        Status

        Raises
        ------
        MissingFileError
            If a path does not exist.
        LabelsError
            If the labels are unusable. Nothing is added then.
        LibraryError
            If there is no audio file, or none that could be used.
        SpaceError
            If an embedder is unknown.
        """
        files = add_files(
            self.catalogue,
            paths,
            labels=labels,
            columns=columns,
            ids=ids,
            embedders=embedders,
            auto_tags=auto_tags,
            retry=retry,
            new_genres=new_genres,
            command=_describe_command("add", *paths, labels=labels),
            compute=self._compute,
            progress=progress,
            fetching=fetching,
        )
        self._refresh_indexes()
        require_usable(self.catalogue, files)
        return self.status()

    def _refresh_indexes(self) -> None:
        """Bring the indexes of vectors and names up to date, so that later commands need not do it."""
        for space in self.catalogue.spaces.all():
            self._indexes.update(space.id)
        self.catalogue.search_names.refresh()

    def watch(
        self,
        *folders: PathLike,
        labels: str | None = None,
        columns: Sequence[str] | None = None,
        ids: PathLike | None = None,
        embedders: Sequence[str] = ("auto",),
        auto_tags: bool | None = None,
        retry: bool = False,
        new_genres: bool = False,
        report: Callable[[results.WatchBatch], None] | None = None,
        stop: threading.Event | None = None,
        progress: Progress | None = None,
        fetching: Progress | None = None,
    ) -> results.WatchResult:
        """Add folders, then follow their changes until `stop` is set or Ctrl-C.

        New and changed files are added once they are complete, moved files keep their track and label, and deleted files are
        removed. `undo` brings removed tracks back. If a whole folder or very many files vanish at once, nothing is removed.

        Parameters
        ----------
        *folders : folders
        labels, columns, ids, embedders, auto_tags, new_genres, fetching : see `add`
            After the first `add`, only tracks without a label get one.
        retry : bool
            In the first `add`, try unchanged files again that failed before.
        report : callable or None
            Called with a `WatchBatch` after each batch of changes in which something was done. The first `add` is a batch.
        stop : threading.Event or None
            Ends the watch when it is set, after the current batch.
        progress : callable or None
            Called with (files done, files to do) in each batch.

        Returns
        -------
        WatchResult
            After Ctrl-C too: `KeyboardInterrupt` is not raised.

        Raises
        ------
        MissingFileError
            If a path is not an existing folder.
        LabelsError, SpaceError
            See `add`. Labels that become unusable later are only warned of.
        """
        return watch_folders(
            self.catalogue,
            folders,
            labels=labels,
            columns=columns,
            ids=ids,
            embedders=embedders,
            auto_tags=auto_tags,
            retry=retry,
            new_genres=new_genres,
            command=_describe_command("add --watch", *folders, labels=labels),
            compute=self._compute,
            refresh=self._refresh_indexes,
            report=report,
            stop=stop,
            progress=progress,
            fetching=fetching,
        )

    def preview_add(
        self,
        *paths: PathLike,
        labels: str | None = None,
        columns: Sequence[str] | None = None,
        ids: PathLike | None = None,
        embedders: Sequence[str] = ("auto",),
        retry: bool = False,
        new_genres: bool = False,
    ) -> results.AdditionPreview:
        """Report what `add` would do. Files are read to recognise known ones, but not decoded; nothing is changed.

        Parameters
        ----------
        *paths, labels, columns, ids, embedders, retry, new_genres : see `add`

        Returns
        -------
        AdditionPreview

        Raises
        ------
        MissingFileError, LabelsError, LibraryError, SpaceError
            See `add`. Whether the files can be decoded is not tested.
        """
        return preview_files(
            self.catalogue,
            paths,
            labels=labels,
            columns=columns,
            ids=ids,
            embedders=embedders,
            retry=retry,
            new_genres=new_genres,
        )

    def status(self) -> results.Status:
        """Report the numbers of tracks, files and labels, the failed files, the notices and the spaces.

        Returns
        -------
        Status
        """
        counts = self.catalogue.labels.genres()
        return results.Status(
            tracks=self.catalogue.tracks.count(),
            files=self.catalogue.files.count(),
            labelled=sum(counts.values()),
            labels=counts,
            failed=self._failed_files(),
            remarks=track_notices(self.catalogue.tracks.with_remarks()),
            spaces=[
                results.SpaceStatus(space.id, space.dimensions, space.tracks, *self._indexes.describe(space.id))
                for space in self.catalogue.spaces.all()
            ],
            variants=find_variants(sorted(counts)),
            auto_tags=self.catalogue.auto_tags.count(musicnn.SPACE.id),
            tempo_and_key=self.catalogue.tempo_keys.count(),
        )

    def build_indexes(self, *, kind: str | None = None) -> results.IndexBuildResult:
        """Build the search index of each space again. This is rarely needed, because indexes follow changes by themselves.

        Parameters
        ----------
        kind : str or None
            ``exact``, ``hnsw``, ``ivf``, or ``auto`` to choose by the number of tracks. The library remembers it. None keeps
            what was chosen before; ``auto`` at first.

        Returns
        -------
        IndexBuildResult

        Raises
        ------
        LibraryError
            If the library is empty, or cannot be written.
        ParameterError
            If the kind is unknown.
        """
        self._first_space()
        requested = kind or self._indexes.requested_kind
        built = [self._indexes.build(space.id, kind=requested) for space in self.catalogue.spaces.all() if space.tracks]
        return results.IndexBuildResult(requested, built)

    def label(
        self,
        source: str,
        *,
        columns: Sequence[str] | None = None,
        ids: PathLike | None = None,
        new_genres: bool = False,
        dry_run: bool = False,
    ) -> results.LabellingResult:
        """Set or change labels of tracks in the library, from a CSV or from the file tags.

        Parameters
        ----------
        source : str
            Path of a CSV, or ``tags``.
        columns, ids, new_genres : see `add`
        dry_run : bool
            Change nothing; only report what would be changed.

        Returns
        -------
        LabellingResult

        Raises
        ------
        LabelsError
            If the CSV is unusable, none of its rows matches a track, or its labels are numbers and those of the library are names.
        """
        if source == "folder":
            raise LabelsError(
                "labels from folder names are set when files are added: `sonotheque add FOLDER --labels folder`"
            )
        result = label_tracks(
            self.catalogue,
            open_label_source(source, columns=columns, ids=ids),
            command=_describe_command("label", source),
            new_genres=new_genres,
            dry_run=dry_run,
        )
        if result.matched == 0 and result.unmatched:
            raise LabelsError(
                f"{source}: no row matches a track; the first of {pluralize(len(result.unmatched), 'row')} is "
                f"{result.unmatched[0]!r}. Name the files by path, file name or stem"
            )
        return result

    def label_history(self, path: PathLike | None = None) -> results.LabelHistory:
        """List the changes of labels, the removals, and the labels that were restored with removed tracks.

        Parameters
        ----------
        path : path or None
            List only what was changed for this file, or for the files in this folder.

        Returns
        -------
        LabelHistory
            The latest change first.

        Raises
        ------
        LibraryError
            If the library never had a file at the path.
        """
        if path is None:
            changes = {
                change.id: self.catalogue.history.label_changes(change.id) for change in self.catalogue.history.all()
            }
        else:
            changes = self.catalogue.history.changes_of(os.path.abspath(path))
            if not changes:
                self.catalogue.files.inside(os.path.abspath(path))
        return results.LabelHistory(
            [
                results.HistoryEntry(
                    number=change.id,
                    kind=change.kind,
                    command=change.command,
                    time=change.time,
                    changed=change.labels if path is None else len(changes[change.id]),
                    tracks=change.tracks,
                    undone=change.undone is not None,
                    changes=list_changes(changes[change.id]),
                )
                for change in self.catalogue.history.all()
                if change.id in changes
            ]
        )

    def undo(self, *, dry_run: bool = False) -> results.UndoResult:
        """Take back the last change of labels or the last removal. Called again, it takes back the one before.

        Removed tracks come back with their files, labels and vectors.

        Parameters
        ----------
        dry_run : bool
            Change nothing; only report what would be taken back.

        Returns
        -------
        UndoResult

        Raises
        ------
        LibraryError
            If there is nothing to take back.
        """
        return undo_last_change(self.catalogue, dry_run=dry_run)

    def remove(self, *paths: PathLike, missing: bool = False, dry_run: bool = False) -> results.RemovalResult:
        """Remove files, folders, or all files that no longer exist from the library. Files on disk are not changed.

        `undo` brings the tracks back. If they are added again instead, they get their labels back.

        Parameters
        ----------
        *paths : files and folders as they were added
        missing : bool
            Remove every file that no longer exists.
        dry_run : bool
            Remove nothing; only report what would be removed.

        Returns
        -------
        RemovalResult

        Raises
        ------
        LibraryError
            If the library has no such file or folder.
        """
        removed = self.catalogue.files.missing() if missing else set()
        for path in paths:
            removed |= self.catalogue.files.inside(os.path.abspath(path))
        before = self.catalogue.tracks.count()
        if dry_run:
            plan = self.catalogue.plan_removal(sorted(removed))
        else:
            command = _describe_command("remove", *paths, *(["--missing"] if missing else []))
            plan = self.catalogue.remove_paths(sorted(removed), command=command)
        labels = Counter(change.before.label for change in plan.labels if change.before)
        return results.RemovalResult(
            places=len(plan.paths),
            removed=len(plan.tracks),
            tracks=before - len(plan.tracks),
            labelled=labels.total(),
            labels=dict(sorted(labels.items())),
            paths=list(plan.paths),
            dry_run=dry_run,
        )

    # Similar tracks

    def similar(
        self,
        *queries: PathLike,
        unlike: Sequence[PathLike] = (),
        segment: tuple[float, float] | None = None,
        k: int | None = None,
        min_similarity: float | None = None,
        max_per_artist: int | None = None,
        max_per_album: int | None = None,
        genre: str | None = None,
        tags: Sequence[str] = (),
        key: str | None = None,
        folder: PathLike | None = None,
        min_year: int | None = None,
        max_year: int | None = None,
        min_duration: float | None = None,
        max_duration: float | None = None,
        min_tempo: float | None = None,
        max_tempo: float | None = None,
        diversity: float = 0.0,
        farthest: bool = False,
        same_recording: bool = False,
        m3u: PathLike | None = None,
        force: bool = False,
    ) -> results.SimilarityResult:
        """Find the tracks nearest to one or several tracks of the library, or to any audio files.

        The queries, their byte-identical duplicates and other files of the same recording are not returned. The result says why
        each track is similar.

        Parameters
        ----------
        *queries : paths of files; for tracks of the library, the file name, title or artist is enough
        unlike : sequence of the same
            What the tracks should not resemble.
        segment : (start, end) or None
            Search by this part of the only query, in s. Tracks are then ranked by their most similar part.
        k : int or None
            Number of tracks; by default 10 or, with `min_similarity`, up to 1,000.
        min_similarity : float or None
            Return only tracks with at least this similarity.
        max_per_artist, max_per_album : int or None
            Maximum number of tracks by one artist, or from one album.
        genre : str or None
            Return only tracks of this genre.
        tags : sequence of str
            Return only tracks for which these auto-tags, such as ``sad`` or ``guitar``, are likely.
        key : str or None
            Return only tracks in this key, such as ``A minor``.
        folder : path or None
            Return only tracks with a file in this folder.
        min_year, max_year : int or None
            Return only tracks that were released in these years.
        min_duration, max_duration : float or None
            Return only tracks of this duration, in s.
        min_tempo, max_tempo : float or None
            Return only tracks of this tempo, in BPM.
        diversity : float
            From 0 to less than 1: pass over tracks that resemble those above them in the list.
        farthest : bool
            Return the tracks that are least similar.
        same_recording : bool
            Also return other files of the same recording.
        m3u : path or None
            Also write the tracks to this playlist.
        force : bool
            Replace a playlist that was not written by sonotheque, see `sonotheque.output_files`.

        Returns
        -------
        SimilarityResult

        Raises
        ------
        LibraryError
            If the library is empty, a query is neither a track nor a file, or the playlist cannot be written.
        AudioError
            If a file cannot be decoded.
        SpaceError
            If there is no such auto-tag.
        """
        require_in_range(
            k=k,
            min_similarity=min_similarity,
            max_per_artist=max_per_artist,
            max_per_album=max_per_album,
            min_year=min_year,
            max_year=max_year,
            min_duration=min_duration,
            max_duration=max_duration,
            min_tempo=min_tempo,
            max_tempo=max_tempo,
            diversity=diversity,
        )
        for end in segment if isinstance(segment, tuple) else (segment,):
            require_in_range(segment=end)
        from sonotheque.embed.auto_tags import find_tag
        from sonotheque.embed.tempo_key import parse_key
        from sonotheque.explore import SimilarityLimits, find_similar
        from sonotheque.explore.playlists.m3u import write_m3u
        from sonotheque.explore.similar.limits import MAX_BY_SIMILARITY
        from sonotheque.store.track_filter import TrackFilter

        inputs = [*queries, *unlike]
        playlist = None if m3u is None else self._open_output(m3u, M3U, "similar --m3u", inputs=inputs, force=force)
        conditions = TrackFilter(
            min_year=min_year,
            max_year=max_year,
            min_seconds=min_duration,
            max_seconds=max_duration,
            min_tempo=min_tempo,
            max_tempo=max_tempo,
            key=None if key is None else parse_key(key),
            folder=None if folder is None else os.path.abspath(folder),
        )
        limits = SimilarityLimits(
            k=k or (10 if min_similarity is None else MAX_BY_SIMILARITY),
            min_similarity=min_similarity,
            max_per_artist=max_per_artist,
            max_per_album=max_per_album,
            genre=genre,
            conditions=conditions,
            tags=[find_tag(tag) for tag in tags],
            same_recording=same_recording,
            diversity=diversity,
            farthest=farthest,
        )
        space = self._first_space()
        result = find_similar(
            queries,
            unlike=unlike,
            segment=segment,
            catalogue=self.catalogue,
            index=self._indexes.open(space),
            space=space,
            limits=limits,
            attributes=lambda: self._open_track_arrays(None),
            compute=self._compute,
        )
        if k is None and min_similarity is not None and result.results:
            result = replace(result, shortfall=None)
        if playlist is not None:
            write_m3u(result.results, playlist)
        return result

    def duplicates(
        self,
        *,
        embedder: str | None = None,
        fingerprint: str = "auto",
        csv: PathLike | None = None,
        force: bool = False,
        progress: Progress | None = None,
    ) -> results.DuplicatesResult:
        """Find byte-identical files, tracks that are one recording, and tracks that may be versions of one piece.

        Nothing is merged or removed. Fingerprints are computed from the files that are compared, and stored in the library.

        Parameters
        ----------
        embedder : str or None
            Embedder whose vectors propose the pairs; by default the first one that pools its vectors.
        fingerprint : str
            ``chromaprint``, ``spectral``, or ``auto`` for Chromaprint if it is installed.
        csv : path or None
            Also write one row for each file to this CSV.
        force : bool
            Replace a CSV that was not written by sonotheque, see `sonotheque.output_files`.
        progress : callable or None
            Called with (files done, files to do) while files are decoded.

        Returns
        -------
        DuplicatesResult

        Raises
        ------
        LibraryError
            If the library is empty, Chromaprint is requested and not installed, or the CSV cannot be written or would replace a
            file that must stay.
        """
        from sonotheque.explore.duplicates import choose_method, find_duplicates, write_duplicates

        table = None if csv is None else self._open_output(csv, CSV, "duplicates --csv", whole=True, force=force)
        method = choose_method(fingerprint)
        space = self._map_space(embedder)
        result = find_duplicates(
            self.catalogue, space=space, index=self._indexes.open(space), method=method, progress=progress
        )
        if table is not None:
            write_duplicates(result, table)
        return result

    # Search by words

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        genre: str | None = None,
        m3u: PathLike | None = None,
        force: bool = False,
        progress: Progress | None = None,
    ) -> results.SearchResult:
        """Find the tracks that fit some words best: by genres, auto-tags, tempo, key, level and names. No audio is decoded.

        Parameters
        ----------
        query : str
            Such as ``slow acoustic female vocals, not rock``.
        k : int
            Number of tracks.
        genre : str or None
            Return only tracks of this genre.
        m3u : path or None
            Also write the tracks to this playlist.
        force : bool
            Replace a playlist that was not written by sonotheque, see `sonotheque.output_files`.
        progress : callable or None
            Called with (tracks done, total) if the classifier must predict the genres of the tracks first.

        Returns
        -------
        SearchResult

        Raises
        ------
        LibraryError
            If the library is empty, no word is understood, no track has the genre, or the playlist cannot be written.
        """
        require_in_range(k=k)
        from sonotheque.explore.playlists.m3u import write_m3u
        from sonotheque.explore.search import find_tracks

        playlist = None if m3u is None else self._open_output(m3u, M3U, "search --m3u", force=force)
        tracks = self._open_track_arrays(progress)
        if len(tracks) == 0:
            self._first_space()  # the error for an empty library
        result = find_tracks(query, catalogue=self.catalogue, tracks=tracks, k=k, genre=genre)
        if playlist is not None:
            write_m3u(result.results, playlist)
        return result

    # Playlists

    def playlist(
        self,
        *seeds: PathLike,
        start: PathLike | None = None,
        end: PathLike | None = None,
        extend: PathLike | None = None,
        genre: str | None = None,
        cluster: str | None = None,
        n: int | None = None,
        minutes: float | None = None,
        min_minutes: float | None = None,
        max_minutes: float | None = None,
        max_per_artist: int | None = None,
        max_per_album: int | None = None,
        seed: int = 0,
        m3u: PathLike | None = None,
        rekordbox: PathLike | None = None,
        force: bool = False,
    ) -> results.PlaylistResult:
        """Make a playlist: from seeds, from one track to another, as the continuation of a playlist, or as a mix.

        No artist follows itself, unless every order of the tracks has that. No track and no recording is in it twice, except what
        is given.

        Parameters
        ----------
        *seeds : paths of files, file names, titles or artists
            The playlist begins with the first one that is a track of the library, and contains all that are.
        start, end : path or name, or None
            Make a playlist from one track to another. Both are needed.
        extend : path or None
            Continue the playlist in this M3U file. It begins with the tracks of the file.
        genre : str or None
            Add only tracks of this genre. Without seeds, `start` and `extend`, the playlist is a mix of them.
        cluster : str or None
            Add only tracks of this cluster of the map, by its number or name; like `genre`.
        n : int or None
            Number of tracks; by default 20 or, with `extend`, 20 new ones. If `minutes` or `min_minutes` is given, by default as
            many as needed.
        minutes : float or None
            Total duration, which is not exceeded.
        min_minutes, max_minutes : float or None
            Bounds of the total duration, instead of `minutes`.
        max_per_artist, max_per_album : int or None
            Maximum number of tracks by one artist, and of one album. Given tracks count, but are never left out.
        seed : int
            Another seed makes another mix.
        m3u, rekordbox : path or None
            Also write the playlist to this M3U or Rekordbox XML file.
        force : bool
            Replace a file that was not written by sonotheque, see `sonotheque.output_files`.

        Returns
        -------
        PlaylistResult

        Raises
        ------
        ParameterError
            If a number is outside its range, or bounds contradict each other.
        LibraryError
            If the library is empty, a track, genre or cluster is unknown, the playlist file cannot be read, or an output cannot be
            written or would replace a file that must stay.
        AudioError
            If a seed that is not in the library cannot be decoded.
        """
        require_in_range(n=n, minutes=minutes, min_minutes=min_minutes, max_minutes=max_minutes, seed=seed)
        require_in_range(max_per_artist=max_per_artist, max_per_album=max_per_album)
        from sonotheque.explore.playlists import PlaylistSource, make_playlist, make_rules, restrict_tracks
        from sonotheque.explore.playlists.m3u import write_m3u
        from sonotheque.explore.playlists.rekordbox import write_rekordbox

        source = PlaylistSource(seeds, start, end, extend)
        source.check(restricted=genre is not None or cluster is not None)
        rules = make_rules(
            n=n,
            minutes=minutes,
            min_minutes=min_minutes,
            max_minutes=max_minutes,
            max_per_artist=max_per_artist,
            max_per_album=max_per_album,
        )
        inputs = source.files
        playlist = None if m3u is None else self._open_output(m3u, M3U, "playlist --m3u", inputs=inputs, force=force)
        collection = None
        if rekordbox is not None:
            collection = self._open_output(rekordbox, REKORDBOX, "playlist --rekordbox", inputs=inputs, force=force)
        space = self._first_space()
        map_space = space if cluster is None else self._map_space(None)
        result = make_playlist(
            source,
            catalogue=self.catalogue,
            index=self._indexes.open(space),
            space=space,
            rules=rules,
            restrict_to=restrict_tracks(self.catalogue, genre=genre, cluster=cluster, map_space=map_space),
            seed=seed,
            compute=self._compute,
        )
        if playlist is not None:
            write_m3u(result.results, playlist)
        if collection is not None:
            write_rekordbox(result.results, collection)
        return result

    # Genre classification

    @renamed_parameters(decision="aggregation")
    def train(
        self,
        *,
        model: str = "auto",
        embedders: Sequence[str] | None = None,
        aggregation: str = "track",
        minutes: float | None = None,
        trials: int | None = None,
        augment: int = 0,
        seed: int = 0,
        progress: Progress | None = None,
        copying: Progress | None = None,
    ) -> results.TrainingResult:
        """Fit a classifier to all labelled tracks and save it in the library.

        Parameters
        ----------
        model : str
            ``knn``, ``logreg``, ``svm``, ``forest``, ``lightgbm``, ``xgboost`` or ``mlp``. ``cnn`` and ``head``, with the extra
            ``deep``, are networks trained from scratch. ``ensemble`` combines all of them on all spaces. ``auto`` selects the best
            of the quick models on artist-grouped folds or, with `minutes` or `trials`, the result of a search.
        embedders : sequence of str or None
            Names of embedders; by default all of the library.
        aggregation : str
            ``track`` classifies track vectors. ``mean``, ``vote``, ``product`` and ``learned`` classify segments and aggregate the
            predictions.
        minutes : float or None
            Wall time for the search of ``auto``, including its evaluation and the final fit.
        trials : int or None
            Number of trials of each search, instead of `minutes`. The result is then reproducible.
        augment : int
            Number of augmented copies of each labelled track to train on, at most 20. Missing copies are computed first, with the
            extra ``augment``.
        seed : int
            Seed of the folds.
        progress : callable or None
            Called with (seconds or trials done, total) during a search, otherwise with (fits done, total).
        copying : callable or None
            Called with (copies done, copies to make) while augmented copies are made.

        Returns
        -------
        TrainingResult

        Raises
        ------
        ClassifierError
            If the labelled tracks have fewer than two genres, or a name is unknown.
        """
        require_in_range(minutes=minutes, trials=trials, augment=augment, seed=seed)
        from sonotheque.classify import SearchBudget, train_classifier
        from sonotheque.classify.training import make_saved_classifier, training_result

        training = self._training_set(embedders, model=model, augment=augment, copying=copying)
        budget = SearchBudget(minutes, trials)
        trained = train_classifier(
            training, model=model, aggregation=aggregation, budget=budget, seed=seed, progress=progress
        )
        saved = make_saved_classifier(
            training, trained, model=model, searched=bool(budget), generation=self.catalogue.generation
        )
        saved.save(self._classifier_path)
        return training_result(training, trained, saved)

    def classify(
        self,
        *paths: PathLike,
        timeline: bool = False,
        abstain: float | None = None,
        csv: PathLike | None = None,
        columns: Sequence[str] | None = None,
        ids: PathLike | None = None,
        template: PathLike | None = None,
        force: bool = False,
        progress: Progress | None = None,
    ) -> results.ClassificationResult:
        """Predict the genre of files. Nothing is added to the library; stored vectors of known files are reused.

        Parameters
        ----------
        *paths : folders and files
        timeline : bool
            Also predict the genre of each segment of 10 s.
        abstain : float or None
            Target accuracy, such as 0.9. Predictions below the probability threshold that guarantees it are marked.
        csv : path or None
            Also write the predictions to this CSV; see `sonotheque.classify.write_submission` for `columns`, `ids` and `template`.
        columns : sequence of str or None
        ids, template : path or None
        force : bool
            Replace a CSV that was not written by sonotheque, see `sonotheque.output_files`.
        progress : callable or None
            Called with (files done, files to do) if files must be embedded.

        Returns
        -------
        ClassificationResult

        Raises
        ------
        ClassifierError
            If there is no classifier, or it does not fit the library.
        MissingFileError
            If a path does not exist.
        LabelsError
            If the ids or the template are unusable.
        LibraryError
            If there is no audio file, or the CSV cannot be written or would replace a file that must stay.
        """
        require_in_range(abstain=abstain)
        from sonotheque.classify import predict_genres, write_submission
        from sonotheque.extract import get_vectors

        inputs = [*paths, *(file for file in (ids, template) if file is not None)]
        table = None if csv is None else self._open_output(csv, CSV, "classify --csv", inputs=inputs, force=force)
        saved = self._load_classifier()
        audio = [file.path for file in scan_paths(paths)]
        if not audio:
            raise LibraryError(f"{', '.join(map(str, paths))}: no audio file found; nothing to classify")
        segments = timeline or saved.ensemble.needs_segments
        files = get_vectors(
            audio,
            spaces=saved.spaces,
            stored=self.catalogue.stored_vectors(saved.spaces, segments=segments),
            compute=self._compute,
            progress=progress,
        )
        result = predict_genres(
            files,
            classifier=saved,
            catalogue=self.catalogue,
            index=self._indexes.open(saved.spaces[0]),
            timeline=timeline,
            abstain=abstain,
        )
        if table is not None:
            for row in write_submission(result, table, columns=columns, ids=ids, template=template):
                log.warning("no prediction for %s; the most frequent genre, %s, is used", row, result.fallback)
        return result

    @renamed_parameters(decision="aggregation")
    def evaluate(
        self,
        *,
        model: str = "auto",
        folds: int | None = None,
        split: PathLike | None = None,
        repeats: int = 1,
        embedders: Sequence[str] | None = None,
        aggregation: str = "track",
        learning_curve: bool = False,
        minutes: float | None = None,
        trials: int | None = None,
        augment: int = 0,
        seed: int = 0,
        report: PathLike | None = None,
        force: bool = False,
        lang: str = "en",
        compared: results.ComparisonResult | None = None,
        progress: Progress | None = None,
        copying: Progress | None = None,
    ) -> results.EvaluationResult:
        """Evaluate a model on the labelled tracks by stratified cross-validation with artist-grouped folds.

        Parameters
        ----------
        model : str
            See `train`. Model selection by ``auto`` and ``ensemble`` is nested inside each fold.
        folds : int or None
            Number of folds. By default the largest number up to 5 for which genres with at least that many artists have 3/4 of all
            tracks.
        split : path or None
            A given split to use instead of folds, see `sonotheque.classify.data.given_split.read_given_split`.
        repeats : int
            Number of repetitions with different folds.
        learning_curve : bool
            Also evaluate with smaller numbers of training artists.
        embedders, aggregation, minutes, trials, augment, seed : see `train`
            Augmented copies are used for training only, in the folds in which their track is a training track.
        report : path of a folder or None
            Write ``report.html`` and its figures to this folder.
        force : bool
            Replace pages and pictures in it that were not written by sonotheque, see `sonotheque.output_files`.
        lang : str
            Language of the report: ``en`` or ``fr``.
        compared : ComparisonResult or None
            Result of `compare`, for the table of models in the report.
        progress, copying : callable or None
            See `train`.

        Returns
        -------
        EvaluationResult

        Raises
        ------
        ClassifierError
            If fewer than two genres have enough artists.
        LabelsError
            If the split is unusable.
        LibraryError
            If the report cannot be written, or would replace a file that must stay.
        """
        require_in_range(folds=folds, repeats=repeats, minutes=minutes, trials=trials, augment=augment, seed=seed)
        from sonotheque.classify import SearchBudget, evaluate_model
        from sonotheque.classify.data.given_split import read_given_split

        page = None if report is None else self._open_report(report, split=split, force=force)
        training = self._training_set(embedders, model=model, augment=augment, copying=copying)
        given = read_given_split(Path(split), tracks=training.tracks) if split is not None else None
        budget = SearchBudget(minutes, trials)
        if page is None:
            return evaluate_model(
                training,
                model=model,
                aggregation=aggregation,
                folds=given or folds,
                repeats=repeats,
                curve=learning_curve,
                budget=budget,
                seed=seed,
                progress=progress,
            )
        from sonotheque.report import write_evaluation_report

        return write_evaluation_report(
            training,
            page,
            model=model,
            aggregation=aggregation,
            folds=given or folds,
            repeats=repeats,
            budget=budget,
            catalogue=self.catalogue,
            failed=self._failed_files(),
            compared=compared,
            lang=lang,
            seed=seed,
            progress=progress,
        )

    def evaluate_retrieval(
        self, *, embedders: Sequence[str] | None = None, k: int = 10, progress: Progress | None = None
    ) -> results.RetrievalResult:
        """Evaluate how well similar tracks are found, by the plain cosine and by the default measure of each space.

        Parameters
        ----------
        embedders : sequence of str or None
            Embedders whose spaces are evaluated; by default all whose vectors are pooled.
        k : int
            Length of the lists of similar tracks.
        progress : callable or None
            Called with (steps done, total steps).

        Returns
        -------
        RetrievalResult

        Raises
        ------
        LibraryError
            If the library is empty, or has no pooled vectors.
        SpaceError
            If it has no vectors of an embedder.
        """
        require_in_range(k=k)
        from sonotheque.explore.retrieval.evaluate_retrieval import evaluate_retrieval

        if embedders is None:
            first = self._map_space(None)
            pooled = [space.id for space in self.catalogue.spaces.all() if space.tracks and kind_of(space.id) in POOLED]
            spaces = sorted(pooled, key=lambda space: space != first)
        else:
            spaces = [self._map_space(name) for name in dict.fromkeys(embedders)]
        return evaluate_retrieval(self.catalogue, spaces=spaces, k=k, progress=progress)

    def compare(
        self,
        *,
        models: Sequence[str] | None = None,
        embedders: Sequence[str] | None = None,
        folds: int | None = None,
        augment: int = 0,
        seed: int = 0,
        progress: Progress | None = None,
        copying: Progress | None = None,
    ) -> results.ComparisonResult:
        """Evaluate all models on the same folds.

        Each model is evaluated on each space and on all spaces together, on track vectors and on segments. Ensembles are included.

        Parameters
        ----------
        models : sequence of str or None
            Names of models; by default all.
        embedders, folds, seed : see `evaluate`
        augment : int
            Number of augmented copies of each track. Models that classify track vectors are evaluated with and without them.
        progress : callable or None
            Called with (fits done, total).
        copying : callable or None
            See `train`.

        Returns
        -------
        ComparisonResult

        Raises
        ------
        ClassifierError
            If fewer than two genres have enough artists.
        """
        require_in_range(folds=folds, augment=augment, seed=seed)
        from sonotheque.classify.data.training_set import warn_ungrouped
        from sonotheque.classify.evaluation.model_comparison import all_specs, compare_models
        from sonotheque.classify.models.learners import available_models

        training = self._training_set(embedders, model="ensemble", augment=augment, copying=copying)
        warn_ungrouped(training)
        specs = all_specs(training.data.spaces, models=models or available_models(), segments=True, copies=augment > 0)
        return compare_models(
            training.data, training.y, groups=training.groups, specs=specs, folds=folds, seed=seed, progress=progress
        )

    # Label issues

    @renamed_parameters(most="limit")
    def errors(
        self,
        *,
        embedders: Sequence[str] | None = None,
        limit: int | None = None,
        seed: int = 0,
        csv: PathLike | None = None,
        page: PathLike | None = None,
        audio: str = "auto",
        lang: str = "en",
        force: bool = False,
        cutting: Progress | None = None,
    ) -> results.LabelIssuesResult:
        """Find labels that are probably wrong, worst first. No label is changed, and no trained classifier is needed.

        Parameters
        ----------
        embedders : sequence of str or None
            Names of embedders; by default all of the library.
        limit : int or None
            Maximum number of labels to return; by default a tenth of all labels.
        seed : int
            Seed of the folds.
        csv : path or None
            Also write the label issues to this CSV, with an empty column ``decision`` for corrections.
        page : path or None
            Also write an HTML page on which a person listens, decides, and saves the same CSV with the decisions.
        audio : str
            What the page plays; see `map`.
        lang : str
            Language of the page: ``en`` or ``fr``.
        force : bool
            Replace a CSV or page that was not written by sonotheque, or in which corrections were entered, see
            `sonotheque.output_files`.
        cutting : callable or None
            Called with (excerpts done, total) while excerpts are cut for the page.

        Returns
        -------
        LabelIssuesResult

        Raises
        ------
        ClassifierError
            If the labelled tracks have fewer than two genres.
        LibraryError
            If the CSV or the page cannot be written, or would replace a file that must stay.
        """
        require_in_range(limit=limit, seed=seed)
        from threadpoolctl import threadpool_limits

        from sonotheque.explore.label_issues.corrections import write_corrections
        from sonotheque.explore.label_issues.find_issues import find_label_issues

        table = None if csv is None else self._open_output(csv, CSV, "errors --csv", whole=True, force=force)
        html = None if page is None else self._open_output(page, HTML, "errors --page", whole=True, force=force)
        training = self._training_set(embedders, model="logreg", segments=False)
        with threadpool_limits(limits=1, user_api="blas"):
            issues = find_label_issues(training, catalogue=self.catalogue, limit=limit, seed=seed)
        if table is not None:
            write_corrections(issues, table)
        if html is not None:
            from sonotheque.report.label_issues.page import write_label_issues_page

            write_label_issues_page(
                html,
                issues,
                tracks={track.path: track for track in training.tracks},
                command=self._command_line("errors --apply"),
                audio=audio,
                lang=lang,
                progress=cutting,
            )
        return issues

    def apply_corrections(
        self, path: PathLike, *, new_genres: bool = False, dry_run: bool = False
    ) -> results.LabellingResult:
        """Set the labels that a person has corrected in a CSV written by `errors`.

        Parameters
        ----------
        path : path of the CSV
            Rows whose ``decision`` is empty, ``ok`` or ``keep`` change nothing.
        new_genres : bool
            Accept genres that the library does not have.
        dry_run : bool
            Change nothing; only report what would be changed.

        Returns
        -------
        LabellingResult

        Raises
        ------
        LabelsError
            If the CSV is unusable, a row names no track, a decision is not a genre of the library, or two rows contradict each
            other. No label is changed then.
        """
        from sonotheque.explore.label_issues.corrections import apply_corrections

        return apply_corrections(
            path,
            catalogue=self.catalogue,
            command=_describe_command("errors --apply", path),
            new_genres=new_genres,
            dry_run=dry_run,
        )

    def apply_decisions(self, path: PathLike) -> results.LabellingResult:
        """Apply corrections: the deprecated name of `apply_corrections`."""
        import warnings

        warnings.warn(
            "Library.apply_decisions is now Library.apply_corrections; the old name will be removed in the next version",
            FutureWarning,
            stacklevel=2,
        )
        return self.apply_corrections(path)

    # The map

    @renamed_parameters(anew="rebuild")
    def map(
        self,
        page: PathLike | None = None,
        *,
        embedder: str | None = None,
        neighbours: int | None = None,
        cluster_size: int | None = None,
        seed: int | None = None,
        rebuild: bool = False,
        audio: str = "auto",
        csv: PathLike | None = None,
        force: bool = False,
        progress: Progress | None = None,
        cutting: Progress | None = None,
    ) -> results.MapResult:
        """Compute the map of all tracks with its clusters, or load the stored one and add new tracks to it.

        Existing positions change only if the map is computed again: if `rebuild` is true, or if `neighbours`, `cluster_size` or
        `seed` differ from those of the stored map.

        Parameters
        ----------
        page : path or None
            Write the map to this file as a self-contained HTML page.
        embedder : str or None
            Name of an embedder; by default that of the library's first space with pooled vectors.
        neighbours : int or None
            Number of neighbours of each track in UMAP's graph; by default 15, and more from 10,000 tracks on.
        cluster_size : int or None
            Minimum number of tracks in a cluster; by default half the square root of the number of tracks, but at least 5.
        seed : int or None
            Seed of the projection; by default 0.
        rebuild : bool
            Compute the map again.
        audio : str
            What the page plays. ``embed`` includes an excerpt of 10 s of each track in the page. ``files`` links to the files. An
            address such as ``http://localhost:8000/`` links to files below it, by their path relative to their common folder.
            ``none`` plays nothing. ``auto`` means ``embed`` for up to 300 tracks, otherwise ``files``.
        csv : path or None
            Write the cluster of each track to this CSV.
        force : bool
            Replace a page or a CSV that was not written by sonotheque, or for another or a much larger library, see
            `sonotheque.output_files`.
        progress : callable or None
            Called with (steps done, total steps) while the map is computed.
        cutting : callable or None
            Called with (excerpts done, total).

        Returns
        -------
        MapResult

        Raises
        ------
        LibraryError
            If the library is empty, or a file cannot be written or would replace one that must stay.
        SpaceError
            If the embedder is unknown or the library has no vectors of it.
        """
        require_in_range(neighbours=neighbours, cluster_size=cluster_size, seed=seed)
        from sonotheque.explore.map.layout import MapSettings
        from sonotheque.explore.map.map_summary import write_clusters

        html = None if page is None else self._open_output(page, HTML, "map -o", whole=True, force=force)
        table = None if csv is None else self._open_output(csv, CSV, "clusters --csv", whole=True, force=force)
        settings = MapSettings(seed, neighbours, cluster_size)
        view = self._map_view(embedder, settings, rebuild=rebuild, with_labels=page is not None, progress=progress)
        if html is not None:
            from sonotheque.report.genre_colours import load_genre_colours
            from sonotheque.report.map import write_map

            write_map(html, *view, audio=audio, genre_colours=load_genre_colours(self.catalogue), progress=cutting)
        if table is not None:
            write_clusters(view.summary, table)
        return view.summary

    # One file

    def inspect(
        self, path: PathLike, *, picture: PathLike | None = None, force: bool = False
    ) -> results.InspectionResult:
        """Analyse one file, whether or not it is in the library. If there is a trained classifier, the genre over time is included.

        Parameters
        ----------
        path : path of an audio file
        picture : path or None
            Draw the analysis to this PNG.
        force : bool
            Replace a picture that was not written by sonotheque, see `sonotheque.output_files`.

        Returns
        -------
        InspectionResult

        Raises
        ------
        AudioError
            If the file cannot be used.
        LibraryError
            If the picture cannot be written.
        """
        if picture is not None:
            _open_picture(picture, path, library=self.path, force=force)
        prediction: results.Prediction | None = None
        timeline: Sequence[results.TimelineSegment] = ()
        if self._classifier_path.exists() and (tracks := self.classify(path, timeline=True).tracks):
            timeline = tracks[0].timeline or ()
            prediction = replace(tracks[0], timeline=None)
        return inspect_file(
            path, picture=picture, force=force, timeline=timeline, prediction=prediction, compute=self._compute
        )

    # Export

    def export_tags(self, path: PathLike, *, force: bool = False) -> results.ExportResult:
        """Write the attributes of all tracks as CSV or Parquet: tempo, key, mood, instruments, style, era and auto-tags.

        Parameters
        ----------
        path : path of a file that ends in ``.csv`` or ``.parquet``
        force : bool
            Replace a table that was not written by sonotheque, see `sonotheque.output_files`.

        Returns
        -------
        ExportResult

        Raises
        ------
        LibraryError
            If the library is empty, the file has another extension, or it cannot be written or would replace a file that must stay.
        """
        from sonotheque.explore.attribute_table import COLUMNS, export_attributes, table_kind

        table = self._open_output(path, table_kind(path), "export --tags", whole=True, force=force)
        self._first_space()
        return results.ExportResult(os.fspath(path), export_attributes(self.catalogue, table), list(COLUMNS))

    def export_points(
        self,
        path: PathLike,
        *,
        embedder: str | None = None,
        force: bool = False,
        progress: Progress | None = None,
    ) -> results.ExportResult:
        """Write vectors, map positions, nearest tracks and attributes of all tracks as Parquet, in the format of embedding-atlas.

        For more than 200,000 tracks, the columns that need a map are left out.

        Parameters
        ----------
        path : path of a file that ends in ``.parquet``
        embedder : str or None
            See `map`.
        force : bool
            Replace a table that was not written by sonotheque, see `sonotheque.output_files`.
        progress : callable or None
            Called with (steps done, total steps) if the map must be computed.

        Returns
        -------
        ExportResult

        Raises
        ------
        LibraryError
            If the library is empty, or the file cannot be written or would replace one that must stay.
        """
        from sonotheque.explore.map.export_points import COLUMNS, MAP_COLUMNS, export_points, export_vectors

        table = self._open_output(path, PARQUET, "export --parquet", whole=True, force=force)
        space = self.catalogue.spaces.get(self._map_space(embedder))
        if space.tracks > MAX_MAPPED_TRACKS:
            log.warning(
                "no map is computed for %d tracks (the limit is 200,000); only vectors and attributes are written",
                space.tracks,
            )
            rows = export_vectors(table, self.catalogue, space=space.id)
            return results.ExportResult(os.fspath(path), rows, [name for name in COLUMNS if name not in MAP_COLUMNS])
        view = self._map_view(embedder, progress=progress)
        return results.ExportResult(os.fspath(path), export_points(table, *view), list(COLUMNS))

    def tag(
        self,
        *paths: PathLike,
        write: bool = False,
        overwrite: bool = False,
        only: str | None = None,
        predicted: bool = False,
        probability: float = 0.5,
        progress: Progress | None = None,
    ) -> results.TaggingResult:
        """Write genres and tempos into file tags, or list the changes that this would make.

        The genre is the track's label. The tempo is that of `export_tags`: it is written only if its
        confidence is at least 0.3.

        Parameters
        ----------
        *paths : files and folders as they were added; by default all
            Duplicates of these files elsewhere are not changed.
        write : bool
            Write the files; otherwise only list the changes.
        overwrite : bool
            Replace an existing genre or tempo.
        only : str or None
            ``genre`` or ``tempo``: write only this field.
        predicted : bool
            For a track without a label, use the genre that the trained classifier predicts.
        probability : float
            Minimum probability of a predicted genre. Unsure predictions are left out too, and tracks that resemble no labelled
            track get no genre.
        progress : callable or None
            Called with (tracks done, total) while files are written or, without `write`, checked.

        Returns
        -------
        TaggingResult

        Raises
        ------
        LibraryError
            If the library is empty, or a path is not known.
        ClassifierError
            If `predicted` is true and there is no classifier.
        """
        require_in_range(probability=probability)
        from sonotheque.explore.tag_requests import make_tag_requests
        from sonotheque.store.tag_update import plan_tags, write_tags

        self._first_space()
        files = self.catalogue.files.all()
        inside = {p for path in paths for p in self.catalogue.files.inside(os.path.abspath(path)) if p in files}
        selected = {files[path][1] for path in inside}
        tracks = [track for track in self.catalogue.tracks.all() if not paths or track.id in selected]
        genres = {track.id: track.label for track in tracks}
        if predicted and only != "tempo":
            genres |= self._predicted_genres([track for track in tracks if not track.label], probability)
        requests = make_tag_requests(
            self.catalogue, tracks, genres=genres, only=only, paths=frozenset(inside) if paths else None
        )
        if not write:
            return plan_tags(self.catalogue, requests, overwrite=overwrite, progress=progress)
        return write_tags(self.catalogue, requests, overwrite=overwrite, progress=progress)

    # Shared by several commands

    def _command_line(self, arguments: str) -> str:
        """Return the command line that runs a command on this library."""
        is_default = self.path.absolute() == default_path().absolute()
        library = "" if is_default else f"-L {shlex.quote(str(self.path.absolute()))} "
        return f"sonotheque {library}{arguments}"

    def _open_output(
        self,
        path: PathLike,
        kind: FileKind,
        output: str,
        *,
        inputs: Sequence[PathLike] = (),
        whole: bool = False,
        force: bool,
    ) -> OutputFile:
        """Check that a file may be written. If it is about the `whole` library, a much larger one is not replaced silently."""
        return open_output(path, kind, output=output, inputs=inputs, force=force, **self._output_rules(whole=whole))

    def _open_report(self, folder: PathLike, *, split: PathLike | None, force: bool) -> OutputFile:
        """Check that a report may be written into a folder."""
        from sonotheque.report.page import open_report

        inputs = () if split is None else (split,)
        rules = self._output_rules(whole=True)
        return open_report(folder, output="evaluate --report", inputs=inputs, force=force, **rules)

    def _output_rules(self, *, whole: bool) -> dict[str, Any]:
        tracks = self.catalogue.tracks.count() if whole else None
        return {"written": self.catalogue.outputs, "library": self.path, "tracks": tracks}

    @property
    def _classifier_path(self) -> Path:
        return self.path / "classifier.skops"

    def _open_track_arrays(self, progress: Progress | None) -> TrackArrays:
        """Return what is known of all tracks. It is kept for the next search, unless the library has changed."""
        from sonotheque.library.track_arrays import open_track_arrays, stamp_track_arrays

        stamp = stamp_track_arrays(self.catalogue, classifier=self._classifier_path)
        if self._track_arrays is None or self._track_arrays[0] != stamp:
            tracks = open_track_arrays(self.path, self.catalogue, classifier=self._classifier_path, progress=progress)
            self._track_arrays = stamp, tracks
        return self._track_arrays[1]

    def _load_classifier(self) -> SavedClassifier:
        """Return the trained classifier. It is kept for the next question, unless its file has changed."""
        from sonotheque.classify.inference.predict import check_classifier, load_classifier

        try:
            file = self._classifier_path.stat()
            stamp = file.st_mtime_ns, file.st_size, file.st_ino
        except OSError:  # the error says what to do
            return load_classifier(self._classifier_path, catalogue=self.catalogue)
        if self._classifier is not None and self._classifier[0] == stamp:
            check_classifier(self._classifier[1], catalogue=self.catalogue)
        else:
            self._classifier = stamp, load_classifier(self._classifier_path, catalogue=self.catalogue)
        return self._classifier[1]

    def _failed_files(self) -> list[results.FailedFile]:
        return [results.FailedFile(path, reason) for path, (_, reason) in self.catalogue.files.failures().items()]

    def _first_space(self) -> str:
        spaces = self.catalogue.spaces.all()
        if not spaces or not spaces[0].tracks:
            raise LibraryError(f"{self.path}: the library is empty; `sonotheque add FOLDER` adds music to it")
        return spaces[0].id

    def _map_space(self, embedder: str | None) -> str:
        self._first_space()
        if embedder is not None:
            return self.catalogue.spaces.get(space_of(embedder).id).id
        for space in self.catalogue.spaces.all():
            if space.tracks and kind_of(space.id) in POOLED:
                return space.id
        raise LibraryError(f"{self.path}: no pooled vectors; `sonotheque add FOLDER --embedder musicnn` computes some")

    def _training_set(
        self,
        embedders: Sequence[str] | None,
        *,
        model: str,
        augment: int = 0,
        segments: bool = True,
        copying: Progress | None = None,
    ) -> TrainingSet:
        from sonotheque.classify import load_training_set
        from sonotheque.classify.models.learners import select_spaces

        self._first_space()
        if embedders is None:
            spaces = select_spaces(model, [space.id for space in self.catalogue.spaces.all() if space.tracks])
        else:
            spaces = [space_of(name).id for name in embedders]
        if augment:
            from sonotheque.store.augmentation import add_augmented_copies

            labelled = self.catalogue.tracks.labelled()
            add_augmented_copies(
                self.catalogue, labelled, spaces=spaces, count=augment, compute=self._compute, progress=copying
            )
        return load_training_set(self.catalogue, spaces=spaces, copies=augment, segments=segments)

    def _map_view(
        self,
        embedder: str | None,
        settings: MapSettings | None = None,
        *,
        rebuild: bool = False,
        with_labels: bool = False,
        progress: Progress | None,
    ) -> MapView:
        from sonotheque.explore.map.map_view import load_map_view

        space = self._map_space(embedder)
        try:
            training = self._training_set(None, model="logreg", segments=False)
        except ClassifierError:  # too few labels
            training = None
        return load_map_view(
            self.catalogue,
            training,
            space=space,
            settings=settings,
            rebuild=rebuild,
            with_labels=with_labels,
            progress=progress,
        )

    def _predicted_genres(self, tracks: Sequence[Track], probability: float) -> dict[int, str | None]:
        """Predict the genres of tracks whose files exist. Improbable and unsure predictions are left out."""
        existing = {track.path: track.id for track in tracks if os.path.isfile(track.path)}
        if not existing:
            return {}
        return {
            existing[prediction.path]: prediction.genre
            for prediction in self.classify(*existing).tracks
            if prediction.probability >= probability and not prediction.none_of_these and not prediction.unsure
        }


def _describe_command(name: str, *arguments: PathLike, labels: str | None = None) -> str:
    """Describe a change for the history, as a person would type it. Long lists of arguments are shortened."""
    words = [os.fspath(argument) for argument in arguments]
    shown = words if len(words) <= MAX_ARGUMENTS else [*words[:MAX_ARGUMENTS], f"... ({len(words)} paths)"]
    return " ".join([name, *shown, *(["--labels", labels] if labels else [])])


def _has_content(file: Path) -> bool:
    """Return whether a file exists and is not empty.

    Raises
    ------
    LibraryError
        If the user may not look.
    """
    try:
        return file.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise LibraryError(
            f"{file}: cannot be opened ({error.strerror}); change its permissions, or choose another library with -L"
        ) from None


def _open_picture(picture: PathLike, path: PathLike, *, library: Path | None = None, force: bool) -> OutputFile:
    """Check that the picture of a file may be written. It needs no library: the picture itself tells whether it was changed."""
    return open_output(picture, PNG, output="inspect -o", inputs=[path], library=library, force=force)


def inspect_file(
    path: PathLike,
    *,
    picture: PathLike | None = None,
    force: bool = False,
    timeline: Sequence[results.TimelineSegment] = (),
    prediction: results.Prediction | None = None,
    compute: Compute = Compute(),
) -> results.InspectionResult:
    """Analyse one file without a library: see `Library.inspect`.

    Parameters
    ----------
    path, picture, force : see `Library.inspect`
    timeline : sequence of TimelineSegment
        The genre of each segment, if it is known.
    prediction : Prediction or None
        The genre of the file, if a classifier has predicted it.
    compute : Compute

    Returns
    -------
    InspectionResult

    Examples
    --------
    >>> inspect_file("tests/data/tone.flac").loudness
    -14.15
    """
    from sonotheque.explore.inspection import inspect_recording

    output = None if picture is None else _open_picture(picture, path, force=force)
    inspection = inspect_recording(existing_path(path), timeline=timeline, prediction=prediction, compute=compute)
    if output is not None:
        from sonotheque.report.inspection import draw_inspection

        draw_inspection(inspection, output, title=os.path.basename(path))
    return inspection.result
