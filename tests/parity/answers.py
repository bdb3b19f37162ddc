"""What a cascade answers in any way of asking, read to its end."""

from __future__ import annotations

from typing import Any


async def answer_of(cascade: Any, way: str, given: Any) -> Any:
    """Call a method by its name; of a stream return all that it yields."""
    answer = getattr(cascade, way)(given)
    if hasattr(answer, "__await__"):
        answer = await answer
    if "astream" in way:
        return [part async for part in answer]
    return list(answer) if "stream" in way else answer
