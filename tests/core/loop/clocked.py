"""Requests against a clock that only they move: tiers take the time they are given."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

from cascade_core.draft import Draft
from cascade_core.effects import (
    Ask,
    Begin,
    Drafts,
    Drop,
    Failed,
    Grant,
    Now,
    Race,
    Reserve,
    StillRunning,
)
from cascade_core.errors import CutShortError
from cascade_core.guards.latency import Latencies
from cascade_core.logprobs import Logprobs
from cascade_core.loop.flow import cascade
from cascade_core.loop.guarded import guarded
from cascade_core.loop.pace import Pace
from cascade_core.loop.raced import raced
from cascade_core.loop.trail import Trail
from cascade_core.request import Request
from cascade_core.setup.plan import Plan
from cascade_core.usage import Usage
from cascade_core.verdict import Verdict


@dataclass
class Clocked:
    """A cascade whose calls take simulated time.

    Attributes:
        plan: Its plan.
        deadline: Seconds; None sets none.
        hedge: Share of requests that may ask the last tier early in vain.
        takes: Returns how long a tier's answer to request `i` takes, in seconds.
        sure: Returns how sure a tier is of its answer to request `i`.
    """

    plan: Plan
    takes: Callable[[int, int], float]
    sure: Callable[[int, int], float]
    deadline: float | None = None
    hedge: float = 0.0
    now: float = 1000.0
    latencies: Latencies = field(init=False)
    abandoned: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.latencies = Latencies(len(self.plan.tiers))

    def ask(self, i: int) -> tuple[Verdict, float]:
        """Answer request `i`; return what came out, and the seconds it took."""
        request, trail, began = Request.of(f"request {i}"), Trail(self.plan.prices), self.now
        abandon = lambda grant, calls: self.abandoned.append((grant, list(calls)))  # noqa: E731
        flow = guarded(cascade(self.plan, request, trail), trail, abandon)
        pace = Pace(
            self.plan,
            request,
            trail,
            self.latencies,
            began=began,
            deadline=self.deadline,
            hedge=self.hedge,
            abandon=abandon,
        )
        steps = raced(flow, pace)
        self._runs: Any = None  # the call, when it is there, and what it brings
        self._ahead: Any = None
        reply: Any = None
        while True:
            try:
                effect = steps.send(reply)
            except StopIteration as stop:
                return stop.value, self.now - began
            reply = self._reply(effect, i)

    def _reply(self, effect: Any, i: int) -> Any:
        if isinstance(effect, Now):
            return self.now
        if isinstance(effect, Reserve):
            return Grant(effect.call)
        if isinstance(effect, Drop):
            ahead, self._ahead = self._ahead, None
            return ahead[2] if ahead[1] <= self.now else None
        if isinstance(effect, Begin):
            self._ahead = self._start(effect.call, i)
        if not isinstance(effect, Race):
            return None
        if effect.call is not None:
            if self._ahead is not None and self._ahead[0] is effect.call:
                self._runs, self._ahead = self._ahead, None
            else:
                self._runs = self._start(effect.call, i)
        return self._wait(effect)

    def _wait(self, effect: Race) -> Any:
        _, there, brings = self._runs
        ahead = self._ahead
        rival = ahead[1] if ahead is not None and effect.rival is ahead[0] else float("inf")
        ends = float("inf") if effect.until is None else max(effect.until, self.now)
        if there <= min(rival, ends):
            self.now = max(self.now, there)
            return brings
        self.now = max(self.now, min(rival, ends))
        if rival > ends and not effect.cuts:
            return StillRunning()
        reason = "overtaken" if rival <= ends else "deadline"
        began = there - brings.drafts[0].seconds
        return Failed(CutShortError(reason), self.now - began, began=began)

    def _start(self, call: Any, i: int) -> tuple[Any, float, Any]:
        assert isinstance(call, Ask)
        k = call.target.index
        seconds, p = self.takes(k, i), self.sure(k, i)
        draft = Draft(
            f"answer {i} of m{k}",
            usage=Usage(100, 20),
            model=f"m{k}",
            logprobs=Logprobs([log(p)] * 3),
            seconds=seconds,
        )
        return call, self.now + seconds, Drafts((draft,))


def log_normal(medians: Sequence[float], spread: float, seed: int) -> Callable[[int, int], float]:
    """Latencies by tier and request, the same whatever is asked before."""

    def takes(k: int, i: int) -> float:
        return medians[k] * random.Random(f"{seed} {k} {i}").lognormvariate(0.0, spread)

    return takes
