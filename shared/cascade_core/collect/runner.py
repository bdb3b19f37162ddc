"""Runs all requests: so many at a time, each written down as it ends, up to a spending cap.

How one request is examined is the adapter's; nothing here calls a model.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Literal, TypeAlias

from cascade_core.collect.journal import Entry, Journal, UnkeepableError
from cascade_core.collect.probe import Probe, lost
from cascade_core.collect.requests import Sample
from cascade_core.costs.rate import EXACT
from cascade_core.errors import ConfigurationError
from cascade_core.warn import warn

Examine: TypeAlias = Callable[[Sample, Entry | None], Awaitable[Entry]]
"""Examines one request. Where it is given what is known of it, asks only tiers whose answers are
missing, and grades the answers again.
"""

Advance: TypeAlias = Callable[[int, int, Decimal], None]
"""Told of progress: requests finished, of how many, USD so far as far as it is known."""

Stopped: TypeAlias = Literal["cap", "unpriced"]

ALL_FAILED = 10
"""Requests from the start that a tier fails, or that nobody can grade, before a warning."""


class SpendingCap:
    """What has been spent, and whether another request may start.

    Nobody knows what a request will cost. So each one that is running counts as
    much as the dearest so far; before any is known, they run one at a time.
    What is spent thus passes the cap only where a request costs more than every
    one before it.

    Args:
        cap: USD, or None for no cap.
        graded_by: How answers are graded: a request graded in another way may have been cheaper.

    Attributes:
        spent: USD so far, as far as it is known.
    """

    def __init__(self, cap: Decimal | None, graded_by: str = "") -> None:
        self.cap = cap
        self._graded_by = graded_by
        self.spent = Decimal(0)
        self._unpriced: set[int] = set()
        self._dearest: Decimal | None = None

    @property
    def unpriced(self) -> int:
        """How many requests had a call that nobody can price."""
        return len(self._unpriced)

    def add(self, entry: Entry, before: Entry | None = None) -> None:
        """Count a finished request, and what is known of earlier attempts.

        Args:
            entry: What is known of the request now.
            before: What was counted of it already, if anything.
        """
        if before is not None:
            self.spent = EXACT.subtract(self.spent, before.paid)
        self.spent = EXACT.add(self.spent, entry.paid)
        if entry.cost is None:
            self._unpriced.add(entry.index)
            return
        # A request that failed cost less than it will elsewhere.
        if not entry.errors and entry.graded_by == self._graded_by:
            self._dearest = max(entry.cost, self._dearest or entry.cost)

    def allows(self, running: int, *, free: bool = False) -> bool:
        """Tell whether one more request may start beside those that run; a free one may."""
        if self.cap is None or free:
            return True
        if self.unpriced:
            return False
        if self._dearest is None:
            return running == 0 and self.spent < self.cap
        return self.spent + self._dearest * (running + 1) <= self.cap


async def run_all(  # noqa: PLR0913 - what a run is made of
    samples: Sequence[Sample],
    examine: Examine,
    journal: Journal,
    *,
    concurrency: int = 8,
    budget: SpendingCap,
    regrade: Collection[int] = (),
    free: bool = True,
    tiers: Sequence[str] = (),
    advance: Advance = lambda _done, _total, _spent: None,
) -> Stopped | None:
    """Grade again what is to be, then examine what the journal lacks, then what failed before.

    Args:
        samples: The requests.
        examine: Examines one. A tier that fails is part of what it returns; a
            `ConfigurationError` ends the run, and anything else loses that request alone.
        journal: Where finished requests are kept.
        concurrency: How many requests run at a time.
        budget: What was spent before, if anything, and the cap.
        regrade: Which requests' answers in the journal are to be graded again.
        free: Whether that costs nothing, and so needs no room below the cap.
        tiers: How errors call the tiers.
        advance: Told of progress.

    Returns:
        None where all are done, else why it stopped: the `cap` leaves no room for
        another request, or a call turned out `unpriced`, so that no cap can be kept.
    """
    known = journal.entries
    graded = {index: known[index] for index in regrade}
    todo = _in_turn(samples, known, graded)
    finished = len(samples) - len(todo)
    by_index = {sample.index: sample for sample in samples}
    running: set[asyncio.Task[Entry]] = set()
    watch, probe = _Watch(), Probe(tiers)

    def settle(tasks: set[asyncio.Task[Entry]]) -> None:
        """Keep all that ended well before raising what did not."""
        nonlocal finished
        ended = [task for task in tasks if not task.cancelled()]
        for task in ended:
            if task.exception() is None:
                entry = task.result()
                before = known.get(entry.index)
                entry = entry if entry.index in graded else entry.after(before)
                entry = _kept(journal, entry, by_index[entry.index], before, len(tiers))
                budget.add(entry, before)
                watch.see(entry, before)
                finished += 1
                advance(finished, len(samples), budget.spent)
                probe.look_at(entry)
        for task in ended:
            if (error := task.exception()) is not None:
                raise error
        probe.check()

    advance(finished, len(samples), budget.spent)
    try:
        while todo or running:
            while (
                todo
                and len(running) < probe.room(concurrency)
                and budget.allows(len(running), free=free and todo[0].index in graded)
            ):
                sample = todo.popleft()
                kept = known.get(sample.index)
                started = _started(examine, sample, kept, len(tiers))
                running.add(asyncio.ensure_future(started))
            if not running:
                return "unpriced" if budget.unpriced else "cap"
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            settle(done)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        settle({task for task in running if not task.cancelled() and task.exception() is None})
    return None


def _in_turn(
    samples: Sequence[Sample], known: Mapping[int, Entry], graded: Mapping[int, Entry]
) -> deque[Sample]:
    again = [sample for sample in samples if sample.index in graded]
    new = [sample for sample in samples if sample.index not in known]
    # A table has no use for a row that a tier failed on; another time it may answer.
    failed = [s for s in samples if s.index in known and known[s.index].incomplete]
    return deque([*again, *new, *failed])


def _kept(
    journal: Journal, entry: Entry, sample: Sample, before: Entry | None, tiers: int
) -> Entry:
    """Write a finished request down, or that it is lost where it cannot be."""
    try:
        journal.add(entry)
    except UnkeepableError as error:
        entry = lost(sample, before, tiers, error)
        journal.add(entry)
    return entry


async def _started(examine: Examine, sample: Sample, kept: Entry | None, tiers: int) -> Entry:
    try:
        return await examine(sample, kept)
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - an odd answer is no reason to lose the others
        return lost(sample, kept, tiers, error)


class _Watch:
    """Says early that a run is money lost: a tier never answers, or no answer can be graded."""

    def __init__(self) -> None:
        self._seen = 0
        self._failing: set[int] | None = None
        self._graded = False

    def see(self, entry: Entry, before: Entry | None) -> None:
        if before is not None:  # that it fails again says nothing of other requests
            return
        failed = set(entry.errors)
        self._failing = failed if self._failing is None else self._failing & failed
        self._graded |= any(q is not None for q in entry.qualities)
        self._seen += 1
        if self._seen == ALL_FAILED:
            if not self._graded and not self._failing:
                warn(
                    f"no answer to the first {ALL_FAILED} requests could be graded; "
                    "Ctrl-C stops without losing anything"
                )
            for tier in sorted(self._failing):
                warn(
                    f"tier {tier} failed on each of the first {ALL_FAILED} requests "
                    f"({entry.errors[tier]}); Ctrl-C stops without losing anything"
                )
