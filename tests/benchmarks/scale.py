"""How long a million rows take: the curve, the fit and the promise, in one process.

    python tests/benchmarks/scale.py [--rows 1000000] [--json]

Arrays are made up in memory, so that reading files is measured apart (`--csv`). Each measurement
runs in a process of its own, whose peak memory is its own too.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

MILLION = 1_000_000


def made_up(n: int, tiers: int) -> object:
    """A table of n rows whose signal says something, but not all."""
    from cascade_core.labels import Table, TierColumns

    rng = np.random.default_rng(0)
    hard = rng.random(n)
    columns = []
    for k in range(tiers):
        last = k == tiers - 1
        good = np.full(n, 0.95) if last else 1 / (1 + np.exp(6 * (hard - 0.6 - 0.15 * k)))
        seen = np.clip(good + rng.normal(0, 0.1, n), 0, 1)
        columns.append(
            TierColumns(
                model=f"m{k}",
                quality=(rng.random(n) < good).astype(float),
                cost=np.full(n, 1e-5 * 12.0**k),
                signals={} if last else {"a": seen},
                paid={},
                responses=None,
            )
        )
    return Table("made up", tuple(columns))


def measure(n: int, tiers: int) -> dict[str, float]:
    """Time the steps that a promise over n rows takes, in seconds, and the process's peak memory."""
    from cascade_core.calibration import tune
    from cascade_core.evaluation import cost_quality_curve

    tune(made_up(2000, tiers), harm=0.05, signals=["a"])  # imports are not what is measured
    table = made_up(n, tiers)
    before = _peak()
    took = {}
    began = perf_counter()
    if tiers == 2:
        cost_quality_curve(table, signal="a").apgr()
        took["curve"] = perf_counter() - began
    tuned = perf_counter()
    policy = tune(table, harm=0.02, confidence=0.95, signals=["a"])
    took["fit and promise"] = perf_counter() - tuned
    took["all"] = perf_counter() - began
    took["peak GB"], took["of it the table"] = _peak(), before
    took["harm seen"] = policy.tuned.figures.harm
    return took


def read(n: int) -> dict[str, float]:
    """Time writing and reading n rows as CSV."""
    from cascade_core.labels import read_table

    table = made_up(n, 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "labels.csv")
        names = ["id", "t0_quality", "t0_cost_usd", "t0_signal_a", "t1_quality", "t1_cost_usd"]
        weak, strong = table.tiers
        columns = [
            np.arange(n), weak.quality, weak.cost, weak.signals["a"], strong.quality, strong.cost,
        ]  # fmt: skip
        np.savetxt(path, np.column_stack(columns), "%.6g", ",", header=",".join(names), comments="")
        began = perf_counter()
        rows = len(read_table(path))
        return {"rows": rows, "read CSV": perf_counter() - began, "peak GB": _peak()}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _apart(*arguments: str) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    ran = subprocess.run(
        [sys.executable, __file__, "--only", *arguments], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=MILLION)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", nargs=2, metavar=("WHAT", "ROWS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        what, rows = given.only[0], int(given.only[1])
        found = read(rows) if what == "csv" else measure(rows, int(what))
        sys.stdout.write(json.dumps(found))
        return
    n = given.rows
    found = {
        f"two tiers, {n:,} rows": _apart("2", str(n)),
        f"two tiers, {10 * n:,} rows": _apart("2", str(10 * n)),
        f"three tiers, {n:,} rows": _apart("3", str(n)),
        f"reading {n:,} rows": _apart("csv", str(n)),
    }
    once, ten, *_ = found.values()
    found["10 times the rows take"] = {"times as long": ten["all"] / once["all"]}
    if given.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    for title, figures in found.items():
        shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        sys.stdout.write(f"{title}: {shown}\n")


if __name__ == "__main__":
    main()
