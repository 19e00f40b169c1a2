"""sonotheque listens to a music collection: it embeds tracks, finds similar ones and names genres.

    from sonotheque import Library

The command of the same name does the same from a terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonotheque.errors import (
    AudioError,
    ClassifierError,
    LabelsError,
    LibraryError,
    SonothequeError,
    SpaceError,
    WeightsError,
)

if TYPE_CHECKING:
    from sonotheque.library import Library

__version__ = "0.1.0"

__all__ = [
    "AudioError",
    "ClassifierError",
    "LabelsError",
    "Library",
    "LibraryError",
    "SonothequeError",
    "SpaceError",
    "WeightsError",
    "__version__",
]


def __getattr__(name: str) -> Any:  # `sonotheque --help` need not load NumPy
    if name == "Library":
        from sonotheque.library import Library

        return Library
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
