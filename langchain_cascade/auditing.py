"""`cascade audit`: audits what a log holds with LangChain models, later.

Tiers are called through a cascade's own port and engine, as `collect` does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.messages import convert_to_messages
from langchain_core.runnables.config import ensure_config

from cascade_core.collect.job import as_cap, as_concurrency, check_priced
from cascade_core.collect.later import LaterAudits, LaterJob, audit_all
from cascade_core.collect.logged_requests import Drawn, Logged, draw
from cascade_core.costs.rate import EXACT
from cascade_core.errors import ConfigurationError
from cascade_core.log import LogEvent, open_log
from cascade_core.log.reading import read_events, read_records
from cascade_core.loop import drivers
from cascade_core.loop.audit_events import found_event
from cascade_core.loop.audit_flow import audited, expected_cost, missing_tiers
from cascade_core.loop.behind import flush_log
from cascade_core.loop.port import AsyncPort
from cascade_core.loop.trail import Trail
from cascade_core.setup.audit import Audit
from cascade_core.signals.asking import models_asked
from cascade_core.signals.judge import Judge
from langchain_cascade.collecting import make_cascade, priced_by, unrun_session
from langchain_cascade.runnable import RunnableCascade
from langchain_cascade.scope import AsyncScope
from langchain_cascade.tiers import Judges

if TYPE_CHECKING:
    from cascade_core.collect.runner import Advance
    from cascade_core.signals.make import SignalLike


@dataclass(frozen=True, slots=True)
class AuditEstimate:
    """What a run will cost at about.

    Attributes:
        requests: Answered requests in the log.
        todo: How many of them are to be audited.
        cost: USD of the answers to be drawn; None where a model is unpriced.
        judged: Whether a judge is paid besides.
    """

    requests: int
    todo: int
    cost: Decimal | None
    judged: bool

    def __str__(self) -> str:
        """Say it in a sentence."""
        cost = "at unknown cost, for a model has no price"
        if self.cost is not None:
            cost = f"about ${self.cost:.4f} if answers are as long as those given"
        besides = ", and what the judge costs" if self.judged else ""
        return f"{self.todo} of {self.requests} requests to audit: {cost}{besides}"


async def audit_log(  # noqa: PLR0913 - the command's options
    log: str | Path,
    tiers: Sequence[Any],
    *,
    rate: float = 0.05,
    compare: Any = "auto",
    signals: Sequence[SignalLike] | None = None,
    seed: int = 0,
    cascade: str | None = None,
    prices: Any = None,
    concurrency: int = 8,
    max_usd: float | None = None,
    begin: Callable[[AuditEstimate], None] | None = None,
    advance: Advance | None = None,
) -> LaterAudits:
    """Audit a random share of what a log holds.

    Args:
        log: A log with content; audits are written to it.
        tiers: The tiers of the cascade that wrote it, cheapest first.
        rate: Probability that a request is audited, in (0, 1].
        compare: See `Audit`.
        signals: What drafts that are drawn are read by.
        seed: Chooses which requests; the same one goes on.
        cascade: Only the requests of the cascade of this name.
        prices: A price table; see `CascadeKeywords`.
        concurrency: How many audits run at a time.
        max_usd: The most USD to spend.
        begin: Told what the run will cost at about; what it raises ends the run.
        advance: Told of audits finished, of how many, and USD so far.

    Raises:
        ConfigurationError: An argument cannot work; nothing has been asked or written.
    """
    if rate == 0:
        raise ConfigurationError("rate 0 audits nothing: give a number above 0, up to 1")
    setting, cap = Audit(rate, compare), as_cap(max_usd, "max_usd")
    made = make_cascade(tiers, signals=signals, prices=prices)
    engine = made._engine  # noqa: SLF001 - it is ours
    plan = engine.plan
    asking = [*plan.signals, *([compare] if isinstance(compare, Judge) else ())]
    judges = [model for each in asking for model in models_asked(each)]
    engine.judges = Judges(judges)
    check_priced(cap, priced_by(made, judges), plan)
    records = read_records(log)
    drawn = draw(
        records,
        read_events(log, "audit"),
        rate=rate,
        seed=seed,
        tiers=len(plan.tiers),
        cascade=cascade,
    )
    if not drawn.requests and records.unreadable:
        lines = f"{records.unreadable} lines that are no record of a decision"
        raise ConfigurationError(f"{log} holds no answered request, and {lines}")
    kept: Any = open_log(log, private=True)
    if begin is not None:
        begin(_estimate(plan, drawn, judged=isinstance(compare, Judge)))

    async def write(event: LogEvent) -> None:
        await drivers.awaited(kept.write_event, event)

    async def one(logged: Logged) -> LogEvent:
        record, given = logged.record, _input(logged, chains=isinstance(made, RunnableCascade))
        metadata = {} if record["class"] is None else {"cascade_class": record["class"]}
        config = ensure_config({"run_name": "cascade audit", "metadata": metadata})
        trail = Trail(plan.prices)
        async with AsyncScope(made, given, config) as scope:
            session = unrun_session(made, scope.run, given, config)
            called = partial(drivers.awaited, compare) if callable(compare) else None
            verdict = logged.verdict()
            flow = audited(plan, session.request, verdict, compare, trail, called=called)
            found = await drivers.arun(flow, AsyncPort(session.caller, plan.notices))
        probability, name = logged.probability, setting.comparator
        return found_event(found, trail, logged.id, probability=probability, compare=name)

    job = LaterJob(
        drawn,
        rate,
        seed,
        setting.comparator,
        write,
        concurrency=as_concurrency(concurrency),
        cap=cap,
    )
    if advance is not None:
        job.advance = advance
    return await audit_all(job, one)


def run_audit(log: str | Path, tiers: Sequence[Any], **options: Any) -> LaterAudits:
    """Audit what a log holds, and wait; see `audit_log`."""

    async def run() -> LaterAudits:
        # Models without async code of their own are called in threads, of which asyncio
        # has few on a small machine.
        threads = max(32, as_concurrency(options.get("concurrency", 8)))
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(threads))
        return await audit_log(log, tiers, **options)

    try:
        return asyncio.run(run())
    finally:
        flush_log()  # a database is written a moment later


def _input(logged: Logged, *, chains: bool) -> Any:
    """Return what the tiers are given: a chain that was asked one thing takes a text."""
    messages = logged.messages
    if chains and [message["role"] for message in messages] == ["user"]:
        return messages[0]["content"]
    return convert_to_messages(messages)


def _estimate(plan: Any, drawn: Drawn, *, judged: bool) -> AuditEstimate:
    cost: Decimal | None = Decimal(0)
    for logged in drawn.todo:
        if logged.unfit is None and cost is not None:
            verdict = logged.verdict()
            missing = list(missing_tiers(plan, logged.request(), verdict))
            expected = expected_cost(plan, verdict, missing)
            cost = None if expected is None else EXACT.add(cost, expected)
    return AuditEstimate(drawn.requests, len(drawn.todo), cost, judged)
