"""What an export keeps of a log's audits.

An event in full holds every call that the audit made; tens of thousands of them would fill the
memory, and spell the same few names again and again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any, NamedTuple

from cascade_core.log.events import LogEvent, counts_over

_NEEDED = {"tier", "model", "quality", "cost_usd"}
"""What is known of each tier's answer."""


class KnownAudit(NamedTuple):
    """What counts of an audit; `tiers` where it was done."""

    status: str
    weight: float
    compare: str
    why: str | None
    drawn_later: bool
    tiers: Mapping[int, KnownAnswer]


class KnownAnswer(NamedTuple):
    """What an audit knows of one tier's answer."""

    model: str | None
    quality: Any
    cost_usd: Any
    reason: str | None
    signals: Mapping[str, Any]
    paid: Mapping[str, Any]
    response: str | None


def audits_by_decision(
    events: Iterable[LogEvent], *, by_time: bool = False
) -> tuple[dict[str, KnownAudit], Counter[str]]:
    """Return the audit that counts of every decision, and how often feedback was given to it.

    Args:
        events: Oldest first.
        by_time: Whether an audit weighs by how much less likely than others of its time it was,
            rather than by how likely.
    """
    audits: dict[str, KnownAudit] = {}
    feedback: Counter[str] = Counter()
    for event in events:
        decision = event["decision"]
        if event["event"] == "feedback":
            feedback[decision] += 1
        elif event["event"] == "audit" and _is_whole(event):
            before = audits.get(decision)
            if before is None or counts_over(before.status, event["status"]):
                audits[decision] = _audit(event, by_time=by_time)
    return audits, feedback


def _is_whole(event: LogEvent) -> bool:
    """Tell whether an audit has what is read of it; other programs may write to the same file."""
    probability = event.get("probability")
    return (
        isinstance(event.get("status"), str)
        and isinstance(probability, int | float)
        and 0 < probability <= 1
        and isinstance(event.get("tiers"), list)
        and {"compare", "why"} <= event.keys()
        and all(isinstance(each, Mapping) and each.keys() >= _NEEDED for each in event["tiers"])
    )


def _audit(event: LogEvent, *, by_time: bool) -> KnownAudit:
    tiers = event["tiers"] if event["status"] == "done" else ()
    return KnownAudit(
        shared_name(event["status"]),
        (_rate(event) if by_time else 1.0) / event["probability"],
        shared_name(event["compare"]),
        shared_name(event["why"]),
        bool(event.get("drawn_later")),
        {tier["tier"]: _answer(tier) for tier in tiers},
    )


def _rate(event: LogEvent) -> float:
    """Return the probability that requests had at that time; see `log.events`."""
    rate = event.get("rate")
    known = isinstance(rate, int | float) and 0 < rate <= 1
    return float(rate) if known else float(event["probability"])  # type: ignore[arg-type]


def _answer(tier: Mapping[str, Any]) -> KnownAnswer:
    signals, paid = tier.get("signals") or {}, tier.get("paid") or {}
    return KnownAnswer(
        model=shared_name(tier["model"]),
        quality=tier["quality"],
        cost_usd=tier["cost_usd"],
        reason=shared_name(tier.get("reason")),
        signals={shared_name(name): reading for name, reading in signals.items()},
        paid={shared_name(name): usd for name, usd in paid.items() if name in signals},
        response=plain_text(tier.get("response")),
    )


def shared_name(name: Any) -> Any:
    """Return a name that many audits have, the same object for all."""
    return intern(name) if type(name) is str else name


def plain_text(text: str | None) -> str | None:
    """Return a text as every format writes it: half of a surrogate pair has no UTF-8."""
    return None if text is None else text.encode("utf-8", "replace").decode()
