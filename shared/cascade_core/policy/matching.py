"""Asks the rules of a policy of a request: what a `Ruling` says.

A rule fires where its match holds for certain. What could not be found out (a pattern that takes
too long, a function that raises, a text too short to tell its language) neither holds nor fails
to: also its opposite does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from cascade_core.policy import languages, patterns
from cascade_core.policy.facts import Facts
from cascade_core.policy.rule_parts import DAYS, Hours, Size
from cascade_core.policy.rules import Action, Match, Rule
from cascade_core.request import Request
from cascade_core.ruling import UNRULED, Ruling

Warn: TypeAlias = Callable[[str, str], None]
"""Says a thing once: a key, and the text."""


Test: TypeAlias = Callable[[Facts, Any], bool | None]


class Condition(NamedTuple):
    """One thing that has to hold: a function, and what it is asked with."""

    test: Test
    given: Any

    def holds(self, facts: Facts) -> bool | None:
        """Tell whether it holds; None where nobody knows."""
        return self.test(facts, self.given)


class _Ready(NamedTuple):
    rule: Rule
    checks: Sequence[Condition]
    ruling: Ruling


class Rulebook:
    """The rules of a policy for so many tiers, ready to be asked.

    Args:
        rules: The rules, in the order in which they are tried.
        tiers: How many tiers there are.
        model: The model whose tokens `input_tokens` counts: the cheapest tier's.

    Raises:
        ConfigurationError: What they ask for is not installed.
    """

    def __init__(self, rules: Sequence[Rule], tiers: int, model: str | None = None) -> None:
        self.rules = tuple(rules)
        self._model = model
        self._ready = [
            _Ready(rule, tuple(_checks(rule.match)), _ruling(rule, tiers)) for rule in rules
        ]
        parts = [part for rule in rules for part in rule.match.parts()]
        self.reads_language = any(part.language is not None for part in parts)
        if self.reads_language:
            languages.check_installed()

    @property
    def logs_content(self) -> bool:
        """Whether a rule has prompts and answers logged."""
        return any(rule.then.log_content for rule in self.rules)

    def warm_up(self) -> None:
        """Read what the rules need on first use; no event loop may wait for it."""
        if self.reads_language:
            languages.identifier()

    def ruling(self, request: Request, at: datetime, warn: Warn) -> Ruling:
        """Return what the rules say of a request.

        Args:
            request: The request.
            at: When it was asked.
            warn: Says what could not be found out.
        """
        request.ruling = named = UNRULED
        facts = Facts(request, at, self._model)
        for rule, checks, ruling in self._ready:
            if not _fires(rule, checks, facts, warn):
                continue
            if not rule.then.only_names:
                return _of_class(ruling, named.class_name)
            if named.class_name is None:
                named = request.ruling = ruling  # later rules see its class
        return named


def _of_class(ruling: Ruling, named: str | None) -> Ruling:
    """Return a ruling for a request whose class an earlier rule has named."""
    if named is None:
        return ruling
    return Ruling(
        ruling.rule,
        named,
        ruling.bypass,
        ruling.pin,
        ruling.thresholds,
        ruling.escalate,
        ruling.audit,
        ruling.log_content,
    )


def _ruling(rule: Rule, tiers: int) -> Ruling:
    then: Action = rule.then
    bypass = range(tiers - 1) if then.bypass is True else then.bypass or ()
    return Ruling(
        rule=rule.name,
        class_name=then.class_name,
        bypass=frozenset(bypass),
        pin=then.pin,
        thresholds=then.thresholds,
        escalate=then.escalate is None,
        audit=then.audit,
        log_content=then.log_content,
    )


def _fires(rule: Rule, checks: Sequence[Condition], facts: Facts, warn: Warn) -> bool:
    try:
        fires = _all(facts, checks)
    except Exception as error:  # noqa: BLE001 - whatever a rule cannot read costs no answer
        warn(
            f"rule:{rule.name}",
            f"rule {rule.name!r} could not be asked ({type(error).__name__}); it does not match",
        )
        return False
    if fires is None and facts.unread is not None:
        warn(f"rule:{rule.name}", f"rule {rule.name!r} {facts.unread}; it does not match")
    facts.unread = None
    return fires is True


def _checks(match: Match) -> Iterator[Condition]:
    """Yield what has to hold, cheap things first."""
    for name, test, prepare in _TESTS:
        given = getattr(match, name)
        if given is not None:
            yield Condition(test, prepare(given))


def _all(facts: Facts, checks: Sequence[Condition]) -> bool | None:
    known: bool | None = True
    for check in checks:
        holds = check.holds(facts)
        if holds is False:
            return False
        if holds is None:
            known = None
    return known


def _any(facts: Facts, parts: Sequence[Sequence[Condition]]) -> bool | None:
    known: bool | None = False
    for checks in parts:
        holds = _all(facts, checks)
        if holds is True:
            return True
        if holds is None:
            known = None
    return known


def _not(facts: Facts, checks: Sequence[Condition]) -> bool | None:
    holds = _all(facts, checks)
    return None if holds is None else not holds


def conditions(match: Match) -> Iterator[tuple[str, Condition]]:
    """Yield what a match asks of a request by itself, by attribute; not what its parts ask."""
    for name, test, prepare in _TESTS:
        given = getattr(match, name)
        if given is not None and name not in {"not_", "all", "any"}:
            yield name, Condition(test, prepare(given))


def _tag(facts: Facts, tags: frozenset[str]) -> bool:
    return not tags.isdisjoint(facts.request.tags)


def _class(facts: Facts, names: frozenset[str]) -> bool:
    return facts.request.class_name in names


def _by_key(metadata: Mapping[str, Sequence[object]]) -> dict[str, frozenset[str | None]]:
    return {key: frozenset(map(_text, values)) for key, values in metadata.items()}


def _metadata(facts: Facts, wanted: dict[str, frozenset[str | None]]) -> bool:
    metadata = facts.request.metadata
    for key, texts in wanted.items():
        given = metadata.get(key)
        each = given if isinstance(given, list | tuple | set | frozenset) else (given,)
        if not any(_text(one) in texts for one in each):
            return False
    return True


def _text(value: object) -> str | None:
    """Return a value as a text: 7 and "7" are one, as a command line cannot tell them apart."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _tool(facts: Facts, names: frozenset[str]) -> bool:
    return any(tool.name in names for tool in facts.request.tools)


