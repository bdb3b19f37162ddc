"""What a run will cost at about, from the tokens of the requests and the prices of the tiers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from cascade_core.collect.requests import Sample
from cascade_core.costs.rate import EXACT
from cascade_core.costs.shown import dollars
from cascade_core.costs.tokens import count_tokens
from cascade_core.setup.plan import Plan
from cascade_core.usage import Usage

ANSWER_TOKENS = 300
"""Tokens of an answer that nobody has seen yet."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run is thought to cost.

    Attributes:
        requests: How many are yet to be asked.
        tiers: How many tiers.
        usd: USD of the tiers' answers; None where a tier has no price.
        unpriced: The tiers without a price.
        besides: Whether paid signals or a judge cost something besides.
    """

    requests: int
    tiers: int
    usd: Decimal | None
    unpriced: tuple[str, ...] = ()
    besides: bool = False

    def __str__(self) -> str:
        """Say it in one line."""
        noun = "request" if self.requests == 1 else "requests"
        what = f"{self.requests:,} {noun} to {self.tiers} tiers"
        more = ", and what signals and judge ask besides" if self.besides else ""
        if self.usd is None:
            return (
                f"{what}: the cost is not known, for there is no price of "
                f"{' or '.join(self.unpriced)}; --prices takes a table of yours"
            )
        return f"{what}: about {dollars(self.usd)}, if answers have {ANSWER_TOKENS} tokens{more}"


def estimate_cost(plan: Plan, samples: Sequence[Sample], *, judged: bool = False) -> Estimate:
    """Estimate what asking every tier costs.

    Args:
        plan: The tiers and prices.
        samples: The requests that are yet to be asked.
        judged: Whether a model grades the answers.
    """
    total, unpriced = Decimal(0), []
    for tier in plan.tiers:
        names = tier.price_names(tier.model)
        if plan.prices.rate(names) is None:
            unpriced.append(tier.label)
            continue
        for sample in samples:
            text = sample.text if sample.messages is None else json.dumps(sample.messages)
            usage = Usage(count_tokens(text, tier.model)[0], ANSWER_TOKENS)
            total = EXACT.add(total, plan.prices.cost(names, usage) or Decimal(0))
    besides = judged or any(signal.paid for signal in plan.signals)
    return Estimate(
        len(samples),
        len(plan.tiers),
        None if unpriced else total,
        tuple(unpriced),
        besides,
    )
