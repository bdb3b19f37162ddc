"""What a call costs: the user's price table first, then published prices, else unpriced.

A model is looked up once and its rate remembered, because costs are computed on
every request. Reading price tables (`price_table`), published prices
(`catalogue`) and the arithmetic (`rate`) have modules of their own.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeAlias

from cascade_core.costs.rate import EXACT, Rate
from cascade_core.forks import free_in_child
from cascade_core.usage import Usage

if TYPE_CHECKING:
    from cascade_core.costs.catalogue import Listing
    from cascade_core.costs.price_table import PriceTable

__all__ = ["Prices", "Rate"]

MAX_REMEMBERED = 4096
"""Model names remembered; providers may report any name they like, memory stays bounded."""

Names: TypeAlias = str | tuple[str | None, ...] | None
"""A model by its name, or by all its names, the best first."""

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of a name; `renew_at` only where the price changes with time."""

    rate: Rate | None
    listing: Listing | None = None
    renew_at: float | None = None


class Prices:
    """Costs of calls, safe to share between threads.

    Args:
        table: The user's own prices, which always win: a mapping or the path
            of a JSON file; `price_table.read_prices` describes the formats.
        clock: Returns seconds since the epoch, for prices that depend on the
            time of day.

    Raises:
        ConfigurationError: The table is not one; names model and key.
    """

    def __init__(
        self, table: PriceTable | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._table: Mapping[str, Rate] = {}
        if table is not None:
            from cascade_core.costs.price_table import read_prices  # noqa: PLC0415 - on use

            self._table = read_prices(table)
        self._clock = clock
        self._known: dict[Names, _Known] = {}
        self._lock = RLock()  # a stream collected as garbage may come from in here
        free_in_child(self)
        self._identity: str | None = None

    def cost(self, model: Names, usage: Usage | None) -> Decimal | None:
        """Return what a call cost.

        Args:
            model: See `rate`.
            usage: The tokens of the call.

        Returns:
            USD, or None (*unpriced*, which is never 0) where the model, its
            price or the usage is unknown.
        """
        if usage is None:
            return None
        rate = self.rate(model)
        return None if rate is None else rate.cost(usage)

    def rate(self, model: Names) -> Rate | None:
        """Return a model's rate as of now, or None where it is unpriced.

        Args:
            model: The model that answered, as its provider names it; a
                provider may stand before it (`azure:gpt-4o`, `groq/...`). Or
                all its names, that one first, then those it was set up with
                (an alias, a deployment): the user's own price for any of them
                wins, then the first that has a published price.
        """
        if not model:
            return None
        known = self._known.get(model)
        if known is None or (known.renew_at is not None and self._clock() >= known.renew_at):
            known = self._look_up(model)
        return known.rate

    def rate_at_hand(self, model: Names) -> Rate | None:
        """Return a model's rate, unless published prices would have to be read in an event loop.

        Reading them takes a moment, once in a process; who sets a cascade up can wait for it, other
        tasks of a running loop must not.

        Args:
            model: See `rate`.
        """
        if "genai_prices.data" in sys.modules or not in_loop():
            return self.rate(model)
        from cascade_core.costs.price_table import find_rate  # noqa: PLC0415 - once for each model

        return find_rate(self._table, _listed(model))

    @property
    def identity(self) -> str:
        """A string equal for tables that price alike; part of cache keys."""
        if self._identity is None:
            digest = hashlib.sha256()
            for model in sorted(self._table):
                digest.update(
                    f"{model}\0{_spelled(self._table[model])}\0".encode("utf-8", "surrogatepass")
                )
            self._identity = f"prices:{digest.hexdigest()[:16]}" if self._table else "prices:none"
        return self._identity

    def _look_up(self, model: Names) -> _Known:
        from cascade_core.costs import catalogue  # noqa: PLC0415 - once for each model
        from cascade_core.costs.price_table import find_rate  # noqa: PLC0415

        with self._lock:
            known = self._known.get(model)
            now = self._clock()
            if known is None:
                names = _listed(model)
                rate = find_rate(self._table, names)
                listings = () if rate else filter(None, map(catalogue.find, names))
                dated = (_dated(listing, now) for listing in listings)
                known = next((each for each in dated if each.rate), _Known(rate))
                if len(self._known) >= MAX_REMEMBERED:
                    del self._known[next(iter(self._known))]
            elif known.listing is not None and known.renew_at is not None and now >= known.renew_at:
                known = _dated(known.listing, now)
            self._known[model] = known
            return known

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the lock and what was remembered: copies and workers look up anew."""
        return {"table": self._table, "clock": self._clock}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Start over with the same table."""
        self.__init__(state["table"], clock=state["clock"])  # type: ignore[misc]

    def __repr__(self) -> str:
        """Show how many models the user priced."""
        return f"Prices({len(self._table)} own)"


def _listed(model: Names) -> tuple[str, ...]:
    names = (model,) if isinstance(model, str) else model or ()
    return tuple(dict.fromkeys(name for name in names if name))


def in_loop() -> bool:
    """Tell whether an event loop is running here, which must not wait."""
    asyncio = sys.modules.get("asyncio")  # without it, no loop
    return asyncio is not None and asyncio._get_running_loop() is not None  # noqa: SLF001


def _dated(listing: Listing, now: float) -> _Known:
    # Published prices change on the minute at the finest, so one reading a minute is exact.
    renew_at = (now // _MINUTE + 1) * _MINUTE if listing.changes(now) else None
    return _Known(listing.rate(now), listing, renew_at)


def _spelled(rate: Rate) -> str:
    """Spell a rate so that equal prices are equal text (0.150 is 0.15)."""
    spelled = []
    for field in fields(rate):
        value = getattr(rate, field.name)
        if field.name == "cache_write_1h" and value == rate.cache_write:
            continue  # as it was before there was such a price
        if isinstance(value, Decimal):
            spelled.append(str(value.normalize(EXACT)))
        elif field.name == "tiers":
            spelled += [f"{start}:({_spelled(longer)})" for start, longer in value]
    return " ".join(spelled)
