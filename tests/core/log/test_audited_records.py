"""What an export reads of a database is what it reads of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascade_core.log import open_log
from cascade_core.log.audited_records import audited_records
from cascade_core.log.export import export
from cascade_core.log.reading import read_events
from tests.core.calibration.labels import columns
from tests.core.log.traffic import served, write_log

SIX_IN_TEN = 0.6


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
    log = open_log(url)
    assert log is not None
    for record in records:
        log.write(record)
    for event in events:
        log.write_event(event)  # type: ignore[attr-defined]
    assert log.flush(60)  # type: ignore[attr-defined]
    return url, str(write_log(tmp_path / "decisions.jsonl", records, events))


def test_a_database_is_exported_like_a_file(kept: tuple[str, str]) -> None:
    of_database, of_file = (export(audited_records(source), read_events(source)) for source in kept)
    assert len(of_file.rows) > 10
    assert of_database == of_file
    assert of_database.left_out == {"skipped: budget": 1}
    assert all(row["request"] == "hello" for row in of_database.rows)


def test_decisions_before_a_moment_are_left_out(kept: tuple[str, str]) -> None:
    since = 1793534430.0  # 2026-11-01T12:00:30Z, half of them
    of_database, of_file = (
        export(audited_records(source, since), read_events(source)) for source in kept
    )
    assert of_file.decisions == 20
    assert of_database == of_file


def test_of_a_database_only_what_was_audited_is_read_whole(kept: tuple[str, str]) -> None:
    found = list(audited_records(kept[0]))
    whole = [record for record in found if "judged" in record]
    assert len(found) == 50
    assert 10 < len(whole) < 45
    assert {"id", "tier", "reason", "cascade"} <= found[0].keys()
