"""The highest confidence a running stream can still reach.

A draft is cut off only when it could no longer pass, whatever came after:
every token still to come at probability 1, every unread signal at its best,
every gate passed. So cutting it off never changes a decision.

Nor is anything cut off that may be a thought: tokens of one do not count. Where
its opening mark belongs to the prompt's template that shows only at its end, so
a model that is known to think so is always heard out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cascade_core.verdict import Judgement

if TYPE_CHECKING:
    from cascade_core.request import Request
    from cascade_core.setup.plan import Plan
    from cascade_core.signals.base import Running, Signal
    from cascade_core.tier import Tier


def may_cut(plan: Plan, tier: Tier) -> bool:
    """Tell whether a tier's drafts may be cut off at all."""
    # A draft that was cut off could not be returned as the best one.
    cuts = plan.streaming_policy != "buffer" and plan.on_exhausted != "best_draft"
    # Whoever takes over what the last tier wrote needs all of it.
    cuts = cuts and tier.index < len(plan.tiers) - 1
    return cuts and not tier.thinks_unmarked


class Bound:
    """The highest merit that a running stream's draft can still reach."""

    __slots__ = ("_best_of", "_maker", "_running", "best", "readings", "threshold")

    def __init__(self, plan: Plan, tier: Tier, request: Request, max_tokens: int | None) -> None:
        self._maker = plan.confidences[tier.index]
        self._best_of = self._maker.bound(request)
        self._running: list[tuple[Signal, Running]] = []
        for signal in plan.signals:
            running = signal.running(max_tokens)
            if running is not None:
                self._running.append((signal, running))
        self.threshold = plan.threshold(tier, request)
        self.readings: dict[str, float | None] = {}
        self.best = 1.0

    def fell(self, logprobs: Sequence[float]) -> bool:
        """Take further tokens; tell whether the threshold is out of reach for good."""
        if not self._running:
            return False
        for signal, running in self._running:
            self.readings[signal.name] = running.feed(logprobs)
        self.best = self._best_of(self.readings)
        return self.best < self.threshold

    def cut(self) -> Judgement:
        """Return the judgement of a draft whose threshold is out of reach."""
        return Judgement(
            "low_confidence",
            confidence=None if self._maker.weighs else self.best,
            threshold=self.threshold,
            signals=dict(self.readings),
            merit=self.best,
        )
