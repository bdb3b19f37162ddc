"""What an export reads of a database is what it reads of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.labels import write_table
from cascade_core.log import feedback_event, open_log
from cascade_core.log.audited_records import AuditedRecords, audited_records
from cascade_core.log.export import export
from cascade_core.log.reading import read_events
from cascade_core.traffic.labels import read_audits
from tests.core.calibration.labels import columns
from tests.core.log.traffic import served, write_log

SIX_IN_TEN = 0.6


def written(url: str, file: Path, records: list[Any], events: list[Any]) -> tuple[str, str]:
    """Write the same log into a database and into a file."""
    log = open_log(url)
    assert log is not None
    for record in records:
        log.write(record)
    for event in events:
        log.write_event(event)  # type: ignore[attr-defined]
    assert log.flush(60)  # type: ignore[attr-defined]
    return url, str(write_log(file, records, events))


@pytest.fixture
def kept(url: str, tmp_path: Path) -> tuple[str, str]:
    """The same log, in a database and in a file; some audits were not done."""
    records, events = served(
        columns(50),
        rate=SIX_IN_TEN,
        request=[{"role": "user", "text": "hello"}],
        response="hi",
        cascade="desk",
    )
    del records[7]["audit"]
    events[3] |= {"status": "skipped", "why": "budget", "tiers": []}
    return written(url, tmp_path / "decisions.jsonl", records, events)


def test_a_database_is_exported_like_a_file(kept: tuple[str, str]) -> None:
    of_database, of_file = (export(audited_records(source), read_events(source)) for source in kept)
    assert len(of_file.rows) > 10
    assert of_database == of_file
    assert of_database.left_out == {"skipped: budget": 1}
    assert all(row["request"] == "hello" for row in of_database.rows)


def test_what_was_handed_off_is_known_of_a_database_too(url: str, tmp_path: Path) -> None:
    records, events = served(columns(9), rate=1.0, threshold=2.0, response="of a person")
    for record, event in zip(records, events, strict=True):
        record |= {"handoff": True, "handed_to": "queue"}
        event["tiers"][1]["response"] = "of the last tier"
    sources = written(url, tmp_path / "decisions.jsonl", records, events)
    of_database, of_file = (export(audited_records(each), read_events(each)) for each in sources)
    assert of_database == of_file
    assert {row["t1_response"] for row in of_database.rows} == {"of the last tier"}


def test_decisions_before_a_moment_are_left_out(kept: tuple[str, str]) -> None:
    since = 1793534430.0  # 2026-11-01T12:00:30Z, half of them
    of_database, of_file = (
        export(audited_records(source, since), read_events(source)) for source in kept
    )
    assert of_file.decisions == 20
    assert of_database == of_file


def test_of_a_database_only_what_was_audited_is_read(kept: tuple[str, str]) -> None:
    records = audited_records(kept[0])
    assert isinstance(records, AuditedRecords)
    found = list(records.counted(lambda: None))
    one_by_one = [each.record["id"] for each in found if "id" in each.record]
    audited = {event["decision"] for event in read_events(kept[0], "audit")}
    assert set(one_by_one) == audited
    assert sum(each.n for each in found) == 50
    assert len(found) < len(audited) + 10


def mixed_log(url: str, folder: Path) -> tuple[str, str]:
    """The same log with all that an export tells apart, in a database and in a file."""
    records, events = served(
        columns(80),
        rate=SIX_IN_TEN,
        request=[{"role": "user", "text": "h\u00e9llo \ud83d"}],
        response="hi",
        cascade="desk",
        thread=lambda row: [None, "t\0", f"th\ud83dread {row // 8}", row // 8][row % 4],
        digest=lambda row: f"digest {row % 5}",
    )
    for row, record in enumerate(records):
        _vary(row, record)
    for row, event in enumerate(events):
        if row % 5 == 0:
            events[row] = event | {"status": "failed", "why": "timeout", "tiers": []}
        if row % 7 == 0:
            events[row] |= {"drawn_later": {"rate": 0.5, "seed": 0}}
    del events[1::6]
    later = {"id": "again", "at": "2026-12-01T00:00:00+00:00"}
    events.append(events[4] | later | {"status": "skipped", "why": "budget", "tiers": []})
    events += [feedback_event(record["id"], 1.0) for record in records[::4]]
    events += [feedback_event("no such decision", 1.0), feedback_event(records[0]["id"], 0.5)]
    return written(url, folder / "mixed.jsonl", records, events)


def _vary(row: int, record: dict[str, Any]) -> None:
    record["at"] = f"2026-11-01T12:{row // 3:02}:00+00:00"
    record["class"] = [None, "a", "\ufffd b", "c\0"][row % 4]
    record["policy_version"] = [None, 1, "abc"][row % 3]
    if row % 9 == 0:
        del record["audit"]
    elif row % 11 == 0:
        record["audit"] = {"probability": 0.0, "picked": False}
    if row % 13 == 0:
        record["reason"] = "pinned"
    if row % 17 == 0:
        record["tier"] = None


@pytest.mark.parametrize(
    "narrowed",
    [{}, {"cascade": "desk"}, {"policy_version": "1"}, {"policy_version": "None"}, {"since": 26}],
    ids=str,
)
def test_all_that_an_export_says_is_the_same_of_a_database_and_of_a_file(
    url: str, tmp_path: Path, narrowed: dict[str, Any]
) -> None:
    both = mixed_log(url, tmp_path)
    narrowed = dict(narrowed)  # the next database is asked for the same
    minute = narrowed.pop("since", None)
    if minute is not None:
        narrowed["since"] = 1793534400.0 + 60 * minute / 2
    of_database, of_file = (read_audits(log, named="log", **narrowed) for log in both)
    assert len(of_file.rows) > 5
    assert of_file.left_out
    assert of_file.ineligible
    assert of_file.feedback
    assert of_database == of_file
    tables = []
    for name, found in (("database.csv", of_database), ("file.csv", of_file)):
        write_table(tmp_path / name, found.rows)
        tables.append((tmp_path / name).read_bytes())
    assert tables[0] == tables[1]


def test_which_cascades_there_are_is_said_alike(url: str, tmp_path: Path) -> None:
    records, events = served(columns(40), rate=SIX_IN_TEN, cascade="desk")
    for record in records[::3]:
        record["cascade"] = "other"
    said = []
    for source in written(url, tmp_path / "decisions.jsonl", records, events):
        with pytest.raises(ConfigurationError, match="several cascades") as refused:
            read_audits(source, named="log")
        said.append(str(refused.value))
    assert said[0] == said[1]
