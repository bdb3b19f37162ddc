"""The page of classes: its money is the report's, its quality the audits', its switches are rules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core.review.bypassing import bypassed, draft_costs, paired_audits, pinned
from cascade_core.review.grouping import shown_names
from cascade_core.review.periods import Period
from cascade_core.review.workbench import Workbench
from tests.core.review.logs import everything
from tests.core.review.serving import Values, asking, bench_over, shown_text
from tests.core.traffic.making import audit, call, decision, sent_on, straight

REFUND: dict[str, Any] = {"class": "refund"}


def of_class(name: str | None) -> dict[str, Any]:
    return {"class": name}


def both(name: str, cheap: float, strong: float = 1.0, **changes: Any) -> dict[str, Any]:
    """An audit that knows both tiers' answers."""
    tiers = [{"tier": 0, "quality": cheap}, {"tier": 1, "quality": strong}]
    return audit(name, max(0.0, strong - cheap), tiers=tiers, **changes)


def audited(n: int) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for number in range(n):
        picked = {"probability": 0.5, "picked": True}
        made = decision if number % 2 else sent_on
        entries.append(made(f"r{number}", 1 + number % 9, audit=picked, **REFUND))
        entries.append(both(f"r{number}", float(number % 4 != 0)))
    return entries


def effects(bench: Workbench, by: str = "class") -> dict[str, Any]:
    report = bench.report(Period(), by)
    pairs = paired_audits(bench.snapshot(), report.worked)
    return {
        each.shown: (
            bypassed(each.figures),
            pinned(report.worked, each.rows, each.figures, pairs),
        )
        for each in shown_names(report)
    }


def test_bypassing_is_the_last_tiers_cost_in_place_of_the_answers(tmp_path: Path) -> None:
    entries = [decision(f"k{n}", **REFUND) for n in range(3)]
    entries += [sent_on("s", **REFUND), straight("b", **REFUND), decision("other")]
    found, _ = effects(bench_over(entries, tmp_path))["refund"]
    assert found.now_usd == pytest.approx(3 * 0.001 + 0.011 + 0.01)
    assert found.then_usd == pytest.approx(5 * 0.01)
    assert found.change_usd == pytest.approx(0.05 - 0.024)
    assert found.harm.value == 0
    assert found.how == "by estimate"


def test_pinning_is_the_drafts_cost_where_it_is_known_and_their_mean_elsewhere(
    tmp_path: Path,
) -> None:
    entries = [decision(f"k{n}", **REFUND) for n in range(3)]
    entries += [sent_on("s", **REFUND), straight("b", **REFUND), decision("other")]
    bench = bench_over(entries, tmp_path)
    _, found = effects(bench)["refund"]
    assert found.then_usd == pytest.approx(5 * 0.001)
    assert found.how == "by estimate"
    assert any("Of the other 1 it is estimated" in line for line in found.sums)
    cost, known = draft_costs(bench.report(Period()).worked)
    assert np.allclose(cost[known], 0.001)
    assert int(known.sum()) == 5


def test_a_judged_drafts_cost_is_not_taken_for_the_drafts_alone(tmp_path: Path) -> None:
    judge = call(0, "used", 0.002, purpose="judge")
    calls = [call(0, "accepted", 0.001), judge]
    entries = [decision("j", cost_usd=0.003, calls=calls, **REFUND), decision("k", **REFUND)]
    _, found = effects(bench_over(entries, tmp_path))["refund"]
    assert found.then_usd == pytest.approx(0.002)
    assert found.how == "by estimate"


def test_what_cannot_be_known_is_said(tmp_path: Path) -> None:
    bare: dict[str, Any] = {"cost_usd": None, "strong_cost_usd": None, **REFUND}
    bench = bench_over([decision("u", **bare), straight("b", **of_class("legal"))], tmp_path)
    found = effects(bench)
    assert [each.change_usd for each in found["refund"]] == [None, None]
    assert "give the cascade prices=" in found["refund"][0].sums[0]
    assert found["legal"][1].change_usd is None
    assert "Of none is the cost of such a draft known." in found["legal"][1].sums
    assert "harm not known: 30 audits are needed" in shown_text(asking(bench).get("/classes").text)


def test_pinned_quality_and_harm_are_those_of_audits_that_know_both(tmp_path: Path) -> None:
    bench = bench_over([*audited(40), decision("bystander")], tmp_path)
    _, found = effects(bench)["refund"]
    assert (found.quality.n, found.quality.value) == (40, 0.75)
    assert found.harm.value == 0.25
    assert found.harm.low < 0.25 < found.harm.high
    assert found.harm.needed == 0


