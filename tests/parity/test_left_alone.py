"""A tier that keeps failing is left alone, in both frameworks and however it is asked."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from llama_index.core.llms import ChatMessage

from cascade_core import Breaker, CascadeExhausted, collect_decisions
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.langchain import fakes as chat
from tests.llamaindex import fakes as llm
from tests.parity.answers import answer_of

WAYS = [
    *(("langchain", way) for way in ("invoke", "ainvoke", "stream", "astream")),
    *(("llamaindex", way) for way in ("chat", "achat", "stream_chat", "astream_chat")),
]
EVERY_WAY = pytest.mark.parametrize(("framework", "way"), WAYS)
pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.CascadeWarning")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that tests set; event loops keep their own."""
    real, shift = time.monotonic, SimpleNamespace(by=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: real() + shift.by)
    return shift


def made(framework: str, *said: Any, **settings: Any) -> Any:
    """Return a cascade of tiers that say each of these over and over."""
    fakes: Any = chat if framework == "langchain" else llm
    tiers = []
    for place, each in enumerate(said):
        if framework == "langchain":
            tiers.append(fakes.FakeChat(each(fakes), model_name=f"m{place}"))
        else:
            tiers.append(fakes.FakeLLM(each(fakes), f"m{place}"))
    return (ChatCascade if framework == "langchain" else CascadeLLM)(tiers, **settings)


def down(status: int = 503) -> Callable[[Any], Any]:
    return lambda fakes: fakes.Say(error=fakes.ProviderError(status_code=status))


def sure(fakes: Any) -> Any:
    return fakes.SURE


def unsure(fakes: Any) -> Any:
    return fakes.Say("Perhaps", p=0.2)


def asking(cascade: Any, framework: str, way: str) -> Callable[[], Awaitable[None]]:
    given: Any = "hi" if framework == "langchain" else [ChatMessage(content="hi")]

    async def ask() -> None:
        await answer_of(cascade, way, given)

    return ask


