"""The catalogue of a library: repositories over one SQLite file, and the changes that touch several of them.

Every public method runs in one transaction. The catalogue only stores data; it knows nothing about music.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sonotheque.embed.tempo_key import TempoKey
from sonotheque.extract.extraction import Extraction
from sonotheque.extract.file_identity import FileStamp
from sonotheque.store.attributes import AttributeRepository
from sonotheque.store.augmented_copies import AugmentedCopyRepository
from sonotheque.store.auto_tags import AutoTagRepository
from sonotheque.store.database import Database
from sonotheque.store.files import FileRepository
from sonotheque.store.fingerprints import FingerprintRepository
from sonotheque.store.history import HistoryRepository
from sonotheque.store.labels import LabelRepository
from sonotheque.store.maps import MapRepository
from sonotheque.store.outputs import OutputRepository
from sonotheque.store.recordings import RecordingRepository
from sonotheque.store.records import TrackLabelChange
from sonotheque.store.removals import RemovalRepository
from sonotheque.store.search_names import SearchNameRepository
from sonotheque.store.tempo_keys import TempoKeyRepository
from sonotheque.store.track_filter import FilterRepository
from sonotheque.store.tracks import TrackRepository
from sonotheque.store.vectors import SpaceRepository, StoredVectors, VectorRepository
from sonotheque.types import FloatArray


@dataclass(frozen=True)
class RemovalPlan:
    """What a removal removes: paths of files and failures, ids of tracks without another file, and their labels."""

    paths: Sequence[str]
    tracks: Sequence[int]
    labels: Sequence[TrackLabelChange]


class Catalogue:
    """The open catalogue.

    Parameters
    ----------
    path : path of ``library.sqlite``, which is created if it does not exist

    Attributes
    ----------
    database : Database
    tracks, files, labels, history, removals, spaces, vectors, auto_tags, attributes, tempo_keys, augmented_copies, maps, outputs, \
    search_names, fingerprints, recordings, filters
        One repository for each subject.

    Raises
    ------
    LibraryError
        If the file is not a catalogue, is damaged, or was written by a newer version.
    """

    def __init__(self, path: str | Path) -> None:
        self.database = Database(path)
        self.tracks = TrackRepository(self.database)
        self.files = FileRepository(self.database)
        self.labels = LabelRepository(self.database)
        self.history = HistoryRepository(self.database)
        self.removals = RemovalRepository(self.database)
        self.spaces = SpaceRepository(self.database)
        self.vectors = VectorRepository(self.database)
        self.auto_tags = AutoTagRepository(self.database)
        self.attributes = AttributeRepository(self.database)
        self.tempo_keys = TempoKeyRepository(self.database)
        self.augmented_copies = AugmentedCopyRepository(self.database)
        self.maps = MapRepository(self.database)
        self.outputs = OutputRepository(self.database)
        self.search_names = SearchNameRepository(self.database)
        self.filters = FilterRepository(self.database)
        self.fingerprints = FingerprintRepository(self.database)
        self.recordings = RecordingRepository(self.database)

    def __enter__(self) -> Self:
        """Return the catalogue."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    @property
    def path(self) -> Path:
        """Path of the SQLite file."""
        return self.database.path

    @property
    def generation(self) -> int:
        """A number that increases with every change of tracks, vectors or labels."""
        return self.database.generation

    def stored_vectors(self, spaces: Sequence[str], *, segments: bool) -> StoredVectors:
        """Return the stored vectors in some spaces, for `sonotheque.extract.get_vectors`."""
        return StoredVectors(self.database, spaces=spaces, segments=segments)

    def store_extraction(
        self,
        content: str,
        files: Mapping[str, FileStamp],
        extraction: Extraction,
        *,
        auto_tags: tuple[str, FloatArray] | None = None,
    ) -> int:
        """Store what was extracted from one recording, under all the paths of that content.

        Parameters
        ----------
        content : str
            Content hash.
        files : mapping of path to FileStamp, at least one
        extraction : Extraction
        auto_tags : (space id, float32 array [number of tags]) or None
            The logits of its auto-tags, and the space that they were computed in.

        Returns
        -------
        int
            Id of the track.
        """
        with self.database.transaction():
            track = self.tracks.upsert(content, extraction)
            linked = all(self.files.get(path) == (stamp, track) for path, stamp in files.items())
            for space, (vector, segments) in extraction.vectors.items():
                self.vectors.write(track, space, vector, segments)
            if auto_tags is not None:
                self.auto_tags.write(track, *auto_tags)
            if extraction.tempo_key is not None:
                self.tempo_keys.write(track, extraction.tempo_key)
            self.tracks.delete_without_files(self.files.link(track, files))
            if extraction.vectors or not linked:
                self.database.mark_changed(extraction.vectors)
            return track

    def store_tempo_key(self, track: int, tempo_key: TempoKey) -> None:
        """Store the tempo and key of a track whose vectors are up to date. Nothing else is changed."""
        with self.database.transaction():
            self.tempo_keys.write(track, tempo_key)

    def link_files(self, track: int, files: Mapping[str, FileStamp]) -> None:
        """Link more files to a known track. Other files of the track that no longer exist are unlinked."""
        with self.database.transaction():
            self.tracks.delete_without_files(self.files.link(track, files))
            self.database.mark_changed()

    def update_content(self, track: int, content: str, files: Mapping[str, FileStamp], genre: str | None) -> bool:
        """Record that the bytes of files have changed but not their sound: labels, vectors and augmented copies stay.

        Parameters
        ----------
        track : int
            Track id.
        content : str
            New content hash.
        files : mapping of path to FileStamp
            The files of the track that were changed. Other paths are ignored.
        genre : str or None
            The genre that is now in the file tags.

        Returns
        -------
        bool
            False if another track already has that content. Nothing is changed then.
        """
        with self.database.transaction():
            if not self.tracks.set_content(track, content, genre=genre):
                return False
            self.files.set_stamps(track, files)
            return True

    def record_failure(self, path: str, stamp: FileStamp, reason: str) -> None:
        """Record that a file cannot be used. What was extracted from an earlier content is removed, and its label is kept aside."""
        with self.database.transaction():
            self.files.add_failure(path, stamp, reason)
            self._unlink(path)

    def plan_removal(self, paths: Iterable[str]) -> RemovalPlan:
        """Determine which tracks and labels `remove_paths` would remove.

        Parameters
        ----------
        paths : iterable of str
            Known paths; others are ignored.

        Returns
        -------
        RemovalPlan
        """
        known = dict.fromkeys(path for path in paths if self.files.is_known(path))
        linked = {path: entry[1] for path in known if (entry := self.files.get(path))}
        tracks = [track for track in dict.fromkeys(linked.values()) if known.keys() >= set(self.files.of_track(track))]
        labels = []
        for track in tracks:
            label = self.labels.get(track)
            if label is not None:
                path = self.files.of_track(track)[0]
                labels.append(TrackLabelChange(self.tracks.hash_of(track), path, label, None))
        return RemovalPlan(list(known), tracks, labels)

    def remove_paths(self, paths: Iterable[str], *, command: str = "remove") -> RemovalPlan:
        """Remove paths from the catalogue, and tracks that are left without a file. Files on disk are not changed.

        The labels are kept by content hash, for the case that the tracks are added again. Everything is kept for
        `undo_last_change`.

        Parameters
        ----------
        paths : iterable of str
        command : str
            What the history says about the removal.

        Returns
        -------
        RemovalPlan
            What was removed.
        """
        with self.database.transaction():
            plan = self.plan_removal(paths)
            if plan.paths:
                change = self.history.record("removal", command, plan.labels, tracks=len(plan.tracks))
                self.removals.store(change, plan.paths, plan.tracks)
            for path in plan.paths:
                self.files.delete_failure(path)
                self._unlink(path)
            return plan

    def unlink_paths(self, paths: Iterable[str]) -> list[str]:
        """Remove the paths of failures, and of tracks that have another path. The history is not changed.

        Returns
        -------
        list of str
            The removed paths. Those of tracks without another path are left.
        """
        removed = []
        with self.database.transaction():
            for path in paths:
                known = self.files.get(path)
                if known is None:
                    if self.files.delete_failure(path):
                        removed.append(path)
                elif len(self.files.of_track(known[1])) > 1:
                    self._unlink(path)
                    removed.append(path)
        return removed

    def _unlink(self, path: str) -> bool:
        track = self.files.unlink(path)
        if track is None:
            return False
        self.tracks.delete_without_files([track])
        self.database.mark_changed()
        return True
