"""The breakers of one cascade: whom a call needs leave from, and how its end is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cascade_core.effects import Done, Drafts, Failed, Reply
from cascade_core.errors import CutShortError, TierOpenError
from cascade_core.guards.breakers import LeftAlone, Permit, TierBreaker, read_failure
from cascade_core.tier import Tier

if TYPE_CHECKING:
    from cascade_core.request import Request


class Breakers:
    """The breakers of a cascade's tiers, and of the models that judge.

    Args:
        make: Makes one for a tier, or a judge as far as anybody knows its model, by its label.
        tiers: The tiers.
        begin: Called before every call, where breakers are shared.

    Attributes:
        waits: Whether asking them may wait; then no event loop may do it.
    """

    def __init__(
        self,
        make: Callable[[str, Tier | None], TierBreaker],
        tiers: Sequence[Tier],
        begin: Callable[[], None] | None = None,
    ) -> None:
        self._make = make
        self._begin = begin
        self._of_tiers = {tier.index: make(tier.label, tier) for tier in tiers}
        self._of_judges: dict[str, TierBreaker] = {}
        self._last = max(self._of_tiers, default=0)
        self.waits = any(each.waits for each in self._of_tiers.values())

    def of(self, tier: Tier) -> TierBreaker | None:
        """Return a tier's."""
        return self._of_tiers.get(tier.index)

    def enter(self, target: Any, judge: Tier | None, request: Request) -> Permit | Failed | None:
        """Ask whether something may be called.

        Args:
            target: What is to be called: a tier, or a judge.
            judge: The judge as a tier, as far as anybody knows its model.
            request: The caller's request.

        Returns:
            Leave to call it, or why there is none; None where it has no breaker.
        """
        if self._begin is not None:
            self._begin()
        if not isinstance(target, Tier):
            model = type(target).__name__ if judge is None or judge.model is None else judge.model
            label = f"{model}, a model beside the tiers,"
            breaker = self._of_judges.get(label)
            if breaker is None:
                breaker = self._of_judges.setdefault(label, self._make(label, judge))
            entered = breaker.enter()
            return _failed(label, entered) if isinstance(entered, LeftAlone) else entered
        own = self._of_tiers.get(target.index)
        if own is None:
            return None
        # It has nowhere else to go where it is the last tier, or a rule allows no other.
        entered = own.enter(last=target.index == self._last or request.ruling.pin is not None)
        if isinstance(entered, LeftAlone):
            return _failed(target.label, entered, target.index)
        return entered


def _failed(label: str, alone: LeftAlone, tier: int | None = None) -> Failed:
    return Failed(TierOpenError(label, alone.seconds, tier))


def tell_breaker(permit: Permit, reply: Reply) -> None:
    """Tell a breaker how a call ended; of several at once, what the provider asks for counts."""
    if _says_nothing(reply):
        permit.breaker.left(permit)
        return
    if isinstance(reply, Failed):
        permit.breaker.failed(permit, reply.error)
        return
    failures = reply.failures if isinstance(reply, Drafts) else ()
    asks = next((each.error for each in failures if read_failure(each.error)[1]), None)
    if asks is not None:
        permit.breaker.failed(permit, asks)
    else:
        permit.breaker.answered(permit)


def _says_nothing(reply: Reply) -> bool:
    """Tell whether a call says nothing of its provider: it was cut off, or a cache answered."""
    if isinstance(reply, Failed):
        return isinstance(reply.error, CutShortError)
    if isinstance(reply, Drafts):
        return not reply.failures and all(draft.cached for draft in reply.drafts)
    return isinstance(reply, Done) and reply.draft.cached
