"""Answers that are no text: what both frameworks see of them, and that no gate is against them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
)

import langchain_cascade.convert
import llamaindex_cascade.reading.answers
from cascade_core.draft import Draft
from cascade_core.request import Request
from cascade_core.setup.gates import DEFAULT_GATES


def in_langchain(content: Any = "", **beside: Any) -> Draft:
    return langchain_cascade.convert.to_draft(AIMessage(content, additional_kwargs=beside))


def in_llamaindex(raw: Any = None, blocks: Any = (), **beside: Any) -> Draft:
    message = ChatMessage(role="assistant", blocks=list(blocks), additional_kwargs=beside)
    return llamaindex_cascade.reading.answers.to_draft(ChatResponse(message=message, raw=raw))


THOUGHT = {"type": "reasoning", "summary": []}
APPROVAL = {"type": "mcp_approval_request", "name": "send", "arguments": "{}"}
SERVER = {"type": "server_tool_use", "name": "web_search", "input": {}}
AUDIO = {"id": "a", "data": "aGVsbG8=", "transcript": ""}
IMAGE = ImageBlock(image=b"aGVsbG8=")
ANSWERS: dict[str, tuple[Draft, str]] = {
    "LangChain, the Responses API": (in_langchain([THOUGHT, APPROVAL]), "mcp_approval_request"),
    "LangChain, the Responses API, earlier": (
        in_langchain(tool_outputs=[APPROVAL]),
        "tool_outputs",
    ),
    "LangChain, Anthropic": (
        in_langchain([{"type": "text", "text": ""}, SERVER]),
        "server_tool_use",
    ),
    "LangChain, an image": (in_langchain([{"type": "image_url", "image_url": {}}]), "image_url"),
    "LangChain, audio": (in_langchain(audio=AUDIO), "audio"),
    "LlamaIndex, the Responses API": (
        in_llamaindex(SimpleNamespace(output=[THOUGHT, APPROVAL])),
        "mcp_approval_request",
    ),
    "LlamaIndex, Anthropic": (in_llamaindex({"content": [SERVER]}), "server_tool_use"),
    "LlamaIndex, an image": (in_llamaindex(blocks=[TextBlock(text=""), IMAGE]), "image"),
    "LlamaIndex, audio": (
        in_llamaindex({"choices": [{"message": {"content": None, "audio": AUDIO}}]}),
        "audio",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_no_text_passes_every_gate(name: str) -> None:
    draft, part = ANSWERS[name]
    assert draft.other_parts == (part,)
    assert draft.speechless
    for asked in (Request.of("?"), Request(output_schema={"type": "object"})):
        assert [gate.reason for gate in DEFAULT_GATES if not gate.passes(asked, draft)] == []


EMPTY: dict[str, Draft] = {
    "LangChain, a thought": in_langchain([{"type": "thinking", "thinking": "Hm."}]),
    "LangChain, tools that are listed": in_langchain([{"type": "mcp_list_tools"}]),
    "LangChain, an image that came to nothing": in_langchain(
        [{"type": "image_generation_call", "status": "failed"}]
    ),
    "LangChain, no audio": in_langchain(audio=None),
    "LlamaIndex, a thought": in_llamaindex(blocks=[ThinkingBlock(content="Hm.")]),
    "LlamaIndex, a thought of the Responses API": in_llamaindex({"output": [THOUGHT]}),
    "LlamaIndex, no audio": in_llamaindex({"choices": [{"message": {"audio": None}}]}),
}


@pytest.mark.parametrize("name", EMPTY)
def test_what_is_no_answer_is_empty(name: str) -> None:
    draft = EMPTY[name]
    assert draft.other_parts == ()
    failed = [gate.reason for gate in DEFAULT_GATES if not gate.passes(Request.of("?"), draft)]
    assert failed == ["gate_empty"]
