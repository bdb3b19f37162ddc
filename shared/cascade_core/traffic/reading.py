"""Reads a log for a report: its decisions as columns, its audits, its feedback, and what fails now.

The same of a database, of which narrow columns are read (`tables`), and of a file of JSON lines
(`lines`): both give an `LogEntries`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cascade_core.evaluation.audited import AuditRows
from cascade_core.log.urls import is_url
from cascade_core.traffic.columns import Traffic, traffic_of
from cascade_core.traffic.entries import AuditEntry, Feedback, LogEntries
from cascade_core.traffic.lines import entries_of_file

_PINNED = frozenset({"pinned"})


@dataclass(frozen=True, slots=True, eq=False)
class LogRead:
    """A log, or a part of its time.

    Attributes:
        traffic: Its decisions.
        audits: Their audits.
        missing: Audits that were not done, by why; not those of requests that cannot have one.
        compared: What compared the answers of those that were done, and how often.
        undecided: How many of those it could not tell of, and took to differ.
        feedback: What people said.
        failing: Tiers that had failed again and again when the log ended.
        errors: What calls failed with, in the last requests that had a failed call.
        unreadable: Lines that are no entries.
    """

    traffic: Traffic
    audits: AuditRows
    missing: Mapping[str, int] = field(default_factory=dict)
    compared: Mapping[str, int] = field(default_factory=dict)
    undecided: int = 0
    feedback: Feedback = field(default_factory=Feedback)
    failing: tuple[Mapping[str, Any], ...] = ()
    errors: Mapping[str, int] = field(default_factory=dict)
    unreadable: int = 0


def read_log(
    source: str, since: float | None = None, until: float | None = None, *, tags: bool = False
) -> LogRead:
    """Read a log.

    Args:
        source: The URL of a database, or the path of a file of JSON lines.
        since: Decisions from then on, in seconds since 1970; None for all.
        until: Decisions before then.
        tags: Whether their tags are wanted.

    Raises:
        ConfigurationError: It is no log, or cannot be read.
    """
    if is_url(source):
        from cascade_core.traffic.tables import entries_of_database  # noqa: PLC0415 - an extra

        entries = entries_of_database(source, since, until, tags=tags)
    else:
        entries = entries_of_file(source, since, until)
    return log_read(traffic_of(entries.chunks, tags=tags), entries)


def log_read(traffic: Traffic, entries: LogEntries) -> LogRead:
    """Put together what was read of a log.

    Args:
        traffic: Its decisions; chances of being picked are filled in there.
        entries: What else it holds; `chunks` has been read. Audits of other decisions may be
            among its audits.
    """
    own = [audit for audit in entries.audits if audit.decision in traffic.audited]
    done = [audit for audit in own if audit.status == "done"]
    covered = {audit.decision for audit in done}
    pinned = traffic.named["reason"].among(_PINNED)
    missing = {
        audit.decision: f"{audit.status}: {audit.why or 'unknown'}"
        for audit in own
        if audit.decision not in covered and not pinned[traffic.audited[audit.decision]]
    }
    return LogRead(
        traffic=_with_chances(traffic, own),
        audits=_audit_rows(traffic, own),
        missing=Counter(missing.values()),
        compared=Counter(audit.compare for audit in done),
        undecided=sum(audit.why == "undecided" for audit in done),
        feedback=entries.feedback,
        failing=entries.failing,
        errors=entries.errors,
        unreadable=entries.unreadable,
    )


def _with_chances(traffic: Traffic, audits: Sequence[AuditEntry]) -> Traffic:
    """Fill in chances of being picked that decisions do not say.

    `cascade audit` draws, at one rate, from the requests of a cascade that had no chance when they
    were answered. Those that it did not pick have had that chance too: all up to the last picked.
    It draws neither what came from a cache nor what a rule has excluded, whose chance is 0.
    """
    cascade, reason = traffic.named["cascade"], traffic.named["reason"]
    unsaid = np.isnan(traffic.probability) & (traffic.tier >= 0)
    unsaid &= ~reason.among(frozenset({"cached"}))
    rate, last = np.nan, np.full(len(cascade.names), -1)
    for audit in audits:
        row = traffic.audited[audit.decision]
        traffic.picked[row] = True
        if unsaid[row]:
            rate, of = audit.probability, cascade.of[row]
            last[of] = max(last[of], row)
    drawn = np.arange(len(traffic)) <= last[cascade.of]
    traffic.probability[unsaid & drawn] = rate
    # A rule keeps pinned requests from other tiers, and so from audits.
    traffic.probability[reason.among(_PINNED)] = np.nan
    return traffic


def _audit_rows(traffic: Traffic, audits: Sequence[AuditEntry]) -> AuditRows:
    def column(name: str) -> Any:
        return np.array([getattr(audit, name) for audit in audits], dtype=np.float64)

    return AuditRows(
        row=np.array([traffic.audited[audit.decision] for audit in audits], dtype=np.int64),
        done=np.array([audit.status == "done" for audit in audits], dtype=np.bool_),
        quality=column("quality"),
        strong_quality=column("strong_quality"),
        harm=column("harm"),
        strong_cost=column("strong_cost_usd"),
        cost=column("cost_usd"),
    )
