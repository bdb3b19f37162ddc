"""The tables of a log's database, the same in SQLite and in PostgreSQL.

Money is USD, times are seconds since 1970 (UTC). `decisions` is narrow, for it is what is analysed;
prompts and answers are only in `details`, those that an audit compared with in `audits.responses`,
what people wrote of an answer in `feedback`. `watched` and `watch_events` are `cascade watch`'s.
Whoever changes a table writes the step from the old one to `migrations/versions`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

FORM = "0007"
"""The last step in `migrations/versions`."""

_MERIT = (("decisions", "benefit"), ("decisions", "merit"))
_COMMITTED = ("decisions", "committed")
_OF_DECISIONS = (("decisions", "handoff"), ("decisions", "promise"), *_MERIT, _COMMITTED)

ADDED: Mapping[str, frozenset[tuple[str, str]]] = {
    "0001": frozenset({("feedback", "note"), ("audits", "responses"), *_OF_DECISIONS}),
    "0002": frozenset(_OF_DECISIONS),
    "0003": frozenset(_OF_DECISIONS[1:]),
    "0004": frozenset({*_MERIT, _COMMITTED}),
    "0005": frozenset({*_MERIT, _COMMITTED}),
    "0006": frozenset({_COMMITTED}),
}
"""Columns, by table and name, that a database lacks which has stayed in an earlier form."""

metadata = MetaData()

decisions = Table(
    "decisions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("cascade", Text),
    Column("framework", Text),
    Column("thread", Text),
    Column("class", Text),
    Column("policy", Text),
    Column("policy_version", Text),
    Column("rule", Text),
    Column("tier", Integer),
    Column("model", Text),
    Column("reason", Text),
    Column("accepted", Boolean),
    Column("calibrated", Boolean),
    Column("confidence", Double),
    Column("threshold", Double),
    Column("cost_usd", Double),
    Column("strong_cost_usd", Double),
    Column("strong_cost_is_estimate", Boolean),
    Column("latency_ms", Double),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("digest", Text),
    Column("tags", Text),  # JSON
    Column("calls", Integer),
    Column("failed_calls", Integer),
    Column("audit_probability", Double),
    Column("audit_picked", Boolean),
    Column("handoff", Boolean),
    Column("promise", Text),
    Column("benefit", Double),
    Column("merit", Double),
    Column("committed", Text),  # whole, live, or what a live one ended in
    Index("decisions_at", "at"),
)

details = Table(
    "details",
    metadata,
    Column("id", Text, primary_key=True),
    Column("record", Text, nullable=False),  # JSON, without what the next two hold
    Column("request", Text),  # JSON
    Column("response", Text),
)

audits = Table(
    "audits",
    metadata,
    Column("id", Text, primary_key=True),
    Column("decision", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("status", Text),
    Column("probability", Double),
    Column("compare", Text),
    Column("why", Text),
    Column("quality", Double),
    Column("strong_quality", Double),
    Column("harm", Double),
    Column("strong_cost_usd", Double),
    Column("cost_usd", Double),
    Column("event", Text, nullable=False),  # JSON, without what the next one holds
    Column("responses", Text),  # JSON: texts by tier
    Index("audits_decision", "decision"),
    Index("audits_at", "at"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Text, primary_key=True),
    Column("decision", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("quality", Double),
    Column("by", Text),
    Column("corrected", Text),
    Column("note", Text),
    Index("feedback_decision", "decision"),
    Index("feedback_at", "at"),
)

policies = Table(
    "policies",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=True),
    Column("name", Text),
    Column("document", Text, nullable=False),  # JSON
    Column("fingerprint", Text),
    Column("note", Text),
    Column("saved_at", Double, nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice
)

activations = Table(
    "activations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("version", Integer, nullable=False),
    Column("at", Double, nullable=False),
    sqlite_autoincrement=True,
)

watched = Table(
    "watched",
    metadata,
    Column("decision", Text, primary_key=True),
    Column("place", Integer, nullable=False),
)

watch_events = Table(
    "watch_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer),
    Column("said", Text, nullable=False),
    Column("detail", Text),  # JSON
    sqlite_autoincrement=True,
)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