def _size(facts: Facts, size: Size) -> bool:
    if size.over is not None and not facts.more_than(size.over):
        return False
    return size.under is None or not facts.more_than(size.under - 1)


def _language(facts: Facts, codes: frozenset[str]) -> bool | None:
    language = facts.language
    return None if language is None else language in codes


def _regex(facts: Facts, pattern: Any) -> bool | None:
    found = facts.matches(pattern)
    if found is None:
        facts.unread = "has a pattern that took too long on a message"
    return found


def _predicate(facts: Facts, function: Callable[[Any], Any]) -> bool | None:
    try:
        return bool(function(facts.request))
    except Exception as error:  # noqa: BLE001 - the caller's function may raise anything
        facts.unread = f"asks a function that raised {type(error).__name__}"
        return None


class _Hours(NamedTuple):
    zone: tzinfo
    start: int
    end: int
    days: frozenset[int] | None


def _hours(hours: Hours) -> _Hours:
    start, end = (
        None if clock is None else (clock.hour * 60 + clock.minute) * 60 + clock.second
        for clock in (hours.start, hours.end)
    )
    days = None if hours.days is None else frozenset(map(DAYS.index, hours.days))
    zone: tzinfo = UTC if hours.zone == "UTC" else ZoneInfo(hours.zone)
    return _Hours(zone, start or 0, end or _DAY, days)


_DAY = 24 * 60 * 60


def _time(facts: Facts, hours: _Hours) -> bool:
    local = facts.at.astimezone(hours.zone)
    now = (local.hour * 60 + local.minute) * 60 + local.second
    if hours.start < hours.end:
        return hours.start <= now < hours.end and _on(hours, local)
    if now >= hours.start:
        return _on(hours, local)
    return now < hours.end and _on(hours, local - timedelta(days=1))  # they began yesterday


def _on(hours: _Hours, local: datetime) -> bool:
    return hours.days is None or local.weekday() in hours.days


def _each(parts: Sequence[Match]) -> tuple[tuple[Condition, ...], ...]:
    return tuple(tuple(_checks(part)) for part in parts)


_TESTS: Sequence[tuple[str, Test, Callable[[Any], Any]]] = (
    ("predicate", _predicate, lambda function: function),
    ("tag", _tag, frozenset),
    ("class_name", _class, frozenset),
    ("metadata", _metadata, _by_key),
    ("tool", _tool, frozenset),
    ("time", _time, _hours),
    ("input_tokens", _size, lambda size: size),
    ("regex", _regex, patterns.compiled),
    ("language", _language, frozenset),
    ("not_", _not, lambda part: tuple(_checks(part))),
    ("all", _all, lambda parts: tuple(check for part in parts for check in _checks(part))),
    ("any", _any, _each),
)
"""What a match may ask: the attribute, what tells whether it holds, and what that is given."""
