"""Amounts of money as people are shown them."""

from __future__ import annotations

from decimal import Decimal

_CENT = Decimal("0.01")
_HUNDRED = 100


def dollars(amount: float | Decimal) -> str:
    """Return an amount of USD: to a hundredth of a cent, small ones with three digits.

    From a hundred dollars on to the cent.
    """
    if amount < 0:
        return f"-{dollars(-amount)}"
    significant = Decimal(f"{amount:.2e}")
    if 0 < significant < _CENT:
        return f"${significant:f}"
    return f"${amount:.4f}" if significant < _HUNDRED else f"${amount:,.2f}"


def dearer(cost: float | Decimal, strong: float | Decimal, of: str = "this cascade") -> str:
    """Warn of a cascade that costs more than it saves."""
    return (
        f"{of} costs more than always asking the last tier: {dollars(cost)} a request "
        f"against {dollars(strong)}"
    )
