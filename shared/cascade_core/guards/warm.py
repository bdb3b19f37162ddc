"""What leaving a warm prompt cache costs, against staying with the model that has filled it.

Staying, the strong model reads all that was said at its price for cached tokens, and only what is
new at the full one. Leaving, the cheap model reads all of it at its full price, and where its
answer is not accepted the strong model is asked after all.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from threading import RLock
from typing import TYPE_CHECKING

from cascade_core.abilities import size_of
from cascade_core.costs.rate import EXACT
from cascade_core.forks import free_in_child
from cascade_core.usage import Usage

if TYPE_CHECKING:
    from cascade_core.costs.prices import Prices
    from cascade_core.costs.rate import Rate
    from cascade_core.guards.holds import Stay
    from cascade_core.request import Request
    from cascade_core.tier import Tier

LEFT_ENOUGH = 20
"""Conversations that have come down before it is known how often they go up again."""

LEAST_WARM = 1024
"""Tokens that a prompt must have before the large providers keep any of it in a cache."""

_CHARACTERS = 4  # of a token


class Leaving:
    """How often conversations that come down go up again, and whether leaving pays by that."""

    __slots__ = ("__weakref__", "_again", "_lock", "_seen")

    def __init__(self) -> None:
        self._seen = self._again = 0
        self._lock = RLock()  # a stream collected as garbage may come from in here
        free_in_child(self)

    def saw(self, *, again: bool) -> None:
        """Take note of a conversation's first request that was decided anew."""
        with self._lock:
            self._seen += 1
            self._again += again

    def pays(self, stay: Stay, request: Request, tiers: Sequence[Tier], prices: Prices) -> bool:
        """Tell whether leaving is known to be cheaper; as long as it is not, a conversation stays.

        It is not known where too few conversations have come down, where a model is unpriced, or
        where the tokens of the last answer are not known.
        """
        with self._lock:
            seen, again = self._seen, self._again
        if seen < LEFT_ENOUGH or stay.usage is None:
            return False
        costs = compare(stay.usage, _new(request), tiers[0], tiers[stay.tier], prices)
        if costs is None:
            return False
        leaving, staying = costs
        share = Decimal(again + 1) / Decimal(seen + 2)  # the rule of succession
        return EXACT.fma(share, staying, leaving) < staying


def compare(
    last: Usage, new: int, cheap: Tier, strong: Tier, prices: Prices
) -> tuple[Decimal, Decimal] | None:
    """Return what a conversation's next request costs: of the cheap model, and of the strong one.

    Args:
        last: The tokens of the strong model's last answer; the next is taken to be as long.
        new: Tokens of the user's new message.
        cheap: The tier that has read nothing of it yet.
        strong: The tier whose provider's cache is warm.
        prices: Where prices come from.

    Returns:
        USD; None where one of the two is unpriced.
    """
    rates = (
        prices.rate(cheap.price_names(cheap.model)),
        prices.rate(strong.price_names(strong.model)),
    )
    if rates[0] is None or rates[1] is None:
        return None
    warm, marked = _kept(last, rates[1])
    prompt = last.input_tokens + last.output_tokens + new
    written = prompt if marked and _bills_writing(rates[0]) else 0
    leaving = Usage(prompt, last.output_tokens, cache_write_tokens=written)
    written = prompt - warm if marked else 0
    staying = Usage(prompt, last.output_tokens, warm, written)
    return rates[0].cost(leaving), rates[1].cost(staying)


def warm_share(stay: Stay, request: Request, strong: Tier, prices: Prices) -> float:
    """Return what a warm tier's next answer costs, as a share of what it would with a cold cache.

    Args:
        stay: The conversation's stay on the tier.
        request: Its next request.
        strong: The tier.
        prices: Where prices come from.

    Returns:
        1 where it is not known.
    """
    if stay.usage is None:
        return 1.0
    costs = compare(stay.usage, _new(request), strong, strong, prices)
    prompt = stay.usage.input_tokens + stay.usage.output_tokens + _new(request)
    cold = prices.cost(strong.price_names(strong.model), Usage(prompt, stay.usage.output_tokens))
    return float(costs[1] / cold) if costs is not None and cold else 1.0


def _new(request: Request) -> int:
    return size_of(request.question) // _CHARACTERS


def _kept(last: Usage, rate: Rate) -> tuple[int, bool]:
    """Return what a provider's cache holds of a prompt, and whether prompts are marked for it.

    Those that bill what is written to the cache (Anthropic, Bedrock) write what is marked, and
    report it. The others cache by themselves all that is long enough.
    """
    reported = last.cached_tokens + last.cache_write_tokens
    if _bills_writing(rate):
        return min(reported, last.input_tokens), reported > 0
    return last.input_tokens if last.input_tokens >= LEAST_WARM else 0, False


def _bills_writing(rate: Rate) -> bool:
    return rate.cache_write > rate.input
