"""How many requests a second go through with a thousand in flight: real clients over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter
from typing import Any

from langchain_openai import ChatOpenAI
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from rows import Row, paired, row
from server import serving

from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM

GROUP = "1,000 requests in flight over HTTP"
IN_FLIGHT = 1000
SURE, UNSURE, STRONG = "cheap-0.99", "cheap-0.2", "strong-0.98"
ASKED = "Where is my order?"


def rows(rounds: int) -> Iterator[Row]:
    """Measure both adapters, accepting and escalating; a round takes one thousand requests a side."""
    with serving(tokens=10, pause=0.02) as server:
        client: dict[str, Any] = {
            "base_url": server.base_url,
            "api_key": "unused",
            "logprobs": True,
        }
        like = {
            "api_base": server.base_url,
            "api_key": "unused",
            "is_chat_model": True,
            "context_window": 8000,
            "additional_kwargs": {"logprobs": True},
            "max_retries": 0,
        }
        loop = asyncio.new_event_loop()
        for adapter, make, cascade, ask in (
            ("LangChain abatch", lambda m: ChatOpenAI(model=m, **client), ChatCascade, _abatch),
            ("LlamaIndex achat", lambda m: OpenAILike(model=m, **like), CascadeLLM, _achat),
        ):
            cheap, strong = make(SURE), make(STRONG)
            accepting = cascade(tiers=[make(SURE), make(STRONG)])
            escalating = cascade(tiers=[make(UNSURE), make(STRONG)])
            for case, ours, theirs, beside in (
                ("accept", accepting, [cheap], "the bare cheap model"),
                ("escalate", escalating, [make(UNSURE), strong], "both bare models in turn"),
            ):
                sides = paired(
                    _timed(loop, ask, [ours]), _timed(loop, ask, theirs), rounds, warm=False
                )
                yield row(
                    GROUP, f"{adapter}, {case}", beside, sides, unit="ms", scale=1000 / IN_FLIGHT
                )
        loop.close()


def _timed(
    loop: asyncio.AbstractEventLoop, ask: Callable[[Any], Awaitable[Any]], models: list[Any]
) -> Callable[[], float]:
    """Return what times a thousand requests to each model, in seconds."""

    async def run() -> float:
        began = perf_counter()
        for model in models:
            await ask(model)
        return perf_counter() - began

    return lambda: loop.run_until_complete(run())


async def _abatch(model: Any) -> None:
    await model.abatch([ASKED] * IN_FLIGHT)


async def _achat(model: Any) -> None:
    messages = [ChatMessage(role="user", content=ASKED)]
    await asyncio.gather(*(model.achat(messages) for _ in range(IN_FLIGHT)))
