"""Finds thresholds whose promise passes its test: which losses are tested, in which order.

The tests themselves are in `statistics.fixed_sequence`. With two tiers and harm every threshold is
tested, from the strictest down, as harm can only rise when the threshold falls. Everything else is
tested along one path of threshold vectors that was fixed on other rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.objective import Objective, TuningError
from cascade_core.calibration.points import ACCEPT_NOTHING, OperatingPoints, frontier, thin
from cascade_core.calibration.thresholds import operating_points
from cascade_core.evaluation.scored import Scored, serve
from cascade_core.policy.evidence import Promise
from cascade_core.statistics.fixed_sequence import certify_path, certify_sweep
from cascade_core.statistics.labels_needed import Certified, Refused

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
            of theirs goes to the strongest tier.
    """

    thresholds: tuple[float, ...]
    promises: tuple[Promise, ...]
    classes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


def certify(
    objective: Objective,
    fitted: Scored,
    tested: Scored,
    groups: Ints | None = None,
    *,
    heaviest: float | None = None,
) -> Picked:
    """Return the cheapest thresholds whose promise stands.

    Args:
        objective: Quality or harm, with a confidence.
        fitted: Rows to plan on; whatever was fitted may have seen them.
        tested: Rows that nothing was fitted to, scored with the policy that ships.
        groups: Which of the tested rows belong together, shape (n,).
        heaviest: The largest weight a row (or group) can have; None = the largest tested.

    Raises:
        TuningError: The rows do not carry the promise; the message says why, and how many
            labels would.
    """
    found = _certify(objective, objective.delta, fitted, tested, groups, heaviest)
    if isinstance(found, Refused):
        msg = f"{objective}: cannot be promised: {found.reason}"
        raise TuningError(msg)
    thresholds, promise = found
    return Picked(thresholds, (promise,))


def certify_by_class(
    objective: Objective,
    parts: Mapping[str, tuple[Scored, Scored, Ints | None]],
    *,
    heaviest: float | None = None,
) -> Picked:
    """Return thresholds for every class, each with a promise of its own.

    The share of wrong promises is split evenly over the classes (Bonferroni), so that all
    of them hold together. A request of no known class goes to the strongest tier.

    Args:
        objective: Quality or harm, with a confidence.
        parts: By class, the rows to plan on, the rows to test on, and which of the latter belong
            together, each as in `certify`.
        heaviest: As in `certify`, of any class.

    Raises:
        TuningError: Nothing can be promised for any class.
    """
    delta = objective.delta / len(parts)
    classes: dict[str, tuple[float, ...]] = {}
    promises, refused = [], {}
    nothing: tuple[float, ...] = ()
    for name, (fitted, tested, groups) in parts.items():
        nothing = (ACCEPT_NOTHING,) * len(tested.confidences)
        found = _certify(objective, delta, fitted, tested, groups, heaviest)
        if isinstance(found, Refused):
            classes[name], refused[name] = nothing, found.reason
        else:
            classes[name], promise = found
            promises.append(promise.model_copy(update={"class_name": name}))
    if not promises:
        alike: dict[str, list[str]] = {}
        for name, reason in refused.items():
            alike.setdefault(reason, []).append(name)
        reasons = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in alike.items())
        msg = f"{objective}: cannot be promised for any class: {reasons}"
        raise TuningError(msg)
    return Picked(nothing, tuple(promises), classes, refused)


def _certify(  # noqa: PLR0913, PLR0917 - what is promised, and all it is tested on
    objective: Objective,
    delta: float,
    fitted: Scored,
    tested: Scored,
    groups: Ints | None,
    heaviest: float | None,
) -> tuple[tuple[float, ...], Promise] | Refused:
    if not _weighs(fitted) or not _weighs(tested):
        return Refused("no labelled row is there to test it on", None)
    if objective.kind == "harm" and len(tested.confidences) == 1:
        found = certify_sweep(
            tested.confidences[0],
            tested.losses()[0],
            limit=objective.limit,
            delta=delta,
            weights=tested.weights,
            groups=groups,
            heaviest=heaviest,
        )
        if isinstance(found, Refused):
            return found
        return (found.threshold,), _promise(objective, delta, found, found.loss)
    path = plan_path(fitted)
    return _along(objective, delta, path, tested, groups, heaviest)


def _weighs(scored: Scored) -> bool:
    """Tell whether there is a row that counts."""
    return len(scored) > 0 and (scored.weights is None or bool(scored.weights.any()))


def plan_path(fitted: Scored) -> OperatingPoints:
    """Fix the threshold vectors to test, the safest first, on rows that are not tested.

    They are the cheapest for each share of bad drafts accepted, from nothing accepted at all.
    Whether a draft is bad is taken from its confidence, not from its label: of the few harmed rows
    at a low harm, which vector accepts them is mostly chance, and the path would follow it.
    """
    foreseen = replace(
        fitted,
        qualities=(*(np.nan_to_num(c) for c in fitted.confidences), np.ones(len(fitted))),
    )
    return thin(frontier(operating_points(foreseen)), _PATH)


def _along(  # noqa: PLR0913, PLR0917 - what is promised, and all it is tested on
    objective: Objective,
    delta: float,
    path: OperatingPoints,
    tested: Scored,
    groups: Ints | None,
    heaviest: float | None,
) -> tuple[tuple[float, ...], Promise] | Refused:
    strong = tested.qualities[-1]

    def harm(place: int) -> Array:
        return serve(tested, list(path.thresholds[place])).harm

    def shortfall(place: int) -> Array:
        """Return what is missing to the quality asked for, in [−1, limit]."""
        return objective.limit * strong - serve(tested, list(path.thresholds[place])).quality

    losses, limit, lowest, highest = harm, objective.limit, 0.0, 1.0
    if objective.kind == "quality":
        losses, limit, lowest, highest = shortfall, 0.0, -1.0, objective.limit
    found = certify_path(
        losses,
        len(path),
        limit=limit,
        delta=delta,
        lowest=lowest,
        highest=highest,
        weights=tested.weights,
        groups=groups,
        heaviest=heaviest,
    )
    if isinstance(found, Refused):
        return found
    thresholds = tuple(float(t) for t in path.thresholds[found.index])
    served = serve(tested, list(thresholds))
    if (served.tier == len(thresholds)).all():
        return Refused("the promise stands only where every draft is rejected", None)
    seen = found.loss
    if objective.kind == "quality":
        best = _mean(strong, tested)
        seen = _mean(served.quality, tested) / best if best > 0 else 1.0
    return thresholds, _promise(objective, delta, found, seen)


def _promise(objective: Objective, delta: float, found: Certified, seen: float) -> Promise:
    assert objective.kind in {"quality", "harm"}  # noqa: S101 - nothing else is promised
    return Promise(
        kind=objective.kind,
        limit=objective.limit,
        confidence=1 - delta,
        rows=found.rows,
        seen=seen,
        p_value=found.p_value,
        method=found.method,
    )


def _mean(values: Array, scored: Scored) -> float:
    return float(np.average(values, weights=scored.weights))
