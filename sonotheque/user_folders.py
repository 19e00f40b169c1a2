"""The folders of a user outside of a library: data, cache and log, also for users without a home folder.

A system account or a container often has no home folder, or one that cannot be written. `-L` and environment variables then name
what is needed; numba and matplotlib, which would stop or warn, get a folder for their caches from here.
"""

from __future__ import annotations

import importlib.util
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sonotheque.errors import LibraryError, WeightsError


def data_folder() -> Path:
    """Return the user's data folder, where the default library is.

    Raises
    ------
    LibraryError
        If the user has no home folder.
    """
    folder = _find_folder("user_data_path")
    if folder is None:
        raise LibraryError(
            "this user has no home folder; name the library with -L FOLDER or SONOTHEQUE_LIBRARY, or set HOME"
        )
    return folder


def cache_folder() -> Path:
    """Return the folder for weights: $SONOTHEQUE_CACHE, else the user's cache folder.

    Raises
    ------
    WeightsError
        If the variable is not set and the user has no home folder.
    """
    named = os.environ.get("SONOTHEQUE_CACHE")
    folder = Path(named) if named else _find_folder("user_cache_path")
    if folder is None:
        raise WeightsError(
            "this user has no home folder; set SONOTHEQUE_CACHE to a folder for the weights, or set HOME"
        )
    return folder


def log_folders() -> Iterator[Path]:
    """Yield the folders in which a log can be kept: the user's log folder, if there is a home folder, and a temporary folder."""
    folder = _find_folder("user_log_path")
    if folder is not None:
        yield folder
    yield _private_temporary_folder()


def give_numba_a_cache() -> None:
    """Name a folder for numba's cache if it cannot write beside the packages that it compiles, as it would otherwise stop.

    Call this before numba is imported. $NUMBA_CACHE_DIR takes precedence.

    Raises
    ------
    LibraryError
        If no folder can be written.
    """
    if "NUMBA_CACHE_DIR" not in os.environ and not all(map(_is_package_writable, ("umap", "pynndescent"))):
        os.environ["NUMBA_CACHE_DIR"] = str(_other_cache("numba"))


def give_matplotlib_a_cache() -> None:
    """Name a folder for matplotlib's settings and cache if it cannot write its own, as it would otherwise stop or warn.

    Call this before matplotlib is imported. $MPLCONFIGDIR takes precedence.

    Raises
    ------
    LibraryError
        If no folder can be written.
    """
    if "MPLCONFIGDIR" in os.environ:
        return
    own = [
        Path(os.environ.get(variable) or os.path.expanduser(default)) / "matplotlib"
        for variable, default in (("XDG_CONFIG_HOME", "~/.config"), ("XDG_CACHE_HOME", "~/.cache"))
    ]
    if not all(map(_can_be_written, own)):
        os.environ["MPLCONFIGDIR"] = str(_other_cache("matplotlib"))


def _find_folder(kind: str) -> Path | None:
    """Return a folder of the user by the name of its function in platformdirs, or None if there is no home folder."""
    import platformdirs

    try:
        folder: Path = getattr(platformdirs, kind)("sonotheque")
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None  # older versions return a path with "~"


def _other_cache(package: str) -> Path:
    """Return a folder for the cache of another package: below the user's cache folder, else a temporary one."""
    user_cache = _find_folder("user_cache_path")
    if user_cache is not None and _can_be_written(user_cache / package):
        with suppress(OSError):
            (user_cache / package).mkdir(parents=True, exist_ok=True)
            return user_cache / package
    try:
        folder = _private_temporary_folder() / package
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"no folder can be written for the cache of {package} ({error.strerror}); set TMPDIR to a folder that can"
        ) from None
    return folder


def _private_temporary_folder() -> Path:
    """Return a temporary folder of this user that is the same each time. Nobody else can write it: compiled code is loaded from it.

    Raises
    ------
    OSError
        If there is no folder for temporary files.
    """
    if not hasattr(os, "geteuid"):  # Windows, where the folder for temporary files is the user's own
        folder = Path(tempfile.gettempdir()) / "sonotheque"
        folder.mkdir(exist_ok=True)
        return folder
    folder = Path(tempfile.gettempdir()) / f"sonotheque-{os.geteuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode) or stat.S_IMODE(status.st_mode) & 0o022:
        return Path(tempfile.mkdtemp(prefix="sonotheque-"))
    return folder


def _can_be_written(folder: Path) -> bool:
    """Return whether a folder can be written, or created in a folder that can."""
    if not folder.is_absolute():
        return False
    existing = next(parent for parent in (folder, *folder.parents) if os.path.exists(parent))
    return os.path.isdir(existing) and os.access(existing, os.W_OK | os.X_OK)


def _is_package_writable(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    folders = spec.submodule_search_locations if spec else None
    return bool(folders) and all(_can_be_written(Path(folder, "__pycache__")) for folder in folders or ())
