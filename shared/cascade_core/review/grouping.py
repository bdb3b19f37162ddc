"""Groups of requests as pages show them: a short name, their rows, where their decisions are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cascade_core.arrays import Ints
from cascade_core.report.logged_rows import LONGEST_NAME, MOST_SHOWN
from cascade_core.report.rows import shortened
from cascade_core.review.filters import NONE
from cascade_core.traffic.columns import Traffic, tags_in
from cascade_core.traffic.groups import ordered_groups
from cascade_core.traffic.log_report import LogReport
from cascade_core.traffic.summary import TrafficFigures
from cascade_core.visible import visible

LONGEST_LINK = 1000
"""Characters of a name up to which an address asks for it."""


@dataclass(frozen=True, slots=True, eq=False)
class ShownGroup:
    """Requests that have something in common.

    Attributes:
        name: What they have in common, as it is in the log; None for those that have none of it.
        shown: The same, short enough for a table.
        query: What the page of decisions is asked for; empty where the name is too long for it.
        rows: Which they are, as rows of the report's traffic.
        figures: Theirs.
    """

    name: str | None
    shown: str
    query: Mapping[str, str]
    rows: Ints
    figures: TrafficFigures


def shown_names(report: LogReport, most: int = MOST_SHOWN) -> list[ShownGroup]:
    """Return the groups of a report that are shown, in its order.

    Args:
        report: One with groups.
        most: How many at the most.
    """
    assert report.by is not None  # noqa: S101 - a report with groups says by what
    traffic = report.worked.traffic
    found = ordered_groups(traffic, report.by)
    last = report.by == "day"  # of days, the last are kept and shown
    found = found[-len(report.groups) :] if last else found
    pairs = list(zip(found, report.groups, strict=False))
    pairs = pairs[-most:] if last else pairs[:most]
    return [_shown(traffic, report.by, name, rows, group.figures) for (name, rows), group in pairs]


def short_name(name: str) -> str:
    """Return a name that fits into a table, in which nothing steers the page."""
    return shortened(visible(name[: 10 * LONGEST_NAME]), LONGEST_NAME)


def _shown(traffic: Traffic, by: str, said: str, rows: Ints, figures: TrafficFigures) -> ShownGroup:
    raw, query = _query(traffic, by, said, int(rows[0]))
    if sum(map(len, query.values())) > LONGEST_LINK:
        query = {}
    return ShownGroup(raw, short_name(said), query, rows, figures)


def _query(traffic: Traffic, by: str, said: str, row: int) -> tuple[str | None, dict[str, str]]:
    """Return the name of a group, and what asks for its decisions."""
    if by == "day":
        return said, {"since": said, "until": f"{said}T23:59:59.999999"}
    if by == "tag":
        tags = traffic.tags
        none = tags is None or not tags_in(tags.names[int(tags.of[row])])
        return (None, {"tag": NONE}) if none else (said, {"tag": said})
    raw = _raw(traffic, by, row)
    query = {by: NONE if raw is None else raw}
    if by == "policy":
        version = _raw(traffic, "policy_version", row)
        return said, query if version is None else {**query, "version": version}
    return raw, query


def _raw(traffic: Traffic, column: str, row: int) -> str | None:
    names: Sequence[str | None] = traffic.named[column].names
    return names[int(traffic.named[column].of[row])]
