"""What a model of ours found wrong with its input: the place, and words for people.

Pydantic speaks of inputs, tuples and instances, which a reader of a JSON file has not seen, and
names the branch of a union as if it were a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel, ValidationError

from cascade_core.errors import CascadeError

Place: TypeAlias = tuple[str | int, ...]
"""The keys and the places in lists, from 0, that lead to a part of a document."""


class MisplacedError(CascadeError, ValueError):
    """What a check of a whole found wrong with a part of it.

    Attributes:
        path: Where, seen from the whole.
    """

    def __init__(self, path: Place, problem: str) -> None:
        super().__init__(problem)
        self.path = path


_ENTRIES = "must be a list of entries"
_KEYS = "must be an object of keys and values"
_NUMBER = "must be a number"
_WHOLE = "must be a whole number"
_TEXT = "must be a text"
_SWITCH = "must be true or false"

_SAID = {
    "missing": "is missing",
    "extra_forbidden": "is no key that belongs here",
    "invalid_key": "is no text, as every key must be",
    "union_tag_not_found": "has no {discriminator} to tell what it is",
    "union_tag_invalid": "has a {discriminator} that is none of {expected_tags}",
    "tuple_type": _ENTRIES,
    "list_type": _ENTRIES,
    "dict_type": _KEYS,
    "mapping_type": _KEYS,
    "model_type": _KEYS,
    "model_attributes_type": _KEYS,
    "dataclass_type": _KEYS,
    "string_type": _TEXT,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "finite_number": "must be a finite number",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
    "too_short": "must hold {min_length} or more",
}


def first_problem(
    error: ValidationError, content: object, model: type[BaseModel] | None = None
) -> tuple[Place, str]:
    """Return where the first problem is and what it is; no value is quoted.

    Args:
        error: What pydantic raised.
        content: What it was given, to tell keys from branches of a union.
        model: Whose keys a misspelt one may have meant.

    Returns:
        Where, empty for the whole; and the words for it.
    """
    first = error.errors(include_input=False, include_url=False)[0]
    kind, context = first["type"], first.get("ctx", {})
    if kind in _SAID:
        said = _SAID[kind].format(**context)
    else:
        said = first["msg"].removeprefix("Value error, ").replace("Input should", "must")
    path = _keys(first["loc"], content)
    if isinstance(raised := context.get("error"), MisplacedError):
        path += raised.path
    if kind == "extra_forbidden" and model is not None:
        close = get_close_matches(str(path[-1]), _known(model, path[:-1]), 1)
        said += f"; did you mean {close[0]}?" if close else ""
    return path, said


def spell(path: Place) -> str:
    """Return a place as people write it: `rules[1].then.bypass`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _known(model: Any, path: Place) -> list[str]:
    """Return the keys that a part of a document may have."""
    for part in path:
        if isinstance(part, int):
            continue  # lists are seen through: what they hold is found below
        fields = getattr(model, "model_fields", {})
        found = next((f for name, f in fields.items() if part in (name, f.alias)), None)
        if found is not None:
            model = next(_models(found.annotation), None)
    fields = getattr(model, "model_fields", {}).items()
    return [field.alias or name for name, field in fields]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _keys(location: Sequence[int | str], content: Any) -> Place:
    """Leave out the branches of unions, which no reader of the document finds in it."""
    keys: list[str | int] = []
    for part in location:
        if isinstance(content, Mapping):
            if content.get("kind") == part:
                content = {**content, "kind": None}  # the same name may come again, as a key
                continue
            content = content.get(part)
        elif isinstance(content, Sequence) and not isinstance(content, str):
            if isinstance(part, str):
                continue
            content = content[part] if part < len(content) else None
        elif content is not None:
            continue  # one value, looked at as a list of one
        keys.append(part)
    return tuple(keys)
