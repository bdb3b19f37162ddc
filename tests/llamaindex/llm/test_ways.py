"""What a tier is asked, as data."""

from __future__ import annotations

import pytest
from llama_index.core.llms import ChatMessage

from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.request import ToolCall
from llamaindex_cascade.asking.tiers import LLMTier
from llamaindex_cascade.llm.cascade_llm import CascadeLLM
from llamaindex_cascade.llm.ways import Messages, Text
from tests.llamaindex.fakes import cheap, strong

TIER = LLMTier(cheap())
HI = [ChatMessage(content="hi")]
REACT = "Write a Thought: and then an Action: with its Action Input:, or an Answer: instead."


def test_messages_are_a_chat() -> None:
    asked = Messages(HI, {"stop": ["."]}).invocation(TIER, {"logprobs": True})
    assert (asked.on, asked.method, list(asked.args)) == (TIER.llm, "chat", [HI])
    assert asked.kwargs == {"stop": ["."], "logprobs": True}


def test_a_text_is_a_completion_formatted_or_not() -> None:
    asked = Text("hi", {}, formatted=True).invocation(TIER, {})
    assert (asked.method, tuple(asked.args)) == ("complete", ("hi", True))


def test_what_the_cascade_asks_for_goes_before_what_the_caller_did() -> None:
    for way in (Messages(HI, {"logprobs": False}), Text("hi", {"logprobs": False}, formatted=True)):
        assert way.invocation(TIER, {"logprobs": True}).kwargs["logprobs"] is True


def test_a_format_asked_for_in_words_is_checked_in_answers_that_call_no_tool() -> None:
    for way in (Messages([ChatMessage(content=REACT)], {}), Text(REACT, {}, formatted=True)):
        assert way.problem(Draft("Thought: I know.\nAnswer: Oslo"), TIER) is None
        assert way.problem(Draft("Oslo"), TIER) is not None
        assert way.problem(Draft("", tool_calls=[ToolCall("weather", {})]), TIER) is None


def test_a_format_is_that_of_what_is_said_and_of_what_will_be_read() -> None:
    way = Messages([ChatMessage(content=REACT)], {})
    step = "Thought: I know.\nAnswer: Oslo"
    assert way.problem(Draft(f"<think>Hm.</think>{step}"), TIER) is None
    assert way.problem(Draft(f"<think>{step}</think>Oslo"), TIER) is not None
    assert way.problem(Draft(f"<think>Action: none</think>{step}"), TIER) is not None


def test_the_limit_of_a_request_is_among_its_arguments() -> None:
    assert Messages(HI, {"max_tokens": 5}).request["max_tokens"] == 5
    assert Messages(HI, {}).request.get("max_tokens") is None


@pytest.mark.parametrize("key", ["response_format", "format", "response_schema"])
def test_a_schema_among_the_arguments_is_asked_of_the_answer(key: str) -> None:
    asked = Messages(HI, {key: {"type": "object", "required": ["a"]}})
    assert asked.request["output_schema"] == {"type": "object", "required": ["a"]}


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda llm: llm.chat("hush"), r"chat takes a list of ChatMessage, not str: \[ChatMessage"),
        (lambda llm: llm.stream_chat("hush"), r"complete\(…\) takes a text"),
        (lambda llm: llm.chat(HI[0]), "a list of ChatMessage, not ChatMessage"),
        (lambda llm: llm.chat([*HI, {"content": "hush"}]), r"\[1\] is dict: ChatMessage\(role=…"),
        (lambda llm: llm.complete(["hush"]), r"complete takes a text, not list; chat\(…\) takes"),
        (lambda llm: llm.chat_with_tools([], "hi", "hush"), "chat_history= takes a list"),
    ],
)
def test_what_is_no_question_is_refused_and_asked_of_nobody(ask, words) -> None:
    first, last = cheap(), strong()
    with pytest.raises(ConfigurationError, match=words) as raised:
        ask(CascadeLLM([first, last]))
    assert "hush" not in str(raised.value)
    assert not first.journal.calls
    assert not last.journal.calls
