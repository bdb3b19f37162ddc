"""Says that the policy which decided a log's requests is not the one that a review was given."""

from __future__ import annotations

import shlex

from cascade_core.policy.document import Policy
from cascade_core.report.rows import shortened
from cascade_core.review.workbench import Workbench
from cascade_core.traffic.columns import Traffic
from cascade_core.traffic.groups import policy_names

LONGEST_POLICY = 80
"""Characters of a policy's name that are shown."""


def missing_policy(traffic: Traffic, policy: Policy) -> str | None:
    """Return the name of the policy that decided last, where none was given for this review.

    Args:
        traffic: The requests.
        policy: What the review takes for the policy that decides.
    """
    if policy.thresholds is not None or policy.calibrators is not None or policy.name is not None:
        return None
    names = policy_names(traffic)
    if not len(names.of):
        return None
    name = names.names[int(names.of[-1])]
    return None if name is None else shortened(name, LONGEST_POLICY)


def said_of_missing(bench: Workbench) -> str:
    """Say that the policy is missing, what that means and what to do; else nothing."""
    if bench.source.kind != "log":
        return ""
    name = missing_policy(bench.snapshot().traffic, bench.draft.base)
    if name is None:
        return ""
    given = shlex.quote(bench.source.shown)
    keep = f", or keep it in the log: cascade policy {given} save FILE --activate"
    return (
        f"The latest requests were decided by a policy that this review was not given: {name}. "
        "Without it, the thresholds in use are taken from the log and held against raw readings, "
        "so figures of thresholds need not be those of your cascade. Start again with "
        f"cascade review {given} --policy FILE"
        + (keep if bench.home.why_not_saved is None else "")
        + "."
    )
