"""A log grows, is pruned, goes and comes back while it is looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cascade_core.errors import ConfigurationError
from cascade_core.log import database as database_module
from cascade_core.log.database import Database
from cascade_core.log.schema import decisions
from cascade_core.log.urls import sqlite_file
from cascade_core.review import workbench
from cascade_core.review.periods import Period, period_of
from cascade_core.review.snapshot import Snapshot, take_snapshot
from cascade_core.review.source import Source
from cascade_core.review.workbench import Workbench
from cascade_core.traffic import tables
from cascade_core.traffic.log_report import report_of
from cascade_core.traffic.reading import read_log
from tests.core.log.databases import KINDS, database
from tests.core.review.asking import Pages
from tests.core.review.logs import everything
from tests.core.traffic.making import DAY, audit, decision, said, sent_on
from tests.core.traffic.storing import store


@pytest.fixture(params=KINDS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database(request.param, tmp_path) as url:
        yield store(everything(), url)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """From when on decisions are read, each time that they are."""
    found: list[float | None] = []
    reads = tables._traffic

    def noting(*given: Any) -> Any:
        found.append(given[3] if len(given) > 3 else None)
        return reads(*given)

    monkeypatch.setattr(tables, "_traffic", noting)
    return found


def source_of(log: str) -> Source:
    return Source(log, "the log", "log", log)


def is_whole(snapshot: Snapshot, log: str) -> None:
    for query in ({}, {"since": "2026-03-05"}, {"until": "2026-03-05"}):
        period = period_of(query)
        for by in (None, "tag", "class", "policy", "day"):
            read = read_log(log, period.begin, period.end, tags=True)
            wanted = report_of("the log", read, by=by).as_dict()
            assert snapshot.report(period, by).as_dict() == wanted
    fresh = take_snapshot(snapshot.source)
    assert list(snapshot.ids) == list(fresh.ids)
    assert snapshot.traffic.audited == fresh.traffic.audited
    assert snapshot.confidence.tolist() == pytest.approx(fresh.confidence.tolist(), nan_ok=True)


def test_what_is_new_is_read_and_joined_to_what_was_there(
    log: str, asked: list[float | None]
) -> None:
    before = take_snapshot(source_of(log))
    assert take_snapshot(source_of(log), before) is before
    late = f"{DAY.format(10)[:11]}11:30:00+00:00"
    new = [
        decision("new", 11, tags=["new"], **{"class": "new"}, policy="new"),
        sent_on("just before the last", 10, at=late, model="larger"),
        audit("new", 1.0),
        audit("kept 1", 0.5),
    ]
    store(new, log)
    grown = take_snapshot(source_of(log), before)
    assert len(grown) == len(before) + 2
    is_whole(grown, log)
    assert asked[0] is None
    assert asked[1] is not None


def test_what_was_written_very_late_is_found_too(log: str) -> None:
    before = take_snapshot(source_of(log))
    store([decision("very late", 2)], log)
    is_whole(take_snapshot(source_of(log), before), log)


def test_what_was_pruned_is_gone(log: str) -> None:
    before = take_snapshot(source_of(log))
    with Database(log).writing() as connection:
        connection.execute(sa.delete(decisions).where(decisions.c.id.in_(["kept 1", "late 2"])))
    grown = take_snapshot(source_of(log), before)
    assert len(grown) == len(before) - 2
    is_whole(grown, log)


def test_feedback_is_seen_at_once_and_nothing_else_is_read_for_it(
    log: str, asked: list[float | None]
) -> None:
    bench = Workbench(source_of(log))
    before = bench.report(Period(), "class")
    store([said("kept 1", 0.0, id="another")], log)
    bench.refresh()
    after = bench.report(Period(), "class")
    assert after.read.feedback.n == before.read.feedback.n + 1
    assert after.worked is before.worked
    assert after.groups is before.groups
    assert len(asked) == 1


def test_an_old_page_is_shown_until_what_is_new_was_read(
    log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks: list[Callable[[], None]] = []
    bench = Workbench(source_of(log), start=tasks.append)
    assert bench.as_of is None
    before = bench.snapshot()
    first = bench.as_of
    assert first is not None
    store([decision("new", 11)], log)
    assert bench.snapshot() is before
    assert not tasks  # it was looked at a moment ago
    monkeypatch.setattr(workbench, "CHECK_EVERY", 0.0)
    for _ in range(3):
        assert bench.snapshot() is before
    assert len(tasks) == 1
    tasks[0]()
    assert len(bench.snapshot()) == len(before) + 1
    assert bench.as_of is not None
    assert bench.as_of >= first


def test_what_goes_wrong_behind_a_page_is_said_on_the_next(
    log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise sa.exc.OperationalError("of what people wrote", None, OSError())

    begun: list[Callable[[], None]] = []
    monkeypatch.setattr(workbench, "CHECK_EVERY", 0.0)
    bench = Workbench(source_of(log), start=begun.append)
    bench.snapshot()
    bench.snapshot()
    monkeypatch.setattr(workbench, "take_snapshot", broken)
    begun.pop()()  # nothing is raised where nobody could see it
    with pytest.raises(sa.exc.OperationalError):
        bench.snapshot()


def test_labels_are_read_once_and_again_when_there_are_more(
    log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Source] = []
    labels = Source.labels
    monkeypatch.setattr(Source, "labels", lambda self: reads.append(self) or labels(self))
    bench = Workbench(source_of(log))
    first = bench.labels()
    store([said("kept 1", 0.0, id="another")], log)
    bench.refresh()
    assert bench.labels() is first
    store([audit("kept 2", 0.0)], log)
    bench.refresh()  # which reads them, so that no page waits for it
    assert len(reads) == 2
    assert bench.labels() is not first
    assert len(reads) == 2


@pytest.fixture
def file(tmp_path: Path) -> str:
    return store(everything(), f"sqlite:///{tmp_path / 'log.db'}")


PAGES = ["/", "/decisions", "/thresholds", "/classes"]


@pytest.mark.parametrize("path", PAGES)
def test_a_log_that_goes_is_told_of_on_one_page_and_comes_back(file: str, path: str) -> None:
    pages = Pages(file)
    assert pages.get(path).status_code == 200
    where = sqlite_file(file)
    assert where is not None
    away = where.rename(where.with_name("away"))
    with pytest.raises(ConfigurationError):
        pages.bench.refresh()
    answer = pages.get(path)
    assert answer.status_code == 400
    assert "there is no file" in answer.text
    away.rename(where)
    assert pages.get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_log_that_another_program_holds_is_told_of_and_comes_back(
    file: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY", 0.01)
    pages = Pages(file)
    where = sqlite_file(file)
    holder = sqlite3.connect(str(where), isolation_level=None)
    holder.execute("PRAGMA journal_mode=DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    answer = pages.get(path)
    assert answer.status_code in {400, 503}
    assert "OperationalError" in answer.text
    holder.execute("ROLLBACK")
    holder.close()
    assert pages.get(path).status_code == 200
