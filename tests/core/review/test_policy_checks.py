"""What a draft would do is what `cascade replay` and the rules themselves say."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cascade_core.evaluation.replaying import replay
from cascade_core.labels import read_table
from cascade_core.log.policies import PolicyVersion
from cascade_core.policy.document import Policy
from cascade_core.review.draft_policy import DraftPolicy
from cascade_core.review.periods import Period, period_of
from cascade_core.review.policy_checks import FIGURES, check_policy, draft_warnings
from cascade_core.review.rule_reach import SECONDS_TO_REACH, RulesReach, reach_of
from tests.core.policy.test_moved import tuned
from tests.core.traffic.making import decision
from tests.core.traffic.storing import store
from tests.running import in_process

BYPASS = {"bypass": True}


def table(folder: Path, n: int = 60) -> Path:
    """Rising readings, the lowest third of wrong drafts; half of the rows of a class."""
    lines = ["id,class,t0_quality,t0_cost_usd,t0_signal_a,t1_quality,t1_cost_usd"]
    for row in range(n):
        name = "refund" if row % 2 else "billing"
        lines.append(f"r{row},{name},{int(row >= n // 3)},0.001,{(row + 1) / (n + 2)},1,0.01")
    path = folder / "labels.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def over(path: Path) -> Any:
    """Replay over a table's rows."""
    return partial(replay, read_table(path))


def changed(base: Policy, *changes: Any) -> DraftPolicy:
    draft = DraftPolicy(PolicyVersion(base, 1))
    for change in changes:
        change(draft)
    return draft


def test_figures_of_both_are_those_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path)
    base = Policy.load({"thresholds": [0.5], "classes": {"refund": {"thresholds": [0.2]}}})
    draft = changed(base, lambda d: d.set_threshold(0, 0.3)).policy
    found = check_policy(over(path), base, draft)
    run = in_process(monkeypatch, capfd)
    named = ("quality", "harm", "cost_usd", "escalated")
    for side, policy in (("before", base), ("after", draft)):
        policy.save(tmp_path / "p.json")
        ran = run("replay", path, "--policy", tmp_path / "p.json", "--json")
        told = json.loads(ran.out)
        assert [getattr(each, side) for each in found.figures] == [told[name] for name in named]
        for own in found.classes:
            each = told["classes"][own.name]
            assert [getattr(f, side) for f in own.figures] == [each[name] for name in named]
    assert [each.name for each in found.figures] == [name for name, _, _ in FIGURES]


def test_differences_come_with_an_interval_of_the_same_rows(tmp_path: Path) -> None:
    base = Policy.load({"thresholds": [0.5]})
    same = check_policy(over(table(tmp_path)), base, base)
    assert same.changed == 0
    assert all(each.difference == 0 for each in same.figures)
    assert all((each.between.low, each.between.high) == (0, 0) for each in same.figures)  # type: ignore[union-attr]
    lower = base.model_copy(update={"thresholds": (0.2,)})
    found = check_policy(over(table(tmp_path)), base, lower)
    assert found.changed == 18
    cost = found.figures[2]
    assert cost.difference is not None
    assert cost.between is not None
    assert cost.between.low < cost.difference < cost.between.high < 0


def test_few_labels_are_said_to_be_few(tmp_path: Path) -> None:
    base = Policy.load({"thresholds": [0.5]})
    few = check_policy(over(table(tmp_path, 30)), base, base)
    assert (few.few, [own.few for own in few.classes]) == (True, [True, True])
    many = check_policy(over(table(tmp_path, 60)), base, base)
    assert (many.few, [own.few for own in many.classes]) == (False, [False, False])


def test_rules_are_said_not_to_be_replayed(tmp_path: Path) -> None:
    rule = {"name": "r", "match": {"tag": "x"}, "then": BYPASS}
    draft = changed(Policy.load({"thresholds": [0.5]}), lambda d: d.add_rule(rule))
    check = check_policy(over(table(tmp_path)), draft.base, draft.policy)
    assert "the policy's rules are left out" in check.notes[0]


