"""Says that the policy which decided a log's requests is not the one that a review was given."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from cascade_core.errors import ConfigurationError
from cascade_core.policy.document import Policy
from cascade_core.report.rows import shortened
from cascade_core.review.policy_homes import version_kept
from cascade_core.review.workbench import Workbench
from cascade_core.traffic.columns import Traffic
from cascade_core.traffic.groups import policy_names

LONGEST_POLICY = 80
"""Characters of a policy's name that are shown."""
LATEST = 50
"""Requests, the last of a log, of which none was decided by the policy that a review has."""


@dataclass(frozen=True, slots=True)
class OtherPolicy:
    """The policy that decided last, where a review has another, or none.

    Attributes:
        given: What the review has is called; None where it has none.
        found: What was found, as half a sentence.
        means: What that means.
        to_do: What to do, with the command.
    """

    given: str | None
    found: str
    means: str
    to_do: str

    @property
    def said(self) -> str:
        """All of it."""
        return f"{self.found[0].upper()}{self.found[1:]}. {self.means} {self.to_do}"


def other_policy(bench: Workbench) -> OtherPolicy | None:
    """Return the policy that decided last, where it is not the one that a review has.

    Args:
        bench: The review.
    """
    if bench.source.kind != "log":
        return None
    traffic, base = bench.snapshot().traffic, bench.draft.base
    none = _is_none(base)
    rows = range(max(0, len(traffic) - (1 if none else LATEST)), len(traffic))
    names = policy_names(traffic.part(slice(rows.start, rows.stop)))
    if not rows or names.names[int(names.of[-1])] is None:
        return None
    if any(_is_base(bench, base, pair) for pair in _pairs(traffic, rows)):
        return None
    if not none and _activated_since(bench, float(traffic.at[-1])):
        return None
    name = shortened(str(names.names[int(names.of[-1])]), LONGEST_POLICY)
    return _missing(bench, name) if none else _another(bench, base, name)


def said_of_other(bench: Workbench) -> str:
    """Say that a review has another policy than decided, or none, and what to do; else nothing."""
    other = other_policy(bench)
    return "" if other is None else other.said


def unknown_policy(bench: Workbench) -> OtherPolicy | None:
    """Return the policy that decided last, where a review has none: what it gives is not known.

    Args:
        bench: The review.
    """
    return other_policy(bench) if _is_none(bench.draft.base) else None


def _is_none(policy: Policy) -> bool:
    """Tell whether a policy is the one that a cascade has without any."""
    return policy.name is None and policy.fingerprint == Policy().fingerprint


def _missing(bench: Workbench, name: str) -> OtherPolicy:
    commands = [_command(bench)]
    if bench.home.why_not_saved is None:
        log = shlex.quote(bench.source.shown)
        commands.append(f"cascade policy {log} save FILE --activate")
    return OtherPolicy(
        None,
        f"the latest requests were decided by a policy that this review was not given: {name}",
        "Its thresholds, and how it makes confidences, are not known here: what is shown of "
        "thresholds is worked out with the default policy, and is not your cascade's.",
        f"Start again with {', or keep it in the log: '.join(commands)}.",
    )


def _another(bench: Workbench, base: Policy, name: str) -> OtherPolicy:
    number = None
    with suppress(ConfigurationError):  # the page on the policy says so
        number = bench.home.current().number
    given = f"{base.name or 'policy'}, version {number or base.fingerprint}"
    given = shortened(given, LONGEST_POLICY)
    return OtherPolicy(
        given,
        f"the latest requests were decided by another policy ({name}) than this review was given "
        f"({given})",
        "Figures of thresholds and promises are those of the one that was given, not of your "
        "cascade as it decided.",
        f"Give the one that decided: {_command(bench)}.",
    )


def _command(bench: Workbench) -> str:
    return f"cascade review {shlex.quote(bench.source.shown)} --policy FILE"


def _pairs(traffic: Traffic, rows: range) -> set[tuple[str | None, str | None]]:
    """Return the names of some rows' policies, each with its version."""
    policy, version = traffic.named["policy"], traffic.named["policy_version"]
    codes = {(int(policy.of[row]), int(version.of[row])) for row in rows}
    return {(policy.names[one], version.names[other]) for one, other in codes}


def _is_base(bench: Workbench, base: Policy, decided: tuple[str | None, str | None]) -> bool:
    """Tell whether what decided is the policy that a review has.

    A record has the number of a version that is kept in a database, else the policy's fingerprint.
    """
    name, version = decided
    if version is None or version == base.fingerprint:
        return version is not None or (name is not None and name == base.name)
    if not version.isdecimal():
        return False
    kept = version_kept(bench.source.database, int(version)) if bench.source.file is None else None
    if kept is not None and kept.name == name:
        return kept.fingerprint == base.fingerprint
    return name is not None and name == base.name  # it is kept elsewhere: names are all there is


def _activated_since(bench: Workbench, last: float) -> bool:
    """Tell whether the review's policy was put in use after the last request."""
    with suppress(ConfigurationError):
        times = [at for _, at in bench.home.activations()]
        return bool(times) and not np.isnan(last) and times[-1] > last
    return False
