"""The indexes of a library: one folder of files for each space, which is rebuilt if it is missing, damaged or too old."""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sonotheque.errors import LibraryError
from sonotheque.index import ApproximateIndex, ExactIndex, SimilarityMeasure, UpdatableIndex, default_measure
from sonotheque.index.approximate import choose_kind, predict_memory
from sonotheque.index.cache import Manifest, load_index, read_manifest, save_index
from sonotheque.index.exact import DEAD
from sonotheque.index.measure import SAMPLE_SIZE
from sonotheque.plurals import pluralize
from sonotheque.results import IndexBuild
from sonotheque.store import Catalogue
from sonotheque.store.vectors import VectorState
from sonotheque.types import IdArray

log = logging.getLogger("sonotheque")

SETTING = "index"
"""Name of the setting with the kind of index that was requested."""

MIN_RECALL = 0.95
"""Recall below which a notice is given."""

MAX_CHANGED, MAX_CHANGED_AFTER_ADD, ALWAYS_ALLOWED = 0.05, 0.01, 1000
"""Fraction of the vectors that may have changed since the index was built, for a search and at the end of `add`, and a number of
changes that is always allowed. The current vectors of changed tracks are searched beside the index."""

REFIT_AT_ONCE = 20_000
"""Up to so many vectors, an exact index is built again as soon as the sample of its measure has changed, which takes about a
second. Beyond, this is done at the end of `add`."""

MIN_ANNOUNCED = 100_000
"""Number of vectors from which on the building of an approximate index is announced: it takes minutes."""

MAX_DEAD = 0.2
"""Fraction of outdated rows above which an index is built again instead of being extended."""


@dataclass(frozen=True)
class _OpenIndex:
    """An index in memory: the state in which its base was built, and the state up to which it has followed the changes."""

    base_state: VectorState
    state: VectorState
    index: UpdatableIndex


