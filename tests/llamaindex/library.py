"""Three notes in a real index, and LlamaIndex's ways to ask an engine about them."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core import (
    MockEmbedding,
    Settings,
    VectorStoreIndex,
    get_response_synthesizer,
)
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import TextNode

NOTES = ("Oslo has fjords.", "Bergen has rain.", "Narvik has snow.")
QUESTION = "What is the weather like up north?"

all_ways = pytest.mark.parametrize("how", ["sync", "async", "stream", "astream"])


def index_of(*texts: str, manager: CallbackManager | None = None) -> VectorStoreIndex:
    """An index that always finds the first three texts.

    Args:
        texts: What it holds; default `NOTES`.
        manager: Becomes that of LlamaIndex's settings, from where engines set it
            on the model they are given; the test has to ask for the fixture `settings`.
    """
    if manager is not None:
        Settings.callback_manager = manager
    return VectorStoreIndex(
        [TextNode(id_=f"note {place}", text=text) for place, text in enumerate(texts or NOTES)],
        embed_model=MockEmbedding(embed_dim=4),
    )


def query_engine(index: VectorStoreIndex, llm: Any, mode: str, how: str, **kwargs: Any) -> Any:
    """A query engine, streaming where `how` is a stream."""
    if mode in ("no_text", "context_only"):  # never asked, but the settings must have one
        Settings.llm = llm
    streaming = how in ("stream", "astream")
    given = {"response_mode": mode, "streaming": streaming, **kwargs}
    if "structured_answer_filtering" in kwargs:  # engines do not hand this on
        given = {"response_synthesizer": get_response_synthesizer(llm, **given)}
    return index.as_query_engine(llm=llm, similarity_top_k=3, **given)


async def query(engine: Any, how: str, question: str = QUESTION) -> tuple[str, Any]:
    """Ask a query engine; return all that was shown, and the response."""
    response = (
        engine.query(question) if how in ("sync", "stream") else await engine.aquery(question)
    )
    if how == "stream" and hasattr(response, "response_gen"):
        return "".join(response.response_gen), response
    if how == "astream" and hasattr(response, "async_response_gen"):
        return "".join([token async for token in response.async_response_gen()]), response
    return str(response), response


async def chat(engine: Any, how: str, message: str) -> tuple[str, Any]:
    """Say something to a chat engine; return all that was shown, and the response."""
    if how == "sync":
        response = engine.chat(message)
    elif how == "async":
        response = await engine.achat(message)
    elif how == "stream":
        response = engine.stream_chat(message)
        return "".join(response.response_gen), response
    else:
        response = await engine.astream_chat(message)
        return "".join([token async for token in response.async_response_gen()]), response
    return str(response), response
