"""What came out of one request: the answer chosen, why, and every call made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from cascade_core.frozen import frozen

if TYPE_CHECKING:
    from cascade_core.draft import Draft
    from cascade_core.effects import Purpose
    from cascade_core.usage import Usage

Reason = Literal[
    "confident",
    "tool_call",
    "low_confidence",
    "no_reading",
    "gate_empty",
    "gate_no_context",
    "gate_refusal",
    "gate_truncated",
    "gate_schema",
    "gate_tool_call",
    "gate_parser",
    "gate_custom",
    "failed",
    "tool_support",
    "sticky",
    "difficult",
    "only_tier",
    "best_draft",
    "shadow",
    "cached",
    "exhausted",
]
"""Why a verdict is what it is; the whole list.

=================  ==========================================================
`confident`        confidence met the threshold
`tool_call`        a tool call passed every gate and `on_tool_call="gates"`
`low_confidence`   the last judged draft stayed below its threshold
`no_reading`       no signal could read the draft, or none could ever read it
`gate_…`           the last judged draft failed that gate
`gate_no_context`  that one: the tier looked for evidence and found none
`failed`           the last tier before the one that answered raised
`tool_support`     the tiers before cannot call tools, and the request has some
`sticky`           a stronger tier had begun the answer that this request goes on with
`difficult`        the request alone said that a cheaper draft would cost more than it saves, or
                   the policy accepts none of requests like it
`only_tier`        there was no other tier to ask
`best_draft`       every later tier failed; the best draft so far was returned
`shadow`           the strongest tier was served; the rest was only recorded
`cached`           the whole answer came from the cascade's own cache
`exhausted`        no tier answered; only in the log and for collectors
=================  ==========================================================
"""

Outcome = Literal["accepted", "rejected", "returned", "aborted", "failed", "used"]
"""What became of one call.

=============  ==============================================================
`accepted`     its answer was returned: a threshold (or the gates) passed it
`returned`     its answer was returned without a threshold (the last tier)
`rejected`     its answer was judged and not returned
`aborted`      its stream was cut off because it could no longer pass
`failed`       it raised, timed out or broke off
`used`         it served a signal: a sample, a judge, a stated confidence
=============  ==============================================================
"""


@dataclass(slots=True)
class Call:
    """One call of a model. Only the flow that made it changes its outcome.

    Attributes:
        tier: The tier called, or for a judge the tier that was judged.
        model: The model that answered.
        purpose: What the answer was for.
        usage: Tokens used; None where nothing is known (a failed call).
        cost: USD; None where the model is unpriced.
        seconds: Wall time.
        outcome: What became of it.
        note: Why a draft was not accepted, or the gate a returned answer failed.
        tokens_saved: Output tokens that an abort saved at the most: the
            caller's limit minus what was written; None where nothing was
            aborted or no limit is known.
        error: What a failed call raised: its type and HTTP status, never its text.
    """

    tier: int | None
    model: str | None
    purpose: Purpose
    usage: Usage | None
    cost: Decimal | None
    seconds: float
    outcome: Outcome
    note: Reason | None = None
    tokens_saved: int | None = None
    error: str | None = None


@frozen
class Judgement:
    """How one draft was judged.

    Attributes:
        reason: Why it was accepted or not.
        accepted: Whether it was.
        draft: The draft, or None where the tier failed or was cut off.
        confidence: Probability that the draft is good, in [0, 1]; None = no reading.
        threshold: What the confidence had to reach.
        signals: Reading of each signal, in [0, 1] or None.
    """

    reason: Reason
    accepted: bool = False
    draft: Draft | None = None
    confidence: float | None = None
    threshold: float | None = None
    signals: Mapping[str, float | None] = field(default_factory=dict)


@frozen
class Verdict:
    """What came out of one request.

    Attributes:
        tier: Index of the tier whose answer is returned.
        draft: That answer.
        reason: Why; see `Reason`.
        accepted: Whether a threshold (or the gates of a tool call) was met.
        judged: How the last judged draft was judged.
        calls: Every call made, in order, paid or failed.
        cost: USD of all calls; None where one of them is unpriced.
        strong_cost: What asking only the strongest tier would have cost, an
            estimate unless that tier was called; None where unpriced.
        strong_cost_exact: Whether the strongest tier was in fact called.
        class_name: The request's class.
        policy: Name of the policy that decided.
        calibrated: Whether the last judged draft's confidence is a fitted probability.
        shadow: In shadow mode, what the cascade would have done.
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
