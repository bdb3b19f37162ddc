"""When a reader sees the first token, and what cutting off drafts saves: real clients over HTTP.

Drafts are held until they are accepted, so an accepted one begins when it ends. One that can no
longer pass is cut off, connection and all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from langchain_openai import ChatOpenAI
from rows import Row, paired, row
from server import Running, serving

from cascade_core.signals import SequenceLogprob
from langchain_cascade import ChatCascade

GROUP = "streaming over HTTP, LangChain"
TOKENS = 60
PAUSE = 0.004
"""Seconds between tokens."""
SURE, UNSURE, STRONG = "cheap-0.99", "cheap-0.2", "strong-0.98"


def rows(rounds: int) -> Iterator[Row]:
    """Measure accepted and escalated streams, with and without cutting drafts off."""
    with serving(tokens=TOKENS, pause=PAUSE) as server:

        def model(name: str) -> ChatOpenAI:
            return ChatOpenAI(model=name, base_url=server.base_url, api_key="unused")

        def cascade(cheap: str, policy: str) -> ChatCascade:
            return ChatCascade(
                tiers=[model(cheap), model(STRONG)],
                signals=[SequenceLogprob("min")],
                thresholds=0.5,
                streaming_policy=policy,
            )

        cases: list[tuple[str, Any, str, Any]] = [
            ("first token, accepted", cascade(SURE, "abort"), "the bare cheap model", model(SURE)),
            ("first token, escalated", cascade(UNSURE, "abort"), "the bare strong model", model(STRONG)),
            (
                "first token, escalated",
                cascade(UNSURE, "abort"),
                "the same without cutting off",
                cascade(UNSURE, "buffer"),
            ),
        ]  # fmt: skip
        for name, ours, beside, theirs in cases:
            sides = paired(first_token(ours), first_token(theirs), rounds)
            yield row(GROUP, name, beside, sides, unit="ms", scale=1000)
        for name, ours, beside, theirs in (
            ("whole answer, accepted", cases[0][1], "the bare cheap model", cases[0][3]),
            ("whole answer, escalated", cases[1][1], "the bare strong model", cases[1][3]),
        ):
            sides = paired(whole(ours), whole(theirs), rounds)
            yield row(GROUP, name, beside, sides, unit="ms", scale=1000)
        sides = paired(
            written(cases[2][1], server), written(cases[2][3], server), min(rounds, 5), warm=False
        )
        yield row(GROUP, "tokens of a rejected draft", cases[2][2], sides, unit="tokens")


def first_token(model: Any) -> Callable[[], float]:
    """Return what times a stream up to its first text, in seconds; the rest is read too."""

    def timed() -> float:
        began, first = perf_counter(), 0.0
        for chunk in model.stream("Where is my order?"):
            if chunk.content and not first:
                first = perf_counter() - began
        return first

    return timed


def whole(model: Any) -> Callable[[], float]:
    """Return what times a stream to its end, in seconds."""

    def timed() -> float:
        began = perf_counter()
        for _ in model.stream("Where is my order?"):
            pass
        return perf_counter() - began

    return timed


def written(model: Any, server: Running) -> Callable[[], float]:
    """Return what counts the tokens that the provider wrote of one draft."""

    def counted() -> float:
        before = server.written(UNSURE)
        for _ in model.stream("Where is my order?"):
            pass
        return server.written(UNSURE) - before

    return counted
