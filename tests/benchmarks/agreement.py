"""How long another model's opinion takes: asked after the draft, or together with it, over HTTP.

    python tests/benchmarks/agreement.py [--rounds 9] [--json]

All models write equally fast, so an answer that is compared after the draft takes twice as long as
the draft, and one that is asked for together with it as long as the draft.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from time import perf_counter

from langchain_openai import ChatOpenAI
from rows import Row, paired, print_rows, row
from server import serving

from cascade_core.signals import Agreement
from langchain_cascade import ChatCascade

GROUP = "asking another model, over HTTP, LangChain"
TOKENS, PAUSE = 60, 0.004
CHEAP, STRONG = "cheap-0.99", "strong-0.98"
AGREES = ("one-0.9", "two-0.9", "three-0.9")
EAGER_BAR, SEVERAL_BAR = 0.75, 1.3
"""Of what it takes one after the other; of what it takes with one other model."""


def rows(rounds: int) -> Iterator[Row]:
    """Measure whole and streamed answers, sync and async."""
    with serving(tokens=TOKENS, pause=PAUSE) as server:

        def model(name: str) -> ChatOpenAI:
            return ChatOpenAI(model=name, base_url=server.base_url, api_key="unused")

        def cascade(others: int, *, eager: bool) -> ChatCascade:
            partners = [model(name) for name in AGREES[:others]]
            signals = [Agreement(*partners, eager=eager)]
            return ChatCascade(tiers=[model(CHEAP), model(STRONG)], signals=signals)

        lazy, eager, three = (
            cascade(1, eager=False),
            cascade(1, eager=True),
            cascade(3, eager=False),
        )
        for name, ask in (("whole answer", whole), ("streamed", streamed), ("async", awaited)):
            sides = paired(ask(eager), ask(lazy), rounds)
            beside = "asked after the draft"
            yield row(GROUP, f"{name}, eager", beside, sides, unit="ms", scale=1000, bar=EAGER_BAR)
            sides = paired(ask(three), ask(lazy), rounds)
            beside = "one other model"
            yield row(
                GROUP,
                f"{name}, three models",
                beside,
                sides,
                unit="ms",
                scale=1000,
                bar=SEVERAL_BAR,
            )
        bare = model(CHEAP)
        sides = paired(whole(eager), whole(bare), rounds)
        yield row(
            GROUP, "whole answer, eager", "the bare cheap model", sides, unit="ms", scale=1000
        )


def whole(model: ChatCascade | ChatOpenAI) -> Callable[[], float]:
    """Return what times a whole answer, in seconds."""
    return timed(lambda: model.invoke("Where is my order?"))


def streamed(model: ChatCascade) -> Callable[[], float]:
    """Return what times a stream to its end, in seconds."""
    return timed(lambda: list(model.stream("Where is my order?")))


def awaited(model: ChatCascade) -> Callable[[], float]:
    """Return what times an awaited answer, in seconds."""
    return timed(lambda: asyncio.run(model.ainvoke("Where is my order?")))


def timed(ask: Callable[[], object]) -> Callable[[], float]:
    """Return what times a question."""

    def measured() -> float:
        began = perf_counter()
        ask()
        return perf_counter() - began

    return measured


if __name__ == "__main__":
    sys.exit(print_rows(__doc__, rows))
