"""Feedback: what somebody says of an answer, kept in the log that has its decision.

Whoever volunteers an opinion is no random sample of all requests; feedback is kept apart from
audits, and no estimate treats it as one.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import sys
from numbers import Real
from pathlib import Path
from threading import RLock
from typing import Any
from uuid import UUID

from cascade_core.errors import ConfigurationError
from cascade_core.forks import free_in_child
from cascade_core.log import (
    DecisionLog,
    EventLog,
    LogEvent,
    feedback_event,
    open_log,
)
from cascade_core.log.redaction import MOST_CHARACTERS, cut, redacted
from cascade_core.log.registry import RegisteredLog, log_of, place_of, registered_logs
from cascade_core.log.urls import database_url, is_url, sqlite_file
from cascade_core.loop import behind, drivers
from cascade_core.setup.notices import Notices

_MOST_OPENED = 16


def record_feedback(  # noqa: PLR0913 - public names
    decision_id: str | UUID,
    quality: float,
    *,
    by: str | None = None,
    corrected: str | None = None,
    note: str | None = None,
    log: DecisionLog | str | Path | None = None,
) -> None:
    """Keep what somebody says of an answer, beside its decision.

    It may be said several times, by several people. In this process the decision's log is found
    by the id; in another one, name the log. Whether the log has such a decision is not looked up:
    its record may still be on its way, from another process too.

    Where an event loop runs in this thread, the log is written in another thread; `flush_log()`
    waits for it.

    Args:
        decision_id: The record's `id`.
        quality: Of the answer, in [0, 1]; True and False are 1 and 0.
        by: Who says so.
        corrected: What the answer should have been. It is kept as given, after the cascade's
            `redact=`; in a log that is named in a process without its cascade nothing is redacted.
        note: What else there is to say of it, kept as `corrected` is.
        log: The log, as a cascade takes it. By default the one that the decision is in, as long
            as its cascade is alive in this process.

    Raises:
        ConfigurationError: The id is no text, the quality no number in [0, 1], or there is no such
            log, or several that it may be in.
        OSError: The log cannot be written (without an event loop; with one, that is warned of).

    Examples:
        >>> answer = llm.invoke("When is my invoice due?")
        >>> record_feedback(answer.response_metadata["cascade"]["id"], 0.0, by="anna")
    """
    decision = _read_id(decision_id)
    for name, text in (("by", by), ("corrected", corrected), ("note", note)):
        if text is not None and not isinstance(text, str):
            msg = f"{name}= takes a text, not {type(text).__name__}"
            raise ConfigurationError(msg)
    event = feedback_event(
        decision,
        _read_quality(quality),
        by=None if by is None else cut(by),
        corrected=corrected,
        note=note,
    )
    registered = _find(decision, log)
    if not isinstance(registered.log, EventLog):
        msg = (
            f"log={type(registered.log).__name__} keeps no feedback: give it a method "
            "write_event(event), plain or async"
        )
        raise ConfigurationError(msg)
    if _in_event_loop() and behind.start_thread(
        lambda: None, lambda: _try(registered, event), lambda error: _lost(registered, error)
    ):
        return
    _keep(registered, event)


def _read_id(given: Any) -> str:
    decision = str(given) if isinstance(given, UUID) else given
    if not isinstance(decision, str) or not decision.strip():
        what = "an empty text" if isinstance(decision, str) else type(given).__name__
        msg = f"decision_id is {what}: give the id of a record, such as record['id']"
        raise ConfigurationError(msg)
    if len(decision) > MOST_CHARACTERS:
        msg = f"decision_id has {len(decision):,} characters: give the id of a record"
        raise ConfigurationError(msg)
    return decision


def _read_quality(given: Any) -> float:
    quality = float(given) if isinstance(given, Real) else math.nan
    if not 0 <= quality <= 1:
        shown = repr(given) if isinstance(given, Real) else type(given).__name__
        msg = f"quality is {shown}: give a number in [0, 1], 1 for an answer that is right"
        raise ConfigurationError(msg)
    return quality


_opened: dict[str, RegisteredLog] = {}
_lock = RLock()  # a stream collected as garbage may come from in here
free_in_child(sys.modules[__name__])


def _find(decision: str, log: Any) -> RegisteredLog:
    """Return the log to keep feedback in."""
    if log is not None:
        return _named(log)
    found = log_of(decision)
    if found is not None:
        return found
    alive = registered_logs()
    if len(alive) == 1:
        return alive[0]
    if not alive:
        msg = (
            f"no cascade with a log is alive in this process, so the log of decision {decision!r} "
            'is not known: name it, log="decisions.jsonl"'
        )
        raise ConfigurationError(msg)
    msg = (
        f"decision {decision!r} was not made here lately, and the cascades of this process have "
        f"{len(alive)} logs: name the one that it is in, log=…"
    )
    raise ConfigurationError(msg)


def _named(log: Any) -> RegisteredLog:
    """Return a log that is named: the same object as a cascade's where one has it open."""
    for registered in registered_logs():
        if registered.log is log or place_of(registered.log) == place_of(log):
            return registered
    if not isinstance(log, str | Path):
        return RegisteredLog(open_log(log), None)
    name = str(log)
    _check_is_there(name)
    with _lock:
        found = _opened.get(name)
        if found is None:
            found = _opened[name] = RegisteredLog(open_log(log), None)
            while len(_opened) > _MOST_OPENED:
                del _opened[next(iter(_opened))]
    return found


def _check_is_there(name: str) -> None:
    """Refuse a file that is not there: a misspelt name would begin a log of its own."""
    path = sqlite_file(database_url(name)) if is_url(name) else Path(name)
    if path is not None and not path.exists():
        msg = f"log={name!r}: there is no such log; give the one that the decision is in"
        raise ConfigurationError(msg)


def _keep(registered: RegisteredLog, event: LogEvent) -> None:
    written = [name for name in ("corrected", "note") if event[name] is not None]
    if written:
        texts = redacted(registered.redact, [event[name] for name in written])
        kept: list[str | None] = [None] * len(written) if texts is None else [*texts]
        if texts is None:
            _notices.give(
                "redact",
                "redact= raised an error or returned no text: corrected= and note= are left out of "
                "the log, and the rest of the feedback is kept",
            )
        event = {**event, **dict(zip(written, kept, strict=True))}
        registered.make_private()
    waiting = registered.log.write_event(event)
    if inspect.isawaitable(waiting):
        drivers.await_elsewhere(waiting)


def _try(registered: RegisteredLog, event: LogEvent) -> None:
    try:
        _keep(registered, event)
    except Exception as error:  # noqa: BLE001 - nobody waits for it any more
        _lost(registered, error)


_notices = Notices()


def _lost(registered: RegisteredLog, error: BaseException) -> None:
    _notices.give(
        "feedback:" + str(place_of(registered.log)),
        f"log={registered.log!r} cannot be written ({type(error).__name__}): "
        "feedback is lost until it can be",
    )


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
