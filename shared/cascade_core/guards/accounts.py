"""The accounts that a request is paid from: one for each budget, of its owner and its window."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

from cascade_core.errors import error_name
from cascade_core.guards.ledger import Account
from cascade_core.guards.windows import window_of
from cascade_core.warn import warn_or_log

if TYPE_CHECKING:
    from cascade_core.guards.budget import Budget
    from cascade_core.request import Request

_warned: set[str] = set()


def accounts_of(budgets: Sequence[Budget], request: Request, *, by_name: bool) -> list[Account]:
    """Return the accounts of a request, in the order of the budgets.

    Args:
        budgets: The budgets.
        request: The request; where nobody named its run, it is one of its own.
        by_name: Whether budgets of one name are one.
    """
    now = time.time()
    accounts = []
    for budget in budgets:
        if budget.per == "run" and request.run is None:
            request.run = str(uuid4())
        window = window_of(budget.per, now, request.run or "")
        # The owner comes last: whatever is in it, no two accounts share a key.
        which = "" if by_name else f"{budget.own}\0"
        key = f"{budget.label}\0{window.name}\0{which}{_owner(budget, request)}"
        runs = budget.per == "run"
        accounts.append(Account(key, budget.nano_usd, budget.tokens, window.ends, runs))
    return accounts


def _owner(budget: Budget, request: Request) -> str:
    """Return whose budget pays; a key that cannot be read is as none, and said once."""
    try:
        return budget.owner(request)
    except Exception as error:  # noqa: BLE001 - a caller's function may raise anything
        if budget.label not in _warned:
            _warned.add(budget.label)
            warn_or_log(
                f"the key of the budget {budget.label!r} raised {error_name(error)}: such requests "
                "share the budget of those without a key"
            )
        return ""
