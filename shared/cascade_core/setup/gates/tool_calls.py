"""Calls of tools: known ones, with arguments that fit."""

from __future__ import annotations

from collections.abc import Mapping

from cascade_core.draft import Draft
from cascade_core.request import Request, ToolCall, ToolSpec
from cascade_core.setup.gates.schemas import fits
from cascade_core.setup.gates.written_calls import is_written_call


def tool_calls_fit(request: Request, draft: Draft) -> bool:
    """Fail unknown tools, arguments that do not fit, and a tool that must or must not be called.

    A call that is written out in the text is none, and no answer either. A tool that a
    provider runs itself leaves a part of another kind in the answer.
    """
    if draft.broken_tool_calls:
        return False
    choice = request.tool_choice
    if request.tools:
        if choice == "none" and draft.tool_calls:
            return False
        tools = {tool.name: tool for tool in request.tools}
        strict = not any(tool.open for tool in request.tools)
        if not all(_call_fits(call, tools, strict=strict) for call in draft.tool_calls):
            return False
        of_json = request.output_schema is None
        if not draft.tool_calls and is_written_call(draft.text, tools, of_json=of_json):
            return False
    if not request.needs_tool or draft.other_parts:
        return True
    if choice == "required":
        return bool(draft.tool_calls)
    return any(call.name == choice for call in draft.tool_calls)


def _call_fits(call: ToolCall, tools: Mapping[str, ToolSpec], *, strict: bool) -> bool:
    if call.arguments is None:
        return False
    tool = tools.get(call.name)
    if tool is None:
        return not strict and bool(call.name)
    return tool.schema is None or fits(dict(call.arguments), tool.schema)
