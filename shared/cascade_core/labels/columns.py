"""The names of the labelled table's columns, and what a table must have of them.

Columns that are nobody's tier (`t{k}_…`) and none of the five general ones are
the user's own: allowed, and not read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

from cascade_core.labels.check import TableError

ColumnPart: TypeAlias = Literal[
    "id",
    "request",
    "class",
    "group",
    "weight",
    "model",
    "response",
    "quality",
    "cost_usd",
    "gate",
    "trajectory",
    "signal",
    "paid",
]

GENERAL: tuple[ColumnPart, ...] = ("id", "request", "class", "group", "weight")
"""Columns that belong to no tier, in the order in which they are written."""

_PLAIN: tuple[ColumnPart, ...] = (
    "model",
    "response",
    "quality",
    "cost_usd",
    "gate",
    "trajectory",
)
_NEEDED: tuple[ColumnPart, ...] = ("quality", "cost_usd")
_HIGHEST: dict[ColumnPart, float] = {
    "quality": 1.0,
    "signal": 1.0,
    "cost_usd": math.inf,
    "paid": math.inf,
    "weight": math.inf,
}
_TIER = re.compile(r"t(?P<tier>[0-9]+)_(?P<rest>.*)", re.DOTALL)
_SIGNAL = re.compile(r"signal_(?P<name>\S(.*\S)?)", re.DOTALL)
_PAID = re.compile(r"paid_(?P<name>\S(.*\S)?)_usd", re.DOTALL)
_FEWEST_TIERS = 2


@dataclass(frozen=True, slots=True)
class Column:
    """What a column's name says.

    Attributes:
        name: The name.
        part: What it holds.
        tier: Whose it is; None for a general one.
        signal: Which signal it is about, for the parts `signal` and `paid`.
    """

    name: str
    part: ColumnPart
    tier: int | None = None
    signal: str | None = None

    @property
    def highest(self) -> float | None:
        """The largest number allowed, the smallest being 0; None for a column of texts."""
        return _HIGHEST.get(self.part)


def parse(source: str, name: object, place: str | None = None) -> Column | None:
    """Read a column's name.

    Args:
        source: How errors name the table.
        name: The name.
        place: The line that it stands on, for errors.

    Returns:
        The column; None where it is the user's own.

    Raises:
        TableError: It is named like a tier's column, but there is none of that name.
    """
    if not isinstance(name, str):
        return None
    for general in GENERAL:
        if name == general:
            return Column(name, general)
    match = _TIER.fullmatch(name)
    if match is None:
        return None
    number, rest = match["tier"], match["rest"]
    if number == str(int(number[:9])):  # t01_quality would be a second t1_quality
        tier = int(number)
        for part in _PLAIN:
            if rest == part:
                return Column(name, part, tier)
        if found := _SIGNAL.fullmatch(rest):
            return Column(name, "signal", tier, found["name"])
        if found := _PAID.fullmatch(rest):
            return Column(name, "paid", tier, found["name"])
    raise TableError(source, f"unknown column; {_hint(number, rest)}", place=place, column=name)


def check_columns(source: str, columns: Iterable[Column], names: Sequence[object] = ()) -> int:
    """Check that a table has what it needs.

    Args:
        source: How errors name the table, with the header's line if it has one.
        columns: Every column that is not the user's own.
        names: Every name in the table; a misspelt one is hinted at.

    Returns:
        How many tiers there are.

    Raises:
        TableError: A column is missing or stands there twice, tiers are not numbered from 0
            without a gap, or there are fewer than two.
    """
    seen: set[str] = set()
    columns = list(columns)
    for column in columns:
        if column.name in seen:
            raise TableError(source, "stands there twice", column=column.name)
        seen.add(column.name)
    tiers = {column.tier for column in columns if column.tier is not None}
    count = max(_FEWEST_TIERS, 1 + max(tiers, default=0))
    needed = ["id"]
    for tier in range(min(count, len(tiers) + _FEWEST_TIERS)):  # t999999_quality is one gap
        needed += [f"t{tier}_{part}" for part in _NEEDED]
    missing = [name for name in needed if name not in seen]
    if missing:
        raise TableError(source, _missing(missing, names))
    for column in columns:
        if column.part == "paid" and f"t{column.tier}_signal_{column.signal}" not in seen:
            problem = f"is the price of t{column.tier}_signal_{column.signal}, which is missing"
            raise TableError(source, problem, column=column.name)
    return count


def in_order(columns: Iterable[Column]) -> list[Column]:
    """Sort columns: general ones, then tier by tier, each signal followed by its price."""
    columns = list(columns)
    signals = list(dict.fromkeys(column.signal for column in columns))

    def place(column: Column) -> tuple[int, int, int, int]:
        if column.tier is None:
            return (-1, GENERAL.index(column.name), 0, 0)
        if column.signal is None:
            return (column.tier, _PLAIN.index(column.part), 0, 0)
        return (column.tier, len(_PLAIN), signals.index(column.signal), int(column.part == "paid"))

    return sorted(columns, key=place)


def _hint(number: str, rest: str) -> str:
    tier = number.lstrip("0") or "0"
    close = get_close_matches(rest.lower(), _PLAIN, n=1)
    if close:
        return f"did you mean t{tier}_{close[0]}?"
    start, _, name = rest.strip().partition("_")
    if name and get_close_matches(start.lower(), ["signal"], n=1):
        return f"did you mean t{tier}_signal_{name.strip()}?"
    if name and get_close_matches(start.lower(), ["paid"], n=1):
        return f"did you mean t{tier}_paid_{name.removesuffix('_usd')}_usd?"
    listed = ", ".join([*_PLAIN, "signal_NAME", "paid_NAME_usd"])
    return f"after t{tier}_ comes one of {listed}; rename your own columns"


def _missing(missing: Sequence[str], names: Sequence[object]) -> str:
    is_are = "column {} is missing" if len(missing) == 1 else "columns {} are missing"
    problem = is_are.format(", ".join(missing))
    if {"reason", "calls"}.issubset(names):
        return f"{problem}; this is a log of decisions; cascade export makes a table of its audits"
    if "request" in names and not any(isinstance(n, str) and _TIER.fullmatch(n) for n in names):
        return (
            f"{problem}; if these are requests, cascade collect asks the tiers about them and "
            "writes the table"
        )
    own = [n for n in names if isinstance(n, str) and n not in GENERAL and not _TIER.fullmatch(n)]
    given = {name.strip().lower(): name for name in own}
    for name in missing:
        close = get_close_matches(name, given, n=1, cutoff=0.75)
        if close:
            return f"{problem}; did you mean {name} by {given[close[0]]!r}?"
    return (
        f"{problem}; a table has id, and t0_quality, t0_cost_usd, t1_quality, t1_cost_usd, … "
        "for two tiers or more, numbered from 0 without a gap"
    )
