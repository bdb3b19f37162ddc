"""Prints how many requests meet a deadline that the last tier alone just meets, and what that costs.

    python tests/benchmarks/deadline.py [--requests 1000] [--seeds 5]

The tiers' latencies are log-normal and simulated: a clock that only the simulation moves, and the
decisions of the library's own loop. The deadline is the one that the last tier alone meets in 99.5 %
of requests, or so many times that. Of ten requests seven are easy. A second table shows what
`hedge=` does to latencies and costs.
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


def clocked(
    cheap: float,
    spread: float,
    seed: int,
    *,
    easy: float = EASY,
    hangs: float = 0.0,
    **settings: object,
) -> Clocked:
    """Return two tiers whose answers take `cheap` and 1 seconds in the median.

    Args:
        cheap: Seconds.
        spread: Of the latencies' logarithms.
        seed: Of what is random.
        easy: Share of requests whose draft is accepted.
        hangs: Share of drafts that take twenty times as long.
        **settings: What else is set of the cascade.
    """
    usual = log_normal((cheap, 1.0), spread, seed)

    def takes(k: int, i: int) -> float:
        slow = not k and random.Random(f"{seed} hangs {i}").random() < hangs
        return usual(k, i) * (20 if slow else 1)

    def sure(_: int, i: int) -> float:
        return SURE if random.Random(f"{seed} easy {i}").random() < easy else UNSURE

    return Clocked(plan_for(2), takes, sure, **settings)  # type: ignore[arg-type]


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
    """Return the table of early starts.

    A call of the last tier costs ten of the draft's; one that was ended counts in full.
    """
    table = Table(title=f"early starts, {requests} requests, cheap tier 0.3 s in the median")
    names = ("drafts", "easy", "hedge", "mean", "p95", "p99", "in vain", "cost")
    for name in names:
        table.add_column(name, justify="right")
    base = 1.0
    kinds = {"steady": 0.0, "1 of 20 hangs": 0.05}
    for (kind, hangs), easy, hedge in product(kinds.items(), (0.7, 0.4), (0.0, 0.1, 0.3, 1.0)):
        timed = clocked(0.3, 0.5, 1, easy=easy, hangs=hangs, hedge=hedge)
        asked = [timed.ask(i) for i in range(requests)]
        took = sorted(seconds for _, seconds in asked)
        calls = [any(call.tier for call in verdict.calls) for verdict, _ in asked]
        base = 1 + 10 * fmean(calls) if not hedge else base
        vain = fmean(called and timed.sure(0, i) == SURE for i, called in enumerate(calls))
        table.add_row(
            kind,
            f"{easy:.0%}",
            f"{hedge:g}" if hedge else "off",
            f"{fmean(took):.2f} s",
            f"{took[int(0.95 * requests)]:.2f} s",
            f"{took[int(0.99 * requests)]:.2f} s",
            f"{vain:.1%}",
            f"{(1 + 10 * fmean(calls)) / base:.2f} ×",
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
