"""Runs audits in a thread or a task, begun when a request's record is written.

What an audit asks and compares is in `audit_flow`, how it is written down in `audit_events`.

No answer waits for its audit or fails with it. Whatever becomes of an audit that a request was
picked for is written to the log, also that it was not made: only so do estimates stay honest.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from cascade_core.errors import error_name
from cascade_core.log import audit_event, step_aside
from cascade_core.loop import behind, drivers, writing
from cascade_core.loop.audit_events import found_event, paid_for
from cascade_core.loop.audit_flow import Comparison, audited, expected_cost, missing_tiers
from cascade_core.loop.recording import audited_content
from cascade_core.loop.trail import Trail, total
from cascade_core.signals.judge import Judge

if TYPE_CHECKING:
    from cascade_core.log.events import Status
    from cascade_core.verdict import Verdict

_NOTHING = Decimal(0)


def begin_audit(session: Any) -> None:
    """Begin the audit of a request that is written down, where it was picked for one."""
    if (audit := _of(session)) is None:
        return
    if audit.event is None and behind.start_thread(audit.find, audit.write, audit.give_up):
        return
    audit.skip("busy")
    audit.write()


async def abegin_audit(session: Any) -> None:
    """Begin the audit of a request; see `begin_audit`."""
    if (audit := _of(session)) is None:
        return
    if audit.event is None and behind.start_task(audit.afind, audit.awrite, audit.give_up):
        return
    audit.skip("busy")
    await audit.awrite()


def forgo_audit(session: Any, error: BaseException) -> None:
    """Write down that a request's audit will not be made."""
    if (audit := _of(session)) is not None:
        audit.give_up(error)


def _of(session: Any) -> _Audit | None:
    picked = session.request.audit
    if not picked or not picked["picked"] or session.verdict is None:
        return None
    return _Audit(session, session.verdict)


