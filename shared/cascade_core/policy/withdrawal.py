"""The policy that a watch activates where nothing else keeps its promise: all to the last tier."""

from __future__ import annotations

from cascade_core.policy.document import Policy

TO_STRONGEST = "watch: all to the strongest tier"
"""Name of the rule that sends every request there."""


def is_withdrawal(policy: Policy) -> bool:
    """Tell whether a policy was activated because what decided was taken back."""
    return any(rule.name == TO_STRONGEST for rule in policy.rules)
