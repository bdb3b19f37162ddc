"""Which decisions the table shows, and in what order: read from an address, found in columns.

Only numpy columns are looked at here, a million rows at a time; texts are searched by `searching`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.traffic.columns import Named, Traffic, tags_in
from cascade_core.traffic.summary import VOID

if TYPE_CHECKING:
    from cascade_core.review.periods import Period
    from cascade_core.review.snapshot import Snapshot

NONE = "(none)"
"""What an address and a form call the decisions that have no class, tag, or rule."""

NAME_FILTERS = {
    "class": "class",
    "rule": "rule",
    "reason": "reason",
    "model": "model",
    "policy": "policy",
    "version": "policy_version",
    "cascade": "cascade",
}
"""Filters by a name, and the column of each."""

FLAG_FILTERS: Mapping[str, Callable[[Traffic], Flags]] = {
    "failed": lambda traffic: traffic.failed > 0,
    "handoff": lambda traffic: traffic.handoff,
    "void": lambda traffic: traffic.named["promise"].among(VOID),
}
"""Filters that only leave the decisions with a failed call, handed off, or without a promise."""

NUMBER_FILTERS = ("confidence", "cost", "latency")
"""Filters by a number: each has `NAME_from` and `NAME_to`."""

SORT_WORDS = ("time", "confidence", "distance", "cost", "latency")
AUDIT_WORDS = ("done", "harmful", "harmless", "missing", "none")
LABEL_WORDS = ("yes", "no")


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """What the table is narrowed to; empty texts and None narrow nothing.

    Attributes:
        names: Of the columns in `NAME_FILTERS`, and `tag`.
        tier: Who answered; -1 for nobody.
        ranges: Lowest and highest number of each in `NUMBER_FILTERS`; None where it is open.
        flags: Those of `FLAG_FILTERS` that are asked for.
        audit: One of `AUDIT_WORDS`.
        label: `yes` for those with feedback, `no` for the others.
        text: What the prompt or the answer has to hold.
        sort: One of `SORT_WORDS`.
        down: Whether from the highest to the lowest, the newest to the oldest.
    """

    names: Mapping[str, str]
    tier: int | None
    ranges: Mapping[str, tuple[float | None, float | None]]
    flags: frozenset[str]
    audit: str
    label: str
    text: str
    sort: str
    down: bool

    @property
    def query(self) -> dict[str, str]:
        """What an address of the same table has; nothing for what is not narrowed."""
        found = {name: value for name, value in self.names.items() if value}
        if self.tier is not None:
            found["tier"] = str(self.tier)
        for name, ends in self.ranges.items():
            for end, value in zip(("from", "to"), ends, strict=True):
                if value is not None:
                    found[f"{name}_{end}"] = written_out(value)
        found |= {name: "yes" for name in FLAG_FILTERS if name in self.flags}
        found |= {f.name: getattr(self, f.name) for f in fields(self) if f.name in _TEXTS}
        if (self.sort, self.down) != ("time", True):
            found |= {"sort": self.sort, "order": "down" if self.down else "up"}
        return {name: value for name, value in found.items() if value}

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.query.keys() - {"sort", "order"})

    @property
    def detailed(self) -> bool:
        """Whether anything is used of what a form hides at first."""
        return bool(self.query.keys() - _OFTEN)


def written_out(value: float) -> str:
    """Return a number with every digit that counts: rows at a limit are in on every page."""
    return repr(value).removesuffix(".0")


_OFTEN = frozenset(
    {"text", "class", "tag", "tier", "reason", "confidence_from", "confidence_to"}
) | {*("audit", "label", "sort", "order")}
_TEXTS = frozenset({"audit", "label", "text"})


def filter_of(query: Mapping[str, str]) -> DecisionFilter:
    """Read a filter from an address.

    Raises:
        ConfigurationError: A number is none, or a word is unknown.
    """
    tier = _number(query, "tier")
    if tier is not None and tier != int(tier):
        raise ConfigurationError("tier= takes a whole number, such as 0; -1 is nobody")
    return DecisionFilter(
        names={name: query.get(name, "") for name in (*NAME_FILTERS, "tag")},
        tier=None if tier is None else int(tier),
        ranges={
            n: (_number(query, f"{n}_from"), _number(query, f"{n}_to")) for n in NUMBER_FILTERS
        },
        flags=frozenset(name for name in FLAG_FILTERS if query.get(name, "") == "yes"),
        audit=_one_of(query, "audit", AUDIT_WORDS),
        label=_one_of(query, "label", LABEL_WORDS),
        text=query.get("text", "").strip(),
        sort=_one_of(query, "sort", SORT_WORDS) or "time",
        down=_one_of(query, "order", ("down", "up")) != "up",
    )


def _number(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigurationError(f"{name}={text[:50]!r} is no number; write one such as 0.9")
    return number


def _one_of(query: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    text = query.get(name, "")
    if text and text not in known:
        raise ConfigurationError(f"{name}={text[:50]!r} is unknown; give {' or '.join(known)}")
    return text


def matching(
    snapshot: Snapshot, period: Period, asked: DecisionFilter, marks: Mapping[str, Flags]
) -> Ints:
    """Return the rows that a filter leaves, as numbers into the snapshot, in the order asked for.

    Texts are not looked at.

    Args:
        snapshot: The columns.
        period: The part of its time that is looked at.
        asked: The filter.
        marks: Rows by what became known of them: each word about it that is asked for.
    """
    part = snapshot.within(period)
    traffic = snapshot.traffic
    left = np.ones(part.stop - part.start, dtype=np.bool_)
    for name, column in NAME_FILTERS.items():
        if asked.names.get(name):
            left &= _has_name(traffic.named[column], asked.names[name], part)
    if asked.names.get("tag") and traffic.tags is not None:
        left &= _has_tag(traffic.tags, asked.names["tag"], part)
    if asked.tier is not None:
        left &= traffic.tier[part] == asked.tier
    columns = _columns_of(snapshot)
    for name, (low, high) in asked.ranges.items():
        if low is not None:
            left &= columns[name][part] >= low
        if high is not None:
            left &= columns[name][part] <= high
    for name in asked.flags:
        left &= FLAG_FILTERS[name](traffic)[part]
    for mark in filter(None, (asked.audit, asked.label)):
        left &= marks[mark][part]
    rows: Ints = np.flatnonzero(left) + part.start
    return _ordered(rows, _key(snapshot, asked.sort), down=asked.down)


def _has_name(column: Named, name: str, part: slice) -> Flags:
    wanted = np.array([_is_name(each, name) for each in column.names], dtype=np.bool_)
    found: Flags = wanted[column.of[part]] if len(wanted) else np.zeros(0, dtype=np.bool_)
    return found


def _is_name(name: str | None, wanted: str) -> bool:
    return name == wanted or (name is None and wanted == NONE)


def _has_tag(tags: Named, tag: str, part: slice) -> Flags:
    lists = [tags_in(each) for each in tags.names]
    wanted = np.array([tag in each or (tag == NONE and not each) for each in lists], dtype=np.bool_)
    found: Flags = wanted[tags.of[part]] if len(wanted) else np.zeros(0, dtype=np.bool_)
    return found


def _key(snapshot: Snapshot, sort: str) -> Array | None:
    """Return what rows are sorted by; None for the order that they are in."""
    if sort == "time":
        return None
    if sort == "distance":
        distance: Array = np.abs(snapshot.merit - snapshot.threshold)
        return distance
    found: Array = _columns_of(snapshot)[sort]
    return found


def _columns_of(snapshot: Snapshot) -> dict[str, Any]:
    traffic = snapshot.traffic
    return {"confidence": snapshot.confidence, "cost": traffic.cost, "latency": traffic.latency}


def _ordered(rows: Ints, key: Array | None, *, down: bool) -> Ints:
    """Sort rows; those without a number come last, and the newest first among equals."""
    newest = rows[::-1]
    if key is None:
        return newest if down else rows
    values = key[newest]
    return newest[np.argsort(-values if down else values, kind="stable")]


def choices(snapshot: Snapshot, period: Period) -> dict[str, list[tuple[str, int]]]:
    """Return what can be chosen of each name, with how often it is there, the most frequent first.

    Args:
        snapshot: The columns.
        period: The part of its time that is looked at.
    """
    part = snapshot.within(period)
    traffic = snapshot.traffic
    found = {name: _counts(traffic.named[column], part) for name, column in NAME_FILTERS.items()}
    found["tag"] = _tag_counts(traffic.tags, part)
    tiers, counts = np.unique(traffic.tier[part], return_counts=True)
    found["tier"] = [(str(t), int(n)) for t, n in zip(tiers, counts, strict=True)]
    return {
        name: [one for one in each if 0 < len(one[0]) <= LONGEST_OFFERED][:MOST_OFFERED]
        for name, each in found.items()
    }


MOST_OFFERED = 200
"""Names that a form offers; others are given in the address."""

LONGEST_OFFERED = 200
"""Characters of a name that a form offers."""


def _counts(column: Named, part: slice) -> list[tuple[str, int]]:
    found = np.bincount(column.of[part], minlength=len(column.names))
    order = np.argsort(-found, kind="stable")
    return [
        (NONE if (name := column.names[i]) is None else name, int(found[i]))
        for i in order
        if found[i]
    ]


def _tag_counts(tags: Named | None, part: slice) -> list[tuple[str, int]]:
    if tags is None:
        return []
    found: dict[str, int] = {}
    for text, count in _counts(tags, part):
        for tag in set(tags_in(text if text != NONE else None)) or {NONE}:
            found[tag] = found.get(tag, 0) + count
    return sorted(found.items(), key=lambda each: -each[1])


def marks_of(
    n: int, audits: Mapping[int, AuditSeen], labelled: Ints, asked: DecisionFilter
) -> dict[str, Flags]:
    """Return the rows that a filter's words about audits and labels mean.

    Args:
        n: How many rows there are.
        audits: The audit that counts of each row that has one.
        labelled: Rows with feedback.
        asked: The filter.
    """
    found: dict[str, Flags] = {}
    if asked.audit:
        none = asked.audit == "none"
        rows = [row for row, seen in audits.items() if none or seen.is_one(asked.audit)]
        found[asked.audit] = _flags(n, rows, here=not none)
    if asked.label:
        found[asked.label] = _flags(n, labelled, here=asked.label == "yes")
    return found


def audits_by_row(snapshot: Snapshot) -> dict[int, AuditSeen]:
    """Return the audit that counts of each row that has one."""
    found: dict[int, AuditSeen] = {}
    for audit in snapshot.audits:
        row = snapshot.traffic.audited.get(audit.decision)
        if row is None:
            continue
        found[row] = AuditSeen(audit.status, audit.harm).after(found.get(row))
    return found


class AuditSeen(NamedTuple):
    """What became of a decision's audit.

    Attributes:
        status: See `log.events`.
        harm: Quality lost; None where that is not known.
    """

    status: str | None
    harm: float | None

    def after(self, earlier: AuditSeen | None) -> AuditSeen:
        """Return which of two audits of one decision counts; see `log.events.counting_audit`."""
        undone = self.status != "done" and earlier is not None and earlier.status == "done"
        return earlier if undone and earlier is not None else self

    def is_one(self, word: str) -> bool:
        """Tell whether it is what a word of `AUDIT_WORDS` means."""
        if self.status != "done":
            return word == "missing"
        return word in {"done", "harmful" if (self.harm or 0) > 0 else "harmless"}


def _flags(n: int, rows: Sequence[int] | Ints, *, here: bool) -> Flags:
    found = np.full(n, not here, dtype=np.bool_)
    found[np.asarray(rows, dtype=np.int64)] = here
    return found
