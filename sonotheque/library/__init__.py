"""The class `Library`. Most users of the package need nothing else."""

from sonotheque.library.library import Library, default_path, inspect_file

__all__ = ["Library", "default_path", "inspect_file"]
