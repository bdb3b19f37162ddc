"""How the policies of a log's database are looked after: what learns or watches there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cascade_core.log.learning import learning_of, spent_today
from cascade_core.log.urls import is_url
from cascade_core.log.watch_store import KeptEvent, watch_of
from cascade_core.moments import as_iso


@dataclass(frozen=True, slots=True)
class Stewardship:
    """What a database knows of it.

    Attributes:
        learns: What a cascade that learns by itself last said, and what the day has cost.
        audits: How many audits were read.
        tested: How many candidates are under test.
        active: Number of the version that decides; None where none does.
        last: What was done last.
    """

    learns: str | None
    audits: int
    tested: int
    active: int | None
    last: KeptEvent | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        last = self.last
        return {
            "learning": self.learns,
            "audits": self.audits,
            "tested": self.tested,
            "active": self.active,
            "last": None
            if last is None
            else {
                "event": last.kind,
                "at": as_iso(last.at, "seconds"),
                "version": last.version,
                "said": last.said,
            },
        }

    def lines(self) -> Iterator[str]:
        """Say it, a line each."""
        if self.last is not None:
            about = "" if self.last.version is None else f"version {self.last.version}: "
            at = as_iso(self.last.at, "seconds")
            yield f"{at}  {self.last.kind}: {about}{self.last.said}"
        if self.learns is not None:
            yield f"learning: {self.learns}"
        else:
            use = "none is in use" if self.active is None else f"version {self.active} is in use"
            yield f"watch: {self.audits:,} audits read; {self.tested} under test; {use}"


def stewardship_of(source: str) -> Stewardship | None:
    """Return how the policies of a log's database are looked after; None where nothing does.

    Args:
        source: The log: a file, which has none, or a database's URL.

    Raises:
        ConfigurationError: The database cannot be read.
    """
    if not is_url(source):
        return None
    learning, watched = learning_of(source), watch_of(source)
    if learning is None and watched.kept is None:
        return None
    steward = (watched.kept or {}).get("steward", {})
    audits, tested = 0, 0
    with suppress(AttributeError, TypeError, ValueError):  # what was changed by hand
        audits, tested = int(steward.get("seen", 0)), len(steward.get("tested", ()))
    learns = None if learning is None else _learns(source, learning)
    return Stewardship(learns, audits, tested, watched.active, watched.last)


def _learns(source: str, kept: dict[str, Any]) -> str:
    most, requests = kept["max_usd_per_day"], kept["max_requests_per_day"]
    usd, made = spent_today(source)
    spent = f"${usd:.2f} of ${most:g}" if requests is None else f"{made} of {requests} requests"
    return f"{kept['said']}; spent {spent} today (UTC)"
