"""Which records of a log count, and what they say of the policy."""

import math

import pytest

from cascade_core.drift.log import watch
from cascade_core.drift.monitor import DriftMonitor
from cascade_core.policy.reference import Reference
from tests.core.drift.streams import feed, reference, traffic


def record(confidence, *, accepted, reason=None, policy="p", calls=None, **more):
    return {
        "tier": 0 if accepted else 1,
        "accepted": accepted,
        "reason": reason or ("confident" if accepted else "low_confidence"),
        "confidence": None if math.isnan(confidence) else confidence,
        "calls": calls or [{"tier": 0, "purpose": "draft", "outcome": "rejected"}],
        "policy": policy,
        **more,
    }


def test_a_log_is_read_like_the_stream_it_was():
    sample, stream = reference(), traffic(2_000, 2, a=3.0, b=2.2)
    monitor = DriftMonitor(sample)
    feed(monitor, stream)
    rows = zip(*(column.tolist() for column in stream), strict=True)
    report = watch((record(c, accepted=not e, harm=h) for c, e, h in rows), sample)
    assert list(report.alarms) == monitor.alarms
    assert report.rows == 2_000
    assert report.escalated == pytest.approx(stream[1].mean())
    assert report.harm == pytest.approx(stream[2].mean())
    assert report.audits == (~stream[1]).sum()


def test_only_decisions_of_the_policy_that_is_asked_about_count():
    records = [
        record(0.9, accepted=True),
        record(0.9, accepted=True, policy="other"),
        record(0.9, accepted=True, policy=None),
        record(0.9, accepted=True, reason="cached"),
        record(math.nan, accepted=True, reason="tool_call"),
        record(math.nan, accepted=False, reason="exhausted", calls=[]),
        record(math.nan, accepted=False, reason="failed", calls=[]),
    ]
    report = watch(records, reference(), policy="p")
    assert (report.rows, report.escalated, report.harm) == (2, 0.5, None)
    assert report.skipped == {"policy": 2, "cached": 1, "tool_call": 1, "exhausted": 1}


def test_in_shadow_mode_what_would_have_been_done_counts():
    shadow = {"tier": 0, "reason": "confident", "accepted": True, "cost_usd": None}
    records = [record(0.9, accepted=False, reason="shadow", shadow=shadow)]
    assert watch(records, reference()).escalated == 0


def test_a_confidence_is_compared_with_those_of_the_tier_that_was_judged():
    sample = Reference.of(
        [0.9] * 50 + [0.2] * 50, [False] * 50 + [True] * 50, tier=[0] * 50 + [1] * 50
    )
    calls = [
        {"tier": 0, "purpose": "draft", "outcome": "rejected"},
        {"tier": 1, "purpose": "sample", "outcome": "used"},
        {"tier": 1, "purpose": "draft", "outcome": "aborted"},
        {"tier": 2, "purpose": "draft", "outcome": "returned"},
    ]
    records = [record(0.9, accepted=True), record(0.2, accepted=False, calls=calls)] * 500
    assert not watch(records, sample, exact=True).alarms
    moved = [record(0.9, accepted=True), record(0.9, accepted=False, calls=calls)] * 500
    (alarm,) = watch(moved, sample, exact=True).alarms
    assert "tier 1" in alarm.text


def test_a_shift_within_the_log_is_reported():
    scores = [0.9] * 500 + [0.1] * 500
    records = [record(s, accepted=s > 0.5) for s in scores]
    report = watch(records, reference())
    (first, *_) = [shift for shift in report.shifts if shift.what == "escalation"]
    assert 500 < first.at < 560


def test_an_empty_log_says_nothing():
    report = watch([], reference())
    assert (report.rows, report.escalated, report.harm, report.alarms) == (0, None, None, ())


def handing_off(entry, *, accepted):
    """Return a record of a cascade whose last tier has a threshold too."""
    if entry["accepted"]:
        return entry
    first = {"tier": 0, "confidence": entry["confidence"], "threshold": 0.5}
    last = {"tier": 1, "confidence": 0.7 if accepted else 0.2, "threshold": 0.6}
    outcome = "accepted" if accepted else "rejected"
    return {
        **entry,
        "reason": "confident" if accepted else "low_confidence",
        "accepted": accepted,
        "handoff": not accepted,
        "confidence": last["confidence"],
        "threshold": last["threshold"],
        "judged": [first, last],
        "calls": [*entry["calls"], {"tier": 1, "purpose": "draft", "outcome": outcome}],
        "sent_on": entry["reason"],
    }


@pytest.mark.parametrize("exact", [False, True])
def test_what_became_of_the_last_tiers_answer_is_no_drift(exact):
    sample, stream = reference(), traffic(2_000, 2, a=3.0, b=2.2)
    rows = list(zip(*(column.tolist() for column in stream), strict=True))
    plain = [record(c, accepted=not e, harm=h, threshold=0.5) for c, e, h in rows]
    judged = [handing_off(each, accepted=n % 3 > 0) for n, each in enumerate(plain)]
    assert watch(judged, sample, exact=exact) == watch(plain, sample, exact=exact)
    assert watch(judged, sample, thresholds={0.5}).rows == 2_000


def test_what_a_rule_sent_straight_to_a_last_tier_that_is_judged_does_not_count():
    straight = record(0.7, accepted=True, tier=1, sent_on="bypassed", judged=[{"tier": 1}])
    assert watch([straight], reference()).skipped == {"bypassed": 1}
    assert watch([{**straight, "sent_on": "failed", "judged": None}], reference()).escalated == 1
