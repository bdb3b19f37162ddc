"""What a cascade is set up with that it cannot be meant with: each in words that name it.

Two kinds: a policy that is used otherwise than it was tuned, and tiers that are no cascade.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from cascade_core.costs.prices import Prices
from cascade_core.costs.rate import Rate
from cascade_core.errors import ConfigurationError
from cascade_core.policy.document import Policy
from cascade_core.policy.models import other_models
from cascade_core.policy.rules import Rule
from cascade_core.signals.base import Signal
from cascade_core.tier import Tier


def other_use(
    policy: Policy,
    thresholds: object,
    settings: Mapping[str, Any],
    tiers: Sequence[Tier],
    signals: Sequence[Signal],
) -> Iterator[str]:
    """Say where a cascade would accept what its policy was not tuned or tested with.

    Args:
        policy: The policy.
        thresholds: What the caller gives in place of the policy's; None = nothing.
        settings: The cascade's choices, by name.
        tiers: Its tiers.
        signals: Its signals.
    """
    if policy.promises:
        yield from _of_promises(thresholds, settings)
        yield from untested_rules(policy.rules, len(tiers))
    if thresholds is not None:
        yield from _of_ruled(policy.rules)
    if policy.tuned is not None:
        names = [[name for name in (tier.model, *tier.names) if name] for tier in tiers]
        yield from other_models(policy.tuned.models, names)
        yield from _of_signals(policy.tuned.paid, signals)


def untested_rules(rules: Sequence[Rule], tiers: int) -> Iterator[str]:
    """Say which rules have answers accepted that a policy's promises were not tested with.

    Args:
        rules: The policy's rules.
        tiers: How many tiers there are.
    """
    for rule in rules:
        then = rule.then
        kept = then.escalate is False or then.pin not in (None, tiers - 1)
        if kept or then.thresholds is not None:
            yield (
                f"rule {rule.name!r} of the policy accepts other answers than its promises were "
                "tested with: they say nothing of the requests that it is about"
            )


def odd_tiers(tiers: Sequence[Tier], prices: Prices) -> Iterator[str]:
    """Say where tiers cannot be a cascade: one alone, one twice, a dearer one first.

    Args:
        tiers: The tiers.
        prices: What they cost, where that is known.
    """
    if len(tiers) == 1:
        yield (
            f"{tiers[0].label} is the only tier, so there is nothing to escalate to: "
            "give tiers=[cheap, strong]"
        )
    for cheap, strong in combinations(tiers, 2):
        if _same(cheap, strong):
            yield (
                f"{cheap.label} and {strong.label} are one and the same: a request that "
                "escalates pays for the same answer again; give a stronger one after a cheaper one"
            )
            return
    rates = [prices.rate_at_hand(tier.price_names(None)) for tier in tiers]
    for (cheap, dear), (strong, rate) in combinations(zip(tiers, rates, strict=True), 2):
        if dear is not None and rate is not None and _costs_more(dear, rate):
            yield (
                f"{cheap.label} costs more than {strong.label} (USD {_usd(dear)} against "
                f"{_usd(rate)} per million tokens read/written): give the tiers cheapest first"
            )
            return


def _costs_more(one: Rate, other: Rate) -> bool:
    """Tell whether a rate is the higher, whatever a request and its answer are like."""
    ours, theirs = (one.input, one.output), (other.input, other.output)
    return ours != theirs and all(a >= b for a, b in zip(ours, theirs, strict=True))


def _usd(rate: Rate) -> str:
    return "/".join(f"{(1_000_000 * each).normalize():f}" for each in (rate.input, rate.output))


def check_partner(partner: Tier, tiers: Sequence[Tier], name: str) -> None:
    """Make sure that a model which a signal asks what the tiers are asked is none of them.

    Raises:
        ConfigurationError: It is.
    """
    for tier in tiers:
        if _same(tier, partner):
            msg = (
                f"the signal {name!r} asks {tier.label} of this cascade: asking a later tier is "
                "what escalating does, and a tier that is compared with itself is "
                "SelfConsistency(); give Agreement another model"
            )
            raise ConfigurationError(msg)


def _same(one: Tier, other: Tier) -> bool:
    """Tell whether two tiers are one model, asked in one way."""
    if one.native is not None and one.native is other.native:
        return True
    alike = (one.model, one.provider) == (other.model, other.provider)
    if not alike or one.setup is None or other.setup is None:
        return False
    return one.setup() == other.setup()


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


def _of_ruled(rules: Sequence[Rule]) -> Iterator[str]:
    """Say which rules have thresholds of their own where the caller gives some for all."""
    names = [repr(rule.name) for rule in rules if rule.then.thresholds is not None]
    if names:
        yield (
            f"thresholds= is for requests without a rule: {', '.join(names)} of the policy "
            f"{'keeps its' if len(names) == 1 else 'keep their'} own thresholds"
        )


def _of_signals(paid: Sequence[str], signals: Sequence[Signal]) -> Iterator[str]:
    """Say which signal would be left out where it says nothing, and was not when tuned."""
    for signal in signals:
        if signal.name in paid and not signal.paid:
            yield (
                f"the policy was tuned with {signal.name!r} as a signal that has a price: where it "
                "said nothing, the draft was sent on; here it is one without a price, and left "
                "out: make it a signal whose `paid` is True"
            )
