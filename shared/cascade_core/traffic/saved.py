"""What was saved: the one rule by which a figure leads, wherever something is said of it.

From `FEW_AUDITS` audits on that correct the estimate, what they make of it leads and the estimate
is second. Below that the estimate leads, and is called one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from cascade_core.evaluation.audited import FEW_AUDITS, Estimates, Saving
from cascade_core.traffic.money import SAME_USD, BreakEven, Costs, share_that_pays


@dataclass(frozen=True, slots=True)
class Saved:
    """What some requests saved against always asking the strongest tier, audits paid for.

    Attributes:
        by: `audits` where they correct the estimate, `estimate` where they are too few, `paid`
            where the strongest tier was asked each time, so that nothing is estimated.
        audits: How many correct the estimate, or would.
        requests: Requests whose costs are known; sums are over them.
        answers_usd: Their answers alone; None where nothing is known.
        audits_usd: Their audits alone; None where one is unpriced.
        strong_usd: Always asking the strongest tier.
        low: Lower end of the 95 % interval of what was saved; None where audits do not correct it.
        high: Upper end of it.
        break_even: From which share of kept answers on the cascade pays, at these costs.
    """

    by: Literal["audits", "estimate", "paid"]
    audits: int
    requests: int
    answers_usd: float | None
    audits_usd: float | None
    strong_usd: float | None
    low: float | None
    high: float | None
    break_even: BreakEven | None

    @property
    def cost_usd(self) -> float | None:
        """Answers and audits together; None where one of them is not known."""
        if self.answers_usd is None or self.audits_usd is None:
            return None
        return self.answers_usd + self.audits_usd

    @property
    def saved_usd(self) -> float | None:
        """What was saved; below 0 where the cascade cost more."""
        cost = self.cost_usd
        return None if cost is None or self.strong_usd is None else self.strong_usd - cost

    @property
    def share(self) -> float | None:
        """The same as a share of always asking the strongest tier."""
        saved = self.saved_usd
        return saved / self.strong_usd if saved is not None and self.strong_usd else None

    @property
    def dear(self) -> bool:
        """Whether the cascade cost more than going straight to the strongest tier."""
        cost, strong = self.cost_usd, self.strong_usd
        return cost is not None and strong is not None and cost > strong * (1 + SAME_USD)

    @property
    def corrected(self) -> bool:
        """Whether audits correct it."""
        return self.by == "audits"

    @property
    def how(self) -> str:
        """How it was found, in the words that stand beside the figure; empty where it was paid."""
        return {"audits": "corrected by audits", "estimate": "by estimate", "paid": ""}[self.by]

    @property
    def label(self) -> str:
        """What the figure is called."""
        return f"saved, {self.how}" if self.how else "saved"

    def as_dict(self) -> dict[str, Any]:
        """Return all this as plain JSON."""
        even = self.break_even
        return {
            "by": self.by,
            "audits": self.audits,
            "requests": self.requests,
            "cost_usd": self.cost_usd,
            "answers_usd": self.answers_usd,
            "audits_usd": self.audits_usd,
            "strong_cost_usd": self.strong_usd,
            "saved_usd": self.saved_usd,
            "share": self.share,
            "interval": [self.low, self.high],
            "dear": self.dear,
            "break_even": None if even is None else even.as_dict(),
        }


def saved_of(costs: Costs, audits: Estimates | None, even: BreakEven | None) -> Saved:
    """Decide which figure of what was saved leads.

    Args:
        costs: Of the requests, by estimate.
        audits: What audits say of them; None where none could be.
        even: From where on the cascade pays, by estimate.
    """
    saving = None if audits is None else audits.saving
    count = 0 if saving is None else saving.audits
    if saving is not None and count >= FEW_AUDITS and saving.saved_usd is not None:
        return Saved(
            "audits",
            count,
            saving.requests,
            saving.cost_usd,
            saving.audit_cost_usd,
            saving.strong_cost_usd,
            saving.low,
            saving.high,
            _corrected(even, None if audits is None else audits.stayed_saving),
        )
    return Saved(
        "estimate" if costs.estimated else "paid",
        count,
        costs.requests,
        costs.answers_usd,
        costs.audits_usd,
        costs.strong_usd,
        None,
        None,
        even,
    )


def _corrected(even: BreakEven | None, kept: Saving | None) -> BreakEven | None:
    """Correct what a kept answer saves; what one sent on costs more was paid, and is exact."""
    if even is None or kept is None or not kept.audits:
        return even
    gain = (kept.strong_cost_usd - kept.cost_usd) / kept.requests
    share = share_that_pays(gain, even.loss_usd, even.audit_usd)
    return replace(even, gain_usd=gain, share=share)
