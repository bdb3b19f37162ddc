"""Rules for a whole class or tag: written so that they fire, found again, and who would win.

The first rule that matches decides. A class that a rule names is known to the rules after it alone,
and one that a deciding rule names to none: there the new rule asks what that rule asks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cascade_core.policy.document import Policy
from cascade_core.policy.rules import Rule
from cascade_core.review.bypassing import RuleAction
from cascade_core.review.edits import PlaceOfRule, keeps_data

LONGEST_RULE_NAME = 80
"""Characters of a group's name that stand in the name of its rule."""


@dataclass(frozen=True, slots=True)
class DecidingRule:
    """A rule that does something with all of a group.

    Attributes:
        name: Its name.
        alone: Whether it is about nothing else, so that it can be taken out here.
        before: Rules that decide before it, where both match.
    """

    name: str
    alone: bool
    before: tuple[str, ...]


def rule_name(action: RuleAction, by: str, name: str) -> str:
    """Return what the rule for a group is called; no two groups have one name."""
    if len(name) > LONGEST_RULE_NAME or not name.isprintable():
        mark = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
        kept = "".join(each for each in name[: LONGEST_RULE_NAME // 2] if each.isprintable())
        name = f"{kept}… {mark}"
    return f"{action} {by} {name}"


@dataclass(frozen=True, slots=True)
class RuleToAdd:
    """A rule for a group.

    Attributes:
        rule: As in a policy file.
        place: Tells where among the others it fires on the group, and on nothing else.
    """

    rule: Mapping[str, Any]
    place: PlaceOfRule


def group_rules(
    policy: Policy, by: str, name: str, action: RuleAction, deciders: Collection[str | None]
) -> list[RuleToAdd]:
    """Return the rules that do something with all requests of a group.

    Args:
        policy: Where they will be added.
        by: `class` or `tag`.
        name: The group's.
        action: What is to be done.
        deciders: Names of the rules that have decided requests of the group.
    """
    then: dict[str, Any] = {"bypass": True} if action == "bypass" else {"pin": 0}
    own = rule_name(action, by, name)
    whole = RuleToAdd({"name": own, "match": {by: name}, "then": then}, after_names)
    if by == "tag":
        return [whole]
    naming = [
        (place, rule)
        for place, rule in enumerate(policy.rules)
        if rule.then.class_name == name
        and not rule.then.only_names
        and not _is_ours(rule, by, name)
    ]
    found = [whole] if not naming or set(deciders) - {rule.name for _, rule in naming} else []
    for place, rule in naming:
        asked = _plain(rule)["match"]
        # What an earlier rule has given another name keeps it, so it is no request of this class.
        named = [
            {"not": _plain(each)["match"]}
            for each in policy.rules[:place]
            if each.then.only_names and each.then.class_name != name and not each.in_python
        ]
        made = {
            "name": f"{own}, as {rule.name[:LONGEST_RULE_NAME]}",
            "match": {"all": [asked, *named]} if named else asked,
            "then": {"class": name, **then},
        }
        found.append(RuleToAdd(made, _Before(rule.name)))
    return found


def after_names(_: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> int:
    """Return the place behind all rules that only name a class, or keep data where it is.

    There a request has the class that the log will say, and the names stay in the log.
    """
    places = [
        place
        for place, other in enumerate(others, 1)
        if set(other["then"]) == {"class"} or keeps_data(other["then"])
    ]
    return max(places, default=0)


@dataclass(frozen=True, slots=True)
class _Before:
    """Tells the place before a rule, which would end the search; behind all names without it."""

    name: str

    def __call__(self, rule: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> int:
        for place, other in enumerate(others):
            if other["name"] == self.name:
                return place
        return after_names(rule, others)


def deciding_rules(policy: Policy, by: str, name: str, action: RuleAction) -> list[DecidingRule]:
    """Return the rules of a policy that do something with all of a group.

    Args:
        policy: The policy.
        by: `class` or `tag`.
        name: The group's.
        action: What they do.
    """
    found = []
    for place, rule in enumerate(policy.rules):
        ours = _is_ours(rule, by, name)
        if not does(rule, action) or not (ours or _is_about(rule, by, name)):
            continue
        values = _values(rule, by)
        before = tuple(
            each.name
            for each in policy.rules[:place]
            if not each.then.only_names and not _is_ours(each, by, name)
        )
        found.append(DecidingRule(rule.name, ours or len(values) <= 1, before))
    return found


def does(rule: Rule, action: RuleAction) -> bool:
    """Tell whether a rule sends requests straight to the last tier, or keeps them with tier 0."""
    return rule.then.bypass is True if action == "bypass" else rule.then.pin == 0


def _is_about(rule: Rule, by: str, name: str) -> bool:
    """Tell whether a rule is about all requests of a group."""
    if rule.match.said() == [by] and rule.match.predicate is None:
        return name in _values(rule, by)
    return by == "class" and rule.then.class_name == name


def _values(rule: Rule, by: str) -> Collection[str]:
    found = rule.match.class_name if by == "class" else rule.match.tag
    return found or ()


def _is_ours(rule: Rule, by: str, name: str) -> bool:
    return any(_names(rule, rule_name(action, by, name)) for action in ("bypass", "pin"))


def _names(rule: Rule, own: str) -> bool:
    return rule.name == own or rule.name.startswith(f"{own}, as ")


def _plain(rule: Rule) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(rule.model_dump_json(exclude_none=True))
    return plain
