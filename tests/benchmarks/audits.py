"""Whether the intervals of audits hold the truth, and whether the bound on harm is ever broken.

    python tests/benchmarks/audits.py [--runs 2000] [--requests 20000] [--only equal] [--json]

Traffic whose every answer is known is audited at random, again and again, and what the audits say
of it is compared with it. The bound is looked at after every request of a run, and is broken where
the harm so far exceeds it at any of them.

The truth of quality and harm is that of the traffic; beside it, as `these`, that of the very
requests of the run. That of the saving is the requests' own: their costs are what they were.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from cascade_core.arrays import Array, Flags
from cascade_core.evaluation.audited import AuditRows, Estimates, LiveRows
from cascade_core.evaluation.estimating import estimates_of
from cascade_core.statistics.running import bets_of

CONFIDENCE = 0.95
COVERED = 0.935
BROKEN = 0.05
STAYED = 0.7
"""Share of the requests that the cheap model answers."""


@dataclass(frozen=True)
class Traffic:
    """Requests of which everything is known.

    Attributes:
        probability: (n,) with which each is picked.
        stayed: (n,) whether the cheap model's answer was given.
        harm: (n,) quality lost by that.
        strong_quality: (n,) of the strong model's answer.
        cost: (n,) USD.
        strong_cost: (n,) USD that the strong model would have cost.
        guess: (n,) the estimate of it that was logged.
        missing: (n,) chance that an audit is not done where it is picked.
    """

    probability: Array
    stayed: Flags
    harm: Array
    strong_quality: Array
    cost: Array
    strong_cost: Array
    guess: Array
    missing: Array

    @property
    def quality(self) -> Array:
        """Quality of the answers given."""
        return self.strong_quality - self.harm


@dataclass(frozen=True)
class Rates:
    """What came of one case, as shares of the runs.

    Attributes:
        runs: How many.
        quality: Whose interval held the traffic's quality.
        quality_these: Whose interval held the quality of its own requests.
        harm: Whose interval held the traffic's harm.
        harm_these: The same of its own requests.
        saving: Whose interval held what was saved.
        broken: Whose bound was below the harm so far at any request.
        harm_width: Mean width of the interval of harm.
        bound: Mean of the bound after the last request.
        harm_truth: Harm of the traffic.
    """

    runs: int
    quality: float
    quality_these: float
    harm: float
    harm_these: float
    saving: float
    broken: float
    harm_width: float
    bound: float
    harm_truth: float

    @property
    def kept(self) -> bool:
        """Whether everything is as it should be."""
        shares = (self.quality, self.quality_these, self.harm, self.harm_these, self.saving)
        return min(shares) >= COVERED and self.broken <= BROKEN


def traffic(
    rng: np.random.Generator,
    n: int,
    *,
    rates: tuple[float, float] = (0.05, 0.05),
    harms: tuple[float, float] = (0.01, 0.01),
    partial: bool = False,
    missing: float = 0.0,
) -> Traffic:
    """Draw requests of two kinds, four of the first to one of the second.

    Args:
        rng: Where chance comes from.
        n: How many.
        rates: Probability of an audit, by kind.
        harms: Mean harm, by kind.
        partial: Whether harm lies between 0 and 1, three times as often, and quality too.
        missing: Chance that an audit is not done; twice that where there was harm.
    """
    kind = (rng.random(n) < 0.2).astype(np.int64)
    stayed = rng.random(n) < STAYED
    harm_rate = np.array(harms)[kind] / STAYED
    if partial:
        harm = (rng.random(n) < 3 * harm_rate) * rng.beta(1, 2, n)
        strong_quality = np.maximum(harm, rng.beta(8, 2, n))
    else:
        harm = (rng.random(n) < harm_rate).astype(np.float64)
        strong_quality = np.maximum(harm, rng.random(n) < 0.9)
    harm = np.where(stayed, harm, 0.0)
    strong_cost = rng.lognormal(-6, 1, n)  # a long tail, as answers' lengths have
    draft = strong_cost * rng.lognormal(-3, 0.3, n)
    return Traffic(
        probability=np.array(rates)[kind],
        stayed=stayed,
        harm=harm,
        strong_quality=strong_quality,
        cost=np.where(stayed, draft, draft + strong_cost),
        strong_cost=strong_cost,
        guess=0.8 * np.sqrt(strong_cost * np.exp(-6)),  # biased, and too even
        missing=missing * (1 + (harm > 0)),
    )


CASES: dict[str, Callable[[np.random.Generator, int], Traffic]] = {
    "equal": traffic,
    "rules": lambda rng, n: traffic(rng, n, rates=(0.03, 0.2), harms=(0.012, 0.002)),
    "rules, harm where it is audited": lambda rng, n: traffic(
        rng, n, rates=(0.03, 0.2), harms=(0.005, 0.03)
    ),
    "partial": lambda rng, n: traffic(rng, n, rates=(0.03, 0.2), partial=True),
    "rare": lambda rng, n: traffic(rng, n, harms=(0.001, 0.001)),
    "none": lambda rng, n: traffic(rng, n, harms=(0.0, 0.0)),
    "missing": lambda rng, n: traffic(rng, n, missing=0.1),
}
"""What is simulated; in the last case audits are missing where it hurts."""


def population(case: str, of: int = 1_000_000) -> tuple[float, float]:
    """Return quality and harm of all traffic of a case, from a sample too large to matter."""
    drawn = [CASES[case](np.random.default_rng((99, k)), of) for k in range(10)]
    return (
        float(np.mean([each.quality.mean() for each in drawn])),
        float(np.mean([each.harm.mean() for each in drawn])),
    )


def audit(live: Traffic, rng: np.random.Generator) -> tuple[Estimates, Array]:
    """Audit traffic once; return what is found, and the values that the bound is made of."""
    n = len(live.harm)
    picked = rng.random(n) < live.probability
    rows = np.flatnonzero(picked)
    done = rng.random(len(rows)) >= live.missing[rows]

    def known(values: Array) -> Array:
        return np.where(done, values[rows], np.nan)

    found = estimates_of(
        LiveRows(
            probability=live.probability,
            picked=picked,
            stayed=live.stayed,
            cost=live.cost,
            strong_cost=np.where(live.stayed, live.guess, live.strong_cost),
            strong_exact=~live.stayed,
        ),
        AuditRows(
            row=rows,
            done=done,
            quality=known(live.quality),
            strong_quality=known(live.strong_quality),
            harm=known(live.harm),
            strong_cost=known(live.strong_cost),
            cost=np.where(live.stayed[rows] & done, 1.1 * live.strong_cost[rows], 0.0),
        ),
        confidence=CONFIDENCE,
    )
    seen = np.zeros(n)
    harm = np.where(live.stayed[rows], np.where(done, live.harm[rows], 1.0), 0.0)
    seen[rows] = harm / live.probability[rows]
    return found, seen


def ever_broken(values: Array, probability: Array, harm: Array) -> bool:
    """Tell whether the bound is below the harm so far after any of the requests.

    The bound is below a mean where the capital against that mean has reached 1 / alpha; that is
    looked at after every request, with the mean so far.
    """
    n = len(values)
    mean = np.cumsum(harm) / np.arange(1, n + 1)
    largest = np.maximum.accumulate(1 / probability)
    needed = np.log(1 / (1 - CONFIDENCE))
    amounts = np.unique(values[values > 0])
    counts = [(amount, np.cumsum(values == amount)) for amount in amounts]
    zeros = np.arange(1, n + 1) - sum((count for _, count in counts), np.zeros(n))
    bets, stakes = bets_of(1 / probability[:1])
    total = np.full(n, -np.inf)
    for bet, stake in zip(bets, stakes, strict=True):
        logs = zeros * np.log1p(bet * mean) + np.log(stake)
        alive = bet * largest < 1
        for amount, count in counts:
            if bet * amount < 1:
                logs += count * np.log1p(bet * (mean - amount))
        total = np.logaddexp(total, np.where(alive, logs, -np.inf))
    return bool((total >= needed).any())


def simulate(case: str, runs: int, requests: int, *, seed: int = 0, of: int = 1_000_000) -> Rates:
    """Audit fresh traffic of a case again and again.

    Args:
        case: One of `CASES`.
        runs: How often.
        requests: How many there are in a run.
        seed: Where chance begins.
        of: A tenth of the requests by which the truth is known.
    """
    quality, harm = population(case, of)
    held = dict.fromkeys(("quality", "quality_these", "harm", "harm_these", "saving"), 0)
    broken, widths, bounds = 0, [], []
    for run in range(runs):
        rng = np.random.default_rng((seed, run))
        live = CASES[case](rng, requests)
        found, values = audit(live, rng)
        for name, share, truth in (
            ("quality", found.quality, quality),
            ("quality_these", found.quality, live.quality.mean()),
            ("harm", found.harm, harm),
            ("harm_these", found.harm, live.harm.mean()),
        ):
            held[name] += share.low <= truth <= share.high
        saving = found.saving
        assert saving is not None
        assert saving.low is not None
        assert saving.high is not None
        assert saving.audit_cost_usd is not None
        saved = float((live.strong_cost - live.cost).sum()) - saving.audit_cost_usd
        held["saving"] += saving.low <= saved <= saving.high
        broken += ever_broken(values, live.probability, live.harm)
        widths.append(found.harm.high - found.harm.low)
        assert found.harm_bound is not None
        bounds.append(found.harm_bound)
    return Rates(
        runs=runs,
        **{name: count / runs for name, count in held.items()},
        broken=broken / runs,
        harm_width=float(np.mean(widths)),
        bound=float(np.mean(bounds)),
        harm_truth=harm,
    )


def main() -> int:
    """Run the cases asked for; exit 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--only", action="append", choices=list(CASES))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = {name: simulate(name, asked.runs, asked.requests) for name in asked.only or CASES}
    if asked.json:
        json.dump({name: asdict(rates) for name, rates in found.items()}, sys.stdout, indent=1)
        return int(not all(rates.kept for rates in found.values()))
    grid = Grid(
        title=f"{asked.runs:,} runs of {asked.requests:,} requests: how often the 95 % intervals "
        f"hold the truth (wanted: {COVERED:.1%}), and the bound is ever broken (at most {BROKEN:.0%})",
        title_justify="left",
    )
    for column in (
        *("case", "harm", "quality", "these", "harm holds", "these", "saving"),
        *("bound broken", "width, harm", "bound at the end", ""),
    ):
        grid.add_column(column, justify="right" if column != "case" else "left")
    for name, rates in found.items():
        grid.add_row(
            name,
            f"{rates.harm_truth:.2%}",
            *(f"{share:.1%}" for share in (rates.quality, rates.quality_these, rates.harm)),
            *(f"{share:.1%}" for share in (rates.harm_these, rates.saving, rates.broken)),
            f"{rates.harm_width:.2%}",
            f"{rates.bound:.2%}",
            "holds" if rates.kept else "DOES NOT HOLD",
        )
    Console(width=160).print(grid)
    return int(not all(rates.kept for rates in found.values()))


if __name__ == "__main__":
    sys.exit(main())
