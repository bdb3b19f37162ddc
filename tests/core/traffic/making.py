"""Decisions of a log, made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

DAY = "2026-03-{:02d}T12:00:00+00:00"


def call(tier: int, outcome: str, cost: float | None, **more: Any) -> dict[str, Any]:
    return {
        "tier": tier,
        "model": ["small", "large"][tier],
        "purpose": "draft",
        "usage": None,
        "tokens_source": None,
        "cost_usd": cost,
        "latency_ms": 10.0,
        "outcome": outcome,
        **more,
    }


def decision(name: str, day: int = 1, **changes: Any) -> dict[str, Any]:
    """A request that the cheap model answered, for a tenth of what the strong one costs."""
    return {
        "id": name,
        "version": 2,
        "at": DAY.format(day),
        "latency_ms": 100.0,
        "cascade": "desk",
        "framework": "langchain",
        "thread": None,
        "tags": [],
        "metadata": {},
        "input_tokens": 50,
        "digest": None,
        "rule": None,
        "policy": "p",
        "policy_version": 1,
        "class": "billing",
        "tier": 0,
        "model": "small",
        "accepted": True,
        "reason": "confident",
        "confidence": 0.9,
        "threshold": 0.5,
        "calibrated": True,
        "signals": {},
        "calls": [call(0, "accepted", 0.001)],
        "cost_usd": 0.001,
        "strong_cost_usd": 0.01,
        "strong_cost_is_estimate": True,
        "judged": [],
    } | changes


def sent_on(name: str, day: int = 1, **changes: Any) -> dict[str, Any]:
    """One that was sent on: both models are paid for."""
    usual = {
        "tier": 1,
        "model": "large",
        "accepted": False,
        "reason": "low_confidence",
        "confidence": 0.2,
        "calls": [call(0, "rejected", 0.001), call(1, "returned", 0.01)],
        "cost_usd": 0.011,
        "strong_cost_is_estimate": False,
        "latency_ms": 900.0,
    }
    return decision(name, day, **(usual | changes))


def straight(name: str, day: int = 1, **changes: Any) -> dict[str, Any]:
    """One that a rule sent straight to the strong model."""
    usual = {
        "reason": "bypassed",
        "rule": "legal",
        "calls": [call(1, "returned", 0.01)],
        "cost_usd": 0.01,
        "confidence": None,
        "latency_ms": 800.0,
    }
    return sent_on(name, day, **(usual | changes))


def nobody(name: str, day: int = 1, **changes: Any) -> dict[str, Any]:
    """One that no tier answered."""
    usual = {
        "tier": None,
        "model": None,
        "accepted": False,
        "reason": "exhausted",
        "confidence": None,
        "threshold": None,
        "calls": [
            call(0, "rejected", 0.001),
            call(1, "failed", 0.0, error="APITimeoutError"),
        ],
        "cost_usd": 0.001,
        "strong_cost_usd": None,
        "latency_ms": 5000.0,
    }
    return decision(name, day, **(usual | changes))


def audit(decision: str, harm: float | None = 0.0, **changes: Any) -> dict[str, Any]:
    return {
        "event": "audit",
        "id": f"audit of {decision}",
        "decision": decision,
        "at": DAY.format(9),
        "status": "done",
        "probability": 0.5,
        "compare": "auto",
        "why": None,
        "tiers": [],
        "quality": None if harm is None else 1.0 - harm,
        "strong_quality": None if harm is None else 1.0,
        "harm": harm,
        "strong_cost_usd": 0.012,
        "cost_usd": 0.012,
        "calls": [],
    } | changes


def said(decision: str, quality: float, **changes: Any) -> dict[str, Any]:
    return {
        "event": "feedback",
        "id": f"said {quality} of {decision}",
        "decision": decision,
        "at": DAY.format(9),
        "quality": quality,
        "by": None,
        "corrected": None,
    } | changes


def write_lines(entries: Iterable[Mapping[str, Any]], path: str | Path = "log.jsonl") -> Path:
    file = Path(path)
    file.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")
    return file
