"""How one row of bulk work is asked of a cascade, or of a chain around one.

The core looks this up where rows are answered on Ray; see `cascade_core.scale`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage, convert_to_messages
from langchain_core.runnables import Runnable

if TYPE_CHECKING:
    from cascade_core.scale.answering import AnswerRow
    from cascade_core.scale.rows import BulkRow


def answering(cascade: Any) -> AnswerRow | None:
    """Return what asks a runnable; None where it is none."""
    if not isinstance(cascade, Runnable):
        return None

    async def answer(row: BulkRow) -> str:
        given: Any = row.text
        if row.messages is not None:
            given = convert_to_messages([dict(message) for message in row.messages])
        said = await cascade.ainvoke(
            given, config={"metadata": dict(row.metadata), "tags": list(row.tags)}
        )
        if isinstance(said, BaseMessage):
            return str(said.text)
        return said if isinstance(said, str) else json.dumps(said, default=str)

    return answer