class _Audit:
    """One audit.

    Attributes:
        event: What is to be written down, once it is known.
    """

    def __init__(self, session: Any, verdict: Verdict) -> None:
        self._session = session
        self._verdict = verdict
        self._plan = session.plan
        self._setting = session.engine.audit
        self._spending = session.engine.audit.spending
        self._read_spent = session.engine.read_spent
        self._trail = Trail(self._plan.prices)
        self._reserved: Decimal | None = None
        self._began = perf_counter()
        self.event: dict[str, Any] | None = None
        if session.request.ruling.pin is not None:
            # Whoever pins requests to a tier may mean that no other model shall see them.
            self.skip("pinned")

    def find(self) -> None:
        """Find out what there is to say."""
        step_aside()
        try:
            self._refresh()
            if self._allowed():
                port = self._session._port()  # noqa: SLF001 - it is ours
                found = drivers.run(self._flow(), port)
                self._found(found, self._texts(found))
        except Exception as error:  # noqa: BLE001 - the answer is out
            self._failed(error)

    async def afind(self) -> None:
        """Find out what there is to say."""
        step_aside()
        try:
            if self._read_spent is not None and self._spending.due:
                await drivers.in_thread(self._refresh)
            if self._allowed():
                port = self._session._aport()  # noqa: SLF001 - it is ours
                compare = self._setting.compare
                # A plain function may wait; no event loop is to wait with it.
                called = partial(drivers.awaited, compare) if callable(compare) else None
                found = await drivers.arun(self._flow(called), port)
                slow = self._session.engine.redact is not None
                texts = partial(self._texts, found)
                self._found(found, await drivers.in_thread(texts) if slow else texts())
        except Exception as error:  # noqa: BLE001 - the answer is out
            self._failed(error)

    def write(self) -> None:
        """Write it down."""
        log, notices = self._session.engine.log, self._plan.notices
        writing.write_event(log, self._settled(), notices)

    async def awrite(self) -> None:
        """Write it down."""
        log, notices = self._session.engine.log, self._plan.notices
        await writing.awrite_event(log, self._settled(), notices)

    def give_up(self, error: BaseException) -> None:
        """Write down what is known where the rest will not be done."""
        if self.event is None:
            self._failed(error)
        self.write()

    def skip(self, why: str) -> None:
        """Say that it is not made, unless it has been said already."""
        if self.event is None:
            self._say("skipped", why)

    def _flow(self, called: Any = None) -> Any:
        request, compare = self._session.request, self._setting.compare
        flow = audited(self._plan, request, self._verdict, compare, self._trail, called=called)
        return self._session.guarded(flow, self._trail)

    def _allowed(self) -> bool:
        """Set aside what it will cost; say so where it may not be made."""
        missing = list(missing_tiers(self._plan, self._session.request, self._verdict))
        if not missing and not isinstance(self._setting.compare, Judge):
            return True  # nothing is paid for
        reserved = self._spending.reserve(expected_cost(self._plan, self._verdict, missing))
        self._spending.tell(self._plan.notices)
        if isinstance(reserved, Decimal):
            self._reserved = reserved
            return True
        if reserved in {"budget", "unpriced"}:  # the others pass, or were warned of
            which = "the day's further audits (UTC)" if reserved == "budget" else "such audits"
            self._plan.notices.give(
                f"audit:{reserved}",
                f"{self._spending.said_of(reserved)}: {which} are skipped, and what they are about "
                "is not covered",
            )
        self.skip(reserved)
        return False

    def _refresh(self) -> None:
        if self._read_spent is None:
            return
        try:
            self._spending.refresh(self._read_spent)
        except Exception as error:  # noqa: BLE001 - what this process has spent is known
            self._plan.notices.give(
                "audit:spent",
                f"what other processes' audits have cost cannot be read ({error_name(error)}): "
                "max_usd_per_day is kept by this process alone until it can be",
            )

    def _texts(self, found: Comparison) -> dict[int, str]:
        """Return the answers that are to be logged: all but the one that the record has.

        Of a request that something else answered, the record has that answer, and no tier's.
        """
        session = self._session
        verdict = session.verdict
        given = None if verdict is None or verdict.handed_to is not None else found.given
        others = {
            tier: answer.draft.text for tier, answer in found.answers.items() if tier != given
        }
        return audited_content(session.engine, self._plan, session.request, others)

    def _found(self, found: Comparison, texts: dict[int, str]) -> None:
        if found.forgone is not None:
            self.skip(found.forgone)
            return
        said = {**self._picked, "texts": texts}
        self.event = found_event(found, self._trail, self._session.id, **said)

    @property
    def _picked(self) -> dict[str, Any]:
        picked = self._session.request.audit
        return {
            "probability": picked["probability"],
            "rate": picked.get("rate"),
            "compare": self._setting.comparator,
        }

    def _failed(self, error: BaseException) -> None:
        why = "exit" if isinstance(error, SystemExit) else error_name(error)
        self._say("failed", "cancelled" if isinstance(error, asyncio.CancelledError) else why)

    def _say(self, status: Status, why: str) -> None:
        said = {**self._picked, **paid_for(self._trail)}
        self.event = audit_event(self._session.id, status=status, why=why, **said)

    def _cost(self) -> Decimal | None:
        """Return what it cost; a call that was cut off counts as what was set aside."""
        known = [call for call in self._trail.calls if call.outcome != "aborted" or call.usage]
        cost = total(known)
        if cost is None or len(known) == len(self._trail.calls):
            return cost
        return max(cost, self._reserved or _NOTHING)

    def _settled(self) -> dict[str, Any]:
        """Return what is to be written, with its cost counted."""
        assert self.event is not None  # noqa: S101 - it has just been said
        if self._trail.calls or self._reserved is not None:
            chance = self._session.request.audit["probability"]
            self._spending.settle(self._reserved or _NOTHING, self._cost(), chance)
            self._reserved = None
        session = self._session
        if session.traced is not None:
            told = self.event, self._trail.calls, self._began
            session.engine.telemetry.audited(session, session.traced, *told)
        return self.event
