"""One request: begun, decided or exhausted, recorded. The only place around the loop.

Every way of calling a cascade, in both frameworks, makes a `Session` and runs it; what wants to
know of requests (a budget, a log of its own, telemetry) is a `Hook` of the engine and sees all of
them. How a framework shows the answer does not belong here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import Any, NamedTuple
from uuid import uuid4

from cascade_core.call import Call
from cascade_core.errors import CascadeExhausted
from cascade_core.log import Record, as_record, collectors, exhausted_record
from cascade_core.loop import drivers
from cascade_core.loop.flow import cascade
from cascade_core.loop.port import AsyncPort, Caller, Port
from cascade_core.loop.trail import Trail, total
from cascade_core.request import Request
from cascade_core.setup.engine import Engine
from cascade_core.setup.plan import Plan
from cascade_core.verdict import Verdict


class Hook:
    """Told of every request of a cascade, however it was called; any method may be left out.

    No method may wait: those of an async request run on its event loop.
    """

    def before(self, session: Session) -> None:
        """Told before any model is called; what it raises ends the request."""

    def decided(self, session: Session) -> None:
        """Told when the session has a verdict and a record, before the caller has the answer."""

    def ended(self, session: Session) -> None:
        """Told when nothing more will be called: answered, exhausted, failed, cancelled or left.

        `session.verdict` or `session.error` says which; `session.calls` is what was paid for.
        """


class Decided(NamedTuple):
    """A verdict and its record."""

    verdict: Verdict
    record: Record


class Session:
    """One request.

    Args:
        engine: The cascade's engine.
        request: What was asked.
        caller: Calls the models.
        plan: How this kind of request is decided; the engine's by default.
        decision_id: The decision's id; a new one by default.

    Attributes:
        verdict: What came out, once it has.
        record: The same as plain JSON, also of a request that no tier answered.
        error: What ended a request that has no verdict.
    """

    __slots__ = (
        "_collectors",
        "_id",
        "_trail",
        "caller",
        "engine",
        "error",
        "plan",
        "record",
        "request",
        "verdict",
    )

    def __init__(
        self,
        engine: Engine,
        request: Request,
        caller: Caller,
        *,
        plan: Plan | None = None,
        decision_id: str | None = None,
    ) -> None:
        self.engine = engine
        self.plan = plan = plan or engine.plan
        self.request = request
        self.caller = caller
        self.verdict: Verdict | None = None
        self.record: Record | None = None
        self.error: BaseException | None = None
        self._id = decision_id
        self._trail = Trail(plan.prices)
        # Those around the request's start: a stream may be read to its end somewhere else.
        self._collectors = collectors()

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
            flow = self._begin(streamed=False)
            verdict = drivers.run(flow, Port(self.caller, self.plan.notices))
        except BaseException as error:
            self._failed(error)
            raise
        return self._decided(verdict)

    async def arun(self) -> Decided:
        """Decide, and wait; see `run`."""
        try:
            flow = self._begin(streamed=False)
            verdict = await drivers.arun(flow, AsyncPort(self.caller, self.plan.notices))
        except BaseException as error:
            self._failed(error)
            raise
        return self._decided(verdict)

    def stream(self) -> Generator[Any, None, None]:
        """Decide, and yield what is shown, then the `Decided`; see `run`."""
        try:
            flow = self._begin(streamed=True)
            port = Port(self.caller, self.plan.notices)
            with closing(drivers.stream(flow, port)) as items:
                for item in items:
                    yield self._decided(item.value) if type(item) is drivers.Result else item
        except BaseException as error:
            self._failed(error)
            raise

    async def astream(self) -> AsyncGenerator[Any, None]:
        """Decide, and yield what is shown, then the `Decided`; see `run`."""
        try:
            flow = self._begin(streamed=True)
            port = AsyncPort(self.caller, self.plan.notices)
            async with aclosing(drivers.astream(flow, port)) as items:
                async for item in items:
                    yield self._decided(item.value) if type(item) is drivers.Result else item
        except BaseException as error:
            self._failed(error)
            raise

    def reuse(self, record: Record) -> None:
        """Write down an answer that was kept, and that no tier was asked for."""
        self.record = record
        self._keep(record)
        self._tell("ended")

    def _begin(self, *, streamed: bool) -> Any:
        for hook in self.engine.hooks:
            hook.before(self)
        return cascade(self.plan, self.request, self._trail, streamed=streamed)

    def _decided(self, verdict: Verdict) -> Decided:
        self.verdict = verdict
        self.record = record = as_record(verdict, self.id)
        self._keep(record)
        if self.engine.hooks:
            self._tell("decided")
            self._tell("ended")
        return Decided(verdict, record)

    def _failed(self, error: BaseException) -> None:
        """Write down a request that has no answer: its calls may be paid for all the same."""
        if self.verdict is not None:  # a stream was left, or broke, after everything was decided
            return
        self.error = error
        if isinstance(error, CascadeExhausted):
            class_name, policy = self.request.class_name, self.plan.policy
            calls, cost = self.calls, total(self.calls)
            self.record = exhausted_record(calls, cost, self.id, class_name, policy)
            self._keep(self.record)
        self._tell("ended")

    def _keep(self, record: Record) -> None:
        for seen in self._collectors:
            seen.append(record)
        log = self.engine.log
        if log is None:
            return
        try:
            log.write({**record, **self._content()})
        except Exception as error:  # noqa: BLE001 - the answer is paid for and must get out
            self.plan.notices.give(
                "log", f"{log!r} cannot be written ({type(error).__name__}); decisions are lost"
            )

    def _content(self) -> Record:
        """Return the prompt and the answer, where the caller wants them logged."""
        if not self.engine.log_content or self.verdict is None:
            return {}
        turns = [{"role": turn.role, "text": turn.text} for turn in self.request.turns]
        return {"request": turns, "response": self.verdict.draft.text}

    def _tell(self, moment: str) -> None:
        """Tell the hooks; one that fails costs no answer, which is paid for."""
        for hook in self.engine.hooks:
            try:
                getattr(hook, moment)(self)
            except Exception as error:  # noqa: BLE001 - the answer must get out
                self.plan.notices.give(
                    f"hook:{type(hook).__name__}:{moment}",
                    f"{type(hook).__name__}.{moment} raised {type(error).__name__}; "
                    "the request went on without it",
                )
