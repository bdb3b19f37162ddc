"""`cascade drift`: nothing has moved, something has, or the log cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cascade_core.log.events import audit_event, feedback_event
from tests.core.commands.making import BY_A, SECRET, ladder, write, write_policy
from tests.core.commands.test_replay import figures, refused
from tests.running import Run


def record(row: int, *, escalated: bool, policy: str = "desk", **fields: Any) -> dict[str, Any]:
    """A decision as the log writes it: even rows have the higher confidence."""
    confidence = 0.2 + 0.2 * (row % 2) if escalated else 0.7 + 0.2 * (row % 2)
    outcome = "rejected" if escalated else "accepted"
    draft = {"tier": 0, "purpose": "draft", "outcome": outcome}
    return {
        "tier": int(escalated),
        "accepted": not escalated,
        "reason": "low_confidence" if escalated else "confident",
        "confidence": confidence,
        "calls": [draft, *([{**draft, "tier": 1, "outcome": "returned"}] if escalated else [])],
        "policy": policy,
        **fields,
    }


def log(records: list[Any]) -> Path:
    path = Path("decisions.jsonl")
    lines = (each if isinstance(each, str) else json.dumps(each) for each in records)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture
def policy(cascade: Run) -> Path:
    """A policy that was tuned where half of the requests were escalated."""
    write(ladder(400, bad=200))
    kept = write_policy({"calibrators": [BY_A]}, "kept.json")
    asked = ["--max-escalated", 0.5, "--policy", kept, "--name", "desk"]
    assert cascade("tune", "labels.csv", *asked, "--out", "policy.json").status == 0
    return Path("policy.json")


def usual(n: int = 400) -> list[dict[str, Any]]:
    """Requests like the tuned ones: half escalated, confidences spread evenly."""
    found = []
    for row in range(n):
        reading = ((row * 149) % 400 + 1) / 402
        found.append(record(row, escalated=reading < 0.5, confidence=reading))
    return found


def test_feedback_and_audits_in_a_log_are_no_unreadable_lines(cascade: Run, policy: Path) -> None:
    log(usual())
    without = cascade("drift", "decisions.jsonl", "--policy", policy, "--json")
    audit = audit_event("d1", status="done", probability=0.05, compare="auto", harm=1.0)
    log([feedback_event("d1", 0.5), *usual(), audit])
    ran = cascade("drift", "decisions.jsonl", "--policy", policy, "--json")
    assert (ran.status, ran.out, ran.err) == (without.status, without.out, without.err)


def test_a_tier_that_fails_again_and_again_is_named(cascade: Run, policy: Path) -> None:
    failing = {"tier": 0, "model": "a", "failures": 7, "error": "AuthError (HTTP 401)"}
    before, last = {"failing": [{**failing, "failures": 3}]}, {"failing": [failing, "odd"]}
    records = usual()
    records[0].update(before)
    assert "had failed" not in cascade("drift", log(records), "--policy", policy).err
    records[-1].update(last)
    ran = cascade("drift", log(records), "--policy", policy)
    assert ran.err.splitlines() == [
        "cascade: tier 0 (a) had failed 7 times in a row when the log ended: AuthError (HTTP 401)"
    ]


def test_a_log_like_the_tuned_rows_has_not_moved(cascade: Run, policy: Path) -> None:
    others = [record(0, escalated=True, policy="other")] * 50
    ran = cascade("drift", log([*others, *usual()]), "--policy", policy)
    assert (ran.status, ran.err) == (0, "")
    assert "400 decisions of this policy read, 50 others left out" in ran.out
    assert "escalated: 50.0 %, when tuned 50.0 %" in ran.out
    assert "Nothing has moved" in ran.out


def test_a_log_that_has_moved_ends_with_status_1(cascade: Run, policy: Path) -> None:
    moved = [record(row, escalated=row % 10 > 0) for row in range(600)]
    ran = cascade("drift", log(moved), "--policy", policy)
    assert (ran.status, ran.err) == (1, "")
    assert "escalated: 90.0 %, when tuned 50.0 %" in ran.out
    assert "moved: " in ran.out
    ran = cascade("drift", "decisions.jsonl", "--policy", policy, "--json")
    found = json.loads(ran.out)
    assert ran.status == 1
    assert found["rows"] == 600
    assert "escalation" in {alarm["what"] for alarm in found["alarms"]}


def test_a_larger_tolerance_lets_more_pass(cascade: Run, policy: Path) -> None:
    log([r for row, r in enumerate(usual(800)) if not r["accepted"] or row % 3 == 0])
    assert cascade("drift", "decisions.jsonl", "--policy", policy).status == 1
    wide = ["--tolerance", 0.3]  # three in four were escalated, and it was one in two
    assert cascade("drift", "decisions.jsonl", "--policy", policy, *wide).status == 0


def test_json_of_a_log_at_rest(cascade: Run, policy: Path) -> None:
    found = figures(cascade("drift", log(usual()), "--policy", policy, "--json"))
    assert (found["rows"], found["alarms"], found["escalated"]) == (400, [], 0.5)


def test_a_log_without_a_decision_of_the_policy_says_nothing(cascade: Run, policy: Path) -> None:
    ran = cascade("drift", log([]), "--policy", policy)
    assert (ran.status, ran.out) == (2, "")
    assert "holds no decision yet" in ran.err
    others = [{**record, "policy": "another"} for record in usual()]
    assert "give the log of a cascade that has it as policy=" in refused(
        cascade("drift", log(others), "--policy", policy)
    )


def test_decisions_by_thresholds_that_the_policy_no_longer_has_are_left_out(
    cascade: Run, policy: Path
) -> None:
    threshold = json.loads(policy.read_text())["thresholds"][0]
    own = [each | {"threshold": threshold} for each in usual()]
    earlier = [each | {"threshold": threshold + 0.01} for each in usual(100)]
    ran = cascade("drift", log([*earlier, *own]), "--policy", policy)
    assert "400 decisions of this policy read, 100 others left out" in ran.out


def test_a_last_line_that_a_killed_process_left_is_left_out_and_said(
    cascade: Run, policy: Path
) -> None:
    path = log(usual())
    with path.open("a") as lines:
        lines.write(json.dumps(usual(1)[0])[:40])
    ran = cascade("drift", path, "--policy", policy)
    assert ran.status == 0
    assert "400 decisions" in ran.out
    assert "its last line is cut off and left out" in ran.err


def test_what_a_record_cannot_say_is_named_with_its_line(cascade: Run, policy: Path) -> None:
    wrong = usual(3)
    wrong[2] = record(0, escalated=False) | {"tier": 7}
    said = refused(cascade("drift", log(wrong), "--policy", policy))
    assert "decisions.jsonl, line 3: " in said
    assert "is it the policy's that decided?" in said
    assert "alpha=2" in refused(cascade("drift", log(usual()), "--policy", policy, "--alpha", 2))


def test_audited_harm_in_the_log_is_watched(cascade: Run, policy: Path) -> None:
    audited = [each | {"harm": 0.9, "probability": 0.5} for each in usual()]
    ran = cascade("drift", log(audited), "--policy", policy)
    assert ran.status == 1
    assert "audited harm" in ran.out


def audited(row: int, harm: float | None, **fields: Any) -> dict[str, Any]:
    """The audit of a decision, as the log keeps it behind the decisions."""
    status = "skipped" if harm is None else "done"
    quality = None if harm is None else 1 - harm
    tiers = [{"tier": 0, "quality": quality}, {"tier": 1, "quality": 1.0}]
    return {
        "event": "audit", "decision": f"d{row}", "status": status, "probability": 0.5,
        "harm": harm, "strong_quality": 1.0, "tiers": tiers, **fields,
    }  # fmt: skip


def picked(n: int = 400) -> list[dict[str, Any]]:
    """Decisions of which every second is picked for an audit."""
    return [
        each | {"id": f"d{row}", "audit": {"probability": 0.5, "picked": row % 2 == 0}}
        for row, each in enumerate(usual(n))
    ]


def test_harm_that_audits_found_is_watched(cascade: Run, policy: Path) -> None:
    records = picked()
    calm = [audited(row, 0.0) for row in range(0, 400, 2)]
    found = figures(cascade("drift", log([*records, *calm]), "--policy", policy, "--json"))
    assert (found["rows"], found["audits"], found["harm"], found["skipped"]) == (400, 100, 0, {})
    bad = [audited(row, 0.9) for row in range(0, 400, 2)]
    ran = cascade("drift", log([*records, *bad]), "--policy", policy, "--json")
    assert (ran.status, ran.err) == (1, "")
    assert json.loads(ran.out)["harm"] == pytest.approx(0.9 * 0.5)
    assert {alarm["what"] for alarm in json.loads(ran.out)["alarms"]} == {"harm"}


def test_a_database_is_read_like_a_file(cascade: Run, policy: Path) -> None:
    pytest.importorskip("sqlalchemy")
    from cascade_core.log import open_log

    kept = open_log("sqlite:///decisions.db")
    assert kept is not None
    records = [
        each | {"at": f"2026-11-28T12:{row // 60:02}:{row % 60:02}+00:00"}
        for row, each in enumerate(picked())
    ]
    for each in records:
        kept.write(each)
    for row in range(2, 400, 2):
        kept.write_event(  # type: ignore[attr-defined]
            audited(row, 0.9, id=f"a{row}", at="2026-11-28T13:00:00+00:00", compare="auto")
        )
    assert kept.flush(60)  # type: ignore[attr-defined]
    of_database, of_file = (
        cascade("drift", where, "--policy", policy, "--json")
        for where in (
            "sqlite:///decisions.db",
            log([*records, *(audited(row, 0.9) for row in range(2, 400, 2))]),
        )
    )
    assert of_database.status == 1
    assert of_database.out == of_file.out
    assert json.loads(of_database.out)["audits"] > 90
    gone = refused(cascade("drift", "sqlite:///gone.db", "--policy", policy))
    assert "gone.db" in gone
    assert not Path("gone.db").exists()


def test_audits_that_were_not_done_are_said(cascade: Run, policy: Path) -> None:
    accepted = [row for row, each in enumerate(usual()) if each["accepted"] and row % 2 == 0]
    events = [audited(row, None) for row in accepted[:3]] + [
        audited(row, 0.0) for row in accepted[5:]
    ]
    later = audited(accepted[0], 0.0)  # it was skipped, and made up for
    ran = cascade("drift", log([*picked(), *events, later]), "--policy", policy)
    assert ran.status == 0
    assert "decisions.jsonl: 4 accepted answers were picked for an audit that was not" in ran.err


def test_in_shadow_mode_the_answer_that_was_not_given_is_audited(
    cascade: Run, policy: Path
) -> None:
    records = [
        each
        | {"reason": "shadow", "accepted": False, "tier": 1}
        | {"shadow": {name: each[name] for name in ("tier", "reason", "accepted")}}
        for each in picked()
    ]
    bad = [audited(row, 0.9) | {"harm": 0.0} for row in range(0, 400, 2)]
    ran = cascade("drift", log([*records, *bad]), "--policy", policy, "--json")
    assert json.loads(ran.out)["harm"] == pytest.approx(0.9 * 0.5)


def test_shadow_records_and_blank_lines_are_read(cascade: Run, policy: Path) -> None:
    shadowed = [
        {**r, "reason": "shadow", "accepted": False, "tier": 1, "shadow": shadow}
        for r in usual()
        if (shadow := {"tier": r["tier"], "reason": r["reason"], "accepted": r["accepted"]})
    ]
    for found in shadowed:  # as the flow notes a draft that would have been served
        found["calls"] = [{**found["calls"][0], "outcome": "rejected"}]
    ran = cascade("drift", log(["", *shadowed, ""]), "--policy", policy, "--json")
    assert figures(ran)["escalated"] == 0.5


LINES: dict[str, Any] = {
    "no JSON": f'{{"reason": "{SECRET}',
    "a list": [SECRET],
    "another record": {"reason": SECRET},
    "no calls": {**record(0, escalated=True), "calls": None},
    "calls of another kind": {**record(0, escalated=True), "calls": [SECRET]},
    "a confidence beyond 1": record(0, escalated=False, confidence=1.5),
    "a threshold in words": record(0, escalated=False) | {"threshold": [SECRET]},
    "an endless harm": record(0, escalated=False) | {"harm": float("inf")},
    "an event of another kind": {"event": "deploy", "text": SECRET},
    "an audit of no chance": record(0, escalated=False) | {"harm": 0.1, "probability": 0},
    "a confidence in words": record(0, escalated=False, confidence=SECRET),
    "an answer without a tier": {**record(0, escalated=False), "tier": None},
    "a shadow of another kind": record(0, escalated=False, shadow=SECRET),
    "an empty shadow": record(0, escalated=False, shadow={}),
}


@pytest.mark.parametrize("case", list(LINES))
def test_a_line_that_is_no_decision_is_left_out_and_counted(
    cascade: Run, policy: Path, case: str
) -> None:
    lines = [*usual(3), LINES[case], *usual(397), LINES[case]]
    ran = cascade("drift", log(lines), "--policy", policy, "--json")
    assert ran.err == (
        "cascade: decisions.jsonl: 2 lines are no record of a decision (the first: line 4) "
        "and left out\n"
    )
    assert json.loads(ran.out)["rows"] == 400
    assert json.loads(ran.out)["skipped"] == {"unreadable": 2}
    alone = refused(cascade("drift", log([LINES[case]]), "--policy", policy))
    assert "none of its lines is a record of a decision" in alone


@pytest.mark.parametrize(
    "line", [b"\xff\xfe\xfa", b"\0\0", b'{"a": "\xc3', b"[" * 100_000, b"9" * 9000]
)
def test_a_line_of_any_bytes_is_left_out(cascade: Run, policy: Path, line: bytes) -> None:
    path = log(usual(10))
    good = path.read_bytes()
    path.write_bytes(good + line + b"\n" + good)
    ran = cascade("drift", path, "--policy", policy)
    assert "20 decisions of this policy read" in ran.out
    assert ran.err.count("\n") == 1
    assert "line 11" in ran.err


def test_one_decision_is_one(cascade: Run, policy: Path) -> None:
    assert (
        "1 decision of this policy read, 0 others"
        in cascade("drift", log(usual(1)), "--policy", policy).out
    )


def test_what_cannot_be_compared_is_one_line(cascade: Run, policy: Path) -> None:
    log(usual(3))
    assert "gone.jsonl cannot be read" in refused(
        cascade("drift", "gone.jsonl", "--policy", policy)
    )
    assert "policy gone.json cannot be read" in refused(
        cascade("drift", "decisions.jsonl", "--policy", "gone.json")
    )
    by_hand = write_policy({"thresholds": [0.5]}, "hand.json")
    assert "was not tuned" in refused(cascade("drift", "decisions.jsonl", "--policy", by_hand))
    assert "0 < alpha < 1" in refused(
        cascade("drift", "decisions.jsonl", "--policy", policy, "--alpha", 2)
    )
    Path("binary.jsonl").write_bytes(b"\xfa\xfb\n")
    assert "none of its lines" in refused(cascade("drift", "binary.jsonl", "--policy", policy))
    log([record(0, escalated=False, confidence=7)])
    assert "none of its lines" in refused(cascade("drift", "decisions.jsonl", "--policy", policy))


def test_other_models_than_the_policy_was_tuned_with_are_named(cascade: Run) -> None:
    models = {"t0_model": ["cheap-1"] * 400, "t1_model": ["strong-1"] * 400}
    write({**ladder(400, bad=200), **models})
    kept = write_policy({"calibrators": [BY_A]}, "kept.json")
    asked = ["--max-escalated", 0.5, "--policy", kept, "--name", "desk", "--out", "policy.json"]
    assert cascade("tune", "labels.csv", *asked).status == 0

    def read(model: str) -> str:
        records = usual()
        for each in records:
            each["calls"][0]["model"] = model
        return cascade("drift", log(records), "--policy", "policy.json").err

    assert read("cheap-1-2026-01-01") == ""
    said = read("cheap-2")
    assert said.startswith("cascade: tier 0 answered as cheap-2 400 times, and the policy was")
    assert "tuned with cheap-1" in said
    assert said.count("\n") == 1


def test_a_report_says_what_has_moved_from_its_policy(cascade: Run, policy: Path) -> None:
    log([record(row, escalated=True) for row in range(400)])
    told = json.loads(cascade("drift", "decisions.jsonl", "--policy", policy, "--json").out)
    ran = cascade("report", "decisions.jsonl", "--policy", policy)
    assert (ran.status, ran.err) == (0, "")
    assert f"moved since the policy was tuned: {told['alarms'][0]['text']}" in " ".join(
        ran.out.split()
    )
    as_json = cascade("report", "decisions.jsonl", "--policy", policy, "--json")
    assert json.loads(as_json.out)["drift"]["alarms"] == told["alarms"]
    log(usual())
    assert "Nothing has moved" in cascade("report", "decisions.jsonl", "--policy", policy).out
