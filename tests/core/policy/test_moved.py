"""What was tested with some thresholds is not said of others."""

from __future__ import annotations

from typing import Any

import pytest

from cascade_core.drift.monitor import DriftMonitor
from cascade_core.policy.document import Policy
from cascade_core.policy.moved import SINCE, without_void
from cascade_core.policy.reference import Reference, Spread
from tests.policies import by

HARM = {"kind": "harm", "limit": 0.02, "confidence": 0.95}
SEEN = {"rows": 200, "seen": 0.01, "p_value": 0.01, "method": "exact"}
SPREAD = {"rows": 200, "unread": 0.0, "values": [0.2, 0.8], "shares": [0.5, 1.0], "floor": 0.3}


def tuned(**fields: Any) -> Policy:
    figures = {"n": 200, "quality": 1, "strong_quality": 1, "escalated": 0.1, "harm": 0}
    reference = {"rows": 200, "escalated": 0.1, "tiers": [SPREAD], "harm": 0.01, "limit": 0.02}
    return Policy.load(
        {
            "thresholds": [0.4],
            "calibrators": [by()],
            "classes": {"refund": {"thresholds": [0.6]}},
            "promises": [
                {**HARM, **SEEN},
                {**HARM, **SEEN, "class_name": "refund"},
                {**HARM, **SEEN, "class_name": "other"},
            ],
            "tuned": {
                "table": "labels.csv",
                "objective": "harm of 2 %",
                "models": ["small", "large"],
                "choices": ["x"],
                "rows_fitted": 100,
                "fitted_table": "labels.csv",
                "fitted_marks": [1, 2, 3],
                "figures": figures,
                "reference": reference,
            },
            **fields,
        }
    )


def about(policy: Policy) -> list[str | None]:
    return [each.class_name for each in policy.promises]


def test_without_another_threshold_every_promise_stays() -> None:
    rule = {"name": "r", "match": {"tag": "x"}, "then": {"bypass": True}}
    changed = tuned(rules=[rule])
    assert without_void(tuned(), changed) == (changed, ())


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"thresholds": [0.5]}, ["refund"]),
        ({"classes": {"refund": {"thresholds": [0.7]}}}, ["other"]),
        ({"classes": {}}, ["other"]),
        (
            {"classes": {"refund": {"thresholds": [0.6]}, "new": {"thresholds": [0.1]}}},
            ["refund", "other"],
        ),
    ],
)
def test_a_promise_falls_with_the_thresholds_it_was_tested_with(
    fields: dict[str, Any], kept: list[str]
) -> None:
    found = without_void(tuned(), tuned(**fields))
    assert about(found.policy) == kept
    assert len([text for text in found.said if text.startswith("void: the promise of")]) == (
        3 - len(kept)
    )


def test_rows_that_were_fitted_to_stay_known_and_what_drift_counts_goes() -> None:
    policy = without_void(tuned(), tuned(thresholds=[0.7])).policy
    assert policy.tuned is not None
    assert policy.tuned.fitted_marks == (1, 2, 3)
    assert policy.tuned.models == ("small", "large")
    assert policy.tuned.objective == f"harm of 2 %{SINCE}"
    reference = policy.tuned.reference
    assert (reference.escalated, reference.harm, reference.limit) == (None, None, None)
    assert reference.tiers == (Spread(200, 0.0, (0.2, 0.8), (0.5, 1.0), 0.7),)
    assert Policy.load(policy.model_dump(mode="json", exclude_none=True)) == policy


def test_what_was_moved_before_is_not_said_to_be_twice() -> None:
    once = without_void(tuned(), tuned(thresholds=[0.7])).policy
    twice = without_void(once, once.model_copy(update={"thresholds": (0.8,)})).policy
    assert twice.tuned is not None
    assert twice.tuned.objective == f"harm of 2 %{SINCE}"


def test_confidences_of_several_tiers_say_nothing_once_thresholds_moved() -> None:
    two = Reference(200, 0.1, (Spread(200, 0.0, (0.5,), (1.0,)),) * 2, 0.01, 0.02)
    assert two.moved([0.5, 0.5]) == Reference(200, None, (Spread(0, 0.0),) * 2)


def test_a_stream_that_escalates_by_other_thresholds_has_not_moved() -> None:
    stale = Reference(5_000, 0.1, (Spread(5_000, 0.0, (0.9,), (1.0,), 0.3),))
    for reference, alarms in ((stale, ["escalation"]), (stale.moved([0.95]), [])):
        monitor = DriftMonitor(reference)
        for row in range(400):
            monitor.observe(0.85, row % 2 == 0)
        assert [each.what for each in monitor.alarms] == alarms
