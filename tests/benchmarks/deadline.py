"""Prints how many requests meet a deadline that the last tier alone just meets, and what that costs.

    python tests/benchmarks/deadline.py [--requests 1000] [--seeds 5]

The tiers' latencies are log-normal and simulated: a clock that only the simulation moves, and the
decisions of the library's own loop. The deadline is the one that the last tier alone meets in 99.5 %
of requests, or so many times that. Of ten requests seven are easy. A second table shows what
`hedge=True` does to latencies.
"""

from __future__ import annotations

import argparse
import random
import sys
from itertools import product
from math import exp
from pathlib import Path
from statistics import NormalDist, fmean

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.core.loop.clocked import Clocked, log_normal
from tests.core.making import plan_for

EASY = 0.7
SURE, UNSURE = 0.95, 0.3


def clocked(cheap: float, spread: float, seed: int, **settings: object) -> Clocked:
    """Return two tiers whose answers take `cheap` and 1 seconds in the median."""

    def sure(_: int, i: int) -> float:
        return SURE if random.Random(f"{seed} easy {i}").random() < EASY else UNSURE

    return Clocked(plan_for(2), log_normal((cheap, 1.0), spread, seed), sure, **settings)  # type: ignore[arg-type]


def deadlines(requests: int, seeds: int) -> Table:
    """Return the table of deadlines."""
    table = Table(title=f"inside the deadline, of {requests} requests (least of {seeds} runs)")
    for name in ("spread", "cheap tier", "deadline", "inside", "answered cheaply", "without one"):
        table.add_column(name, justify="right")
    for spread, cheap, loose in product((0.3, 0.5, 0.8), (0.1, 0.3, 0.6), (1.0, 1.2, 1.5)):
        deadline = loose * exp(NormalDist().inv_cdf(0.995) * spread)
        inside, cheaply, plain = [], [], []
        for seed in range(seeds):
            timed = clocked(cheap, spread, seed, deadline=deadline)
            free = clocked(cheap, spread, seed)
            asked = [timed.ask(i) for i in range(requests)]
            inside.append(fmean(took <= deadline for _, took in asked))
            cheaply.append(fmean(verdict.tier == 0 for verdict, _ in asked))
            plain.append(fmean(free.ask(i)[1] <= deadline for i in range(requests)))
        table.add_row(
            f"{spread}",
            f"{cheap:g} s",
            f"{loose:g} ×",
            f"{min(inside):.2%}",
            f"{fmean(cheaply):.0%}",
            f"{min(plain):.2%}",
        )
    return table


def hedging(requests: int) -> Table:
    """Return the table of early starts."""
    table = Table(title=f"hedge=True, {requests} requests, cheap tier 0.3 s in the median")
    for name in ("spread", "hedge", "mean", "p95", "p99", "calls of the last tier"):
        table.add_column(name, justify="right")
    for spread, hedge in product((0.3, 0.5, 0.8), (False, True)):
        timed = clocked(0.3, spread, 1, hedge=hedge)
        asked = [timed.ask(i) for i in range(requests)]
        took = sorted(seconds for _, seconds in asked)
        calls = fmean(any(call.tier for call in verdict.calls) for verdict, _ in asked)
        table.add_row(
            f"{spread}",
            str(hedge),
            f"{fmean(took):.2f} s",
            f"{took[int(0.95 * requests)]:.2f} s",
            f"{took[int(0.99 * requests)]:.2f} s",
            f"{calls:.0%}",
        )
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    console = Console()
    console.print(deadlines(args.requests, args.seeds))
    console.print(hedging(args.requests))


if __name__ == "__main__":
    main()
