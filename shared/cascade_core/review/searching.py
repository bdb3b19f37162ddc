"""Searches what was asked and answered for a text, a part of the log at a time.

The text is taken literally, whatever signs are in it, and case does not matter, in any script. A
log may be larger than memory and slower than anybody waits: rows come one by one, and after a few
seconds the search says how far it has looked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from cascade_core.log.reading import database_to_read
from cascade_core.review.fetching import IDS_AT_ONCE

SECONDS = 2.0
"""For which a search looks before it asks whether to go on."""

_ROWS = 20  # held at a time: each may have a megabyte


@dataclass(frozen=True, slots=True)
class TextFound:
    """What a search has found.

    Attributes:
        ids: Of decisions that hold the text, in the order looked through.
        looked_at: How many decisions were looked through; the next search begins there.
        ended: Whether that was all.
    """

    ids: list[str]
    looked_at: int
    ended: bool


def search_texts(  # noqa: PLR0913 - what is looked for, where, and for how long
    source: str,
    text: str,
    ids: Callable[[int, int], Sequence[str]],
    count: int,
    *,
    most: int,
    start: int = 0,
    seconds: float = SECONDS,
    now: Callable[[], float] = monotonic,
) -> TextFound:
    """Look through decisions for a text.

    Args:
        source: The database's address.
        text: What their prompt or answer has to hold.
        ids: Returns the ids from one number to another of those to look through.
        count: How many there are to look through.
        most: Decisions to find; the search ends with the part in which they are found.
        start: How many are passed over.
        seconds: After which it ends.
        now: The clock.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - an extra

    from cascade_core.log.schema import details  # noqa: PLC0415

    wanted = text.casefold()
    database, deadline, at = database_to_read(source), now() + seconds, start
    found: list[str] = []
    query = sa.select(details.c.id, details.c.request, details.c.response)
    has_some = details.c.request.is_not(None) | details.c.response.is_not(None)
    while at < count and len(found) < most and (at == start or now() < deadline):
        part = ids(at, min(at + IDS_AT_ONCE, count))
        held = set()
        with database.reading() as connection:
            rows = connection.execution_options(yield_per=_ROWS).execute(
                query.where(details.c.id.in_(part) & has_some)
            )
            for key, request, response in rows:
                if _holds(wanted, request, response):
                    held.add(key)
        for key in part:
            at += 1
            if key in held:
                found.append(key)
                if len(found) == most:
                    break
    return TextFound(found, at, at >= count)


def _holds(wanted: str, request: str | None, response: str | None) -> bool:
    """Tell whether a prompt, as JSON, or an answer holds a text that is in one case already."""
    if response is not None and wanted in response.casefold():
        return True
    if request is None:
        return False
    try:
        turns = json.loads(request)
    except (ValueError, RecursionError):
        return wanted in request.casefold()
    texts = [
        turn["text"]
        for turn in (turns if isinstance(turns, list) else [])
        if isinstance(turn, dict) and isinstance(turn.get("text"), str)
    ]
    return any(wanted in text.casefold() for text in texts or [request])
