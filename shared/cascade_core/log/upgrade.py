"""Entries of a log that an earlier version wrote, and those that are no decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RECORD_FIELDS: Mapping[str, Any] = {
    "id": None,
    "tier": None,
    "model": None,
    "accepted": False,
    "reason": None,
    "confidence": None,
    "benefit": None,
    "merit": None,
    "threshold": None,
    "calibrated": False,
    "signals": {},
    "calls": [],
    "cost_usd": None,
    "class": None,
    "policy": None,
    "strong_cost_usd": None,
    "strong_cost_is_estimate": True,
    "version": 1,
    "at": None,
    "latency_ms": None,
    "cascade": None,
    "framework": None,
    "thread": None,
    "tags": [],
    "metadata": {},
    "input_tokens": None,
    "digest": None,
    "rule": None,
    "policy_version": None,
    "strong_cost_basis": None,
    "judged": [],
}
"""Every field that each record of this version has, in order, with what stands there where an
earlier version did not say."""

_OF_DRAFT = ("confidence", "benefit", "merit", "threshold", "signals")
_JUDGED = frozenset({"accepted", "rejected", "aborted", "returned"})


def upgraded(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with the fields of this version; what an earlier one did not say is null.

    Its `version` stays. How drafts were judged is then known of the last one alone.

    Args:
        record: Of any version; it is not changed.
    """
    known = {**RECORD_FIELDS, **record}
    if "merit" not in record:
        known["merit"] = known["confidence"]
    if "judged" not in record:
        known["judged"] = _judged(known)
    elif isinstance(known["judged"], list):
        known["judged"] = [_weighed(each) for each in known["judged"]]
    return known


def merit_of(judged: Mapping[str, Any]) -> Any:
    """Return what was held against a draft's threshold.

    Args:
        judged: A record, or how it says that one draft was judged. Before benefits were fitted,
            the confidence was all that there was.
    """
    return judged.get("merit", judged.get("confidence"))


def _weighed(judged: Any) -> Any:
    if not isinstance(judged, Mapping) or "merit" in judged:
        return judged
    return {**judged, "benefit": None, "merit": judged.get("confidence")}


def is_event(entry: Any) -> bool:
    """Tell whether an entry of a log is feedback or an audit, and no decision."""
    return (
        isinstance(entry, Mapping)
        and entry.get("event") in ("audit", "feedback")
        and isinstance(entry.get("decision"), str)
    )


def _judged(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return how the last judged draft of a record of version 1 was judged, as far as it says."""
    shadow = record.get("shadow")
    decided = record if shadow is None else shadow
    drafts = [call for call in record["calls"] if call["purpose"] == "draft"]
    if decided["accepted"]:
        drafts = [call for call in drafts if call["tier"] == decided["tier"]]
    else:
        drafts = [call for call in drafts if call.get("note") and call["outcome"] in _JUDGED]
        drafts = [call for call in drafts if call["tier"] != record["tier"]] or drafts
    if not drafts or (record["threshold"] is None and not decided["accepted"]):
        return []
    last = drafts[-1]
    return [
        {
            "tier": last["tier"],
            "model": last["model"],
            "reason": decided["reason"] if decided["accepted"] else last["note"],
            **{name: record[name] for name in _OF_DRAFT},
        }
    ]
