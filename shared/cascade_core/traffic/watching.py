"""Looks for drift in a log: has the traffic moved from what a policy was tuned on?"""

from __future__ import annotations

from cascade_core.drift.log import DriftReport, watch
from cascade_core.errors import ConfigurationError
from cascade_core.files import FileError
from cascade_core.log.urls import shown_source
from cascade_core.policy.document import Policy
from cascade_core.traffic.decisions import Decisions


def watch_log(
    log: str, policy: Policy, *, shown: object, alpha: float = 0.01, tolerance: float = 0.02
) -> tuple[DriftReport, Decisions]:
    """Read a log and say what has moved since a policy was tuned.

    Args:
        log: A file of JSON lines, or a database's URL.
        policy: The policy.
        shown: What to call it: its file.
        alpha: As for `DriftMonitor`, like what follows.
        tolerance: The same.

    Returns:
        What `watch` found, and the decisions as they were read.

    Raises:
        ConfigurationError: The policy was not tuned, or no decision in the log is one of its.
    """
    if policy.tuned is None:
        msg = f"{shown} was not tuned, so there is nothing to compare with; cascade tune writes it"
        raise ConfigurationError(msg)
    decisions, name = Decisions(log), shown_source(log)
    try:
        found = watch(
            decisions,
            policy.tuned.reference,
            policy=policy.name,
            thresholds=_thresholds(policy),
            alpha=alpha,
            tolerance=tolerance,
        )
    except ConfigurationError as error:
        if isinstance(error, FileError) or not decisions.line:
            raise
        raise FileError(name, str(error), decisions.place) from None
    if not found.rows:
        raise ConfigurationError(_said_of_none(name, found, policy, decisions.unreadable))
    return found, decisions


def _said_of_none(log: str, found: DriftReport, policy: Policy, unreadable: int) -> str:
    """Say why no decision counts."""
    left, others = sum(found.skipped.values()), found.skipped.get("policy", 0)
    if unreadable and not left:
        return f"{log}: none of its lines is a record of a decision"
    if not left:
        return f"{log} holds no decision yet; a cascade with log= writes them"
    if left == others:
        return (
            f"{log}: none of its {left:,} decisions was made by the policy {policy.name!r}; "
            "give the log of a cascade that has it as policy="
        )
    listed = ", ".join(f"{name} {n:,}" for name, n in found.skipped.items() if name != "policy")
    return (
        f"{log}: none of its {left:,} decisions was made by a threshold of the policy "
        f"{policy.name!r} ({listed}; of other policies {others:,})"
    )


def _thresholds(policy: Policy) -> set[float] | None:
    """Return every threshold that the policy decides by."""
    if policy.thresholds is None:
        return None
    rules = (rule.thresholds for rule in policy.classes.values())
    return {threshold for own in (policy.thresholds, *rules) for threshold in own}
