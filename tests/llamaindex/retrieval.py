"""Six facts in a vector index, and what is asked about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse
from llama_index.core.embeddings.mock_embed_model import MockEmbedding
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.schema import NodeWithScore, TextNode

from tests.llamaindex.fakes import SURE, UNSURE, Say, Seen

QUESTION = "which fact?"
HARD = "fact 3"
"""Not among the two facts that a retriever of two returns."""
FACTS = [f"fact {number}" for number in range(6)]


def nodes(texts: list[str] | None = None) -> list[NodeWithScore]:
    return [
        NodeWithScore(node=TextNode(text=text, id_=text, metadata={"from": text}), score=0.5)
        for text in (FACTS if texts is None else texts)
    ]


def facts(texts: list[str] | None = None) -> VectorStoreIndex:
    plain = [TextNode(text=text, id_=text) for text in (FACTS if texts is None else texts)]
    return VectorStoreIndex(plain, embed_model=MockEmbedding(embed_dim=4))


def unsure_of_the_hard_one(seen: Seen) -> Say:
    return UNSURE if HARD in seen.prompt else SURE


async def text_of(response: Any) -> str:
    """The whole text of a response; a stream is read by its `response_gen`."""
    if isinstance(response, StreamingResponse):
        return "".join(response.response_gen)
    if isinstance(response, AsyncStreamingResponse):
        return "".join([text async for text in response.response_gen])
    return str(response)


class Names(BaseEventHandler):
    """Notes the names of events."""

    names: list[str]

    def handle(self, event: Any, **_: Any) -> None:
        self.names.append(event.class_name())


@contextmanager
def events() -> Iterator[list[str]]:
    """The names of all of LlamaIndex's events inside."""
    handler, root = Names(names=[]), get_dispatcher()
    root.add_event_handler(handler)
    try:
        yield handler.names
    finally:
        root.event_handlers.remove(handler)
