"""Amounts of money as people are shown them."""

from __future__ import annotations

from decimal import Decimal

_CENT = Decimal("0.01")


def dollars(amount: float | Decimal) -> str:
    """Return an amount of USD: to a hundredth of a cent, smaller ones with three digits."""
    significant = Decimal(f"{amount:.2e}")
    return f"${significant:f}" if 0 < abs(significant) < _CENT else f"${amount:.4f}"


def dearer(cost: float | Decimal, strong: float | Decimal, of: str = "this cascade") -> str:
    """Warn of a cascade that costs more than it saves."""
    return (
        f"{of} costs more than always asking the last tier: {dollars(cost)} a request "
        f"against {dollars(strong)}"
    )
