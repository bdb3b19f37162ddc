"""What asking only the last tier would have cost, and how well that can be known.

Providers read the beginning of a prompt from a cache where they have seen it a moment ago, and
bill it at a lower rate. Had the last tier been asked all along, its provider's cache would have
held what a conversation had come to so far. How much, only the other tier's call can tell: what
*its* provider read from its cache had been sent before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cascade_core.call import Call, StrongCostBasis
from cascade_core.loop.trail import total
from cascade_core.usage import Usage

if TYPE_CHECKING:
    from cascade_core.costs.prices import Prices
    from cascade_core.request import Request
    from cascade_core.tier import Tier

LEAST_CACHED = 1024
"""Tokens that a prompt must have before the large providers keep any of it in a cache."""


class StrongCost(NamedTuple):
    """The cost of asking only the last tier.

    Attributes:
        cost: USD; None where it is unpriced, or no draft's tokens are known.
        exact: Whether that tier was in fact asked.
        basis: What the cost was worked out from; None where there is none.
    """

    cost: Decimal | None
    exact: bool
    basis: StrongCostBasis | None


def always_strong(
    calls: Sequence[Call], strongest: Tier, prices: Prices, request: Request
) -> StrongCost:
    """Return what asking only the last tier would have cost.

    Where that tier drafted an answer, that is the cost of its drafts. Elsewhere
    it is estimated: the last tier's model's price for the prompt and the answer of
    the last draft, as long as the other model's answer. What that draft's provider
    read from its prompt cache, and wrote to it, the last tier's is taken to have
    read and written as well; where it reports none, all of it is at full price.

    Args:
        calls: The calls of one request, in order.
        strongest: The last tier; its `model` prices the estimate.
        prices: Where prices come from.
        request: The request; whether it goes on with a conversation.
    """
    usage: Usage | None = None
    own, exact = [], False
    for call in calls:
        if call.purpose != "draft":
            continue
        if call.tier == strongest.index:
            own.append(call)
            exact |= call.outcome != "failed"
        usage = call.usage or usage
    if exact:
        cost = total(own)
    else:
        if usage is not None and usage.reasoning_tokens:
            usage = replace(usage, reasoning_tokens=0)
        cost = prices.cost(strongest.price_names(strongest.model), usage)
    basis: StrongCostBasis | None = None
    if cost is not None and usage is not None:
        unknown = _may_be_cached(usage, strongest, prices, request)
        if exact:
            basis = "asked_cold" if unknown else "asked"
        elif usage.cached_tokens or usage.cache_write_tokens:
            basis = "tokens_cached"
        else:
            basis = "at_most" if unknown else "tokens"
    return StrongCost(cost, exact, basis)


def _may_be_cached(usage: Usage, strongest: Tier, prices: Prices, request: Request) -> bool:
    """Tell whether the last tier's cache might have held some of a prompt that no cache held.

    Long prompts alone are looked into: shorter ones are not cached.
    """
    if usage.input_tokens < LEAST_CACHED or usage.cached_tokens:
        return False
    rate = prices.rate(strongest.price_names(strongest.model))
    if rate is None or rate.cached_input >= rate.input:
        return False
    try:
        return any(turn.role == "assistant" for turn in request.turns)
    except Exception:  # noqa: BLE001 - what nobody can read says nothing
        return False
