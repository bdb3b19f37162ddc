"""How often a watch breaks its limit while traffic drifts, and how much it saves all the same.

    python tests/benchmarks/watch.py [--histories 1000] [--audits 50000] [--harm 0.02] [--json]

Each history is made up: the audits of a stream of requests, in their order (of a million requests,
one in twenty). A cheap model with one signal stands before a strong one. At up to three random
times the traffic drifts, at once or bit by bit over a tenth of the history: the cheap model becomes
worse or better, requests become harder or easier, or the signal tells less. A watch begins with
nothing, everything going to the strong model, and is called after every 200 audits.

What is true is known. *Harm* below is what the policy in use loses on average on the traffic of
that moment, and no estimate. Four readings of “the limit was broken at some time”, each with what
its mean is over:

- *promised*: the version in use, over the requests since it was frozen; this is what is promised,
  and may be broken in 5 % of histories;
- *served*: all that was served since the watch began;
- *activated*: what was served since the last activation, from the first request on;
- *moment*: nothing; harm of the moment. Whoever has seen no evidence yet cannot react, so no
  procedure keeps it when traffic drifts; the share of requests is printed with it.

Saving is compared with the best fixed threshold in hindsight: the one that saves most over the
whole history among all whose mean harm so far never is above the limit, and it serves from the
first request on. The cost of audits is left out on both sides.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

sys.path.insert(0, str(Path(__file__).parents[2]))

from cascade_core.arrays import Array
from cascade_core.evaluation.scored import serve, thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.labels.table import Table, TierColumns
from cascade_core.policy.document import Policy
from cascade_core.statistics.beta import beta_quantile
from cascade_core.watch.steward import LEARNED_FROM, Steward
from cascade_core.watch.tested import Goal

AUDITS = 50_000
BLOCK = 200
"""Audits between two steps of the watch."""
BROKEN, SAVED = 0.05, 0.85
"""What is wanted: histories with a broken promise at most, share of hindsight's saving at least."""
CHEAP, STRONG = 1e-4, 15e-4  # USD per request
SAME, MENDED = 0.98, 0.6
"""How often the strong model is right where the cheap one is, and where it is not."""
CUTS = np.linspace(0.0, 1.0, 501)
_READINGS = 400


@dataclass(frozen=True)
class Regime:
    """What traffic is like for a while.

    Attributes:
        level: Logit of the cheap answer's being right where the signal reads 0.3.
        slope: How much the signal tells.
        hard: Shape of the signal's distribution; more is harder.
    """

    level: float
    slope: float
    hard: float

    def drifted(self, generator: np.random.Generator) -> Regime:
        """Return what it may become."""
        kind = ("worse", "better", "others", "blinder")[generator.integers(4)]
        if kind == "worse":
            return Regime(self.level - generator.uniform(0.7, 1.5), self.slope, self.hard)
        if kind == "better":
            return Regime(self.level + generator.uniform(0.5, 1.5), self.slope, self.hard)
        if kind == "others":
            hard = self.hard * float(np.exp(generator.uniform(-0.5, 0.5)))
            return Regime(self.level, self.slope, hard)
        slope = self.slope * generator.uniform(0.5, 0.8)
        return Regime(self.level + 0.7 * (self.slope - slope), slope, self.hard)


@dataclass(frozen=True)
class History:
    """One made-up history.

    Attributes:
        rows: Its audits.
        mixed: (audits, regimes) how much of the traffic is of each regime.
        regimes: All of them, in order.
    """

    rows: Table
    mixed: Array
    regimes: tuple[Regime, ...]


