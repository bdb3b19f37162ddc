"""How tuning grows with its table: the curve, the fit and the promise over many rows.

Arrays are made up in memory, so that reading files is measured apart. Each measurement runs in a
process of its own, whose peak memory is its own too.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np
from rows import Row, row

from cascade_core.labels import Table, TierColumns

GROUP = "tuning"
MILLION = 1_000_000


def made_up(n: int, tiers: int) -> Table:
    """A table of n rows whose signal says something, but not all."""
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


def tuning(n: int, tiers: int) -> dict[str, float]:
    """Measure what the curve and a promise over n rows take: CPU seconds, and gigabytes at most."""
    from cascade_core.calibration import tune
    from cascade_core.evaluation import cost_quality_curve

    tune(made_up(2000, tiers), harm=0.05, signals=["a"])  # imports are not what is measured
    table = made_up(n, tiers)
    of_table, began = _peak(), process_time()
    if tiers == 2:
        cost_quality_curve(table, signal="a").apgr()
    tune(table, harm=0.02, confidence=0.95, signals=["a"])
    return {"seconds": process_time() - began, "GB": _peak(), "GB of the table": of_table}


def isotonic(n: int) -> dict[str, float]:
    """Measure what scikit-learn takes to fit one isotonic curve to the same rows."""
    from sklearn.isotonic import IsotonicRegression

    cheap = made_up(n, 2).tiers[0]
    began = process_time()
    IsotonicRegression(out_of_bounds="clip").fit(cheap.signals["a"], cheap.quality)
    return {"seconds": process_time() - began}


def reading(n: int) -> dict[str, float]:
    """Measure reading n rows of CSV, and what the standard library's reader takes for them."""
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
        began = process_time()
        read_table(path)
        read = process_time()
        with path.open(encoding="utf-8", newline="") as file:
            list(csv.reader(file))
        return {"seconds": read - began, "csv": process_time() - read}


MEASUREMENTS = {
    "million": lambda: tuning(MILLION, 2),
    "hundred thousand": lambda: tuning(MILLION // 10, 2),
    "three tiers": lambda: tuning(MILLION // 10, 3),
    "isotonic": lambda: isotonic(MILLION),
    "reading": lambda: reading(MILLION),
}
COMPARED = (
    ("curve, fit and promise, a million rows", "million", "one isotonic fit of scikit-learn's", "isotonic"),
    ("curve, fit and promise, a million rows", "million", "a hundred thousand", "hundred thousand"),
    ("fit and promise, three tiers, a hundred thousand rows", "three tiers", "curve, fit and promise, two tiers", "hundred thousand"),
)  # fmt: skip


def rows(rounds: int) -> Iterator[Row]:
    """Measure how the time grows with rows and tiers, and reading a table."""
    found = [{what: _apart(what) for what in MEASUREMENTS} for _ in range(rounds)]
    for name, ours, beside, theirs in COMPARED:
        sides = _sides(found, (ours, "seconds"), (theirs, "seconds"))
        yield row(GROUP, name, beside, sides, unit="s")
    memory = _sides(found, ("million", "GB"), ("million", "GB of the table"))
    yield row(GROUP, "peak memory, a million rows", "Python and the table", memory, unit="GB")
    read = _sides(found, ("reading", "seconds"), ("reading", "csv"))
    yield row(GROUP, "reading a million rows of CSV", "csv.reader", read, unit="s")


def _sides(
    found: list[dict[str, dict[str, float]]], ours: tuple[str, str], theirs: tuple[str, str]
) -> tuple[list[float], list[float]]:
    """Return what each round says of two measurements."""
    mine, other = ([each[what][of] for each in found] for what, of in (ours, theirs))
    return mine, other


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _apart(what: str) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, what]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(MEASUREMENTS[sys.argv[1]]()))
