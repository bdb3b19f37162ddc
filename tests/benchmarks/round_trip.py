"""Whether a policy tuned on a log's audits is the one that a fully labelled table gives.

    python tests/benchmarks/round_trip.py [--runs 40] [--requests 6000] [--json]

Traffic whose every answer is known is served by a threshold and audited at random, one part of it
more often than the rest, and `tune` is run on the audits. Beside it `tune` is run on as many rows
drawn evenly and fully labelled, and on all. What each policy does is read off fresh requests, many
enough to be the truth.

Audits of unequal probability weigh unequally, and say less than as many even ones: their promises
are kept by a wider margin.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cascade_core import CascadeWarning
from cascade_core.calibration import tune
from cascade_core.calibration.objective import TuningError
from cascade_core.evaluation import replay
from cascade_core.labels import Table, read_table
from cascade_core.log.export import export
from tests.core.calibration.labels import columns
from tests.core.log.traffic import served

HARM = 0.05
SHARP = 20.0
"""How well the signal tells; see `columns`."""
RATES = {"even": (0.25, 0.25), "uneven": (0.15, 0.55)}
"""Probabilities of an audit, of three requests in four and of the fourth."""


def fresh(rows: int = 100_000) -> Table:
    """Requests that nothing was tuned on, many enough to be the truth."""
    return read_table(columns(rows, seed=10_000, sharp=SHARP))


def outcome(rows: Any, truth: Table) -> dict[str, float]:
    """Tune on rows, and say what the policy does with fresh requests; refused, it accepts none."""
    try:
        policy = tune(rows, harm=HARM, method="signal", signals=["a"])
    except TuningError:
        strong = truth.tiers[-1]
        cost, quality = float(strong.cost.mean()), float(strong.quality.mean())
        return {"refused": 1.0, "cost": cost, "quality": quality, "harm": 0.0, "escalated": 1.0}
    means = replay(truth, policy).means
    assert means.cost_usd is not None
    return {
        "refused": 0.0,
        "cost": means.cost_usd,
        "quality": means.quality,
        "harm": means.harm,
        "escalated": means.escalated,
    }


def run(seed: int, requests: int, truth: Table) -> dict[str, dict[str, float]]:
    """Tune on audits of two kinds, on as many even rows, and on all."""
    table = columns(requests, seed=seed, sharp=SHARP)
    kind = np.arange(requests) % 4 == 0
    found = {"all rows": outcome(table, truth)}
    for name, (usual, often) in RATES.items():
        records, events = served(table, rate=np.where(kind, often, usual), seed=seed)
        rows = export(records, events).rows
        found[f"audits, {name}"] = outcome(rows, truth)
        if name == "even":
            drawn = np.random.default_rng(seed).choice(requests, len(rows), replace=False)
            found["as many rows"] = outcome(read_table(table).take(np.sort(drawn)), truth)
    return found


def summary(runs: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return means over runs, their spread, and how often the promise was broken."""
    found = {}
    for name in runs[0]:
        values = {key: np.array([each[name][key] for each in runs]) for key in runs[0][name]}
        found[name] = {
            **{key: float(value.mean()) for key, value in values.items()},
            "spread_escalated": float(values["escalated"].std(ddof=1)),
            "spread_cost": float(values["cost"].std(ddof=1)),
            "broken": float((values["harm"] > HARM).mean()),
        }
    return found


def show(found: Mapping[str, Mapping[str, float]], runs: int, requests: int) -> None:
    """Print what each table's policies do."""
    grid = Grid(
        title=f"{runs} runs of {requests:,} requests, harm ≤ {HARM:.0%} promised",
        title_justify="left",
    )
    for column in (
        "tuned on",
        "escalated",
        "USD per 1,000",
        "quality",
        "harm",
        "broken",
        "refused",
    ):
        grid.add_column(column, justify="left" if column == "tuned on" else "right")
    for name, means in found.items():
        grid.add_row(
            name,
            f"{means['escalated']:.1%} ± {means['spread_escalated']:.1%}",
            f"{1000 * means['cost']:.4f} ± {1000 * means['spread_cost']:.4f}",
            f"{means['quality']:.2%}",
            f"{means['harm']:.2%}",
            f"{means['broken']:.0%}",
            f"{means['refused']:.0%}",
        )
    Console(width=120).print(grid)


def main() -> int:
    """Run it; exit 1 where a promise is broken too often."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--requests", type=int, default=6_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", CascadeWarning)
    truth = fresh()
    found = summary([run(seed, asked.requests, truth) for seed in range(asked.runs)])
    if asked.json:
        json.dump(found, sys.stdout, indent=1)
    else:
        show(found, asked.runs, asked.requests)
    most = 0.05 + 2 * (0.05 * 0.95 / asked.runs) ** 0.5
    return int(any(means["broken"] > most for means in found.values()))


if __name__ == "__main__":
    sys.exit(main())
