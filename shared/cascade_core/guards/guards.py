"""Asked before every call of a cascade, and told of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cascade_core.call import Call
from cascade_core.effects import Ask, Failed, Grant, Open, Reply, Settle
from cascade_core.errors import BudgetExceeded, TierOpenError, UnboundedCallError
from cascade_core.guards.bounds import bound_of
from cascade_core.guards.breakers import Breaker
from cascade_core.guards.budget import Budget
from cascade_core.guards.ledger import Account, Amount, Lease, Ledger, LocalLedger, Short
from cascade_core.guards.windows import window_of
from cascade_core.tier import Tier

if TYPE_CHECKING:
    from cascade_core.costs.prices import Prices
    from cascade_core.draft import Draft
    from cascade_core.request import Request


class Guards:
    """The guards of one cascade.

    Args:
        budgets: What may be spent.
        ledger: Where that is kept.
        breakers: One for every tier, by index.

    Attributes:
        waits: Whether asking them may wait; then no event loop may do it.
    """

    def __init__(
        self,
        budgets: Sequence[Budget] = (),
        ledger: Ledger | None = None,
        breakers: Mapping[int, Breaker] | None = None,
    ) -> None:
        self.budgets = tuple(budgets)
        self.ledger: Ledger = ledger or LocalLedger()
        self.breakers = dict(breakers or {})
        self.waits = self.ledger.waits

    def before(self, call: Ask | Open, request: Request, prices: Prices) -> Grant | Failed:
        """Ask whether a call may be made, and set aside what it can cost.

        Args:
            call: The call.
            request: The caller's request that it is made for: it says whose budget pays.
            prices: Where prices come from.

        Returns:
            A grant, or why there is none.
        """
        target = call.tier if isinstance(call, Open) else call.target
        breaker = self.breakers.get(target.index) if isinstance(target, Tier) else None
        if breaker is not None and not breaker.allows():
            return Failed(TierOpenError(f"{target.label} keeps failing and is left alone"))
        lease = self._lease(call, target, request, prices) if self.budgets else None
        if isinstance(lease, Failed):
            return lease
        if lease is not None:
            self.ledger.start(lease)
        return Grant(call, lease, breaker)

    def after(self, grant: Grant, reply: Reply, calls: Sequence[Call]) -> None:
        """Take note of how a call ended, and of what it cost."""
        if grant.breaker is not None:
            if isinstance(reply, Failed):
                grant.breaker.failed(reply.error)
            else:
                grant.breaker.answered()
        if grant.lease is not None:
            self.ledger.settle(grant.lease, _spent(grant.lease, calls))

    def abandon(self, grant: Grant, calls: Sequence[Call]) -> None:
        """Take note of a call that nobody waits for any longer; it is paid for in full."""
        if grant.lease is not None:
            self.ledger.abandon(grant.lease, _spent(grant.lease, calls, left=True))

    def _lease(
        self, call: Ask | Open, target: Any, request: Request, prices: Prices
    ) -> Lease | Failed:
        n = call.n if isinstance(call, Ask) else 1
        bound = bound_of(target, call.request, prices, n)
        if isinstance(bound, str):
            name = getattr(target, "label", "the judge")
            return Failed(UnboundedCallError(f"{name} has no {bound}: no budget can hold its call"))
        now = datetime.now(UTC)
        accounts = []
        for budget in self.budgets:
            window = window_of(budget.per, now)
            usd = budget.limit_usd
            key = f"{budget.label}/{budget.owner(request)}/{window.name}"
            nano = None if usd is None else Amount.of(usd, 0).nano_usd
            accounts.append(Account(key, nano, budget.tokens, window.ends))
        lease = self.ledger.reserve(accounts, bound)
        if isinstance(lease, Short):
            budget = self.budgets[lease.place]
            ends = datetime.fromtimestamp(accounts[lease.place].ends, UTC)
            return Failed(BudgetExceeded(budget.label, budget.per, ends))
        return lease


class GuardedRequest:
    """The guards as one request meets them.

    Args:
        guards: The cascade's.
        request: The request.
        prices: Where prices come from.

    Attributes:
        arrived: What had arrived of the stream that was closed last.
    """

    __slots__ = ("_guards", "_prices", "_request", "arrived", "waits")

    def __init__(self, guards: Guards, request: Request, prices: Prices) -> None:
        self._guards, self._request, self._prices = guards, request, prices
        self.waits = guards.waits
        self.arrived: Draft | None = None

    def before(self, call: Ask | Open) -> Grant | Failed:
        """Ask whether a call may be made; see `Guards.before`."""
        return self._guards.before(call, self._request, self._prices)

    def after(self, settled: Settle) -> None:
        """Take note of how a call ended."""
        self._guards.after(settled.grant, settled.reply, settled.calls)

    def abandon(self, grant: Grant, calls: Sequence[Call]) -> None:
        """Take note of a call that nobody waits for any longer."""
        self._guards.abandon(grant, calls)


def _spent(lease: Lease, calls: Sequence[Call], *, left: bool = False) -> Amount:
    """Return what calls have spent; what is not known counts as all that was set aside."""
    if left and not calls:
        return lease.amount
    usd, tokens = Decimal(0), 0
    for call in calls:
        if call.usage is None and call.outcome == "failed":
            continue  # refused or dropped: not billed
        if call.cost is None or call.usage is None:
            return lease.amount
        usd += call.cost
        tokens += call.usage.input_tokens + call.usage.output_tokens
    return Amount.of(usd, tokens)
