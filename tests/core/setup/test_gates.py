"""Hard checks: what must fail, and above all what must not."""

import socket

import pytest

from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.request import Request, ToolCall, ToolSpec
from cascade_core.setup.gates import (
    DEFAULT_GATES,
    Gate,
    fits_schema,
    has_context,
    make_gates,
    not_empty,
    not_refused,
    not_truncated,
    parses,
    tool_calls_fit,
)

ANY = Request.of("?")
ORDER = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["id"],
    "additionalProperties": False,
}
LOOK_UP = ToolSpec("look_up", ORDER)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I can’t assist with that request.",
        "I am sorry, I cannot help you.",
        "I'm very sorry but I am unable to discuss this.",
        "I'm sorry, but I'm not able to help with that.",
        "Sorry, I can't provide that.",
        "Sorry, but I cannot answer this question.",
        "I cannot comply with that.",
        "I can not help with this.",
        "I cant help with that",
        "I am unable to assist with this.",
        "I'm unable to provide medical advice.",
        "I won't help with that.",
        "Unfortunately, I can't answer that.",
        "Unfortunately I’m not able to help.",
        "As an AI language model, I cannot have opinions.",
        "As an artificial intelligence I'm not able to feel.",
        "As a large language model, I can't browse.",
        "I don't know.",
        "I do not know the answer.",
        '  "I cannot fulfill this request."',
        "**I'm sorry, but I can't do that.**",
    ],
)
def test_an_answer_that_opens_with_a_refusal_fails(text):
    assert not not_refused(ANY, Draft(text))


@pytest.mark.parametrize(
    "text",
    [
        "I can help with that! Which order is it?",
        "I'm sorry for the delay, your order ships Monday.",
        "I'm sorry to hear that. Please send us a photo.",
        "I'm sorry your parcel was late. Here is how to get a refund.",
        "I'm sorry, we can't ship to a P.O. box; please give a street address.",
        "You can't return it after 30 days.",
        "Sorry about that! You can cancel it in your account.",
        "Unfortunately, it is sold out.",
        "Unfortunately, you cannot change the address after it has shipped.",
        "We can't change it once it has shipped, but you can refuse the parcel.",
        "I can't help but admire the design.",
        "I know: it ships Monday.",
        "As an alternative, you can't go wrong with store credit.",
        "As a large company we cannot accept cash.",
        "The error 'I cannot help with that' comes from the old assistant.",
        "If you are not able to log in, I can reset it.",
        "I candidly recommend the blue one.",
        "",
    ],
)
def test_a_normal_answer_of_a_support_desk_passes(text):
    assert not_refused(ANY, Draft(text))


def test_what_the_provider_marked_as_a_refusal_fails_whatever_it_says():
    assert not not_refused(ANY, Draft("Sure!", refusal=True))
    assert not not_refused(ANY, Draft("Sure!", finish="content_filter"))


def test_a_tool_call_is_no_refusal():
    assert not_refused(ANY, Draft("I don't know, let me see.", tool_calls=(ToolCall("look_up"),)))


# --- truncated, empty, parser -------------------------------------------------------------------


@pytest.mark.parametrize("finish", [None, "stop", "tool_calls", "content_filter", "length"])
def test_only_an_answer_cut_off_by_the_token_limit_is_truncated(finish):
    assert not_truncated(ANY, Draft("x", finish=finish)) == (finish != "length")


@pytest.mark.parametrize(
    ("draft", "passes"),
    [
        (Draft("x"), True),
        (Draft(""), False),
        (Draft(" \n\t"), False),
        (Draft("", tool_calls=(ToolCall("look_up"),)), True),
        (Draft("", broken_tool_calls=1), True),
    ],
)
def test_an_answer_needs_text_or_a_tool_call(draft, passes):
    assert not_empty(ANY, draft) == passes


@pytest.mark.parametrize(
    ("contexts", "passes"), [(None, True), ((), False), ([], False), (("a",), True)]
)
def test_a_tier_that_retrieves_must_have_found_something(contexts, passes):
    assert has_context(ANY, Draft("x", contexts=contexts)) == passes


def test_what_the_request_brought_is_no_retrieval_of_the_tiers():
    assert has_context(Request.of("?"), Draft("x"))
    assert not has_context(Request(contexts=["a"]), Draft("x", contexts=()))


def test_an_empty_answer_is_called_empty_before_its_retrieval_is_looked_at():
    reasons = [gate.reason for gate in DEFAULT_GATES]
    assert reasons.index("gate_empty") + 1 == reasons.index("gate_no_context")


def test_what_the_callers_parser_could_not_read_fails():
    assert parses(ANY, Draft("x"))
    assert not parses(ANY, Draft("x", parse_error=ValueError("no")))


# --- tool calls ---------------------------------------------------------------------------------


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


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_a_free_choice_may_be_no_call(choice):
    assert fits(choice=choice)


# --- schemas ------------------------------------------------------------------------------------


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
    fetched = []

    def no_network(*args, **kwargs):
        fetched.append(args)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    assert fits_order('{"id": "x"}', schema)
    assert not fetched


# --- make_gates ---------------------------------------------------------------------------------


def test_a_callers_checks_come_after_the_built_in_ones():
    def mine(_request, _draft):
        return True

    gate = Gate("gate_parser", mine)
    made = make_gates([mine, gate])
    assert made == (*DEFAULT_GATES, Gate("gate_custom", mine), gate)
    assert make_gates(None) == DEFAULT_GATES
    assert [gate.own for gate in made] == [True] * len(DEFAULT_GATES) + [False, False]


@pytest.mark.parametrize("entry", ["refusal", 5, None])
def test_what_is_no_function_is_no_gate(entry):
    with pytest.raises(ConfigurationError, match=r"give functions \(request, draft\) -> bool"):
        make_gates([entry])
