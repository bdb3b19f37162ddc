"""How many decisions of a log a rule would have matched, as far as records tell.

A record is not the request: it has no tools, and metadata and texts only where they were kept. So a
match holds, does not hold, or cannot be known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any, TypeAlias

from cascade_core.errors import ConfigurationError
from cascade_core.log.reading import DAMAGED, database_to_read, whole_record
from cascade_core.moments import read_moment
from cascade_core.policy.facts import Facts
from cascade_core.policy.matching import Condition, conditions
from cascade_core.policy.rules import Match, Rule
from cascade_core.request import Request, Turn
from cascade_core.review.periods import Period

MOST_RECORDS = 2000
"""Records that are looked at, the newest of the period: each is read whole."""

SECONDS_TO_REACH = 3.0
"""For which records are asked: a pattern may take a tenth of a second on each."""

_AT_ONCE = 20
_ROLES = frozenset({"system", "user", "assistant", "tool"})
_Asked: TypeAlias = Mapping[int, Sequence[tuple[str, Condition]]]
"""What each part of a match asks by itself, by the part's id: prepared once."""

NOT_TOLD = {
    "tool": "no record says which tools were offered",
    "metadata": "records lack this key of the metadata (log_metadata= keeps keys)",
    "regex": "the text was not logged (log_content=True keeps it)",
    "language": "the text was not logged (log_content=True keeps it)",
    "input_tokens": "the record has no count of tokens",
}
"""Why a record does not tell whether a match holds, by what it asks for."""


@dataclass(frozen=True, slots=True)
class RuleReach:
    """What a rule would have matched.

    Attributes:
        name: The rule's.
        matched: Records that it matches for certain.
        first: Those of them that no earlier rule has decided.
        unknown: Records that do not tell.
        why: Why they do not.
    """

    name: str
    matched: int
    first: int
    unknown: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RulesReach:
    """What rules would have matched.

    Attributes:
        records: How many records were looked at.
        whole: Whether these are all of the period.
        given_up: Whether others were left out because asking took too long.
        rules: One for each rule.
    """

    records: int
    whole: bool
    rules: tuple[RuleReach, ...]
    given_up: bool = False

    def of(self, name: str) -> RuleReach | None:
        """Return what the rule of a name would have matched."""
        return next((each for each in self.rules if each.name == name), None)


def reach_of(
    database: str,
    period: Period,
    rules: Sequence[Rule],
    *,
    now: Callable[[], float] = monotonic,
) -> RulesReach:
    """Ask rules of the newest records of a period.

    Classes are taken as they were recorded: those that rules of then had named.

    Args:
        database: The log's address.
        period: Which records.
        rules: The rules, in the order in which they decide.
        now: The clock.
    """
    asked: _Asked = {
        id(part): tuple(conditions(part)) for rule in rules for part in rule.match.parts()
    }
    matched, first, unknown = ([0] * len(rules) for _ in range(3))
    why: list[dict[str, None]] = [{} for _ in rules]
    count, deadline, late = 0, now() + SECONDS_TO_REACH, False
    for record in _newest(database, period):
        count += 1
        facts, open_ = _facts(record), True
        for place, rule in enumerate(rules):
            holds = _holds(rule.match, asked, facts, record, why[place])
            if holds is None:
                unknown[place] += 1
            elif holds:
                matched[place] += 1
                first[place] += open_
                open_ = open_ and rule.then.only_names
        late = now() > deadline
        if late:
            break
    return RulesReach(
        count,
        count < MOST_RECORDS and not late,
        tuple(
            RuleReach(rule.name, matched[k], first[k], unknown[k], tuple(why[k]))
            for k, rule in enumerate(rules)
        ),
        given_up=late,
    )


def _newest(database: str, period: Period) -> Iterator[dict[str, Any]]:
    import sqlalchemy as sa  # noqa: PLC0415 - an extra

    from cascade_core.log.schema import decisions, details  # noqa: PLC0415

    newest = sa.select(decisions.c.id).order_by(decisions.c.at.desc()).limit(MOST_RECORDS)
    if period.begin is not None:
        newest = newest.where(decisions.c.at >= period.begin)
    if period.end is not None:
        newest = newest.where(decisions.c.at < period.end)
    query = sa.select(details.c.record, details.c.request).where(details.c.id.in_(newest))
    with database_to_read(database).reading() as connection:
        # Some at a time: each may have a megabyte.
        for record, request in connection.execution_options(yield_per=_AT_ONCE).execute(query):
            try:
                yield whole_record(record, request, None)
            except DAMAGED:  # somebody else wrote it
                yield {}


def _facts(record: Mapping[str, Any]) -> Facts:
    kept = record.get("metadata")
    metadata = dict(kept) if isinstance(kept, Mapping) else {}
    if record.get("class") is not None:
        metadata["cascade_class"] = record["class"]
    tags = record.get("tags")
    request = Request(
        tuple(_turns(record.get("request"))),
        tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
        metadata=metadata,
    )
    return Facts(request, read_moment(record.get("at")) or datetime.now(UTC), None)


def _turns(kept: object) -> Iterator[Turn]:
    for each in kept if isinstance(kept, list) else ():
        if isinstance(each, Mapping) and each.get("role") in _ROLES:
            yield Turn(each["role"], str(each.get("text", "")))


def _holds(
    match: Match, asked: _Asked, facts: Facts, record: Mapping[str, Any], why: dict[str, None]
) -> bool | None:
    """Tell whether a match holds; None where the record does not say, and why it does not."""
    found: list[bool | None] = []
    for name, condition in asked[id(match)]:
        holds = _told(name, condition, match, facts, record)
        if holds is None:
            why[NOT_TOLD.get(name, "it could not be found out")] = None
        found.append(holds)
    found += [_holds(part, asked, facts, record, why) for part in match.all or ()]
    if match.any is not None:
        parts = [_holds(part, asked, facts, record, why) for part in match.any]
        found.append(True if True in parts else None if None in parts else False)
    if match.not_ is not None:
        inner = _holds(match.not_, asked, facts, record, why)
        found.append(None if inner is None else not inner)
    return False if False in found else None if None in found else True


def _told(
    name: str, condition: Condition, match: Match, facts: Facts, record: Mapping[str, Any]
) -> bool | None:
    if name in {"tool", "predicate"}:
        return None
    if name in {"regex", "language"} and not record.get("request"):
        return None
    if name == "input_tokens":
        tokens, size = record.get("input_tokens"), match.input_tokens
        if not isinstance(tokens, int | float) or size is None:
            return None
        return (size.over is None or tokens > size.over) and (
            size.under is None or tokens < size.under
        )
    if name == "metadata" and any(
        key not in facts.request.metadata for key in match.metadata or ()
    ):
        return None
    try:
        holds: bool | None = condition.holds(facts)
    except (ConfigurationError, ImportError, ValueError):  # of languages, an extra tells
        return None
    return holds
