"""Support for deprecated names, which work for one more version and issue a FutureWarning."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def module_getattr(package: str, moved: Mapping[str, str]) -> Callable[[str], Any]:
    """Create a ``__getattr__`` for a module whose contents have been moved or renamed.

    Parameters
    ----------
    package : str
        Name of the module.
    moved : mapping of str to str
        Old name to ``module:new name``.

    Returns
    -------
    callable
        Returns the object under its new name and issues a FutureWarning.
    """

    def get_moved(name: str) -> Any:
        if name not in moved:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, new = moved[name].partition(":")
        warnings.warn(
            f"{package}.{name} is now {module}.{new}; the old name will be removed in the next version",
            FutureWarning,
            stacklevel=2,
        )
        return getattr(import_module(module), new)

    return get_moved


def renamed_parameters(**new_names: str) -> Callable[[Function], Function]:
    """Decorate a function so that it accepts deprecated names of its keyword parameters.

    Parameters
    ----------
    **new_names : str
        ``old="new"`` for each parameter.

    Returns
    -------
    callable
        The decorator. The decorated function issues a FutureWarning if it is called with an old name.

    Raises
    ------
    TypeError
        From the decorated function, if it is called with both names of a parameter.
    """

    def decorate(function: Function) -> Function:
        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            for old, new in new_names.items():
                if old in kwargs:
                    if new in kwargs:
                        raise TypeError(f"{function.__name__}() got both {new!r} and its old name {old!r}")
                    warnings.warn(
                        f"the parameter {old!r} of {function.__name__}() is now {new!r}; "
                        "the old name will be removed in the next version",
                        FutureWarning,
                        stacklevel=2,
                    )
                    kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    return decorate
