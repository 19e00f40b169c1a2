"""The class `Library`, which is all that most users of the package need."""

from sonotheque.library.library import Library, default_path, inspect_file

__all__ = ["Library", "default_path", "inspect_file"]
