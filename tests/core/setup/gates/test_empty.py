"""Answers that hold nothing, or rest on nothing."""

import pytest

from cascade_core.draft import Draft
from cascade_core.request import Request, ToolCall
from cascade_core.setup.gates import DEFAULT_GATES, has_context, not_empty

ANY = Request.of("?")


@pytest.mark.parametrize(
    ("draft", "passes"),
    [
        (Draft("x"), True),
        (Draft(""), False),
        (Draft(" \n\t"), False),
        (Draft("\u200b\ufeff\u2060\u00ad\x00\u200e"), False),
        (Draft("\u200bYes"), True),
        (Draft("<think>Hm.</think>\n"), False),
        (Draft("<think>Hm.</think>Yes"), True),
        (Draft("", tool_calls=(ToolCall("look_up"),)), True),
        (Draft("", broken_tool_calls=1), True),
        (Draft("", other_parts=("mcp_approval_request",)), True),
    ],
)
def test_an_answer_needs_text_or_a_tool_call_or_something_else_in_it(draft, passes):
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
