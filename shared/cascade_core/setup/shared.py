"""What a cascade shares with other processes through its store, imported where one is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cascade_core.guards.ledger import Ledger
    from cascade_core.guards.redis_breakers import SharedBreakers
    from cascade_core.guards.redis_holds import CascadeHolds
    from cascade_core.guards.store import RedisStore
    from cascade_core.tier import Tier


def breakers_in(store: RedisStore) -> SharedBreakers:
    """Return what the breakers of a store are made by."""
    from cascade_core.guards.redis_breakers import sharing_of  # noqa: PLC0415 - where it is used

    return sharing_of(store)


def holds_in(store: RedisStore, name: str, tiers: Sequence[Tier]) -> CascadeHolds:
    """Return what keeps a cascade's decisions in a store."""
    from cascade_core.guards.redis_holds import shared_holds  # noqa: PLC0415 - where it is used

    return shared_holds(store, "\0".join((name, *(tier.label for tier in tiers))))


def ledger_in(store: RedisStore | None) -> Ledger | None:
    """Return what counts budgets in a store; None where there is none."""
    if store is None:
        return None
    from cascade_core.guards.redis_ledger import ledger_of  # noqa: PLC0415 - only where it is used

    return ledger_of(store)
