"""Changes to a policy's document, each of one thing, that can be made to any policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

from cascade_core.errors import ConfigurationError
from cascade_core.policy.document import Policy
from cascade_core.setup.thresholds import DEFAULT_THRESHOLD

_Document: TypeAlias = dict[str, Any]
_About: TypeAlias = tuple[str, ...]

PlaceOfRule: TypeAlias = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], int]
"""Tells where a rule belongs among others, as `place_for` does."""

_numbers = count(1)
_ALL_RULES: _About = ("rules",)
_LONGEST = 200
"""Characters of a rule that are said of it."""


@dataclass(frozen=True, slots=True)
class PolicyEdit:
    """A change.

    Attributes:
        about: What it changes; a later change of the same replaces it.
        said: What it does, in words.
        apply: Returns a document with the change.
        number: Which of all changes it is.
    """

    about: _About
    said: str
    apply: Callable[[_Document], _Document] = field(repr=False)
    number: int = field(default_factory=lambda: next(_numbers))

    def replaces(self, other: PolicyEdit) -> bool:
        """Tell whether nothing is left of another change once this one is made."""
        if self.about[0] == "class" and other.about[0] == "threshold":
            return other.about[2] == self.about[1]
        return other.about == self.about or (
            self.about == _ALL_RULES and other.about[0] in {"rule", "rules"}
        )

    def overrules(self, old: Policy, new: Policy) -> bool:
        """Tell whether what it changes has been changed in another policy, too."""
        return _value(old, self.about) != _value(new, self.about)


def threshold_moved(tier: int, value: float, class_name: str | None, tiers: int) -> PolicyEdit:
    """Return the change of a threshold.

    Raises:
        ConfigurationError: There is no such tier.
    """
    _check_tier(tier, tiers)

    def apply(document: _Document) -> _Document:
        made = deepcopy(document)
        others = made.get("thresholds") or [DEFAULT_THRESHOLD] * (tiers - 1)
        _check_tier(tier, len(others) + 1)
        if class_name is None:
            made["thresholds"] = [*others[:tier], float(value), *others[tier + 1 :]]
            return made
        classes = made.setdefault("classes", {})
        own = classes.get(class_name, {}).get("thresholds", others)
        classes[class_name] = {"thresholds": [*own[:tier], float(value), *own[tier + 1 :]]}
        return made

    of = "" if class_name is None else f" for class {class_name!r}"
    said = f"threshold of tier {tier}{of}: {value:.4g}"
    return PolicyEdit(("threshold", str(tier), class_name or ""), said, apply)


def class_dropped(class_name: str) -> PolicyEdit:
    """Return the change that gives a class the thresholds that the others have."""

    def apply(document: _Document) -> _Document:
        own = {n: each for n, each in document.get("classes", {}).items() if n != class_name}
        return {**document, "classes": own}

    said = f"class {class_name!r}: the same thresholds as the others"
    return PolicyEdit(("class", class_name), said, apply)


def rule_added(rule: Mapping[str, Any], place: PlaceOfRule | None = None) -> PolicyEdit:
    """Return the change that adds a rule, or puts it in the place of one of its name.

    Args:
        rule: The rule.
        place: Tells where among the others; None takes `place_for`.

    Raises:
        ConfigurationError: It is none.
    """
    added = _checked_rules([dict(rule)])[0]
    name = str(added["name"])

    def apply(document: _Document) -> _Document:
        others = [each for each in document.get("rules", []) if each["name"] != name]
        at = (place or place_for)(added, others)
        return {**document, "rules": [*others[:at], added, *others[at:]]}

    return PolicyEdit(("rule", name), f"rule {name!r}: {_short(added)}", apply)


def rule_removed(name: str) -> PolicyEdit:
    """Return the change that takes a rule out."""

    def apply(document: _Document) -> _Document:
        return {**document, "rules": [r for r in document.get("rules", []) if r["name"] != name]}

    return PolicyEdit(("rule", name), f"rule {name!r}: taken out", apply)


def rules_by_hand(rules: object, of: Policy) -> PolicyEdit:
    """Return the change that replaces all rules.

    Raises:
        ConfigurationError: One cannot be a rule.
    """
    made = _checked_rules(rules)

    def apply(document: _Document) -> _Document:
        return {**document, "rules": deepcopy(made)}

    names = [str(rule["name"]) for rule in made]
    had = [rule.name for rule in of.rules]
    parts = [
        *(f"adds {name!r}" for name in names if name not in had),
        *(f"takes out {name!r}" for name in had if name not in names),
    ]
    said = f"rules by hand: {'; '.join(parts) or 'the same names, other content or order'}"
    return PolicyEdit(_ALL_RULES, said, apply)


def apart(made: Sequence[PolicyEdit], base: Policy) -> Iterator[PolicyEdit]:
    """Yield changes that are each of one thing: what replaces all rules becomes one for each.

    Rules that somebody else has added meanwhile so stay; the order of all is not carried.
    """
    for edit in made:
        if edit.about != _ALL_RULES:
            yield edit
            continue
        had = _rules(base)
        has = {rule["name"]: rule for rule in edit.apply({})["rules"]}
        yield from (rule_removed(name) for name in had if name not in has)
        yield from (rule_added(rule) for name, rule in has.items() if rule != had.get(name))


def place_for(rule: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> int:
    """Return where a new rule belongs: the first that matches decides.

    Before all others; but after those that name a class it asks for, or it would not know the
    class, and after those that keep data or answers where they are (`pin`, `log_content` false,
    `escalate` false): nobody means to overrule these by the way.
    """
    asked = set(_classes(rule.get("match", {})))
    at = 0
    for place, other in enumerate(others, 1):
        then = other.get("then", {})
        if keeps_data(then) or then.get("class") in asked:
            at = place
    return at


def keeps_data(then: Mapping[str, Any]) -> bool:
    """Tell whether what a rule does keeps data or answers where they are."""
    return "pin" in then or then.get("log_content") is False or then.get("escalate") is False


def _check_tier(tier: int, tiers: int) -> None:
    if not 0 <= tier < tiers - 1:
        msg = f"tier {tier} has no threshold: of {tiers} tiers, all but the last have one"
        raise ConfigurationError(msg)


def _classes(match: Mapping[str, Any]) -> Iterator[str]:
    named = match.get("class", ())
    yield from (named,) if isinstance(named, str) else named
    for part in (*match.get("all", ()), *match.get("any", ())):
        yield from _classes(part)
    if "not" in match:
        yield from _classes(match["not"])


def _checked_rules(rules: object) -> list[_Document]:
    """Return rules as a policy keeps them."""
    if not isinstance(rules, list):
        raise ConfigurationError("rules: must be a list of rules, each with name, match and then")
    policy = Policy.load({"rules": rules})
    if any(rule.in_python for rule in policy.rules):
        raise ConfigurationError("rules: a rule that asks a function cannot be kept")
    return list(_rules(policy).values())


def _rules(policy: Policy) -> dict[str, _Document]:
    plain = json.loads(policy.model_dump_json(exclude_none=True))
    return {rule["name"]: rule for rule in plain["rules"]}


def _value(policy: Policy, about: _About) -> object:
    if about[0] == "rule":
        return _rules(policy).get(about[1])
    if about[0] == "rules":
        return list(_rules(policy).items())
    if about[0] == "class":
        return policy.classes.get(about[1])
    own = policy.classes.get(about[2])
    found = policy.thresholds if own is None else own.thresholds
    tier = int(about[1])
    return found[tier] if found is not None and tier < len(found) else None


def _short(rule: Mapping[str, Any]) -> str:
    text = json.dumps({key: rule[key] for key in ("match", "then")}, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
