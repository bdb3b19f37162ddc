"""Decisions, written down: one plain JSON record a verdict."""

from cascade_core.log.collect import collect_decisions, collectors
from cascade_core.log.record import Record, as_record, exhausted_record
from cascade_core.log.store import DecisionLog, JsonlLog, open_log

__all__ = [
    "DecisionLog",
    "JsonlLog",
    "Record",
    "as_record",
    "collect_decisions",
    "collectors",
    "exhausted_record",
    "open_log",
]
