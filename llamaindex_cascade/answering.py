"""How one row of bulk work is asked of a cascade, or of a query engine around one.

The core looks this up where rows are answered on Ray; see `cascade_core.scale`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatMessage
from llama_index_instrumentation.dispatcher import instrument_tags

from cascade_core.scale.rows import RowError

if TYPE_CHECKING:
    from cascade_core.scale.answering import AnswerRow
    from cascade_core.scale.rows import BulkRow


def answering(cascade: Any) -> AnswerRow | None:
    """Return what asks an LLM or a query engine; None where it is neither."""
    asked: Callable[[Any, BulkRow], Awaitable[str]]
    if isinstance(cascade, BaseLLM):
        asked = _llm
    elif isinstance(cascade, BaseQueryEngine):
        asked = _engine
    else:
        return None

    async def answer(row: BulkRow) -> str:
        known = {**row.metadata, "tags": list(row.tags)} if row.tags else dict(row.metadata)
        with instrument_tags(known):
            return await asked(cascade, row)

    return answer


async def _llm(llm: BaseLLM, row: BulkRow) -> str:
    if row.messages is None:
        return str((await llm.acomplete(row.text or "")).text)
    said = [
        ChatMessage(role=str(m.get("role", "user")), content=m.get("content") or "")
        for m in row.messages
    ]
    return (await llm.achat(said)).message.content or ""


async def _engine(engine: BaseQueryEngine, row: BulkRow) -> str:
    if row.text is None:
        raise RowError("a query engine takes a text, and the row holds messages")
    return str(await engine.aquery(row.text))
