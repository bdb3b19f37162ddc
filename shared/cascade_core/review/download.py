"""Writes the filtered decisions as CSV or JSON lines, some at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cascade_core.csv_files import written_safely
from cascade_core.log.record import Record
from cascade_core.moments import as_iso
from cascade_core.review.fetching import WholeDecision, fetch_decisions, last_said
from cascade_core.review.periods import NO_TIME
from cascade_core.review.searching import search_texts

if TYPE_CHECKING:
    from cascade_core.arrays import Ints
    from cascade_core.review.snapshot import Snapshot

_AT_ONCE = 100  # whole records, each of which may have a megabyte

RECORD_CELLS = (
    "id", "at", "cascade", "framework", "thread", "class", "tags", "rule", "policy",
    "policy_version", "tier", "model", "reason", "accepted", "calibrated", "confidence",
    "benefit", "merit", "threshold", "promise", "handoff", "handed_to", "cost_usd",
    "strong_cost_usd", "latency_ms", "input_tokens",
)  # fmt: skip
"""Fields of a record that a row of CSV has."""

KNOWN_CELLS = (
    "audit", "quality", "strong_quality", "harm", "feedback_quality", "feedback_by",
    "corrected", "note", "request", "response",
)  # fmt: skip
"""What a row has besides: the audit that counts, the last feedback, and content."""


def _found(snapshot: Snapshot, rows: Ints, text: str) -> Iterator[WholeDecision]:
    source, at = snapshot.source.database, 0

    def ids(begin: int, end: int) -> list[str]:
        return [snapshot.ids[row] for row in rows[begin:end]]

    while at < len(rows):
        if text:
            found = search_texts(source, text, ids, len(rows), most=_AT_ONCE, start=at)
            wanted, at = found.ids, found.looked_at
        else:
            wanted, at = ids(at, at + _AT_ONCE), at + _AT_ONCE
        yield from fetch_decisions(source, wanted)


def _jsonl(snapshot: Snapshot, rows: Ints, text: str) -> Iterator[bytes]:
    for found in _found(snapshot, rows, text):
        whole = {**found.record, "audits": found.audits, "feedback": found.feedback}
        yield json.dumps(whole, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def _csv(snapshot: Snapshot, rows: Ints, text: str) -> Iterator[bytes]:
    written = io.StringIO()
    writer = csv.writer(written)

    def line(cells: list[str]) -> bytes:
        writer.writerow([written_safely(cell) for cell in cells])
        made = written.getvalue().encode(errors="backslashreplace")
        written.seek(0)
        written.truncate()
        return made

    yield line([*RECORD_CELLS, *KNOWN_CELLS])
    for found in _found(snapshot, rows, text):
        known = _known(found)
        cells = [_cell(found.record, name) for name in RECORD_CELLS]
        yield line([*cells, *(_cell(known, name) for name in KNOWN_CELLS)])


def _known(found: WholeDecision) -> Record:
    audit = found.audit or {}
    said = found.feedback[-1] if found.feedback else {}
    request = found.record.get("request")
    return {
        "audit": audit.get("status"),
        **{name: audit.get(name) for name in ("quality", "strong_quality", "harm")},
        "feedback_quality": said.get("quality"),
        "feedback_by": said.get("by"),
        "corrected": said.get("corrected"),
        "note": said.get("note"),
        "request": None if request is None else last_said(request),
        "response": found.record.get("response"),
    }


def _cell(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is None:
        return ""
    if isinstance(value, float) and name == "at":
        return "" if value == NO_TIME else as_iso(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


Writes = Callable[["Snapshot", "Ints", str], Iterator[bytes]]

WRITERS: Mapping[str, tuple[Writes, str]] = {
    "csv": (_csv, "text/csv; charset=utf-8"),
    "jsonl": (_jsonl, "application/x-ndjson"),
}
"""What writes each kind of file, and its media type."""
