"""The demo: free music that ships with the package (each clip under its own licence: the ATTRIBUTION.md beside it)."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def music() -> Path:
    """Return the folder of 46 labelled clips, with ``metadata.csv``."""
    return Path(str(resources.files(__package__) / "music"))


def unlabelled() -> Path:
    """Return the folder of 9 clips without a label."""
    return Path(str(resources.files(__package__) / "new"))
