"""Answers that must be readable: by the caller's parser, or as JSON of a schema."""

from __future__ import annotations

from cascade_core.draft import Draft
from cascade_core.request import Request
from cascade_core.setup.gates.schemas import fits, read_json


def parses(request: Request, draft: Draft) -> bool:
    """Fail answers that the caller's own parser could not read."""
    del request
    return draft.parse_error is None


def fits_schema(request: Request, draft: Draft) -> bool:
    """Fail text that is not JSON of the schema the caller asked for."""
    if request.output_schema is None:
        return True
    if draft.parsed is not None:
        return fits(draft.parsed, request.output_schema)
    if draft.tool_calls or draft.speechless:
        return True
    try:
        value = read_json(draft.text)
    except (ValueError, RecursionError):  # a model stuck on "[" nests deeper than any answer
        return False
    return fits(value, request.output_schema)
