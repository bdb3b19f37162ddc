"""Tells functions and objects of callers apart by what they do and hold, not by their names.

Two lambdas have one name, and one function closes over two limits: a cache that took them for the
same would answer for the other. A likeness is a digest of code, defaults, what is closed over and
what an object holds; it is the same in every process, as far as what it is made of is. Whatever
is called like a secret is left out: another key makes no other signal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from itertools import count
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

_SECRETS = frozenset(
    {"auth", "authorization", "bearer", "credential", "credentials", "header", "headers"}
    | {"apikey", "cookie", "cookies", "key", "keys", "secret", "secrets", "token"}
    | {"passphrase", "passwd", "password", "pwd"}
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_LOOKS_SECRET = re.compile(
    r"\b(?:sk|pk|rk|gsk|hf|xai|ghp|AIza)[-_][\w-]{8,}|Bearer\s+\S|://[^/\s]*@"
)
_AMBIGUOUS = frozenset({"key", "keys", "token", "header", "headers"})
_MODEL_NAMES = ("model_name", "model", "model_id", "deployment_name")
_DEEPEST = 8
_PARTS = 5_000
"""Parts of a value that are looked at; what has more is told apart as an object."""

_PLAIN = (bool, int, float, complex, str, bytes)

_numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
_next = count(1)


def names_secret(name: str) -> bool:
    """Tell whether a name is that of a secret: `api_key`, `X-Auth-Token`, `extra_headers`."""
    return any(word.lower() in _SECRETS for word in _WORD.findall(name))


def is_secret(name: str, value: object) -> bool:
    """Tell whether a setting is a secret, by its name and its looks.

    What is called nothing but a key may as well be that of a table: there its looks decide.
    """
    if type(value).__name__ in {"SecretStr", "SecretBytes"}:
        return True
    if names_secret(name) and name.lower().strip("_") not in _AMBIGUOUS:
        return not isinstance(value, int | float)
    return isinstance(value, str) and _LOOKS_SECRET.search(value) is not None


def likeness(value: object) -> str:
    """Return a digest that is equal for functions and objects that do the same.

    Args:
        value: A function, method, partial, callable object or any other value.
    """
    spelled = "\0".join(_Speller().spell(value, _DEEPEST, ()))
    return sha256(spelled.encode(errors="backslashreplace")).hexdigest()[:16]


class _Speller:
    """Spells one value out, as far as that is worth it."""

    def __init__(self) -> None:
        self._left = _PARTS

    def spell(self, value: object, depth: int, inside: tuple[int, ...]) -> Iterator[str]:
        """Yield what a value is made of."""
        if value is None or isinstance(value, _PLAIN):
            yield f"{type(value).__name__}:{value!r}"
            return
        if id(value) in inside:
            yield f"again {inside.index(id(value))}"
            return
        self._left -= 1
        parts = _parts(value) if depth and self._left > 0 else None
        if parts is None:
            yield f"{_place(type(value))}#{_number(value)}"
            return
        yield f"{_place(type(value))}("
        for name, part in parts:
            if not is_secret(name, part):
                yield f"{name}="
                yield from self.spell(part, depth - 1, (*inside, id(value)))
        yield ")"


def _parts(value: object) -> list[tuple[str, object]] | None:
    """Return what a value is made of, by name; None where nobody can see."""
    for kind, parts in _KINDS:
        if isinstance(value, kind):
            return parts(value)
    return _of_object(value)


def _of_code(code: CodeType) -> list[tuple[str, object]]:
    return [
        ("code", code.co_code),
        ("names", code.co_names),
        ("arguments", code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]),
        *(("constant", constant) for constant in code.co_consts),
    ]


def _of_builtin(function: BuiltinFunctionType) -> list[tuple[str, object]]:
    owner = function.__self__
    of = None if isinstance(owner, ModuleType) else owner
    return [("name", f"{function.__module__}.{function.__qualname__}"), ("of", of)]


def _of_function(function: FunctionType) -> list[tuple[str, object]]:
    code = function.__code__
    cells = zip(code.co_freevars, function.__closure__ or (), strict=False)
    held = function.__globals__
    return [
        ("place", f"{function.__module__}.{function.__qualname__}"),
        ("code", code),
        ("defaults", function.__defaults__),
        ("keywords", function.__kwdefaults__),
        *((name, _contents(cell)) for name, cell in cells),
        # Of what stands around it, what limits, patterns and helpers are.
        *((n, held[n]) for n in _names(code) if _counts(held.get(n), function)),
    ]


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that code looks up, and that of the functions written in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _counts(value: object, function: FunctionType) -> bool:
    if isinstance(value, FunctionType):
        return value.__module__ == function.__module__
    return isinstance(value, (*_PLAIN, list, tuple, set, frozenset, dict, re.Pattern))


def _contents(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # nothing has been put there yet
        return None


def _of_object(value: object) -> list[tuple[str, object]] | None:
    """Return what an object holds, and what it does where it can be called."""
    model = next((n for f in _MODEL_NAMES if isinstance(n := _got(value, f), str)), None)
    if model is not None:  # a client, whose connections are nobody's business
        return [("model", model)]
    held = getattr(value, "__dict__", None)
    slots = [name for cls in type(value).__mro__ for name in _slots(cls)]
    if held is None and not slots:
        return None
    found = dict(held or {})
    found.update({name: getattr(value, name) for name in slots if hasattr(value, name)})
    found.pop("__weakref__", None)
    call = getattr(type(value), "__call__", None)  # noqa: B004 - what it does, not whether
    does: list[tuple[str, object]] = [("call", call)] if isinstance(call, FunctionType) else []
    return [*does, *sorted(found.items(), key=lambda item: item[0])]


def _slots(cls: type) -> tuple[str, ...]:
    slots = vars(cls).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _got(value: object, name: str) -> object:
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - a caller's object may raise anything
        return None


def _number(value: object) -> int:
    """Return a number that this object alone has, for as long as the process runs."""
    try:
        if value not in _numbers:
            _numbers[value] = next(_next)
        return _numbers[value]
    except TypeError:  # it can be neither hashed nor watched
        return id(value)


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


_KINDS: list[tuple[Any, Callable[[Any], list[tuple[str, object]]]]] = [
    (FunctionType, _of_function),
    (CodeType, _of_code),
    (MethodType, lambda method: [("function", method.__func__), ("of", method.__self__)]),
    (partial, lambda made: [("of", made.func), ("args", made.args), ("by name", made.keywords)]),
    (BuiltinFunctionType, _of_builtin),
    (type, lambda cls: [("name", _place(cls))]),
    (ModuleType, lambda module: [("name", module.__name__)]),
    (re.Pattern, lambda pattern: [("pattern", pattern.pattern), ("flags", pattern.flags)]),
    (Mapping, lambda held: sorted(((str(k), held[k]) for k in held), key=lambda pair: pair[0])),
    (list | tuple, lambda held: [("item", each) for each in held]),
    (set | frozenset, lambda held: [("item", each) for each in sorted(held, key=repr)]),
]
"""What is known of how values are made up, by their kind."""