# --- rules on live decisions ---------------------------------------------------------------------


def reach(folder: Path, rules: list[Any], entries: Any = None, period: Any = None) -> RulesReach:
    entries = [decision("a")] if entries is None else entries
    url = store(entries, f"sqlite:///{folder / 'log.db'}")
    return reach_of(url, period or Period(), Policy.load({"rules": rules}).rules)


def rule(match: Any, then: Any = BYPASS, name: str = "r") -> dict[str, Any]:
    return {"name": name, "match": match, "then": then}


ENTRY = decision(
    "a",
    tags=["vip"],
    metadata={"tenant": "acme"},
    request=[{"role": "user", "text": "Where is my refund?"}],
)


@pytest.mark.parametrize(
    ("match", "holds"),
    [
        ({"tag": "vip"}, True),
        ({"tag": "free"}, False),
        ({"class": "billing"}, True),
        ({"class": ["x", "y"]}, False),
        ({"metadata": {"tenant": "acme"}}, True),
        ({"metadata": {"tenant": "other"}}, False),
        ({"metadata": {"plan": "gold"}}, None),
        ({"tool": "search"}, None),
        ({"input_tokens": {"over": 49}}, True),
        ({"input_tokens": {"over": 50}}, False),
        ({"input_tokens": {"under": 50}}, False),
        ({"input_tokens": {"under": 51}}, True),
        ({"regex": "(?i)REFUND"}, True),
        ({"regex": "order"}, False),
        ({"time": {"from": "11:00", "to": "13:00"}}, True),
        ({"time": {"from": "13:00", "to": "14:00"}}, False),
        ({"not": {"tag": "vip"}}, False),
        ({"not": {"tool": "x"}}, None),
        ({"any": [{"tool": "x"}, {"tag": "vip"}]}, True),
        ({"any": [{"tool": "x"}, {"tag": "free"}]}, None),
        ({"all": [{"tool": "x"}, {"tag": "free"}]}, False),
        ({"all": [{"tool": "x"}, {"tag": "vip"}]}, None),
        ({"tag": "vip", "tool": "x"}, None),
    ],
)
def test_a_rule_is_asked_of_records(tmp_path: Path, match: Any, holds: bool | None) -> None:
    (found,) = reach(tmp_path, [rule(match)], [ENTRY]).rules
    assert (found.matched, found.unknown) == (int(holds is True), int(holds is None))
    assert bool(found.why) >= bool(found.unknown)


@pytest.mark.parametrize("match", [{"regex": "x"}, {"input_tokens": {"over": 1}}])
def test_what_was_not_logged_cannot_be_known(tmp_path: Path, match: Any) -> None:
    (found,) = reach(tmp_path, [rule(match)], [decision("a", input_tokens=None)]).rules
    assert (found.matched, found.unknown, len(found.why)) == (0, 1, 1)


def test_an_earlier_rule_decides_first_and_one_that_names_a_class_does_not(tmp_path: Path) -> None:
    rules = [
        rule({"tag": "vip"}, {"class": "x"}, "names"),
        rule({"tag": "vip"}, BYPASS, "first"),
        rule({"class": "billing"}, BYPASS, "second"),
    ]
    found = reach(tmp_path, rules, [ENTRY, decision("b")])
    assert [(each.matched, each.first) for each in found.rules] == [(1, 1), (1, 1), (2, 1)]


def test_only_the_period_and_the_newest_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [decision(f"d{day}", day, tags=[f"day{day}"]) for day in range(1, 9)]
    rules = [rule({"any": [{"tag": f"day{day}"} for day in (1, 2, 8)]})]
    period = period_of({"since": "2026-03-02", "until": "2026-03-08"})
    found = reach(tmp_path, rules, entries, period)
    assert (found.records, found.whole, found.rules[0].matched) == (6, True, 1)
    monkeypatch.setattr("cascade_core.review.rule_reach.MOST_RECORDS", 3)
    url = f"sqlite:///{tmp_path / 'log.db'}"
    found = reach_of(url, Period(), Policy.load({"rules": rules}).rules)
    assert (found.records, found.whole, found.rules[0].matched) == (3, False, 1)


