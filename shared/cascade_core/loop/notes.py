"""What the loop warns of: what keeps the cascade from its job, and what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cascade_core.effects import Note
from cascade_core.tier import FAILURES_IN_A_ROW

if TYPE_CHECKING:
    from cascade_core.setup.plan import Plan
    from cascade_core.tier import Tier


def failing_note(plan: Plan, tier: Tier, error: str, streak: int) -> Note:
    """Return the warning that a tier fails again and again.

    Args:
        plan: How the cascade was set up.
        tier: The tier.
        error: The last failure's type and status.
        streak: Which of its streaks this is; each is warned of once.
    """
    then = "every request that comes to it fails"
    if tier is not plan.tiers[-1]:
        then = "every request goes on to the next tier, and nothing is saved"
    return Note(
        f"failing:{tier.index}:{streak}",
        f"{tier.label} has failed {FAILURES_IN_A_ROW} times in a row ({error}): {then}; "
        "check its key, its address and the name of its model",
    )


def no_reading_note(plan: Plan, tier: Tier) -> Note:
    """Return the warning that a tier's drafts cannot be read, and what would help."""
    if not plan.reads_only_logprobs:
        return Note(
            f"no_reading:{tier.index}",
            f"no signal could read a draft of {tier.label}; such requests go on to the next tier",
        )
    return Note(
        f"no_reading:{tier.index}",
        f"{tier.label} gives no confidence reading, so every request goes on to the next tier: "
        "this provider returns no logprobs; add SelfConsistency() or Judge(model) to signals= "
        "(in a chain or an engine of your own, ask for logprobs where the model is made: "
        "logprobs=True)",
    )
