"""Fits what asking on would gain and cost, and weighs it in where that serves better, out of fold.

Hard requests are often hard for every model: then a draft that is probably bad is still not worth
asking on. So beside the confidence two more numbers are fitted by the same machinery: the quality
that asking on would give (`next`), and `(1 + q_draft - q_next) / 2` directly (`keep`); and what
asking on would cost. How much they weigh is chosen by what thresholds are for, the area under the
curve of quality over cost. What is plainer stays unless the other is better by more than its
standard error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.crossfit import POOL
from cascade_core.calibration.scores import LOGISTIC_ROWS, Method
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.curve import Axis
from cascade_core.evaluation.scoring import met_by_thresholds
from cascade_core.evaluation.sweeping import sweep
from cascade_core.fitted.artefact import Benefit, Calibrator, CurvedScore, ExtraCost
from cascade_core.fitted.merits import MeritParts, Spanned
from cascade_core.labels import Table
from cascade_core.statistics.bootstrap import Resamples

WeighBenefit: TypeAlias = Literal["auto"] | bool
"""Whether thresholds go by the benefit too: where it serves better, always, or never."""


class FittedPart(Protocol):
    """A fit of something about a tier's drafts, as `fit_calibrator` returns it."""

    @property
    def calibrator(self) -> Calibrator:
        """Fitted to all rows."""
        ...

    @property
    def placed(self) -> Array:
        """What it says of every row, by a fit that did not see it, shape (n,)."""
        ...


FitTarget: TypeAlias = Callable[[Array, Method | None, str], FittedPart]
"""Fits a tier's drafts to a target in [0, 1], shape (n,): by which method (None = as the confidence
was), and what it is, in words."""

BENEFIT_WEIGHTS = (0.25, 0.5, 0.75, 1.0)
"""Weights of the benefit that are tried; 0 is the confidence alone."""
COST_POWERS = (0.5, 1.0)
"""How much costs are tried to count; 0 is not at all."""
FEWEST_KNOWN = 2 * LOGISTIC_ROWS
"""Rows, with the quality of both answers, from which a benefit is fitted."""
_DRAWS = 100
"""Resamples of the rows that tell the standard error of a gain in area."""
_DEAREST = 0.99
"""Quantile of costs that stands for the most that asking on costs."""
_CHEAPEST = 0.05
"""Quantile of expected costs below which all are taken for equally cheap."""
_ALIKE = 0.05
"""Spread of costs, beside their mean, below which all cost the same."""


class Ahead(NamedTuple):
    """What asking on gives every row, each of shape (n,); NaN where it is not known.

    Attributes:
        quality: Of the answer, in [0, 1].
        cost: USD.
    """

    quality: Array
    cost: Array


@dataclass(frozen=True, slots=True, eq=False)
class Blended:
    """A tier's calibrator, with what was found worth weighing.

    Attributes:
        calibrator: For the policy.
        parts: What merits are made of, for every row, by fits that did not see it.
        choice: What was chosen and why, in one line.
    """

    calibrator: Calibrator
    parts: MeritParts
    choice: str


def check_benefit(asked: object) -> None:
    """Raise `ConfigurationError` where `benefit=` is none of its choices."""
    if not (isinstance(asked, bool) or asked == "auto"):
        msg = f"benefit={asked!r}: give 'auto', True or False"
        raise ConfigurationError(msg)


def blend(  # noqa: PLR0913 - what there is, and what for
    rows: Table,
    tier: int,
    fitted: FittedPart,
    ahead: Ahead,
    fit_target: FitTarget,
    *,
    by_cost: bool = True,
    always: bool = False,
    seed: int = 0,
) -> Blended:
    """Fit what asking on from a tier would gain and cost, and weigh it in where that is better.

    Args:
        rows: Labelled rows.
        tier: Which tier.
        fitted: The confidence in its drafts.
        ahead: What asking on gives.
        fit_target: Fits the tier's drafts to other targets.
        by_cost: Whether costs are what is to be saved, and not requests that are sent on.
        always: Whether the best weight is taken, better than the confidence alone or not.
        seed: Of the resamples.
    """
    plain = Blended(fitted.calibrator, MeritParts(fitted.placed), "")
    quality = rows.tiers[tier].quality
    if np.count_nonzero(~np.isnan(quality + ahead.quality)) < FEWEST_KNOWN:
        return plain
    areas = _Areas(rows, tier, ahead, seed, by_cost=by_cost)
    after = fit_target(ahead.quality, None, "the answer of asking on")
    keep = fit_target((1 + quality - ahead.quality) / 2, None, "the benefit of asking on")
    tried = [
        _with_benefit(plain, after, other, weight, areas.usual)
        for other in (None, keep)
        for weight in BENEFIT_WEIGHTS
    ]
    chosen, said = areas.better(plain, tried, always=always)
    weighed = chosen.calibrator.benefit
    if weighed is None:
        said = f"without the benefit of asking on, which does not stand out ({said})"
    else:
        said = f"benefit of asking on weighs {weighed.weight:g} ({said})"
    if not areas.spread:
        return Blended(chosen.calibrator, chosen.parts, said)
    most = float(np.nanquantile(ahead.cost, _DEAREST))
    cost = fit_target(np.minimum(ahead.cost / most, 1.0), "logistic", "what asking on costs")
    dearer = [_with_cost(chosen, cost, most, power, areas.usual) for power in COST_POWERS]
    found, by = areas.better(chosen, dearer)
    counts = found.calibrator.extra_cost
    if counts is not None:
        said += f"; expected cost counts with power {counts.power:g} ({by})"
    return Blended(found.calibrator, found.parts, said)


