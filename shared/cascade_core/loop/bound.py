"""The highest confidence a running stream can still reach.

A draft is cut off only when it could no longer pass, whatever came after:
every token still to come at probability 1, every unread signal at its best,
every gate passed. So cutting it off never changes a decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cascade_core.request import Request
    from cascade_core.setup.plan import Plan
    from cascade_core.signals.base import Running, Signal
    from cascade_core.tier import Tier


class Bound:
    """The highest confidence a running stream can still reach."""

    __slots__ = ("_best_of", "_running", "best", "readings", "threshold")

    def __init__(self, plan: Plan, tier: Tier, request: Request, max_tokens: int | None) -> None:
        self._best_of = plan.confidences[tier.index].bound(request)
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
