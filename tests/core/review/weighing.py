"""Logs and tables whose rows are labelled, and a review of them, for tests of thresholds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from cascade_core.labels import Table, read_table
from cascade_core.policy.document import Policy
from cascade_core.review.app import make_review
from cascade_core.review.source import open_source
from cascade_core.review.workbench import Workbench
from tests.core.traffic.making import audit, decision, sent_on, straight
from tests.core.traffic.storing import store

THRESHOLD = 0.6
CLASSES = ("refund", "billing", None)


def labelled_log(file: Path, n: int = 120, *, audited: bool = True, text: str = "") -> str:
    """Write n decisions of two tiers, every other one audited, and return the log's URL."""
    entries: list[dict[str, Any]] = []
    for i in range(n):
        confidence = round((i * 37 % n + 0.5) / n, 6)
        kept = confidence >= THRESHOLD
        more = {
            "confidence": confidence,
            "threshold": THRESHOLD,
            "class": CLASSES[i % 3],
            "audit": {"probability": 0.5, "picked": i % 2 == 0},
        }
        if text:
            more["request"] = [{"role": "user", "text": f"{text} {i}"}]
        entries.append((decision if kept else sent_on)(f"r{i}", 1 + i * 27 // n, **more))
        good = float(i % 11 < 10 * confidence)
        if i % 2 == 0 and audited:
            entries.append(audit(f"r{i}", (1.0 - good) * kept, tiers=both(confidence, good)))
    entries.append(straight("ruled", 28, threshold=None))
    return store(entries, f"sqlite:///{file}")


def both(confidence: float, good: float) -> list[dict[str, Any]]:
    """What an audit knows of two tiers' answers to a request."""
    known = {"reason": None, "signals": {}, "paid": {}}
    return [
        {"tier": 0, "model": "small", "quality": good, "cost_usd": 0.001}
        | known
        | {"signals": {"seen": confidence}},
        {"tier": 1, "model": "large", "quality": 1.0, "cost_usd": 0.01} | known,
    ]


def columns_of(n: int, tiers: int = 2, seed: int = 0, **changes: Any) -> dict[str, list[Any]]:
    """Rows whose confidences are right: a draft of 0.8 is good in eight cases of ten."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {"id": [f"row {i}" for i in range(n)]}
    for k in range(tiers):
        reading = rng.random(n) ** 0.3
        columns |= {
            f"t{k}_model": [f"m{k}"] * n,
            f"t{k}_quality": (rng.random(n) < (reading if k < tiers - 1 else 0.97)).astype(float),
            f"t{k}_cost_usd": np.full(n, 0.001 * 10**k),
        }
        if k < tiers - 1:
            columns[f"t{k}_signal_seen"] = reading
    every = (columns | changes).items()
    return {name: [getattr(v, "item", lambda v=v: v)() for v in values] for name, values in every}


def table_of(n: int, tiers: int = 2, seed: int = 0, **changes: Any) -> Table:
    """Return such rows as a table."""
    return read_table(columns_of(n, tiers, seed, **changes))


def table_file(folder: Path, n: int, tiers: int = 2, **changes: Any) -> str:
    """Write such rows to a file, and return its path."""
    file, columns = folder / "labels.jsonl", columns_of(n, tiers, **changes)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return str(file)


def review_of(
    source: str, policy: Mapping[str, Any] | None = None, **more: Any
) -> tuple[Workbench, TestClient]:
    """Return a review of a log or a table, and what asks it."""
    given = Policy.load(policy or {"thresholds": [THRESHOLD]})
    bench = Workbench(open_source(source), given, **more)
    app = make_review(bench, ["testserver"])
    return bench, TestClient(app, headers={"Authorization": f"Bearer {bench.token}"})
