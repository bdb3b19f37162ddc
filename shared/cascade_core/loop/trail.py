"""The calls of one request, each written down once, as it comes back.

Everything that asks a model for anything goes through here, so that a call
cannot be made without being in the trail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from cascade_core.call import Call, Outcome, Purpose, Reason
from cascade_core.draft import Draft
from cascade_core.effects import Ask, Drafts, Effect, Failed, Reply, Steps
from cascade_core.errors import CascadeExhausted, describe
from cascade_core.signals.base import as_reading

if TYPE_CHECKING:
    from cascade_core.costs.prices import Prices
    from cascade_core.request import Request
    from cascade_core.signals.base import Signal
    from cascade_core.tier import Tier


_FREE = Decimal(0)
_SETTLED: frozenset[Outcome] = frozenset({"rejected", "aborted", "failed", "used"})


class Entry:
    """One answer in the trail: its call, or the calls of a tier that made several.

    Args:
        calls: The calls that stand for the answer.
    """

    __slots__ = ("_calls",)

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls

    def settle(self, outcome: Outcome, note: Reason | None = None) -> None:
        """Say what became of the answer, and why."""
        for call in self._calls:
            call.outcome = outcome
            call.note = note


class Trail:
    """Calls in the order they came back.

    Args:
        prices: Where costs come from.
    """

    __slots__ = ("_prices", "calls")

    def __init__(self, prices: Prices) -> None:
        self.calls: list[Call] = []
        self._prices = prices

    def add(self, draft: Draft, tier: Tier, purpose: Purpose, outcome: Outcome) -> Entry:
        """Write down an answer, or the calls inside the tier that made it."""
        if draft.inner:
            calls = [self._inside(call, tier, purpose) for call in draft.inner]
            # What a cascade or chain inside a tier rejected or used stays what it is; only
            # the calls its answer came from share the fate of that answer.
            entry = Entry([call for call in calls if call.outcome not in _SETTLED])
            entry.settle(outcome)
        else:
            model = draft.model or tier.model
            priced = tier.price_name(model)
            cost = _FREE if draft.cached else self._prices.cost(priced, draft.usage)
            calls = [Call(tier.index, model, purpose, draft.usage, cost, draft.seconds, outcome)]
            entry = Entry(calls)
        self.calls += calls
        return entry

    def _inside(self, call: Call, tier: Tier, purpose: Purpose) -> Call:
        cost = self._prices.cost(call.model, call.usage) if call.cost is None else call.cost
        inner = purpose if call.purpose == "draft" else call.purpose
        return replace(call, tier=tier.index, cost=cost, purpose=inner)

    def fail(self, failed: Failed, tier: Tier, purpose: Purpose) -> None:
        """Write down a failure, with whatever had arrived before it."""
        draft = failed.draft
        if draft is None and isinstance(failed.error, CascadeExhausted):
            # A cascade as a tier: what it had tried is paid for.
            draft = Draft(inner=[c for c in failed.error.trail if isinstance(c, Call)])
        if draft is not None:
            self.add(draft, tier, purpose, "failed")
        else:
            self.calls.append(
                Call(tier.index, tier.model, purpose, None, None, failed.seconds, "failed")
            )
        if self.calls and self.calls[-1].outcome == "failed":
            self.calls[-1].error = self.calls[-1].error or describe(failed.error)

    def abort(self, draft: Draft, tier: Tier, max_tokens: int | None) -> None:
        """Write down a draft that was cut off, and what that saved at the most."""
        self.add(draft, tier, "draft", "returned").settle("aborted", "low_confidence")
        if max_tokens is not None and max_tokens > 0 and draft.usage is not None:
            self.calls[-1].tokens_saved = max(0, max_tokens - draft.usage.output_tokens)

    def read(
        self, signal: Signal, request: Request, draft: Draft, tier: Tier
    ) -> Steps[tuple[float | None, str | None]]:
        """Take a signal's reading; whatever it asks for is written down as used.

        Returns:
            The reading, and what was wrong with it, if anything: a caller's
            signal may raise or return anything, which counts as no reading.
        """
        reply: Reply = None
        try:
            steps = signal.measure(request, draft, tier)
            while True:
                effect: Effect = steps.send(reply)
                reply = yield effect
                if type(effect) is Ask:
                    self._note(effect, reply, tier)
        except StopIteration as stop:
            reading, odd = as_reading(stop.value)
        except Exception as error:  # noqa: BLE001 - a caller's signal may raise anything
            return None, f"raised {type(error).__name__}"
        return reading, None if odd is None else f"read {odd} instead of a number in [0, 1] or None"

    def _note(self, effect: Ask, reply: Reply, tier: Tier) -> None:
        drafts: Sequence[Draft] = reply.drafts if isinstance(reply, Drafts) else ()
        # One `Failed` in place of `Drafts` stands for every call of the effect.
        failures = reply.failures if isinstance(reply, Drafts) else [reply] * effect.n
        asked = tier if effect.target is tier else replace(tier, model=None, provider=None)
        for draft in drafts:
            self.add(draft, asked, effect.purpose, "used")
        for failed in failures:
            if isinstance(failed, Failed):
                self.fail(failed, asked, effect.purpose)
