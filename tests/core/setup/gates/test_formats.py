"""Answers that the caller's parser or schema reads."""

import socket
from threading import get_ident

import pytest

from cascade_core.draft import Draft
from cascade_core.request import Request, ToolCall
from cascade_core.setup.gates import fits_schema, parses

ORDER = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["id"],
    "additionalProperties": False,
}


def test_what_the_callers_parser_could_not_read_fails():
    assert parses(Request.of("?"), Draft("x"))
    assert not parses(Request.of("?"), Draft("x", parse_error=ValueError("no")))


def fits_order(text, schema=ORDER):
    return fits_schema(Request(output_schema=schema), Draft(text))


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ('{"id": 1}', True),
        (' {"id": 1}\n', True),
        ('{"id": "1"}', False),
        ("[]", False),
        ('{"id": 1', False),
        ("It is order 1.", False),
        ("", False),
        ("[" * 100_000, False),
        ("9" * 10_000, False),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_text_must_be_json_of_the_schema(text, passes):
    assert fits_order(text) == passes


def test_a_tool_call_is_not_measured_by_the_schema_of_the_text():
    draft = Draft("", tool_calls=(ToolCall("look_up", {"id": 1}),))
    assert fits_schema(Request(output_schema=ORDER), draft)


def test_local_references_are_followed():
    schema = {"$defs": {"Id": {"type": "integer"}}, "properties": {"id": {"$ref": "#/$defs/Id"}}}
    assert fits_order('{"id": 1}', schema)
    assert not fits_order('{"id": "1"}', schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "no such type"},
        {"$ref": "#/$defs/Missing"},
        {"$ref": "#"},
        {"properties": {"id": {"pattern": "("}}},
        {"$ref": "http://127.0.0.1:9/schema.json"},
    ],
    ids=str,
)
def test_a_schema_nobody_can_read_is_no_reason_to_doubt_the_draft(schema, monkeypatch):
    fetched, here = [], get_ident()

    def no_network(*args, **kwargs):
        if get_ident() == here:  # threads of other tests may look for their server still
            fetched.append(args)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    assert fits_order('{"id": "x"}', schema)
    assert not fetched


@pytest.mark.parametrize(
    "text",
    ['{"id": 1, "note": NaN}', '{"id": Infinity}', '{"id": 1e999}', '{"id": "a", "id": 1}'],
)
def test_what_is_json_only_by_habit_fits_no_schema(text):
    assert not fits_order(text, {"type": "object"})


TREE = {
    "type": "object",
    "properties": {"next": {"$ref": "#"}, "leaf": {"type": "integer"}},
    "additionalProperties": False,
}


@pytest.mark.parametrize("levels", [0, 1, 40, 100, 400, 900])
def test_a_wrong_leaf_does_not_fit_however_deep_it_is(levels):
    def nested(leaf):
        return '{"next": ' * levels + f'{{"leaf": {leaf}}}' + "}" * levels

    assert not fits_order(nested('"x"'), TREE)
    if levels <= 40:
        assert fits_order(nested("1"), TREE)


def test_a_value_that_no_check_can_be_made_with_does_not_fit():
    assert not fits_order("1" + "0" * 400, {"type": "integer", "multipleOf": 0.5})


@pytest.mark.parametrize("schema", [ORDER, {"type": "no such type"}])
def test_a_schema_is_checked_once_not_for_every_draft(schema, monkeypatch):
    from jsonschema.validators import Draft202012Validator

    checked = []
    check = Draft202012Validator.check_schema
    monkeypatch.setattr(
        Draft202012Validator, "check_schema", lambda schema: checked.append(1) or check(schema)
    )
    fresh = {**schema, "title": f"never seen before {id(checked)}"}
    for _ in range(5):
        fits_order('{"id": 1}', dict(fresh))
    assert len(checked) == 1
