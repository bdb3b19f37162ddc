"""Tiers that keep failing are left alone for a while.

A breaker is *closed* as long as its tier answers. Failures in a row that are the provider's *open*
it (`failures` says which those are): the tier is not asked. Then one request at a time may try
(*half-open*); its answer closes the breaker, and after its failure the next may try an interval
later. `Breaker` has the numbers.

Requests run side by side, so "in a row" is meant in the order in which calls began: a failure
counts until a call that began later has been answered, or has at least outlived the time in which
others fail. And until enough have failed, no more calls than are needed to decide are let through,
unless the request would have nowhere else to go. A tier that hangs gives no failure to go by: where
it is silent beyond chance (`silence`), calls are held off, and a moment later the breaker opens.

`TierBreaker` is the interface: breakers that machines share keep to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import RLock
from typing import Any, NamedTuple, Protocol

from cascade_core.forks import free_in_child
from cascade_core.guards.breaker import Breaker
from cascade_core.guards.failures import Trouble, trouble_of
from cascade_core.guards.retry_after import retry_after
from cascade_core.guards.silence import Silence

HELD_OFF = 1.0
"""Seconds for which calls are held off where a tier seems to hang, before its breaker opens."""

_FADING = 0.02  # of the slowest failure, with every quicker one

_SHORTEST = 0.05
"""Seconds that a breaker stays open at least: a `Retry-After` of nothing would open none."""


class Permit:
    """Leave to call a tier; what becomes of the call has to be told its breaker.

    Attributes:
        breaker: Whose leave it is.
        probe: Whether the call tries a tier that is left alone otherwise.
        term: How often the breaker had opened when it began.
        began: When that was, as `time.monotonic()` has it.
        place: Its place in the order in which calls began.
        shown: Whether an answer has begun to arrive.
    """

    __slots__ = ("began", "breaker", "place", "probe", "shown", "term")

    def __init__(
        self, breaker: TierBreaker, began: float, *, probe: bool, term: int = 0, place: int = 0
    ) -> None:
        self.breaker, self.began = breaker, began
        self.probe, self.term, self.place, self.shown = probe, term, place, False

    def shows(self) -> None:
        """Say that an answer has begun to arrive."""
        self.breaker.shows(self)


class LeftAlone(NamedTuple):
    """Why a tier may not be called.

    Attributes:
        seconds: How long until a request may try.
    """

    seconds: float


class TierBreaker(Protocol):
    """The breaker of one tier. Of every permit `answered`, `failed` or `left` is told, once.

    Attributes:
        waits: Whether its methods wait for a server; then no event loop may call them.
    """

    waits: bool

    def enter(self, *, last: bool = False) -> Permit | LeftAlone:
        """Ask whether the tier may be called now.

        Args:
            last: Whether the request has nowhere else to go: doubts do not count then.
        """
        ...

    def answered(self, permit: Permit) -> None:
        """Say that the tier has answered."""
        ...

    def failed(self, permit: Permit, error: BaseException) -> None:
        """Say that the call has failed; what is the request's own says nothing of the tier."""
        ...

    def left(self, permit: Permit) -> None:
        """Say that nobody waited for the answer; it may not wait itself."""
        ...

    def shows(self, permit: Permit) -> None:
        """Say that an answer has begun to arrive, before one of the others; it may not wait."""
        ...


def read_failure(
    error: BaseException, setting: Breaker | None = None
) -> tuple[Trouble | None, float | None]:
    """Return what a failure says of the provider, and how long that asks to wait, in seconds.

    Args:
        error: What was raised; one that cannot be read says nothing.
        setting: Says how long a wait is followed at the most.
    """
    try:
        trouble = trouble_of(error)
        wait = None if trouble is None else retry_after(error)
    except Exception:  # noqa: BLE001 - attributes and texts of others' errors are their own code
        return None, None
    return trouble, wait and max(_SHORTEST, min(wait, (setting or Breaker()).longest))


