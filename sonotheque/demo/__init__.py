"""Demo music that ships with the package. Each clip has its own licence, given in the ``ATTRIBUTION.md`` of its folder."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def music() -> Path:
    """Return the folder of 46 labelled clips, with a ``metadata.csv``."""
    return Path(str(resources.files(__package__) / "music"))


def unlabelled() -> Path:
    """Return the folder of 9 clips without a label, with a ``metadata.csv``."""
    return Path(str(resources.files(__package__) / "new"))
