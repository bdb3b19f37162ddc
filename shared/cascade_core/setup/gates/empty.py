"""Answers that hold nothing, or rest on nothing."""

from __future__ import annotations

from cascade_core.draft import Draft
from cascade_core.request import Request
from cascade_core.spoken import is_blank


def not_empty(request: Request, draft: Draft) -> bool:
    """Fail answers with neither text that can be seen, nor a tool call, nor anything else."""
    del request
    if draft.tool_calls or draft.broken_tool_calls or draft.other_parts:
        return True
    return not is_blank(draft.text)


def has_context(request: Request, draft: Draft) -> bool:
    """Fail answers of a tier that looked for evidence and found none."""
    del request
    return draft.contexts is None or len(draft.contexts) > 0
