"""The tools that a message of LlamaIndex calls, in every integration's form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.llms.utils import parse_partial_json

from cascade_core.files import unique
from cascade_core.integrations.fields import field, listed
from cascade_core.request import ToolCall

_CALL_NAMES = ("name", "tool_name")
_CALL_ARGUMENTS = ("arguments", "input", "tool_kwargs", "parameters")
_CALL_IDS = ("id", "tool_call_id", "tool_id", "toolUseId")


def read_tool_calls(message: ChatMessage, *, partial: bool = False) -> tuple[list[ToolCall], int]:
    """Read the tools that a message calls.

    Args:
        message: The message. Integrations list calls as blocks, in
            `additional_kwargs`, or the same calls in both.
        partial: Whether the message may still be on its way: of arguments
            that are not whole, what has arrived is read.

    Returns:
        The calls, and how many are broken beyond reading: they name no tool.
        Arguments that are not a JSON object are None, where LlamaIndex would
        repair them: a repaired call is not what the model said.
    """
    found: Iterable[Any] = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if not found:
        found = listed(message.additional_kwargs.get("tool_calls"))
    calls = []
    broken = 0
    for call in found:
        function = field(call, "function") or call
        name = _any(function, _CALL_NAMES)
        if not isinstance(name, str) or not name:
            broken += 1
            continue
        identity = _any(call, _CALL_IDS)
        given = _any(function, _CALL_ARGUMENTS)
        arguments = _arguments(given)
        if arguments is None and partial:
            arguments = _arrived(given)
        calls.append(ToolCall(name, arguments, str(identity) if identity else None))
    return calls, broken


def _any(source: Any, names: Sequence[str]) -> Any:
    return next((value for name in names if (value := field(source, name)) is not None), None)


def _arguments(given: Any) -> Mapping[str, Any] | None:
    if given is None or given == "":  # a tool without arguments
        return {}
    if isinstance(given, str):
        try:
            # Weak models leave line breaks as they are; LlamaIndex reads those, but no tabs.
            read = json.loads(given, strict=False, object_pairs_hook=unique)
            given = read if read == parse_partial_json(given) else None
        except (ValueError, RecursionError):
            return None
    return given if isinstance(given, Mapping) else None


def _arrived(given: Any) -> Mapping[str, Any] | None:
    try:
        read = parse_partial_json(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return read if isinstance(read, Mapping) else None
