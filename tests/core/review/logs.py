"""Logs with everything in them that a report has figures of, for what reads them in parts."""

from __future__ import annotations

from typing import Any

from tests.core.traffic.making import DAY, audit, decision, nobody, said, sent_on, straight


def everything() -> list[dict[str, Any]]:
    """Return the entries of ten days: audits drawn later, shadow, pinned, cached, failed ones."""
    entries: list[dict[str, Any]] = []
    for day in range(1, 11):
        entries += [
            decision(f"kept {day}", day, tags=["vip", f"team {day % 2}"], output_tokens=3),
            decision(f"late {day}", day, **{"class": "refund", "audit": None}),
            decision(f"picked {day}", day, audit={"probability": 0.5, "picked": True}),
            sent_on(f"sent {day}", day, audit={"probability": 0.5, "picked": day % 2 == 0}),
            straight(f"straight {day}", day, tags=["vip"]),
            nobody(f"nobody {day}", day),
            decision(f"pinned {day}", day, reason="pinned", rule="local", confidence=None),
            decision(f"cached {day}", day, reason="cached", calls=[], cost_usd=0.0, cascade="b"),
            sent_on(f"shadow {day}", day, reason="shadow", policy_version=2),
            decision(f"unpriced {day}", day, cost_usd=None, input_tokens=None, policy=None),
        ]
        entries += [
            audit(f"picked {day}", float(day == 3), at=DAY.format(day + 1)),
            audit(f"late {day}", 0.0, probability=0.25, at=DAY.format(20)),
            said(f"kept {day}", 0.5, at=DAY.format(day), corrected="so" if day == 4 else None),
        ]
    entries[5]["failing"] = [{"tier": 1, "model": "large", "failures": 5}]
    entries += [
        audit("sent 2", status="failed", why="TimeoutError", quality=None, harm=None),
        audit("pinned 2", status="skipped", why="budget", quality=None, harm=None),
        audit("cached 3"),
        audit("of another log"),
    ]
    return entries
