"""A rule that the page writes for a class or a tag fires on those requests, and on no others."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from cascade_core import collect_decisions
from cascade_core.policy.document import Policy
from cascade_core.request import Request, Turn
from cascade_core.review.bypassing import RuleAction
from cascade_core.review.draft_policy import DraftPolicy
from cascade_core.review.group_rules import deciding_rules, group_rules, rule_name
from cascade_core.setup.explaining import explained
from langchain_cascade import ChatCascade
from tests.langchain.fakes import FakeChat, Say

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

NAMES = {"name": "refunds", "match": {"regex": "(?i)refund"}, "then": {"class": "refund"}}
NAMES_TOO = {"name": "plans", "match": {"regex": "(?i)plan"}, "then": {"class": "plan"}}
DECIDES = {
    "name": "strict",
    "match": {"regex": "(?i)refund"},
    "then": {"class": "refund", "thresholds": [0.99]},
}
KEEPS = {"name": "local", "match": {"tag": "local"}, "then": {"pin": 0}}
OTHER = {"name": "vips", "match": {"tag": "vip"}, "then": {"thresholds": [0.99]}}
POLICIES: dict[str, list[dict[str, Any]]] = {
    "by the caller": [],
    "by a rule": [NAMES],
    "by a rule after another": [NAMES_TOO, NAMES],
    "by a rule before another": [NAMES, NAMES_TOO],
    "by a rule that decides": [DECIDES],
    "by a rule that decides after one that names": [NAMES_TOO, DECIDES],
    "by a rule that decides after one that decides": [OTHER, DECIDES],
    "beside one that keeps data": [KEEPS, NAMES],
}
TEXTS = ("Where is my refund?", "Change my plan", "A refund of my plan", "Hello")
TAGS = ((), ("vip",), ("local",))
CLASSES = (None, "refund", "plan")


def asked(policy: Policy, text: str, tags: Any, class_name: str | None) -> Any:
    given = {} if class_name is None else {"cascade_class": class_name}
    request = Request((Turn("user", text),), tags=tags, metadata=given)
    return explained(policy, request, at=datetime.now(UTC), tiers=2)


def requests() -> list[tuple[str, Any, str | None]]:
    return list(product(TEXTS, TAGS, CLASSES))


@pytest.mark.parametrize("rules", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("action", ["bypass", "pin"])
def test_a_rule_for_a_class_fires_on_what_the_log_calls_so(
    rules: list[dict[str, Any]], action: RuleAction
) -> None:
    base = Policy.load({"thresholds": [0.5], "rules": rules})
    before = {each: asked(base, *each) for each in requests()}
    mine = {each for each, found in before.items() if found.class_name == "refund"}
    deciders = {before[each].rule for each in mine}
    draft = DraftPolicy(base)
    for rule in group_rules(base, "class", "refund", action, deciders):
        draft.add_rule(rule.rule, rule.place)
    aim = [1] if action == "bypass" else [0]
    for each, was in before.items():
        now = asked(draft.policy, *each)
        if each in mine and was.rule != "local":
            assert list(now.tiers) == aim, each
            assert now.class_name == "refund"
        else:
            assert (list(now.tiers), now.thresholds) == (list(was.tiers), was.thresholds), each
    found = deciding_rules(draft.policy, "class", "refund", action)
    assert found
    for each_rule in found:
        assert each_rule.alone
        draft.remove_rule(each_rule.name)
    assert not draft.changed


@pytest.mark.parametrize("rules", POLICIES.values(), ids=POLICIES)
def test_a_rule_for_a_tag_fires_on_its_requests(rules: list[dict[str, Any]]) -> None:
    draft = DraftPolicy(Policy.load({"thresholds": [0.5], "rules": rules}))
    for rule in group_rules(draft.policy, "tag", "vip", "bypass", set()):
        draft.add_rule(rule.rule, rule.place)
    for text, tags, class_name in requests():
        if tags == ("vip",):
            assert list(asked(draft.policy, text, tags, class_name).tiers) == [1]
        elif tags == ():
            assert list(asked(draft.policy, text, tags, class_name).tiers) == [0, 1]


def cascade(policy: Policy) -> ChatCascade:
    sure = FakeChat(Say("It ships.", p=0.99), model_name="m0")
    return ChatCascade(
        tiers=[sure, FakeChat(Say("It ships on Monday."), model_name="m1")], policy=policy
    )


@pytest.mark.parametrize("rules", POLICIES.values(), ids=POLICIES)
def test_a_cascade_does_what_the_page_wrote(rules: list[dict[str, Any]]) -> None:
    base = Policy.load({"thresholds": [0.5], "rules": rules})
    text = "Where is my refund?"
    config: Any = {"metadata": {"cascade_class": "refund"}}
    with collect_decisions() as before:
        cascade(base).invoke(text, config)
    assert before[0]["class"] == "refund"
    draft = DraftPolicy(base)
    for rule in group_rules(base, "class", "refund", "bypass", {before[0].get("rule")}):
        draft.add_rule(rule.rule, rule.place)
    with collect_decisions() as seen:
        cascade(draft.policy).invoke(text, config)
        cascade(draft.policy).invoke("Hello")
    assert (seen[0]["tier"], seen[0]["reason"], seen[0]["class"]) == (1, "bypassed", "refund")
    assert seen[0]["rule"].startswith("bypass class refund")
    assert seen[1]["tier"] == 0


def test_rules_that_the_policy_has_are_found() -> None:
    rules = [
        {"name": "legal", "match": {"tag": "legal"}, "then": {"bypass": True}},
        {"name": "both", "match": {"tag": ["a", "b"]}, "then": {"pin": 0}},
        {"name": "named", "match": {"regex": "x"}, "then": {"class": "k", "bypass": True}},
        {"name": "else", "match": {"tag": "legal", "class": "k"}, "then": {"bypass": True}},
    ]
    policy = Policy.load({"rules": rules})
    (legal,) = deciding_rules(policy, "tag", "legal", "bypass")
    assert (legal.name, legal.alone, legal.before) == ("legal", True, ())
    (both,) = deciding_rules(policy, "tag", "a", "pin")
    assert (both.name, both.alone, both.before) == ("both", False, ("legal",))
    assert [each.name for each in deciding_rules(policy, "class", "k", "bypass")] == ["named"]
    assert deciding_rules(policy, "tag", "legal", "pin") == []


def test_no_two_groups_have_rules_of_one_name() -> None:
    names = ["a" * 500, "a" * 501, "a\x00", "a\x01", "a", "ab", "a, as b"]
    assert len({rule_name("bypass", "class", name) for name in names}) == len(names)
    assert all(rule_name("pin", "tag", name).isprintable() for name in names)
    assert all(len(rule_name("pin", "tag", name)) < 100 for name in names)
