"""Records of version 1 are read like those of today, as far as they say what is asked of them."""

import json
from datetime import UTC, datetime
from pathlib import Path

from cascade_core.log import Asked, as_record, audit_event, feedback_event, is_event, upgraded
from cascade_core.log.record import reused_record
from tests.core.log.test_record import KEYS
from tests.core.making import ASKED, broken, mute, plan_for, play, sure
from tests.kept import test_kept

KEPT = [
    json.loads(line)
    for line in (Path(test_kept.__file__).parent / "decisions.jsonl")
    .read_text("utf-8")
    .splitlines()
]


def test_a_kept_record_has_all_fields_in_order_and_says_nothing_new():
    for record in KEPT:
        found = upgraded(record)
        assert list(found)[: len(KEYS)] == KEYS
        assert {name: found[name] for name in record} == record
        assert (found["version"], found["at"], found["digest"]) == (1, None, None)


def test_how_the_last_draft_was_judged_is_known_of_kept_records():
    plain = [record for record in KEPT if record["policy"] is None]
    by_reason = {record["reason"]: upgraded(record)["judged"] for record in plain}
    assert by_reason["confident"][0]["reason"] == "confident"
    assert by_reason["low_confidence"] == [
        {
            "tier": 0,
            "model": "cheap",
            "reason": "low_confidence",
            "confidence": 0.3,
            "benefit": None,
            "merit": 0.3,
            "threshold": 0.9,
            "signals": {"sequence_logprob": 0.3},
        }
    ]


def without_version_2(record):
    return {name: record[name] for name in KEYS[: KEYS.index("version")]} | {
        name: record[name] for name in ("shadow", "unable", "failing") if name in record
    }


def test_what_is_worked_out_of_version_1_is_what_version_2_says():
    for verdict, _, _ in (
        play(plan_for(), sure(0.9), mute()),
        play(plan_for(), sure(0.1), mute()),
        play(plan_for(3, thresholds=[0.8, 0.7]), sure(0.1), sure(0.75), mute()),
        play(plan_for(3, thresholds=[0.8, 0.7]), sure(0.1), broken(), mute()),
        play(plan_for(mode="shadow"), sure(0.9), mute()),
        play(plan_for(mode="shadow"), sure(0.1), mute()),
        play(plan_for(on_exhausted="best_draft"), sure(0.1), broken()),
        play(plan_for(1), mute()),
    ):
        record = as_record(verdict, "d1", ASKED)
        found = upgraded(without_version_2(record))["judged"]
        assert found == record["judged"][-1:]


def test_a_record_of_today_is_left_as_it_is():
    record = as_record(play(plan_for(), sure(0.9), mute())[0], "d1", ASKED)
    assert upgraded(record) == record


def test_an_answer_that_a_cache_kept_may_come_from_any_version_or_have_no_record():
    asked = Asked(datetime(2026, 1, 2, tzinfo=UTC), 3.0, class_name="new", input_tokens=4)
    for record in ({}, *KEPT):
        found = reused_record(record, "d2", asked)
        assert list(found) == KEYS
        assert (found["id"], found["reason"], found["version"]) == ("d2", "cached", 2)
        assert (found["class"], found["input_tokens"], found["cost_usd"]) == ("new", 4, 0)


def test_events_are_told_from_decisions():
    assert is_event(feedback_event("d1", 1.0))
    assert is_event(audit_event("d1", status="skipped", probability=0.5, compare="auto"))
    assert not any(is_event(record) for record in KEPT)
    assert not is_event(["event", "decision"])
    assert not is_event({"event": "audit", "decision": None})
    assert not is_event({"event": "a kind of its own", "decision": "d1"})
