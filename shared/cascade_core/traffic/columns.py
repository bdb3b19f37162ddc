"""The decisions of a log as columns of numpy arrays, oldest first.

A row is a few numbers, and what it has in common with many others: who answered, why, by which
policy. Each such kind of row is looked at once, so that a million rows are read in seconds.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.traffic.ids import IdColumn, IdColumnMaker, decoded_text
from cascade_core.traffic.numbers import GrowingColumn, column_of, whole_numbers_of

CHUNK = 250
"""Rows that are held as Python objects at a time; more no longer fit a processor's cache."""

NUMBERS = ("at", "cost_usd", "strong_cost_usd", "latency_ms", "audit_probability")
"""What is almost never the same in two rows."""

NAME_COLUMNS = (
    *("cascade", "class", "policy", "policy_version", "rule", "model", "reason", "promise"),
    "committed",
)
_FLAGS = ("accepted", "strong_cost_is_estimate", "audit_picked", "handoff")
KIND = (*NAME_COLUMNS, *_FLAGS, "tier", "calls", "failed_calls")
"""What many rows have in common; of a million rows there are some hundred kinds."""

ROW_COLUMNS = (*NUMBERS, "kind", "tags", "audited")
"""What a row is made of, in this order.

`kind` is a tuple as `KIND` says, or a JSON list of the same; `tags` a JSON list; `audited` the id
of a row that has audits, else None. JSON may be UTF-8, of which each text is decoded once.
"""

WIDE_NUMBERS = ("confidence", "merit", "threshold", "input_tokens", "output_tokens")
"""What a wide row has behind these; its `audited` is its id as UTF-8, whether it has audits or not.

Bytes, for a million texts take half a second to make and to encode.
"""

