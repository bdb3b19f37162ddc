"""Fits what asking on would gain and cost, and weighs it in where that serves better, out of fold.

Hard requests are often hard for every model: then a draft that is probably bad is still not worth
asking on. So beside the confidence two more numbers are fitted by the same machinery: the quality
that asking on would give (`next`), and `(1 + q_draft - q_next) / 2` directly (`keep`); and what
asking on would cost. How much they weigh is chosen by what thresholds are for, the area under the
curve of quality over cost. What is plainer stays unless the other is better by more than its
standard error.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np

from cascade_core.calibration.areas import Ahead, Areas, Blended, FitTarget, FittedPart, curved
from cascade_core.calibration.foresee import with_foresight
from cascade_core.calibration.scores import LOGISTIC_ROWS
from cascade_core.errors import ConfigurationError
from cascade_core.fitted.artefact import Benefit, CurvedScore, ExtraCost
from cascade_core.fitted.merits import MeritParts
from cascade_core.labels import Table

WeighBenefit: TypeAlias = Literal["auto"] | bool
"""Whether thresholds go by the benefit too: where it serves better, always, or never."""

BENEFIT_WEIGHTS = (0.25, 0.5, 0.75, 1.0)
"""Weights of the benefit that are tried; 0 is the confidence alone."""
COST_POWERS = (0.5, 1.0)
"""How much costs are tried to count; 0 is not at all."""
FEWEST_KNOWN = 2 * LOGISTIC_ROWS
"""Rows, with the quality of both answers, from which a benefit is fitted."""
_STAND_OUT = 2.0
"""Standard errors by which it has to be better to leave readings out: of many spreads that are
tried, the best one seems better than it is."""
_DEAREST = 0.99
"""Quantile of costs that stands for the most that asking on costs."""
_CHEAPEST = 0.05
"""Quantile of expected costs below which all are taken for equally cheap."""


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
    areas = Areas(rows, tier, ahead, seed, by_cost=by_cost)
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
    if areas.spread:
        most = float(np.nanquantile(ahead.cost, _DEAREST))
        cost = fit_target(np.minimum(ahead.cost / most, 1.0), "logistic", "what asking on costs")
        dearer = [_with_cost(chosen, cost, most, power, areas.usual) for power in COST_POWERS]
        chosen, by = areas.better(chosen, dearer)
        counts = chosen.calibrator.extra_cost
        if counts is not None:
            said += f"; expected cost counts with power {counts.power:g} ({by})"
    if foreseen := with_foresight(chosen, areas, fit_target):
        chosen, by = areas.better(chosen, foreseen, errors=_STAND_OUT)
        foresight = chosen.calibrator.foresight
        if foresight:
            names = " and ".join(each.unread[0] for each in foresight)
            said += f"; {names} read where that is worth the price ({by})"
    return replace(chosen, choice=said)


def _with_benefit(
    plain: Blended, after: FittedPart, keep: FittedPart | None, weight: float, usual: float
) -> Blended:
    benefit = Benefit(
        next=CurvedScore(**curved(after)),
        keep=None if keep is None else CurvedScore(**curved(keep)),
        weight=weight,
    )
    kept = None if keep is None else keep.placed
    parts = plain.parts._replace(next=after.placed, keep=kept)
    weighing = plain.calibrator.model_copy(update={"benefit": benefit, "usual": usual})
    return Blended(weighing, parts, "")


def _with_cost(
    chosen: Blended, cost: FittedPart, most: float, power: float, usual: float
) -> Blended:
    least = float(np.clip(np.nanquantile(cost.placed, _CHEAPEST), 1e-6, 1.0))
    extra = ExtraCost(
        **curved(cost),
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
