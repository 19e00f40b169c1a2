"""The FAISS indexes in a library's folder. There is one file per space; it is rebuilt if it is missing, stale or damaged."""

from __future__ import annotations

from pathlib import Path

from sonotheque.index import ExactIndex, load_or_build_index
from sonotheque.index.cache import is_fresh
from sonotheque.store import Catalogue


def open_index(folder: Path, catalogue: Catalogue, space: str) -> ExactIndex:
    """Load the index of a space, or build it.

    Parameters
    ----------
    folder : path of the library
    catalogue : Catalogue
    space : str
        Id of the space.
    """
    path, stamp = _file_and_stamp(folder, catalogue, space)
    return load_or_build_index(path, stamp=stamp, vectors=lambda: catalogue.vectors.matrix(space))


def index_state(folder: Path, catalogue: Catalogue, space: str) -> str:
    """Return the state of the index of a space: ``exact``, ``stale`` or ``missing``. The next search rebuilds it if needed."""
    path, stamp = _file_and_stamp(folder, catalogue, space)
    return "exact" if is_fresh(path, stamp=stamp) else "stale" if path.exists() else "missing"


def _file_and_stamp(folder: Path, catalogue: Catalogue, space: str) -> tuple[Path, str]:
    generation = catalogue.spaces.get(space).generation
    return folder / "index" / f"{space}.faiss", f"{space} generation {generation}"
