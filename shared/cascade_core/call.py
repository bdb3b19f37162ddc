"""One call of a model: what it was for, what it cost, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from cascade_core.usage import Usage

Purpose = Literal["draft", "sample", "agree", "judge", "verbalize", "audit", "handoff"]
"""What an answer is for: to be returned, to be compared (of the same model, of another), to judge,
to state a confidence, to audit an answer that is out, to take the place of one that is handed off.
"""

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
    "gate_runs",
    "gate_custom",
    "failed",
    "unable",
    "tool_support",
    "sticky",
    "difficult",
    "bypassed",
    "pinned",
    "kept",
    "budget",
    "open",
    "deadline",
    "overtaken",
    "held",
    "only_tier",
    "best_draft",
    "shadow",
    "learning",
    "unfinished",
    "cached",
    "exhausted",
    "cancelled",
]
"""Why a verdict is what it is; the whole list.

=================  ==========================================================
`confident`        the draft's merit met the threshold
`tool_call`        a tool call, or another answer without text, passed every gate and
                   `on_tool_call="gates"`
`low_confidence`   the last judged draft stayed below its threshold
`no_reading`       no signal could read the draft, or none could ever read it
`gate_…`           the last judged draft failed that gate
`gate_no_context`  that one: the tier looked for evidence and found none
`failed`           the last tier before the one that answered raised
`unable`           the tiers before lack what the request needs; the record says what
`tool_support`     the same of tools, in records of earlier versions
`sticky`           a later tier had begun the answer that this request goes on with
`difficult`        the request alone said that a cheaper draft would cost more than it saves, or
                   the policy accepts none of requests like it
`bypassed`         a rule of the policy sent the request past the tiers before
`pinned`           a rule lets only this tier see the request
`kept`             a rule says never to escalate: the draft was returned however it was judged
`budget`           a budget had no room for the tiers after the one that answered, and the record
                   says that its promise is void; else it had none for the tier before
`open`             the tier before keeps failing and is left alone for a while
`deadline`         there was no time for a draft
`overtaken`        a later tier that was asked early answered first
`held`             the tier was decided by an earlier step of the same turn or conversation
`only_tier`        there was no other tier to ask
`best_draft`       every later tier failed; the best draft so far was returned
`shadow`           the last tier was served; the rest was only recorded
`learning`         the last tier was served, for no learned policy keeps its promise, yet or
                   any longer
`unfinished`       only under `shadow`: the cheaper tiers were not, or not yet, asked to the end
`cached`           the whole answer came from the cascade's own cache
`exhausted`        no tier answered; only in the log and for collectors
`cancelled`        nobody waited for the answer any longer; only in the log and for collectors
=================  ==========================================================
"""

Outcome = Literal["accepted", "rejected", "returned", "aborted", "failed", "used"]
"""What became of one call.

=============  ==============================================================
`accepted`     its answer was returned: a threshold (or the gates) passed it
`returned`     its answer was returned without a threshold (the last tier)
`rejected`     its answer was judged and not returned
`aborted`      it was cut off: its stream could no longer pass, or nobody waited any longer, for
               want of time, of a need for it, or of a caller
`failed`       it raised, timed out or broke off
`used`         it served a signal or an audit: a sample, a judge, a stated confidence
=============  ==============================================================
"""


StrongCostBasis = Literal["asked", "asked_cold", "tokens", "tokens_cached", "at_most"]
"""What the cost of always asking the last tier was worked out from; the whole list.

===============  ============================================================
`asked`          the last tier was asked: what its drafts cost
`asked_cold`     the same, of a conversation that its provider's prompt cache did not hold:
                 had it been asked all along, the cache would have held some of it
`tokens`         another tier's tokens at the last tier's prices
`tokens_cached`  the same; what that tier's provider read from, and wrote to, its prompt
                 cache is priced as if the last tier's had as well
`at_most`        the same at full price, of a conversation of which nobody knows how much
                 the last tier's provider would have read from its prompt cache
===============  ============================================================
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
        names: The names to price it by, where they are known: see `Tier.price_names`.
        began: When it began, as `perf_counter` has it; None where that is not known.
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
    names: tuple[str | None, ...] = ()
    began: float | None = field(default=None, compare=False, repr=False)
