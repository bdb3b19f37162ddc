"""The arguments by which calls ask for JSON, in every provider's words."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TypedDict

import pytest
import typing_extensions
from pydantic import BaseModel

from cascade_core.integrations.schemas import ANY_JSON, schema_asked, schema_set

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
NAMED = {"name": "a", "schema": SCHEMA, "strict": True}


class Model(BaseModel):
    a: int


class Typed(TypedDict):
    a: int


@dataclass
class Data:
    a: int


class Extended(typing_extensions.TypedDict):
    a: int


@pytest.mark.parametrize(
    "kwargs",
    [
        {"response_format": {"type": "json_schema", "json_schema": NAMED}},
        {"response_format": {"type": "json_schema", **NAMED}},
        {"response_format": {"type": "json_schema", "json_schema": SCHEMA}},
        {"response_format": {"type": "json_object", "schema": SCHEMA}},
        {"response_format": {"type": "json_object", "json_schema": SCHEMA}},
        {"response_format": {"type": "json", "value": SCHEMA}},
        {"response_format": SCHEMA},
        {"format": SCHEMA},
        {"text": {"format": {"type": "json_schema", **NAMED}, "verbosity": "low"}},
        {"response_schema": SCHEMA, "response_mime_type": "application/json"},
        {"response_schema": {"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}}},
        {"response_json_schema": SCHEMA},
        {"generation_config": {"response_schema": SCHEMA}},
        {"output_format": {"type": "json_schema", "schema": SCHEMA}},
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        {"guided_json": SCHEMA},
        {"extra_body": {"guided_json": SCHEMA}},
        {"extra_body": {"structured_outputs": {"json": SCHEMA}}},
    ],
    ids=str,
)
def test_a_schema_is_found_in_every_providers_words(kwargs):
    assert schema_asked(kwargs) == SCHEMA


@pytest.mark.parametrize("given", [Model, Typed, Extended, Data])
@pytest.mark.parametrize("key", ["response_format", "response_schema", "format"])
def test_a_class_is_the_schema_of_its_fields(key, given):
    schema = schema_asked({key: given})
    assert schema["properties"]["a"]["type"] == "integer"
    assert schema["required"] == ["a"]
    assert schema_asked({key: given}) is schema, "made once"


@pytest.mark.parametrize(
    "kwargs",
    [{"format": "json"}, {"response_mime_type": "application/json"}],
)
def test_json_without_a_schema_is_any_json(kwargs):
    assert schema_asked(kwargs) == ANY_JSON
    assert schema_asked({"response_format": {"type": "json_object"}}) == {"type": "object"}


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"response_format": {"type": "text"}},
        {"text": {"format": {"type": "text"}, "verbosity": "low"}},
        {"text": "words"},
        {"format": "markdown"},
        {"format": "", "response_format": None},
        {"extra_body": {"seed": 1}},
        {"output_config": {"effort": "low"}},
        {"response_format": str},
        {"response_format": 5},
        {"response_mime_type": "text/plain"},
    ],
    ids=str,
)
def test_other_arguments_ask_for_no_json(kwargs):
    assert schema_asked(kwargs) is None


@pytest.mark.parametrize(
    ("fields", "bound", "schema"),
    [
        ({"format": SCHEMA}, {}, SCHEMA),
        ({"format": ""}, {"response_format": SCHEMA}, SCHEMA),
        ({"model_kwargs": {"response_format": SCHEMA}}, {}, SCHEMA),
        ({"additional_kwargs": {"format": SCHEMA}}, {}, SCHEMA),
        ({"json_mode": True}, {}, ANY_JSON),
        ({"json_mode": False, "model_kwargs": None}, {}, None),
    ],
    ids=str,
)
def test_a_model_may_be_set_up_for_a_schema(fields, bound, schema):
    assert schema_set(SimpleNamespace(**fields), bound) == schema
