"""Names that are imported when they are first used, and packages that are not installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from cascade_core.errors import MissingPackageError


def on_use(
    package: str, modules: Mapping[str, str], extra: str | None = None
) -> Callable[[str], Any]:
    """Return a package's `__getattr__`.

    Args:
        package: Its `__name__`.
        modules: For each name, the module that has it, absolute or relative to the package.
        extra: The extra that brings what those modules import.
    """

    def find(name: str) -> Any:
        if name not in modules:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg)
        try:
            return getattr(import_module(modules[name], package), name)
        except ModuleNotFoundError as error:
            if extra is None:
                raise
            raise not_installed(error, f"{package}.{name}", extra) from error

    return find


def shown_before_use(package: str) -> Callable[[], list[str]]:
    """Return a package's `__dir__`: what it has is shown before it is used."""

    def names() -> list[str]:
        held = vars(sys.modules[package])
        return sorted({*held, *held["__all__"]})

    return names


def not_installed(error: ModuleNotFoundError, what: str, extra: str) -> ModuleNotFoundError:
    """Return what says which extra brings a package that is not installed.

    Args:
        error: The failed import.
        what: What needs it.
        extra: The extra.

    Returns:
        The error to raise; the same where it says so already, or a module of ours is missing.
    """
    package = (error.name or "").partition(".")[0]
    if not package or package in _OURS or isinstance(error, MissingPackageError):
        return error
    msg = f"{what} needs {package}, which is not installed: pip install 'model-cascade[{extra}]'"
    return MissingPackageError(msg, name=error.name)


_OURS = {"cascade_core", "langchain_cascade", "llamaindex_cascade"}
