"""What fitted confidences give on recorded answers of real models, beside what was published.

    python tests/benchmarks/recorded.py [--only gsm8k] [--table FILE] [--seeds 3] [--json]

Everything is cross-fitted: five folds, each scored by a calibrator that was chosen and
fitted on the other four; once a seed, and the mean and standard deviation over seeds are
printed. A bar that is missed says so. Without the recorded files nothing is run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

import numpy as np
from citations import LEGEND, cited
from recorded_data import PARTNERS, absent, one_or_more, workloads, zeroeval_with
from recorded_data import zeroeval_several as several
from recorded_figures import (
    FOLDS,
    Bar,
    Figures,
    Judged,
    Line,
    Section,
    always_read,
    bar,
    best_feature,
    best_signal,
    cross_fitted,
    joined,
    judged,
    measure,
    over_seeds,
    published,
    references,
    show,
)
from rich.console import Console

from cascade_core.arrays import Ints
from cascade_core.calibration.fit import fit_calibrator
from cascade_core.errors import ConfigurationError
from cascade_core.labels import Table, TableError, read_table, usable
from cascade_core.statistics.folds import folds
from cascade_core.statistics.metrics import auroc

FEW, MANY, DRAWS = 100, 1000, 20
"""Labels to compare, and on how many draws of them."""


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
        "best feature",
        seeds,
        lambda s: measure(table, Judged(best_feature(table, s)), calibrated=False),
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
            published("seen before: handcrafted + LR", 0.733, CPT50=0.17, CPT80=0.45),
            *references(table),
        ],
        [
            bar(fitted, "APGR", 0.81, at_least=True),
            bar(fitted, "CPT80", 0.44, at_least=False),
            bar(fitted, "APGR cost", 0.80, at_least=True),
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
            published("seen before: agreement", 0.831),
            published("seen before: + learned tie-break", 0.874, CPT50=0.16, CPT80=0.29),
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


def zeroeval(seeds: int) -> Section:
    """Newer models, and the agreement of one other cheap model."""
    table = workloads()["zeroeval"]()
    lines = with_signals(table, seeds)
    return Section(
        "zeroeval",
        "ZeroEval GSM, gpt-3.5-turbo → gpt-4o, agreement with claude-3-haiku",
        [
            *lines,
            published("seen before: agreement with claude-3-haiku", 0.875, CPT95=0.21, AUROC=0.906),
            *references(table),
        ],
        [
            bar(lines[0], "APGR", 0.88, at_least=True),
            bar(lines[0], "CPT95", 0.20, at_least=False),
            bar(lines[0], "APGR cost", 0.84, at_least=True),
        ],
    )


def zeroeval_chosen(seeds: int) -> Section:
    """The same with the second model that agrees best on the other folds."""
    tables = {name: zeroeval_with(name) for name in PARTNERS}
    fitted = over_seeds("fitted", seeds, lambda s: _with_best_partner(tables, s))
    return Section(
        "zeroeval-chosen",
        "ZeroEval GSM, gpt-3.5-turbo → gpt-4o, agreement with one other cheap model, "
        "chosen anew for each fold on the other folds",
        [fitted, *references(next(iter(tables.values())))],
        [
            bar(fitted, "APGR", 0.88, at_least=True),
            bar(fitted, "CPT95", 0.20, at_least=False),
        ],
        [
            f"chosen among {', '.join(PARTNERS)}, by the AUROC of their agreement",
            "answers without a recorded cost are priced by the length of others' answers",
        ],
    )


def zeroeval_several(seeds: int) -> Section:
    """The same with one, two and three other models, the cheapest first."""
    cheapest = ["gemini-1.5-flash", "claude-3-haiku-20240307", "Mixtral-8x7B-Instruct-v0.1"]
    tables = {
        "one other model": several(*cheapest[:1], as_one=True),
        "share of two": several(*cheapest[:2], as_one=True),
        "two signals": several(*cheapest[:2], as_one=False),
        "share of three": several(*cheapest, as_one=True),
    }
    lines = [
        over_seeds(name, seeds, lambda s, t=table: measure(t, cross_fitted(t, s)))  # type: ignore[misc]
        for name, table in tables.items()
    ]
    return Section(
        "zeroeval-several",
        "ZeroEval GSM, gpt-3.5-turbo → gpt-4o, agreement with several cheap models, cost counted",
        [*lines, *references(tables["one other model"])],
        [bar(line, "APGR cost", 0.84, at_least=True) for line in lines],
        [f"other models, in this order: {', '.join(cheapest)}"],
    )


def _with_best_partner(tables: Mapping[str, Table], seed: int) -> Figures:
    any_table = next(iter(tables.values()))
    quality = any_table.tiers[0].quality
    fold = folds(len(any_table), FOLDS, seed=seed, strata=quality)
    parts = []
    for of in range(FOLDS):
        there, test = fold != of, fold == of
        table = max(
            tables.values(),
            key=lambda t: auroc(t.tiers[0].signals["agreement"][there], quality[there]),
        )
        fitted = fit_calibrator(table.take(there), 0, seed=seed)
        parts.append((test, judged(table.take(test), fitted.calibrator)))
    return measure(any_table, joined(parts))


def arc(seeds: int) -> Section:
    """Multiple choice, science."""
    return choices(
        seeds, "arc", "ARC", 0.82, published("seen before: max softmax", 0.802, AUROC=0.843)
    )


def hellaswag(seeds: int) -> Section:
    """Multiple choice, how a text goes on."""
    line = published("seen before: max softmax", 0.733, AUROC=0.769)
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


def own(path: str, seeds: int) -> Section:
    """A table of the caller's: the first tier against the last."""
    rows = read_table(path)
    mask, unused = usable(rows)
    if not mask.any():
        why = "; ".join(f"{reason} ({n:,} rows)" for reason, n in unused.items())
        raise TableError(rows.source, f"no row can be used: {why}")
    rows = rows.take(mask)
    lines = with_signals(rows, seeds) if rows.tiers[0].signals else [free(rows, seeds)]
    names = f"{rows.tiers[0].model or 'tier 0'} → {rows.tiers[-1].model or 'the last tier'}"
    return Section("own", f"{path}, {len(rows):,} rows, {names}", [*lines, *references(rows)], [])


