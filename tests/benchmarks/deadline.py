"""Prints how many requests meet a deadline that the last tier alone just meets, and what that costs.

    python tests/benchmarks/deadline.py [--requests 1000] [--seeds 5]

The tiers' latencies are log-normal and simulated: a clock that only the simulation moves, and the
decisions of the library's own loop. The deadline is the one that the last tier alone meets in 99.5 %
of the same requests, or so many times that. Of ten requests seven are easy. Drafts are right as
often as they are sure. A second table has latencies that change, a third shows what `hedge=` does to
latencies and costs.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rows import Row, Skipped, row

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.core.loop.clocked import Clocked, log_normal
from tests.core.making import plan_for

GROUP = "deadline"

EASY = 0.7
SURE, UNSURE = 0.95, 0.3
STRONG = {SURE: 0.98, UNSURE: 0.8}
"""How often the last tier is right, by how sure the draft is."""


Change = Callable[[int, int, float], float]
"""Makes of a tier, a request and its usual seconds what the answer takes."""

CHANGES: Mapping[str, Change] = {
    "none": lambda _, i, usual: usual,
    "all slow in 2 of 50": lambda _, i, usual: 6 * usual if i % 50 < 2 else usual,
    "twice as slow midway": lambda _, i, usual: 2 * usual if i >= 500 else usual,
    "slower and slower": lambda _, i, usual: usual * (1 + i / 1000),
}


def clocked(
    cheap: float,
    spread: float,
    seed: int,
    *,
    easy: float = EASY,
    hangs: float = 0.0,
    change: Change = CHANGES["none"],
    **settings: object,
) -> Clocked:
    """Return two tiers whose answers take `cheap` and 1 seconds in the median.

    Args:
        cheap: Seconds.
        spread: Of the latencies' logarithms.
        seed: Of what is random.
        easy: Share of requests whose draft is accepted.
        hangs: Share of drafts that take twenty times as long.
        change: What becomes of the latencies.
        **settings: What else is set of the cascade.
    """
    usual = log_normal((cheap, 1.0), spread, seed)

    def takes(k: int, i: int) -> float:
        slow = not k and random.Random(f"{seed} hangs {i}").random() < hangs
        return change(k, i, usual(k, i)) * (20 if slow else 1)

    def sure(_: int, i: int) -> float:
        return SURE if random.Random(f"{seed} easy {i}").random() < easy else UNSURE

    return Clocked(plan_for(2), takes, sure, **settings)  # type: ignore[arg-type]


def is_right(timed: Clocked, tier: int, seed: int, i: int) -> bool:
    """Return whether a tier's answer is right: a draft as often as it is sure, the other's oftener."""
    sure = timed.sure(0, i)
    often = STRONG[sure] if tier else sure
    return random.Random(f"{seed} right {i}").random() < often


class Ran(NamedTuple):
    """What became of one run of requests with a deadline.

    Attributes:
        alone: Share inside it if the last tier is asked at once.
        without: The same of the cascade without a deadline.
        inside: The same with it.
        cheaply: Share that the cheap tier answered.
        skipped: Share whose draft was not asked for.
        cut: Share whose draft was cut off.
        right: Share of right answers.
        right_without: The same without a deadline.
    """

    alone: float
    without: float
    inside: float
    cheaply: float
    skipped: float
    cut: float
    right: float
    right_without: float


def run(loose: float, *setting: float, seed: int, requests: int, change: Change) -> Ran:
    """Ask `requests` times with a deadline, and without one.

    The deadline is the one that the last tier alone meets in 99.5 % of them, `loose` times.
    """
    free = clocked(*setting, seed, change=change)  # type: ignore[misc]
    alone = sorted(free.takes(1, i) for i in range(requests))
    deadline = loose * alone[round(0.995 * requests) - 1]
    timed = clocked(*setting, seed, change=change, deadline=deadline)  # type: ignore[misc]
    asked = [timed.ask(i) for i in range(requests)]
    plain = [free.ask(i) for i in range(requests)]
    drafts = [[call for call in verdict.calls if not call.tier] for verdict, _ in asked]
    return Ran(
        fmean(took <= deadline for took in alone),
        fmean(took <= deadline for _, took in plain),
        fmean(took <= deadline for _, took in asked),
        fmean(verdict.tier == 0 for verdict, _ in asked),
        fmean(not each for each in drafts),
        fmean(any(call.outcome == "aborted" for call in each) for each in drafts),
        fmean(is_right(timed, verdict.tier, seed, i) for i, (verdict, _) in enumerate(asked)),
        fmean(is_right(free, verdict.tier, seed, i) for i, (verdict, _) in enumerate(plain)),
    )


def deadlines(requests: int, seeds: int) -> Table:
    """Return the table of deadlines."""
    table = Table(title=f"a deadline, {requests} requests (inside: the least of {seeds} runs)")
    for name in ("spread", "cheap tier", "deadline", *FIGURES):
        table.add_column(name, justify="right")
    for spread, cheap, loose in product((0.3, 0.5, 0.8), (0.1, 0.3, 0.6), (1.0, 1.2, 1.5)):
        ran = [
            run(loose, cheap, spread, seed=seed, requests=requests, change=CHANGES["none"])
            for seed in range(seeds)
        ]
        table.add_row(f"{spread}", f"{cheap:g} s", f"{loose:g} ×", *figures(ran))
    return table


def changes(requests: int, seeds: int) -> Table:
    """Return the table of latencies that change; each run has tiers of its own."""
    title = f"latencies that change, the tightest deadline, {seeds} runs of {requests} each"
    table = Table(title=title)
    for name in ("latencies", "runs below 99 %", *FIGURES):
        table.add_column(name, justify="right")
    for name, change in CHANGES.items():
        ran = []
        for seed in range(seeds):
            draw = random.Random(f"tiers {seed}")
            cheap, spread = draw.uniform(0.05, 0.9), draw.uniform(0.2, 1.0)
            ran.append(run(1.0, cheap, spread, seed=seed, requests=requests, change=change))
        below = sum(each.inside < 0.99 for each in ran)
        table.add_row(name, str(below), *figures(ran))
    return table


FIGURES = (
    "inside",
    "last tier alone",
    "no deadline",
    "cheaply",
    "skipped",
    "cut",
    "right",
    "without",
)


def figures(ran: Sequence[Ran]) -> list[str]:
    """Return what runs come to, as cells: shares inside are those of the worst run."""

    def mean(name: str) -> float:
        return fmean(getattr(each, name) for each in ran)

    return [
        f"{min(each.inside for each in ran):.2%}",
        f"{min(each.alone for each in ran):.2%}",
        f"{min(each.without for each in ran):.2%}",
        *(f"{mean(name):.0%}" for name in ("cheaply", "skipped", "cut")),
        *(f"{mean(name):.1%}" for name in ("right", "right_without")),
    ]


def rows(rounds: int) -> Iterator[Row | Skipped]:
    """Measure late requests, in the worst of four runs of 1,000, and wrong answers in all of them."""
    late, wrong, without = [], [], []
    for seed in range(rounds):
        ran = [
            run(loose, 0.3, spread, seed=seed, requests=1000, change=CHANGES["none"])
            for loose, spread in product((1.0, 1.5), (0.3, 0.8))
        ]
        late.append(1 - min(each.inside for each in ran))
        wrong.append(1 - fmean(each.right for each in ran))
        without.append(1 - fmean(each.right_without for each in ran))
    one = [0.01] * rounds
    yield row(GROUP, "late requests", "one in a hundred", (late, one), unit="%", scale=100, bar=1.0)
    sides = wrong, without
    yield row(GROUP, "wrong answers", "without a deadline", sides, unit="%", scale=100, bar=1.0)


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
    parser.add_argument("--runs", type=int, default=30, help="Of latencies that change.")
    args = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(deadlines(args.requests, args.seeds))
    console.print(changes(args.requests, args.runs))
    console.print(hedging(args.requests))


if __name__ == "__main__":
    main()
