"""The table of decisions: what a filter leaves, in which order, and how it is taken away."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.review.decisions import ROWS_A_PAGE, decision_path, found_rows
from cascade_core.review.filters import choices, filter_of
from cascade_core.review.periods import Period, period_of
from cascade_core.review.searching import search_texts
from tests.core.log.databases import KINDS, database
from tests.core.review.asking import Pages
from tests.core.review.logs import everything
from tests.core.traffic.making import DAY, decision, sent_on
from tests.core.traffic.storing import store

ODD = "50% _off_ É\n“quoted”"


def texts(text: str) -> dict[str, Any]:
    return {"request": [{"role": "user", "text": text}], "response": f"You said: {text}"}


MARKED = [
    sent_on("handed off", 4, handoff=True, handed_to="queue"),
    decision("short", 5, reason="budget", accepted=False, promise="void"),
]


@pytest.fixture(scope="module", params=KINDS)
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    more = [
        decision("odd", 11, **texts(ODD)),
        decision("plain", 12, **texts("Where is my order?")),
        decision("=1+1", 13, tags=["a", "=cmd()"], **{"class": "=HYPERLINK()"}),
    ]
    with database(request.param, tmp_path_factory.mktemp("log")) as url:
        yield store([*everything(), *MARKED, *more], url)


@pytest.fixture(scope="module")
def pages(log: str) -> Pages:
    return Pages(log)


def found(pages: Pages, **query: str) -> list[str]:
    snapshot = pages.bench.snapshot()
    rows = found_rows(snapshot, period_of(query), filter_of(query))
    return [snapshot.ids[row] for row in rows]


FILTERS: list[tuple[dict[str, str], Any]] = [
    ({"class": "refund"}, lambda each: each["class"] == "refund"),
    ({"class": "nobody's"}, lambda each: False),
    ({"tag": "vip"}, lambda each: "vip" in each["tags"]),
    ({"tag": "(none)"}, lambda each: not each["tags"]),
    ({"reason": "bypassed"}, lambda each: each["reason"] == "bypassed"),
    ({"tier": "1"}, lambda each: each["tier"] == 1),
    ({"tier": "-1"}, lambda each: each["tier"] is None),
    ({"model": "large"}, lambda each: each["model"] == "large"),
    ({"rule": "local"}, lambda each: each["rule"] == "local"),
    ({"rule": "(none)"}, lambda each: each["rule"] is None),
    ({"version": "2"}, lambda each: each["policy_version"] == 2),
    ({"policy": "(none)"}, lambda each: each["policy"] is None),
    ({"cascade": "b"}, lambda each: each["cascade"] == "b"),
    ({"confidence_from": "0.9"}, lambda each: (each["confidence"] or 0) >= 0.9),
    ({"confidence_to": "0.2"}, lambda each: each["confidence"] == 0.2),
    ({"cost_from": "0.01", "cost_to": "0.01"}, lambda each: each["cost_usd"] == 0.01),
    ({"latency_from": "800"}, lambda each: each["latency_ms"] >= 800),
    ({"failed": "yes"}, lambda each: any(c["outcome"] == "failed" for c in each["calls"])),
    ({"handoff": "yes"}, lambda each: "handoff" in each),
    ({"void": "yes", "tier": "0"}, lambda each: "promise" in each),
    ({"void": "yes", "handoff": "yes"}, lambda each: False),
    ({"since": "2026-03-04", "until": "2026-03-06"}, lambda each: "03-04" <= each["at"][5:] < "03-06"),
    ({"class": "refund", "since": "2026-03-09"}, lambda each: each["id"] in {"late 9", "late 10"}),
]  # fmt: skip


@pytest.mark.parametrize(("query", "wanted"), FILTERS, ids=[str(query) for query, _ in FILTERS])
def test_a_filter_leaves_what_it_says(pages: Pages, query: dict[str, str], wanted: Any) -> None:
    entries = [each for each in (*everything(), *MARKED) if "event" not in each]
    kept = {each["id"] for each in entries if wanted(each)}
    known = {each["id"] for each in entries}
    assert {each for each in found(pages, **query) if each in known} == kept


def test_audits_and_feedback_are_filters_too(pages: Pages) -> None:
    harmful = found(pages, audit="harmful")
    assert harmful == ["picked 3"]
    done = set(found(pages, audit="done"))
    assert {"picked 1", "late 1", "cached 3"} <= done
    assert set(found(pages, audit="harmless")) == done - set(harmful)
    assert set(found(pages, audit="missing")) == {"sent 2", "pinned 2"}
    assert not done & set(found(pages, audit="none"))
    labelled = {f"kept {day}" for day in range(1, 11)}
    assert set(found(pages, label="yes")) == labelled
    assert set(found(pages, label="no")) == set(found(pages)) - labelled


@pytest.mark.parametrize("sort", ["confidence", "distance", "cost", "latency"])
def test_what_has_no_number_comes_last_whichever_way_it_is_sorted(pages: Pages, sort: str) -> None:
    snapshot = pages.bench.snapshot()
    numbers = {
        "confidence": snapshot.confidence,
        "distance": np.abs(snapshot.confidence - snapshot.threshold),
        "cost": snapshot.traffic.cost,
        "latency": snapshot.traffic.latency,
    }[sort]
    for order, sign in (("down", -1), ("up", 1)):
        rows = found_rows(snapshot, Period(), filter_of({"sort": sort, "order": order}))
        values = numbers[rows]
        known = values[~np.isnan(values)]
        assert np.all(np.diff(sign * known) >= 0)
        assert np.all(np.isnan(values[len(known) :]))
        assert sorted(rows) == list(range(len(snapshot)))


def test_without_a_wish_the_newest_come_first(pages: Pages) -> None:
    assert found(pages)[:2] == ["=1+1", "plain"]
    assert found(pages, order="up")[0].endswith(" 1")


def test_every_decision_is_on_one_page(pages: Pages) -> None:
    count = len(pages.bench.snapshot())
    last = (count - 1) // ROWS_A_PAGE + 1
    seen = [pages.get(f"/decisions?page={page}").text for page in range(1, last + 1)]
    times = sum(page.count('<th scope="row">') for page in seen)
    assert times == count
    assert 'rel="next"' not in seen[-1]
    assert 'rel="prev"' not in seen[0]
    assert pages.get("/decisions?page=99999999999999").text.count('<th scope="row">') == ROWS_A_PAGE
    beyond = pages.get(f"/decisions?page={last + 5}").text
    assert beyond.count('<th scope="row">') == count - ROWS_A_PAGE * (last - 1)


def test_an_address_loses_no_digit_of_a_number() -> None:
    asked = filter_of({"cost_from": "0.00012345678", "confidence_to": "0.12345678901", "tier": "1"})
    assert filter_of(asked.query) == asked
    assert asked.query["cost_from"] == "0.00012345678"


def test_the_address_says_it_all(pages: Pages) -> None:
    query = {"class": "refund", "tag": "vip", "tier": "0", "confidence_from": "0.5", "cost_to": "1",
             "failed": "yes", "audit": "done", "label": "no", "text": "a&b=c", "sort": "cost",
             "order": "up"}  # fmt: skip
    assert filter_of(query).query == query
    assert filter_of({}).query == {}


@pytest.mark.parametrize(
    "query",
    ["tier=one", "tier=0.5", "confidence_from=nan", "cost_to=1e999", "sort=id", "audit=some"],
)
def test_what_cannot_be_read_is_said(pages: Pages, query: str) -> None:
    name = query.partition("=")[0]
    assert name in pages.text(f"/decisions?{query}", status=400)


def test_forms_offer_what_is_there(pages: Pages) -> None:
    snapshot = pages.bench.snapshot()
    offered = {name: dict(each) for name, each in choices(snapshot, Period()).items()}
    assert offered["class"]["refund"] == 10
    assert offered["tag"]["vip"] == 20
    assert sum(offered["tier"].values()) == len(snapshot)
    assert "a class of another time" in pages.text("/decisions?class=a+class+of+another+time")


@pytest.mark.parametrize("text", ["50%", "_OFF_", "é", "“quoted”", "\n“", "You said: 50%"])
def test_a_text_is_taken_literally_in_any_case(pages: Pages, text: str) -> None:
    said = pages.text("/decisions?" + urlencode({"text": text.strip() if text != "\n“" else text}))
    assert "1 found among" in said
    assert "50% _off_" in said


def test_a_text_that_nobody_wrote_is_not_found(pages: Pages) -> None:
    for text in ("5_%", "%", "O_der", "assistant", "role"):
        said = pages.text("/decisions?" + urlencode({"text": text}))
        assert "0 found among" in said or text == "%"


def test_a_search_says_how_far_it_looked_and_goes_on_from_there(log: str) -> None:
    ids = [f"late {day}" for day in range(1, 11)] * 120 + ["odd"] * 3
    ticks = iter(range(100))

    def look(start: int, **more: Any) -> Any:
        return search_texts(
            log, "quoted", lambda a, b: ids[a:b], len(ids), start=start,
            now=lambda: float(next(ticks)), **more
        )  # fmt: skip

    first = look(0, most=2, seconds=0.5)
    assert (first.ids, first.looked_at, first.ended) == ([], 500, False)
    rest = look(first.looked_at, most=2, seconds=50)
    assert (rest.ids, rest.looked_at, rest.ended) == (["odd", "odd"], len(ids) - 1, False)
    assert look(rest.looked_at, most=2, seconds=50) == type(rest)(["odd"], len(ids), True)


def test_without_content_the_page_says_how_to_have_it(tmp_path: Path) -> None:
    pages = Pages(store([decision("a")], f"sqlite:///{tmp_path / 'a.db'}"))
    assert "log_content=True" in pages.text("/decisions")
    assert "log_content=True" in pages.text("/decisions?text=a")
    assert "log_content=True" in pages.text("/decisions/a")


def test_a_log_without_decisions_has_a_page(tmp_path: Path) -> None:
    pages = Pages(store([], f"sqlite:///{tmp_path / 'a.db'}"))
    assert "no decisions in this period" in pages.text("/decisions")
    assert pages.get("/decisions.csv").text.count("\n") == 1
    assert pages.get("/decisions.jsonl").text == ""


def test_what_is_filtered_is_taken_away(pages: Pages) -> None:
    lines = pages.get("/decisions.jsonl?class=refund").text.splitlines()
    records = [json.loads(line) for line in lines]
    assert [each["id"] for each in records] == [f"late {day}" for day in range(10, 0, -1)]
    assert records[0]["audits"][0]["status"] == "done"
    kept = json.loads(pages.get("/decisions.jsonl?label=yes&until=2026-03-02").text)
    assert kept["feedback"][0]["quality"] == 0.5
    found = json.loads(pages.get("/decisions.jsonl?text=_off_").text)
    assert found["request"][0]["text"] == ODD
    rows = list(csv.DictReader(io.StringIO(pages.get("/decisions.csv?class=refund").text)))
    assert [row["id"] for row in rows] == [each["id"] for each in records]
    assert (rows[0]["audit"], rows[0]["harm"], rows[0]["confidence"]) == ("done", "0.0", "0.9")


def test_no_cell_is_a_formula(pages: Pages) -> None:
    (row,) = csv.DictReader(io.StringIO(pages.get("/decisions.csv?since=2026-03-13").text))
    assert (row["id"], row["class"]) == ("'=1+1", "'=HYPERLINK()")
    assert not any(cell[:1] in "=+-@\t\r" for cell in row.values() if cell)


IDS = ["a/b", "/a//b/", "..", ".", "a?b#c", "50%", "a b&c=d", "é😀", "' \" <b>", "\x1b[2J",
       "x.csv", "feedback"]  # fmt: skip


@pytest.mark.parametrize("key", IDS)
def test_any_text_is_an_id(tmp_path: Path, key: str) -> None:
    pages = Pages(store([decision(key, **texts("mine")), decision("other")], f"sqlite:///{tmp_path}/a.db"))  # fmt: skip
    assert "You said: mine" in pages.text(decision_path(key))
    again = re.search(r'href="(/refresh[^"]*)"', pages.get(decision_path(key)).text)
    assert again is not None
    page = pages.get(html.unescape(again[1])).headers["location"]
    assert "You said: mine" in pages.text(page)
    assert decision_path(key).replace("&", "&amp;") in pages.get("/decisions").text
    kept = pages.give(
        "/feedback",
        id=decision_path(key).removeprefix("/decisions/").removeprefix("?id="),
        quality="1",
    )
    assert kept.status_code == 303
    assert "1.000" in pages.text(kept.headers["location"].partition("#")[0])


def test_an_id_that_is_not_there_is_said(pages: Pages) -> None:
    assert "no decision of that id" in pages.text("/decisions/nothing", status=404)


def test_a_filter_of_a_column_that_is_none_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="give down or up"):
        filter_of({"order": "sideways"})


def test_days_are_what_the_log_says(pages: Pages) -> None:
    assert f"{DAY.format(13)[:10]} 12:00" in pages.text("/decisions")
