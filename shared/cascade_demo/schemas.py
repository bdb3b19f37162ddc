"""JSON schemas that clients send, checked before anything is filled with an answer."""

from collections.abc import Iterator
from typing import Any

from cascade_demo.checks import Json, RequestError, read_flag
from cascade_demo.filling import DEEPEST, JsonSchema

MOST_LEVELS = 2 * DEEPEST

_NUMBER = (int, float)
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "type": ((str, list), "a type or a list of types"),
    "properties": ((dict,), "an object"),
    "$defs": ((dict,), "an object"),
    "definitions": ((dict,), "an object"),
    "required": ((list,), "a list"),
    "enum": ((list,), "a list"),
    "anyOf": ((list,), "a list"),
    "oneOf": ((list,), "a list"),
    "allOf": ((list,), "a list"),
    "$ref": ((str,), "a text"),
    "pattern": ((str,), "a text"),
    "format": ((str,), "a text"),
    "minItems": ((int,), "a whole number"),
    "maxItems": ((int,), "a whole number"),
    "minLength": ((int,), "a whole number"),
    "maxLength": ((int,), "a whole number"),
    "minimum": (_NUMBER, "a number"),
    "maximum": (_NUMBER, "a number"),
    "exclusiveMinimum": (_NUMBER, "a number"),
    "exclusiveMaximum": (_NUMBER, "a number"),
}


def read_object_schema(schema: Any, where: str, holder: Json) -> JsonSchema:
    """Check that a schema is one of an object, and keeps the rules of `strict` if that is set.

    Args:
        schema: what the client sent.
        where: its place in the request.
        holder: the object it stands in, which may say `strict`.

    Raises:
        RequestError: naming what is wrong.
    """
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise RequestError(f"'{where}' must be the JSON schema of an object", where)
    strict = read_flag(holder, "strict")
    for path, part in _parts(schema, where, 0):
        _check(part, path)
        if strict and part.get("type") == "object":
            _check_strict(part, path)
    return dict(schema)


def _check(part: JsonSchema, path: str) -> None:
    for name, (kinds, what) in _KINDS.items():
        value = part.get(name)
        # A flag is a number to Python.
        if name in part and (not isinstance(value, kinds) or isinstance(value, bool)):
            place = f"{path}.{name}"
            raise RequestError(f"'{place}' must be {what}", place, "invalid_schema")


def _check_strict(part: JsonSchema, path: str) -> None:
    if part.get("additionalProperties") is not False:
        raise RequestError(f"'{path}' is strict, and must have 'additionalProperties': false", path)
    required = part.get("required", ())
    if any(name not in required for name in part.get("properties", ())):
        raise RequestError(
            f"'{path}' is strict, and must name all its properties in 'required'", path
        )


def _parts(schema: Any, where: str, depth: int) -> Iterator[tuple[str, JsonSchema]]:
    """Give a schema and all schemas within it, each only after the one it stands in."""
    if depth > MOST_LEVELS:
        raise RequestError(f"'{where}' is nested too deep", where)
    if not isinstance(schema, dict):
        return
    yield where, schema
    for key in ("properties", "$defs", "definitions"):
        for name, part in schema.get(key, {}).items():
            yield from _parts(part, f"{where}.{key}.{name}", depth + 1)
    yield from _parts(schema.get("items"), f"{where}.items", depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        for index, part in enumerate(schema.get(key, ())):
            yield from _parts(part, f"{where}.{key}[{index}]", depth + 1)
