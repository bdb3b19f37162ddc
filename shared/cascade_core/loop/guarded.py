"""Puts guards between a flow and its calls, so that no flow has to know of them.

Before each call of a flow the guards are asked (`Reserve`); where they refuse, the flow is told
that the call failed, and nothing is called. When the flow has written down what came back, the
guards are told what it was (`Settle`). Drafts, samples, judges and audits all pass here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cascade_core.draft import Draft
from cascade_core.effects import (
    Ask,
    Chunk,
    Close,
    Effect,
    Emit,
    Failed,
    Open,
    Pull,
    Reply,
    Reserve,
    Settle,
    Steps,
)
from cascade_core.loop.trail import Trail

T = TypeVar("T")


def guarded(  # noqa: C901 - the end of a call is told from here, whatever comes next
    flow: Steps[T],
    trail: Trail,
    abandon: Any,
    arrived: Callable[[], Draft | None] = lambda: None,
) -> Steps[T]:
    """Run a flow whose calls have to be allowed.

    A call that runs when the request is left is written down as aborted.

    Args:
        flow: The flow.
        trail: Where it writes its calls down.
        abandon: Told of a grant, and of what the trail has of its call, where the flow raised or
            was left; it may not wait.
        arrived: Returns what had arrived of a stream that was cut off.

    Returns:
        What the flow returns.
    """
    reply: Reply = None
    grant: Any = None
    begun, over, answer = 0, False, reply
    running = False
    try:
        while True:
            try:
                effect: Effect = flow.send(reply)
            except Exception as ended:
                stopped = isinstance(ended, StopIteration)
                if grant is not None and (over or stopped):
                    settling = Settle(grant, answer, trail.calls[begun:])
                    grant = None
                    yield settling
                if not stopped:
                    raise
                value: T = ended.value  # type: ignore[attr-defined]
                return value
            if grant is not None and over:
                settling = Settle(grant, answer, trail.calls[begun:])
                grant = None
                yield settling
            kind = type(effect)
            if kind is Ask or kind is Open:
                granted = yield Reserve(effect)  # type: ignore[arg-type]
                if type(granted) is Failed:
                    reply = granted
                    continue
                grant, begun = granted, len(trail.calls)
            running = kind in _CALLING or (running and kind is Emit)
            reply = yield effect
            if kind in _CALLING:
                running = _runs_on(kind, reply, grant)
                over = kind is Ask or kind is Close or type(reply) is not Chunk
                answer = reply
    finally:
        flow.close()
        if grant is not None:  # the flow raised, or the request was left
            if running:
                trail.leave(grant.call, arrived() if type(grant.call) is Open else None)
            abandon(grant, trail.calls[begun:])


def _runs_on(kind: type[Effect], reply: Reply, grant: Any) -> bool:
    """Tell whether a call goes on; a breaker is told where its answer has begun to arrive."""
    if type(reply) is not Chunk:
        return False
    if kind is Open and grant.breaker is not None:
        grant.breaker.shows()
    return True


_CALLING = frozenset({Ask, Open, Pull, Close})
