"""What of the rules of a policy does not fit together, or not so many tiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cascade_core.invalid import MisplacedError, Place
from cascade_core.policy.rules import Rule
from cascade_core.policy.tier_counts import needed_entries


def check_told_apart(rules: Sequence[Rule]) -> None:
    """Raise `MisplacedError` where two rules have one name: records tell rules by it."""
    seen: dict[str, int] = {}
    for place, rule in enumerate(rules):
        first = seen.setdefault(rule.name, place)
        if first != place:
            msg = f"rules[{first}] has the same name, and records tell rules by it: choose another"
            raise MisplacedError((place, "name"), msg)


def misfits(rules: Sequence[Rule], tiers: int) -> Iterator[MisplacedError]:
    """Yield what of some rules does not fit a number of tiers.

    Args:
        rules: The rules.
        tiers: How many tiers there are.

    Yields:
        What is wrong, and where in the policy.
    """
    last = tiers - 1
    there = f"there are {tiers} tiers, counted from 0" if last else "there is one tier, tier 0"
    for place, rule in enumerate(rules):
        at: Place = ("rules", place, "then")
        then = rule.then
        if then.pin is not None and then.pin > last:
            yield MisplacedError((*at, "pin"), f"there is no tier {then.pin}: {there}")
        if then.bypass is True and then.pin not in (None, last):
            problem = f"pin asks tier {then.pin} alone and bypass leaves it out: take one away"
            yield MisplacedError((*at, "pin"), problem)
        for entry, tier in enumerate(then.bypass if isinstance(then.bypass, tuple) else ()):
            path = (*at, "bypass", entry)
            if tier > last:
                yield MisplacedError(path, f"there is no tier {tier}: {there}")
            if tier == last:
                problem = (
                    f"tier {tier} is the last, which answers what no other does; to keep requests "
                    "from it, use pin or escalate: false"
                )
                yield MisplacedError(path, problem)
        if then.thresholds is not None and len(then.thresholds) not in {last, tiers}:
            problem = f"{len(then.thresholds)} given, but {needed_entries(tiers)}"
            yield MisplacedError((*at, "thresholds"), problem)
