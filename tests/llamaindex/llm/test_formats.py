"""The formats that a prompt asks for in words."""

from __future__ import annotations

import pytest
from llama_index.core.agent.react import ReActChatFormatter
from llama_index.core.llms import ChatMessage
from llama_index.core.output_parsers.pydantic import PYDANTIC_FORMAT_TMPL
from llama_index.core.tools import FunctionTool

from llamaindex_cascade.llm.formats import FormatError, wanted_format


def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def react(text: str) -> Exception | None:
    tools = [FunctionTool.from_defaults(weather)]
    asked = ReActChatFormatter().format(tools, [ChatMessage(content="weather in Oslo?")])
    check = wanted_format(asked)
    assert check is not None
    return check(text)


THOUGHT = "Thought: I need a tool.\n"
ACTION = 'Action: weather\nAction Input: {"city": "Oslo"}'


@pytest.mark.parametrize(
    "step",
    [
        THOUGHT + ACTION,
        f"{THOUGHT}{ACTION}\nAnswer: It is sunny.",  # the action comes first, and is taken
        "Thought: I can answer.\nAnswer: It is sunny.",
        "Thought: I can answer.\nAnswer: Their Action: is to wait.",
    ],
)
def test_a_react_step_is_an_action_with_its_input_or_an_answer(step: str) -> None:
    assert react(step) is None


@pytest.mark.parametrize(
    "step",
    [
        "It is sunny.",
        "Answer: It is sunny.",
        f"{THOUGHT}Action: weather",
        f"{THOUGHT}Action: weather\nAnswer: It is sunny.",
        THOUGHT + ACTION.replace("weather", "whether"),
    ],
    ids=["plain", "no thought", "no input", "no input before an answer", "unknown tool"],
)
def test_any_other_react_step_is_malformed(step: str) -> None:
    assert isinstance(react(step), FormatError)


@pytest.mark.parametrize(
    "schema",
    [
        '{"$ref": "http://127.0.0.1:9/schema.json"}',
        '{"$ref": "file:///etc/passwd"}',
        '{"type": "string", "pattern": "^(a+)+$"}',
        '{"type": "object", "required": ["city"]}',
    ],
)
def test_a_schema_in_the_words_of_a_prompt_is_not_believed(schema: str) -> None:
    text = PYDANTIC_FORMAT_TMPL.format(schema=schema)
    assert wanted_format([ChatMessage(content=text)]) is None
    assert wanted_format([ChatMessage(content="Be brief."), ChatMessage(content=text)]) is None


def test_words_that_ask_for_no_format_want_none() -> None:
    assert wanted_format([ChatMessage(content="weather in Oslo?")]) is None
    assert wanted_format([]) is None
