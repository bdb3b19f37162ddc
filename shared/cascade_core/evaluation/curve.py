"""The cost–quality curve of two tiers: what each threshold costs and gives, and figures of it.

Points are ordered from the most lenient threshold (everything that has a
confidence is accepted) to the strictest (nothing is), as plots draw them:
`threshold` and `escalated` both rise. `sweeping` draws the curve.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import Literal, TypeAlias

import numpy as np

from cascade_core.arrays import Array
from cascade_core.errors import ConfigurationError

ROUNDING = 1e-12
"""By how much a mean of many may end short of what it is."""

Axis: TypeAlias = Literal["escalated", "cost"]
"""What is laid along a curve: the share sent to the strong model, or the share of the cost span."""

CPT_SHARES = (0.5, 0.8, 0.95)
"""Shares of the quality gap that CPT is customarily given for."""


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold of a curve; costs in USD per request.

    Attributes:
        threshold: A draft is accepted when its confidence is at least this.
        escalated: Share of the requests that ask the strong model.
        quality: Mean quality of what is returned.
        cost: Mean cost, every paid call counted.
        cost_share: `(cost − cheap) / (strong − cheap)`; above 1 it costs more than the strong
            tier alone.
        harm: Mean over all requests of the quality lost by not asking the strong model.
    """

    threshold: float
    escalated: float
    quality: float
    cost: float
    cost_share: float
    harm: float


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Every threshold of a two-tier cascade, most lenient first.

    Along either axis the curve is the line through its points, from the cheap model alone at 0:
    between two thresholds one may toss a coin, and rows with equal confidence (or with none) are
    escalated in random order. A confidence that says nothing is therefore the straight line
    and recovers one half.

    Attributes:
        threshold: (k,) rising; the first accepts all that have a confidence, the last, infinite,
            accepts nothing.
        escalated: (k,) share of the requests sent to the strong model, rising to 1.
        quality: (k,) mean quality.
        cost: (k,) mean USD per request, an escalated one paying for both tiers; NaN where any cost
            is not known.
        harm: (k,) mean over all requests of what the accepted ones lost, falling to 0.
        weak_quality: Mean quality of the cheap model alone.
        strong_quality: Mean quality of the strong model alone.
        weak_harm: Harm of never asking the strong model.
        weak_cost: Mean USD of the cheap model's answers alone, without paid signals.
        strong_cost: Mean USD of the strong model alone.
        rows: Rows the curve was drawn from.
        left_out: Rows of the table that could not be used: a quality was not observed.
    """

    threshold: Array
    escalated: Array
    quality: Array
    cost: Array
    harm: Array
    weak_quality: float
    strong_quality: float
    weak_harm: float
    weak_cost: float
    strong_cost: float
    rows: int
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.threshold)

    @property
    def gap(self) -> float:
        """Quality that the strong model has over the cheap one; may be negative."""
        return self.strong_quality - self.weak_quality

    @property
    def cost_share(self) -> Array:
        """`(cost − cheap) / (strong − cheap)`, (k,); NaN where costs are unknown or do not differ.

        A cascade pays for the drafts it throws away, so at full escalation this is above 1.
        """
        span = self.strong_cost - self.weak_cost
        return (self.cost - self.weak_cost) / (span if span > 0 else nan)

    @property
    def recovered(self) -> Array:
        """Share of the quality gap recovered, (k,); NaN where the strong model is no better."""
        if self.gap <= 0:
            return np.full(len(self), nan)
        return (self.quality - self.weak_quality) / self.gap

    def point(self, index: int) -> Point:
        """Return one point; `index` counts as in a list, so −1 is the strictest."""
        return Point(
            threshold=float(self.threshold[index]),
            escalated=float(self.escalated[index]),
            quality=float(self.quality[index]),
            cost=float(self.cost[index]),
            cost_share=float(self.cost_share[index]),
            harm=float(self.harm[index]),
        )

    def along(self, axis: Axis = "escalated") -> tuple[Array, Array]:
        """Return the line that APGR and CPT are read from.

        Args:
            axis: "escalated" or "cost".

        Returns:
            Positions on the axis, never falling, and the mean quality there; both (k + 1,). They
            start with the cheap model alone at 0, which a cascade with paid signals, or with rows
            that have no confidence, does not reach itself.
        """
        if axis not in {"escalated", "cost"}:
            msg = f"axis={axis!r}: choose 'escalated' or 'cost'"
            raise ConfigurationError(msg)
        position = self.escalated if axis == "escalated" else self.cost_share
        return (
            np.concatenate(([0.0], position)),
            np.concatenate(([self.weak_quality], self.quality)),
        )

    def apgr(self, axis: Axis = "escalated") -> float:
        """Average performance gap recovered: the mean of `recovered` over the axis from 0 to 1.

        Ong et al., "RouteLLM: Learning to Route LLMs with Preference Data", 2024, there with the
        share of strong calls as the axis. On the cost axis every paid call counts.

        Args:
            axis: "escalated" or "cost".

        Returns:
            0.5 for a random order on the escalated axis; NaN where the strong model is no better
            or, on the cost axis, costs are unknown or the strong model is no dearer.
        """
        if self.gap <= 0:
            return nan
        return (self.mean_quality(axis) - self.weak_quality) / self.gap

    def cpt(self, share: float, axis: Axis = "escalated") -> float:
        """Call–performance threshold: how much of the axis recovers `share` of the gap.

        Ong et al., 2024 (RouteLLM): CPT(x).

        Args:
            share: Share of the quality gap to recover, in (0, 1].
            axis: "escalated" for the share of strong calls, "cost" for the share of the cost span.

        Returns:
            The smallest such position; above 1 on the cost axis where the cascade is dearer than
            the strong model by then. NaN as for `apgr`.
        """
        if not 0 < share <= 1:
            msg = f"cpt({share!r}): the share of the gap is a number above 0, at most 1"
            raise ConfigurationError(msg)
        position, quality = self.along(axis)
        if self.gap <= 0 or not isfinite(position[-1]):
            return nan
        wanted = self.strong_quality if share == 1 else self.weak_quality + share * self.gap
        after = max(int(np.argmax(quality >= wanted - ROUNDING)), 1)
        before = after - 1
        part = (wanted - quality[before]) / ((quality[after] - quality[before]) or 1.0)
        return float(position[before] + min(part, 1.0) * (position[after] - position[before]))

    def thinned(self, points: int = 400) -> Curve:
        """Return the curve with at most about this many points, both ends kept, for a plot."""
        if len(self) <= points:
            return self
        grid = np.linspace(self.escalated[0], self.escalated[-1], points)
        keep = np.unique(np.append(np.searchsorted(self.escalated, grid), len(self) - 1))
        keep = np.unique(np.append(0, np.minimum(keep, len(self) - 1)))
        return replace(
            self,
            threshold=self.threshold[keep],
            escalated=self.escalated[keep],
            quality=self.quality[keep],
            cost=self.cost[keep],
            harm=self.harm[keep],
        )

    def mean_quality(self, axis: Axis = "escalated") -> float:
        """Return the mean quality over the axis from 0 to 1; NaN where costs are unknown.

        Args:
            axis: "escalated" or "cost".
        """
        position, quality = self.along(axis)
        if not isfinite(position[-1]):
            return nan
        inside = position < 1
        position = np.append(position[inside], 1.0)
        quality = np.append(quality[inside], np.interp(1.0, *self.along(axis)))
        return float(np.sum(np.diff(position) * (quality[1:] + quality[:-1])) / 2)
