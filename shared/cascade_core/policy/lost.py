"""Which rules stop deciding where one policy takes the place of another."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_core.policy.rules import Rule
from cascade_core.policy.withdrawal import own_rules


def lost_names(had: Sequence[Rule], has: Sequence[Rule]) -> list[str]:
    """Return the names of the rules that the second policy lacks."""
    kept = {rule.name for rule in has}
    return [rule.name for rule in own_rules(had) if rule.name not in kept]


def said_of_lost(names: Sequence[str], version: str, before: str) -> str:
    """Say that rules stop deciding: data may leave that was to stay.

    Args:
        names: Of the rules that are lost.
        version: The policy that lacks them, as a sentence begins with it.
        before: The one that had them.
    """
    rules = "rule" if len(names) == 1 else "rules"
    they = "it decided" if len(names) == 1 else "they decided"
    return (
        f"{version} lacks {rules} {', '.join(map(repr, names))} of {before}: requests that {they} "
        "are now decided without"
    )
