"""A log of traffic whose every answer is known: a labelled table, served and audited at random."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Json = dict[str, Any]


def served(
    table: Mapping[str, Sequence[Any]],
    *,
    signal: str = "a",
    threshold: float = 0.7,
    rate: float | Sequence[float] = 0.5,
    seed: int = 0,
    **fields: Any,
) -> tuple[list[Json], list[Json]]:
    """Serve the rows of a table of two tiers, and audit some.

    Args:
        table: Columns; see `tests.core.calibration.labels`.
        signal: The signal that is the confidence.
        threshold: What it has to reach.
        rate: Probability of an audit, of all rows or of each.
        seed: Of who is picked.
        fields: More of every record; a function is called with the row's number.

    Returns:
        Records and audits.
    """
    n = len(table["id"])
    rates = np.broadcast_to(np.asarray(rate, dtype=np.float64), n).tolist()
    chance = np.random.default_rng((seed, 7)).random(n)  # not the table's own
    records, events = [], []
    for row in range(n):
        cells = {name: column[row] for name, column in table.items()}
        confidence = cells[f"t0_signal_{signal}"]
        kept = confidence >= threshold
        picked = bool(chance[row] < rates[row])
        record = _record(cells, row, confidence, threshold, kept=kept)
        record["audit"] = {"probability": rates[row], "picked": picked}
        record |= {name: value(row) if callable(value) else value for name, value in fields.items()}
        records.append(record)
        if picked:
            events.append(_audit(cells, rates[row], threshold, kept=kept))
    return records, events


def write_log(path: Path, records: Iterable[Json], events: Iterable[Json]) -> Path:
    """Write a log of JSON lines, decisions first."""
    lines = [json.dumps(each) for each in (*records, *events)]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def _record(cells: Json, row: int, confidence: float, threshold: float, *, kept: bool) -> Json:
    tier = 0 if kept else 1
    draft = {
        "tier": 0,
        "model": cells["t0_model"],
        "purpose": "draft",
        "outcome": "accepted" if kept else "rejected",
        "cost_usd": cells["t0_cost_usd"],
    }
    strong = draft | {
        "tier": 1,
        "model": cells["t1_model"],
        "outcome": "returned",
        "cost_usd": cells["t1_cost_usd"],
    }
    calls = [draft] if kept else [draft, strong]
    return {
        "version": 2,
        "id": cells["id"],
        "at": f"2026-11-{1 + row * 20 // 100_000:02}T12:00:{row % 60:02}+00:00",
        "tier": tier,
        "model": cells[f"t{tier}_model"],
        "accepted": kept,
        "reason": "confident" if kept else "last_tier",
        "confidence": confidence,
        "threshold": threshold,
        "calibrated": False,
        "signals": _signals(cells),
        "calls": calls,
        "cost_usd": sum(call["cost_usd"] for call in calls),
        "strong_cost_usd": cells["t1_cost_usd"],
        "strong_cost_is_estimate": kept,
        "class": cells.get("class"),
        "policy": None,
        "cascade": None,
        "thread": None,
        "tags": [],
        "digest": f"d{row}",
        "judged": [],
    }


def _audit(cells: Json, probability: float, threshold: float, *, kept: bool) -> Json:
    quality, strong = cells["t0_quality"], cells["t1_quality"]
    judged = {
        "confidence": cells["t0_signal_a"],
        "threshold": threshold,
        "signals": _signals(cells),
        "reason": "confident" if kept else "low_confidence",
        "paid": {},
    }
    nothing = {"confidence": None, "threshold": None, "signals": {}, "reason": None, "paid": {}}
    return {
        "event": "audit",
        "id": f"audit-{cells['id']}",
        "decision": cells["id"],
        "at": "2026-11-28T12:00:00+00:00",
        "status": "done",
        "probability": probability,
        "compare": "function:grade",
        "why": None,
        "tiers": [
            {"tier": 0, "model": cells["t0_model"], "quality": quality,
             "cost_usd": cells["t0_cost_usd"], "drawn": False, **judged},
            {"tier": 1, "model": cells["t1_model"], "quality": strong,
             "cost_usd": cells["t1_cost_usd"], "drawn": kept, **nothing},
        ],
        "quality": quality if kept else strong,
        "strong_quality": strong,
        "harm": max(0.0, strong - quality) if kept else 0.0,
        "strong_cost_usd": cells["t1_cost_usd"],
        "cost_usd": cells["t1_cost_usd"] if kept else 0.0,
        "calls": [],
    }  # fmt: skip


def _signals(cells: Json) -> Json:
    return {
        name.removeprefix("t0_signal_"): value
        for name, value in cells.items()
        if name.startswith("t0_signal_")
    }
