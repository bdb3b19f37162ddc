"""What fitted confidences give on recorded answers of real models, beside what was published.

    python tests/benchmarks/recorded.py [--only gsm8k] [--seeds 3] [--json]

Everything is cross-fitted: five folds, each scored by a calibrator that was chosen and
fitted on the other four; once a seed, and the mean and standard deviation over seeds are
printed. A bar that is missed says so. Without the recorded files nothing is run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from recorded_data import absent, workloads
from rich.console import Console
from rich.table import Table as Grid

from cascade_core.arrays import Array
from cascade_core.calibration.apply import Inputs, Scorer
from cascade_core.calibration.features import draft_features, request_features
from cascade_core.calibration.fit import fit_calibrator
from cascade_core.calibration.folds import folds
from cascade_core.evaluation import Curve, auroc, ece, ece_noise_floor, oracle, random_line
from cascade_core.evaluation.labelled import cost_quality_curve
from cascade_core.table import Table

FOLDS = 5
FEW, MANY, DRAWS = 100, 1000, 20

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


# --- one method over a table ---------------------------------------------------------------------


def cross_fitted(table: Table, seed: int, method: Method = "auto") -> Array:
    """Return every row's confidence by a calibrator that was chosen and fitted without it."""
    confidence = np.full(len(table), np.nan)
    fold = folds(len(table), FOLDS, table.groups, seed, strata=table.tiers[0].quality)
    for of in range(FOLDS):
        test = np.flatnonzero(fold == of)
        fitted = fit_calibrator(table.take(fold != of), 0, method=method, seed=seed)
        confidence[test] = Scorer(fitted.calibrator).rows(Inputs.of(table.take(test), 0))
    return confidence


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


def measure(
    table: Table, confidence: Array, *, paid: bool = True, calibrated: bool = True
) -> Figures:
    """Return the figures of confidences in the drafts of a table.

    Args:
        table: The labelled table.
        confidence: (n,).
        paid: Whether the table's paid signals are in the confidence, and so in the cost.
        calibrated: Whether it claims to be a probability.
    """
    tier = table.tiers[0]
    charged = table if paid else replace(table, tiers=(replace(tier, paid={}), *table.tiers[1:]))
    found = figures_of(cost_quality_curve(charged, confidence=confidence))
    found["AUROC"] = auroc(confidence, tier.quality)
    if calibrated:
        found["ECE"] = ece(confidence, tier.quality)
        found["ECE floor"] = ece_noise_floor(confidence)
    return found


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
    """Return a line of figures that others gave, on the share sent to the strong model."""
    return Line(method, {"APGR": apgr, **shares}, {})


def bar(line: Line, figure: str, limit: float, *, at_least: bool) -> Bar:
    """Hold a line's figure against what it has to reach."""
    value, spread = line.figures[figure], line.spread.get(figure, 0.0)
    return Bar(f"{line.method}: {figure}", value, limit, spread, at_least)


# --- the workloads ---------------------------------------------------------------------------


def free(table: Table, seeds: int) -> Line:
    """Fit what can be read without a further call: the request and the draft."""
    bare = replace(table.tiers[0], signals={}, paid={})
    table = replace(table, tiers=(bare, *table.tiers[1:]))
    return over_seeds("fitted", seeds, lambda s: measure(table, cross_fitted(table, s)))


def gsm8k(seeds: int) -> Section:
    """School maths with free signals only."""
    table = workloads()["gsm8k"]()
    fitted = free(table, seeds)
    few, many, apart = label_budgets(table)
    single = over_seeds(
        "best feature", seeds, lambda s: measure(table, best_feature(table, s), calibrated=False)
    )
    return Section(
        "gsm8k",
        "RouteLLM GSM8K, Mixtral-8x7B → GPT-4-1106, free signals only",
        [
            fitted,
            single,
            few,
            many,
            published("published: causal LLM router", 0.622, CPT50=0.336, CPT80=0.633),
            published("published: handcrafted + LR", 0.733, CPT50=0.17, CPT80=0.45),
            *references(table),
        ],
        [
            bar(fitted, "APGR", 0.74, at_least=True),
            bar(fitted, "CPT80", 0.44, at_least=False),
            apart,
        ],
    )


def gsm8k_agreement(seeds: int) -> Section:
    """The same with one more cheap answer, its cost counted."""
    table = workloads()["gsm8k-agreement"]()
    lines = with_signals(table, seeds)
    return Section(
        "gsm8k-agreement",
        "RouteLLM GSM8K with one more cheap answer (Mixtral's, elsewhere), its cost counted",
        [
            *lines,
            published("published: agreement", 0.831),
            published("published: + learned tie-break", 0.874, CPT50=0.16, CPT80=0.29),
            *references(table),
        ],
        [
            bar(lines[0], "APGR", 0.88, at_least=True),
            bar(lines[0], "CPT80", 0.28, at_least=False),
            bar(lines[0], "APGR cost", 0.88, at_least=True),
            bar(lines[0], "CPT80 cost", 0.28, at_least=False),
        ],
        ["the further answer is priced by the length of others' answers to the same question"],
    )