def test_a_pattern_that_takes_too_long_is_asked_of_some_records(tmp_path: Path) -> None:
    url = store([decision(str(n)) for n in range(9)], f"sqlite:///{tmp_path / 'log.db'}")
    rules = Policy.load({"rules": [rule({"tag": "vip"})]}).rules
    moments = iter([0.0, 1.0, SECONDS_TO_REACH + 1])
    found = reach_of(url, Period(), rules, now=lambda: next(moments))
    assert (found.records, found.whole, found.given_up) == (2, False, True)


# --- what speaks against it ----------------------------------------------------------------------


def warned(draft: DraftPolicy, folder: Path, entries: Any = ()) -> list[str]:
    check = check_policy(over(table(folder)), draft.base, draft.policy)
    found = None
    if entries:
        url = store(entries, f"sqlite:///{folder / 'log.db'}")
        found = reach_of(url, Period(), draft.policy.rules)
    return list(draft_warnings(draft.now, check, found))


def test_a_sound_change_is_not_warned_of(tmp_path: Path) -> None:
    draft = changed(
        Policy.load({"thresholds": [0.5]}),
        lambda d: d.set_threshold(0, 0.4),
        lambda d: d.add_rule(rule({"tag": "vip"})),
    )
    entries = [decision("a"), decision("b"), decision("c"), ENTRY | {"id": "d"}]
    assert warned(draft, tmp_path, entries) == []


def test_rules_that_stop_deciding_are_warned_of(tmp_path: Path) -> None:
    base = Policy.load({"thresholds": [0.5], "rules": [rule({"tag": "x"}, {"pin": 0}, "local")]})
    (text,) = warned(changed(base, lambda d: d.remove_rule("local")), tmp_path)
    assert text.startswith("the draft lacks rule 'local' of the policy that decides")


def test_void_promises_are_warned_of() -> None:
    draft = changed(tuned(), lambda d: d.set_threshold(0, 0.3))
    found = list(draft_warnings(draft.now, None, None))
    assert sum(text.startswith("void: the promise") for text in found) == 2


def test_a_rule_that_accepts_what_was_not_tested_is_warned_of() -> None:
    draft = changed(tuned(), lambda d: d.add_rule(rule({"tag": "x"}, {"thresholds": [0.1]})))
    (text,) = draft_warnings(draft.now, None, None)
    assert "its promises were tested with" in text


@pytest.mark.parametrize(("value", "said"), [(0.99, "beyond every"), (0.01, "at most every")])
def test_a_threshold_out_of_reach_is_warned_of(tmp_path: Path, value: float, said: str) -> None:
    base = Policy.load({"thresholds": [0.5]})
    assert said in warned(changed(base, lambda d: d.set_threshold(0, value)), tmp_path)[0]


def test_a_bypass_of_more_than_half_is_warned_of(tmp_path: Path) -> None:
    draft = changed(
        Policy.load({"thresholds": [0.5]}), lambda d: d.add_rule(rule({"class": "billing"}))
    )
    (text,) = warned(
        draft, tmp_path, [decision("a"), decision("b", **{"class": "x"}), ENTRY | {"id": "d"}]
    )
    assert "bypasses a tier for 67 %" in text


def test_a_rule_that_would_decide_nothing_is_warned_of(tmp_path: Path) -> None:
    base = Policy.load(
        {"thresholds": [0.5], "rules": [rule({"class": "billing"}, {"pin": 0}, "local")]}
    )
    draft = changed(base, lambda d: d.add_rule(rule({"tag": "vip"})))
    (text,) = warned(draft, tmp_path, [ENTRY, decision("b", **{"class": "x"})])
    assert "rule 'r' would decide nothing" in text
