"""What a model of ours found wrong with its input: the place, and words for people.

Pydantic speaks of inputs, tuples and instances, which a reader of a JSON file has not seen, and
names the branch of a union as if it were a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

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
) -> tuple[str, str]:
    """Return where the first problem is and what it is; no value is quoted.

    Args:
        error: What pydantic raised.
        content: What it was given, to tell keys from branches of a union.
        model: Whose keys a misspelt one at the top may have meant.

    Returns:
        The key, with dots between its parts and empty for the whole; and the words for it.
    """
    first = error.errors(include_input=False, include_url=False)[0]
    kind, context = first["type"], first.get("ctx", {})
    if kind in _SAID:
        said = _SAID[kind].format(**context)
    else:
        said = first["msg"].removeprefix("Value error, ").replace("Input should", "must")
    keys = _keys(first["loc"], content)
    if kind == "extra_forbidden" and model is not None and len(keys) == 1:
        close = get_close_matches(keys[0], model.model_fields, 1)
        said += f"; did you mean {close[0]}?" if close else ""
    return ".".join(keys), said


def _keys(location: Sequence[int | str], content: Any) -> list[str]:
    """Leave out the branches of unions, which no reader of the document finds in it."""
    keys: list[str] = []
    for part in location:
        if isinstance(content, Mapping):
            if content.get("kind") == part:
                content = {**content, "kind": None}  # the same name may come again, as a key
                continue
            content = content.get(part)
        elif isinstance(content, Sequence) and isinstance(part, int) and part < len(content):
            content = content[part]
        keys.append(str(part))
    return keys
