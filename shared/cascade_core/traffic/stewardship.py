"""How the policies of a log's database are looked after: what learns or watches there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cascade_core.log.learning import learning_of, spent_today
from cascade_core.log.urls import is_url
from cascade_core.log.watch_store import KeptEvent, told, watch_of
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
        stands: Whether the version in use may stay; a watch that only proposes leaves it there.
        proposed: Number of a version that somebody may activate; None where there is none.
    """

    learns: str | None
    audits: int
    tested: int
    active: int | None
    last: KeptEvent | None
    stands: bool = True
    proposed: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        last = self.last
        return {
            "learning": self.learns,
            "audits": self.audits,
            "tested": self.tested,
            "active": self.active,
            "stands": self.stands,
            "proposed": self.proposed,
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
            at = as_iso(self.last.at, "seconds")
            yield f"{at}  {told(self.last.kind, self.last.version, self.last.said)}"
        if self.learns is not None:
            yield f"learning: {self.learns}"
        else:
            use = "none is in use" if self.active is None else f"version {self.active} is in use"
            read = f"{self.audits:,} audit{'' if self.audits == 1 else 's'} read"
            lost = "" if self.stands else " and stands no longer: take it back"
            offer = "" if self.proposed is None else f"; version {self.proposed} is proposed"
            yield f"watch: {read}; {self.tested} under test; {use}{lost}{offer}"


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
    kept, active = watched.kept or {}, watched.active
    as_seen = kept.get("active") == active
    proposed = _offered(kept)
    return Stewardship(
        learns,
        audits,
        tested,
        active,
        watched.last,
        stands=not (as_seen and kept.get("stands") is False),
        proposed=None if proposed == active else proposed,
    )


def _offered(kept: Mapping[str, Any]) -> int | None:
    """Return which version was proposed and may be activated still."""
    with suppress(AttributeError, TypeError):  # what was changed by hand
        number = kept["numbers"].get(kept.get("proposed")) if kept.get("offered") else None
        return number if isinstance(number, int) else None
    return None


def _learns(source: str, kept: dict[str, Any]) -> str:
    most, requests = kept["max_usd_per_day"], kept["max_requests_per_day"]
    usd, made = spent_today(source)
    amount = "less than $0.01" if 0 < usd < 0.01 else f"${usd:.2f}"  # noqa: PLR2004 - a cent
    spent = f"{amount} of ${most:g}" if requests is None else f"{made} of {requests} requests"
    return f"{kept['said']}; spent {spent} today (UTC)"
