"""Which answers of a conversation a tier may read as they are, by their shape and their author."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_cascade.histories import TierReads, readable

CALL: Any = {"name": "look", "args": {}, "id": "call_1", "type": "tool_call"}
TEXT: Any = {"type": "text", "text": "I will look."}

SHAPES: dict[str, AIMessage] = {
    "google": AIMessage(
        [{"type": "thinking", "thinking": "t", "signature": "s"}, TEXT],
        additional_kwargs={"__gemini_function_call_thought_signatures__": {"call_1": "s"}},
        response_metadata={"model_provider": "google_genai", "model_name": "gemini"},
    ),
    "google's code": AIMessage([{"type": "executable_code", "executable_code": "1"}, TEXT]),
    "bedrock": AIMessage(
        [{"type": "reasoning_content", "reasoning_content": {"text": "t", "signature": "s"}}, TEXT],
        response_metadata={"model_provider": "bedrock_converse", "model_name": "nova"},
    ),
    "mistral": AIMessage(
        [{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}, TEXT],
        response_metadata={"model_provider": "mistralai", "model_name": "magistral"},
    ),
    "groq": AIMessage(
        "I will look.",
        additional_kwargs={"reasoning_content": "t"},
        response_metadata={"model_provider": "groq", "model_name": "gpt-oss"},
    ),
    "deepseek": AIMessage(
        "I will look.",
        additional_kwargs={"reasoning_content": "t"},
        response_metadata={"model_provider": "deepseek", "model_name": "deepseek-reasoner"},
    ),
    "anthropic, unsigned by name": AIMessage(
        [{"type": "thinking", "thinking": "t", "signature": "s"}, TEXT]
    ),
    "openai, unsigned by name": AIMessage(
        [{"type": "reasoning", "id": "rs_1", "encrypted_content": "s", "summary": []}, TEXT]
    ),
    "standard blocks": AIMessage(
        [{"type": "reasoning", "reasoning": "t", "extras": {"signature": "s"}}, TEXT],
        response_metadata={"model_provider": "anthropic", "model_name": "claude"},
    ),
}


def of(family: str | None, name: str | None = "mine", place: int = 1, **more: bool) -> TierReads:
    given = {"responses": False, "marks": False, **more}
    return TierReads(place, name, family, given["responses"], given["marks"])


def read(message: BaseMessage, by: TierReads) -> Any:
    (made,) = readable([message], by)
    return made


@pytest.mark.parametrize("shape", SHAPES)
def test_another_tier_reads_the_text_and_the_calls(shape: str) -> None:
    written = SHAPES[shape].model_copy(update={"tool_calls": [CALL]})
    made = read(written, of("xai"))
    assert made.content == "I will look."
    assert made.tool_calls == [CALL]
    assert (made.additional_kwargs, made.response_metadata) == ({}, {})


FAMILY = {"google": "google", "bedrock": "bedrock", "mistral": "mistral", "groq": "groq"}


@pytest.mark.parametrize("shape", [*FAMILY, "deepseek"])
def test_who_wrote_an_answer_gets_it_back_untouched(shape: str) -> None:
    written = SHAPES[shape]
    by = of(FAMILY.get(shape, shape), written.response_metadata["model_name"])
    assert read(written, by) is written
    assert read(written, by._replace(name="another")) is not written


@pytest.mark.parametrize(
    ("answered", "named", "same"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o", True),
        ("gpt-4o", "openai/gpt-4o", True),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5", True),
        ("claude-3-5-haiku-20241022", "claude-3-5-haiku-latest", False),
        ("gpt-4o-mini", "gpt-4o", False),
        ("gpt-4o", "gpt-4o-mini", False),
    ],
)
def test_a_model_is_known_by_its_name_with_or_without_a_date(
    answered: str, named: str, same: bool
) -> None:
    meta = {"model_provider": "groq", "model_name": answered}
    written = SHAPES["groq"].model_copy(update={"response_metadata": meta})
    assert (read(written, of("groq", named)) is written) is same
    # An alias says little; the record says which tier it was.
    meta = {**meta, "cascade": {"tier": 1, "model": answered}}
    recorded = written.model_copy(update={"response_metadata": meta})
    assert read(recorded, of("groq", named)) is recorded


def test_what_nobody_signed_and_everybody_can_read_stays_as_it_is() -> None:
    blocks = AIMessage([TEXT, {"type": "tool_use", "id": "call_1", "name": "look", "input": {}}])
    for message in (AIMessage("plain"), blocks, HumanMessage("hi"), SystemMessage([TEXT])):
        assert read(message, of("openai")) is message
        assert read(message, of(None)) is message


def test_an_answer_that_only_its_author_can_read_is_left_out() -> None:
    hidden = AIMessage([{"type": "redacted_thinking", "data": "s"}])
    talk = [HumanMessage("hi"), hidden, HumanMessage("and?")]
    assert [message.type for message in readable(talk, of("openai"))] == ["human", "human"]


def test_calls_without_ids_get_some_in_the_order_of_their_results() -> None:
    calls = [{**CALL, "id": None}, {**CALL, "id": ""}]
    talk = [
        AIMessage("", tool_calls=calls),
        ToolMessage("a", tool_call_id=""),
        ToolMessage("b", tool_call_id=""),
    ]
    asked, first, second = readable(talk, of("anthropic"))
    assert [call["id"] for call in asked.tool_calls] == [first.tool_call_id, second.tool_call_id]
    assert len({first.tool_call_id, second.tool_call_id, ""}) == 3
