"""Answers as the journal keeps them: all that graders read, so that nobody is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade_core.draft import Draft
from cascade_core.request import ToolCall


def keep(draft: Draft | None) -> Mapping[str, Any] | None:
    """Write an answer as plain JSON; None where a tier gave none."""
    if draft is None:
        return None
    calls = [{"name": call.name, "arguments": call.arguments} for call in draft.tool_calls]
    return {"text": draft.text, "calls": calls, "broken": draft.broken_tool_calls}


def restore(kept: Mapping[str, Any] | None) -> Draft | None:
    """Read what `keep` wrote."""
    if kept is None:
        return None
    calls = [ToolCall(call["name"], call["arguments"]) for call in kept["calls"]]
    return Draft(kept["text"], tool_calls=calls, broken_tool_calls=kept["broken"])
