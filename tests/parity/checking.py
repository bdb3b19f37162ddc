"""The rows of the table in which long answers, code and tools' arguments are checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from cascade_core import Policy, Runs
from cascade_core.request import Request
from cascade_core.signals import Claims, SelfConsistency
from tests.parity.scenarios import (
    ACCEPTED,
    DOWN,
    STRONG,
    Answer,
    Make,
    Model,
    Scenario,
    rejected,
    two,
)
from tests.policies import by

LONG_ANSWER = Answer("It ships on Monday. It comes by mail. Is that soon enough?", p=None)
CODE = Answer("Here:\n```python\nx = 1\n```", p=0.99)
BROKEN_CODE = Answer("Here:\n```python\nx = (\n```", p=0.99)
CUSTOMER = Answer("", p=None, calls=[("find_customer", {"name": "Ann Lee", "city": ""})])
ORDER = Answer("", p=None, calls=[("find_order", {"number": 7})])

JUDGED = ["0 draft accepted", "0 judge used"]
JUDGED_WRONG = ["0 draft rejected:low_confidence", "0 judge used", "1 draft returned"]


def claims(said: str | Answer, **settings: Any) -> Callable[[Make], list[Any]]:
    answer = said if isinstance(said, Answer) else Answer(said, p=None)
    return lambda make: [Claims(make(Model(answer)), **settings)]


def is_one(code: str, request: Request) -> bool:
    assert request.question
    return code == "x = 1"


async def is_one_later(code: str, request: Request) -> bool:
    await asyncio.sleep(0)
    return is_one(code, request)


async def is_two_later(code: str, request: Request) -> bool:
    return not await is_one_later(code, request)


def raises(code: str, request: Request) -> bool:
    raise RuntimeError(code, request)


def coded(name: str, check: Any, *, passes: bool) -> Scenario:
    trail, reason = (ACCEPTED, "confident") if passes else (rejected("gate_runs"), "gate_runs")
    gates = {"gates": [Runs(check, language="python")]}
    return Scenario(
        name, two(CODE), trail, reason, tier=1 - passes, accepted=passes, settings=gates
    )


def sampled(name: str, draft: Answer, sample: Answer, *, agrees: bool) -> Scenario:
    drafted = "accepted" if agrees else "rejected:low_confidence"
    last = [] if agrees else ["1 draft returned"]
    return Scenario(
        name,
        two(Model(draft, samples=[sample])),
        [f"0 draft {drafted}", "0 sample used", *last],
        "confident" if agrees else "low_confidence",
        tier=1 - agrees,
        accepted=agrees,
        kind="tools",
        signals=lambda _: [SelfConsistency(n=1)],
    )


def calling(tool: str, **arguments: Any) -> Answer:
    return Answer("", p=None, calls=[(tool, arguments)])


CHECKING = [
    Scenario(
        "every statement is right",
        two(LONG_ANSWER),
        JUDGED,
        "confident",
        accepted=True,
        signals=claims("1: A\n2: A\n3: C"),
    ),
    Scenario(
        "one statement is wrong",
        two(LONG_ANSWER),
        JUDGED_WRONG,
        "low_confidence",
        tier=1,
        signals=claims("1: A\n2: B\n3: C"),
    ),
    Scenario(
        "a policy says what a share of statements is worth",
        two(LONG_ANSWER),
        JUDGED,
        "confident",
        accepted=True,
        settings={"policy": Policy.load({"calibrators": [by("claims")], "thresholds": [0.2]})},
        signals=claims("1: A\n2: B\n3: C"),
    ),
    Scenario(
        "the judge of statements leaves one out twice",
        two(LONG_ANSWER),
        ["0 draft rejected:no_reading", "0 judge used", "0 judge used", "1 draft returned"],
        "no_reading",
        tier=1,
        signals=claims("1: A\n3: C"),
    ),
    Scenario(
        "the judge of statements is down",
        two(LONG_ANSWER),
        ["0 draft rejected:no_reading", "0 judge failed", "1 draft returned"],
        "no_reading",
        tier=1,
        signals=claims(DOWN),
    ),
    Scenario(
        "an answer without code has nothing to run",
        two(Answer()),
        ACCEPTED,
        "confident",
        accepted=True,
        settings={"gates": [Runs(raises)]},
    ),
    Scenario(
        "code that does not parse",
        two(BROKEN_CODE, STRONG),
        rejected("gate_runs"),
        "gate_runs",
        tier=1,
        settings={"gates": [Runs()]},
    ),
    coded("code that passes a check", is_one, passes=True),
    coded("code that passes a check that is awaited", is_one_later, passes=True),
    coded("code that fails a check that is awaited", is_two_later, passes=False),
    coded("code whose check raises", raises, passes=False),
    sampled(
        "a sample spells a number out as text", ORDER, calling("find_order", number="7"), agrees=True
    ),
    sampled(
        "a sample leaves a default out", CUSTOMER, calling("find_customer", name="Ann  Lee"),
        agrees=True,
    ),
    sampled(
        "a sample asks for another city", CUSTOMER,
        calling("find_customer", name="Ann Lee", city="Rome"), agrees=False,
    ),
    sampled("a sample calls another tool", ORDER, CUSTOMER, agrees=False),
]  # fmt: skip
