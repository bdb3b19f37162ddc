"""A draft that is overtaken is ended on the wire, is never shown, and leaves no loose ends.

The draft's server stops in the middle of its answer and notices whether its client goes away. The
last tier is a model in this process that answers once the draft has been asked for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integrations.classes import CLASSES, Class
from tests.integrations.conftest import surely
from tests.integrations.wire import Ending, Pause, Wire

pytestmark = pytest.mark.filterwarnings("ignore")

every = pytest.mark.parametrize("cls", [pytest.param(c, id=c.id) for c in CLASSES if c.installed])

BLOCKING = {("ChatBedrockConverse", "a"), ("BedrockConverse", "a")}
"""Whose awaited calls cannot be ended."""


@pytest.fixture
def pause(wire: Wire) -> Iterator[Pause]:
    wire.pause = Pause()
    yield wire.pause
    wire.pause.go.set()
    wire.pause = None


def langchain(model: Any, pause: Pause, **settings: Any) -> Any:
    from langchain_core.language_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage

    from langchain_cascade import ChatCascade

    class Strong(GenericFakeChatModel):
        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            pause.asked.wait(30)
            return super()._generate(*args, **kwargs)

    strong = Strong(messages=iter([AIMessage("strong answer")] * 9))
    return _learned(ChatCascade(tiers=[model, strong], signals=[surely], hedge=1, **settings))


def llamaindex(llm: Any, pause: Pause, **settings: Any) -> Any:
    from llama_index.core.llms.mock import MockLLM

    from llamaindex_cascade import CascadeLLM

    class Strong(MockLLM):
        def chat(self, *args: Any, **kwargs: Any) -> Any:
            pause.asked.wait(30)
            return self._said()

        def stream_chat(self, *args: Any, **kwargs: Any) -> Any:
            pause.asked.wait(30)
            yield self._said()

        async def achat(self, *args: Any, **kwargs: Any) -> Any:
            return await asyncio.to_thread(self.chat)

        async def astream_chat(self, *args: Any, **kwargs: Any) -> Any:
            async def pieces() -> Any:
                yield await asyncio.to_thread(self.chat)

            return pieces()

        def _said(self) -> Any:
            from llama_index.core.llms import ChatMessage, ChatResponse

            said = ChatMessage(role="assistant", content="strong answer")
            return ChatResponse(message=said, delta="strong answer")

    return _learned(CascadeLLM(tiers=[llm, Strong()], signals=[surely], hedge=1, **settings))


def _learned(cascade: Any) -> Any:
    cascade._engine.warm_up()
    for _ in range(30):
        cascade._engine.latencies.of[0].took(0.1)
    return cascade


async def asked(cls: Class, cascade: Any, how: str) -> tuple[str, dict[str, Any]]:
    """Return what was shown, and the record."""
    from cascade_core import collect_decisions

    with collect_decisions() as seen:
        if cls.framework == "langchain":
            if how == "whole":
                shown = (await asyncio.to_thread(cascade.invoke, "When?")).text
            elif how == "awhole":
                shown = (await cascade.ainvoke("When?")).text
            elif how == "stream":
                parts = await asyncio.to_thread(lambda: list(cascade.stream("When?")))
                shown = "".join(part.text for part in parts)
            else:
                shown = "".join([part.text async for part in cascade.astream("When?")])
        else:
            from llama_index.core.llms import ChatMessage

            question = [ChatMessage("When?")]
            if how == "whole":
                shown = (await asyncio.to_thread(cascade.chat, question)).message.content
            elif how == "awhole":
                shown = (await cascade.achat(question)).message.content
            elif how == "stream":
                parts = await asyncio.to_thread(lambda: list(cascade.stream_chat(question)))
                shown = "".join(part.delta or "" for part in parts)
            else:
                parts = [part async for part in await cascade.astream_chat(question)]
                shown = "".join(part.delta or "" for part in parts)
    (record,) = seen
    return shown, record


async def set_soon(event: threading.Event) -> bool:
    return await asyncio.to_thread(event.wait, 25)  # a busy machine takes its time


@every
@pytest.mark.parametrize("how", ["awhole", "astream", "whole", "stream"])
async def test_an_overtaken_draft_is_ended_on_the_wire(
    cls: Class, how: str, wire: Wire, pause: Pause
) -> None:
    if (cls.name, how[0]) in BLOCKING:
        pytest.skip("its awaited calls are blocking ones in threads")
    if reason := cls.hides.get(f" {how}"):
        pytest.skip(reason)
    wire.ending = Ending(cls.words.good)
    make = langchain if cls.framework == "langchain" else llamaindex
    shown, record = await asked(cls, make(cls.made(wire.url), pause), how)
    assert shown == "strong answer"
    assert (record["tier"], record["reason"]) == (1, "overtaken")
    assert [call["outcome"] for call in record["calls"]] == ["aborted", "returned"]
    if how in ("awhole", "astream"):
        assert await set_soon(pause.gone)
    else:  # a blocking call cannot be ended: it goes on, and nobody sees what it brings
        pause.go.set()
        assert await set_soon(pause.over)
