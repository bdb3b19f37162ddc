"""What providers call the argument that asks for JSON, and how it says of which schema."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cascade_core.request import response_schema

Schema = Mapping[str, Any]

ANY_JSON: Schema = {}
"""Fitted by every JSON document."""

_KEYS = (
    "response_format",  # OpenAI's Chat Completions and all that are like it
    "format",  # Ollama
    "text",  # OpenAI's Responses API: {"format": …}
    "response_schema",  # Google
    "response_json_schema",
    "output_format",  # Anthropic
    "output_config",
    "generation_config",  # Google: {"response_schema": …}
    "guided_json",  # vLLM
    "structured_outputs",
    "extra_body",
)
_INSIDE = {
    "text": ("format",),
    "output_config": ("format",),
    "generation_config": ("response_schema", "response_json_schema"),
    "structured_outputs": ("json",),
    "extra_body": ("guided_json", "structured_outputs", "response_format"),
}
_KINDS = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_OWN_KEYS = ("properties", "$ref", "anyOf", "oneOf", "allOf", "enum", "const", "items")


def schema_asked(kwargs: Mapping[str, Any]) -> Schema | None:
    """Return the JSON schema that the arguments of a call ask an answer to fit, or None."""
    for key in _KEYS:
        if (given := kwargs.get(key)) is not None:
            schema = _inside(given, _INSIDE[key]) if key in _INSIDE else schema_of(given)
            if schema is not None:
                return schema
    return ANY_JSON if kwargs.get("response_mime_type") == "application/json" else None


def schema_set(model: object, bound: Mapping[str, Any] | None = None) -> Schema | None:
    """Return the JSON schema that a model was set up to fit, whatever it is asked, or None.

    Args:
        model: The model; its fields say so, or what they pass on to its provider.
        bound: The arguments bound to it.
    """
    fields = getattr(model, "__dict__", {})
    passed = (fields.get(name) for name in ("model_kwargs", "additional_kwargs"))
    for kwargs in (bound or {}, fields, *passed):
        if isinstance(kwargs, Mapping) and (schema := schema_asked(kwargs)) is not None:
            return schema
    return ANY_JSON if fields.get("json_mode") is True else None  # LlamaIndex's Ollama


def schema_of(given: Any) -> Schema | None:
    """Return the JSON schema that somebody means by a class, a schema, or a provider's wrapping.

    Args:
        given: A pydantic model or any other class with fields, a JSON schema, OpenAI's
            `response_format` and its kin, or "json".
    """
    if isinstance(given, str):
        return ANY_JSON if given in {"json", "json_object"} else None
    if isinstance(given, type):
        return _of_class(given)
    return _of_mapping(given) if isinstance(given, Mapping) else None


def _inside(given: Any, keys: tuple[str, ...]) -> Schema | None:
    if not isinstance(given, Mapping):
        return None
    found = ((key, given[key]) for key in keys if given.get(key) is not None)
    for key, value in found:
        schema = _inside(value, _INSIDE[key]) if key in _INSIDE else schema_of(value)
        if schema is not None:
            return schema
    return None


def _of_mapping(given: Mapping[str, Any]) -> Schema | None:
    kind = given.get("type")
    if kind in {"json_schema", "json_object", "json", "grammar"}:
        held = given.get("json_schema"), given.get("schema"), given.get("value")
        for each in held:
            if isinstance(each, type):
                return _of_class(each)
            if isinstance(each, Mapping):
                inner = each.get("schema")
                return inner if isinstance(inner, Mapping) else each
        return response_schema({"response_format": given})
    if isinstance(kind, str) and kind.isupper() and kind.lower() in _KINDS:  # Google
        lowered: Schema = _in_lower_case(given)
        return lowered
    known = kind in _KINDS or isinstance(kind, list)
    return given if known or any(key in given for key in _OWN_KEYS) else None


@lru_cache(maxsize=128)
def _of_class(given: type) -> Schema | None:
    """Return the schema of a class; making it takes as long as some calls."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - on use
    from typing_extensions import TypedDict, get_type_hints, is_typeddict  # noqa: PLC0415

    if given in {dict, list, str, int, float, bool, object}:
        return None
    try:
        kind: Any = given
        if is_typeddict(given):  # before Python 3.12 pydantic takes only the ones made by this
            make: Any = TypedDict
            fields = get_type_hints(given, include_extras=True)
            kind = make(given.__name__, fields, total=kind.__total__)
        schema: Schema = TypeAdapter(kind).json_schema()
    except Exception:  # noqa: BLE001 - a class of the caller's may raise anything
        return None
    return schema


def _in_lower_case(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_in_lower_case(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        key: each.lower() if key == "type" and isinstance(each, str) else _in_lower_case(each)
        for key, each in schema.items()
    }
