"""Fits what asking on would gain, and weighs it in where that serves better, out of fold.

Hard requests are often hard for every model: then a draft that is probably bad is still not worth
asking on. What is fitted is `(1 - benefit) / 2` by the machinery that fits confidences, with
`(1 + q_draft - q_next) / 2` as its target; how much it weighs is chosen by what thresholds are for,
the area under the curve of quality over cost. The confidence alone stays unless a blend is better
by more than its standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.crossfit import POOL
from cascade_core.calibration.fit import Fitted
from cascade_core.calibration.objective import Objective, TuningError
from cascade_core.calibration.points import ACCEPT_NOTHING
from cascade_core.calibration.thresholds import best_point
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.curve import Axis
from cascade_core.evaluation.scored import Scored, Served, serve
from cascade_core.evaluation.scoring import score
from cascade_core.evaluation.sweeping import sweep
from cascade_core.fitted.artefact import Benefit, Calibrator
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.statistics.bootstrap import Resamples

WeighBenefit: TypeAlias = Literal["auto"] | bool
"""Whether thresholds go by the benefit too: where it serves better, always, or never."""

FitTarget: TypeAlias = Callable[[int, Array], Fitted]
"""Fits a tier's drafts to a target in [0, 1], shape (n,)."""

BENEFIT_WEIGHTS = (0.4, 0.65, 0.85, 1.0)
"""Weights of the benefit that are tried; 0 is the confidence alone."""
_DRAWS = 100
"""Resamples of the rows that tell the standard error of a gain in area."""


@dataclass(frozen=True, slots=True, eq=False)
class Blended:
    """Calibrators with their benefits, and the rows scored with them, out of fold."""

    calibrators: tuple[Calibrator, ...]
    choices: tuple[str, ...]
    scored: Scored


def check_benefit(asked: object) -> None:
    """Raise `ConfigurationError` where `benefit=` is none of its choices."""
    if not (isinstance(asked, bool) or asked == "auto"):
        msg = f"benefit={asked!r}: give 'auto', True or False"
        raise ConfigurationError(msg)


def is_weighed(asked: WeighBenefit, objective: Objective) -> bool:
    """Tell whether benefits are fitted at all.

    A limit on harm counts what is lost, and not what is gained where the draft is the better
    answer: confidences alone let less harm through there.
    """
    return objective.kind != "harm" if asked == "auto" else asked


def weigh_benefits(  # noqa: PLR0913, PLR0917 - what there is, and what for
    objective: Objective,
    rows: Table,
    scored: Scored,
    fits: Sequence[Fitted],
    fit_target: FitTarget,
    seed: int,
    *,
    always: bool = False,
) -> Blended:
    """Fit the benefit of asking on for every tier but the last, the later ones first.

    Args:
        objective: What is asked for.
        rows: Labelled rows.
        scored: The same, scored by the confidences alone, out of fold.
        fits: Those confidences.
        fit_target: Fits a tier to a target as its confidence was.
        seed: Of the resamples.
        always: Whether the best blend is taken, better than the confidence alone or not.
    """
    blends = _Blends(rows, fits)
    choices = [""] * len(fits)
    for tier in reversed(range(len(fits))):
        ahead = _asking_on(objective, scored, tier)
        quality = rows.tiers[tier].quality
        fitted = fit_target(tier, (1 + quality - ahead.quality) / 2)
        areas = _Areas(objective, rows, tier, ahead, seed)
        alone = areas.of(scored)
        tried = {
            weight: areas.of(blends.with_it(tier, fitted, weight).scored())
            for weight in BENEFIT_WEIGHTS
        }
        best = max(tried, key=lambda weight: float(tried[weight][0]))
        gain, error = float(tried[best][0] - alone[0]), float(np.std(tried[best] - alone))
        chosen = always or gain > error
        if chosen:
            blends = blends.with_it(tier, fitted, best)
            scored = blends.scored()
        choices[tier] = _say(best, gain, error, fitted, chosen=chosen)
    return Blended(blends.calibrators, tuple(choices), scored)