def draw(generator: np.random.Generator, audits: int, *, drift: bool = True) -> History:
    """Make up one history."""
    regimes = [
        Regime(
            level=generator.uniform(-1.5, 0.5),
            slope=generator.uniform(6.0, 11.0),
            hard=generator.uniform(0.8, 1.6),
        )
    ]
    many = generator.integers(0, 4) if drift else 0
    changes = sorted(int(t) for t in generator.uniform(0, audits, many))
    regimes += _after(regimes[0], len(changes), generator)
    mixed = np.zeros((audits, len(regimes)))
    mixed[:, 0] = 1.0
    for number, change in enumerate(changes, 1):
        length = generator.choice([1, audits // 10])
        share = np.clip((np.arange(audits) - change) / length, 0.0, 1.0)
        mixed *= (1 - share)[:, None]
        mixed[:, number] += share
    of = np.argmax(generator.random(audits)[:, None] < np.cumsum(mixed, axis=1), axis=1)
    level, slope, hard = (
        np.array([getattr(regime, name) for regime in regimes])[of]
        for name in ("level", "slope", "hard")
    )
    signal = generator.beta(3.0, hard)
    right = generator.random(audits) < chance_right(level, slope, signal)
    strong = generator.random(audits) < np.where(right, SAME, MENDED)
    return History(table_of(signal, right, strong), mixed, tuple(regimes))


def _after(first: Regime, many: int, generator: np.random.Generator) -> list[Regime]:
    found = [first]
    for _ in range(many):
        found.append(found[-1].drifted(generator))
    return found[1:]


def chance_right(level: Array | float, slope: Array | float, signal: Array) -> Array:
    """Return how likely the cheap answer is right, by the signal's reading."""
    found: Array = 1 / (1 + np.exp(-(level + slope * (signal - 0.3))))
    return found


def table_of(signal: Array, right: Array, strong: Array) -> Table:
    """Return answers as a labelled table."""
    n = len(signal)
    cheap = TierColumns(right.astype(np.float64), np.full(n, CHEAP), signals={"s": signal})
    return Table("history", (cheap, TierColumns(strong.astype(np.float64), np.full(n, STRONG))))


class Truth:
    """What a policy loses and saves under every regime of a history, on average."""

    def __init__(self, history: History) -> None:
        regimes = history.regimes
        self._signals = [_readings(regime.hard) for regime in regimes]
        self._losses = [
            (1 - chance_right(regime.level, regime.slope, signal)) * MENDED
            for regime, signal in zip(regimes, self._signals, strict=True)
        ]

    def of(self, policy: Policy | None) -> tuple[Array, Array]:
        """Return a policy's harm and saving by regime; None is the strong model alone."""
        if policy is None:
            return np.zeros(len(self._losses)), np.zeros(len(self._losses))
        harm, saving = [], []
        for signal, loss in zip(self._signals, self._losses, strict=True):
            rows = table_of(signal, np.ones(len(signal)), np.ones(len(signal)))
            served = serve(score(rows, policy), thresholds_of(policy, rows))
            harm.append(float(np.mean(np.where(served.tier == 0, loss, 0.0))))
            saving.append(1 - float(served.cost.mean()) / STRONG)
        return np.array(harm), np.array(saving)

    def hindsight(self, mixed: Array, limit: float) -> float:
        """Return what the best fixed threshold saves, of those that never pass the limit so far."""
        pairs = list(zip(self._signals, self._losses, strict=True))
        harm = np.array([[np.mean(np.where(s >= cut, h, 0.0)) for cut in CUTS] for s, h in pairs])
        saving = np.array([[np.mean(s >= cut) - CHEAP / STRONG for cut in CUTS] for s, _ in pairs])
        fits = (running_means(mixed @ harm) <= limit).all(axis=0)
        saved = (mixed @ saving).mean(axis=0)
        return float(np.max(saved[fits], initial=0.0))


def _readings(hard: float) -> Array:
    """Return readings that stand for all of a regime's."""
    levels = (np.arange(_READINGS) + 0.5) / _READINGS
    x = (np.arange(10 * _READINGS) + 0.5) / (10 * _READINGS)
    below = np.cumsum(x**2 * (1 - x) ** (hard - 1))
    return np.interp(levels, below / below[-1], x)


def running_means(values: Array) -> Array:
    """Return the mean so far, at every place."""
    counts = np.arange(1, len(values) + 1, dtype=np.float64)
    found: Array = (np.cumsum(values, axis=0).T / counts).T
    return found


@dataclass(frozen=True)
class Outcome:
    """What became of one history; harms are true ones, in limits.

    Attributes:
        promised: Highest mean harm of the version in use since it was frozen.
        served: Highest mean harm of all that was served so far.
        activated: Highest mean harm of what was served since the latest activation.
        over: Share of requests that were served while harm of the moment was above the limit.
        saved: Share of the strong model's cost.
        fixed: The same of the best fixed threshold in hindsight.
        activations: How often what decides was changed.
        versions: How many were put to the test.
        first: Audits until the first was activated, as a share of all.
    """

    promised: float
    served: float
    activated: float
    over: float
    saved: float
    fixed: float
    activations: int
    versions: int
    first: float


def watch_history(
    seed: int, audits: int, goal: Goal, *, drift: bool = True, block: int = BLOCK
) -> Outcome:
    """Watch one history."""
    history = draw(np.random.default_rng([seed, 20_261]), audits, drift=drift)
    truth, steward, blocks = Truth(history), Steward(goal), audits // block
    mixed = history.mixed[: blocks * block].reshape(blocks, block, -1).mean(axis=1)
    harm, saving = np.zeros(blocks), np.zeros(blocks)
    now, frozen, promised = truth.of(None), 0, 0.0
    changes = [0]
    for at in range(blocks):
        harm[at], saving[at] = mixed[at] @ now[0], mixed[at] @ now[1]
        if steward.chosen is not None:
            promised = max(promised, float((mixed[frozen : at + 1] @ now[0]).mean()))
        end = (at + 1) * block
        done = steward.step(history.rows.take(np.arange(max(0, end - LEARNED_FROM), end)), block)
        if done.changed:
            changes.append(at + 1)
            chosen = done.chosen
            now = truth.of(None if chosen is None else steward.policy_of(chosen))
            frozen = 0 if chosen is None else steward.tested_of(chosen).frozen_at // block
    spells = [harm[a:b] for a, b in pairwise([*changes, blocks]) if b > a]
    return Outcome(
        promised=promised / goal.harm,
        served=float(running_means(harm).max()) / goal.harm,
        activated=max(float(running_means(spell).max()) for spell in spells) / goal.harm,
        over=float((harm > goal.harm).mean()),
        saved=float(saving.mean()),
        fixed=truth.hindsight(mixed, goal.harm),
        activations=len(changes) - 1,
        versions=steward.made,
        first=changes[1] / blocks if len(changes) > 1 else 1.0,
    )


@dataclass(frozen=True)
class Figures:
    """What came of many histories; shares of histories where nothing else is said.

    Attributes:
        histories: How many.
        promised: In which the promise was broken at some time.
        promised_high: Upper end of its 95 % interval (Clopper and Pearson).
        served: In which the mean of all served so far was above the limit at some time.
        activated: In which the mean since an activation was.
        moment: In which harm of the moment was.
        over: Share of all requests that were served then.
        saved: Saved in all, as a share of what the best fixed thresholds save.
        fixed: What those save, as a share of the strong model's cost.
        versions: Versions under test per history.
        activations: Changes of what decides per history.
        first: Share of a history until the first activation.
    """

    histories: int
    promised: float
    promised_high: float
    served: float
    activated: float
    moment: float
    over: float
    saved: float
    fixed: float
    versions: float
    activations: float
    first: float

    @property
    def kept(self) -> bool:
        """Whether all is as wanted."""
        return self.promised <= BROKEN and self.served <= BROKEN and self.saved >= SAVED


def simulate(histories: int, audits: int, goal: Goal, *, first: int = 0) -> Figures:
    """Watch many histories."""
    found = [watch_history(seed, audits, goal) for seed in range(first, first + histories)]
    columns = {name: np.array([getattr(o, name) for o in found]) for name in asdict(found[0])}
    broken = int((columns["promised"] > 1).sum())
    high = 1.0 if broken == histories else beta_quantile(0.975, broken + 1, histories - broken)
    return Figures(
        histories=histories,
        promised=broken / histories,
        promised_high=high,
        **{name: float((columns[name] > 1).mean()) for name in ("served", "activated")},
        moment=float((columns["over"] > 0).mean()),
        over=float(columns["over"].mean()),
        saved=float(columns["saved"].sum() / columns["fixed"].sum()),
        fixed=float(columns["fixed"].mean()),
        **{name: float(columns[name].mean()) for name in ("versions", "activations", "first")},
    )


def main() -> int:
    """Print the figures; exit 1 where they are not as wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--audits", type=int, default=AUDITS)
    parser.add_argument("--harm", type=float, default=0.02)
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument("--first", type=int, default=0, help="Seed of the first history.")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    goal = Goal(asked.harm, asked.confidence)
    found = simulate(asked.histories, asked.audits, goal, first=asked.first)
    if asked.json:
        json.dump(asdict(found), sys.stdout, indent=1)
        return int(not found.kept)
    grid = Grid(
        title=f"{found.histories:,} histories of {asked.audits:,} audits, harm ≤ {goal.harm:.0%} "
        f"at confidence {goal.confidence:.0%}",
        title_justify="left",
    )
    grid.add_column("limit broken at some time, share of histories")
    grid.add_column("", justify="right")
    interval = f"{found.promised:.1%} (at most {found.promised_high:.1%}; wanted ≤ {BROKEN:.0%})"
    grid.add_row("promised: the version in use, since it was frozen", interval)
    grid.add_row("served: all that was served so far", f"{found.served:.1%}")
    grid.add_row("activated: what was served since the last activation", f"{found.activated:.1%}")
    grid.add_row("moment: harm of the moment", f"{found.moment:.1%}, {found.over:.1%} of requests")
    grid.add_row(
        "saved, of what the best fixed threshold in hindsight saves",
        f"{found.saved:.1%} (wanted ≥ {SAVED:.0%})",
    )
    grid.add_row("what that saves of the strong model's cost", f"{found.fixed:.1%}")
    grid.add_row("share of a history until the first activation", f"{found.first:.1%}")
    grid.add_row("versions under test per history", f"{found.versions:.1f}")
    grid.add_row("changes of what decides per history", f"{found.activations:.1f}")
    Console(width=130).print(grid, "as wanted" if found.kept else "NOT AS WANTED")
    return int(not found.kept)


if __name__ == "__main__":
    sys.exit(main())