class LibraryIndexes:
    """The indexes of a library. Each is opened when it is first needed, kept open, and follows the changes of the vectors.

    Parameters
    ----------
    folder : path of the library
    catalogue : Catalogue
    """

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self._folder = folder / "index"
        self._catalogue = catalogue
        self._open: dict[str, _OpenIndex] = {}

    @property
    def requested_kind(self) -> str:
        """The kind of index that was requested for this library; by default ``auto``."""
        return self._catalogue.database.get_setting(SETTING) or "auto"

    def open(self, space: str) -> UpdatableIndex:
        """Return the index of a space, and build it only if it is missing, damaged or too old.

        Raises
        ------
        SpaceError
            If the library has no vectors of the space.
        """
        count = self._catalogue.spaces.get(space).tracks
        return self._find(space, max_changed=MAX_CHANGED, refit=count <= REFIT_AT_ONCE) or self._build(space)

    def update(self, space: str) -> None:
        """Bring the files of an index up to date after tracks have been added, so that later commands need not do it.

        If nothing has changed since they were written, only their manifest is read.
        """
        count = self._catalogue.spaces.get(space).tracks
        wanted = choose_kind(count, requested=self.requested_kind)
        manifest = read_manifest(self._folder / space)
        if (
            manifest is not None
            and manifest.kind == wanted
            and _state_of(manifest) == self._catalogue.vectors.state(space)
        ):
            return
        found = self._find(space, max_changed=MAX_CHANGED_AFTER_ADD, refit=True)
        if found is None or found.kind != wanted:
            self._build(space)

    def build(self, space: str, *, kind: str) -> IndexBuild:
        """Build the index of a space again, of a kind that is remembered for the library.

        Raises
        ------
        ParameterError
            If the kind is unknown.
        """
        choose_kind(0, requested=kind)
        if kind != self.requested_kind:
            self._catalogue.database.set_setting(SETTING, kind)
        index = self._build(space, extend=False)
        return IndexBuild(
            space=space,
            kind=index.kind,
            vectors=len(index),
            dimensions=index.base.rows.shape[1],
            recall=index.recall,
            bytes=sum(file.stat().st_size for file in (self._folder / space).glob("*") if file.is_file()),
        )

    def describe(self, space: str) -> tuple[str, float | None]:
        """Return the kind of the index of a space, or ``stale`` or ``missing`` if the next search builds it, and its recall."""
        manifest = read_manifest(self._folder / space)
        if manifest is None:
            return "missing", None
        changed = self._changed(space, _state_of(manifest), max_changed=MAX_CHANGED)
        return ("stale" if changed is None else manifest.kind), manifest.recall

    def _find(self, space: str, *, max_changed: float, refit: bool) -> UpdatableIndex | None:
        """Return the open index or that of the files, if no more than a fraction of the vectors has changed since.

        If `refit`, the sample that its measure is fitted on must not have changed, either.
        """
        state = self._catalogue.vectors.state(space)
        known = self._open.get(space)
        if known is not None:
            current = known.index
            if known.state == state and not (refit and self._measure_changes(current.base, current.changed)):
                return current
            index = self._follow(space, known.index.base, known.base_state, max_changed=max_changed, refit=refit)
            if index is not None:
                self._open[space] = _OpenIndex(known.base_state, state, index)
                return index
        stored = read_manifest(self._folder / space)
        if stored is None or self._changed(space, _state_of(stored), max_changed=max_changed) is None:
            return None  # before the files are read to check them
        loaded = load_index(self._folder / space)
        if loaded is None:
            return None
        manifest, base = loaded
        index = self._follow(space, base, _state_of(manifest), max_changed=max_changed, refit=refit)
        if index is not None:
            self._open[space] = _OpenIndex(_state_of(manifest), state, index)
        return index

    def _follow(
        self, space: str, base: ExactIndex | ApproximateIndex, state: VectorState, *, max_changed: float, refit: bool
    ) -> UpdatableIndex | None:
        changed = self._changed(space, state, max_changed=max_changed)
        if changed is None:
            return None
        if refit and self._measure_changes(base, changed):
            return None
        recent = ExactIndex.build(*self._catalogue.vectors.read(space, changed.tolist()), measure=base.measure)
        return UpdatableIndex(base, changed=changed, recent=recent)

    def _changed(self, space: str, state: VectorState, *, max_changed: float) -> IdArray | None:
        """List the tracks whose vectors have changed since a state; None if that is more than the allowed fraction."""
        count = self._catalogue.spaces.get(space).tracks
        limit = max(ALWAYS_ALLOWED, int(max_changed * count))
        return self._catalogue.vectors.changed_since(space, state, limit=limit)

    def _measure_changes(self, base: ExactIndex | ApproximateIndex, changed: IdArray) -> bool:
        """Return whether an exact index must be built again because the sample that its measure is fitted on has changed.

        Then its answers would depend on the order in which tracks were added.
        """
        if isinstance(base, ApproximateIndex) or not len(changed):
            return False
        outdated = base.find_rows(changed)
        if len(base) < SAMPLE_SIZE or (outdated < SAMPLE_SIZE).any():
            return True
        tracks = self._catalogue.tracks
        last = tracks.hash_of(int(base.ids[SAMPLE_SIZE - 1]))
        return any(content < last for content in tracks.hashes_of(changed.tolist()))

    def _build(self, space: str, *, extend: bool = True) -> UpdatableIndex:
        state = self._catalogue.vectors.state(space)
        summary = self._catalogue.spaces.get(space)
        kind = choose_kind(summary.tracks, requested=self.requested_kind)
        if not os.access(self._catalogue.path.parent, os.W_OK):
            kind = "exact"  # an index that cannot be saved must be built quickly
        if kind != "exact" and summary.tracks >= MIN_ANNOUNCED:
            log.info(
                "building the index of %s (%s); this needs up to %.1f GB of memory",
                *(pluralize(summary.tracks, "vector"), kind),
                predict_memory(kind, summary.tracks, summary.dimensions) / 1e9,
            )
        base: ExactIndex | ApproximateIndex | None = self._extend(space, kind) if extend and kind != "exact" else None
        if base is None:
            ids, vectors = self._catalogue.vectors.matrix(space)
            measure = SimilarityMeasure.fit(vectors, settings=default_measure(space), sample_size=SAMPLE_SIZE)
            if kind == "exact":
                base = ExactIndex.build(ids, vectors, measure=measure)
            else:
                base = ApproximateIndex.build(kind, ids, vectors, measure=measure)
            del vectors
        if base.recall is not None and base.recall < MIN_RECALL:
            log.warning(
                "the index of %s finds %.0f%% of the nearest tracks; `sonotheque index --kind exact` finds all of them",
                *(space, 100 * base.recall),
            )
        with contextlib.suppress(LibraryError):  # a read-only library can still be searched
            save_index(self._folder / space, base, state=list(state))
            (self._folder / f"{space}.faiss").unlink(missing_ok=True)  # the index of an older version
            self._catalogue.vectors.forget_changes_before(space, state)
            loaded = load_index(self._folder / space)
            if loaded is not None:  # memory-mapped from here on
                base = loaded[1]
        nothing = ExactIndex.build(
            np.empty(0, np.int64), np.empty((0, summary.dimensions), np.float32), measure=base.measure
        )
        index = UpdatableIndex(base, changed=nothing.ids, recent=nothing)
        self._open[space] = _OpenIndex(state, state, index)
        return index

    def _extend(self, space: str, kind: str) -> ApproximateIndex | None:
        """Add what has changed to the index in the files; None if it is of another kind or has too many outdated rows."""
        loaded = load_index(self._folder / space, writable=True)
        if loaded is None or not isinstance(loaded[1], ApproximateIndex) or loaded[1].kind != kind:
            return None
        manifest, base = loaded[0], loaded[1]
        count = self._catalogue.spaces.get(space).tracks
        changed = self._catalogue.vectors.changed_since(space, _state_of(manifest), limit=count)
        if changed is None:
            return None
        outdated = len(base.find_rows(changed)) + int((base.ids == DEAD).sum())
        if outdated > MAX_DEAD * len(base):
            return None
        return base.extend(*self._catalogue.vectors.read(space, changed.tolist()), outdated=changed)


def _state_of(manifest: Manifest) -> VectorState:
    """Return the state in which an index was built; one that no library has, if the manifest's is not a state."""
    match manifest.state:
        case [int(number), str(mark)]:
            return VectorState(number, mark)
    return VectorState(-1, "")