def zeroeval(seeds: int, name: str = "zeroeval", second: str = "claude-3-haiku") -> Section:
    """Newer models, and the agreement of one other cheap model."""
    table = workloads()[name]()
    lines = with_signals(table, seeds)
    return Section(
        name,
        f"ZeroEval GSM, gpt-3.5-turbo → gpt-4o, agreement with {second}",
        [
            *lines,
            published("published: agreement with claude-3-haiku", 0.875, CPT95=0.21, AUROC=0.906),
            *references(table),
        ],
        [
            bar(lines[0], "APGR", 0.88, at_least=True),
            bar(lines[0], "CPT95", 0.20, at_least=False),
        ],
    )


def zeroeval_gemini(seeds: int) -> Section:
    """The same with another second model."""
    section = zeroeval(seeds, "zeroeval-gemini", "gemini-1.5-flash")
    notes = [
        "of five second models looked at on these rows, this one agrees best: picked in hindsight",
        "its answers are priced by the length of others' answers to the same question",
    ]
    return replace(section, notes=notes)


def arc(seeds: int) -> Section:
    """Multiple choice, science."""
    return choices(
        seeds, "arc", "ARC", 0.82, published("published: max softmax", 0.802, AUROC=0.843)
    )


def hellaswag(seeds: int) -> Section:
    """Multiple choice, how a text goes on."""
    line = published("published: max softmax", 0.733, AUROC=0.769)
    return choices(seeds, "hellaswag", "HellaSwag", 0.75, line)


def choices(seeds: int, name: str, title: str, limit: float, reference: Line) -> Section:
    """Multiple choice: the confidence under two prompts, the second one paid for."""
    table = workloads()[name]()
    lines = with_signals(table, seeds)
    floor = lines[0].figures["ECE floor"] + 0.01
    return Section(
        name,
        f"{title}, gpt-3.5-turbo → gpt-4-turbo, confidence under both prompts",
        [*lines, reference, *references(table)],
        [
            bar(lines[0], "APGR", limit, at_least=True),
            bar(lines[0], "ECE", floor, at_least=False),
        ],
        ["costs stand for a question of 100 tokens: no text was recorded"],
    )


def with_signals(table: Table, seeds: int) -> list[Line]:
    """Return the lines of a table with signals: fitted, the best of them, and their mean."""
    name, readings = best_signal(table)
    paid = name in table.tiers[0].paid
    lines = [
        over_seeds("fitted", seeds, lambda s: measure(table, cross_fitted(table, s))),
        Line(f"best signal: {name}", measure(table, readings, paid=paid, calibrated=False), {}),
    ]
    if len(table.tiers[0].signals) > 1:
        mean = np.mean(list(table.tiers[0].signals.values()), axis=0)
        lines.append(Line("mean of the signals", measure(table, mean, calibrated=False), {}))
    return lines


def label_budgets(table: Table) -> tuple[Line, Line, Bar]:
    """Fit on 100 rows and on 1,000 that hold them; both are tested on the same other rows."""

    def fit(rows: Array, test: Array, seed: int) -> Figures:
        fitted = fit_calibrator(table.take(rows), 0, seed=seed)
        kept = table.take(test)
        return measure(kept, Scorer(fitted.calibrator).rows(Inputs.of(kept, 0)))

    orders = [np.random.default_rng(seed).permutation(len(table)) for seed in range(DRAWS)]
    few, many = (
        over_seeds(
            f"fitted on {size:,} labels",
            DRAWS,
            lambda s, size=size: fit(orders[s][:size], orders[s][MANY:], s),
        )
        for size in (FEW, MANY)
    )
    lost = many.figures["APGR"] - few.figures["APGR"]
    return few, many, Bar("APGR lost by 100 labels", lost, 0.05, few.spread["APGR"], at_least=False)


SECTIONS: dict[str, Callable[[int], Section]] = {
    "gsm8k": gsm8k,
    "gsm8k-agreement": gsm8k_agreement,
    "zeroeval": zeroeval,
    "zeroeval-gemini": zeroeval_gemini,
    "arc": arc,
    "hellaswag": hellaswag,
}


# --- printing --------------------------------------------------------------------------------

COLUMNS = (
    *("APGR", "CPT50", "CPT80", "CPT95"),
    *("APGR cost", "CPT50 cost", "CPT80 cost", "CPT95 cost"),
    *("AUROC", "ECE", "ECE floor"),
)


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


def main() -> int:
    """Run the workloads asked for; exit 0 whether or not bars are met, for they are printed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(SECTIONS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    console = Console(width=200, stderr=asked.json)
    if reason := absent():
        console.print(f"skipped: {reason}")
        return 0
    found = []
    for name in asked.only or SECTIONS:
        section = SECTIONS[name](asked.seeds)
        found.append(section)
        show(console, section)
    if asked.json:
        plain = [
            {**asdict(s), "bars": [{**asdict(b), "met": b.met} for b in s.bars]} for s in found
        ]
        json.dump(plain, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