class LocalBreaker:
    """A breaker of this process, shared by all requests.

    Args:
        setting: Its numbers.
        changed: Told of every opening (with the seconds until the next probe) and closing (None).

    Attributes:
        waits: It does not.
    """

    waits = False

    __slots__ = (
        "__weakref__",
        "_changed",
        "_failed",
        "_fails_in",
        "_flying",
        "_good",
        "_lock",
        "_open_until",
        "_setting",
        "_silence",
        "_started",
        "_supposed",
        "_term",
    )

    def __init__(
        self,
        setting: Breaker | None = None,
        changed: Callable[[float | None], None] | None = None,
    ) -> None:
        self._setting = setting or Breaker()
        self._changed = changed
        self._failed: list[int] = []  # the places of the calls that failed in a row
        self._fails_in = 0.0
        self._good = self._started = 0
        self._open_until: float | None = None
        self._supposed = False  # opened by silence: an answer that ends it closes it
        self._term = 0
        self._flying: dict[Permit, None] = {}  # in the order in which they began
        self._silence = Silence()
        self._lock = RLock()  # a stream that is collected as garbage may come from in here
        free_in_child(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out the lock and what was seen: a copy in another process begins closed."""
        return type(self), (self._setting,)

    def forked(self) -> None:
        """Forget the calls of a parent process: no end of theirs is told here."""
        self._flying = {}
        self._silence.forget()

    @property
    def is_open(self) -> bool:
        """Whether the tier is left alone."""
        return self._open_until is not None

    def enter(self, *, last: bool = False) -> Permit | LeftAlone:
        """Ask whether the tier may be called now; see `TierBreaker`."""
        opened = False
        with self._lock:
            now = time.monotonic()
            if self._open_until is None and not last:
                odd_for = self._silence.odd_for(now, len(self._flying))
                if odd_for is not None and odd_for < HELD_OFF:
                    return LeftAlone(HELD_OFF - odd_for)
                if odd_for is not None:
                    opened = self._supposed = True
                    self._open(now, self._setting.probe_every)
                else:
                    doubt = self._doubt(now)
                    if doubt is not None:
                        return doubt
            if self._open_until is None or now >= self._open_until:
                probe = self._open_until is not None
                self._started += 1
                permit = Permit(self, now, probe=probe, term=self._term, place=self._started)
                if probe:
                    # Before it is over: a probe that never comes back must not block the next.
                    self._open_until = now + self._setting.probe_every
                else:
                    self._flying[permit] = None
                    self._silence.began(permit)
                return permit
            alone = LeftAlone(self._open_until - now)
        if opened and self._changed is not None:
            self._changed(alone.seconds)
        return alone

    def answered(self, permit: Permit) -> None:
        """Note an answer; one that was begun before the breaker opened says nothing of now."""
        with self._lock:
            refuted = self._hears(permit)
            self._good = max(self._good, permit.place)
            if not self._counts(permit) and not refuted:
                return
            closed = self._open_until is not None
            self._open_until, self._supposed = None, False
        if closed and self._changed is not None:
            self._changed(None)

    def failed(self, permit: Permit, error: BaseException) -> None:
        """Note a failure; see `TierBreaker`."""
        trouble, wait = read_failure(error, self._setting)
        if trouble is None:
            self.left(permit)
            return
        opened: float | None = None
        with self._lock:
            now = time.monotonic()
            self._gone(permit)
            if not self._counts(permit):
                return
            if permit.probe:
                if wait is not None and self._open_until is not None:
                    self._open_until = max(self._open_until, now + wait)
                return
            took = now - permit.began
            self._fails_in += (took - self._fails_in) * (1.0 if took > self._fails_in else _FADING)
            self._failed.append(permit.place)
            self._doubted(now)
            enough = len(self._failed) >= self._setting.failures
            if trouble == "lasting" or wait is not None or enough:
                opened = wait if wait is not None else self._setting.probe_every
                self._open(now, opened)
        if opened is not None and self._changed is not None:
            self._changed(opened)

    def left(self, permit: Permit) -> None:
        """Note a call that says nothing of the tier; after a probe the next request may try."""
        with self._lock:
            self._gone(permit)
            probing = permit.probe and self._counts(permit) and self._open_until is not None
            # Unless a later probe is under way.
            if probing and self._open_until == permit.began + self._setting.probe_every:
                self._open_until = time.monotonic()

    def shows(self, permit: Permit) -> None:
        """Note that an answer has begun to arrive; how long it goes on is up to its reader."""
        with self._lock:
            refuted = self._hears(permit)
            if refuted:
                self._open_until, self._supposed = None, False
        if refuted and self._changed is not None:
            self._changed(None)

    def _counts(self, permit: Permit) -> bool:
        """Tell whether a call began after the breaker opened last."""
        return permit.term == self._term

    def _hears(self, permit: Permit) -> bool:
        """Note the beginning of an answer; tell whether a tier supposed to hang does not."""
        self._flying.pop(permit, None)
        ends = not permit.shown and self._silence.heard(permit, time.monotonic())
        permit.shown = True
        return ends and self._supposed

    def _gone(self, permit: Permit) -> None:
        self._flying.pop(permit, None)
        self._silence.gone(permit)

    def _open(self, now: float, wait: float) -> None:
        self._open_until = now + wait
        self._term += 1
        self._flying, self._failed, self._fails_in = {}, [], 0.0
        self._silence.forget()

    def _doubt(self, now: float) -> LeftAlone | None:
        """Tell whether calls under way will decide; no more are needed then."""
        if not self._failed:
            return None
        deciding = self._doubted(now)
        if not self._failed or deciding < self._setting.failures - len(self._failed):
            return None
        return LeftAlone(self._fails_in)

    def _doubted(self, now: float) -> int:
        """Forget failures that a later call refutes; count those that may still join the rest."""
        deciding = 0
        for permit in reversed(tuple(self._flying)):
            if permit.place < self._failed[0]:
                break
            if now - permit.began > self._fails_in:
                self._good = max(self._good, permit.place)
                break
            deciding += 1
        self._failed = [place for place in self._failed if place > self._good]
        return deciding
