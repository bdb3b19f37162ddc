"""What one request has time for: how long its calls may take, and what runs beside them.

With `deadline=` a draft is not asked for where there is no time for both it and the tier that
answers in the end, and cut off where it takes too long. With `hedge=` the last tier is asked early
where the draft before it takes longer than most do, or where its stream is unlikely to be accepted;
whichever acceptable answer comes first is the answer, and the other call is ended.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from cascade_core.call import Call
from cascade_core.draft import Draft
from cascade_core.effects import (
    Ask,
    Begin,
    Chunk,
    Close,
    Done,
    Drafts,
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
from cascade_core.loop.beside import Begun, Beside, note_answer
from cascade_core.loop.bound import Bound
from cascade_core.loop.trail import Trail
from cascade_core.request import Request
from cascade_core.setup.plan import Plan
from cascade_core.tier import Tier

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
        self.latencies, self._hedge = latencies, hedge
        self._deadline, self.streamed, self._began = deadline, streamed, began
        self.beside = Beside(trail, abandon)
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
        self._early: Begun | None = None  # the last tier's call, while it runs beside another

    def reserve(self, effect: Reserve) -> Steps[Reply]:
        """Say whether there is time for a call, before anything else is asked about it."""
        call = effect.call
        tier, drafts = _drafting(call)
        self._learns = tier if drafts else None
        self._until = self._tier = self._slow = self._bound = None
        begun = self.beside.same(call)
        if begun is not None and begun is self._early:
            self.sent_on = True
            return begun.grant
        if drafts and tier is not None:
            if tier.index == self._last.index:
                self.sent_on = True
            else:
                self._tier = tier
        if self._ends is not None and (not drafts or tier is not None):
            now = yield Now()
            until = self._limit(call, tier, drafts=drafts)
            if until is not None and not self._has_time(tier, until - now, drafts=drafts):
                label = "a model beside the tiers" if tier is None else tier.label
                said = f"the deadline of {self._deadline:g} s leaves no time for {label}"
                return Failed(OutOfTimeError(said))
            self._until = until
        if begun is not None:
            return begun.grant
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
        begun = self.beside.same(effect)
        if begun is not None:
            self.beside.joined(begun)
            joined: Reply = yield Race(begun.call, self._until)
            note_answer(self.latencies.beside, begun, joined)
            if begun is self._early:
                self._early = None
                self._learn(joined)
            return joined
        if isinstance(effect, Close):
            self.came = True  # what is cut off for its confidence was judged
            reply: Reply = yield Race(effect)
            return reply
        until = None if self.shown else self._until
        slow = None if self.shown or self._early is not None else self._slow
        if slow is not None and (until is None or slow < until):
            reply = yield Race(effect, slow, cuts=False)
            if type(reply) is StillRunning:
                yield from self._start_ahead()
                reply = yield Race(None, until, rival=self._rival)
        else:
            reply = yield Race(effect, until, rival=self._rival if self._tier else None)
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
        self._early = yield from self.beside.begin(Begin(call))
        if self._early is not None:
            self.request.judged_to_end = True  # whichever answers is told of once it is accepted

    @property
    def _rival(self) -> Ask | Open | None:
        return None if self._early is None else self._early.call

    def shows(self) -> Steps[None]:
        """Take note that the answer is being shown: there is nothing else to wait for.

        Of a draft that is committed to more is to come, as long as that may take: nothing ends it,
        and nothing is asked beside it.
        """
        self.shown = True
        self._slow = self._bound = None
        yield from self.drop()

    def drop(self) -> Steps[None]:
        """End the last tier's call that was begun early: another answer is there."""
        early, self._early = self._early, None
        if early is None:
            return
        ran = (yield Now()) - early.at
        had = yield from self.beside.end(early)
        if isinstance(had, Drafts):
            self._took(self._last, had.drafts[0])
        elif not isinstance(had, Failed):
            self.latencies.of[self._last.index].took(ran, whole=False)

    def begin(self, effect: Begin) -> Steps[None]:
        """Start a signal's call beside others, where there is time for it."""
        if self._ends is not None:
            until = self._limit(effect.call, None, drafts=False)
            if until is not None and until <= (yield Now()):
                return
        yield from self.beside.begin(effect)

    def finish(self) -> Steps[None]:
        """Wait for what signals have begun and nobody has waited for; it is paid for.

        The answer is there: that may take it as long again at the most, and no longer than the
        deadline; and nothing where a model has lately been waited for in vain.
        """
        now = yield Now()
        until = 2 * now - self._began
        until = until if self._ends is None else min(until, self._ends)
        yield from self.beside.finish(until, self.latencies.beside)

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


def _drafting(call: Ask | Open) -> tuple[Tier | None, bool]:
    """Return whose call it is, None for a judge's, and whether it is for a draft."""
    if isinstance(call, Open):
        return call.tier, True
    tier = call.target if isinstance(call.target, Tier) else None
    return tier, call.purpose == "draft"
