"""The library: the one object that a user of the package needs."""

from sonotheque.library.collection import default_path
from sonotheque.library.exports import Library
from sonotheque.library.views import inspect_file

__all__ = ["Library", "default_path", "inspect_file"]
