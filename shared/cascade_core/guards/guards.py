"""Asked before every call of a cascade, and told of it afterwards."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cascade_core.call import Call
from cascade_core.costs.prices import in_loop
from cascade_core.costs.rate import EXACT
from cascade_core.effects import Ask, Failed, Grant, Open, Reply, Settle
from cascade_core.errors import BudgetExceeded, NotAskedError, UnboundedCallError, error_name
from cascade_core.guards.accounts import accounts_of
from cascade_core.guards.billed import error_names, may_be_billed
from cascade_core.guards.bounds import Unbounded, Wanted, bound_of
from cascade_core.guards.budget import Budget
from cascade_core.guards.ledger import OF_PROCESS, Account, Amount, Lease, Ledger, Short
from cascade_core.guards.permits import Breakers, tell_breaker
from cascade_core.guards.room import WAITING, Room
from cascade_core.request import Request
from cascade_core.tier import Tier

if TYPE_CHECKING:
    from cascade_core.costs.prices import Prices
    from cascade_core.draft import Draft

AsTier = Callable[[Any], Tier | None]
"""Returns a judge as if it were a tier, for its price and its limit; None where nobody can."""


class Guards:
    """The guards of one cascade.

    Args:
        budgets: What may be spent.
        ledger: Where that is kept; by default in this process.
        breakers: Those of the tiers and judges; None where nothing is ever left alone.
        as_tier: See `AsTier`.

    Attributes:
        waits: Whether asking them may wait; then no event loop may do it.
        room: Wakes requests that wait for a budget to have room.
        per_run: Whether there is a budget of runs, so that requests have to say theirs.
    """

    def __init__(
        self,
        budgets: Sequence[Budget] = (),
        ledger: Ledger | None = None,
        breakers: Breakers | None = None,
        as_tier: AsTier = lambda _: None,
    ) -> None:
        self.budgets = tuple(budgets)
        self.ledger: Ledger = ledger or OF_PROCESS
        self.breakers = breakers
        self.waits = self.ledger.waits or (breakers is not None and breakers.waits)
        self.room = WAITING
        self.per_run = any(each.per == "run" for each in self.budgets)
        self._as_tier = as_tier
        self._wanted = Wanted(
            usd=any(each.usd is not None for each in self.budgets),
            tokens=any(each.tokens is not None for each in self.budgets),
        )

    def unbounded(self, tiers: Sequence[Tier], prices: Prices) -> Iterator[tuple[Tier, str]]:
        """Yield the tiers that no budget can hold, and why, as far as that is known beforehand.

        Args:
            tiers: The tiers.
            prices: Where prices come from.
        """
        for tier in tiers if self.budgets else ():
            unread = prices.rate_at_hand(tier.price_names(tier.model)) is None
            wanted = self._wanted._replace(usd=self._wanted.usd and not (unread and in_loop()))
            why = bound_of(Ask(tier, Request()), tier, prices, wanted)
            if isinstance(why, Unbounded):
                yield tier, _unbounded(tier, why)

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
        permit = None
        if self.breakers is not None:
            judge = None if isinstance(target, Tier) else self._as_tier(target)
            entered = self.breakers.enter(target, judge, request)
            if isinstance(entered, Failed):
                return entered
            permit = entered
        lease: Lease | Failed | None = None
        try:
            if self.budgets:
                lease = self._lease(call, target, request, prices)
            if isinstance(lease, Lease):
                self.ledger.start(lease)
        except NotAskedError as error:  # a server that holds the budgets is away
            lease = Failed(error)
        except Exception as error:  # noqa: BLE001 - what cannot be read cannot be bounded either
            label = target.label if isinstance(target, Tier) else "a model beside the tiers"
            said = f"what {label} is to be asked cannot be read ({error_name(error)})"
            lease = Failed(UnboundedCallError(f"{said}, so that no budget can hold its call"))
        if isinstance(lease, Failed):
            if permit is not None:
                permit.breaker.left(permit)
            return lease
        return Grant(call, lease, permit)

    def after(self, grant: Grant, reply: Reply, calls: Sequence[Call]) -> None:
        """Take note of how a call ended, and of what it cost."""
        if grant.breaker is not None:
            tell_breaker(grant.breaker, reply)
        if grant.lease is not None:
            names = error_names(reply.error) if isinstance(reply, Failed) else []
            self.ledger.settle(grant.lease, _spent(grant, calls, names))
            self.room.freed()

    def give_back(self, grant: Grant) -> None:
        """Take back what was set aside for a call that was never begun."""
        if grant.breaker is not None:
            grant.breaker.breaker.left(grant.breaker)
        if grant.lease is not None:
            self.ledger.abandon(grant.lease, Amount())
            self.room.freed()

    def abandon(self, grant: Grant, calls: Sequence[Call]) -> None:
        """Take note of a call that nobody waits for any longer; it is paid for in full."""
        if grant.breaker is not None:
            grant.breaker.breaker.left(grant.breaker)
        if grant.lease is not None:
            self.ledger.abandon(grant.lease, _spent(grant, calls, left=True))
            self.room.freed()

    def _lease(
        self, call: Ask | Open, target: Any, request: Request, prices: Prices
    ) -> Lease | Failed:
        tier = target if isinstance(target, Tier) else self._as_tier(target)
        bound = bound_of(call, tier, prices, self._wanted)
        if isinstance(bound, Unbounded):
            return Failed(UnboundedCallError(_unbounded(target, bound)))
        accounts = accounts_of(self.budgets, request, by_name=self.ledger.by_name)
        lease = self.ledger.reserve(accounts, bound)
        if isinstance(lease, Short):  # counting takes longer, and tells of more room
            exact = bound_of(call, tier, prices, self._wanted, counted=True)
            if isinstance(exact, Amount) and exact != bound:
                bound = exact
                lease = self.ledger.reserve(accounts, exact)
        if isinstance(lease, Short):
            return Failed(_exceeded(self.budgets[lease.place], accounts[lease.place], lease, bound))
        return lease


class GuardedRequest:
    """The guards as one request meets them.

    Args:
        guards: The cascade's.
        request: The request.
        prices: Where prices come from.

    Attributes:
        arrived: What had arrived of the stream that was closed last.
        until: Until when a call may wait for a budget to have room, as `perf_counter` has it;
            None sets no limit.
    """

    __slots__ = ("_guards", "_prices", "_request", "arrived", "until", "waits")

    def __init__(self, guards: Guards, request: Request, prices: Prices) -> None:
        self._guards, self._request, self._prices = guards, request, prices
        self.waits = guards.waits
        self.arrived: Draft | None = None
        self.until: float | None = None

    def before(self, call: Ask | Open) -> Grant | Failed:
        """Ask whether a call may be made; see `Guards.before`."""
        return self._guards.before(call, self._request, self._prices)

    def give_back(self, reply: Grant | Failed) -> None:
        """Take back what was set aside for a call that was never begun."""
        if isinstance(reply, Grant):
            self._guards.give_back(reply)

    @property
    def room(self) -> Room:
        """Wakes requests that wait for a budget to have room."""
        return self._guards.room

    def pause(self, reply: Grant | Failed) -> float | None:
        """Return the seconds after which to ask again at the latest; None where not to."""
        error = reply.error if isinstance(reply, Failed) else None
        if not isinstance(error, BudgetExceeded) or error.when_short != "wait" or error.hopeless:
            return None
        left = None if self.until is None else self.until - time.perf_counter()
        if left is not None and left <= 0:
            return None
        frees = error.frees_at
        until = None if frees is None else max(0.001, frees.timestamp() - time.time())
        return min(each for each in (LOOK_AGAIN, left, until) if each is not None)

    def after(self, settled: Settle) -> None:
        """Take note of how a call ended."""
        self._guards.after(settled.grant, settled.reply, settled.calls)

    def abandon(self, grant: Grant, calls: Sequence[Call]) -> None:
        """Take note of a call that nobody waits for any longer."""
        self._guards.abandon(grant, calls)


def _spent(
    grant: Grant, calls: Sequence[Call], failed: Sequence[str] = (), *, left: bool = False
) -> Amount:
    """Return what calls have spent; what is not known counts as all that was set aside.

    Args:
        grant: The grant.
        calls: The calls, as the trail has them.
        failed: The names of the error that came of them, and of all that it wraps.
        left: Whether nobody waited for their end.
    """
    lease: Lease = grant.lease
    if left and not calls:
        return lease.amount
    usd, tokens = Decimal(0), 0
    for call in calls:
        billed = may_be_billed(*failed, *re.findall(r"\w+", call.error or ""))
        if call.usage is None and call.outcome == "failed" and not billed:
            continue  # refused, or never sent
        if call.usage is None or (call.cost is None and lease.amount.nano_usd):
            return lease.amount
        if call.usage.source == "estimate":
            return lease.amount  # characters are no bound on tokens, in Thai or in digits
        if type(grant.call) is Open and call.outcome in ("failed", "aborted"):
            return lease.amount  # more may have been written, and billed, than had arrived
        usd = EXACT.add(usd, call.cost or Decimal(0))
        tokens += call.usage.input_tokens + call.usage.output_tokens
    return Amount.of(usd, tokens)


LOOK_AGAIN = 1.0
"""Seconds after which a waiting request looks again, whether or not anything was given back."""


def _exceeded(budget: Budget, account: Account, short: Short, wanted: Amount) -> BudgetExceeded:
    """Return the error of a budget without room for a call."""
    # What is set aside may come back; what is spent of a run never does.
    alone = Amount() if budget.per != "run" else _without(short.used, short.held)
    frees = None if budget.per == "run" else datetime.fromtimestamp(account.ends, UTC)
    hopeless = not account.has_room(alone, wanted)
    return BudgetExceeded(budget.label, budget.per, frees, budget.when_short, hopeless)


def _without(used: Amount, held: Amount) -> Amount:
    return Amount(used.nano_usd - held.nano_usd, used.tokens - held.tokens)


def _unbounded(target: Any, why: Unbounded) -> str:
    name = target.label if isinstance(target, Tier) else "the model that a signal asks"
    return f"{name} has no {why.lacks}, so that no budget can hold its calls: give {why.give}"
