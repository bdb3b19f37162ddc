"""Calls of tools: known ones, with arguments that fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade_core.draft import Draft
from cascade_core.request import Request, ToolCall
from cascade_core.setup.gates.schemas import fits


def tool_calls_fit(request: Request, draft: Draft) -> bool:
    """Fail unknown tools, arguments that do not fit, and a required tool not called."""
    if draft.broken_tool_calls:
        return False
    if request.tools:
        schemas = {tool.name: tool.schema for tool in request.tools}
        if not all(_call_fits(call, schemas) for call in draft.tool_calls):
            return False
    if not request.needs_tool:
        return True
    if request.tool_choice == "required":
        return bool(draft.tool_calls)
    return any(call.name == request.tool_choice for call in draft.tool_calls)


def _call_fits(call: ToolCall, schemas: Mapping[str, Mapping[str, Any] | None]) -> bool:
    if call.name not in schemas or call.arguments is None:
        return False
    schema = schemas[call.name]
    return schema is None or fits(dict(call.arguments), schema)
