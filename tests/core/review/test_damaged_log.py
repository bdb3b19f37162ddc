"""A log that other programs wrote into, or that is damaged, is shown as far as it can be read."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from cascade_core.log.reading import read_events, read_records
from cascade_core.review.decisions import decision_path
from cascade_core.review.texts import as_moment, as_score, as_usd
from cascade_core.traffic.columns import tags_in
from cascade_core.traffic.numbers import numbers_of, whole_numbers_of
from tests.core.review.logs import everything
from tests.core.review.served import ask
from tests.core.traffic.storing import store

PAGES = [
    "/",
    "/thresholds",
    "/classes",
    "/classes?by=tag",
    "/classes?by=cluster",
    "/decisions",
    "/decisions?sort=cost",
    "/decisions?text=e",
    "/queue",
    "/policy",
]
LONG = "W" * 500_000
MARKUP = "<script>alert(1)</script>"


def _damage(file: Path) -> dict[str, str]:
    """Write into a log what no release writes, and return the ids of some rows by what is wrong."""
    with sqlite3.connect(file) as database:
        ids = [key for (key,) in database.execute("SELECT id FROM decisions ORDER BY at")]
        no_number, torn, foreign, long, line = ids[-5:]
        database.execute(
            "UPDATE decisions SET confidence = 'x', cost_usd = 'y', latency_ms = 9e999, tier = 1e12,"
            " accepted = 'z', tags = 'no JSON' WHERE id = ?",
            [no_number],
        )
        database.execute("UPDATE decisions SET at = 1e300 WHERE id = ?", [torn])
        database.execute(
            "UPDATE details SET record = substr(record, 1, 40), request = '[{' WHERE id = ?", [torn]
        )
        strange = {"calls": [3, {"usage": 1}], "judged": "x", "tags": 7, "metadata": [MARKUP]}
        database.execute(
            "UPDATE details SET record = ? WHERE id = ?", [json.dumps(strange), foreign]
        )
        database.execute(
            "UPDATE decisions SET class = ?, model = ?, reason = ? WHERE id = ?",
            [LONG, LONG, MARKUP, long],
        )
        database.execute(
            "UPDATE decisions SET class = cast(x'fffe41' AS TEXT), tags = '[\"\"]' WHERE id = ?",
            [foreign],
        )
        database.execute(
            "UPDATE details SET response = cast(x'ff4142' AS TEXT) WHERE id = ?", [foreign]
        )
        for table in ("decisions", "details"):
            database.execute(f"UPDATE {table} SET id = ? WHERE id = ?", ["a\r\nb", line])
        database.execute("UPDATE audits SET harm = 'x', event = '{' WHERE rowid % 2")
        database.execute(
            "INSERT INTO feedback (id, decision, at, quality) VALUES ('f', ?, 1e300, 'good')",
            [foreign],
        )
    return {"no number": no_number, "torn": torn, "foreign": foreign, "line": "a\r\nb"}


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[TestClient, dict[str, str], str]:
    file = tmp_path_factory.mktemp("damaged") / "log.db"
    store(everything(), f"sqlite:///{file}")
    ids = _damage(file)
    return ask(file).enter(), ids, f"sqlite:///{file}"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_what_can_be_read(
    damaged: tuple[TestClient, dict[str, str], str], path: str
) -> None:
    answer = damaged[0].get(path)
    assert answer.status_code == 200
    assert MARKUP not in answer.text
    assert len(answer.text) < 4 * len(LONG)  # no list of names repeats a long one


@pytest.mark.parametrize("what", ["no number", "torn", "foreign", "line"])
def test_a_decision_that_is_damaged_has_its_page(
    damaged: tuple[TestClient, dict[str, str], str], what: str
) -> None:
    answer = damaged[0].get(decision_path(damaged[1][what]))
    assert answer.status_code == 200
    assert MARKUP not in answer.text


def test_what_is_damaged_does_not_end_a_download(
    damaged: tuple[TestClient, dict[str, str], str],
) -> None:
    client, ids, _ = damaged
    csv.field_size_limit(10_000_000)
    rows = list(csv.DictReader(io.StringIO(client.get("/decisions.csv").text)))
    lines = client.get("/decisions.jsonl").text.splitlines()
    assert len(rows) == len(lines)
    assert {ids["torn"], ids["foreign"]} <= {row["id"] for row in rows}


def test_rows_that_are_damaged_are_counted_and_left_out(
    damaged: tuple[TestClient, dict[str, str], str],
) -> None:
    records, events = read_records(damaged[2]), read_events(damaged[2])
    assert damaged[1]["torn"] not in {record.get("id") for record in records}
    assert records.unreadable == 1
    assert [event for event in events if event["event"] == "feedback" and event["at"] is None]
    assert events.unreadable


def test_numbers_that_are_none_are_not_known() -> None:
    assert np.isnan(numbers_of(["x", None, 1e999, b"\xff", 10**400])).all()
    assert numbers_of([1, 2.5]).tolist() == [1, 2.5]
    assert np.isnan(numbers_of([1e300], np.float32)).all()
    assert whole_numbers_of([1, None, "x", 10**9], np.int16, -1).tolist() == [1, -1, -1, -1]
    assert tags_in("no JSON") == []
    assert {as_score("x"), as_usd("x"), as_moment("x"), as_moment(1e300)} == {"–"}  # type: ignore[arg-type]
