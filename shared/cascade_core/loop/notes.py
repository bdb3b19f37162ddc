"""What the loop warns of: what keeps the cascade from its job, and what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cascade_core.effects import Note
from cascade_core.errors import error_name, is_lasting, remedy
from cascade_core.tier import FAILURES_IN_A_ROW

if TYPE_CHECKING:
    from cascade_core.setup.plan import Plan
    from cascade_core.spelling import Unreadable
    from cascade_core.tier import Tier


def failing_note(plan: Plan, tier: Tier, error: Exception, streak: int) -> Note:
    """Return the warning that a tier fails again and again.

    Args:
        plan: How the cascade was set up.
        tier: The tier.
        error: The last failure.
        streak: Which of its streaks this is; each is warned of once.
    """
    then = "every request that comes to it fails"
    if tier is not plan.tiers[-1]:
        then = "every request goes on to the next tier, and nothing is saved"
    often = "" if is_lasting(error) else f" {FAILURES_IN_A_ROW} times in a row"
    helps = remedy(error) or "check its key, its address and the name of its model"
    return Note(
        f"failing:{tier.index}:{streak}",
        f"{tier.label} has failed{often} ({error_name(error)}): {then}; {helps}",
    )


def no_reading_note(plan: Plan, tier: Tier, unread: Unreadable | None = None) -> Note:
    """Return the warning that a tier's drafts cannot be read, and what would help.

    Args:
        plan: How the cascade was set up.
        tier: The tier.
        unread: Why log-probabilities that came with the draft are no reading; None: none came.
    """
    if unread == "certain":
        return Note(
            f"certain:{tier.index}",
            f"{tier.label} sends the log-probability 0 for every token of a sentence, which says "
            f"nothing; that counts as no reading: {_OTHER_SIGNALS}",
        )
    last = tier.index == len(plan.tiers) - 1
    such = "such answers are handed off" if last else "such requests go on to the next tier"
    if not plan.reads_only_logprobs:
        return Note(
            f"no_reading:{tier.index}", f"no signal could read a draft of {tier.label}; {such}"
        )
    if unread == "partial":
        return Note(
            f"partial:{tier.index}",
            f"{tier.label} sends log-probabilities of a part of its answer only, which counts as "
            f"no reading, and {such}: {_OTHER_SIGNALS}",
        )
    every = "every answer is handed off" if last else "every request goes on to the next tier"
    return Note(
        f"no_reading:{tier.index}",
        f"{tier.label} gives no confidence reading, so {every}: "
        f"this provider returns no logprobs; {_OTHER_SIGNALS} "
        "(in a chain or an engine of your own, ask for logprobs where the model is made: "
        "logprobs=True)",
    )


_OTHER_SIGNALS = "add Agreement(model), SelfConsistency() or Judge(model) to signals="
