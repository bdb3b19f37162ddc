"""Puts a flow's calls against the clock, and beside others.

The loop knows of neither: to it, a call has failed, or comes back at once. How long a call may
take, and what is begun beside it, is decided in `pace`.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Any

from cascade_core.effects import (
    Ask,
    Begin,
    Close,
    Effect,
    Emit,
    Open,
    Pull,
    Reply,
    Reserve,
    Steps,
)
from cascade_core.loop.pace import Pace
from cascade_core.loop.trail import Trail, total
from cascade_core.verdict import Verdict


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
                yield from pace.finish()
                yield from pace.ended()
                verdict: Verdict = stop.value
                return replace(verdict, cost=total(pace.trail.calls))  # with what was dropped
            except Exception:
                yield from pace.drop()
                yield from pace.beside.end_all()
                raise
            if isinstance(effect, Reserve):
                reply = yield from pace.reserve(effect)
            elif isinstance(effect, Ask | Open | Pull | Close):
                reply = yield from pace.call(effect)
            elif isinstance(effect, Begin):
                yield from pace.begin(effect)
                reply = None
            else:
                if type(effect) is Emit:
                    yield from pace.shows()
                reply = yield effect
    finally:
        flow.close()
        pace.beside.left()


def against_the_clock(
    session: Any, flow: Steps[Verdict], trail: Trail, *, streamed: bool, behind: bool = False
) -> Steps[Verdict]:
    """Run a session's flow against the clock, as its cascade is set up.

    Args:
        session: The request.
        flow: What decides it, guarded.
        trail: Where its calls are written down.
        streamed: Whether its answer is.
        behind: Whether the answer is out: then no clock runs.
    """
    engine = session.engine
    pace = Pace(
        session.plan,
        session.request,
        trail,
        engine.latencies,
        began=perf_counter() if behind else session.began,
        deadline=None if behind else session.deadline,
        hedge=0.0 if behind else engine.hedge,
        abandon=session.watched.abandon,
        streamed=streamed,
    )
    return raced(flow, pace)
