"""LangChain messages as the core sees them."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from cascade_core.request import response_schema
from cascade_core.usage import Usage
from langchain_cascade.convert import (
    text_of,
    to_chunk,
    to_draft,
    to_messages,
    to_turns,
)

ENTRY = {"token": "x", "logprob": -0.5, "bytes": None, "top_logprobs": []}
PAYLOADS: list[Any] = [
    {"content": [ENTRY], "refusal": None},  # OpenAI Chat Completions, Groq
    [ENTRY],  # Ollama
    {"tokens": ["x"], "token_logprobs": [-0.5], "top_logprobs": None},  # legacy completions
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=["openai", "ollama", "legacy"])
def test_logprobs_of_every_provider_are_read(payload: Any) -> None:
    draft = to_draft(AIMessage("x", response_metadata={"logprobs": payload}))
    assert draft.logprobs is not None
    assert list(draft.logprobs.values) == [-0.5]


REASONS = [
    ("finish_reason", "stop", "stop"),
    ("finish_reason", "length", "length"),
    ("finish_reason", "STOP", "stop"),
    ("finish_reason", "MAX_TOKENS", "length"),
    ("finish_reason", "SAFETY", "content_filter"),
    ("finish_reason", "tool_calls", "tool_calls"),
    ("finish_reason", "something new", "broken"),
    ("stop_reason", "end_turn", "stop"),
    ("stop_reason", "max_tokens", "length"),
    ("stop_reason", "tool_use", "tool_calls"),
    ("stop_reason", "refusal", "content_filter"),
    ("done_reason", "length", "length"),
]


@pytest.mark.parametrize(("key", "value", "finish"), REASONS)
def test_the_reason_a_model_stopped_is_read_from_every_provider(
    key: str, value: str, finish: str | None
) -> None:
    assert to_draft(AIMessage("x", response_metadata={key: value})).finish == finish


def test_text_is_read_from_blocks_and_what_is_no_text_left_out() -> None:
    content: Any = [
        "a",
        {"type": "text", "text": "b"},
        {"type": "image_url", "image_url": {"url": "x"}},
        {"type": "reasoning", "reasoning": "hidden"},
        {"type": "text", "text": "c"},
    ]
    assert text_of(AIMessage(content)) == "abc"


def test_a_conversation_keeps_its_roles_and_tool_calls() -> None:
    call = {"name": "f", "args": {"a": 1}, "id": "1", "type": "tool_call"}
    turns = to_turns(
        [
            SystemMessage("s"),
            HumanMessage("u"),
            AIMessage("", tool_calls=[call]),
            ToolMessage("t", tool_call_id="1"),
            AIMessageChunk(content="a"),
        ]
    )
    assert [t.role for t in turns] == ["system", "user", "assistant", "tool", "assistant"]
    assert turns[2].tool_calls[0].arguments == {"a": 1}
    back = to_messages(turns)
    assert [m.type for m in back] == ["system", "human", "ai", "tool", "ai"]


def test_usage_details_are_kept() -> None:
    message = AIMessage(
        "x",
        usage_metadata={
            "input_tokens": 10,
            "output_tokens": 5,
            "total_tokens": 15,
            "input_token_details": {"cache_read": 4, "cache_creation": 2},
            "output_token_details": {"reasoning": 3},
        },
    )
    usage = to_draft(message).usage
    assert usage is not None
    assert (usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (4, 2, 3)


def test_counts_in_a_streams_metadata_are_no_report_for_they_were_added_up() -> None:
    meta = {"token_usage": {"prompt_tokens": 22, "completion_tokens": 3}}
    chunk = AIMessageChunk(content="x", response_metadata=meta)
    assert to_draft(chunk).usage is None


def test_the_tokens_of_a_cascade_as_a_tier_are_those_of_its_calls() -> None:
    def prompt() -> list[Any]:
        raise AssertionError

    message = AIMessage("x", response_metadata={"cascade": {"calls": []}})
    assert to_draft(message, prompt=prompt).usage is None


def test_a_cache_hit_is_known_by_its_total_cost_of_nothing() -> None:
    usage: Any = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2, "total_cost": 0}
    assert to_draft(AIMessage("x", usage_metadata=usage)).cached is True
    del usage["total_cost"]
    assert to_draft(AIMessage("x", usage_metadata=usage)).cached is False


def test_a_whole_message_becomes_one_chunk_with_all_it_has() -> None:
    call = {"name": "f", "args": {"a": 1}, "id": "1", "type": "tool_call"}
    message = AIMessage("x", tool_calls=[call], response_metadata={"m": 1}, id="i", name="n")
    chunk = to_chunk(message)
    assert isinstance(chunk, AIMessageChunk)
    assert (chunk.content, chunk.id, chunk.name) == ("x", "i", "n")
    assert chunk.response_metadata == {"m": 1}
    merged = chunk + AIMessageChunk(content="", chunk_position="last")
    assert [c["args"] for c in merged.tool_calls] == [{"a": 1}]


FORMATS: list[tuple[Any, Any]] = [
    (None, None),
    ({"type": "text"}, None),
    ({"type": "json_object"}, {"type": "object"}),
    (
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}},
        {"type": "array"},
    ),
]


@pytest.mark.parametrize(("asked", "schema"), FORMATS)
def test_the_schema_an_answer_must_fit_is_read_from_response_format(
    asked: Any, schema: Any
) -> None:
    assert response_schema({"response_format": asked}) == schema
    assert response_schema({}) is None


def test_text_that_does_not_fit_the_schema_asked_for_escalates() -> None:
    from tests.langchain.fakes import Say, pair, record_of

    for text, tier in (('{"a": 1}', 0), ("no JSON", 1)):
        two = pair(Say(text))
        message = two.cascade.bind(response_format={"type": "json_object"}).invoke("hi")
        assert record_of(message)["tier"] == tier
        assert two.cheap.calls[0].kwargs == {"response_format": {"type": "json_object"}}


@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_a_tool_call_that_breaks_off_does_not_pass_because_langchain_completes_it(how: str) -> None:
    from tests.langchain.fakes import Say, joined, pair, record_of

    def find(name: str) -> str:
        """Find a customer."""
        return name

    cut = Say("", p=None, tool_calls=[{"name": "find", "args": '{"name": "Pau'}])
    whole = Say("", p=None, tool_calls=[{"name": "find", "args": '{"name": "Paula"}'}])
    chain = pair(cut, whole).cascade.bind_tools([find])
    answer = chain.invoke("find") if how == "invoke" else joined(list(chain.stream("find")))
    assert record_of(answer)["reason"] == "gate_tool_call"
    assert answer.tool_calls[0]["args"] == {"name": "Paula"}


def test_what_the_provider_says_of_its_tokens_is_read_where_langchains_report_leaves_it_out() -> (
    None
):
    told = {
        "prompt_tokens": 9,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 6},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    usage: Any = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
    bare = AIMessage("x", usage_metadata=usage, response_metadata={"token_usage": told})
    assert to_draft(bare).usage == Usage(9, 3, cached_tokens=6, reasoning_tokens=2)
    other = {**usage, "input_tokens": 90, "total_tokens": 93}
    assert to_draft(bare.model_copy(update={"usage_metadata": other})).usage == Usage(90, 3)
    detailed = {**usage, "input_token_details": {"cache_read": 1}}
    own = bare.model_copy(update={"usage_metadata": detailed})
    assert to_draft(own).usage == Usage(9, 3, cached_tokens=1)
