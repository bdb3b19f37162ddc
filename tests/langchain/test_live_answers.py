"""Whole answers that are shown while they are written: where a graph streams what `invoke` says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage
from pydantic import Field

from cascade_core import collect_decisions
from cascade_core.errors import CascadeExhausted
from langchain_cascade import ChatCascade
from tests.core.loop.test_committing import policy_of, rule
from tests.langchain.fakes import FakeChat, ProviderError, Say
from tests.langchain.test_watching import ASKED, graph_of, shown

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

DRAFT = Say("It ships on Monday morning.")
COMMITS = {"policy": policy_of(rule(2)), "thresholds": 0.9}
LIVE = {"tokens": 2, "live": True}


class Waiting(FakeChat):
    """Writes its last words only when somebody has seen its first, or never will."""

    seen: Any = Field(default_factory=threading.Event)
    in_vain: list[bool] = Field(default_factory=list)

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        for place, chunk in enumerate(super()._stream(*args, **kwargs)):
            if place == 4 and not self.seen.wait(60):
                self.in_vain.append(True)
            yield chunk

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        place = 0
        async for chunk in super()._astream(*args, **kwargs):
            if place == 4 and not await asyncio.to_thread(self.seen.wait, 60):
                self.in_vain.append(True)
            yield chunk
            place += 1


def cascade(says: Any = DRAFT, **settings: Any) -> ChatCascade:
    tiers = [FakeChat(says), FakeChat("strong answer")]
    return ChatCascade(**{"tiers": tiers, **COMMITS, **settings})


def agent(llm: ChatCascade, mode: str) -> Any:
    del mode
    return create_agent(llm, [])


modes = pytest.mark.parametrize("mode", ["sync", "async"])
kinds = pytest.mark.parametrize("kind", [graph_of, agent])


def asked(kind: Any) -> Any:
    return ASKED if kind is agent else {"texts": []}


async def parts(graph: Any, mode: str, given: Any) -> Any:
    if mode == "sync":
        for message, _ in graph.stream(given, stream_mode="messages"):
            yield message
    else:
        async for message, _ in graph.astream(given, stream_mode="messages"):
            yield message


@kinds
@modes
async def test_the_first_words_are_out_before_the_draft_is_written(kind: Any, mode: str) -> None:
    cheap, came = Waiting(DRAFT), list[str]()
    llm = cascade(tiers=[cheap, FakeChat("strong answer")])
    with collect_decisions() as seen:
        async for message in parts(kind(llm, mode), mode, asked(kind)):
            if isinstance(message, AIMessage) and message.text:
                came.append(message.text)
                cheap.seen.set()
    assert "".join(came) == DRAFT.text
    assert not cheap.in_vain
    assert seen[0]["committed"] == LIVE


@modes
async def test_tokens_are_events_before_the_draft_is_written(mode: str) -> None:
    cheap = Waiting(DRAFT)
    llm = cascade(tiers=[cheap, FakeChat("strong answer")])
    async for event in graph_of(llm, mode).astream_events({"texts": []}, version="v2"):
        if event["event"] == "on_chat_model_stream":
            cheap.seen.set()
    assert cheap.seen.is_set()
    assert not cheap.in_vain


@modes
async def test_the_answer_is_a_message_like_any_other(mode: str) -> None:
    made = agent(cascade(), mode)
    with collect_decisions():
        if mode == "sync":
            *_, state = made.stream(ASKED, stream_mode=["messages", "values"])
        else:
            *_, state = [x async for x in made.astream(ASKED, stream_mode=["messages", "values"])]
    answer = state[1]["messages"][-1]
    alone = await cascade().ainvoke("hi")
    assert type(answer) is type(alone) is AIMessage
    assert (answer.text, answer.usage_metadata) == (alone.text, alone.usage_metadata)
    assert answer.response_metadata.keys() == alone.response_metadata.keys()
    assert answer.response_metadata["cascade"]["committed"] == LIVE


@kinds
@modes
async def test_an_unsure_draft_is_never_seen(kind: Any, mode: str) -> None:
    llm = cascade(Say(DRAFT.text, p=0.3))
    assert await shown(kind(llm, mode), mode, asked(kind)) == "strong answer"


async def asked_in(llm: Any, mode: str) -> dict[str, Any]:
    with collect_decisions() as seen:
        await shown(graph_of(llm, mode), mode)
    return seen[-1]


@modes
async def test_what_nobody_sees_yet_can_still_be_sent_on(mode: str) -> None:
    cut = Say(DRAFT.text, finish="length")
    whole: Any = await cascade(cut).ainvoke("hi") if mode == "async" else cascade(cut).invoke("hi")
    assert whole.response_metadata["cascade"]["tier"] == 1
    for hidden in (
        {"tags": ["nostream"]},
        {"disable_streaming": True},
        {"streaming_policy": "abort"},
    ):
        assert (await asked_in(cascade(cut, **hidden), mode))["tier"] == 1
    around = ChatCascade([cascade(cut), FakeChat("last")], signals=[lambda request, draft: 0.0])
    with collect_decisions() as seen:
        assert await shown(graph_of(around, mode), mode) == "last"
    assert [(record["tier"], record.get("committed")) for record in seen] == [(1, None)] * 2


@modes
async def test_what_fails_when_it_is_out_is_an_error_of_it_and_is_not_kept(mode: str) -> None:
    cache = InMemoryCache()
    cut = cascade(Say(DRAFT.text, finish="length"), cache=cache)
    record = await asked_in(cut, mode)
    assert record["committed"] == {**LIVE, "error": "gate_truncated"}
    assert not cache._cache
    good = cascade(cache=cache)
    assert (await asked_in(good, mode))["committed"] == LIVE
    assert (await asked_in(good, mode))["reason"] == "cached"


@modes
async def test_a_stream_that_breaks_when_it_is_out_raises(mode: str) -> None:
    broken = cascade(Say(DRAFT.text, error=ProviderError(), after=3))
    with pytest.raises(CascadeExhausted):
        await shown(graph_of(broken, mode), mode)
    assert len(broken.tiers[1].calls) == 0


async def test_typed_events_hold_the_answer_when_it_is_whole() -> None:
    with collect_decisions() as seen:
        run = await agent(cascade(), "async").astream_events(ASKED, version="v3")
        assert [await message.text async for message in run.messages] == [DRAFT.text]
    assert seen[0]["committed"] == {**LIVE, "live": False}
