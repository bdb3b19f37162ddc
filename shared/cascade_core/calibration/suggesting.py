"""Says of each signal in a table whether it is worth its price, and what others would have to be.

The same fits as tuning makes (`fit_tiers`), with and without each signal, and the same thresholds
(`worth`). What no column holds is reckoned from its price alone (`addable`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from math import isfinite, isnan, nan
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from cascade_core.calibration.addable import Addable, addable
from cascade_core.calibration.fit_tiers import (
    Fit,
    TierFitting,
    fits_of_a_tier,
    held_signals,
    is_weighed,
)
from cascade_core.calibration.objective import Objective, make_objective
from cascade_core.calibration.progress import OnStep, Progress, silent
from cascade_core.calibration.rows import rows_to_tune
from cascade_core.calibration.scores import Method
from cascade_core.calibration.worth import (
    Gained,
    at_price,
    price_ceiling,
    reached,
    spent_on,
    worth,
)
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.scored import Scored
from cascade_core.labels import Table, read_table
from cascade_core.statistics.bootstrap import FEWEST_UNITS, Resamples

SignalVerdict: TypeAlias = Literal["pays", "does not pay", "cannot tell", "dominated"]

TOLD_FROM = 1.96
"""Standard errors that a gain has to be away from nothing to be told."""

DEFAULT_QUALITY = 0.98
"""Share of the last tier's quality at which money is compared where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class SignalWorth:
    """What one signal of the table is worth; USD are per request where nothing else is said.

    Attributes:
        name: The signal's.
        paid: Whether it has a price.
        beside: The signals that it was added to.
        price_usd: USD of a reading, on average; 0 without a price.
        readings: Readings per request at the best thresholds.
        cost_usd: What those readings cost.
        gain: What it gains, its price counted: USD saved, or quality won; see `Suggestion.unit`.
        error: The standard error of that; NaN where the rows are too few.
        gross: What it would gain at a price of nothing.
        break_even_usd: Price of a reading up to which it gains, read where it is read now: a dearer
            one may still gain if it is read more sparingly. NaN where it gains nothing even for
            nothing, infinite where it gains at any price that was looked at.
        area: By how much the APGR on the cost axis rises; NaN for more than two tiers.
        area_error: The standard error of that.
        verdict: What follows.
        dominated_by: The signal beside which it gains nothing more.
        gain_beside: What it gains beside that one.
        error_beside: The standard error of that.
    """

    name: str
    paid: bool
    beside: tuple[str, ...]
    price_usd: float
    readings: float
    cost_usd: float
    gain: float
    error: float
    gross: float
    break_even_usd: float
    area: float
    area_error: float
    verdict: SignalVerdict
    dominated_by: str | None = None
    gain_beside: float = nan
    error_beside: float = nan


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Which signals of a table are worth their price.

    Attributes:
        table: Where it was read from.
        objective: What was sought, in words.
        unit: Of gains: `usd` saved per request, or `quality` won per request.
        rows: How many rows there were.
        without: What the best policy reaches with the signals that have no price alone: USD per
            request, or quality.
        signals: The signals of the table.
        addable: What signals that are not in the table would have to be.
    """

    table: str
    objective: str
    unit: Literal["usd", "quality"]
    rows: int
    without: float
    signals: tuple[SignalWorth, ...] = ()
    addable: tuple[Addable, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON: what is not known, or has no limit, is None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def suggest(  # noqa: PLR0913 - as `tune`
    table: Table | str | Path | Any,
    *,
    quality: float | None = None,
    harm: float | None = None,
    max_cost: float | None = None,
    max_escalated: float | None = None,
    confidence: float | None = None,
    method: Method = "auto",
    seed: int = 0,
    advance: OnStep = silent,
) -> Suggestion:
    """Say which signals are worth their price, on the rows of a table.

    Each signal is added to those without a price, everything fitted anew and scored out of fold,
    and the best policy with it is compared with the best without it. Where none of `quality`,
    `harm`, `max_cost` and `max_escalated` is given, that is the cheapest at 0.98 of the last
    tier's quality.

    Args:
        table: A labelled table, or where to read one; every cost known.
        quality: As for `tune`, like those that follow.
        harm: The same.
        max_cost: The same.
        max_escalated: The same.
        confidence: The same; nothing is promised here, and no rows are kept back.
        method: How readings are combined; see `fit_calibrator`.
        seed: Of the folds and resamples.
        advance: Told of progress: steps done, of how many, and the step at hand in words.

    Returns:
        What each signal gains, costs and may cost.

    Raises:
        TableError: The table is bad; the message names line and column.
        TuningError: No policy serves what was asked for.
        ConfigurationError: A cost is not known, or arguments do not go together.
    """
    if all(asked is None for asked in (quality, harm, max_cost, max_escalated)):
        quality = DEFAULT_QUALITY
    objective = make_objective(
        quality=quality,
        harm=harm,
        max_cost=max_cost,
        max_escalated=max_escalated,
        confidence=confidence,
    )
    rows, _ = rows_to_tune(read_table(table), per_class=False)
    _check_priced(rows)
    held = held_signals(rows)
    paid = [name for name in held if name in rows.paid]
    free = [name for name in held if name not in rows.paid]
    fits = 1 + len(free) + 2 * len(paid) * fits_of_a_tier("auto", objective, rows)
    told = Progress(advance, (len(rows.tiers) - 1) * fits + 1)
    found = _Suggesting(objective, rows, method, seed, told)
    base = found.scored(free)
    signals = [
        *(found.worth_of(name, [other for other in free if other != name]) for name in free),
        *(found.worth_of_paid(name, free) for name in paid),
    ]
    signals = [found.beside_better(each, signals) for each in signals]
    told.part("reckoning what others would need")
    more = tuple(addable(objective, rows, base, held))
    told.end()
    value = reached(objective, base)
    in_usd = objective.kind in {"quality", "harm"}
    return Suggestion(
        table=rows.source,
        objective=str(objective),
        unit="usd" if in_usd else "quality",
        rows=len(rows),
        without=-value if in_usd else value,
        signals=tuple(signals),
        addable=more,
    )


class _Suggesting:
    """Compares what is fitted with some signals with what is fitted with others."""

    def __init__(
        self, objective: Objective, rows: Table, method: Method, seed: int, progress: Progress
    ) -> None:
        self._objective, self._rows, self._held = objective, rows, held_signals(rows)
        self._fitting = TierFitting(objective, rows, method, seed, progress)
        self._fits: dict[tuple[frozenset[str], bool], Fit | None] = {}
        self._again = Resamples.draw(len(rows), groups=rows.groups, seed=seed)

    def scored(self, signals: Sequence[str], *, weighed: bool = False) -> Scored:
        """Return the rows scored with signals; with nothing to read, no draft is told apart."""
        fit = self._fit(signals, weighed=weighed)
        return _unread(self._rows) if fit is None else fit.scored

    def worth_of_paid(self, name: str, beside: Sequence[str]) -> SignalWorth:
        """Return what a paid signal is worth; it may pay where it is read for some drafts only."""
        found = self.worth_of(name, beside)
        if found.verdict == "pays" or not is_weighed("auto", self._objective):
            return found
        sparing = self.worth_of(name, beside, weighed=True)
        return sparing if sparing.verdict == "pays" else found

    def worth_of(self, name: str, beside: Sequence[str], *, weighed: bool = False) -> SignalWorth:
        """Return what a signal is worth, added to others; see `TierFitting.weighed`."""
        objective, rows = self._objective, self._rows
        fit = self._fit([*beside, name], weighed=weighed)
        with_it = self.scored([*beside, name], weighed=weighed)
        without = self.scored(beside, weighed=weighed)
        gained = self._worth(with_it, without)
        places = self._places(fit, name)
        spent = spent_on(objective, with_it, places)
        base = reached(objective, without)

        def gain_at(times: float) -> float:
            return reached(objective, at_price(with_it, places, times)) - base

        prices = [tier.paid[name] for tier in rows.tiers[:-1] if name in tier.paid]
        known = np.concatenate(prices) if prices else np.zeros(1)
        price = float(np.nanmean(known)) if not np.isnan(known).all() else 0.0
        return SignalWorth(
            name=name,
            paid=bool(prices),
            beside=tuple(beside),
            price_usd=price,
            readings=spent.readings,
            cost_usd=spent.usd,
            gain=gained.gain,
            error=gained.error,
            gross=gain_at(0.0) if prices else gained.gain,
            break_even_usd=price_ceiling(gain_at) * price if prices else nan,
            area=gained.area,
            area_error=gained.area_error,
            verdict=_verdict(gained, free=not prices),
        )

    def beside_better(self, found: SignalWorth, every: Sequence[SignalWorth]) -> SignalWorth:
        """Say where a paid signal gains nothing more beside the paid one that gains most."""
        best = max((each for each in every if each.paid), key=_gain, default=None)
        if best is None or not found.paid or best is found or not best.gain > 0:
            return found
        before = [*found.beside, best.name]
        gained = self._worth(self.scored([*before, found.name]), self.scored(before))
        found = replace(found, gain_beside=gained.gain, error_beside=gained.error)
        if _verdict(gained) != "pays" and found.verdict != "does not pay":
            return replace(found, verdict="dominated", dominated_by=best.name)
        return found

    def _worth(self, with_it: Scored, without: Scored) -> Gained:
        gained = worth(self._objective, with_it, without, self._again)
        if self._again.independent < FEWEST_UNITS:
            return Gained(gained.gain, nan, gained.area, nan)
        return gained

    def _fit(self, signals: Sequence[str], *, weighed: bool = False) -> Fit | None:
        key = (frozenset(signals), weighed)
        if key not in self._fits:
            try:
                fit = self._fitting.with_signals([n for n in self._held if n in signals])
                self._fits[key] = self._fitting.weighed(fit) if weighed else fit
            except ConfigurationError:
                if signals:
                    raise
                self._fits[key] = None  # no signal, and no text to read
        return self._fits[key]

    def _places(self, fit: Fit | None, name: str) -> list[int | None]:
        """Return where a signal stands among the paid ones that each tier's calibrator reads."""
        found: list[int | None] = []
        for k, tier in enumerate(self._rows.tiers[:-1]):
            read = () if fit is None else fit.calibrators[k].signals
            paid = [each for each in tier.signals if each in read and each in tier.paid]
            found.append(paid.index(name) if name in paid else None)
        return found