def _curved(fitted: FittedPart) -> CurvedScore:
    """Return what a fit holds, as a part of a calibrator."""
    own = fitted.calibrator
    return CurvedScore(score=own.score, curve=own.curve, class_curves=own.class_curves)


def _with_benefit(
    plain: Blended, after: FittedPart, keep: FittedPart | None, weight: float, usual: float
) -> Blended:
    benefit = Benefit(
        next=_curved(after), keep=None if keep is None else _curved(keep), weight=weight
    )
    kept = None if keep is None else keep.placed
    parts = plain.parts._replace(next=after.placed, keep=kept)
    weighing = plain.calibrator.model_copy(update={"benefit": benefit, "usual": usual})
    return Blended(weighing, parts, "")


def _with_cost(
    chosen: Blended, cost: FittedPart, most: float, power: float, usual: float
) -> Blended:
    least = float(np.clip(np.nanquantile(cost.placed, _CHEAPEST), 1e-6, 1.0))
    own = cost.calibrator
    extra = ExtraCost(
        score=own.score,
        curve=own.curve,
        class_curves=own.class_curves,
        most_usd=most,
        mean=float(np.clip(np.nanmean(cost.placed), least, 1.0)),
        least=least,
        power=power,
    )
    return Blended(
        chosen.calibrator.model_copy(update={"extra_cost": extra, "usual": usual}),
        chosen.parts._replace(cost=cost.placed),
        "",
    )


class _Areas:
    """Areas under the curve of quality over cost, of one tier and of what asking on gives.

    Attributes:
        spread: Whether what asking on costs differs from request to request, and counts.
        usual: The mean quality of what asking on gives.
    """

    def __init__(self, rows: Table, tier: int, ahead: Ahead, seed: int, *, by_cost: bool) -> None:
        there = np.flatnonzero(~np.isnan(rows.tiers[tier].quality + ahead.quality))
        if len(there) > POOL:
            there = np.sort(np.random.default_rng(seed).choice(there, POOL, replace=False))
        self._there: Ints = there
        self._rows = rows.take(there)
        self._tier = tier
        self._spanned: Spanned = {}
        self._quality, self._cost = ahead.quality[there], ahead.cost[there]
        draft = self._rows.tiers[tier].cost
        prices = [price[there] for price in rows.tiers[tier].paid.values()]
        known = not any(np.isnan(each).any() for each in (draft, self._cost, *prices))
        weights = self._rows.weights
        self._weights = np.ones(len(there)) if weights is None else weights
        self.usual = float(np.average(self._quality, weights=self._weights))
        dearer = known and by_cost and np.average(self._cost - draft, weights=self._weights) > 0
        self._axis: Axis = "cost" if dearer else "escalated"
        self._draft = draft if dearer else np.zeros(len(there))
        self.spread = bool(dearer and self._cost.std() > _ALIKE * self._cost.mean())
        drawn = Resamples.draw(len(there), groups=self._rows.groups, resamples=_DRAWS, seed=seed)
        self._times = drawn.counts[:, drawn.unit]

    def better(
        self, plain: Blended, tried: list[Blended], *, always: bool = False
    ) -> tuple[Blended, str]:
        """Return the best that was tried, or what is plain where that does not stand out."""
        alone = self._of(plain)
        areas = [self._of(each) for each in tried]
        best = max(range(len(tried)), key=lambda place: float(areas[place][0]))
        gain = areas[best] - alone
        error = float(np.std(gain[1:]))
        said = f"{gain[0]:+.4f} ± {error:.4f} mean quality along the curve"
        return (tried[best] if always or gain[0] > error else plain), said

    def _of(self, blended: Blended) -> Array:
        """Return the area on the rows, and then those on each resample."""
        parts = MeritParts(*(None if of is None else of[self._there] for of in blended.parts))  # type: ignore[arg-type]
        merit, paid = met_by_thresholds(
            self._rows, self._tier, blended.calibrator, parts, self._spanned
        )
        own = self._rows.tiers[self._tier].quality
        if self._axis == "escalated":
            paid = ()

        def area(times: Array | float) -> float:
            curve = sweep(
                merit, own, self._quality, self._draft, self._cost, self._weights * times, paid=paid
            )
            return curve.mean_quality(self._axis)

        return np.array([area(1.0), *map(area, self._times)])
