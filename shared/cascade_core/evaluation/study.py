"""All there is to say about a replay: means with intervals, the curve, each confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cascade_core.arrays import Array
from cascade_core.costs.shown import dearer
from cascade_core.evaluation.baselines import oracle
from cascade_core.evaluation.curve import Curve
from cascade_core.evaluation.curve_intervals import curve_intervals
from cascade_core.evaluation.means import Means
from cascade_core.evaluation.replaying import Replay
from cascade_core.evaluation.sweeping import sweep
from cascade_core.files import finite
from cascade_core.policy.document import Policy
from cascade_core.statistics.bootstrap import Interval, Resamples
from cascade_core.statistics.metrics import auroc
from cascade_core.statistics.reliability import Reliability, ece_noise_floor, reliability

_SAME = 1e-9
"""Costs that are so near to each other are the same."""
_SHARES = frozenset({"quality", "strong_quality", "weak_quality", "escalated", "harm"})
"""Figures that are means of numbers in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class TierStudy:
    """How well a tier's confidence tells its good drafts from its bad ones.

    Attributes:
        tier: Which tier.
        read: Share of its drafts that have a confidence.
        auroc: Chance that a good draft has the higher confidence; NaN where all are alike.
        bins: Its reliability diagram.
        noise_floor: Calibration error that chance alone would show.
        confidence: The confidences, shape (n,).
        quality: Of its drafts, shape (n,).
    """

    tier: int
    read: float
    auroc: float
    bins: Reliability
    noise_floor: float
    confidence: Array
    quality: Array


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A replay and what there is to say about it.

    Attributes:
        replay: The replay.
        policy: What was replayed.
        intervals: 95 % intervals of the means, by name, and `relative` for the share kept of
            the last tier's quality.
        curve: From the cheapest tier to the last, over all thresholds of the first.
        curve_intervals: Of its figures.
        best: The same with perfect hindsight.
        tiers: One for every tier but the last.
    """

    replay: Replay
    policy: Policy
    intervals: Mapping[str, Interval]
    curve: Curve
    curve_intervals: Mapping[str, Interval]
    best: Curve
    tiers: tuple[TierStudy, ...]

    @property
    def models(self) -> tuple[str | None, ...]:
        """The tiers' models, as the table names them or else as the policy was tuned with them."""
        tiers = self.replay.table.tiers
        tuned = self.policy.tuned
        known = tuned.models if tuned and len(tuned.models) == len(tiers) else (None,) * len(tiers)
        return tuple(tier.model or name for tier, name in zip(tiers, known, strict=True))

    @property
    def dear(self) -> tuple[str, ...]:
        """A warning where the cascade costs more than it saves."""
        return _dear(self.replay.means, "this cascade")

    @property
    def dear_classes(self) -> tuple[str, ...]:
        """Warnings of classes for which it does."""
        of = {f"class {name!r}": means for name, means in self.replay.by_class.items()}
        return tuple(said for name, means in of.items() for said in _dear(means, name))

    @property
    def harmed(self) -> Mapping[str, str]:
        """Classes that lose more than what was promised for all requests together, and how much."""
        promised = {p.kind: p.limit for p in self.policy.promises if p.class_name is None}
        found = {}
        for name, means in self.replay.by_class.items():
            kept = means.quality / means.strong_quality if means.strong_quality else 1.0
            if means.harm > promised.get("harm", 1.0):
                lost = f"{100 * means.harm:.1f} %, above the {100 * promised['harm']:.4g} %"
                found[name] = f"loses {lost} promised for all requests together"
            elif kept < promised.get("quality", 0.0):
                keeps = f"{100 * kept:.1f} %, below the {100 * promised['quality']:.4g} %"
                found[name] = f"keeps {keeps} promised for all requests together"
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON; what could not be computed is null."""
        means = self.replay.means
        plain = self.replay.as_dict() | {
            "weak_quality": means.weak_quality,
            "weak_cost_usd": means.weak_cost_usd,
            "cost_share": means.cost_share,
            "by_tier": means.by_tier,
            "asked": means.asked,
            "policy": self.policy.name,
            "models": list(self.models),
            "warnings": [
                *self.dear,
                *self.dear_classes,
                *(f"class {n!r} {said}" for n, said in self.harmed.items()),
            ],
            "unused": dict(self.replay.unused),
            "intervals": {name: asdict(one) for name, one in self.intervals.items()},
            "curve": {
                "apgr": self.curve.apgr(),
                "apgr_cost": self.curve.apgr("cost"),
                **{f"cpt{x}": self.curve.cpt(x / 100) for x in (50, 80, 95)},
                **{f"cpt{x}_cost": self.curve.cpt(x / 100, "cost") for x in (50, 80, 95)},
                "intervals": {n: asdict(one) for n, one in self.curve_intervals.items()},
            },
            "tiers": [
                {
                    "tier": one.tier,
                    "read": one.read,
                    "auroc": one.auroc,
                    "ece": one.bins.ece,
                    "ece_noise_floor": one.noise_floor,
                }
                for one in self.tiers
            ],
            "classes": {name: own.as_dict() for name, own in self.replay.by_class.items()},
        }
        known: dict[str, Any] = finite(plain)
        return known


def _dear(means: Means, of: str) -> tuple[str, ...]:
    cost, strong = means.cost_usd, means.strong_cost_usd
    if cost is None or strong is None or cost <= strong * (1 + _SAME):
        return ()
    return (dearer(cost, strong, of),)


def study(replay: Replay, policy: Policy | str | Any, *, seed: int = 0) -> Study:
    """Work out everything a report says about a replay.

    Args:
        replay: The replay.
        policy: What was replayed.
        seed: Of bootstrap and simulation.
    """
    scored, served, groups = replay.scored, replay.served, replay.table.groups
    weights, last = scored.weights, len(scored.qualities) - 1
    drawn = Resamples.draw(len(scored), groups=groups, seed=seed)
    means = drawn.means(
        {
            "quality": served.quality,
            "strong_quality": scored.qualities[-1],
            "weak_quality": scored.qualities[0],
            "cost": served.cost,
            "strong_cost": scored.costs[-1],
            "weak_cost": scored.drafts[0],
            "escalated": np.asarray(served.tier > 0, dtype=np.float64),
            "harm": served.harm,
        },
        weights,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        means["relative"] = means["quality"] / means["strong_quality"]
        weak = means["weak_cost"]
        means["cost_share"] = (means["cost"] - weak) / (means["strong_cost"] - weak)
    if replay.means.cost_share is None:
        del means["cost_share"]
    columns = (
        scored.met(0),
        scored.qualities[0],
        scored.qualities[last],
        scored.costs[0],
        scored.costs[last],
    )
    curve = sweep(*columns, weights=weights, draft_cost=scored.drafts[0], paid=scored.read(0))
    best = oracle(*columns[1:3], scored.drafts[0], columns[-1], weights)
    return Study(
        replay=replay,
        policy=Policy.load(policy),
        intervals={
            name: drawn.interval(draws, share=name in _SHARES) for name, draws in means.items()
        },
        curve=curve,
        curve_intervals=curve_intervals(
            *columns,
            weights=weights,
            draft_cost=scored.drafts[0],
            paid=scored.read(0),
            groups=groups,
            seed=seed,
        ),
        best=best,
        tiers=tuple(_tier(replay, k, seed) for k in range(last)),
    )


def _tier(replay: Replay, tier: int, seed: int) -> TierStudy:
    scored = replay.scored
    confidence, quality = scored.confidences[tier], scored.qualities[tier]
    read = ~np.isnan(confidence)
    weights = None if scored.weights is None else scored.weights[read]
    right = np.round(quality[read])
    alike = len(right) == 0 or (right == right[0]).all()
    return TierStudy(
        tier=tier,
        read=float(np.average(read, weights=scored.weights)),
        auroc=float("nan") if alike else auroc(confidence[read], right, weights),
        bins=reliability(confidence[read], quality[read], weights),
        noise_floor=ece_noise_floor(confidence[read], weights, seed=seed),
        confidence=confidence,
        quality=quality,
    )
