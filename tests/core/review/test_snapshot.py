"""What pages count is what `cascade report` says, of every period and group."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from cascade_core.review.periods import Period, period_of
from cascade_core.review.snapshot import Snapshot, take_snapshot
from cascade_core.review.source import Source
from cascade_core.traffic.groups import BY
from cascade_core.traffic.log_report import report_of
from cascade_core.traffic.reading import read_log
from tests.core.log.databases import KINDS, database
from tests.core.review.logs import everything
from tests.core.traffic.making import decision
from tests.core.traffic.storing import store

PERIODS = [
    {},
    {"since": "2026-03-04"},
    {"until": "2026-03-04"},
    {"since": "2026-03-03", "until": "2026-03-08T12:00:00"},
    {"since": "2026-03-08", "until": "2026-03-03"},
    {"since": "2027-01-01"},
]


@pytest.fixture(scope="module", params=KINDS)
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with database(request.param, tmp_path_factory.mktemp("log")) as url:
        yield store(everything(), url)


@pytest.fixture(scope="module")
def snapshot(log: str) -> Snapshot:
    return take_snapshot(Source(log, "the log", "log", log))


@pytest.mark.parametrize("by", [None, *BY])
@pytest.mark.parametrize("asked", PERIODS, ids=str)
def test_a_report_of_a_period_is_the_commands(
    log: str, snapshot: Snapshot, asked: dict[str, str], by: str | None
) -> None:
    period = period_of(asked)
    read = read_log(log, period.begin, period.end, tags=True)
    found = snapshot.report(period, by)
    assert found.as_dict() == report_of("the log", read, by=by).as_dict()
    assert found.worked is snapshot.worked(period)


def test_what_was_drawn_later_counts_in_each_period_as_far_as_it_goes(snapshot: Snapshot) -> None:
    early = snapshot.report(period_of({"until": "2026-03-04"})).figures.audits
    whole = snapshot.report(Period()).figures.audits
    assert early is not None
    assert whole is not None
    assert early.covered < whole.covered
    # Records say nothing of it, and nor does what they were read into.
    late = snapshot.ids.find(["late 3"])["late 3"]
    assert np.isnan(snapshot.traffic.probability[late])
    assert snapshot.worked(Period()).traffic.probability[late] == 0.25


def test_who_waits_for_one_thing_waits_for_no_other(snapshot: Snapshot) -> None:
    def slow() -> str:
        other = Thread(target=snapshot.made_once, args=(("test", "quick"), str), daemon=True)
        other.start()
        other.join(60)
        assert not other.is_alive()
        return "made"

    assert snapshot.made_once(("test", "slow"), slow) == "made"
    assert snapshot.made_once(("test", "slow"), lambda: "again") == "made"


def test_columns_are_of_the_rows_that_their_ids_say(snapshot: Snapshot) -> None:
    rows = snapshot.ids.find(["sent 2", "unpriced 9", "pinned 3", "none of them"])
    assert {snapshot.ids[row] for row in rows.values()} == {"sent 2", "unpriced 9", "pinned 3"}
    sent, unpriced, pinned = rows["sent 2"], rows["unpriced 9"], rows["pinned 3"]
    assert (snapshot.confidence[sent], snapshot.threshold[sent]) == (0.2, 0.5)
    assert np.isnan(snapshot.confidence[pinned])
    assert (snapshot.input_tokens[sent], snapshot.tier[sent]) == (50, 1)
    assert np.isnan(snapshot.input_tokens[unpriced])
    assert np.isnan(snapshot.traffic.cost[unpriced])
    assert list(snapshot.ids)[sent] == "sent 2"
    part = snapshot.traffic.part(snapshot.within(period_of({"since": "2026-03-02"})))
    assert part.wide is not None
    assert part.wide.ids[0] == snapshot.ids[10]


@pytest.mark.parametrize("url", KINDS)
def test_ids_are_any_text_in_any_order(url: str, tmp_path: Path) -> None:
    long = 1_000_000 if url == "sqlite" else 1_000  # PostgreSQL has no longer keys
    ids = [
        "x" * long,
        "",
        "\x1b[31m",
        "\N{RIGHT-TO-LEFT OVERRIDE}abc",
        "<script>",
        "ä",
        "\N{PILE OF POO}",
    ]
    entries = [decision(name, 20 - i) for i, name in enumerate(ids)]
    with database(url, tmp_path) as found:
        log = store(entries, found)
        snapshot = take_snapshot(Source(log, "the log", "log", log))
    kept = list(snapshot.ids)
    assert kept[0] == ids[-1]  # the oldest
    assert set(ids) - set(kept) == {""}  # that became an id of its own
    assert snapshot.ids.find(ids[2:]) == {name: kept.index(name) for name in ids[2:]}


def test_an_empty_log_has_figures_of_nothing(tmp_path: Path) -> None:
    log = store([], f"sqlite:///{tmp_path / 'log.db'}")
    snapshot = take_snapshot(Source(log, "the log", "log", log))
    plain: dict[str, Any] = snapshot.report(Period(), "class").as_dict()
    assert (len(snapshot), plain["requests"], plain["groups"]) == (0, 0, [])
    assert list(snapshot.ids) == []


def test_other_periods_push_out_those_that_were_looked_at_long_ago(snapshot: Snapshot) -> None:
    first = snapshot.report(period_of({"since": "2026-03-01"}))
    for day in range(2, 9):
        snapshot.report(period_of({"since": f"2026-03-{day:02}"}))
    assert snapshot.report(period_of({"since": "2026-03-01"})) is not first
