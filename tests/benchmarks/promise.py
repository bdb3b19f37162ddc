"""Whether a promise about harm holds on recorded answers, and how much it lets through.

    python tests/benchmarks/promise.py [--only arc] [--draws 1000] [--splits 3] [--json]

For each set the confidence is frozen on two of five folds; the rest is the population, whose
harm and accepted share are known for every threshold. Again and again 1,000 rows are drawn
from it with replacement, the threshold is certified on them, and the population tells
whether the promise was broken. A refusal accepts nothing. On a few draws the whole of `tune`
is run as well and has to come to the same threshold.

Why two of five folds, for all sets: the population is only what is drawn from, and 785 rows
(the smallest) tell 1 % of harm well enough apart; all that a confidence can learn is in the
part that it is fitted to, here 523 rows of the smallest set. Which rows these are is chance
too, so that several splits are made: shares are means over them, broken promises the worst.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict, dataclass

import numpy as np
from citations import PROMISED
from recorded_data import absent, one_or_more, workloads
from rich.console import Console
from rich.table import Table as Grid

from cascade_core.arrays import Array, Ints
from cascade_core.calibration import tune
from cascade_core.calibration.fit import fit_calibrator
from cascade_core.calibration.objective import TuningError
from cascade_core.evaluation.scoring import score
from cascade_core.labels import Table
from cascade_core.policy import Policy
from cascade_core.statistics.fixed_sequence import Refused, certify_sweep
from cascade_core.statistics.folds import split
from cascade_core.statistics.pvalues import most_harmed

FITTED_SHARE = 0.4
DRAWN = 1000
DELTA = 0.05
WANTED = {0.01: 0.65, 0.02: 0.78, 0.05: 0.88}
"""Share of what hindsight allows that has to be accepted on average, by the harm promised."""
CHECKED = 2
"""Draws of each split on which the whole of `tune` is run."""


@dataclass(frozen=True)
class Line:
    """What came of one promise on one set.

    Attributes:
        harm: What was promised at most.
        broken: Share of draws whose promise was broken, of the worst split.
        refused: Share of draws that were refused.
        accepted: True share accepted, mean over draws.
        hindsight: Largest share that could be accepted within the harm, at this confidence.
        splits: Accepted ÷ hindsight of every split; None where hindsight accepts nothing.
    """

    harm: float
    broken: float
    refused: float
    accepted: float
    hindsight: float
    splits: tuple[float | None, ...]

    @property
    def ratio(self) -> float:
        """Accepted ÷ hindsight, mean over splits; 0 for one that leaves nothing to accept."""
        return float(np.mean([own or 0.0 for own in self.splits]))

    @property
    def enough(self) -> bool:
        """Whether as much is accepted as was asked for."""
        return self.ratio >= WANTED[self.harm]


class Population:
    """Rows whose every threshold is known: what it accepts, and the harm of it.

    Args:
        confidence: Shape (n,), NaN = no reading, never accepted.
        harm: Harm if accepted, shape (n,).
    """

    def __init__(self, confidence: Array, harm: Array) -> None:
        self.confidence, self.harm = confidence, harm
        readable = np.flatnonzero(~np.isnan(confidence))
        order = readable[np.argsort(-confidence[readable], kind="stable")]
        self._falling = -confidence[order]
        self._harm = np.append(0.0, np.cumsum(harm[order])) / len(harm)

    def at(self, threshold: float) -> tuple[float, float]:
        """Return the share accepted at a threshold, and the harm."""
        rows = int(np.searchsorted(self._falling, -threshold, side="right"))
        return rows / len(self.harm), float(self._harm[rows])

    def hindsight(self, limit: float) -> float:
        """Return the largest share accepted by a threshold whose harm is within a limit."""
        ends = np.flatnonzero(np.append(np.diff(self._falling) > 0, True)) + 1
        within = ends[self._harm[ends] <= limit + 1e-12]
        return float(within[-1]) / len(self.harm) if len(within) else 0.0


def frozen(table: Table, seed: int) -> tuple[Policy, Table, str]:
    """Fit a confidence on one part of a table; return it, the other part, and what it is."""
    weak, strong = table.tiers[0].quality, table.tiers[-1].quality
    fit, rest = split(len(table), FITTED_SHARE, groups=table.groups, strata=weak, seed=seed)
    # As `tune` fits for a promise about harm: finely, and for the confidence alone.
    fitted = fit_calibrator(table.take(fit), 0, fine=True, benefit=False, seed=seed)
    if not np.isfinite(weak[rest] + strong[rest]).all():
        msg = f"{table.source} has rows without an outcome"
        raise ValueError(msg)
    return Policy(calibrators=(fitted.calibrator,)), table.take(rest), fitted.choice


def simulate(table: Table, draws: int, seed: int) -> tuple[list[Line], str]:
    """Freeze, draw, certify and look the truth up, for every harm promised."""
    policy, rest, choice = frozen(table, seed)
    scored = score(rest, policy)
    population = Population(scored.confidences[0], scored.losses()[0])
    rng = np.random.default_rng((seed, 1))
    rows = [rng.integers(0, len(rest), DRAWN) for _ in range(draws)]
    lines = []
    for limit in WANTED:
        found = [_certified(population, drawn, limit) for drawn in rows]
        for drawn, threshold in zip(rows[:CHECKED], found, strict=False):
            tuned = _tuned(rest, policy, drawn, limit)
            # With paid signals a stricter threshold may cost less; it is tested all the same.
            if tuned != threshold and not (scored.read(0) and tuned > threshold):
                msg = f"tune gives the threshold {tuned}, the sweep {threshold}"
                raise AssertionError(msg)
        shares, harms = np.array([population.at(threshold) for threshold in found]).T
        accepted, allowed = float(shares.mean()), population.hindsight(limit)
        lines.append(
            Line(
                limit,
                broken=float((harms > limit + 1e-12).mean()),
                refused=float(np.isinf(found).mean()),
                accepted=accepted,
                hindsight=allowed,
                splits=(accepted / allowed if allowed else None,),
            )
        )
    return lines, choice


def _certified(population: Population, drawn: Ints, limit: float) -> float:
    """Return the threshold that stands on the rows drawn; infinite where none does."""
    found = certify_sweep(
        population.confidence[drawn], population.harm[drawn], limit=limit, delta=DELTA
    )
    return math.inf if isinstance(found, Refused) else found.threshold


def _tuned(rest: Table, policy: Policy, drawn: Ints, limit: float) -> float:
    try:
        tuned = tune(rest.take(drawn), harm=limit, confidence=1 - DELTA, policy=policy, force=True)
    except TuningError:
        return math.inf
    assert tuned.thresholds is not None
    return tuned.thresholds[0]


def over_splits(runs: list[list[Line]]) -> list[Line]:
    """Join what several splits gave: means, but the worst of the broken promises."""
    return [
        Line(
            lines[0].harm,
            broken=max(line.broken for line in lines),
            refused=float(np.mean([line.refused for line in lines])),
            accepted=float(np.mean([line.accepted for line in lines])),
            hindsight=float(np.mean([line.hindsight for line in lines])),
            splits=tuple(line.splits[0] for line in lines),
        )
        for lines in zip(*runs, strict=True)
    ]


def show(console: Console, name: str, lines: list[Line], choices: list[str], most: float) -> None:
    """Print one set."""
    grid = Grid(title=f"{name}: {'; '.join(dict.fromkeys(choices))}", title_justify="left")
    for column in (
        *("harm ≤", "broken, worst", "may be", "refused", "accepted", "hindsight"),
        *("accepted ÷ hindsight", "a split", "wanted", ""),
    ):
        grid.add_column(column, justify="right")
    for line in lines:
        kept = "" if line.broken <= most else "; BROKEN TOO OFTEN"
        grid.add_row(
            f"{line.harm:.0%}",
            f"{line.broken:.1%}",
            f"{most:.1%}",
            f"{line.refused:.1%}",
            f"{line.accepted:.3f}",
            f"{line.hindsight:.3f}",
            f"{line.ratio:.2f}",
            " ".join("–" if own is None else f"{own:.2f}" for own in line.splits),
            f"{WANTED[line.harm]:.2f}",
            ("met" if line.enough else "MISSED") + kept,
        )
    console.print(grid)


def main() -> int:
    """Run the sets asked for; exit 0 whether or not bars are met, for they are printed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(workloads()))
    parser.add_argument("--draws", type=one_or_more, default=1000)
    parser.add_argument("--splits", type=one_or_more, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    console = Console(width=160, stderr=asked.json)
    if reason := absent():
        console.print(f"skipped: {reason}")
        return 0
    for line in PROMISED:
        console.print(line, highlight=False)
    console.print()
    most = DELTA + 2 * math.sqrt(DELTA * (1 - DELTA) / asked.draws)
    found: dict[str, list[Line]] = {}
    for name in asked.only or workloads():
        table = workloads()[name]()
        runs = [simulate(table, asked.draws, seed) for seed in range(asked.splits)]
        found[name] = over_splits([lines for lines, _ in runs])
        show(console, name, found[name], [choice.partition(" (")[0] for _, choice in runs], most)
    every = [line for lines in found.values() for line in lines]
    kept = sum(line.broken <= most for line in every)
    enough = sum(line.enough for line in every)
    console.print(f"promises kept: {kept} of {len(every)}; enough accepted: {enough}")
    for harm, wanted in WANTED.items():
        ratios = [line.ratio for line in every if line.harm == harm]
        mean, spread = float(np.mean(ratios)), float(np.std(ratios))
        verdict = "met" if mean >= wanted else "MISSED"
        console.print(
            f"harm ≤ {harm:.0%}: accepted ÷ hindsight {mean:.3f} ± {spread:.3f} "
            f"over {len(ratios)} sets (≥ {wanted:.2f}): {verdict}"
        )
    even = ", ".join(f"{(most_harmed(DRAWN, h, DELTA) + 1) / (DRAWN * h):.2f}" for h in WANTED)
    console.print(f"where harm is no rarer among the surest drafts, {DRAWN:,} rows carry {even}")
    if asked.json:
        plain = {
            name: [
                {**asdict(line), "ratio": line.ratio, "kept": line.broken <= most,
                 "enough": line.enough}
                for line in lines
            ]
            for name, lines in found.items()
        }  # fmt: skip
        json.dump(plain, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
