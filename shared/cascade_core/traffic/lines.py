"""A log that is a file of JSON lines, as a report reads it: once for events, once for decisions."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cascade_core.log.reading import read_events, read_records
from cascade_core.log.rows import rows_of
from cascade_core.moments import seconds_of
from cascade_core.traffic.columns import CHUNK, KIND, NUMBERS, ROW_COLUMNS, TrafficRow
from cascade_core.traffic.entries import LATEST_FAILED, AuditEntry, Feedback, LogEntries

_KIND, _FAILED = ROW_COLUMNS.index("kind"), KIND.index("failed_calls")


def entries_of_file(source: str, since: float | None, until: float | None) -> LogEntries:
    """Return what a file holds; see `reading.read_log`.

    Raises:
        FileError: It cannot be read.
    """
    audits: list[AuditEntry] = []
    said: list[Mapping[str, Any]] = []
    for event in read_events(source):
        if event["event"] == "audit":
            audits.append(AuditEntry._make(event.get(name) for name in AuditEntry._fields))
        elif _within(seconds_of(event.get("at")), since, until):
            said.append(event)
    entries = LogEntries(audits, _feedback(said), iter(()))
    ids = {audit.decision for audit in audits}
    entries.chunks = _chunks(source, ids, since, until, entries)
    return entries


def _chunks(
    source: str, ids: set[str], since: float | None, until: float | None, entries: LogEntries
) -> Iterator[Sequence[TrafficRow]]:
    records = read_records(source)
    chunk: list[TrafficRow] = []
    failed: deque[Mapping[str, Any]] = deque(maxlen=LATEST_FAILED)
    for entry in records:
        at = seconds_of(entry.get("at"))
        if not _within(at, since, until):
            continue
        row = _row(entry, at, ids)
        if row[_KIND][_FAILED]:
            failed.append(entry)
        entries.failing = failing_of(entry)
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    yield chunk
    entries.errors = errors_of(failed)
    entries.unreadable += records.unreadable + records.torn


def _row(record: Mapping[str, Any], at: float | None, ids: set[str]) -> TrafficRow:
    row, _ = rows_of(record)
    return (
        at,
        *(row[name] for name in NUMBERS[1:]),
        tuple(row[name] for name in KIND),
        row["tags"],
        row["id"] if row["id"] in ids else None,
    )


def failing_of(record: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the tiers that had failed again and again when a record was written."""
    failing = record.get("failing")
    if not isinstance(failing, list):
        return ()
    return tuple(each for each in failing if isinstance(each, Mapping) and "tier" in each)


def errors_of(records: Iterator[Mapping[str, Any]] | Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Count what calls failed with, by tier and error."""
    found: Counter[str] = Counter()
    for record in records:
        for call in record["calls"]:
            if call.get("outcome") == "failed":
                found[f"tier {call.get('tier')}: {call.get('error') or 'unknown'}"] += 1
    return found


def _within(at: float | None, since: float | None, until: float | None) -> bool:
    """Tell whether a time lies in a part; a record of version 1 knows none, and is in no part."""
    if at is None:
        return since is None and until is None
    return (since is None or at >= since) and (until is None or at < until)


def _feedback(said: Sequence[Mapping[str, Any]]) -> Feedback:
    qualities = [each["quality"] for each in said if isinstance(each["quality"], int | float)]
    return Feedback(
        n=len(said),
        decisions=len({each["decision"] for each in said}),
        quality=sum(qualities) / len(qualities) if qualities else None,
        corrected=sum(each.get("corrected") is not None for each in said),
    )