def test_audits_count_by_the_chance_they_were_picked_with(tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = []
    for number in range(40):
        rare = number < 20
        picked = {"probability": 0.1 if rare else 1.0, "picked": True}
        entries.append(decision(f"d{number}", audit=picked, **REFUND))
        entries.append(both(f"d{number}", float(not rare), probability=picked["probability"]))
    _, found = effects(bench_over(entries, tmp_path))["refund"]
    assert found.harm.value == pytest.approx(200 / 220)


def test_the_last_audit_that_was_done_counts(tmp_path: Path) -> None:
    picked = {"probability": 1.0, "picked": True}
    entries = [decision("d", audit=picked, **REFUND), both("d", 0.0, probability=1.0)]
    later = "2026-03-10T12:00:00+00:00"
    entries.append(both("d", 1.0, probability=1.0, id="again", at=later))
    _, found = effects(bench_over(entries, tmp_path))["refund"]
    assert (found.harm.n, found.harm.value) == (1, 0.0)


@pytest.mark.parametrize("by", ["class", "tag"])
def test_the_page_has_the_reports_figures(tmp_path: Path, by: str) -> None:
    bench = bench_over([*everything(), *audited(40)], tmp_path)
    page = Values(asking(bench).get("/classes", params={"by": by}).text)
    told = bench.report(Period(), by).as_dict()
    for group in told["groups"]:
        row = page.rows[group["name"]]
        assert row["requests"] == group["requests"]
        saved = group["saved"]
        assert row["cost_usd"] == saved["cost_usd"]
        assert row["strong_cost_usd"] == saved["strong_cost_usd"]
        change = saved["strong_cost_usd"] - saved["answers_usd"]
        assert row["bypass-change"] == pytest.approx(change)
        if group["audits"] is not None and group["audits"]["harm"] is not None:
            assert row["harm"] == group["audits"]["harm"]


# --- switches ------------------------------------------------------------------------------------


def switched(bench: Workbench, on: str = "yes", **form: str) -> str:
    sent = {"by": "class", "name": "refund", "action": "bypass", "on": on, **form}
    answer = asking(bench).post("/classes/rule", data=sent)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_switch_writes_a_rule_and_takes_it_back(tmp_path: Path) -> None:
    bench = bench_over([decision("a", **REFUND)], tmp_path)
    html = switched(bench, since="2026-01-01")
    assert [rule.name for rule in bench.draft.policy.rules] == ["bypass class refund"]
    assert 'aria-checked="true"' in html
    assert "rule bypass class refund" in shown_text(html)
    html = switched(bench, action="pin")  # one instead of the other
    assert [rule.name for rule in bench.draft.policy.rules] == ["pin class refund"]
    html = switched(bench, action="pin", on="no")
    assert not bench.draft.changed
    assert 'aria-checked="true"' not in html


def test_a_rule_that_would_win_is_named_with_what_it_decided(tmp_path: Path) -> None:
    keeps = {"name": "local", "match": {"tag": "local"}, "then": {"pin": 0}}
    entries = [decision("a", **REFUND), decision("b", rule="local", reason="pinned", **REFUND)]
    bench = bench_over(entries, tmp_path, {"rules": [keeps]})
    said = shown_text(switched(bench))
    assert "Rule local comes before it and wins where both match: it decided 1 of these" in said


def test_the_policys_own_rules_are_shown_and_can_be_taken_out(tmp_path: Path) -> None:
    rules = [
        {"name": "legal stays", "match": {"tag": "legal"}, "then": {"bypass": True}},
        {"name": "shared", "match": {"tag": ["a", "b"]}, "then": {"bypass": True}},
    ]
    entries = [decision("x", tags=["legal"]), decision("y", tags=["a"])]
    bench = bench_over(entries, tmp_path, {"rules": rules})
    said = shown_text(asking(bench).get("/classes?by=tag").text)
    assert "rule legal stays" in said
    assert "rule shared, which is about more than this tag" in said
    switched(bench, on="no", by="tag", name="legal")
    assert [rule.name for rule in bench.draft.policy.rules] == ["shared"]


def test_requests_without_a_class_have_no_switch(tmp_path: Path) -> None:
    bench = bench_over([decision("a", **of_class(None))], tmp_path)
    html = asking(bench).get("/classes").text
    assert "No request has a class." in shown_text(html)
    assert 'role="switch"' not in html


def test_a_class_that_is_called_no_class_has_one(tmp_path: Path) -> None:
    bench = bench_over([decision("a", **of_class("no class"))], tmp_path)
    html = asking(bench).get("/classes").text
    assert 'name="name" value="no class"' in html


def test_read_only_means_it(tmp_path: Path) -> None:
    bench = bench_over([decision("a", **REFUND)], tmp_path, read_only=True)
    form = {"by": "class", "name": "refund", "action": "bypass", "on": "yes"}
    assert asking(bench).post("/classes/rule", data=form).status_code == 403
    assert asking(bench).post("/classes/pattern", data=form).status_code == 403
    assert not bench.draft.changed
    for button in re.findall(
        r"<button[^>]*role=.switch.[^>]*>", asking(bench).get("/classes").text
    ):
        assert "disabled" in button


@pytest.mark.parametrize(
    "form", [{"by": "model"}, {"action": "drop"}, {"name": ""}, {"name": "x" * 100_001}], ids=str
)
def test_what_is_no_switch_is_refused(tmp_path: Path, form: dict[str, str]) -> None:
    bench = bench_over([decision("a", **REFUND)], tmp_path)
    sent = {"by": "class", "name": "refund", "action": "bypass", "on": "yes", **form}
    assert asking(bench).post("/classes/rule", data=sent).status_code == 400
    assert not bench.draft.changed


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "ansi": "\x1b[2Jred",
    "direction": "\u202eevil",
    "quotes": "\"'{}\\",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("by", ["class", "tag"])
def test_hostile_names_are_text_and_can_have_rules(tmp_path: Path, name: str, by: str) -> None:
    changes: dict[str, Any] = {"tags": [name]} if by == "tag" else {"class": name}
    bench = bench_over([decision("d", **changes)], tmp_path)
    html = asking(bench).get("/classes", params={"by": by}).text
    html += switched(bench, by=by, name=name)
    assert "<script>alert" not in html
    (rule,) = bench.draft.policy.rules
    assert (rule.match.tag if by == "tag" else rule.match.class_name) == (name,)


def test_a_name_of_a_megabyte_is_cut_and_has_no_switch(tmp_path: Path) -> None:
    bench = bench_over([decision("d", **of_class("x" * 1_000_000))], tmp_path)
    html = asking(bench).get("/classes").text
    assert len(html) < 100_000
    assert 'role="switch"' not in html
