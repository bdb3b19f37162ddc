"""Sums over the calls of one request: what it cost, and what the strongest tier would have.

Pure functions; what a single call costs is decided in `prices`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from cascade_core.call import Call
from cascade_core.costs.prices import Prices
from cascade_core.costs.rate import EXACT
from cascade_core.tier import Tier
from cascade_core.usage import Usage


def total(calls: Iterable[Call]) -> Decimal | None:
    """Return what calls cost together, in USD.

    A failed call of which no usage is known counts as 0: providers do not bill
    requests they refuse or drop. Any other call without a cost is unpriced,
    and then so is the sum.

    Returns:
        USD, or None where a call is unpriced.
    """
    cost = Decimal(0)
    for call in calls:
        if call.cost is not None:
            cost = EXACT.add(cost, call.cost)
        elif call.usage is not None or call.outcome != "failed":
            return None
    return cost


def always_strong(
    calls: Sequence[Call], strongest: Tier, prices: Prices
) -> tuple[Decimal | None, bool]:
    """Return what asking only the strongest tier would have cost.

    Where that tier drafted an answer, that is the cost of its drafts. Elsewhere
    it is estimated: the strongest model's price for the prompt and the answer of
    the last draft, as long as the other model's answer and with no prompt cache,
    which the strongest model would have had to fill first.

    Args:
        calls: The calls of one request, in order.
        strongest: The last tier; its `model` prices the estimate.
        prices: Where prices come from.

    Returns:
        USD (None where unpriced, or where no draft's tokens are known), and
        whether it is exact.
    """
    usage, own, answered = None, [], False
    for call in calls:
        if call.purpose != "draft":
            continue
        if call.tier == strongest.index:
            own.append(call)
            answered |= call.outcome != "failed"
        usage = call.usage or usage
    if answered:
        return total(own), True
    if usage is None:
        return None, False
    if usage.cached_tokens or usage.cache_write_tokens or usage.reasoning_tokens:
        usage = Usage(usage.input_tokens, usage.output_tokens, source="estimate")
    return prices.cost(strongest.price_name(strongest.model), usage), False