@EVERY_WAY
async def test_after_three_failures_requests_pass_it_by_and_a_probe_brings_it_back(
    framework: str, way: str, clock: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cascade_core")
    cascade = made(framework, down(), sure)
    ask = asking(cascade, framework, way)
    with collect_decisions() as seen:
        for _ in range(5):
            await ask()
        assert [record["reason"] for record in seen] == ["failed"] * 3 + ["open"] * 2
        assert [[call["tier"] for call in each["calls"]] for each in seen[2:4]] == [[0, 1], [1]]
        assert seen[-1]["failing"] == [
            {
                "tier": 0,
                "model": "m0",
                "failures": 3,
                "error": "ProviderError (HTTP 503)",
                "open": True,
            }
        ]
        clock.by += 10.5
        await ask()  # the probe fails
        await ask()
        assert [record["reason"] for record in seen[5:]] == ["failed", "open"]
    said = [record.getMessage() for record in caplog.records]
    assert [text.partition(": ")[2] for text in said] == [
        "tier 0 (m0) keeps failing, left alone for 10 s"
    ]


@EVERY_WAY
async def test_a_last_tier_that_is_left_alone_fails_at_once_and_says_until_when(
    framework: str, way: str
) -> None:
    ask = asking(made(framework, unsure, down()), framework, way)
    for _ in range(3):
        with pytest.raises(CascadeExhausted):
            await ask()
    with collect_decisions() as seen, pytest.raises(CascadeExhausted) as raised:
        await ask()
    assert "tier 1 (m1) keeps failing and is left alone until " in str(raised.value)
    assert [call["tier"] for call in seen[0]["calls"]] == [0]
    assert seen[0]["failing"][0]["open"] is True


@EVERY_WAY
async def test_where_it_is_the_last_the_best_draft_may_be_returned(
    framework: str, way: str
) -> None:
    ask = asking(made(framework, unsure, down(), on_exhausted="best_draft"), framework, way)
    with collect_decisions() as seen:
        for _ in range(4):
            await ask()
    assert [record["reason"] for record in seen] == ["best_draft"] * 4
    assert [len(record["calls"]) for record in seen] == [2, 2, 2, 1]


@EVERY_WAY
async def test_where_all_are_left_alone_every_one_is_named(framework: str, way: str) -> None:
    ask = asking(made(framework, down(401), down(401)), framework, way)
    with pytest.raises(CascadeExhausted):
        await ask()
    with pytest.raises(CascadeExhausted) as raised:
        await ask()
    for label in ("tier 0 (m0)", "tier 1 (m1)"):
        assert f"{label} keeps failing and is left alone until " in str(raised.value)
    assert raised.value.trail == ()


async def test_what_a_cache_answers_does_not_keep_a_tier_in_service() -> None:
    down: list[bool] = []

    def say(messages: list[Any], _: dict[str, Any]) -> chat.Say:
        broken = chat.Say(error=chat.ProviderError(status_code=503))
        return broken if down else chat.SURE

    cheap = chat.FakeChat(say, model_name="m0", cache=InMemoryCache())
    cascade = ChatCascade([cheap, chat.FakeChat(chat.SURE, model_name="m1")])
    with collect_decisions() as seen:
        cascade.invoke("known")
        down.append(True)
        for number in range(4):
            cascade.invoke(f"new {number}")
            cascade.invoke("known")
    assert [record["reason"] for record in seen[1::2]] == ["failed"] * 3 + ["open"]
    assert [record["reason"] for record in seen[2::2]] == ["confident"] * 2 + ["open"] * 2
    assert seen[-1]["failing"][0]["failures"] == 3


@EVERY_WAY
async def test_failures_of_the_requests_own_leave_it_in_service(framework: str, way: str) -> None:
    ask = asking(made(framework, down(400), sure), framework, way)
    with collect_decisions() as seen:
        for _ in range(6):
            await ask()
    assert [record["reason"] for record in seen] == ["failed"] * 6


@pytest.mark.parametrize(("setting", "asked"), [(False, 6), (Breaker(failures=5), 5), (True, 3)])
@pytest.mark.parametrize("framework", ["langchain", "llamaindex"])
async def test_how_many_failures_it_takes_is_set(framework: str, setting: Any, asked: int) -> None:
    way = "invoke" if framework == "langchain" else "chat"
    ask = asking(made(framework, down(), sure, breaker=setting), framework, way)
    with collect_decisions() as seen:
        for _ in range(6):
            await ask()
    assert [record["reason"] for record in seen].count("failed") == asked


async def test_other_forms_of_a_cascade_share_what_is_known() -> None:
    cascade = made("langchain", down(), sure)
    forms = [
        cascade,
        cascade.bind(stop=["x"]),
        cascade.with_config(tags=["a"]),
        cascade.bind_tools([]),
    ]
    with collect_decisions() as seen:
        for form in forms:
            form.invoke("hi")
    assert [record["reason"] for record in seen] == ["failed"] * 3 + ["open"]


@pytest.mark.parametrize("framework", ["langchain", "llamaindex"])
async def test_a_cascade_inside_counts_as_its_last_tier(framework: str) -> None:
    inner = made(framework, unsure, down())
    fakes: Any = chat if framework == "langchain" else llm
    strong = fakes.FakeChat(fakes.SURE) if framework == "langchain" else fakes.FakeLLM(fakes.SURE)
    outer = (ChatCascade if framework == "langchain" else CascadeLLM)([inner, strong])
    ask = asking(outer, framework, "invoke" if framework == "langchain" else "chat")
    with collect_decisions() as seen:
        for _ in range(5):
            await ask()
    outers = [record for record in seen if record["tier"] == 1]
    assert [record["reason"] for record in outers] == ["failed"] * 3 + ["open"] * 2
    # What the inner one paid for a draft stays in the trail of the outer.
    assert [call["outcome"] for call in outers[0]["calls"]] == ["rejected", "failed", "returned"]


@pytest.mark.parametrize(
    ("framework", "way"), [("langchain", "stream"), ("llamaindex", "stream_chat")]
)
def test_streams_that_break_in_the_middle_count_and_a_probe_that_is_left_is_free_again(
    framework: str, way: str, clock: SimpleNamespace
) -> None:
    fakes: Any = chat if framework == "langchain" else llm
    breaks = fakes.Say("One two three", error=fakes.ProviderError(status_code=503), after=1)
    cascade = made(framework, unsure, lambda _: breaks)
    given: Any = "hi" if framework == "langchain" else [ChatMessage(content="hi")]
    for _ in range(3):
        with pytest.raises(Exception, match="tier 1"):
            list(getattr(cascade, way)(given))
    with pytest.raises(CascadeExhausted, match="left alone"):
        list(getattr(cascade, way)(given))
    clock.by += 10.5
    for _ in range(2):  # the second would be turned away had the first not freed the probe
        left = getattr(cascade, way)(given)
        next(iter(left))
        left.close()
