"""What the requests of one cascade share: its plan, its log, and how verdicts are written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Self

from cascade_core.call import Call
from cascade_core.errors import CascadeExhausted
from cascade_core.log import (
    Collectors,
    DecisionLog,
    Record,
    as_record,
    exhausted_record,
    open_log,
    publish,
)
from cascade_core.request import Request
from cascade_core.setup.plan import Plan, make_plan
from cascade_core.setup.settings import DECIDING
from cascade_core.tier import Tier
from cascade_core.verdict import Verdict


class Engine:
    """A cascade's checked settings and the few things its requests share.

    Args:
        settings: The caller's settings.
        tiers: The tiers as the core sees them.

    Attributes:
        plan: What decides.
        log: Where records are kept, if anywhere.

    Raises:
        ConfigurationError: A setting cannot work.
    """

    def __init__(self, settings: Any, tiers: Sequence[Tier]) -> None:
        self.plan: Plan = make_plan(tiers, **{name: getattr(settings, name) for name in DECIDING})
        self.log: DecisionLog | None = open_log(settings.log)
        self._log_content = bool(settings.log_content)

    def with_tiers(self, tiers: Sequence[Tier]) -> Self:
        """Return the same engine for other forms of the same tiers; all it shares stays shared."""
        engine = copy(self)
        engine.plan = replace(self.plan, tiers=tuple(tiers))
        return engine

    def identity(self) -> dict[str, Any]:
        """Return what makes this cascade decide as it does, as plain JSON without secrets."""
        plan = self.plan
        return {
            "signals": [signal.identity for signal in plan.signals],
            "combine": plan.combiner.identity,
            "thresholds": list(plan.thresholds),
            "gates": [
                f"{g.reason}:{getattr(g.passes, '__qualname__', g.reason)}" for g in plan.gates
            ],
            "mode": plan.mode,
            "on_no_score": plan.on_no_score,
            "on_tool_call": plan.on_tool_call,
            "on_exhausted": plan.on_exhausted,
            "policy": plan.policy,
            "policy_fingerprint": plan.fingerprint,
        }

    def record(
        self,
        verdict: Verdict,
        decision_id: str,
        request: Request,
        collectors: Collectors | None = None,
    ) -> Record:
        """Write a verdict down for the caller, collectors and the log.

        Args:
            verdict: The verdict.
            decision_id: The decision's id.
            request: What was asked.
            collectors: Who collects; None = the collectors around this code.
        """
        record = as_record(verdict, decision_id)
        if self.log is None:
            publish(record, collectors)
        else:
            self.keep(record, lambda: self._content(verdict, request), collectors)
        return record

    def exhausted(
        self,
        error: CascadeExhausted,
        decision_id: str,
        class_name: str | None,
        collectors: Collectors | None = None,
    ) -> Record:
        """Write down a request that no tier answered: its calls may be paid for all the same."""
        calls = [call for call in error.trail if isinstance(call, Call)]
        record = exhausted_record(calls, decision_id, class_name, self.plan.policy)
        self.keep(record, collectors=collectors)
        return record

    def keep(
        self,
        record: Record,
        content: Callable[[], Record] = dict,
        collectors: Collectors | None = None,
    ) -> None:
        """Give a record to collectors and the log; a log that fails costs no answer."""
        publish(record, collectors)
        if self.log is None:
            return
        try:
            self.log.write({**record, **content()})
        except Exception as error:  # noqa: BLE001 - the answer is paid for and must get out
            self.plan.notices.give(
                "log",
                f"{self.log!r} cannot be written ({type(error).__name__}); decisions are lost",
            )

    def _content(self, verdict: Verdict, request: Request) -> Record:
        if not self._log_content:
            return {}
        turns = [{"role": turn.role, "text": turn.text} for turn in request.turns]
        return {"request": turns, "response": verdict.draft.text}
