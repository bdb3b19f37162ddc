"""The page on thresholds says what replay says, of whatever rows there are, and changes nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core.evaluation.scored import Scored
from cascade_core.evaluation.scoring import score
from cascade_core.labels import Table, read_table
from cascade_core.policy.document import Policy
from cascade_core.report.rows import formatted
from cascade_core.review import labelled_rows, thresholds_disk
from cascade_core.review.labelled_rows import LabelledRows
from cascade_core.review.positions import Positions
from cascade_core.review.readings import tiers_seen
from tests.core.review.serving import shown_text
from tests.core.review.weighing import THRESHOLD, labelled_log, review_of, table_file
from tests.core.traffic.making import decision
from tests.core.traffic.storing import store
from tests.policies import by
from tests.running import Run, in_process

KEPT = Path(__file__).parents[2] / "kept"
POLICIES = sorted(path.name for path in KEPT.glob("policy-*.*"))


def replayed(cascade: Run, table: Path | str, policy: Path | str) -> dict[str, Any]:
    ran = cascade("replay", table, "--policy", policy, "--json")
    assert ran.status == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


@pytest.fixture
def cascade(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    return in_process(monkeypatch, capfd)


@pytest.fixture
def log(tmp_path: Path) -> str:
    return labelled_log(tmp_path / "log.db")


@pytest.fixture
def empty(tmp_path: Path) -> str:
    return store([], f"sqlite:///{tmp_path / 'empty.db'}")


@pytest.mark.parametrize("name", POLICIES)
def test_at_the_policys_own_thresholds_every_figure_is_replays(cascade: Run, name: str) -> None:
    policy = Policy.load(KEPT / name)
    rows = LabelledRows.of(read_table(KEPT / "table.csv"), policy)
    found = rows.at(Positions.of_policy(policy))
    said = replayed(cascade, KEPT / "table.csv", KEPT / name)
    assert found.means.as_dict() == {key: said[key] for key in found.means.as_dict()}
    assert list(found.means.by_tier) == said["by_tier"]
    for figure in ("cost", "quality", "harm", "escalated"):
        ends = rows.interval(found, figure)
        assert said["intervals"][figure] == pytest.approx(asdict(ends), rel=1e-12)


def test_the_page_shows_those_of_a_log_and_replay_agrees(
    cascade: Run, log: str, tmp_path: Path
) -> None:
    policy = {"thresholds": [THRESHOLD], "classes": {"refund": {"thresholds": [0.8]}}}
    file = tmp_path / "policy.json"
    Policy.load(policy).save(file)
    said = replayed(cascade, log, file)
    _, client = review_of(log, policy)
    figures = client.get("/thresholds/answer").json()["figures"]
    assert figures["quality"]["now"] == figures["quality"]["then"] == formatted(said["quality"])
    assert figures["harm"]["now"] == formatted(said["harm"])
    assert figures["escalated"]["now"] == formatted(said["escalated"])
    assert figures["cost"]["now"] == formatted(said["cost_usd"], "usd")
    assert {each["difference"] for each in figures.values()} == {"no change"}
    # The reliability and the AUROC beside it are replay's as well.
    (tier,) = said["tiers"]
    page = client.get("/thresholds").text
    assert f"AUROC {tier['auroc']:.3f}" in page
    assert f"differ by {tier['ece']:.3f}" in page


def test_moved_thresholds_say_who_changes_sides_and_by_how_much(log: str) -> None:
    _, client = review_of(log)
    found = client.get("/thresholds/answer?t0=0.7").json()
    judged = np.array([round((i * 37 % 120 + 0.5) / 120, 6) for i in range(120)])
    up = int(np.count_nonzero((judged >= THRESHOLD) & (judged < 0.7)))
    assert f"{up} of the 120 decisions" in found["sides"]
    assert f"{up} that are kept now would be sent on, 0 that are" in found["sides"]
    near = sorted(0.7 - one for one in judged if THRESHOLD <= one < 0.7)[:10]
    assert [e["confidence"] for e in found["examples"]] == [f"{0.7 - d:.4f}" for d in near]
    assert {e["move"] for e in found["examples"]} == {"tier 0 → tier 1"}
    assert all(e["address"] == f"/decisions/{e['id']}" for e in found["examples"])
    assert {e["text"] for e in found["examples"]} == {""}  # nothing is logged
    # One of 121 requests went past tier 0 by a rule, whatever its threshold.
    beyond = (int(np.count_nonzero(judged < 0.7)) + 1) / 121
    assert found["figures"]["live"]["then"] == formatted(beyond)


def test_what_was_asked_is_shown_where_it_is_logged(tmp_path: Path) -> None:
    url = labelled_log(tmp_path / "log.db", text="<script>alert(1)</script> \u202e why")
    _, client = review_of(url)
    found = client.get("/thresholds/answer?t0=0.9").json()
    assert all(each["text"].startswith("<script>") for each in found["examples"])
    page = client.get("/thresholds?t0=0.9").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_a_class_of_its_own_moves_alone(log: str) -> None:
    _, client = review_of(log)
    found = client.get("/thresholds/answer", params={"t0": "0.6", "t0.refund": "1"}).json()
    assert {each["class"] for each in found["examples"]} == {"refund"}
    page = client.get("/thresholds", params={"t0": "0.6", "add": "refund"}).text
    assert 'name="t0.refund"' in page
    assert "Same as the others again" in page


def test_a_period_narrows_the_log_and_not_the_labelled_rows(log: str) -> None:
    _, client = review_of(log)
    whole = client.get("/thresholds/answer?t0=0.8").json()
    part = client.get("/thresholds/answer?t0=0.8&since=2026-03-20").json()
    assert part["figures"]["quality"] == whole["figures"]["quality"]
    assert part["sides"] != whole["sides"]
    assert all("since=2026-03-20" in each["address"] for each in part["examples"])
    numbers = [int(each["id"][1:]) for each in part["examples"]]
    assert all(1 + i * 27 // 120 >= 20 for i in numbers)
    known = [f"{(i * 37 % 120 + 0.5) / 120:.4f}" for i in numbers]
    assert [each["confidence"] for each in part["examples"]] == known


def test_a_draft_whose_confidence_is_the_threshold_is_kept(log: str) -> None:
    one, more = 0.754167, 0.754168  # of a decision, and just above it
    _, client = review_of(log, {"thresholds": [one]})
    assert "None of the 120" in client.get(f"/thresholds/answer?t0={one}").json()["sides"]
    found = client.get(f"/thresholds/answer?t0={more}").json()
    assert [each["confidence"] for each in found["examples"]] == ["0.7542"]


@pytest.mark.parametrize("asked", ["t0=x", "t0=1.5", "t0=-1", "t0=nan", "t0=0.5&target=0"])
def test_what_is_no_number_is_said_in_one_sentence(log: str, asked: str) -> None:
    _, client = review_of(log)
    answer = client.get(f"/thresholds/answer?{asked}")
    assert answer.status_code == 400
    assert "is a number" in answer.json()["error"]
    assert client.get(f"/thresholds?{asked}").status_code == 400


def test_looking_changes_no_draft_and_using_does(log: str) -> None:
    bench, client = review_of(log)
    client.get("/thresholds?t0=0.9&t0.refund=0.3")
    client.get("/thresholds/answer?t0=0.9")
    assert not bench.draft.changed
    used = client.post("/thresholds", data={"t0": "0.9", "t0.refund": "0.3"})
    assert used.status_code == 200
    assert "The draft has these thresholds now" in used.text
    assert bench.draft.policy.thresholds == (0.9,)
    assert bench.draft.policy.classes["refund"].thresholds == (0.3,)
    assert bench.draft.base.thresholds == (THRESHOLD,)
    # The sliders begin where the draft is; those of now are still what is compared with.
    figures = client.get("/thresholds/answer").json()["figures"]
    assert figures["escalated"]["difference"] != "no change"
    client.post("/thresholds", data={"t0": "0.9"})
    assert bench.draft.policy.classes == {}
    client.post("/thresholds", data={"t0": str(THRESHOLD)})
    assert not bench.draft.changed


def test_a_class_of_the_policy_that_decides_can_be_like_the_others(log: str) -> None:
    policy = {"thresholds": [THRESHOLD], "classes": {"refund": {"thresholds": [0.8]}}}
    bench, client = review_of(log, policy)
    client.post("/thresholds", data={"t0": "0.7"})
    assert bench.draft.policy.classes == {}
    assert bench.draft.policy.thresholds == (0.7,)
    client.post("/thresholds", data={"t0": "0.7", "t0.refund": "0.9"})
    assert bench.draft.policy.classes["refund"].thresholds == (0.9,)


def test_thresholds_that_are_not_moved_are_used_to_the_last_digit(log: str) -> None:
    threshold = 0.6000000000000001
    bench, client = review_of(log, {"thresholds": [threshold]})
    page = client.get("/thresholds").text
    assert 'name="t0" value="0.6000000000000001"' in page
    client.post("/thresholds", data={"t0": "0.6000000000000001"})
    assert not bench.draft.changed


def test_a_review_that_is_read_only_has_no_button_and_takes_none(log: str) -> None:
    bench, client = review_of(log, read_only=True)
    assert "Use these thresholds" not in client.get("/thresholds").text
    assert client.post("/thresholds", data={"t0": "0.9"}).status_code == 403
    assert not bench.draft.changed


def test_without_labels_the_page_says_what_is_missing_and_counts_the_log(tmp_path: Path) -> None:
    url = labelled_log(tmp_path / "log.db", audited=False)
    _, client = review_of(url)
    page = client.get("/thresholds?t0=0.9")
    assert page.status_code == 200
    assert "cannot be told" in page.text
    assert "cascade collect" in page.text
    found = client.get("/thresholds/answer?t0=0.9").json()
    assert list(found["figures"]) == ["live"]
    assert "would change sides" in found["sides"]
    assert found["promise"] == []


def test_an_empty_log_has_a_page(empty: str) -> None:
    _, client = review_of(empty)
    assert client.get("/thresholds").status_code == 200


def test_a_policy_without_thresholds_begins_at_those_that_the_log_met(log: str) -> None:
    bench, client = review_of(log, {"name": "none"})
    page = client.get("/thresholds").text
    assert f'value="{THRESHOLD}"' in page
    assert "The thresholds in use are of no policy" in page
    client.post("/thresholds", data={"t0": str(THRESHOLD)})
    assert bench.draft.policy.thresholds == (THRESHOLD,)


def test_a_log_of_other_calibrators_is_not_counted(log: str) -> None:
    half = {"score": {"kind": "signal", "signal": "seen"}}
    half["curve"] = {"kind": "isotonic", "x": [0.0, 1.0], "y": [0.0, 0.5]}
    _, client = review_of(log, {"thresholds": [0.3], "calibrators": [half]})
    found = client.get("/thresholds/answer?t0=0.4").json()
    assert "live" not in found["figures"]
    assert "labelled rows" in found["sides"]
    assert "was written under another" in client.get("/thresholds").text


def test_a_rule_with_thresholds_is_left_out_and_said(tmp_path: Path) -> None:
    url = labelled_log(tmp_path / "log.db")
    rules = [{"name": "legal", "match": {"tag": "x"}, "then": {"thresholds": [0.97]}}]
    _, client = review_of(url, {"thresholds": [THRESHOLD], "rules": rules})
    page = client.get("/thresholds").text
    assert "The policy&#39;s rules are left out" in page


def test_three_tiers_have_two_sliders_and_examples_of_labelled_rows(tmp_path: Path) -> None:
    _, client = review_of(table_file(tmp_path, 300, tiers=3), {"thresholds": [0.7, 0.8]})
    page = client.get("/thresholds").text
    assert 'name="t0"' in page
    assert 'name="t1"' in page
    found = client.get("/thresholds/answer?t0=0.7&t1=0.95").json()
    assert {each["move"] for each in found["examples"]} == {"tier 1 → tier 2"}
    assert "to a later tier, 0 to an earlier one" in found["sides"]
    assert found["figures"]["tier0"]["difference"] == "no change"
    assert found["figures"]["tier2"]["difference"] != "no change"
    first = found["examples"][0]
    assert client.get(first["address"]).status_code == 200
    assert first["id"] in client.get(first["address"]).text


def test_unpriced_rows_have_no_cost_and_a_curve_over_the_share(tmp_path: Path) -> None:
    table = table_file(tmp_path, 100, t1_cost_usd=[None] * 100)
    _, client = review_of(table, {"thresholds": [0.7]})
    found = client.get("/thresholds/answer?t0=0.9").json()
    assert found["figures"]["cost"]["then"] == "unpriced"
    assert found["point"][0] == pytest.approx(
        float(found["figures"]["escalated"]["then"].split()[0]) / 100, abs=0.001
    )
    page = client.get("/thresholds").text
    assert "Quality against the share sent on" in page
    assert "has no price, so costs cannot be told" in page


def test_rows_that_are_partly_unobserved_are_left_out_and_counted(tmp_path: Path) -> None:
    quality = [None if i < 7 else 1.0 for i in range(100)]
    _, client = review_of(table_file(tmp_path, 100, t1_quality=quality), {"thresholds": [0.7]})
    page = client.get("/thresholds").text
    assert "7 labelled rows are left out: t1_quality is empty" in page
    assert "On all 93 labelled rows" in page


def test_a_policy_that_does_not_fit_the_rows_says_so(log: str) -> None:
    lacking = {"score": {"kind": "signal", "signal": "judge"}}
    _, client = review_of(log, {"thresholds": [0.5], "calibrators": [lacking]})
    page = client.get("/thresholds")
    assert page.status_code == 200
    assert "t0_signal_judge" in page.text


def test_a_class_with_a_hostile_name_is_text(tmp_path: Path) -> None:
    name = '"><img src=x onerror=alert(1)>'
    table = table_file(tmp_path, 80, **{"class": [name if i % 2 else "b" for i in range(80)]})
    _, client = review_of(table, {"thresholds": [0.7]})
    page = client.get("/thresholds", params={"t0": "0.7", f"t0.{name}": "0.9"}).text
    assert "<img" not in page
    answer = client.get("/thresholds/answer", params={"t0": "0.7", f"t0.{name}": "1"}).json()
    assert {each["class"] for each in answer["examples"]} == {name}


def on_disk(page: str) -> dict[str, Any]:
    start = page.index('id="answers-on-disk">') + len('id="answers-on-disk">')
    found: dict[str, Any] = json.loads(page[start : page.index("</script>", start)])
    return found


def test_a_page_for_a_disk_brings_the_answers_that_a_server_gives(tmp_path: Path) -> None:
    url = labelled_log(tmp_path / "log.db", text="</script><u> why")
    bench, client = review_of(
        url, {"thresholds": [THRESHOLD], "classes": {"refund": {"thresholds": [0.8]}}}
    )
    bench.static = True
    page = client.get("/thresholds").text
    assert "<u>" not in page
    assert 'action="/thresholds" data-answer' in page
    assert "Use these thresholds" not in page
    held = on_disk(page)
    assert len(json.dumps(held)) < 1_000_000
    assert list(held["sliders"]) == ["t0", "t0.refund"]
    for name, own in held["sliders"].items():
        assert THRESHOLD in own["stops"] or name == "t0.refund"
        for place in (0, len(own["stops"]) // 2, len(own["stops"]) - 1):
            asked = {"t0": str(THRESHOLD), "t0.refund": "0.8", name: own["stops"][place]}
            said = client.get("/thresholds/answer", params=asked).json()
            brought = own["answers"][place]
            assert brought["sides"] == said["sides"]
            assert brought["promise"] == said["promise"]
            assert brought["point"] == said["point"]
            assert brought["figures"]["quality"]["then"] == said["figures"]["quality"]["then"]
            whole = [{**each, **held["examples"][each["id"]]} for each in brought["examples"]]
            assert whole == said["examples"]


@pytest.mark.simulation
def test_a_page_for_a_disk_stays_small_whatever_people_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thresholds_disk, "MOST_ON_DISK", 400_000)  # all stops would take 600,000
    classes = {f"class {i}": {"thresholds": [0.5 + i / 100]} for i in range(30)}
    url = labelled_log(tmp_path / "log.db", 100, text="long " * 200)
    bench, client = review_of(url, {"thresholds": [THRESHOLD], "classes": classes})
    bench.static = True
    held = on_disk(client.get("/thresholds").text)
    assert len(held["sliders"]) == 31
    assert len(json.dumps(held, separators=(",", ":"), ensure_ascii=False)) <= 400_000


def test_rows_are_scored_once_for_all_answers_and_again_for_another_policy(
    log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[Policy] = []

    def counting(table: Table, policy: Policy) -> Scored:
        scored.append(policy)
        return score(table, policy)

    monkeypatch.setattr(labelled_rows, "score", counting)
    bench, client = review_of(log)
    for asked in ("", "/answer?t0=0.7", "/answer?t0=0.8&since=2026-03-20", "?t0=0.9"):
        client.get(f"/thresholds{asked}")
    client.post("/thresholds", data={"t0": "0.9"})
    client.get("/thresholds/answer")
    assert len(scored) == 1
    bench.draft.reset(Policy.load({"thresholds": [0.9]}))
    now = client.get("/thresholds/answer").json()["figures"]["escalated"]["now"]
    assert len(scored) == 2
    judged = [round((i * 37 % 120 + 0.5) / 120, 6) for i in range(0, 120, 2)]
    assert now == formatted(float(np.mean(np.array(judged) < 0.9)))


def test_a_log_that_has_grown_is_counted_as_it_is(log: str) -> None:
    bench, client = review_of(log)
    before = client.get("/thresholds/answer?t0=0.9").json()["sides"]
    assert "of the 120 decisions" in before
    store([decision("new", 28, confidence=0.85, threshold=THRESHOLD)], log)
    bench.refresh()
    after = client.get("/thresholds/answer?t0=0.9").json()
    assert "of the 121 decisions" in after["sides"]
    assert "new" in {each["id"] for each in after["examples"]}


def test_the_interval_of_an_auroc_holds_it_also_where_readings_are_coarse(tmp_path: Path) -> None:
    coarse = [float(i % 3 > 0) for i in range(600)]
    good = [float(i % 3 > 0) if i % 5 else float(i % 2) for i in range(600)]
    rows = LabelledRows.of(
        read_table(table_file(tmp_path, 600, t0_signal_seen=coarse, t0_quality=good)),
        Policy.load({"thresholds": [0.5]}),
    )
    seen = tiers_seen(rows)[0].readings[0]
    assert seen.interval.low < seen.auroc < seen.interval.high
    assert seen.interval.high - seen.interval.low < 0.1


def test_a_policy_whose_last_tier_has_a_threshold_has_a_slider_for_each_of_the_others(
    log: str, tmp_path: Path
) -> None:
    given = {"thresholds": [THRESHOLD, 0.4], "classes": {"billing": {"thresholds": [0.3]}}}
    for source in (log, table_file(tmp_path, 60)):
        bench, browser = review_of(source, given)
        shown = browser.get("/thresholds")
        assert shown.status_code == 200
        assert 'name="t0"' in shown.text
        assert 'name="t1"' not in shown.text
        form = {"t0": "0.55", "t0.billing": "0.3"}
        assert browser.get("/thresholds/answer", params=form).status_code == 200
        bench.draft.set_threshold(0, 0.55)
        assert bench.draft.now.policy.thresholds == (0.55, 0.4)
        assert browser.get("/policy").status_code == 200
        assert browser.get("/").status_code == 200


def test_what_the_last_tier_hands_off_is_said(cascade: Run, tmp_path: Path) -> None:
    path = table_file(tmp_path, 300, t1_signal_seen=[n / 300 for n in range(300)])
    policy = {"thresholds": [0.9, 0.3]}
    (tmp_path / "p.json").write_text(json.dumps(policy))
    answered = replayed(cascade, path, tmp_path / "p.json")["answered"]
    assert 0.5 < answered < 1
    _, client = review_of(path, policy)
    page = shown_text(client.get("/thresholds").text)
    assert f"hands off below 0.3, {answered:.1%} of the labelled rows are answered" in page
    _, client = review_of(path, {"thresholds": [0.9]})
    assert "hands off" not in client.get("/thresholds").text


def test_sliders_are_said_to_move_what_the_threshold_is_held_against(tmp_path: Path) -> None:
    table = table_file(tmp_path, 40)
    seen = by("seen")
    weighed = {**seen, "benefit": {"keep": seen, "weight": 1.0}}
    for calibrator, met in ((seen, "confidence"), (weighed, "merit")):
        _, client = review_of(table, {"calibrators": [calibrator], "thresholds": [0.4]})
        assert f"A draft whose {met} reaches" in shown_text(client.get("/thresholds").text)
