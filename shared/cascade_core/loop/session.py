"""One request: begun, decided or exhausted, recorded. The only place around the loop.

Every way of calling a cascade, in both frameworks, makes a `Session` and runs it; what wants to
know of requests (a budget, a log of its own, telemetry) is a `Hook` of the engine and sees all of
them. How a framework shows the answer does not belong here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import uuid4

from cascade_core.call import Call
from cascade_core.errors import BudgetExceeded, CascadeExhausted, error_name
from cascade_core.guards.guards import GuardedRequest
from cascade_core.log import Record, as_record, collectors, exhausted_record
from cascade_core.loop import audits, behind, drivers
from cascade_core.loop.failing import failing_tiers
from cascade_core.loop.flow import UNFINISHED, cascade, served, shadowed
from cascade_core.loop.guarded import guarded
from cascade_core.loop.hooks import Hook, tell
from cascade_core.loop.outcomes import LEFT, outcome_of
from cascade_core.loop.port import AsyncPort, Caller, Port
from cascade_core.loop.raced import against_the_clock
from cascade_core.loop.racing import RacingPort
from cascade_core.loop.racing_async import AsyncRacingPort
from cascade_core.loop.recording import Decided
from cascade_core.loop.session_record import RecordedSession
from cascade_core.loop.trail import Trail, total
from cascade_core.request import Request
from cascade_core.setup.engine import Engine
from cascade_core.verdict import Verdict

__all__ = ["Decided", "Hook", "Session"]


class Session(RecordedSession):
    """One request.

    Args:
        engine: The cascade's engine.
        request: What was asked.
        caller: Calls the models.
        decision_id: The decision's id; a new one by default.

    Attributes:
        verdict: What came out, once it has.
        record: The same as plain JSON, also of a request that no tier answered.
        error: What ended a request that has no verdict.
        at: When it was asked.
        watched: The cascade's guards, as this request meets them.
        traced: What telemetry knows of it; None where nobody listens.
        took: Seconds until its answer was known; None until then.
    """

    __slots__ = (
        "_ended",
        "_id",
        "_left",
        "_trail",
        "caller",
        "error",
        "traced",
        "watched",
    )

    def __init__(
        self,
        engine: Engine,
        request: Request,
        caller: Caller,
        *,
        decision_id: str | None = None,
    ) -> None:
        self.engine = engine
        self.plan = plan = engine.plan  # once: it may change meanwhile
        self.request = request
        self.caller = caller
        self.verdict: Verdict | None = None
        self.record: Record | None = None
        self.error: BaseException | None = None
        self._id = decision_id
        self.at = datetime.now(UTC)
        self.began = perf_counter()
        self.took: float | None = None
        self._ended = self._fetched = False
        self._left = False  # behind the request
        self.kept = False
        self._trail = Trail(plan.prices)
        watch = engine.telemetry
        self.traced = None if watch is None else watch.begin()
        # Those around the request's start: a stream may be read to its end somewhere else.
        self._collectors = collectors()
        self.watched = GuardedRequest(engine.guards, request, plan.prices)

    @property
    def id(self) -> str:
        """The decision's id."""
        if self._id is None:
            self._id = str(uuid4())
        return self._id

    @property
    def calls(self) -> list[Call]:
        """The calls made so far, in the order they came back."""
        return self._trail.calls

    def run(self) -> Decided:
        """Decide, and wait.

        Raises:
            CascadeExhausted: No tier gave an answer.
        """
        try:
            self._verdict(drivers.run(self._begin(streamed=False), self._port()))
            return self._finish()
        except BaseException as error:
            self._failed(error)
            raise

    async def arun(self) -> Decided:
        """Decide, and wait; see `run`."""
        try:
            await self._prepare()
            self._verdict(await drivers.arun(self._begin(streamed=False), self._aport()))
            return await self._afinish()
        except BaseException as error:
            await self._afailed(error)
            raise

    def stream(self) -> Generator[Any, None, None]:
        """Decide, and yield what is shown, then the `Decided`; see `run`."""
        try:
            flow = self._begin(streamed=True)
            with closing(drivers.stream(flow, self._port())) as items:
                for item in items:
                    if type(item) is drivers.Result:
                        self._verdict(item.value)
                        item = self._finish()  # noqa: PLW2901
                    yield item
        except BaseException as error:
            self._failed(error)
            raise

    async def astream(self) -> AsyncGenerator[Any, None]:
        """Decide, and yield what is shown, then the `Decided`; see `run`."""
        try:
            await self._prepare()
            flow = self._begin(streamed=True)
            async with aclosing(drivers.astream(flow, self._aport())) as items:
                async for item in items:
                    if type(item) is drivers.Result:
                        self._verdict(item.value)
                        item = await self._afinish()  # noqa: PLW2901
                    yield item
        except BaseException as error:
            await self._afailed(error)
            raise

    @property
    def _calls(self) -> Caller:
        return self.caller

    def _port(self) -> Port:
        kind = RacingPort if self._races else Port
        return kind(self._calls, self.plan.notices, self.traced, self.watched)

    def _aport(self) -> AsyncPort:
        kind = AsyncRacingPort if self._races else AsyncPort
        return kind(self._calls, self.plan.notices, self.traced, self.watched)

    def _begin(self, *, streamed: bool) -> Any:
        for hook in self.engine.hooks:
            hook.before(self)
        self.request.ruling = self.plan.ruling(self.request, self.at)
        self.request.audit = self.engine.pick(self.request, self.plan)
        self.request.held = self._held()
        decide = served if self.plan.mode == "shadow" else cascade
        flow = self.guarded(
            decide(self.plan, self.request, self._trail, streamed=streamed), self._trail
        )
        if not self._races:
            return flow
        return against_the_clock(self, flow, self._trail, streamed=streamed)

    @property
    def _races(self) -> bool:
        """Whether calls are made against the clock, or beside others."""
        if self.deadline is not None or self.plan.begins:
            return True
        return self.engine.hedge > 0 and self.plan.mode == "serve"  # others serve the last anyway

    def guarded(self, flow: Any, trail: Trail) -> Any:
        """Return a flow whose calls have to be allowed by the cascade's guards."""
        watched = self.watched
        return guarded(flow, trail, watched.abandon, lambda: watched.arrived)

    def _verdict(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.record = as_record(verdict, self.id, self._asked())
        self._remember(verdict)

    def _finish(self) -> Decided:
        """Write down what was decided; in shadow mode, have the rest found out behind."""
        decided = self._decided()
        if self.plan.mode == "serve":
            self.engine.worth.add(decided.verdict, self.plan.notices)
        if self.plan.mode == "shadow":
            if not self._waits and behind.start_thread(self._find, self._write, self._give_up):
                self._left = True
                return decided
            self._find()
            decided = self._decided()
        self._write()
        return decided

    async def _afinish(self) -> Decided:
        """Write down what was decided; see `_finish`."""
        decided = self._decided()
        if self.plan.mode == "serve":
            self.engine.worth.add(decided.verdict, self.plan.notices)
        if self.plan.mode == "shadow":
            if not self._waits and behind.start_task(self._afind, self._awrite, self._give_up):
                self._left = True
                return decided
            await self._afind()
            decided = self._decided()
        await self._awrite()
        return decided

    def _decided(self) -> Decided:
        assert self.verdict is not None  # noqa: S101 - the flow has ended
        assert self.record is not None  # noqa: S101
        return Decided(self.verdict, self.record)

    @property
    def _waits(self) -> bool:
        """Whether the caller has to wait for all that shadow mode finds out."""
        return False

    def _find(self) -> None:
        """Find out what the cascade would have done."""
        try:
            self._verdict(drivers.run(self._shadow(), self._port()))
        except Exception as error:  # noqa: BLE001 - the answer is out, or must get out
            self._unfinished(error)

    async def _afind(self) -> None:
        """Find out what the cascade would have done."""
        try:
            self._verdict(await drivers.arun(self._shadow(), self._aport()))
        except Exception as error:  # noqa: BLE001 - the answer is out, or must get out
            self._unfinished(error)

    def _write(self) -> None:
        self._keep()
        self._end()
        audits.begin_audit(self)

    async def _awrite(self) -> None:
        await self._akeep()
        self._end()
        await audits.abegin_audit(self)

    def _shadow(self) -> Any:
        assert self.verdict is not None  # noqa: S101 - what is served comes first
        flow = shadowed(self.plan, self.request, self._trail, self.verdict)
        flow = self.guarded(flow, self._trail)
        if not self.plan.begins:
            return flow
        return against_the_clock(self, flow, self._trail, streamed=False, behind=True)

    def _unfinished(self, error: BaseException) -> None:
        """Say in the record that the rest is not known, with whatever was paid for it."""
        assert self.verdict is not None  # noqa: S101 - what is served comes first
        paid = replace(self.verdict, cost=total(self.calls))
        self._verdict(replace(paid, shadow={**UNFINISHED, "error": error_name(error)}))

    def _give_up(self, error: BaseException) -> None:
        """Write down what is known where the rest will not be done."""
        self._unfinished(error)
        self._keep()
        self._end()
        audits.forgo_audit(self, error)

    def _failed(self, error: BaseException) -> None:
        """Write down a request that has no answer: its calls may be paid for all the same."""
        if self._over:
            return
        if self._exhausted(error):
            self._keep()
        self._end()

    async def _afailed(self, error: BaseException) -> None:
        """Write down a request that has no answer; see `_failed`."""
        if self._over:
            return
        if self._exhausted(error):
            if isinstance(error, CascadeExhausted):
                await self._akeep()
            else:  # nobody waits, and a task that is being cancelled had better not
                self._keep_behind()
        self._end()

    @property
    def _over(self) -> bool:
        """Whether everything was decided before a stream was left, or broke."""
        return self._ended or self._left

    def _exhausted(self, error: BaseException) -> bool:
        """Note what ended a request; tell whether it is to be written down."""
        self.error = error
        exhausted = isinstance(error, CascadeExhausted)
        if self.verdict is not None:  # what was decided is being written down
            return not self.kept and not exhausted
        if not exhausted and not (isinstance(error, LEFT) or any(c.usage for c in self.calls)):
            return False
        self.request.audit = None  # there is no answer to compare
        for call in self.calls:
            if call.outcome == "returned":  # it was not: nobody was there
                call.outcome = "aborted"
        self.record = exhausted_record(
            self.calls,
            total(self.calls),
            self.id,
            self._asked(),
            failing=failing_tiers(self.plan.tiers, getattr(error, "causes", ())),
            reason="exhausted" if exhausted else "cancelled",
            budget=error.budget if isinstance(error, BudgetExceeded) else None,
            committed=self._trail.committed,
        )
        return True

    def _end(self) -> None:
        """Tell the hooks, once, that nothing more will be called."""
        if self._ended:
            return
        self._ended = True
        if self.traced is not None and self.engine.telemetry is not None:
            outcome = outcome_of(self.record, self.error)
            self.engine.telemetry.ended(self, self.traced, outcome)
        if self.engine.hooks:
            if self.verdict is not None and self.error is None:
                tell(self, "decided")
            tell(self, "ended")
