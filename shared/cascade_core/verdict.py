"""What came out of one request: the answer chosen, why, and every call made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from decimal import Decimal

from cascade_core.abilities import Missing
from cascade_core.call import Call, Reason, StrongCostBasis
from cascade_core.draft import Draft
from cascade_core.frozen import frozen
from cascade_core.held import Held


@frozen
class Committed:
    """That a draft was accepted by its first tokens.

    Attributes:
        tokens: By how many.
        live: Whether the caller had the rest as it came; else the draft was whole already.
        error: The gate that the draft failed once it was whole, or `failed` where its stream
            broke; None where nothing was wrong with it.
    """

    tokens: int
    live: bool = False
    error: Reason | None = None


@frozen
class Judgement:
    """How one draft was judged.

    Attributes:
        reason: Why it was accepted or not.
        accepted: Whether it was.
        draft: The draft, or None where the tier failed or was cut off.
        confidence: Probability that the draft is good, in [0, 1]; None = no reading, or not known
            beside a benefit, as bounds of the merit settled the matter.
        threshold: What the merit had to reach.
        signals: Reading of each signal, in [0, 1] or None.
        tier: Index of the tier whose draft it is.
        model: The model that wrote it.
        paid: USD that each paid signal's reading cost, by name; None = unpriced.
        merit: What was held against the threshold: the confidence, or what it and the benefit come
            to, in [0, 1]; None = no reading.
        benefit: What asking on would gain over the draft, in [-1, 1]; None = not fitted, or not
            known.
        committed: Of a draft that was accepted by its first tokens, by how many.
    """

    reason: Reason
    accepted: bool = False
    draft: Draft | None = None
    confidence: float | None = None
    threshold: float | None = None
    signals: Mapping[str, float | None] = field(default_factory=dict)
    tier: int | None = None
    model: str | None = None
    paid: Mapping[str, Decimal | None] = field(default_factory=dict)
    merit: float | None = None
    benefit: float | None = None
    committed: Committed | None = None

    @property
    def error(self) -> Reason | None:
        """What was wrong with a draft that was accepted, and was out before that was known."""
        return None if self.committed is None else self.committed.error


@frozen
class Failing:
    """A tier that fails again and again.

    Attributes:
        tier: Its index.
        model: Its model's name, as far as it is known before a call.
        failures: How often it has failed in a row.
        error: The last failure's type and status.
        open: Whether the request left it alone for that.
    """

    tier: int
    model: str | None
    failures: int
    error: str | None
    open: bool = False


@frozen
class Verdict:
    """What came out of one request.

    Attributes:
        tier: Index of the tier whose answer is returned.
        draft: That answer.
        reason: Why; see `Reason`.
        accepted: Whether a threshold (or the gates of a tool call) was met.
        judged: How the last judged draft was judged.
        judgements: How every judged draft was judged, in order.
        calls: Every call made, in order, paid or failed.
        cost: USD of all calls; None where one of them is unpriced.
        strong_cost: What asking only the last tier would have cost, an
            estimate unless that tier was called; None where unpriced.
        strong_cost_exact: Whether the last tier was in fact called.
        strong_cost_basis: What that cost was worked out from; None where it is not known.
        class_name: The request's class.
        policy: Name of the policy that decided.
        calibrated: Whether the last judged draft's confidence is a fitted probability.
        shadow: In shadow mode, what the cascade would have done.
        unable: What tiers that were passed over lacked, by index.
        failing: Tiers that have failed several times in a row.
        budget: What the budget is called that had no room for a call of the decision, if any.
        void: Whether that kept the answer below a threshold, so that no promise holds for it.
        held: What earlier steps of the turn or conversation had decided, where they had.
        handoff: Whether the last tier's answer stayed below its threshold.
        handed_to: Who answered in its place, by name; None where nobody did.
        sent_on: Where the last tier's answer was judged, why the request had come to that tier.
    """

    tier: int
    draft: Draft
    reason: Reason
    accepted: bool
    judged: Judgement
    calls: Sequence[Call]
    cost: Decimal | None
    strong_cost: Decimal | None
    strong_cost_exact: bool
    class_name: str | None = None
    policy: str | None = None
    calibrated: bool = False
    shadow: Mapping[str, object] | None = None
    unable: Mapping[int, Sequence[Missing]] = field(default_factory=dict)
    failing: Sequence[Failing] = ()
    judgements: Sequence[Judgement] = ()
    strong_cost_basis: StrongCostBasis | None = None
    budget: str | None = None
    void: bool = False
    held: Held | None = None
    handoff: bool = False
    handed_to: str | None = None
    sent_on: Reason | None = None
