"""Whether a tier is silent beyond chance: too many calls have waited too long for an answer.

Nothing but time tells of a tier that hangs. Looked at are the calls that began after the newest one
that has been answered: how likely is it that none of them has been, if each takes as long as those
lately did? Where that is next to impossible, the tier is supposed to hang. The answer of any of
them refutes it.

Waits are measured by a clock of their own, which goes on only while something happens: where this
process stood still, answers may be there that it has not come to yet, and nobody else was silent.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from typing import Protocol

KNOWN = 20
"""Answers before it is known how long they take; of many calls at once, the first are the quickest,
so that it has to be half of them."""

ANSWERS = 200
"""Answers that are remembered."""

UNLIKELY = 1e-6
"""The most that the likelihood of a silence may be for the tier to be supposed to hang."""

AT_LEAST = 1.0
"""Seconds that a call has to wait to count: a busy machine may keep quick answers waiting."""

STUCK = 0.1
"""Share of calls that may take any time for reasons of their own: a few never decide."""

LULL = 4.0
"""How many times as long as usually nothing may happen, before this process counts as standing
still."""

NO_LULL = 0.05
"""Seconds for which nothing may happen in any case."""

_FADING = 0.1  # of how long nothing happens usually, with every time that something does


class Awaited(Protocol):
    """A call; calls are told apart by their identity.

    Attributes:
        began: When it began, as `time.monotonic` has it.
        place: Its place in the order in which calls began.
    """

    began: float
    place: int


class Silence:
    """The calls of one tier that wait for an answer, and how long answers took lately."""

    __slots__ = (
        "_answers",
        "_happened",
        "_lull",
        "_newest",
        "_odd_since",
        "_ordered",
        "_recent",
        "_refuted_at",
        "_waiting",
        "_watched",
    )

    def __init__(self) -> None:
        self._waiting: dict[Awaited, float] = {}  # those that began after `_newest`, and when
        self._newest = 0  # the place of the newest call that has been answered
        self._odd_since: float | None = None
        self._refuted_at = 0.0  # waits count from then: the tier is slower than before, at least
        self._watched = 0.0  # the clock by which calls wait
        self._happened = 0.0  # when something did, as `time.monotonic` has it
        self._lull = 0.0  # seconds between two such moments, usually
        self._answers = 0
        self._recent: deque[float] = deque()
        self._ordered: list[float] = []

    def began(self, call: Awaited) -> None:
        """Take note that a call has begun."""
        self._waiting[call] = self._watch(call.began)

    def heard(self, call: Awaited, now: float) -> bool:
        """Take note that an answer has begun to arrive.

        Returns:
            Whether it ends a silence. Where a call that began later has been answered before, it
            says nothing of now.
        """
        watched = self._watch(now)
        self._answers += 1
        took = now - call.began
        self._recent.append(took)
        insort(self._ordered, took)
        if len(self._recent) > ANSWERS:
            del self._ordered[bisect_left(self._ordered, self._recent.popleft())]
        if call.place <= self._newest:
            self.gone(call)
            return False
        self._newest = call.place
        if self._odd_since is not None:
            self._odd_since, self._refuted_at = None, watched
        for each in tuple(self._waiting):  # a stream that is collected as garbage may go meanwhile
            if each.place > self._newest:
                break
            self.gone(each)
        return True

    def gone(self, call: Awaited) -> None:
        """Take note of a call that ended without an answer."""
        self._waiting.pop(call, None)

    def forget(self) -> None:
        """Forget the calls that wait, not how long answers took."""
        self._waiting.clear()
        self._odd_since = None

    def odd_for(self, now: float, flying: int) -> float | None:
        """Return for how many seconds the silence has been odd; None where it is not.

        Args:
            now: As `time.monotonic` has it.
            flying: How many calls are under way.
        """
        watched = self._watch(now)
        if self._odd_since is None and self._answers >= max(KNOWN, flying):
            self._odd_since = now if self._likelihood(watched) < UNLIKELY else None
        return None if self._odd_since is None else now - self._odd_since

    def _watch(self, now: float) -> float:
        """Let the clock go on by what has passed, as far as that is no more than a lull."""
        passed = max(0.0, now - self._happened)
        counted = min(passed, max(NO_LULL, LULL * self._lull))
        self._lull += _FADING * (counted - self._lull)
        self._happened = now
        self._watched += counted
        return self._watched

    def _likelihood(self, watched: float) -> float:
        """Return how likely it is that none of those that wait has been answered."""
        likely, known = 1.0, len(self._ordered)
        for began in tuple(self._waiting.values()):  # the oldest first
            waited = watched - max(began, self._refuted_at)
            quicker = bisect_right(self._ordered, waited)
            if not quicker or waited < AT_LEAST or likely < UNLIKELY:
                break  # nor do later ones say anything
            likely *= max(STUCK, 1 - quicker / known)
        return likely
