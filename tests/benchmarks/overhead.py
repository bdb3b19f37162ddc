"""What a cascade adds to a call, beside LangChain's own fallbacks on the same fake models.

Time is CPU time of this process: nothing here waits for anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from time import process_time
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from rows import Row, paired, row

from cascade_core import Budget
from langchain_cascade import ChatCascade

GROUP = "LangChain, a call"
BAR = 1.15
BUDGET_BAR = 1.25
TOKENS = 20
CALLS = 60
KINDS = {"one function as signal": False, "logprobs and prices": True}
"""Whether answers carry what there is to read and to count, by how a case is called."""


class Fake(BaseChatModel):
    """Answers at once, with the details a real integration sends."""

    model: str
    logprob: float = -0.01
    fails: bool = False
    detailed: bool = True
    logprobs: bool | None = None

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any
    ) -> ChatResult:
        if self.fails:
            raise TimeoutError
        return ChatResult(generations=[ChatGeneration(message=self._message())])

    async def _agenerate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any
    ) -> ChatResult:
        return self._generate(messages)

    def _message(self) -> AIMessage:
        if not self.detailed:
            return AIMessage("Your order ships on Monday.")
        entries = [
            {"token": "word", "logprob": self.logprob, "bytes": [119], "top_logprobs": []}
            for _ in range(TOKENS)
        ]
        return AIMessage(
            "word" * TOKENS,
            response_metadata={
                "model_name": self.model,
                "finish_reason": "stop",
                "logprobs": {"content": entries, "refusal": None},
            },
            usage_metadata={"input_tokens": 120, "output_tokens": TOKENS, "total_tokens": 140},
        )


def pairs(*, full: bool) -> dict[str, tuple[Any, Any, str]]:
    """Return what is compared: a cascade, LangChain's fallbacks, and what these are, by case."""
    more: dict[str, Any] = {"detailed": full}
    # Only a priced model has costs to work out, and only a known one tokens to count.
    names = ("gpt-4o-mini", "gpt-4o") if full else ("small", "large")

    def cascade(logprob: float, reading: float) -> ChatCascade:
        tiers = [
            Fake(model=names[0], logprob=logprob, **more),
            Fake(model=names[1], **more),
        ]
        signals = None if full else [lambda _request, _draft: reading]
        return ChatCascade(tiers=tiers, signals=signals)

    def fallbacks(*, fails: bool) -> Any:
        cheap = Fake(model=names[0], fails=fails, **more)
        return cheap.with_fallbacks([Fake(model=names[1], **more)])

    return {
        "accept": (cascade(-0.01, 1.0), fallbacks(fails=False), "with_fallbacks, first answers"),
        "escalate": (cascade(-3.0, 0.0), fallbacks(fails=True), "with_fallbacks, first fails"),
    }


def sync_calls(*asks: Callable[[], object]) -> Callable[[], float]:
    """Return a function that times some calls of each, in seconds."""

    def timed() -> float:
        started = process_time()
        for _ in range(CALLS):
            for ask in asks:
                ask()
        return process_time() - started

    return timed


def async_calls(
    loop: asyncio.AbstractEventLoop, *asks: Callable[[], Awaitable[object]]
) -> Callable[[], float]:
    """Return a function that times some awaited calls of each, in seconds."""

    async def calls() -> float:
        started = process_time()
        for _ in range(CALLS):
            for ask in asks:
                await ask()
        return process_time() - started

    return lambda: loop.run_until_complete(calls())


@dataclass(frozen=True)
class Case:
    """A cascade, what it is held against, and how each is asked.

    Attributes:
        name: What happens to a request.
        beside: What it is held against, in words.
        ours: The cascade.
        theirs: The models that are asked in its place, one after the other.
        ask: Returns what asks one of them once.
        aask: The same, awaited.
        bar: What the ratio should not exceed.
    """

    name: str
    beside: str
    ours: Any
    theirs: list[Any]
    ask: Callable[[Any], Callable[[], object]]
    aask: Callable[[Any], Callable[[], Awaitable[object]]]
    bar: float


def measured(group: str, cases: Iterable[Case], rounds: int) -> Iterator[Row]:
    """Measure every case, called and awaited."""
    loop = asyncio.new_event_loop()
    try:
        for case in cases:
            sync = paired(
                sync_calls(case.ask(case.ours)), sync_calls(*map(case.ask, case.theirs)), rounds
            )
            awaited = paired(
                async_calls(loop, case.aask(case.ours)),
                async_calls(loop, *map(case.aask, case.theirs)),
                rounds,
            )
            for name, sides in ((case.name, sync), (f"{case.name}, async", awaited)):
                yield row(
                    group, name, case.beside, sides, unit="µs", scale=1e6 / CALLS, bar=case.bar
                )
    finally:
        loop.close()


def rows(rounds: int) -> Iterator[Row]:
    """Measure every case."""
    cases = (
        Case(
            f"{case}, {kind}",
            beside,
            ours,
            [theirs],
            lambda model: partial(model.invoke, "Where is my order?"),
            lambda model: partial(model.ainvoke, "Where is my order?"),
            BAR,
        )
        for kind, full in KINDS.items()
        for case, (ours, theirs, beside) in pairs(full=full).items()
    )
    return measured(GROUP, (*cases, *budgeted()), rounds)


def budgeted() -> Iterator[Case]:
    """Yield a cascade with a budget, held against the same one without."""

    class Limited(Fake):
        max_tokens: int = 100

    def cascade(**settings: Any) -> ChatCascade:
        tiers = [Limited(model="gpt-4o-mini"), Limited(model="gpt-4o")]
        return ChatCascade(tiers=tiers, **settings)

    yield Case(
        "accept, with a budget",
        "the same cascade without one",
        cascade(budget=Budget(usd=1e6)),
        [cascade()],
        lambda model: partial(model.invoke, "Where is my order?"),
        lambda model: partial(model.ainvoke, "Where is my order?"),
        BUDGET_BAR,
    )
