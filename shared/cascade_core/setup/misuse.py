"""What a policy says nothing about: cascades that use it otherwise than it was tuned."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cascade_core.errors import CascadeWarning
from cascade_core.policy.document import Policy
from cascade_core.signals.base import Signal
from cascade_core.tier import Tier


def warn_of_other_use(
    policy: Policy,
    thresholds: object,
    settings: Mapping[str, Any],
    tiers: Sequence[Tier],
    signals: Sequence[Signal],
) -> None:
    """Warn where a cascade would accept what its policy was not tuned or tested with.

    Args:
        policy: The policy.
        thresholds: What the caller gives in place of the policy's; None = nothing.
        settings: The cascade's choices, by name.
        tiers: Its tiers.
        signals: Its signals.
    """
    found: list[str] = []
    if policy.promises:
        found += _of_promises(thresholds, settings)
    if policy.tuned is not None:
        found += _of_tiers(policy.tuned.models, tiers)
        found += _of_signals(policy.tuned.paid, signals)
    for text in found:
        warnings.warn(text, CascadeWarning, stacklevel=4)


def _of_promises(thresholds: object, settings: Mapping[str, Any]) -> Iterator[str]:
    if thresholds is not None:
        yield (
            "thresholds= replaces the policy's thresholds, and its promises were tested with those "
            "alone: leave thresholds= out to keep them"
        )
    if settings.get("on_no_score") == "accept":
        yield (
            "on_no_score='accept' accepts drafts without a reading, and the policy's promises were "
            "tested with those sent on: leave it at 'escalate' to keep them"
        )


def _of_tiers(tuned: Sequence[str | None], tiers: Sequence[Tier]) -> Iterator[str]:
    """Say which tier is the model of another tier of the policy.

    Other names are none of our business: hosts and deployments call one model by many.
    """
    for tier, model in zip(tiers, tuned, strict=False):
        if tier.model is not None and tier.model != model and tier.model in tuned:
            yield (
                f"tier {tier.index} is {tier.model}, which was tier {tuned.index(tier.model)} when "
                "the policy was tuned: its confidences and promises are about other drafts; give "
                f"the tiers as they were tuned ({' → '.join(str(name) for name in tuned)})"
            )
            return


def _of_signals(paid: Sequence[str], signals: Sequence[Signal]) -> Iterator[str]:
    """Say which signal would be left out where it says nothing, and was not when tuned."""
    for signal in signals:
        if signal.name in paid and not signal.paid:
            yield (
                f"the policy was tuned with {signal.name!r} as a signal that has a price: where it "
                "said nothing, the draft was sent on; here it is one without a price, and left "
                "out: make it a signal whose `paid` is True"
            )
