"""sonotheque embeds a music collection, finds similar tracks, classifies genres and draws maps.

    from sonotheque import Library

The command ``sonotheque`` does the same from a terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonotheque.errors import (
    AudioError,
    ClassifierError,
    LabelsError,
    LibraryError,
    ParameterError,
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
    "ParameterError",
    "SonothequeError",
    "SpaceError",
    "WeightsError",
    "__version__",
]


def __getattr__(name: str) -> Any:  # loaded lazily, so that `sonotheque --help` does not import NumPy
    if name == "Library":
        from sonotheque.library import Library

        return Library
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
