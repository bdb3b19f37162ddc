"""The most that a call can cost, before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cascade_core.costs.prices import Prices
from cascade_core.costs.tokens import MESSAGE_TOKENS, REPLY_TOKENS, count_tokens
from cascade_core.guards.ledger import Amount
from cascade_core.usage import Usage

if TYPE_CHECKING:
    from cascade_core.request import Request
    from cascade_core.tier import Tier


def bound_of(tier: Tier, request: Request, prices: Prices, calls: int = 1) -> Amount | str:
    """Return the most that calls of a tier can cost, or what is missing to know it.

    Args:
        tier: The tier.
        request: What it is asked.
        prices: Where its price comes from.
        calls: How many calls.

    Returns:
        The amount; or `"price"`, or `"max_tokens"`, where that is not known.
    """
    output = tier.max_tokens if request.max_tokens is None else request.max_tokens
    if output is None:
        return "max_tokens"
    rate = prices.rate(tier.price_names(tier.model))
    if rate is None:
        return "price"
    tokens = REPLY_TOKENS
    for turn in request.turns:
        tokens += count_tokens(turn.text, tier.model)[0] + MESSAGE_TOKENS
    cost = rate.cost(Usage(tokens, output))
    return Amount.of(cost * calls, (tokens + output) * calls)
