"""Published prices, as the optional package genai-prices knows them.

The package is read as it was installed. Its updates from the network are never
started here, and a model it does not know stays unpriced: a similar model's
price would be a guess. A user's own prices do not belong here; see `price_table`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from threading import RLock
from typing import TYPE_CHECKING

from cascade_core.costs.names import fine_tuned, is_bedrock, without_provider
from cascade_core.costs.rate import EXACT, Rate
from cascade_core.forks import free_in_child

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

_KEYS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
}
_ALIASES = {
    "azure_ai": "azure",
    "azure_openai": "azure",
    "fireworks_ai": "fireworks",
}
"""Prefixes of LangChain and litellm that genai-prices does not resolve by itself."""

_RESOURCE = re.compile(r"(?:(?:.+/)?publishers/[^/]+/)?models/(.+)")
_loading = RLock()  # a stream collected as garbage may come from in here
free_in_child(sys.modules[__name__], "_loading")
_read = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A model found in the catalogue.

    Attributes:
        model: The catalogue's entry.
        source: Which release and entry of the catalogue that is.
    """

    model: ModelInfo
    source: str

    def rate(self, moment: float) -> Rate | None:
        """Return what the model costs at a moment, or None without token prices.

        Args:
            moment: Seconds since the epoch.
        """
        now = datetime.fromtimestamp(moment, UTC)
        return _rate(self.model.get_prices(now), f"{self.source}, on {now:%Y-%m-%d}")

    def changes(self, moment: float) -> bool:
        """Tell whether the price depends on the hour, or has a date of change ahead."""
        prices = self.model.prices
        if not isinstance(prices, list):
            return False
        today = datetime.fromtimestamp(moment, UTC).date()
        for price in prices:
            if price.constraint is not None:
                start = getattr(price.constraint, "start_date", None)
                if start is None or start > today:
                    return True
        return False


def is_read() -> bool:
    """Tell whether the package has been read, or found not to be there."""
    return _read


def find(model: str) -> Listing | None:
    """Find a model's entry; None where it is unknown or genai-prices is not installed.

    A name with a provider (`azure:gpt-4o`, `groq/llama-3.1-8b-instant`) is
    looked up at that provider, one without at the vendor who made the model
    and never at a reseller. What runs on one's own machine has no entry.
    """
    global _read  # noqa: PLW0603 - once in a process
    with _loading:
        try:
            from genai_prices import __version__  # noqa: PLC0415 - heavy and optional
            from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415
        except ImportError:
            _read = True
            return None
        snapshot = get_snapshot()
        _read = True
        for reference, provider_id in _references(model):
            try:
                provider, entry = snapshot.find_provider_model(reference, None, provider_id, None)
            except LookupError:
                continue
            return Listing(entry, f"genai-prices {__version__} ({provider.id}/{entry.id})")
    return None


def _references(model: str) -> Iterator[tuple[str, str | None]]:
    """Yield what to look up: a model's name and, where the name says it, its provider."""
    if is_bedrock(model):
        yield model, "aws"
        return
    tuned = next((name for name in without_provider(model) if fine_tuned(name)), None)
    if tuned is not None:
        yield tuned, "openai"
        return
    head, *rest = re.split("[:/]", model, maxsplit=1)
    if rest:
        yield rest[0], _ALIASES.get(head, head)
    # A colon that follows no provider is Ollama's (`deepseek-r1:7b`): a model at home is not
    # billed like its vendor's.
    if ":" not in model:
        yield model, None
    if resource := _RESOURCE.fullmatch(model):
        yield resource[1], None


def _rate(prices: ModelPrice, source: str) -> Rate | None:
    listed = {name: getattr(prices, key, None) for name, key in _KEYS.items()}
    given = {name: price for name, price in listed.items() if price is not None}
    if not given.keys() >= {"input", "output"}:
        return None
    requests = getattr(prices, "requests_kcount", None)
    per_request = Decimal(0) if requests is None else _at(requests, 0).scaleb(-3, EXACT)
    starts = {tier.start for price in given.values() for tier in getattr(price, "tiers", ())}

    def at(prompt_tokens: int, tiers: tuple[tuple[int, Rate], ...] = ()) -> Rate:
        usd = {name: _at(price, prompt_tokens).scaleb(-6, EXACT) for name, price in given.items()}
        return Rate.of(usd, source=source, per_request=per_request, tiers=tiers)

    return at(0, tuple((start, at(start + 1)) for start in sorted(starts)))


def _at(price: Decimal | TieredPrices, prompt_tokens: int) -> Decimal:
    """Return the price per unit that holds for a prompt of that many tokens."""
    if isinstance(price, Decimal):
        return price
    reached = [tier.price for tier in price.tiers if prompt_tokens > tier.start]
    return reached[-1] if reached else price.base
