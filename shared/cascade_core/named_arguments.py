"""A misspelt argument of a setting is refused in words, as a cascade refuses one of its own.

Python's own error says what was given and not what there is, and is no `ConfigurationError`, which
is what else is wrong with settings.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from functools import wraps
from typing import Any, TypeVar

from cascade_core.errors import ConfigurationError

C = TypeVar("C", bound=type)


def names_checked(cls: C) -> C:
    """Have a class say in words which of its arguments is unknown, or missing.

    It costs nothing where all is well: only after Python has refused the call is it looked at.
    """
    init: Callable[..., None] = cls.__init__  # type: ignore[misc]

    @wraps(init)
    def checked(self: Any, *args: Any, **given: Any) -> None:
        try:
            init(self, *args, **given)
        except TypeError as error:
            wrong = _wrong(cls.__name__, init, args, given)
            if wrong is None:
                raise
            raise ConfigurationError(wrong) from error

    cls.__init__ = checked  # type: ignore[misc]
    return cls


def close_to(name: str, known: Collection[str]) -> str:
    """Return a question for the argument that was probably meant; nothing where none is near."""
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]}=?" if close else ""


def _wrong(
    owner: str, init: Callable[..., None], args: Sequence[Any], given: Mapping[str, Any]
) -> str | None:
    """Return what is wrong with the names of the arguments; None where it is something else."""
    taken = list(inspect.signature(init).parameters.values())[1:]  # without self
    if any(each.kind is each.VAR_KEYWORD for each in taken):
        return None
    named = {each.name: each for each in taken if each.kind is not each.VAR_POSITIONAL}
    for name in given:
        if name not in named:
            hint = close_to(name, named) or f"; it has {', '.join(f'{each}=' for each in named)}"
            return f"{owner} has no argument {name}={hint}"
    places = [each.name for each in taken if each.kind is each.POSITIONAL_OR_KEYWORD]
    filled = {*places[: len(args)], *given}
    missing = [n for n, each in named.items() if each.default is each.empty and n not in filled]
    return f"{owner}(…) needs {missing[0]}=" if missing else None
