"""The policy that a watch activates where nothing else keeps its promise: all to the last tier."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cascade_core.policy.rules import Rule

if TYPE_CHECKING:
    from cascade_core.policy.document import Policy

TO_STRONGEST = "watch: all to the strongest tier"
"""Name of the rule that sends every request there."""


def is_withdrawal(policy: Policy) -> bool:
    """Tell whether a policy was activated because what decided was taken back."""
    return any(rule.name == TO_STRONGEST for rule in policy.rules)


def own_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return rules without the watch's own, which ends with its version and is not carried over."""
    return tuple(rule for rule in rules if rule.name != TO_STRONGEST)
