"""Puts a flow's calls against the clock, and the next tier beside a draft that is slow.

With `deadline=` a draft is not asked for where there is no time for both it and the tier that
answers in the end, and cut off where it takes too long. With `hedge=` the last tier is asked early
where the draft before it takes longer than most do, or where its stream is unlikely to be accepted;
whichever acceptable answer comes first is the answer, and the other call is ended. The loop knows
of neither: to it, a call has failed, or comes back at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cascade_core.call import Call
from cascade_core.draft import Draft
from cascade_core.effects import (
    Ask,
    Chunk,
    Close,
    Done,
    Drafts,
    Drop,
    Effect,
    Emit,
    Failed,
    Grant,
    Now,
    Open,
    Pull,
    Race,
    Reply,
    Reserve,
    Steps,
    StillRunning,
)
from cascade_core.errors import CutShortError, OutOfTimeError
from cascade_core.guards.latency import Latencies
from cascade_core.loop.able import missing
from cascade_core.loop.bound import Bound
from cascade_core.loop.trail import Trail, total
from cascade_core.request import Request
from cascade_core.setup.plan import Plan
from cascade_core.tier import Tier
from cascade_core.verdict import Verdict

FIRST = 8
"""Tokens of a stream after which its confidence so far says something."""


class Pace:
    """One request against the clock.

    Args:
        plan: How the cascade was set up.
        request: What was asked.
        trail: Where calls are written down.
        latencies: How long the tiers take.
        began: When the request began, as `perf_counter` has it.
        deadline: Seconds it may take; None sets no limit.
        hedge: Share of requests that may ask the last tier early in vain; at 0 none is asked early.
        abandon: Told of a grant whose call nobody waits for, and of what the trail has of it.
        streamed: Whether the answer is streamed, and so the last tier's call.
    """

    def __init__(  # noqa: PLR0913 - a request has this many sides
        self,
        plan: Plan,
        request: Request,
        trail: Trail,
        latencies: Latencies,
        *,
        began: float,
        deadline: float | None,
        hedge: float,
        abandon: Callable[[Grant, Sequence[Call]], None],
        streamed: bool = False,
    ) -> None:
        self.plan, self.request, self.trail = plan, request, trail
        self.latencies, self._hedge, self._abandon = latencies, hedge, abandon
        self._deadline, self.streamed = deadline, streamed
        self._ends = None if deadline is None else began + deadline
        pin = request.ruling.pin
        self._last = plan.tiers[-1 if pin is None else pin]
        self.shown = False
        self.drafted = False
        self.sent_on = self.came = False
        self._until: float | None = None  # of the running call
        self._tier: Tier | None = None  # that makes a draft which may not be the answer
        self._learns: Tier | None = None  # whose draft the running call is
        self._slow: float | None = None  # when that counts as slow
        self._bound: Bound | None = None
        self._read = 0  # tokens of the running stream
        self._beside: tuple[Grant, Ask | Open, float] | None = None

    def reserve(self, effect: Reserve) -> Steps[Reply]:
        """Say whether there is time for a call, before anything else is asked about it."""
        call = effect.call
        tier, drafts = _drafting(call)
        self._learns = tier if drafts else None
        self._until = self._tier = self._slow = self._bound = None
        if self._beside is not None:
            grant, ahead, _ = self._beside
            if drafts and tier is _drafting(ahead)[0]:
                self.sent_on = True
                return grant
        if drafts and tier is not None:
            if tier.index == self._last.index:
                self.sent_on = True
            else:
                self._tier = tier
        if self._ends is not None and (not drafts or tier is not None):
            now = yield Now()
            until = self._limit(call, tier, drafts=drafts)
            if until is not None and not self._has_time(tier, until - now, drafts=drafts):
                label = "a judge" if tier is None else tier.label
                said = f"the deadline of {self._deadline:g} s leaves no time for {label}"
                return Failed(OutOfTimeError(said))
            self._until = until
        until = self._ends if self._until is None else self._until
        reply: Reply = yield replace(effect, until=until)
        if self._tier is None or not isinstance(reply, Grant):
            return reply
        self.drafted = True
        if self._may_hedge(self._tier):
            slow = self.latencies.early(self._tier.index, self._hedge)
            self._slow = None if slow is None else (yield Now()) + slow
            self._read = 0
            if isinstance(call, Open) and self.plan.reads_logprobs:
                self._bound = Bound(self.plan, self._tier, self.request, 0)
        return reply

    def call(self, effect: Ask | Open | Pull | Close) -> Steps[Reply]:
        """Make a call, or go on with it, for as long as there is time."""
        if self._beside is not None and isinstance(effect, Ask | Open):
            ahead = self._beside[1]
            if _drafting(effect) == _drafting(ahead):
                self._beside = None
                joined: Reply = yield Race(ahead)
                self._learn(joined)
                return joined
        if isinstance(effect, Close):
            self.came = True  # what is cut off for its confidence was judged
            reply: Reply = yield Race(effect)
            return reply
        until = None if self.shown else self._until
        slow = None if self.shown or self._beside is not None else self._slow
        if slow is not None and (until is None or slow < until):
            reply = yield Race(effect, slow, cuts=False)
            if type(reply) is StillRunning:
                yield from self._start_ahead()
                reply = yield Race(None, until, yields=True)
        else:
            reply = yield Race(effect, until, yields=self._tier is not None)
        bound = self._bound
        if bound is not None and type(reply) is Chunk and reply.logprobs:
            self._read += len(reply.logprobs)
            if bound.fell(reply.logprobs) and self._read >= FIRST:
                yield from self._start_ahead()
        self._learn(reply)
        return reply

    def _start_ahead(self) -> Steps[None]:
        """Start the last tier's call."""
        self._slow = self._bound = None
        call: Ask | Open
        if self.streamed:
            call = Open(self._last, self.request, live=False)
        else:
            call = Ask(self._last, self.request)
        granted: Reply = yield Reserve(call, waits=False)
        if isinstance(granted, Grant):
            self.request.judged_to_end = True  # whichever answers is told of once it is accepted
            self._beside = granted, call, (yield Now())
            yield Race(None, ahead=call)

    def drop(self) -> Steps[None]:
        """End what runs ahead: another answer is there."""
        if self._beside is None:
            return
        ran = (yield Now()) - self._beside[2]
        had: Reply = yield Drop()
        if isinstance(had, Drafts):
            self._took(self._last, had.drafts[0])
        elif not isinstance(had, Failed):
            self.latencies.of[self._last.index].took(ran, whole=False)
        self._end_beside(had)

    def ended(self) -> Steps[None]:
        """Take note of what having a draft first has come to."""
        harmed = False
        if self.drafted and self.sent_on and self._ends is not None and self._deadline is not None:
            last = self._last.index
            asked = [c for c in self.trail.calls if c.tier == last and c.purpose == "draft"]
            alone = asked[-1].seconds if asked and asked[-1].outcome != "aborted" else math.inf
            harmed = alone <= self._deadline and (yield Now()) > self._ends
        self.latencies.ended(
            drafted=self.drafted, sent_on=self.sent_on, cut=not self.came, harmed=harmed
        )

    def left(self) -> None:
        """Write down what ran ahead when the request was left."""
        if self._beside is not None:
            self._end_beside(None)

    def _end_beside(self, had: Reply) -> None:
        """Write down what ran ahead, as far as it is known, and give its grant up."""
        assert self._beside is not None  # noqa: S101 - something ran ahead
        grant, call, _ = self._beside
        self._beside = None
        begun = len(self.trail.calls)
        if isinstance(had, Failed):
            self.trail.fail(had, self._last, "draft")
        elif isinstance(had, Drafts):
            self.trail.add(had.drafts[0], self._last, "draft").settle("aborted", "overtaken")
        else:
            self.trail.leave(call, had.draft if isinstance(had, Done) else None)
        self._abandon(grant, self.trail.calls[begun:])

    def _may_hedge(self, tier: Tier) -> bool:
        last, ruling = self._last, self.request.ruling
        free = self._hedge and ruling.pin is None and ruling.escalate
        next_is_last = tier.index == last.index - 1 and last.index not in ruling.bypass
        free = free and next_is_last and not self.request.holds(tier.index)
        if not free or self.plan.handoff(self.request) is not None:
            return False
        return not missing(last, self.request)

    def _limit(self, call: Ask | Open, tier: Tier | None, *, drafts: bool) -> float | None:
        """Return until when a call may take; None where nothing ends it."""
        assert self._ends is not None  # noqa: S101 - there is a deadline
        assert self._deadline is not None  # noqa: S101
        if drafts and tier is not None and tier.index == self._last.index:
            fallback = self.plan.on_exhausted == "best_draft" and any(
                each.outcome == "rejected" and each.purpose == "draft" for each in self.trail.calls
            )
            return self._ends if fallback else None
        if isinstance(call, Ask) and call.purpose == "audit":
            return None
        if isinstance(call, Ask) and call.purpose == "handoff":  # the draft itself is there
            return self._ends
        return self._ends - self.latencies.kept_for(self._last.index, self._deadline)

    def _has_time(self, tier: Tier | None, seconds: float, *, drafts: bool) -> bool:
        if tier is not None and drafts and tier.index != self._last.index:
            return self.latencies.has_time(tier.index, seconds)
        return seconds > 0

    def _learn(self, reply: Reply) -> None:
        """Learn from how long a tier's call took."""
        tier = self._learns
        if tier is None or type(reply) is Chunk:
            return
        self._learns = self._tier = None
        if isinstance(reply, Failed) and isinstance(reply.error, CutShortError):
            self.latencies.of[tier.index].took(reply.seconds, whole=False)
            return
        self.came = self.came or tier is not self._last
        if isinstance(reply, Drafts):
            self._took(tier, reply.drafts[0])
        elif isinstance(reply, Done):
            self._took(tier, reply.draft)

    def _took(self, tier: Tier, draft: Draft) -> None:
        if not draft.cached:
            self.latencies.of[tier.index].took(draft.seconds)