def with_signals(table: Table, seeds: int) -> list[Line]:
    """Return the lines of a table with signals: fitted, the best of them, and their mean."""
    name, readings = best_signal(table)
    alone = always_read(table, readings, [name])
    lines = [
        over_seeds("fitted", seeds, lambda s: measure(table, cross_fitted(table, s))),
        Line(f"best signal: {name}", measure(table, alone, calibrated=False), {}),
    ]
    if len(table.tiers[0].signals) > 1:
        signals = table.tiers[0].signals
        mean = always_read(table, np.mean(list(signals.values()), axis=0), list(signals))
        lines.append(Line("mean of the signals", measure(table, mean, calibrated=False), {}))
    return lines


def label_budgets(table: Table) -> tuple[Line, Line, Bar]:
    """Fit on 100 rows and on 1,000 that hold them; both are tested on the same other rows."""

    def fit(rows: Ints, test: Ints, seed: int) -> Figures:
        fitted = fit_calibrator(table.take(rows), 0, seed=seed)
        kept = table.take(test)
        return measure(kept, judged(kept, fitted.calibrator))

    runs: dict[int, list[Figures]] = {FEW: [], MANY: []}
    for seed in range(DRAWS):
        order = np.random.default_rng(seed).permutation(len(table))
        for size, found in runs.items():
            found.append(fit(order[:size], order[MANY:], seed))
    few, many = (
        over_seeds(f"fitted on {size:,} labels", DRAWS, found.__getitem__)
        for size, found in runs.items()
    )
    lost = [b["APGR"] - a["APGR"] for a, b in zip(runs[FEW], runs[MANY], strict=True)]
    return (
        few,
        many,
        Bar(
            f"APGR lost by 100 labels, {DRAWS} draws",
            float(np.mean(lost)),
            0.05,
            float(np.std(lost)),
            at_least=False,
        ),
    )


SECTIONS: dict[str, Callable[[int], Section]] = {
    "gsm8k": gsm8k,
    "gsm8k-agreement": gsm8k_agreement,
    "zeroeval": zeroeval,
    "zeroeval-chosen": zeroeval_chosen,
    "zeroeval-several": zeroeval_several,
    "arc": arc,
    "hellaswag": hellaswag,
}


def main() -> int:
    """Run the workloads asked for; exit 0 whether or not bars are met, for they are printed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(SECTIONS))
    parser.add_argument("--seeds", type=one_or_more, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--table", help="a labelled table of your own, in place of the recorded")
    asked = parser.parse_args()
    console = Console(width=200, stderr=asked.json)
    if not asked.table and (reason := absent()):
        console.print(f"skipped: {reason}")
        return 0
    made: list[tuple[str, Callable[[int], Section]]]
    made = [(name, SECTIONS[name]) for name in asked.only or SECTIONS]
    if asked.table:
        try:
            mine = own(asked.table, asked.seeds)
        except ConfigurationError as error:
            console.print(f"recorded.py: {error}", style=None, highlight=False)
            return 2
        made = [(asked.table, lambda _: mine)]
    for line in LEGEND:
        console.print(line, highlight=False)
    console.print()
    found = []
    for name, make in made:
        section = make(asked.seeds)
        section = replace(section, notes=[*section.notes, *cited(name)])
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
