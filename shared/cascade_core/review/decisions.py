"""The page `Decisions`: a table of them to filter, sort and page through, and to take away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from cascade_core.review.decision_shown import reason_in_words
from cascade_core.review.download import WRITERS
from cascade_core.review.fetching import DecisionRow, fetch_labelled, fetch_rows
from cascade_core.review.filters import (
    AUDIT_WORDS,
    NONE,
    DecisionFilter,
    audits_by_row,
    choices,
    filter_of,
    marks_of,
    matching,
)
from cascade_core.review.pages import bench_of, link, page
from cascade_core.review.periods import Period, period_of
from cascade_core.review.searching import SECONDS, search_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from cascade_core.arrays import Ints
    from cascade_core.review.snapshot import Snapshot

ROWS_A_PAGE = 50
"""Decisions of a page."""


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """One page of the table.

    Attributes:
        rows: Its decisions.
        count: How many the filter leaves, its text not counted.
        of: How many there are in the period.
        first: Number of the first row, from 1.
        previous: Address of the page before; None where there is none.
        next: Address of the one after.
        looked_at: How many decisions the search for the text has looked through, from the first;
            None where no text is searched.
        looked_back_to: When the last of them was asked, in seconds since 1970.
    """

    rows: Sequence[DecisionRow]
    count: int
    of: int
    first: int
    previous: str | None
    next: str | None
    looked_at: int | None = None
    looked_back_to: float | None = None


def decisions_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    return [
        Route("/decisions", _show, name="decisions"),
        Route("/decisions.csv", _download, name="decisions-csv"),
        Route("/decisions.jsonl", _download, name="decisions-jsonl"),
    ]


def decision_path(key: str) -> str:
    """Return the path of a decision's page; its id may be any text."""
    # Browsers take these two for the folder and the one above, however they are written; and a
    # route's path ends with its line.
    if key in {".", ".."} or "\n" in key:
        return f"/decisions/?id={quote(key)}"
    return f"/decisions/{quote(key, safe='')}"


def found_rows(snapshot: Snapshot, period: Period, asked: DecisionFilter) -> Ints:
    """Return the rows that a filter leaves; its text is not looked at."""
    labelled: Ints = np.empty(0, dtype=np.int64)
    if asked.label:
        said = fetch_labelled(snapshot.source.database)
        labelled = np.fromiter(snapshot.ids.find(said).values(), dtype=np.int64)
    audits = audits_by_row(snapshot) if asked.audit else {}
    return matching(snapshot, period, asked, marks_of(len(snapshot), audits, labelled, asked))


def _show(request: Request) -> Response:
    period, asked = period_of(request.query_params), filter_of(request.query_params)
    snapshot = bench_of(request).snapshot()
    rows = found_rows(snapshot, period, asked)
    table = (_searched if asked.text else _paged)(request, snapshot, period, asked, rows)
    return page(
        request,
        "decisions.html.jinja",
        title="Decisions",
        period=period,
        asked=asked,
        table=table,
        choices=choices(snapshot, period),
        audits=AUDIT_WORDS,
        none=NONE,
        seconds=SECONDS,
        columns=_columns(period, asked),
        decision_path=decision_path,
        query_for=lambda key: _joined(key, link("", period, **asked.query)),
        words=reason_in_words,
    )


def _joined(key: str, query: str) -> str:
    """Return what an address of a decision ends with, so that its page leads back here."""
    return query.replace("?", "&", 1) if "?" in decision_path(key) else query


def _columns(period: Period, asked: DecisionFilter) -> list[dict[str, Any]]:
    """Return the columns that the table can be sorted by: each click turns the order round."""
    found = []
    for name, label in (
        ("time", "Time"),
        ("confidence", "Confidence"),
        ("distance", "To the threshold"),
        ("cost", "Cost"),
        ("latency", "Latency"),
    ):
        now = asked.sort == name
        # What is nearest to its threshold is looked for, of other numbers the highest.
        down = not asked.down if now else name != "distance"
        order = {"sort": name, "order": "down" if down else "up"}
        found.append(
            {
                "name": name,
                "label": label,
                "sorted": ("descending" if asked.down else "ascending") if now else "",
                "address": link("/decisions", period, **{**asked.query, **order}),
            }
        )
    return found


def _whole(text: str, most: int) -> int:
    """Read a number from an address; what is none there is the first."""
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 12 else 0  # noqa: PLR2004


def _paged(
    request: Request, snapshot: Snapshot, period: Period, asked: DecisionFilter, rows: Ints
) -> DecisionTable:
    """Return the page whose number is in the address."""
    last = max(0, (len(rows) - 1) // ROWS_A_PAGE)
    number = max(0, min(_whole(request.query_params.get("page", ""), last + 1) - 1, last))
    shown = rows[number * ROWS_A_PAGE : (number + 1) * ROWS_A_PAGE]

    def address(at: int) -> str:
        return link("/decisions", period, **asked.query, page=None if at == 0 else at + 1)

    return DecisionTable(
        rows=fetch_rows(snapshot.source.database, [snapshot.ids[row] for row in shown]),
        count=len(rows),
        of=_in_period(snapshot, period),
        first=number * ROWS_A_PAGE + 1,
        previous=address(number - 1) if number else None,
        next=address(number + 1) if number < last else None,
    )


def _searched(
    request: Request, snapshot: Snapshot, period: Period, asked: DecisionFilter, rows: Ints
) -> DecisionTable:
    """Return what a search finds from where the address says on."""
    start = _whole(request.query_params.get("start", ""), len(rows))
    database = snapshot.source.database

    def ids(begin: int, end: int) -> list[str]:
        return [snapshot.ids[row] for row in rows[begin:end]]

    found = search_texts(database, asked.text, ids, len(rows), most=ROWS_A_PAGE, start=start)
    at, query = found.looked_at, asked.query
    return DecisionTable(
        rows=fetch_rows(database, found.ids),
        count=len(rows),
        of=_in_period(snapshot, period),
        first=1,
        previous=link("/decisions", period, **query) if start else None,
        next=None if found.ended else link("/decisions", period, **query, start=at),
        looked_at=at,
        looked_back_to=float(snapshot.at[rows[at - 1]]) if at else None,
    )


def _in_period(snapshot: Snapshot, period: Period) -> int:
    part = snapshot.within(period)
    return int(part.stop - part.start)


def _download(request: Request) -> Response:
    kind = request.url.path.rpartition(".")[2]
    period, asked = period_of(request.query_params), filter_of(request.query_params)
    snapshot = bench_of(request).snapshot()
    rows = found_rows(snapshot, period, asked)
    written, media = WRITERS[kind]
    return StreamingResponse(
        written(snapshot, rows, asked.text),
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="decisions.{kind}"'},
    )