def _gain(found: SignalWorth) -> float:
    return found.gain


def _verdict(gained: Gained, *, free: bool = False) -> SignalVerdict:
    if isnan(gained.error):
        return "cannot tell"
    if gained.gain > TOLD_FROM * gained.error:
        return "pays"
    if gained.gain < -TOLD_FROM * gained.error or (not free and gained.gain <= 0 == gained.error):
        return "does not pay"
    return "cannot tell"


def _unread(rows: Table) -> Scored:
    """Return rows of which nothing was read: every draft has the mean quality as its confidence."""
    means = [float(np.average(tier.quality, weights=rows.weights)) for tier in rows.tiers[:-1]]
    return Scored(
        confidences=tuple(np.full(len(rows), min(mean, 1 - 1e-9)) for mean in means),
        costs=tuple(tier.cost for tier in rows.tiers),
        drafts=tuple(tier.cost for tier in rows.tiers),
        skipped=np.zeros((len(rows), len(rows.tiers)), dtype=bool),
        qualities=tuple(tier.quality for tier in rows.tiers),
        weights=rows.weights,
        calibrated=True,
    )


def _check_priced(rows: Table) -> None:
    """Make sure that everything which may be paid for has a price.

    Raises:
        ConfigurationError: Something has none.
    """
    unpriced = [f"t{k}_cost_usd" for k, tier in enumerate(rows.tiers) if np.isnan(tier.cost).any()]
    for k, tier in enumerate(rows.tiers[:-1]):
        for name, price in tier.paid.items():
            read = ~np.isnan(tier.signals[name]) if name in tier.signals else False
            if (np.isnan(price) & read).any():
                unpriced.append(f"t{k}_paid_{name}_usd")
    if unpriced:
        msg = (
            f"{rows.source}: {unpriced[0]} is empty in some rows; what a signal is worth needs "
            "every price: fill in USD per request, or collect the table with prices= (--prices)"
        )
        raise ConfigurationError(msg)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
