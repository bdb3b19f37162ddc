"""Reads a log of decisions for drift: `watch`.

Which records say something about the policy, and what they say, is decided
here; whether that has moved, in `monitor`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cascade_core.drift.monitor import Alarm, DriftMonitor
from cascade_core.drift.shifts import Shift, ShiftFinder
from cascade_core.log.upgrade import merit_of
from cascade_core.policy.reference import Reference

UNDECIDED = frozenset(
    {"cached", "exhausted", "only_tier", "sticky", "tool_call", "tool_support", "unable"}
    | {"unfinished", "bypassed", "pinned", "kept", "cancelled", "held"}
)
"""Reasons of records that no threshold had a say in, or that nobody answered."""


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What a log says about the policy's reference.

    Attributes:
        rows: Requests counted.
        skipped: Requests that were not, by why: `policy` for those of another policy or
            of other thresholds, else the record's reason.
        escalated: Share of the counted ones that no tier but the last answered.
        audits: Accepted answers of known harm.
        harm: Mean harm over all counted requests, audits weighted with the inverse
            of their probability; None without audits.
        alarms: What has moved from the reference.
        shifts: Changes within the stream, however it compares with the reference.
    """

    rows: int
    skipped: Mapping[str, int]
    escalated: float | None
    audits: int
    harm: float | None
    alarms: tuple[Alarm, ...]
    shifts: tuple[Shift, ...]


@dataclass(slots=True)
class _Tally:
    escalated: int = 0
    audits: int = 0
    harm: float = 0.0
    skipped: Counter[str] = field(default_factory=Counter)
    shifts: list[Shift] = field(default_factory=list)


def watch(  # noqa: PLR0913 - the monitor's own settings
    records: Iterable[Mapping[str, Any]],
    reference: Reference,
    *,
    policy: str | None = None,
    thresholds: Collection[float] | None = None,
    alpha: float = 0.01,
    tolerance: float = 0.02,
    exact: bool = False,
) -> DriftReport:
    """Read a log and say what has moved.

    Args:
        records: Decisions as logged, oldest first. One whose answer was audited
            also has `harm` in [0, 1] and, where not all were, `probability`, as
            `DriftMonitor.observe` takes them.
        reference: What the policy was tuned on.
        policy: Count only records with this policy's name; None = all.
        thresholds: Count only records whose threshold is one of these, as an earlier policy of
            the same name had others; None = all.
        alpha: As for `DriftMonitor`.
        tolerance: As for `DriftMonitor`.
        exact: As for `DriftMonitor`.

    Returns:
        The report. In shadow mode, what the cascade would have done counts.

    Raises:
        ConfigurationError: A number is out of range, or a record is of a tier
            that the reference does not know.
    """
    monitor = DriftMonitor(reference, alpha, tolerance=tolerance, exact=exact)
    finders = {"escalation": ShiftFinder(), "confidence": ShiftFinder()}
    tally = _Tally()
    for record in records:
        record = before_the_last(record)  # noqa: PLW2901 - the same decision
        why = _uncounted(record, policy, thresholds)
        if why is not None:
            tally.skipped[why] += 1
            continue
        accepted = bool(_decided(record)["accepted"])
        merit, harm = merit_of(record), record.get("harm")
        probability = record.get("probability", 1.0)
        monitor.observe(merit, not accepted, harm, probability, tier=_judged_tier(record))
        tally.escalated += not accepted
        if accepted and harm is not None:
            tally.audits += 1
            tally.harm += harm / probability
        stream = {"escalation": float(not accepted)}
        # An escalated request's merit may be an upper bound; see DriftMonitor.
        if merit is not None and (accepted or exact):
            stream["confidence"] = merit
        for what, x in stream.items():
            if finders[what].update(x):
                tally.shifts.append(Shift(what, monitor.rows))
    rows = monitor.rows
    return DriftReport(
        rows=rows,
        skipped=dict(tally.skipped),
        escalated=tally.escalated / rows if rows else None,
        audits=tally.audits,
        harm=tally.harm / rows if tally.audits else None,
        alarms=tuple(monitor.alarms),
        shifts=tuple(tally.shifts),
    )


def before_the_last(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a record as if its last tier had no threshold: a reference has none of that tier.

    Whether a request was sent on, and how sure its cheaper drafts were, says nothing of what
    became of the last tier's answer.
    """
    sent_on = record.get("sent_on")
    if not isinstance(sent_on, str) or record.get("shadow") is not None:
        return record
    listed = record.get("judged")
    listed = listed if isinstance(listed, list) else []
    judged = [j for j in listed if isinstance(j, Mapping) and j.get("tier") != record["tier"]]
    last = judged[-1] if judged else {}
    calls = [each for each in record["calls"] if each["tier"] != record["tier"]]
    numbers = {name: last.get(name) for name in ("confidence", "threshold")}
    numbers["merit"] = merit_of(last)
    return {**record, **numbers, "accepted": False, "reason": sent_on, "calls": calls}


def _decided(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the part of a record that says what the thresholds decided."""
    shadow: Mapping[str, Any] | None = record.get("shadow")
    return record if shadow is None else shadow


def _uncounted(
    record: Mapping[str, Any], policy: str | None, thresholds: Collection[float] | None
) -> str | None:
    """Say why a record does not count, or None where it does."""
    if policy is not None and record.get("policy") != policy:
        return "policy"
    threshold = record.get("threshold")
    if thresholds is not None and threshold is not None and threshold not in thresholds:
        return "policy"
    reason = str(_decided(record)["reason"])
    return reason if reason in UNDECIDED else None


def _judged_tier(record: Mapping[str, Any]) -> int:
    """Find the tier of the last judged draft; 0 where no draft was judged."""
    decided = _decided(record)
    if decided["accepted"]:
        return int(decided["tier"])
    # The best draft was judged too, and it is returned when all that follows has failed.
    judged = {"rejected", "aborted"} | ({"returned"} if record["reason"] == "best_draft" else set())
    tiers = [
        call["tier"]
        for call in record["calls"]
        if call["purpose"] == "draft" and call["outcome"] in judged
    ]
    return int(tiers[-1]) if tiers else 0
