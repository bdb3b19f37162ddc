"""Makes an exception of ours one of another class too, so that handlers of that class catch it.

What is caught, retried or recovered from where one model is called goes by the class and the
attributes of its client's error; a cascade in its place has to raise the same.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import suppress
from types import BuiltinFunctionType, GetSetDescriptorType, MemberDescriptorType, new_class
from typing import Any, TypeVar
from weakref import WeakValueDictionary

E = TypeVar("E", bound=Exception)

_STEERING = (StopIteration, StopAsyncIteration)
"""Generators and coroutines give these a meaning of their own."""

_made: WeakValueDictionary[tuple[type, type], type] = WeakValueDictionary()
"""The classes made so far, as long as anybody holds an instance."""


def kin_of(own: type[E], other: type[BaseException], reserved: tuple[str, ...] = ()) -> type[E]:
    """Return a class that is both; `own` itself where there can be none.

    Args:
        own: The class whose methods count.
        other: The class to be an instance of, too.
        reserved: Names of attributes that `own` sets, which `other` must leave alone.
    """
    if not issubclass(other, Exception) or issubclass(other, _STEERING) or issubclass(own, other):
        return own
    if getattr(other, "__final__", False) or any(hasattr(other, name) for name in reserved):
        return own
    made = _made.get((own, other))
    if made is None:
        try:
            # Looks like `own` in tracebacks; a class with demands on its heirs has none here.
            made = new_class(own.__name__, (own, other), exec_body=_as_own(own))
            allocate(made)
        except Exception:  # noqa: BLE001 - layouts, metaclasses and hooks of any kind
            return own
        _made[own, other] = made
    return made


def _as_own(own: type) -> Callable[[dict[str, Any]], None]:
    names = {"__module__": own.__module__, "__qualname__": own.__qualname__, "__doc__": own.__doc__}
    return lambda namespace: namespace.update(names)


def allocate(cls: type[E]) -> E:
    """Return a blank instance, past all constructors that want to know something."""
    for base in cls.__mro__:
        new = vars(base).get("__new__")
        if isinstance(new, BuiltinFunctionType):
            blank: E = new(cls)
            return blank
    raise TypeError(cls)


def take_after(error: BaseException, cause: BaseException, reserved: tuple[str, ...]) -> None:
    """Give an exception the attributes of its cause, wherever that keeps them."""
    kept = (*reserved, "__notes__")
    own = getattr(cause, "__dict__", {})  # classes made in C or Rust may have none
    error.__dict__.update({k: v for k, v in own.items() if k not in kept})
    for base in type(cause).__mro__:
        if base is Exception or not isinstance(error, base):
            break
        for name, place in vars(base).items():
            # What is kept in C, such as `errno`, and in slots.
            if isinstance(place, GetSetDescriptorType | MemberDescriptorType):
                with suppress(Exception):
                    setattr(error, name, getattr(cause, name))


def packed(error: BaseException) -> Any:
    """Return what survives pickling of an exception, for `unpacked`.

    Exceptions whose constructors want more than their arguments do not come back by themselves.
    """
    if _survives(error):
        return error
    kind = next(cls for cls in type(error).__mro__ if _survives(cls))
    own = getattr(error, "__dict__", {})
    state = {name: value for name, value in own.items() if _survives(value)}
    return _Packed(kind, tuple(arg for arg in error.args if _survives(arg)), state)


def unpacked(kept: Any) -> BaseException:
    """Return the exception that was packed, with those of its attributes that survived."""
    if not isinstance(kept, _Packed):
        error: BaseException = kept
        return error
    try:
        error = allocate(kept.kind)
    except Exception:  # noqa: BLE001 - as in `kin_of`
        error = Exception()
    error.args = kept.args
    error.__dict__.update(kept.state)
    return error


class _Packed:
    """An exception's class and what survives of it."""

    def __init__(self, kind: type[Any], args: tuple[Any, ...], state: dict[str, Any]) -> None:
        self.kind = kind
        self.args = args
        self.state = state


def _survives(value: Any) -> bool:
    try:
        pickle.loads(pickle.dumps(value))  # noqa: S301 - what was written a moment ago
    except Exception:  # noqa: BLE001 - anything may happen in somebody's `__reduce__`
        return False
    return True
