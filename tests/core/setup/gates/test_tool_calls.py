"""Calls of tools that were offered, with arguments that fit."""

import pytest

from cascade_core.draft import Draft
from cascade_core.request import Request, ToolCall, ToolSpec
from cascade_core.setup.gates import tool_calls_fit

ORDER = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["id"],
    "additionalProperties": False,
}
LOOK_UP = ToolSpec("look_up", ORDER)


def fits(*calls, choice=None, tools=(LOOK_UP,), broken=0):
    request = Request(tools=tools, tool_choice=choice)
    return tool_calls_fit(request, Draft(tool_calls=calls, broken_tool_calls=broken))


@pytest.mark.parametrize(
    ("arguments", "passes"),
    [
        ({"id": 1}, True),
        ({"id": 1, "note": "x"}, True),
        ({}, False),
        ({"id": "1"}, False),
        ({"id": 1, "more": 2}, False),
        (None, False),
    ],
)
def test_the_arguments_of_a_call_must_fit_the_tools_schema(arguments, passes):
    assert fits(ToolCall("look_up", arguments)) == passes


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_none_fit_no_tool(number):
    tool = ToolSpec("weigh", {"properties": {"kg": {"type": "number"}}})
    assert fits(ToolCall("weigh", {"kg": 1.5}), tools=[tool])
    assert not fits(ToolCall("weigh", {"kg": number}), tools=[tool])


def test_one_bad_call_among_good_ones_fails():
    assert not fits(ToolCall("look_up", {"id": 1}), ToolCall("look_up", {}))
    assert not fits(ToolCall("look_up", {"id": 1}), ToolCall("invented", {}))
    assert not fits(ToolCall("look_up", {"id": 1}), broken=1)


def test_without_a_schema_any_arguments_fit_that_parsed():
    assert fits(ToolCall("free", {"x": 1}), tools=[ToolSpec("free")])
    assert not fits(ToolCall("free", None), tools=[ToolSpec("free")])


def test_where_the_core_knows_no_tools_it_cannot_object_to_a_call():
    assert fits(ToolCall("bound_elsewhere", {}), tools=())


def test_a_required_tool_must_be_called():
    assert not fits(choice="required")
    assert fits(ToolCall("look_up", {"id": 1}), choice="required")


def test_a_named_tool_must_be_called_by_that_name():
    tools = (LOOK_UP, ToolSpec("other"))
    assert not fits(choice="look_up", tools=tools)
    assert not fits(ToolCall("other", {}), choice="look_up", tools=tools)
    assert fits(ToolCall("look_up", {"id": 1}), choice="look_up", tools=tools)


def test_where_tools_of_unknown_names_were_offered_a_call_may_have_any():
    tools = (LOOK_UP, ToolSpec("mcp", open=True))
    assert fits(ToolCall("found", {"x": 1}), tools=tools)
    assert not fits(ToolCall("", {}), tools=tools)
    assert not fits(ToolCall("found", None), tools=tools)
    assert not fits(ToolCall("look_up", {}), tools=tools)


def test_a_call_where_none_is_allowed_does_not_pass():
    assert not fits(ToolCall("look_up", {"id": 1}), choice="none")


@pytest.mark.parametrize("choice", ["required", "look_up"])
def test_a_tool_that_its_provider_runs_has_been_called(choice):
    request = Request(tools=(LOOK_UP,), tool_choice=choice)
    assert tool_calls_fit(request, Draft(other_parts=("web_search_call",)))


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_a_free_choice_may_be_no_call(choice):
    assert fits(choice=choice)
