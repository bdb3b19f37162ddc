"""What the budgets of one cascade have spent and set aside, out of all that this process knows."""

from __future__ import annotations

from typing import Any

from cascade_core.guards.ledger import Balance


def balances_of(cascade: Any) -> dict[tuple[str, str, str], Balance]:
    """Return the balances by the name of their budget, their window and their owner."""
    guards = cascade._engine.guards
    own = {budget.own for budget in guards.budgets}
    found = {}
    for key, balance in guards.ledger._balances.items():
        name, window, which, owner = key.split("\0")
        if which in own:
            found[name, window, owner] = balance
    return found
