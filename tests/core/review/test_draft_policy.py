"""A draft is what was changed, one change at a time, and could always be loaded."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.log.policies import PolicyVersion
from cascade_core.policy.document import Policy
from cascade_core.review.draft_policy import DraftPolicy
from tests.core.policy.test_moved import tuned

LEGAL = {"name": "legal", "match": {"tag": "legal"}, "then": {"bypass": True}}
LOCAL = {"name": "local", "match": {"metadata": {"tenant": "acme"}}, "then": {"pin": 0}}
REFUNDS = {"name": "refunds", "match": {"regex": "refund"}, "then": {"class": "refund"}}
BYPASS = {"name": "bypass", "match": {"class": "refund"}, "then": {"bypass": True}}


def draft(**fields: Any) -> DraftPolicy:
    return DraftPolicy(Policy.load({"thresholds": [0.9], **fields}))


def names(made: DraftPolicy) -> list[str]:
    return [rule.name for rule in made.policy.rules]


def test_changes_add_up_and_each_is_said() -> None:
    made = draft(rules=[LEGAL])
    made.set_threshold(0, 0.8)
    made.add_rule(BYPASS)
    made.remove_rule("legal")
    assert made.policy == Policy.load({"thresholds": [0.8], "rules": [BYPASS]})
    assert [each.said.partition(":")[0] for each in made.now.edits] == [
        "threshold of tier 0",
        "rule 'bypass'",
        "rule 'legal'",
    ]
    assert made.changes()[0] == "thresholds: [0.9] -> [0.8]"


def test_a_change_of_the_same_thing_replaces_the_one_before() -> None:
    made = draft()
    for value in (0.8, 0.7, 0.6):
        made.set_threshold(0, value)
    assert [each.said for each in made.now.edits] == ["threshold of tier 0: 0.6"]


def test_what_is_as_it_was_is_no_change() -> None:
    made = draft(rules=[LEGAL])
    made.set_threshold(0, 0.8)
    made.add_rule(BYPASS)
    made.set_threshold(0, 0.9)
    made.remove_rule("bypass")
    assert (made.changed, made.policy) == (False, made.base)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.set_threshold(0, 1.5), r"thresholds\[0\]: must be at most 1"),
        (lambda d: d.set_threshold(0, float("nan")), r"thresholds\[0\]: must be"),
        (lambda d: d.set_threshold(1, 0.5), "tier 1 has no threshold: of 2 tiers"),
        (lambda d: d.set_threshold(-1, 0.5), "tier -1 has no threshold"),
        (lambda d: d.set_threshold(0, 7, "refund"), "classes.refund.thresholds"),
        (lambda d: d.add_rule({**LEGAL, "then": {"bypas": True}}), "did you mean bypass"),
        (lambda d: d.add_rule({"name": "x"}), "match: is missing"),
        (lambda d: d.add_rule({**LEGAL, "then": {"pin": 5}}), "there is no tier 5"),
        (lambda d: d.remove_rule("nobody"), "no rule 'nobody'"),
        (lambda d: d.set_rules({"name": "x"}), "must be a list"),
        (lambda d: d.set_rules([LEGAL, LEGAL]), "has the same name"),
        (lambda d: d.set_rules([{**LEGAL, "match": {"regex": "("}}]), "regex"),
    ],
)
def test_what_could_not_be_loaded_is_refused_and_changes_nothing(change: Any, said: str) -> None:
    made = draft(rules=[LEGAL])
    made.set_threshold(0, 0.8)
    before = made.now
    with pytest.raises(ConfigurationError, match=said):
        change(made)
    assert made.now is before


def test_each_change_can_be_taken_back_alone() -> None:
    made = draft(rules=[LEGAL])
    made.set_threshold(0, 0.8)
    made.add_rule(BYPASS)
    first = made.now.edits[0].number
    assert made.undo(first)
    assert not made.undo(first)
    assert (made.policy.thresholds, names(made)) == ((0.9,), ["bypass", "legal"])


def test_a_policy_without_thresholds_gets_those_that_a_cascade_has() -> None:
    made = DraftPolicy(Policy(), lambda: 3)
    made.set_threshold(1, 0.5)
    assert made.policy.thresholds == (0.9, 0.5)
    made = DraftPolicy(Policy())
    made.set_threshold(0, 0.5)
    assert made.policy.thresholds == (0.5,)


def test_a_class_keeps_what_is_not_changed_of_it() -> None:
    made = draft(thresholds=[0.9, 0.8], classes={"refund": {"thresholds": [0.1, 0.2]}})
    made.set_threshold(0, 0.3, "refund")
    made.set_threshold(1, 0.4, "other")
    found = {name: each.thresholds for name, each in made.policy.classes.items()}
    assert found == {"refund": (0.3, 0.2), "other": (0.9, 0.4)}
    assert made.policy.thresholds == (0.9, 0.8)


def test_a_changed_threshold_takes_the_promises_that_were_tested_with_the_old_one() -> None:
    made = DraftPolicy(tuned())
    made.add_rule(LEGAL)
    assert (len(made.policy.promises), made.now.void) == (3, ())
    made.set_threshold(0, 0.5)
    assert [each.class_name for each in made.policy.promises] == ["refund"]
    assert len(made.now.void) == 3
    made.undo(made.now.edits[-1].number)
    assert len(made.policy.promises) == 3


# --- where a rule goes ---------------------------------------------------------------------------


def test_a_new_rule_decides_before_all_others() -> None:
    made = draft(rules=[LEGAL])
    made.add_rule({**LEGAL, "name": "new", "match": {"tag": "vip"}})
    assert names(made) == ["new", "legal"]


def test_a_rule_about_a_class_comes_after_the_one_that_names_it() -> None:
    made = draft(rules=[LEGAL, REFUNDS, {**LEGAL, "name": "last", "match": {"tag": "z"}}])
    made.add_rule(BYPASS)
    assert names(made) == ["legal", "refunds", "bypass", "last"]
    made.add_rule({**BYPASS, "name": "deep", "match": {"not": {"any": [{"class": "refund"}]}}})
    assert names(made) == ["legal", "refunds", "deep", "bypass", "last"]


@pytest.mark.parametrize("then", [{"pin": 0}, {"log_content": False}, {"escalate": False}])
def test_a_new_rule_overrules_none_that_keeps_data_or_answers(then: dict[str, Any]) -> None:
    made = draft(rules=[LEGAL, {**LOCAL, "then": then}])
    made.add_rule({**LEGAL, "name": "new", "match": {"tag": "vip"}})
    assert names(made) == ["legal", "local", "new"]


# --- another policy meanwhile --------------------------------------------------------------------


def test_changes_are_made_to_another_base() -> None:
    made = draft(rules=[LEGAL])
    made.set_threshold(0, 0.8)
    made.add_rule(BYPASS)
    new = Policy.load({"thresholds": [0.9], "rules": [LEGAL, LOCAL]})
    assert made.move_to(PolicyVersion(new, 2)) == []
    assert made.now.begun.number == 2
    assert (made.policy.thresholds, names(made)) == ((0.8,), ["legal", "local", "bypass"])


def test_what_both_changed_and_what_does_not_fit_is_said() -> None:
    made = draft(thresholds=[0.9, 0.9], rules=[LEGAL])
    made.set_threshold(0, 0.8)
    made.set_threshold(1, 0.7)
    said = made.move_to(Policy.load({"thresholds": [0.6], "rules": [LEGAL]}))
    assert [text.partition(":")[0] for text in said] == [
        "both had changed this; yours is in the draft",
        "both had changed this; yours is in the draft",
        "this does not fit, and is left out",
    ]
    assert made.policy.thresholds == (0.8,)
    assert made.now.notes == tuple(said)


def test_rules_by_hand_do_not_take_out_what_another_has_added() -> None:
    made = draft(rules=[LEGAL, REFUNDS])
    made.set_rules([REFUNDS, BYPASS])
    assert names(made) == ["refunds", "bypass"]
    made.move_to(Policy.load({"thresholds": [0.9], "rules": [LEGAL, REFUNDS, LOCAL]}))
    assert names(made) == ["refunds", "local", "bypass"]


def test_rules_by_hand_replace_earlier_changes_of_rules() -> None:
    made = draft(rules=[LEGAL])
    made.add_rule(BYPASS)
    made.set_threshold(0, 0.5)
    made.set_rules([REFUNDS])
    assert [each.about[0] for each in made.now.edits] == ["threshold", "rules"]
    assert names(made) == ["refunds"]


def test_several_who_change_it_at_once_lose_nothing() -> None:
    made = draft()
    rules = [{**LEGAL, "name": f"r{n}"} for n in range(40)]
    threads = [Thread(target=made.add_rule, args=(rule,)) for rule in rules]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names(made)) == sorted(str(rule["name"]) for rule in rules)


def test_whoever_tells_the_tiers_may_wait_for_one_who_has_the_draft_follow() -> None:
    other = PolicyVersion(Policy.load({"rules": [LEGAL]}))

    def tiers() -> int:
        reader = Thread(target=made.follow, args=(other,), daemon=True)
        reader.start()
        reader.join(60)
        assert not reader.is_alive()
        return 3

    made = DraftPolicy(Policy(), tiers)
    made.set_threshold(1, 0.7)
    assert made.base == other.policy
    assert made.policy.thresholds is not None
    assert made.policy.thresholds[1] == 0.7
