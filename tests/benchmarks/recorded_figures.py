"""How a confidence in recorded answers is measured, held against a bar, and printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from cascade_core.arrays import Array, Flags
from cascade_core.calibration.fit import fit_calibrator
from cascade_core.evaluation import Curve, auroc, ece, ece_noise_floor, oracle, random_line, sweep
from cascade_core.evaluation.paid import PaidReading
from cascade_core.evaluation.scoring import score
from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.features import draft_features, request_features
from cascade_core.labels import Table
from cascade_core.policy import Policy
from cascade_core.statistics.folds import folds

FOLDS = 5

COLUMNS = (
    *("APGR", "CPT50", "CPT80", "CPT95"),
    *("APGR cost", "CPT50 cost", "CPT80 cost", "CPT95 cost"),
    *("AUROC", "ECE", "ECE floor"),
)

Figures = dict[str, float]
Method = Literal["auto", "signal", "logistic", "boosting"]


@dataclass(frozen=True)
class Line:
    """One row of a printed table: figures by name, and their standard deviation over seeds."""

    method: str
    figures: Figures
    spread: Figures


@dataclass(frozen=True)
class Bar:
    """What a figure has to reach, what it did, and its standard deviation over seeds."""

    what: str
    value: float
    limit: float
    spread: float = 0.0
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True)
class Section:
    """One workload: what was compared, what had to be reached, and what should be known."""

    name: str
    title: str
    lines: Sequence[Line]
    bars: Sequence[Bar] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Judged:
    """What a table's drafts were given, shape (n,), and the paid signals behind it.

    `merit` is what a threshold is held against; the confidence is the same where a calibrator
    weighs no benefit.
    """

    merit: Array
    paid: Sequence[PaidReading] = ()
    own: Array | None = None

    @property
    def confidence(self) -> Array:
        """Probability that a draft is good."""
        return self.merit if self.own is None else self.own


def cross_fitted(table: Table, seed: int, method: Method = "auto") -> Judged:
    """Return every row's confidence by a calibrator that was chosen and fitted without it."""
    fold = folds(len(table), FOLDS, table.groups, seed, strata=table.tiers[0].quality)

    def fit(of: int) -> Calibrator:
        return fit_calibrator(table.take(fold != of), 0, method=method, seed=seed).calibrator

    return joined([(fold == of, judged(table.take(fold == of), fit(of))) for of in range(FOLDS)])


def judged(table: Table, calibrator: Calibrator) -> Judged:
    """Judge a table's drafts as a cascade with this calibrator does."""
    scored = score(table, Policy(calibrators=(calibrator,)))
    return Judged(scored.met(0), scored.read(0), scored.confidences[0])


def joined(parts: Sequence[tuple[Flags, Judged]]) -> Judged:
    """Put rows that were judged apart into one table; a part may have read no paid signal.

    What is weighed differs from part to part, and a cascade holds one policy. So each part is put
    on the scale of its own shares: one threshold stands for the same share sent on in all.
    """
    n = len(parts[0][0])
    merit, confidence, price, low, high = np.full((5, n), np.nan)
    for rows, part in parts:
        confidence[rows] = part.confidence
        merit[rows] = _share_below(part.merit, part.merit)
        for reading in part.paid:  # the recorded tables have one at most
            price[rows] = reading.price
            low[rows] = _share_below(part.merit, reading.low)
            high[rows] = _share_below(part.merit, reading.high)
    read = PaidReading(np.nan_to_num(price), low, high)
    return Judged(merit, () if np.isnan(low).all() else (read,), confidence)


def _share_below(merits: Array, ends: Array) -> Array:
    """Return the share of a part's merits that lie below each of some ends, shape (n,)."""
    known = np.sort(merits[~np.isnan(merits)])
    below = np.searchsorted(known, ends) / max(1, len(known))
    return np.where(np.isfinite(ends), below, ends)


def best_feature(table: Table, seed: int) -> Array:
    """Return the one feature of the texts, either way up, that tells most on the other folds."""
    values = _features(table)
    right = table.tiers[0].quality
    fold = folds(len(table), FOLDS, table.groups, seed, strata=right)
    chosen = np.full(len(table), np.nan)
    for of in range(FOLDS):
        there, test = fold != of, fold == of
        seen = np.array([auroc(column[there], right[there]) for column in values])
        best = int(np.argmax(np.abs(seen - 0.5)))
        ranked = np.searchsorted(np.sort(values[best][there]), values[best][test]) / there.sum()
        chosen[test] = ranked if seen[best] >= 0.5 else 1 - ranked
    return chosen


