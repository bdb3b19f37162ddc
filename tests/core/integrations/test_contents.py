"""What an answer holds besides text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cascade_core.integrations.contents import beside, others, parts_in

ANSWERS = [
    "mcp_approval_request",
    "apply_patch_call",
    "shell_call",
    "local_shell_call",
    "computer_call",
    "tool_search_call",
    "custom_tool_call",
    "image_generation_call",
    "web_search_call",
    "code_interpreter_call",
    "server_tool_use",
    "web_search_tool_result",
    "bash_code_execution_tool_result",
    "mcp_tool_use",
    "container_upload",
    "server_tool_call",
    "non_standard",
    "image",
    "image_url",
    "audio",
    "video",
    "file",
]
NONE = [
    "text",
    "output_text",
    "refusal",
    "thinking",
    "redacted_thinking",
    "reasoning",
    "tool_use",
    "tool_call",
    "function_call",
    "mcp_list_tools",
    "compaction",
    "message",
]


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_part_of_any_other_kind_is_an_answer(kind: str) -> None:
    assert others([{"type": "text", "text": ""}, {"type": kind}]) == (kind,)
    assert parts_in({"output": [{"type": "reasoning"}, {"type": kind}]}) == (kind,)
    assert parts_in({"content": [SimpleNamespace(type=kind)]}) == (kind,)
    event = {"type": "response.completed", "response": SimpleNamespace(output=[{"type": kind}])}
    assert parts_in(event) == (kind,)


@pytest.mark.parametrize("kind", NONE)
def test_text_thoughts_calls_and_preparations_are_read_elsewhere(kind: str) -> None:
    assert others([{"type": kind}]) == ()


@pytest.mark.parametrize("status", ["failed", "incomplete"])
def test_a_part_that_came_to_nothing_is_no_answer(status: str) -> None:
    assert others([{"type": "image_generation_call", "status": status}]) == ()


PLACES: list[tuple[Any, tuple[str, ...]]] = [
    ({"choices": [{"message": {"content": None, "audio": {"data": "x"}}}]}, ("audio",)),
    ({"choices": [{"delta": {"images": [{"type": "image_url"}]}}]}, ("images",)),
    ({"choices": [{"message": {"content": "", "audio": None, "images": []}}]}, ()),
    ({"choices": [{}]}, ()),
    ({"candidates": [{"content": {"parts": [{"inline_data": {"data": "x"}}]}}]}, ("inline_data",)),
    (
        {"content": {"parts": [{"text": "", "executable_code": {"code": "1"}}]}},
        ("executable_code",),
    ),
    ({"content": {"parts": [{"text": "It rains", "inline_data": None}]}}, ()),
    ({"content": "It rains"}, ()),
    ({}, ()),
    (None, ()),
]


@pytest.mark.parametrize(("answer", "found"), PLACES)
def test_parts_are_found_where_each_provider_has_them(answer: Any, found: tuple[str, ...]) -> None:
    assert parts_in(answer) == found


def test_parts_may_be_kept_beside_a_text() -> None:
    outputs = [{"type": "mcp_list_tools"}, {"type": "mcp_approval_request"}]
    assert beside({"audio": {"id": "a"}, "tool_outputs": outputs}) == ("audio", "tool_outputs")
    assert beside({"audio": None, "tool_outputs": outputs[:1]}) == ()
