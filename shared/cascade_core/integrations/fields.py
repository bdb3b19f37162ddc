"""Fields of what a provider sent: a dict, a client's object, or anything an author liked.

Nothing here knows any provider's names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Getter: TypeAlias = Callable[[str], Any]
"""Gives a field by its name; None where there is none."""

LISTS = (list, tuple)


def getter(source: Any) -> Getter:
    """Return what reads the fields of a mapping or an object.

    Nearly all clients' objects are pydantic's, on which asking for a field that
    is missing takes twenty times as long as asking their dict.
    """
    if isinstance(source, dict):
        return source.get
    if hasattr(type(source), "__pydantic_extra__"):
        extra = source.__pydantic_extra__
        return {**extra, **source.__dict__}.get if extra else source.__dict__.get
    if isinstance(source, Mapping):
        return source.get
    return lambda name: getattr(source, name, None)


def field(source: Any, *names: str) -> Any:
    """Follow a path of fields through objects and mappings, as far as it leads.

    Args:
        source: Where to start.
        names: The fields, outermost first.

    Returns:
        What is there, or None.
    """
    for name in names:
        if source is None:
            return None
        source = getter(source)(name)
    return source


def listed(found: Any) -> Sequence[Any]:
    """Return a list as it is, and nothing instead of all that is none."""
    return found if isinstance(found, LISTS) else ()