def raced(flow: Steps[Verdict], pace: Pace) -> Steps[Verdict]:
    """Run a flow against the clock.

    Args:
        flow: The flow, guarded.
        pace: The request's.

    Returns:
        What the flow returns.
    """
    reply: Reply = None
    try:
        while True:
            try:
                effect: Effect = flow.send(reply)
            except StopIteration as stop:
                yield from pace.drop()
                yield from pace.ended()
                verdict: Verdict = stop.value
                return replace(verdict, cost=total(pace.trail.calls))  # with what was dropped
            except Exception:
                yield from pace.drop()
                raise
            if isinstance(effect, Reserve):
                reply = yield from pace.reserve(effect)
            elif isinstance(effect, Ask | Open | Pull | Close):
                reply = yield from pace.call(effect)
            else:
                if type(effect) is Emit:
                    pace.shown = True
                    yield from pace.drop()  # nothing to wait for: this is the answer
                reply = yield effect
    finally:
        flow.close()
        pace.left()


def _drafting(call: Ask | Open) -> tuple[Tier | None, bool]:
    """Return whose call it is, None for a judge's, and whether it is for a draft."""
    if isinstance(call, Open):
        return call.tier, True
    tier = call.target if isinstance(call.target, Tier) else None
    return tier, call.purpose == "draft"


def against_the_clock(
    session: Any, flow: Steps[Verdict], trail: Trail, *, streamed: bool
) -> Steps[Verdict]:
    """Run a session's flow against the clock, as its cascade is set up.

    Args:
        session: The request.
        flow: What decides it, guarded.
        trail: Where its calls are written down.
        streamed: Whether its answer is.
    """
    engine = session.engine
    pace = Pace(
        session.plan,
        session.request,
        trail,
        engine.latencies,
        began=session.began,
        deadline=session.deadline,
        hedge=engine.hedge,
        abandon=session.watched.abandon,
        streamed=streamed,
    )
    return raced(flow, pace)
