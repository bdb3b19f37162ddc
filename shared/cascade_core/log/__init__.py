"""Decisions, written down: one plain JSON record a verdict."""

from cascade_core.log.collect import aside, collect_decisions, collectors, step_aside
from cascade_core.log.events import LogEvent, audit_event, feedback_event
from cascade_core.log.record import Asked, Record, as_record, exhausted_record
from cascade_core.log.store import DecisionLog, EventLog, JsonlLog, open_log
from cascade_core.log.upgrade import is_event, upgraded

__all__ = [
    "Asked",
    "DecisionLog",
    "EventLog",
    "JsonlLog",
    "LogEvent",
    "Record",
    "as_record",
    "aside",
    "audit_event",
    "collect_decisions",
    "collectors",
    "exhausted_record",
    "feedback_event",
    "is_event",
    "open_log",
    "step_aside",
    "upgraded",
]
