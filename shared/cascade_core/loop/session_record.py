"""The record of a `Session`: made here, and handed to its log and its collectors.

What a record says is in `recording`; how a log that waits or fails is written to, in `writing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from cascade_core.log import Asked, DecisionLog, Record
from cascade_core.log.record import reused_record
from cascade_core.log.registry import remember
from cascade_core.loop import behind, drivers, writing
from cascade_core.loop.recording import asked_of, content_of, wants_content
from cascade_core.setup.timing import deadline_of

if TYPE_CHECKING:
    from cascade_core.call import Call
    from cascade_core.held import Held
    from cascade_core.request import Request
    from cascade_core.setup.engine import Engine
    from cascade_core.setup.plan import Plan
    from cascade_core.verdict import Verdict


class RecordedSession:
    """Makes the records of a `Session`, and hands them to its log and its collectors."""

    __slots__ = (
        "_collectors",
        "_fetched",
        "at",
        "began",
        "engine",
        "kept",
        "plan",
        "record",
        "request",
        "took",
        "verdict",
    )

    if TYPE_CHECKING:
        at: datetime
        engine: Engine
        kept: bool
        plan: Plan
        record: Record | None
        request: Request
        took: float | None
        verdict: Verdict | None
        began: float
        _fetched: bool
        _collectors: Any

        @property
        def id(self) -> str:
            """The decision's id."""

        @property
        def calls(self) -> list[Call]:
            """The calls made so far."""

        def _end(self) -> None: ...

    @property
    def deadline(self) -> float | None:
        """Seconds that the request may take; None where nothing limits it.

        Nothing does where the last tier is served whatever comes.

        Raises:
            ConfigurationError: Its metadata says something else.
        """
        if self.plan.mode != "serve":
            return None
        return deadline_of(self.request.metadata, self.engine.deadline, self.plan.notices)

    def reuse(self, record: Mapping[str, Any]) -> Record:
        """Write down an answer that was kept, and that no tier was asked for.

        Args:
            record: Of the decision that it comes from.

        Returns:
            The record of this one.
        """
        made = self._reused(record)
        self._keep()
        self._end()
        return made

    async def areuse(self, record: Mapping[str, Any]) -> Record:
        """Write down an answer that was kept; see `reuse`."""
        if not self.engine.warm:
            await self._warm_up()
        made = self._reused(record)
        await self._akeep()
        self._end()
        return made

    def ruled(self) -> str | None:
        """Ask the rules ahead; return what they say that decides, for the key of a cache.

        Returns:
            None where the policy has no rules.
        """
        if self.plan.rulebook is None:
            return None
        self.request.ruling = self.plan.ruling(self.request, self.at)
        return self.request.ruling.identity

    async def aruled(self) -> str | None:
        """Ask the rules ahead; see `ruled`."""
        if self.plan.rulebook is not None and not self.engine.warm:
            await self._warm_up()
        return self.ruled()

    def _reused(self, record: Mapping[str, Any]) -> Record:
        self.request.ruling = self.plan.ruling(self.request, self.at)
        self.record = made = reused_record(record, self.id, self._asked())
        return made

    async def _warm_up(self) -> None:
        engine = self.engine
        if engine.cold:
            await drivers.in_own_thread(engine.warm_up)
        else:
            engine.warm_up()

    async def _prepare(self) -> None:
        """Have ready what no event loop may wait for."""
        if not self.engine.warm:
            await self._warm_up()
        if self.engine.holding.waits:
            await drivers.in_thread(self._fetch)

    def _fetch(self) -> None:
        """Take in what other processes hold the request to, where they share it."""
        self._fetched = True
        try:
            self.engine.holding.fetch(self.request)
        except Exception as error:  # noqa: BLE001 - what is held costs no answer
            self._unheld(error)

    def _held(self) -> Held | None:
        """Return what earlier steps have decided; what nobody can read decides nothing."""
        if not self._fetched:
            self._fetch()
        try:
            return self.engine.holding.find(self.request, self.plan.tiers, self.plan.prices)
        except Exception as error:  # noqa: BLE001 - what is held costs no answer
            self._unheld(error)
            return None

    def _remember(self, verdict: Verdict) -> None:
        """Have further steps of the same turn know of this one."""
        try:
            self.engine.holding.remember(self.request, verdict, self.id)
        except Exception as error:  # noqa: BLE001 - the answer is paid for and must get out
            self._unheld(error)

    def _unheld(self, error: Exception) -> None:
        self.plan.notices.give(
            "hold",
            f"the steps before a request cannot be read ({type(error).__name__}): it is decided "
            "for itself, whatever hold= says",
        )

    def _asked(self) -> Asked:
        if self.took is None:  # what goes on behind an answer is not waited for
            self.took = perf_counter() - self.began
        return asked_of(
            self.engine,
            self.plan,
            self.request,
            self.calls,
            at=self.at,
            seconds=self.took,
            deadline=self.deadline,
        )

    def _keep(self) -> None:
        """Hand the record to the log, and to whoever collects."""
        self.kept = True
        if self.engine.log is not None:
            writing.write(self.engine.log, self._logged(), self.plan.notices)
        self._collect()

    async def _akeep(self) -> None:
        """Hand the record to the log, and to whoever collects.

        The log comes first: where the request is cancelled meanwhile, it was not answered.
        """
        engine = self.engine
        if engine.log is not None:
            slow = engine.redact is not None and wants_content(engine, self.request)
            logged = await drivers.in_thread(self._logged) if slow else self._logged()
            self.kept = True
            await writing.awrite(engine.log, logged, self.plan.notices)
        self._collect()

    def _keep_behind(self) -> None:
        """Hand the record to whoever collects, and to the log where no event loop waits for it."""
        self.kept = True
        self._collect()
        log = self.engine.log
        if log is not None:
            write = partial(self._write_to, log)
            behind.start_thread(lambda: None, write, lambda _: write(), always=True)

    def _write_to(self, log: DecisionLog) -> None:
        writing.write(log, self._logged(), self.plan.notices)

    def _logged(self) -> Record:
        assert self.record is not None  # noqa: S101 - it is being kept
        if self.engine.registered is not None:
            remember(self.id, self.engine.registered)
        content = content_of(self.engine, self.plan, self.request, self.verdict)
        if content and self.engine.registered is not None:
            self.engine.registered.make_private()
        return {**self.record, **content}

    def _collect(self) -> None:
        assert self.record is not None  # noqa: S101 - it is being kept
        for seen in self._collectors:
            seen.append(self.record)
