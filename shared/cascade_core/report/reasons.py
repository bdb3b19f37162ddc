"""Why an answer came from where it did, in words that need no list."""

from __future__ import annotations

from collections.abc import Mapping

from cascade_core.call import Reason

IN_WORDS: Mapping[Reason, str] = {
    "confident": "the draft met its threshold",
    "tool_call": "a tool call that passed every gate",
    "low_confidence": "the draft stayed below its threshold",
    "no_reading": "no signal could read the draft",
    "gate_empty": "the draft was empty",
    "gate_no_context": "no evidence was found to answer from",
    "gate_refusal": "the draft was a refusal",
    "gate_truncated": "the draft was cut off",
    "gate_schema": "the draft did not fit the schema",
    "gate_tool_call": "the draft's tool call was not right",
    "gate_parser": "the draft could not be parsed",
    "gate_runs": "the draft's code did not pass",
    "gate_custom": "a gate of your own failed",
    "failed": "the tier before failed",
    "unable": "the tier before lacks what was needed",
    "tool_support": "the tier before has no tools",
    "sticky": "a later tier had begun this answer",
    "difficult": "the request alone said so",
    "bypassed": "a rule went past the tier before",
    "pinned": "a rule lets only this tier see it",
    "kept": "a rule keeps the first draft",
    "budget": "a budget had no room",
    "held": "an earlier step had decided on the tier",
    "only_tier": "there was no other tier to ask",
    "best_draft": "all later tiers failed",
    "shadow": "only recorded; the last tier was served",
    "learning": "no learned policy keeps its promise, yet",
    "unfinished": "only recorded, and not to the end",
    "cached": "from the cascade's own cache",
    "exhausted": "no tier answered",
    "cancelled": "nobody waited any longer",
}