class _Blends:
    """Calibrators of some rows, some with a benefit, and what they say out of fold."""

    def __init__(self, rows: Table, fits: Sequence[Fitted]) -> None:
        self._rows, self._fits = rows, fits
        self.calibrators = tuple(fit.calibrator for fit in fits)
        self._kept: tuple[Array | None, ...] = (None,) * len(fits)

    def with_it(self, tier: int, fitted: Fitted, weight: float) -> _Blends:
        """Return them with a benefit for one tier."""
        own = fitted.calibrator
        benefit = Benefit(
            score=own.score, curve=own.curve, class_curves=own.class_curves, weight=weight
        )
        found = _Blends(self._rows, self._fits)
        calibrators, kept = list(self.calibrators), list(self._kept)
        calibrators[tier] = calibrators[tier].model_copy(update={"benefit": benefit})
        kept[tier] = fitted.placed
        found.calibrators, found._kept = tuple(calibrators), tuple(kept)
        return found

    def scored(self) -> Scored:
        """Return the rows as they score them."""
        placed = [fit.placed for fit in self._fits]
        document = Policy(calibrators=self.calibrators)
        return score(self._rows, document, confidences=placed, kept=self._kept)


def _asking_on(objective: Objective, scored: Scored, tier: int) -> Served:
    """Return what becomes of every row that a tier sends on."""
    tiers = len(scored.confidences)
    thresholds = [ACCEPT_NOTHING] * tiers
    if tier + 1 < tiers:
        try:
            best = best_point(objective, scored).thresholds[0].tolist()
        except TuningError:  # nothing serves the objective: then the last tier answers
            best = thresholds
        thresholds[tier + 1 :] = best[tier + 1 :]
    return serve(scored, thresholds)


class _Areas:
    """Areas under the curve of quality over cost, of one tier and of what asking on gives."""

    def __init__(
        self, objective: Objective, rows: Table, tier: int, ahead: Served, seed: int
    ) -> None:
        self._tier, self._ahead = tier, ahead
        self._objective = objective
        n = len(rows)
        rng = np.random.default_rng(seed)
        some = np.arange(n) if n <= POOL else np.sort(rng.choice(n, POOL, replace=False))
        self._rows: Ints = some
        groups = None if rows.groups is None else rows.groups[self._rows]
        drawn = Resamples.draw(len(self._rows), groups=groups, resamples=_DRAWS, seed=seed)
        self._times = drawn.counts[:, drawn.unit]

    def of(self, scored: Scored) -> Array:
        """Return the area on the rows, and then those on each resample."""
        scored, ahead = scored.take(self._rows), self._ahead
        quality, cost = ahead.quality[self._rows], ahead.cost[self._rows]
        weights = np.ones(len(scored)) if scored.weights is None else scored.weights
        k = self._tier
        known = scored.priced and self._objective.kind != "max_escalated"
        draft = scored.drafts[k] if known else np.zeros(len(scored))
        dearer = known and np.average(cost - draft, weights=weights) > 0
        axis: Axis = "cost" if dearer else "escalated"
        merit, own, paid = scored.met(k), scored.qualities[k], scored.read(k) if known else ()

        def area(times: Array) -> float:
            weighed = weights * times
            curve = sweep(merit, own, quality, draft, cost, weighed, paid=paid)
            return curve.mean_quality(axis)

        return np.array([area(np.ones(len(scored))), *map(area, self._times)])


def _say(weight: float, gain: float, error: float, fitted: Fitted, *, chosen: bool) -> str:
    """Say in one line what came of the benefit."""
    found = f"{gain:+.4f} ± {error:.4f} mean quality along the curve"
    if chosen:
        return f"benefit of asking on weighs {weight:g} ({found}; {fitted.choice})"
    return f"without the benefit of asking on, which does not stand out ({found})"
