"""What the requests of one cascade share: its plan, its log, and what is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Self

from cascade_core.log import (
    DecisionLog,
    open_log,
)
from cascade_core.setup.plan import Notices, Plan, make_plan
from cascade_core.setup.settings import DECIDING
from cascade_core.tier import Tier


class Engine:
    """A cascade's checked settings and the few things its requests share.

    Args:
        settings: The caller's settings.
        tiers: The tiers as the core sees them.
        notices: What was warned of in an earlier engine of the same cascade.

    Attributes:
        plan: What decides.
        log: Where records are kept, if anywhere.
        log_content: Whether prompts and answers are kept there too.
        hooks: Told of every request; see `loop.session.Hook`.

    Raises:
        ConfigurationError: A setting cannot work.
    """

    def __init__(
        self, settings: Any, tiers: Sequence[Tier], notices: Notices | None = None
    ) -> None:
        deciding = {name: getattr(settings, name) for name in DECIDING}
        self.plan: Plan = make_plan(tiers, notices, **deciding)
        self.log: DecisionLog | None = open_log(settings.log)
        self.log_content = bool(settings.log_content)
        self.hooks: list[Any] = []

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
