"""The calls of one request, each written down once, as it comes back; and what they cost.

Everything that asks a model for anything goes through here, so that a call
cannot be made without being in the trail. What a single call costs is decided in `costs.prices`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from cascade_core.call import Call, Outcome, Purpose, Reason
from cascade_core.costs.prices import Prices
from cascade_core.costs.rate import EXACT
from cascade_core.draft import Draft
from cascade_core.effects import Ask, Begin, Drafts, Effect, Failed, Open, Reply, Steps
from cascade_core.errors import CascadeExhausted, CutShortError, error_name, never_asked
from cascade_core.request import Request
from cascade_core.signals.asking import name_asked
from cascade_core.signals.base import Signal
from cascade_core.signals.readings import as_reading
from cascade_core.tier import Tier
from cascade_core.verdict import Committed

_FREE = Decimal(0)
_SETTLED: frozenset[Outcome] = frozenset({"rejected", "aborted", "failed", "used"})


class TrailEntry:
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

    Attributes:
        calls: The calls.
        again: Those whose answers were read again, for the draft of another tier: once for each
            time.
    """

    __slots__ = ("_partners", "_prices", "again", "calls", "committed")

    def __init__(self, prices: Prices) -> None:
        self.calls: list[Call] = []
        self.committed: Committed | None = None  # of the draft that is live, if one is
        self._prices = prices
        self.again: list[Call] = []
        self._partners: list[tuple[Ask, Drafts, Sequence[Call]]] = []

    def add(
        self, draft: Draft, tier: Tier, purpose: Purpose, outcome: Outcome = "returned"
    ) -> TrailEntry:
        """Write down an answer, or the calls inside the tier that made it."""
        if draft.inner:
            calls = [self._inside(call, tier, purpose, draft.began) for call in draft.inner]
            # What a cascade or chain inside a tier rejected or used stays what it is; only
            # the calls its answer came from share the fate of that answer.
            entry = TrailEntry([call for call in calls if call.outcome not in _SETTLED])
            entry.settle(outcome)
        else:
            model = draft.model or tier.model
            names = draft.names or tier.price_names(model)
            cost = _FREE if draft.cached else self._prices.cost(names, draft.usage)
            usage, seconds, began = draft.usage, draft.seconds, draft.began
            calls = [Call(tier.index, model, purpose, usage, cost, seconds, outcome, began=began)]
            entry = TrailEntry(calls)
        self.calls += calls
        return entry

    def _inside(self, call: Call, tier: Tier, purpose: Purpose, began: float | None) -> Call:
        cost = call.cost
        if cost is None:
            cost = self._prices.cost(call.names or call.model, call.usage)
        inner = purpose if call.purpose == "draft" else call.purpose
        began = began if call.began is None else call.began
        return replace(call, tier=tier.index, cost=cost, purpose=inner, began=began)

    def fail(self, failed: Failed, tier: Tier, purpose: Purpose) -> None:
        """Write down a failure, with whatever had arrived before it; not of a model never asked."""
        if never_asked(failed.error):
            return
        draft = failed.draft
        if isinstance(failed.error, CutShortError):
            self._cut(failed, tier, purpose)
            return
        if draft is None and isinstance(failed.error, CascadeExhausted):
            # A cascade as a tier: what it had tried is paid for.
            inner = [c for c in failed.error.trail if isinstance(c, Call)]
            draft = Draft(inner=inner, began=failed.began)
        if draft is not None:
            self.add(draft, tier, purpose, "failed")
        else:
            began, seconds = failed.began, failed.seconds
            self.calls.append(
                Call(tier.index, tier.model, purpose, None, None, seconds, "failed", began=began)
            )
        last = self.calls[-1]
        if last.outcome == "failed":
            last.error = last.error or error_name(failed.error)

    def _cut(self, failed: Failed, tier: Tier, purpose: Purpose) -> None:
        """Write down a call that was not waited for; what it cost is known as far as it came."""
        assert isinstance(failed.error, CutShortError)  # noqa: S101
        if failed.draft is not None:
            entry = self.add(failed.draft, tier, purpose)
        else:
            began, seconds = failed.began, failed.seconds
            call = Call(
                tier.index, tier.model, purpose, None, None, seconds, "aborted", began=began
            )
            self.calls.append(call)
            entry = TrailEntry([call])
        entry.settle("aborted", failed.error.reason)

    def abort(self, draft: Draft, tier: Tier, max_tokens: int | None) -> None:
        """Write down a draft that was cut off, and what that saved at the most."""
        self.add(draft, tier, "draft").settle("aborted", "low_confidence")
        if max_tokens is not None and max_tokens > 0 and draft.usage is not None:
            self.calls[-1].tokens_saved = max(0, max_tokens - draft.usage.output_tokens)

    def leave(self, call: Ask | Open, arrived: Draft | None) -> None:
        """Write down a call that was running when its request was left; nobody knows what it cost.

        Args:
            call: The call.
            arrived: What had arrived of it, where it was a stream.
        """
        target = call.tier if isinstance(call, Open) else call.target
        tier = target if isinstance(target, Tier) else None
        purpose: Purpose = "draft" if isinstance(call, Open) else call.purpose
        if tier is not None and arrived is not None:
            self.add(arrived, tier, purpose, "aborted")
            return
        index, model = (None, name_asked(target)) if tier is None else (tier.index, tier.model)
        calls = call.n if isinstance(call, Ask) else 1
        for _ in range(calls):
            self.calls.append(Call(index, model, purpose, None, None, 0.0, "aborted"))

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
                known = self._known(effect.call if type(effect) is Begin else effect)
                if known is not None:
                    reply = None if type(effect) is Begin else self._again(known)
                    continue
                reply = yield effect
                if type(effect) is Ask:
                    self.note(effect, reply, tier)
        except StopIteration as stop:
            reading, odd = as_reading(stop.value)
        except Exception as error:  # noqa: BLE001 - a caller's signal may raise anything
            return None, f"raised {type(error).__name__}"
        return reading, None if odd is None else f"read {odd} instead of a number in [0, 1] or None"

    def mark(self) -> tuple[int, int]:
        """Return where the trail stands, for `read_since`."""
        return len(self.calls), len(self.again)

    def read_since(self, mark: tuple[int, int]) -> list[Call]:
        """Return the calls whose answers were read since then, those paid for earlier among them.

        What is read again costs nothing now, and would where only this tier were asked. So a
        reading has one price in every row, whichever tiers a request came by.
        """
        return [*self.calls[mark[0] :], *self.again[mark[1] :]]

    def knows(self, call: Ask) -> bool:
        """Tell whether a model has answered this request already, asked what the tiers are."""
        return self._known(call) is not None

    def _known(self, call: object) -> tuple[Ask, Drafts, Sequence[Call]] | None:
        if type(call) is not Ask or call.purpose != "agree":
            return None
        for known in self._partners:
            if known[0].target is call.target and known[0].request is call.request:
                return known
        return None

    def _again(self, known: tuple[Ask, Drafts, Sequence[Call]]) -> Drafts:
        self.again += known[2]
        return known[1]

    def note(self, effect: Ask, reply: Reply, tier: Tier) -> None:
        """Write down what a signal asked for, and what came back.

        Args:
            effect: What it asked for.
            reply: What came back.
            tier: Whose draft it reads.
        """
        drafts: Sequence[Draft] = reply.drafts if isinstance(reply, Drafts) else ()
        # One `Failed` in place of `Drafts` stands for every call of the effect.
        failures = reply.failures if isinstance(reply, Drafts) else [reply] * effect.n
        asked, begun = tier, len(self.calls)
        if effect.target is not tier:  # a judge, whose price is not the tier's
            asked = replace(tier, model=None, names=(), provider=None)
        for draft in drafts:
            self.add(draft, asked, effect.purpose, "used")
        if asked is not tier:  # of what never answered it is known who was asked, if nothing else
            asked = replace(asked, model=name_asked(effect.target))
        for failed in failures:
            if isinstance(failed, Failed):
                self.fail(failed, asked, effect.purpose)
        if effect.purpose == "agree" and isinstance(reply, Drafts):
            self._partners.append((effect, reply, self.calls[begun:]))


def total(calls: Iterable[Call]) -> Decimal | None:
    """Return what calls cost together, in USD.

    A failed call of which no usage is known counts as 0: providers do not bill
    requests they refuse or drop. Any other call without a cost is unpriced,
    and then so is the sum.

    Returns:
        USD, or None where a call is unpriced.
    """
    cost = Decimal(0)
    for call in calls:
        if call.cost is not None:
            cost = EXACT.add(cost, call.cost)
        elif call.usage is not None or call.outcome != "failed":
            return None
    return cost
