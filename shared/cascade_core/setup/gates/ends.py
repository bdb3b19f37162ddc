"""Answers that stopped before they were whole."""

from __future__ import annotations

from cascade_core.draft import Draft
from cascade_core.request import Request


def not_truncated(request: Request, draft: Draft) -> bool:
    """Fail answers cut off by the token limit, or whose end is none of an answer."""
    del request
    return draft.finish not in _UNFINISHED


_UNFINISHED = ("length", "broken")
