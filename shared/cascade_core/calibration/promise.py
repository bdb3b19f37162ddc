"""Finds thresholds whose promise passes its test: which losses are tested, in which order.

The tests themselves are in `statistics.fixed_sequence`. With two tiers and harm every threshold is
tested, from the strictest down, as harm can only rise when the threshold falls. Everything else is
tested along one path of threshold vectors that was fixed on other rows.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.objective import Objective, TuningError
from cascade_core.calibration.points import OperatingPoints, frontier, thin
from cascade_core.calibration.straight import (
    SAME_COST,
    cost_of,
    goes_straight,
    keeps,
    nothing_accepted,
    pays_less,
)
from cascade_core.calibration.thresholds import operating_points
from cascade_core.costs.shown import dollars
from cascade_core.evaluation.scored import Scored, serve
from cascade_core.policy.evidence import Promise
from cascade_core.statistics.fixed_sequence import certify_path, certify_sweep
from cascade_core.statistics.labels_needed import Certified, Refused

_LONGEST_NAME = 60
_PATH = 200
"""Most threshold vectors on a path. More would be finer and cost time, not confidence."""


@dataclass(frozen=True, slots=True)
class Picked:
    """Thresholds, and what was promised of them.

    Attributes:
        thresholds: One for every tier but the last.
        classes: Classes' own thresholds.
        promises: What held in its test.
        refused: Classes for which nothing could be promised, with the reason; every request
            of theirs goes to the last tier.
        straight: Classes whose requests all go straight to the last tier because that costs
            less, with what it costs; it loses nothing, so there is nothing to test.
    """

    thresholds: tuple[float, ...]
    promises: tuple[Promise, ...]
    classes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    straight: Mapping[str, str] = field(default_factory=dict)


ToLabel: TypeAlias = Callable[[int, float], int]
"""Rows to label for so many to test on, of a class with so large a share of the rows."""


_Found: TypeAlias = tuple[tuple[float, ...], Promise | None]


def certify(  # noqa: PLR0913 - what is promised, and all it is tested on
    objective: Objective,
    fitted: Scored,
    tested: Scored,
    groups: Ints | None = None,
    *,
    heaviest: float | None = None,
    to_label: ToLabel = lambda tests, _: tests,
    force: bool = False,
) -> Picked:
    """Return the cheapest thresholds whose promise stands.

    Args:
        objective: Quality or harm, with a confidence.
        fitted: Rows to plan on; whatever was fitted may have seen them.
        tested: Rows that nothing was fitted to, scored with the policy that ships.
        groups: Which of the tested rows belong together, shape (n,).
        heaviest: The largest weight a row (or group) can have; None = the largest tested.
        to_label: How many rows to label for so many to test on.
        force: Whether going straight to the last tier is no choice.

    Raises:
        TuningError: The rows do not carry the promise; the message says why, and how many
            labels would.
    """
    found = _certify(objective, objective.delta, fitted, tested, groups, heaviest, force=force)
    if isinstance(found, Refused):
        msg = f"{objective}: cannot be promised: {_reason(found, to_label, 1.0)}"
        raise TuningError(msg)
    thresholds, promise = found
    return Picked(thresholds, () if promise is None else (promise,))


def certify_by_class(
    objective: Objective,
    parts: Mapping[str, tuple[Scored, Scored, Ints | None]],
    *,
    heaviest: float | None = None,
    to_label: ToLabel = lambda tests, _: tests,
    force: bool = False,
) -> Picked:
    """Return thresholds for every class, each with a promise of its own.

    The share of wrong promises is split evenly over the classes (Bonferroni), so that all
    of them hold together. A request of no known class goes to the last tier.

    Args:
        objective: Quality or harm, with a confidence.
        parts: By class, the rows to plan on, the rows to test on, and which of the latter belong
            together, each as in `certify`.
        heaviest: As in `certify`, of any class.
        to_label: As in `certify`.
        force: Whether a class may have a cascade that costs more than the last tier where no
            class has one that costs less.

    Raises:
        TuningError: Nothing can be promised for any class.
    """
    delta = objective.delta / len(parts)
    found = {
        name: _certify(objective, delta, fitted, tested, groups, heaviest, force=force)
        for name, (fitted, tested, groups) in parts.items()
    }
    total = sum(len(tested) for _, tested, _ in parts.values())
    shares = {name: len(tested) / total for name, (_, tested, _) in parts.items()}
    dearer = {
        name
        for name, one in found.items()
        if not isinstance(one, Refused)
        and (one[1] is None or (pays_less(parts[name][1], one[0]) and keeps(objective)))
    }
    certified = [name for name, one in found.items() if not isinstance(one, Refused)]
    if not certified:
        raise TuningError(f"{objective}: {_no_class(found, shares, to_label)}")
    if force and len(dearer) == len(certified):
        dearer = set()
    classes: dict[str, tuple[float, ...]] = {}
    promises, refused, straight = [], {}, {}
    nothing: tuple[float, ...] = ()
    for name, one in found.items():
        tested = parts[name][1]
        classes[name] = nothing = nothing_accepted(tested)
        if isinstance(one, Refused):
            refused[name] = _reason(one, to_label, shares[name])
        elif name in dearer:
            straight[name] = f"{dollars(cost_of(tested, nothing))} a request"
            if one[1] is not None:
                cascade = dollars(cost_of(tested, one[0]))
                straight[name] += f", against {cascade} with the best cascade"
        else:
            classes[name] = one[0]
            promises += [one[1].model_copy(update={"class_name": name})] if one[1] else []
    return Picked(nothing, tuple(promises), classes, refused, straight)


def _reason(refused: Refused, to_label: ToLabel, share: float) -> str:
    """Say why there is no promise, and how many rows to label for one."""
    if refused.labels_needed is None:
        return refused.reason
    rows = to_label(refused.labels_needed, share)
    return f"{refused.reason}; if the loss stays as seen, label about {rows:,} rows"


def _no_class(
    found: Mapping[str, _Found | Refused],
    shares: Mapping[str, float],
    to_label: ToLabel,
) -> str:
    """Say what the class that is nearest to a promise lacks; a hundred classes are no line."""
    reasons = {name: one for name, one in found.items() if isinstance(one, Refused)}
    nearest = min(reasons, key=lambda name: reasons[name].labels_needed or math.inf)
    said = _reason(reasons[nearest], to_label, shares[nearest])
    name = textwrap.shorten(nearest, _LONGEST_NAME)
    if len(reasons) == 1:
        return f"cannot be promised for class {name}: {said} of it"
    return f"cannot be promised for any of {len(reasons)} classes: of {name}, the nearest, {said}"


def _certify(  # noqa: PLR0913, PLR0917 - what is promised, and all it is tested on
    objective: Objective,
    delta: float,
    fitted: Scored,
    tested: Scored,
    groups: Ints | None,
    heaviest: float | None,
    *,
    force: bool = False,
) -> _Found | Refused:
    """Return thresholds and their promise, which going straight to the last tier does not need."""
    if not _weighs(fitted) or not _weighs(tested):
        return Refused("no labelled row is there to test it on", None)
    test = _Test(objective, delta, tested, groups, heaviest)
    if objective.kind == "harm" and len(tested.confidences) == 1:
        found = test.sweep()
        if isinstance(found, Refused):
            return found
        last = np.array([found.threshold])
        # With paid signals a stricter threshold may cost less.
        points = operating_points(tested)
        stricter = points.take(np.flatnonzero(points.thresholds[:, 0] > found.threshold))
        passed = np.concatenate([stricter.thresholds, last[None]])
        costs = np.append(stricter.cost, cost_of(tested, list(last)))
    else:
        path = plan_path(fitted, cascade=force)
        found = test.along(path.thresholds)
        if isinstance(found, Refused):
            return found
        passed = path.thresholds[: found.index + 1]
        last = passed[-1]
        costs = np.array([cost_of(tested, list(thresholds)) for thresholds in passed])
        if (serve(tested, list(last)).tier == len(last)).all():
            if goes_straight(last) and keeps(objective):  # whatever else there is costs more
                return nothing_accepted(tested), None
            return Refused("the promise stands only where every draft is rejected", None)
    # All of these passed, so whichever is taken, the chance of a broken promise stays the same.
    best = _cheapest(passed, costs)
    if best is not None and (best != last).any():
        again = test.along(best[None])
        if not isinstance(again, Refused):
            found, last = again, best
    thresholds = tuple(float(t) for t in last)
    return thresholds, test.promise(found, thresholds)


def _cheapest(passed: Array, costs: Array) -> Array | None:
    """Return the cascade that costs least, the last of those alike; None where nobody knows."""
    cascades = [place for place, thresholds in enumerate(passed) if not goes_straight(thresholds)]
    passed, costs = passed[cascades], costs[cascades]
    if not cascades or np.isnan(costs).any():
        return None
    least = costs.min()
    best: Array = passed[int(np.flatnonzero(costs <= least * (1 + SAME_COST))[-1])]
    return best


@dataclass(frozen=True, slots=True)
class _Test:
    """What is promised, and all it is tested on."""

    objective: Objective
    delta: float
    tested: Scored
    groups: Ints | None
    heaviest: float | None

    def sweep(self) -> Certified | Refused:
        """Find the lowest threshold of two tiers whose harm passes."""
        return certify_sweep(
            self.tested.met(0),
            self.tested.losses()[0],
            limit=self.objective.limit,
            delta=self.delta,
            weights=self.tested.weights,
            groups=self.groups,
            heaviest=self.heaviest,
        )

    def along(self, path: Array) -> Certified | Refused:
        """Find the last point of a path that passes as all before it do."""
        strong = self.tested.qualities[-1]

        def harm(place: int) -> Array:
            return serve(self.tested, list(path[place])).harm

        def shortfall(place: int) -> Array:
            """Return what is missing to the quality asked for, in [−1, limit]."""
            return self.objective.limit * strong - serve(self.tested, list(path[place])).quality

        losses, limit, lowest, highest = harm, self.objective.limit, 0.0, 1.0
        if self.objective.kind == "quality":
            losses, limit, lowest, highest = shortfall, 0.0, -1.0, self.objective.limit
        return certify_path(
            losses,
            len(path),
            limit=limit,
            delta=self.delta,
            lowest=lowest,
            highest=highest,
            weights=self.tested.weights,
            groups=self.groups,
            heaviest=self.heaviest,
        )

    def promise(self, found: Certified, thresholds: Sequence[float]) -> Promise:
        """Return what passed as a promise."""
        assert self.objective.kind in {"quality", "harm"}  # noqa: S101 - nothing else is promised
        seen = found.loss
        if self.objective.kind == "quality":
            best = _mean(self.tested.qualities[-1], self.tested)
            served = serve(self.tested, thresholds)
            seen = _mean(served.quality, self.tested) / best if best > 0 else 1.0
        return Promise(
            kind=self.objective.kind,
            limit=self.objective.limit,
            confidence=1 - self.delta,
            rows=found.rows,
            seen=seen,
            p_value=found.p_value,
            method=found.method,
        )


def _weighs(scored: Scored) -> bool:
    """Tell whether there is a row that counts."""
    return len(scored) > 0 and (scored.weights is None or bool(scored.weights.any()))


def plan_path(fitted: Scored, *, cascade: bool = False) -> OperatingPoints:
    """Fix the threshold vectors to test, the safest first, on rows that are not tested.

    They are the cheapest for each share of bad drafts accepted, from nothing accepted at all.
    Whether a draft is bad is taken from its confidence, not from its label: of the few harmed rows
    at a low harm, which vector accepts them is mostly chance, and the path would follow it.

    Args:
        fitted: The rows.
        cascade: Whether going straight to the last tier is no point of it.
    """
    foreseen = replace(
        fitted,
        qualities=(*(np.nan_to_num(c) for c in fitted.confidences), np.ones(len(fitted))),
    )
    points = operating_points(foreseen)
    return thin(frontier(points.cascades() if cascade else points), _PATH)


def _mean(values: Array, scored: Scored) -> float:
    return float(np.average(values, weights=scored.weights))
