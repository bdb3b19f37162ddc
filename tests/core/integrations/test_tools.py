"""Tools and the choice between them, in every provider's form."""

from __future__ import annotations

from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest

from cascade_core.integrations.tools import read_choice, specs_of
from cascade_core.request import ToolSpec


class Mode(str, Enum):  # noqa: UP042 - as clients have them
    ANY = "ANY"


CHOICES: list[tuple[Any, str | None]] = [
    (None, None),
    (False, None),
    (True, "required"),
    ("auto", "auto"),
    ("AUTO", "auto"),
    ("none", "none"),
    ("NONE", "none"),
    ("any", "required"),
    ("required", "required"),
    (Mode.ANY, "required"),
    ("look_up", "look_up"),
    # OpenAI.
    ({"type": "function", "function": {"name": "look_up"}}, "look_up"),
    ({"type": "function", "name": "look_up"}, "look_up"),
    ({"type": "custom", "custom": {"name": "look_up"}}, "look_up"),
    ({"type": "custom", "name": "look_up"}, "look_up"),
    ({"type": "web_search_preview"}, "auto"),
    ({"type": "mcp", "server_label": "s", "name": "look_up"}, "auto"),
    ({"type": "allowed_tools", "mode": "required", "tools": [{}, {}]}, "required"),
    ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}, "auto"),
    # Anthropic.
    ({"type": "none"}, "none"),
    ({"type": "auto", "disable_parallel_tool_use": True}, "auto"),
    ({"type": "any"}, "required"),
    ({"type": "tool", "name": "look_up"}, "look_up"),
    # Bedrock.
    ({"auto": {}}, "auto"),
    ({"any": {}}, "required"),
    ({"tool": {"name": "look_up"}}, "look_up"),
    # Google.
    ({"function_calling_config": {"mode": "ANY"}}, "required"),
    ({"function_calling_config": {"mode": "NONE"}}, "none"),
    ({"functionCallingConfig": {"mode": "VALIDATED"}}, "auto"),
    (
        {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["look_up"]}},
        "look_up",
    ),
    ({"mode": "any", "allowed_function_names": ["look_up", "book"]}, "required"),
    (SimpleNamespace(function_calling_config=SimpleNamespace(mode=Mode.ANY)), "required"),
    # Clients' objects.
    (SimpleNamespace(type="tool", name="look_up"), "look_up"),
    (SimpleNamespace(type="function", function=SimpleNamespace(name="look_up")), "look_up"),
    (SimpleNamespace(type="none"), "none"),
    ({}, "auto"),
]


@pytest.mark.parametrize(("choice", "read"), CHOICES)
def test_every_form_of_a_choice_is_understood(choice: Any, read: str | None) -> None:
    assert read_choice(choice) == read


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
KNOWN = [ToolSpec("look_up", SCHEMA)]
BARE = [ToolSpec("look_up")]
TOOLS: list[tuple[Any, list[ToolSpec]]] = [
    ({"type": "function", "function": {"name": "look_up", "parameters": SCHEMA}}, KNOWN),
    ({"type": "function", "name": "look_up", "parameters": SCHEMA}, KNOWN),
    ({"name": "look_up", "input_schema": SCHEMA}, KNOWN),
    ({"type": "custom", "name": "look_up", "input_schema": SCHEMA}, KNOWN),
    ({"type": "custom", "custom": {"name": "look_up"}}, BARE),
    ({"type": "custom", "name": "look_up", "format": {"type": "text"}}, BARE),
    ({"type": "bash_20250124", "name": "look_up"}, BARE),
    ({"type": "look_up"}, BARE),
    ({"toolSpec": {"name": "look_up", "inputSchema": {"json": SCHEMA}}}, KNOWN),
    ({"systemTool": {"name": "look_up"}}, BARE),
    ({"function_declarations": [{"name": "look_up", "parameters": SCHEMA}]}, KNOWN),
    (SimpleNamespace(function_declarations=[SimpleNamespace(name="look_up")]), BARE),
    ({"type": "mcp", "server_label": "s"}, [ToolSpec("mcp", open=True)]),
    (
        {"type": "namespace", "name": "crm", "tools": [{"type": "function", "name": "look_up"}]},
        [*BARE, ToolSpec("namespace", open=True)],
    ),
    ({"google_search": {}}, []),
    ({"cachePoint": {"type": "default"}}, []),
]


@pytest.mark.parametrize(("tool", "specs"), TOOLS)
def test_every_form_of_a_tool_is_understood(tool: Any, specs: list[ToolSpec]) -> None:
    assert list(specs_of(tool)) == specs