@lru_cache(maxsize=2)
def _features(table: Table) -> Array:
    requests, drafts = table.requests or (), table.tiers[0].responses or ()
    rows = [
        [*request_features(request).values(), *draft_features(request, draft).values()]
        for request, draft in zip(requests, drafts, strict=True)
    ]
    return np.array(rows).T


def best_signal(table: Table) -> tuple[str, Array]:
    """Return the signal that by itself tells most, in hindsight."""
    tier = table.tiers[0]
    name = max(tier.signals, key=lambda n: auroc(tier.signals[n], tier.quality))
    return name, tier.signals[name]


def figures_of(curve: Curve) -> Figures:
    """Return what is printed of a curve, on both axes."""
    found = {"APGR": curve.apgr(), "APGR cost": curve.apgr("cost")}
    for share in (0.5, 0.8, 0.95):
        found[f"CPT{share * 100:.0f}"] = curve.cpt(share)
        found[f"CPT{share * 100:.0f} cost"] = curve.cpt(share, "cost")
    return found


def measure(table: Table, by: Judged, *, calibrated: bool = True) -> Figures:
    """Return the figures of confidences in the drafts of a table.

    Args:
        table: The labelled table.
        by: The confidences.
        calibrated: Whether they claim to be probabilities.
    """
    weak, strong = table.tiers[0], table.tiers[-1]
    curve = sweep(by.merit, weak.quality, strong.quality, weak.cost, strong.cost, paid=by.paid)
    found = figures_of(curve)
    found["AUROC"] = auroc(by.confidence, weak.quality)
    if calibrated:
        found["ECE"] = ece(by.confidence, weak.quality)
        found["ECE floor"] = ece_noise_floor(by.confidence)
    return found


def always_read(table: Table, confidence: Array, signals: Sequence[str]) -> Judged:
    """Return confidences for which some signals are read of every draft, whatever their price."""
    low, high = np.full(len(table), -np.inf), np.full(len(table), np.inf)
    prices = (table.tiers[0].paid[name] for name in signals if name in table.tiers[0].paid)
    return Judged(confidence, [PaidReading(price, low, high) for price in prices])


def over_seeds(method: str, seeds: int, run: Callable[[int], Figures]) -> Line:
    """Run a method once a seed."""
    runs = [run(seed) for seed in range(seeds)]
    mean = {name: float(np.mean([r[name] for r in runs])) for name in runs[0]}
    return Line(method, mean, {name: float(np.std([r[name] for r in runs])) for name in runs[0]})


def references(table: Table) -> list[Line]:
    """Return the lines of a random router and of perfect hindsight."""
    weak, strong = table.tiers[0], table.tiers[-1]
    by_share, by_cost = (
        oracle(weak.quality, strong.quality, weak.cost, strong.cost, axis=axis)
        for axis in ("escalated", "cost")
    )
    best = {
        name: figures_of(by_cost if name.endswith("cost") else by_share)[name]
        for name in figures_of(by_share)
    }
    return [
        Line("random", figures_of(random_line(by_share)), {}),
        Line("oracle", best, {}),
    ]


def published(method: str, apgr: float, **shares: float) -> Line:
    """Return a line of figures that others gave, or were seen before fitting, on the share sent to the strong model."""
    return Line(method, {"APGR": apgr, **shares}, {})


def bar(line: Line, figure: str, limit: float, *, at_least: bool) -> Bar:
    """Hold a line's figure against what it has to reach."""
    value, spread = line.figures[figure], line.spread.get(figure, 0.0)
    return Bar(f"{line.method}: {figure}", value, limit, spread, at_least)


def show(console: Console, section: Section) -> None:
    """Print one workload."""
    grid = Grid(title=f"{section.name}: {section.title}", title_justify="left")
    grid.add_column("")
    for column in COLUMNS:
        grid.add_column(column, justify="right")
    for line in section.lines:
        grid.add_row(line.method, *(_cell(line, column) for column in COLUMNS))
    console.print(grid)
    for held in section.bars:
        sign, verdict = ("≥" if held.at_least else "≤"), ("met" if held.met else "MISSED")
        value = f"{held.value:.4f} ± {held.spread:.4f}"
        console.print(f"  {verdict:6s} {held.what} {value} ({sign} {held.limit:.4f})")
    for note in section.notes:
        console.print(f"  note: {note}")
    console.print()


def _cell(line: Line, column: str) -> str:
    if column not in line.figures:
        return ""
    spread = line.spread.get(column)
    value = f"{line.figures[column]:.3f}"
    return value if spread is None else f"{value} ±{spread:.3f}"
