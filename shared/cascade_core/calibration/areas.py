"""Tells which of several ways to weigh what is known of drafts serves thresholds best, out of fold.

What thresholds are for is quality along the curve of quality over cost: its area is taken for
each way, on the rows and on resamples of them, and what is plainer stays unless another is better
by more than its standard error.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.crossfit import POOL
from cascade_core.calibration.scores import Method
from cascade_core.evaluation.curve import Axis
from cascade_core.evaluation.scoring import met_by_thresholds
from cascade_core.evaluation.sweeping import sweep
from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.merits import MeritParts, WorkedOut
from cascade_core.labels import Table
from cascade_core.statistics.bootstrap import Resamples

_DRAWS = 100
"""Resamples of the rows that tell the standard error of a gain in area."""
_ALIKE = 0.05
"""Spread of costs, beside their mean, below which all cost the same."""


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


def curved(fitted: FittedPart) -> dict[str, Any]:
    """Return the score and the curves of a fit, as any `CurvedScore` takes them."""
    own = fitted.calibrator
    return {"score": own.score, "curve": own.curve, "class_curves": own.class_curves}


class FitTarget(Protocol):
    """Fits a tier's drafts to something else than their quality."""

    def __call__(
        self,
        target: Array,
        method: Method | None,
        what: str,
        without: Collection[str] = (),
        /,
    ) -> FittedPart:
        """Fit them.

        Args:
            target: In [0, 1], shape (n,).
            method: By which; None = as the confidence was.
            what: What the target is, in words.
            without: Signals that are not to be read.
        """
        ...


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


class Areas:
    """Areas under the curve of quality over cost, of one tier and of what asking on gives.

    Attributes:
        spread: Whether what asking on costs differs from request to request, and counts.
        usual: The mean quality of what asking on gives.
        prices: What the tier's paid signals cost, as shares of the mean cost of asking on; empty
            where costs do not count.
    """

    def __init__(self, rows: Table, tier: int, ahead: Ahead, seed: int, *, by_cost: bool) -> None:
        there = np.flatnonzero(~np.isnan(rows.tiers[tier].quality + ahead.quality))
        if len(there) > POOL:
            there = np.sort(np.random.default_rng(seed).choice(there, POOL, replace=False))
        self._there: Ints = there
        self._rows = rows.take(there)
        self._tier = tier
        self._known: WorkedOut = {}
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
        mean = np.average(self._cost, weights=self._weights) if dearer else np.inf
        self.prices = {
            name: float(np.average(price, weights=self._weights) / mean)
            for name, price in self._rows.tiers[tier].paid.items()
            if dearer
        }
        drawn = Resamples.draw(len(there), groups=self._rows.groups, resamples=_DRAWS, seed=seed)
        self._times = drawn.counts[:, drawn.unit]

    def better(
        self,
        plain: Blended,
        tried: list[Blended],
        *,
        always: bool = False,
        errors: float = 1.0,
    ) -> tuple[Blended, str]:
        """Return the best that was tried, or what is plain where that does not stand out.

        Args:
            plain: What is plainer.
            tried: What else there is.
            always: Whether the best of these is taken all the same.
            errors: By how many standard errors it has to be better.
        """
        alone = self._of(plain)
        areas = [self._of(each) for each in tried]
        best = max(range(len(tried)), key=lambda place: float(areas[place][0]))
        gain = areas[best] - alone
        error = float(np.std(gain[1:]))
        said = f"{gain[0]:+.4f} ± {error:.4f} mean quality along the curve"
        return (tried[best] if always or gain[0] > errors * error else plain), said

    def _of(self, blended: Blended) -> Array:
        """Return the area on the rows, and then those on each resample."""
        parts = MeritParts(*(None if of is None else of[self._there] for of in blended.parts))  # type: ignore[arg-type]
        merit, paid = met_by_thresholds(
            self._rows, self._tier, blended.calibrator, parts, self._known
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
