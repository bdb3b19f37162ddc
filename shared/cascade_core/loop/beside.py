"""The calls of one request that run beside others: begun early, joined later, or not needed.

The last tier's is begun beside a draft that is slow (`raced`); those of signals that ask several
models, or that ask beside the draft, are begun by the flow. Each is allowed by the guards when it
begins, and is written down once, whatever comes of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cascade_core.call import Call
from cascade_core.effects import (
    Ask,
    Begin,
    Done,
    Drafts,
    Drop,
    Failed,
    Grant,
    Now,
    Open,
    Race,
    Reply,
    Reserve,
    Steps,
)
from cascade_core.errors import CutShortError
from cascade_core.guards.latency import Patience
from cascade_core.loop.trail import Trail
from cascade_core.tier import Tier


class Begun(NamedTuple):
    """A call that runs beside others.

    Attributes:
        call: The call.
        grant: What allowed it.
        at: When it began, as `perf_counter` has it.
        judges: Whose draft it is to judge; None of the last tier's draft.
    """

    call: Ask | Open
    grant: Grant
    at: float
    judges: Tier | None


class Beside:
    """What runs beside the calls of one request.

    Args:
        trail: Where calls are written down.
        abandon: Told of a grant whose call nobody waits for, and of what the trail has of it.
    """

    def __init__(self, trail: Trail, abandon: Callable[[Grant, Sequence[Call]], None]) -> None:
        self._trail, self._abandon = trail, abandon
        self._running: list[Begun] = []

    def begin(self, effect: Begin) -> Steps[Begun | None]:
        """Start a call, unless it runs already or may not be made.

        Returns:
            The call; None where it was not started.
        """
        if self.same(effect.call) is not None:
            return None
        granted: Reply = yield Reserve(effect.call, waits=False)
        if not isinstance(granted, Grant):
            return None
        begun = Begun(effect.call, granted, (yield Now()), effect.judges)
        self._running.append(begun)
        yield effect
        return begun

    def same(self, call: object) -> Begun | None:
        """Return the call that runs already and asks the same of the same model, if any."""
        if not self._running or not isinstance(call, Ask | Open):
            return None
        asked = _asked(call)
        return next((each for each in self._running if _asked(each.call) == asked), None)

    def joined(self, begun: Begun) -> None:
        """Leave a call to whoever waits for it now."""
        self._running.remove(begun)

    def end(self, begun: Begun) -> Steps[Reply]:
        """End a call that is not needed, and write down what is known of it."""
        had: Reply = yield Drop(begun.call)
        self._ended(begun, had)
        return had

    def finish(self, until: float | None, patience: Patience) -> Steps[None]:
        """Wait for the calls of signals that nobody has waited for: they are paid for.

        Args:
            until: Until when at the most, as `perf_counter` has it.
            patience: Which models are waited for.
        """
        for begun in [each for each in self._running if each.judges is not None]:
            now = yield Now()
            waits = patience.waits_for(_target(begun), now)
            try:
                had: Reply = yield Race(begun.call, until if waits else now)
            except GeneratorExit:  # whoever asked would not wait so long
                patience.in_vain(_target(begun), math.inf, now)
                raise
            note_answer(patience, begun, had)
            if waits and isinstance(had, Failed) and isinstance(had.error, CutShortError):
                now = yield Now()
                patience.in_vain(_target(begun), now - begun.at, now)
            self._ended(begun, had)

    def end_all(self) -> Steps[None]:
        """End everything that runs: nothing will come of it."""
        while self._running:
            yield from self.end(self._running[-1])

    def left(self) -> None:
        """Write down what ran when the request was left."""
        while self._running:
            self._ended(self._running[-1], None)

    def _ended(self, begun: Begun, had: Reply) -> None:
        """Write down a call, as far as it is known, and give its grant up."""
        self._running.remove(begun)
        trail, call, start = self._trail, begun.call, len(self._trail.calls)
        if isinstance(call, Ask) and begun.judges is not None:
            if isinstance(had, Drafts | Failed):
                trail.note(call, had, begun.judges)
            else:
                trail.leave(call, None)
        elif isinstance(had, Failed):
            trail.fail(had, _tier_of(call), "draft")
        elif isinstance(had, Drafts):
            trail.add(had.drafts[0], _tier_of(call), "draft").settle("aborted", "overtaken")
        else:
            trail.leave(call, had.draft if isinstance(had, Done) else None)
        self._abandon(begun.grant, trail.calls[start:])


def note_answer(patience: Patience, begun: Begun, had: Reply) -> None:
    """Take note of how long a signal's model took, where it has answered."""
    if begun.judges is not None and isinstance(had, Drafts) and had.drafts:
        patience.answered(_target(begun), had.drafts[0].seconds)


def _target(begun: Begun) -> object:
    call = begun.call
    return call.tier if isinstance(call, Open) else call.target


def _asked(call: Ask | Open) -> tuple[int, str, int]:
    """Return who is asked, for what, and what: requests have no equality of their own."""
    if isinstance(call, Open):
        return id(call.tier), "draft", id(call.request)
    return id(call.target), call.purpose, id(call.request)


def _tier_of(call: Ask | Open) -> Tier:
    tier: Tier = call.tier if isinstance(call, Open) else call.target
    return tier
