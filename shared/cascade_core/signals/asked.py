"""Asks for log-probabilities, and once more without them where they may be why that failed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from cascade_core.blame import refuses_logprobs
from cascade_core.effects import Ask, Drafts, Failed, Steps
from cascade_core.request import Request
from cascade_core.tier import LogprobMemory

T = TypeVar("T")

TOP_LOGPROBS = 5  # some APIs give no more


def ask_with_logprobs(
    memory: LogprobMemory,
    ask: Callable[..., Steps[T]],
    failed: Callable[[Failed], None] | None = None,
) -> Steps[T]:
    """Ask a model for an answer with log-probabilities.

    Args:
        memory: What is known of the model's; it learns from what happens.
        ask: Asks, with the keyword `logprobs` set or not.
        failed: Told of a failure after which the model is asked again.
    """
    got = yield from ask(logprobs=True)
    if not isinstance(got, Failed):
        memory.gave_answer()
        return got
    if not refuses_logprobs(got.error):
        return got
    if failed is not None:
        failed(got)
    again = yield from ask(logprobs=False)
    memory.failed_with(got.error, answers_without=not isinstance(again, Failed))
    return again


def ask_judge(memory: LogprobMemory, model: Any, asked: Request) -> Steps[Drafts | Failed]:
    """Ask a judge, with the log-probabilities of its likeliest words unless it refuses them.

    Args:
        memory: What is known of the judge's; it learns from what happens.
        model: The judge.
        asked: What it is asked.
    """
    ask = partial(_judged, model, asked)
    if memory.asked or memory.retry():
        return (yield from ask_with_logprobs(memory, ask))
    return (yield from ask(logprobs=False))


def _judged(model: Any, asked: Request, *, logprobs: bool) -> Steps[Drafts | Failed]:
    top = TOP_LOGPROBS if logprobs else 0
    reply: Drafts | Failed = yield Ask(
        model, asked, purpose="judge", logprobs=logprobs, top_logprobs=top
    )
    return reply