TrafficRow: TypeAlias = Sequence[Any]
Codes: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A column of names.

    Attributes:
        names: Each once; None for rows that have none.
        of: (n,) index of each row's name.
    """

    names: Sequence[str | None]
    of: Codes

    def counts(self, rows: Flags | None = None) -> dict[str | None, int]:
        """Count each name, the most frequent first."""
        found = np.bincount(self.of if rows is None else self.of[rows], minlength=len(self.names))
        order = np.argsort(-found, kind="stable")
        return {self.names[i]: int(found[i]) for i in order if found[i]}

    def take(self, rows: Any) -> Named:
        """Return those of some rows: their indices, flags or a slice."""
        return Named(self.names, self.of[rows])

    def followed_by(self, later: Named) -> Named:
        """Return these rows and others behind them."""
        place = _Coder(zip(self.names, range(len(self.names)), strict=True))
        codes = place.codes(later.names)
        return Named(list(place), np.concatenate([self.of, codes[later.of]]))

    def among(self, names: frozenset[str]) -> Flags:
        """Tell which rows have one of some names."""
        wanted = np.array([name in names for name in self.names], dtype=np.bool_)
        return wanted[self.of]


@dataclass(frozen=True, slots=True, eq=False)
class WideColumns:
    """What pages show of decisions beyond what a report counts: n of them.

    Attributes:
        ids: (n,) of each decision.
        confidence: (n,) of the last judged draft; NaN where there was no reading.
        merit: (n,) what was made of it and of the benefit of asking on, else the confidence.
        threshold: (n,) what that was held against; NaN where nothing was.
        input_tokens: (n,) of the request; NaN where they are not known, as in the next one.
        output_tokens: (n,) of the answer.
    """

    ids: IdColumn
    confidence: Array
    merit: Array
    threshold: Array
    input_tokens: Array
    output_tokens: Array

    def take(self, rows: Any) -> WideColumns:
        """Return those of some rows: their indices, flags or a slice."""
        numbers = (getattr(self, name)[rows] for name in WIDE_NUMBERS)
        return WideColumns(self.ids.take(rows), *numbers)

    def followed_by(self, later: WideColumns) -> WideColumns:
        """Return these rows and others behind them."""
        pairs = ((getattr(self, name), getattr(later, name)) for name in WIDE_NUMBERS)
        return WideColumns(self.ids.followed_by(later.ids), *map(np.concatenate, pairs))


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """The decisions of a log, or of a part of its time: n of them, oldest first.

    Attributes:
        at: (n,) seconds since 1970, UTC; NaN in records of version 1.
        tier: (n,) who answered; -1 for nobody.
        accepted: (n,) whether a threshold, or the gates of a tool call, was met.
        cost: (n,) USD of all calls; NaN where unpriced, as in the next one.
        strong_cost: (n,) USD of asking only the strongest tier.
        estimated: (n,) whether that is an estimate.
        latency: (n,) milliseconds; NaN in records of version 1.
        calls: (n,) calls of models.
        failed: (n,) how many of them failed.
        probability: (n,) with which it was picked for an audit; NaN where nothing was audited.
        picked: (n,) whether it was.
        handoff: (n,) whether the last tier's answer was handed off.
        named: The columns of names.
        tags: JSON lists; None where they were not asked for.
        audited: The row of each decision that has audits, by id.
        wide: More columns; None where they were not asked for.
    """

    at: Array
    tier: npt.NDArray[np.int16]
    accepted: Flags
    cost: Array
    strong_cost: Array
    estimated: Flags
    latency: npt.NDArray[np.float32]
    calls: npt.NDArray[np.int32]
    failed: npt.NDArray[np.int32]
    probability: Array
    picked: Flags
    handoff: Flags
    named: Mapping[str, Named]
    tags: Named | None
    audited: Mapping[str, int]
    wide: WideColumns | None = None

    def __len__(self) -> int:
        """Return how many decisions there are."""
        return len(self.at)

    def part(self, rows: slice) -> Traffic:
        """Return the decisions of a part of its time.

        The columns are those of the whole, not copies; only `probability` and `picked`, which
        whoever reads audits fills in, are the part's own.

        Args:
            rows: From which row up to which; both are given.
        """
        first, last = rows.start, rows.stop
        plain = {name: getattr(self, name)[rows] for name in _PLAIN}
        return replace(
            self,
            **plain | {name: plain[name].copy() for name in ("probability", "picked")},
            named={name: column.take(rows) for name, column in self.named.items()},
            tags=None if self.tags is None else self.tags.take(rows),
            audited={key: row - first for key, row in self.audited.items() if first <= row < last},
            wide=None if self.wide is None else self.wide.take(rows),
        )

    def take(self, rows: Ints) -> Traffic:
        """Return some of the decisions, without the columns that only pages show.

        Args:
            rows: Which, in ascending order.
        """
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in _PLAIN},
            named={name: column.take(rows) for name, column in self.named.items()},
            tags=None,
            audited={},
            wide=None,
        )

    def followed_by(self, later: Traffic) -> Traffic:
        """Return these decisions and later ones behind them, both with the same columns."""
        pairs = {name: (getattr(self, name), getattr(later, name)) for name in _PLAIN}
        tags, wide, n = later.tags, later.wide, len(self)
        return replace(
            self,
            **{name: np.concatenate(pair) for name, pair in pairs.items()},
            named={name: each.followed_by(later.named[name]) for name, each in self.named.items()},
            tags=self.tags.followed_by(tags) if self.tags and tags else None,
            audited={**self.audited, **{key: n + row for key, row in later.audited.items()}},
            wide=self.wide.followed_by(wide) if self.wide and wide else None,
        )


_PLAIN = tuple(
    each.name for each in fields(Traffic) if each.name not in {"named", "tags", "audited", "wide"}
)


class _Coder(dict[Any, int]):
    """Gives each name the next number."""

    def __missing__(self, name: Any) -> int:
        code = self[name] = len(self)
        return code

    def codes(self, names: Sequence[Any]) -> Codes:
        """Return the code of each."""
        return np.fromiter(map(self.__getitem__, names), np.int32, len(names))


def traffic_of(
    chunks: Iterator[Sequence[TrafficRow]],
    *,
    tags: bool = False,
    wide: Collection[str] | None = None,
) -> Traffic:
    """Make columns of rows.

    Args:
        chunks: Rows as `ROW_COLUMNS` says, some at a time.
        tags: Whether their tags are wanted.
        wide: Where rows are wide, a set of the ids of those that have audits.
    """
    numbers = NUMBERS if wide is None else (*NUMBERS, *WIDE_NUMBERS)
    names = ROW_COLUMNS if wide is None else (*ROW_COLUMNS, *WIDE_NUMBERS)
    parts = {name: GrowingColumn(np.float64) for name in numbers}
    parts |= {name: GrowingColumn(np.int32) for name in ("kind", "tags")}
    kinds, lists, ids = _Coder(), _Coder(), IdColumnMaker()
    audited: dict[str, int] = {}
    wanted = {key.encode() for key in wide or ()}
    seen = 0
    for chunk in uncollected(filter(len, chunks)):
        columns = dict(zip(names, zip(*chunk, strict=True), strict=True))
        for name in numbers:
            parts[name].add(column_of(name, columns[name]))
        parts["kind"].add(kinds.codes(columns["kind"]))
        if tags:
            parts["tags"].add(lists.codes(columns["tags"]))
        own = columns["audited"]
        if wide is None:
            audited |= {key: row for row, key in enumerate(own, seen) if key is not None}
        else:
            ids.add(own)
            there = np.fromiter(map(wanted.__contains__, own), np.bool_, len(own))
            audited |= {own[row].decode(): seen + row for row in np.flatnonzero(there).tolist()}
        seen += len(chunk)
    whole = {name: parts.pop(name).made() for name in list(parts)}
    order, column = _oldest_first(whole["at"]), ids.made()
    if order is not None:
        whole = {name: values[order] for name, values in whole.items() if len(values)}
        column = column.take(order) if wide is not None else column
        place = np.empty(seen, dtype=np.int64)
        place[order] = np.arange(seen)
        audited = {key: int(place[row]) for key, row in audited.items()}
    more = None
    if wide is not None:
        more = WideColumns(column, *(whole[name] for name in WIDE_NUMBERS))
    named = _texts(Named(list(lists), whole["tags"])) if tags else None
    return replace(_traffic(whole, kinds, named, audited), wide=more)


def _texts(column: Named) -> Named:
    """Return a column of names that may be bytes, of which several may be the same text."""
    place = _Coder()
    codes = place.codes([*map(decoded_text, column.names)])
    return Named(list(place), codes[column.of])


def uncollected(chunks: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Yield rows without a search for garbage cycles: they make none, and it takes a quarter."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield from chunks
    finally:
        if searched:
            gc.enable()


def _traffic(
    whole: Mapping[str, Any], kinds: _Coder, tags: Named | None, audited: Mapping[str, int]
) -> Traffic:
    of = whole["kind"]
    decoded = [
        json.loads(kind) if isinstance(kind, str) else kind for kind in map(decoded_text, kinds)
    ]
    common = dict(zip(KIND, zip(*decoded, strict=True), strict=True)) if decoded else {}

    def numbers(name: str, kind: Any, otherwise: float = 0) -> Any:
        return whole_numbers_of(common.get(name, ()), kind, otherwise)[of]

    def named(name: str) -> Named:
        coder = _Coder()
        codes = coder.codes([None if it is None else str(it) for it in common.get(name, ())])
        return Named(list(coder), codes[of])

    return Traffic(
        at=whole["at"],
        tier=numbers("tier", np.int16, -1),
        accepted=numbers("accepted", np.bool_),
        cost=whole["cost_usd"],
        strong_cost=whole["strong_cost_usd"],
        estimated=numbers("strong_cost_is_estimate", np.bool_, 1),
        latency=whole["latency_ms"],
        calls=numbers("calls", np.int32),
        failed=numbers("failed_calls", np.int32),
        probability=whole["audit_probability"],
        picked=numbers("audit_picked", np.bool_),
        handoff=numbers("handoff", np.bool_),
        named={name: named(name) for name in NAME_COLUMNS},
        tags=tags,
        audited=audited,
    )


def _oldest_first(at: Array) -> Ints | None:
    """Return the rows by their time; None where they are already in that order.

    Records of version 1 know no time; they are older than all others, in the order read.
    """
    when = np.nan_to_num(at, nan=-np.inf)
    if np.all(when[1:] >= when[:-1]):
        return None
    return np.argsort(when, kind="stable")


def tags_in(text: str | None) -> list[str]:
    """Read a row's tags."""
    try:
        found = json.loads(text) if text else []
    except (ValueError, TypeError, RecursionError):  # another program wrote it
        found = []
    return [str(tag) for tag in found] if isinstance(found, list) else []
