"""Audits logged requests, so many at a time, up to a spending cap; each is written down in order.

How one is audited is the adapter's; nothing here calls a model.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from cascade_core.collect.logged_requests import Drawn, Logged
from cascade_core.collect.runner import Advance
from cascade_core.costs.rate import EXACT
from cascade_core.errors import ConfigurationError, error_name
from cascade_core.log import LogEvent, audit_event

One: TypeAlias = Callable[[Logged], Awaitable[LogEvent]]
"""Audits one request."""

Stop: TypeAlias = Literal["cap", "unpriced"]


@dataclass(slots=True)
class LaterAudits:
    """What a run has done.

    Attributes:
        requests: Answered requests in the log.
        picked: How many chance picked, those of earlier runs included.
        before: How many of those had been audited before this run.
        done: How many it audited.
        failed: How many of which nothing could be found.
        skipped: How many whose content the log does not hold, or that are pinned to a tier.
        left: How many are left.
        cost_usd: What it cost, as far as that is known.
        unpriced: How many audits had a call that nobody can price.
        stopped: Why some are left: the `cap`, or a call turned out `unpriced`, so that no cap can
            be kept.
    """

    requests: int
    picked: int
    before: int
    done: int = 0
    failed: int = 0
    skipped: int = 0
    left: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    stopped: Stop | None = None

    def as_plain(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


@dataclass(slots=True)
class LaterJob:
    """What is to be done.

    Attributes:
        drawn: What was picked.
        rate: The probability.
        seed: What chose.
        compare: The comparator's name.
        write: Keeps an event.
        concurrency: How many audits run at a time.
        cap: The most USD to spend; None sets no limit.
        advance: Told of progress.
    """

    drawn: Drawn
    rate: float
    seed: int
    compare: str
    write: Callable[[LogEvent], Awaitable[None]]
    concurrency: int = 8
    cap: Decimal | None = None
    advance: Advance = lambda _done, _total, _spent: None


async def audit_all(job: LaterJob, one: One) -> LaterAudits:
    """Audit what was picked.

    Events are written in the order of the requests: whoever reads the log knows of every earlier
    request that it was not picked, or what became of its audit.

    Raises:
        ConfigurationError: An audit showed that the settings cannot work.
    """
    run = _Run(job, one)
    try:
        await run.go()
    finally:
        await run.stop()
    return run.found


class _Run:
    def __init__(self, job: LaterJob, one: One) -> None:
        drawn = job.drawn
        self.found = LaterAudits(drawn.requests, drawn.picked, drawn.done)
        self._job, self._one = job, one
        self._todo = deque(drawn.todo)
        self._queue: deque[tuple[Logged, asyncio.Task[LogEvent]]] = deque()
        self._spent = Decimal(0)
        self._dearest: Decimal | None = None
        self._keeping: asyncio.Future[None] | None = None

    async def go(self) -> None:
        self._tell()
        while self._todo or self._queue:
            while self._todo and self._room():
                logged = self._todo.popleft()
                self._queue.append((logged, asyncio.ensure_future(self._started(logged))))
            if not self._queue:
                self.found.stopped = "unpriced" if self.found.unpriced else "cap"
                break
            logged, task = self._queue[0]
            await asyncio.wait([task])
            self._queue.popleft()
            self._keeping = asyncio.ensure_future(self._keep(logged, task.result()))
            await asyncio.shield(self._keeping)  # what is paid for is written, stopped or not
        self.found.left = len(self._todo)

    def _room(self) -> bool:
        running, cap = len(self._queue), self._job.cap
        if running >= self._job.concurrency:
            return False
        if cap is None:
            return True
        if self.found.unpriced:
            return False
        if self._dearest is None:  # nobody knows yet what one costs
            return running == 0 and self._spent < cap
        return self._spent + self._dearest * (running + 1) <= cap

    async def _started(self, logged: Logged) -> LogEvent:
        if (why := logged.unfit) is not None:
            return self._said(logged, "skipped", why)
        try:
            return await self._one(logged)
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - one odd answer is no reason to lose the others
            return self._said(logged, "failed", error_name(error))

    def _said(self, logged: Logged, status: Literal["skipped", "failed"], why: str) -> LogEvent:
        probability, compare = logged.probability, self._job.compare
        return audit_event(
            logged.id, status=status, probability=probability, compare=compare, why=why
        )

    async def _keep(self, logged: Logged, event: LogEvent) -> None:
        if logged.drawn:
            event = {**event, "drawn_later": {"rate": self._job.rate, "seed": self._job.seed}}
        await self._job.write(event)
        found, cost = self.found, event["cost_usd"]
        setattr(found, event["status"], getattr(found, event["status"]) + 1)
        if cost is None:
            found.unpriced += 1
        else:
            paid = Decimal(str(cost))
            self._spent = EXACT.add(self._spent, paid)
            found.cost_usd = float(self._spent)
            if event["status"] == "done":
                self._dearest = max(paid, self._dearest or paid)
        self._tell()

    async def stop(self) -> None:
        """Keep what is done, and give up what is under way."""
        if self._keeping is not None and not self._keeping.done():
            await self._keeping
        for _, task in self._queue:
            if not task.done():
                task.cancel()
        results = await asyncio.gather(*(t for _, t in self._queue), return_exceptions=True)
        kept: Sequence[tuple[Logged, Any]] = [
            (logged, result) for (logged, _), result in zip(self._queue, results, strict=True)
        ]
        # Those before the last one that is done were picked as well; the next run asks them again.
        last = max((i for i, (_, r) in enumerate(kept) if isinstance(r, dict)), default=-1)
        self._queue.clear()
        for logged, result in kept[: last + 1]:
            event = result if isinstance(result, dict) else self._said(logged, "skipped", "stopped")
            await self._keep(logged, event)

    def _tell(self) -> None:
        finished = self.found.done + self.found.failed + self.found.skipped
        self._job.advance(finished, len(self._job.drawn.todo), self._spent)
