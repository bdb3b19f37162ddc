"""Thresholds as sliders hold them: where each stands, where it can go, and what a form says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.scored import by_row
from cascade_core.policy.document import Policy

SLIDER_STEPS = 100
"""Steps of a slider from “nothing is sent on” to “everything is”."""
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Positions:
    """Where all sliders stand.

    Attributes:
        others: Thresholds of every tier but the last, for requests of no class with its own.
        own: Classes' own, by class.
    """

    others: tuple[float, ...]
    own: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def of_policy(cls, policy: Policy, tiers: int | None = None) -> Positions:
        """Return the thresholds of a policy that has some.

        Args:
            policy: The policy. A threshold of its last tier has no slider.
            tiers: How many tiers there are, as far as that is known.
        """
        fits = tiers is not None and policy.fits(tiers)
        count = tiers if fits else policy.tiers
        last = None if count is None else count - 1
        own = {name: rule.thresholds[:last] for name, rule in policy.classes.items()}
        return cls(tuple(policy.thresholds or ())[:last], own)

    def for_rows(self, classes: Ints | None, names: Sequence[str]) -> tuple[Array | float, ...]:
        """Return the thresholds of rows, as `evaluation.scored.thresholds_of` does of a policy.

        Args:
            classes: (n,) codes into `names`, -1 for no class; None where no row has one.
            names: The classes.
        """
        if not self.own or classes is None:
            return self.others
        return tuple(by_row(self.others, self.own, classes, names))

    def of(self, class_name: str | None) -> tuple[float, ...]:
        """Return the thresholds that requests of a class meet."""
        return self.others if class_name is None else self.own.get(class_name, self.others)

    def fields(self) -> dict[str, float]:
        """Return the same as a form's fields."""
        found = {f"t{k}": threshold for k, threshold in enumerate(self.others)}
        for name, own in self.own.items():
            found |= {f"t{k}.{name}": threshold for k, threshold in enumerate(own)}
        return found


def positions_in(form: Mapping[str, str], start: Positions) -> Positions:
    """Read where a form's sliders stand.

    Args:
        form: `t0`, `t1` …, and of a class `t0.CLASS` …; `add` names a class that is to get its
            own. A form with none of them changes nothing.
        start: Where they stand otherwise.

    Raises:
        ConfigurationError: A threshold is not a number in [0, 1].
    """
    tiers = len(start.others)
    if not any(f"t{k}" in form for k in range(tiers)):
        others, own = start.others, dict(start.own)
    else:
        others = tuple(_number(form, f"t{k}", start.others[k], None) for k in range(tiers))
        own = {}
        for name in _named(form, tiers):
            given = start.own.get(name, others)
            own[name] = tuple(_number(form, f"t{k}.{name}", given[k], name) for k in range(tiers))
    added = form.get("add", "")
    if added and added not in own:
        own[added] = others
    return Positions(others, own)


def _named(form: Mapping[str, str], tiers: int) -> list[str]:
    found: dict[str, None] = {}
    for field_name, value in form.items():
        tier, dot, name = field_name.partition(".")
        if dot and name and value.strip() and tier in {f"t{k}" for k in range(tiers)}:
            found[name] = None
    return list(found)


def _number(form: Mapping[str, str], name: str, otherwise: float, of: str | None) -> float:
    said = form.get(name, "").strip()
    if not said:
        return otherwise
    try:
        value = float(said.replace(",", "."))
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        about = "" if of is None else f" for class {of!r}"
        msg = f"the threshold of tier {name[1:].partition('.')[0]}{about} is a number from 0 to 1"
        raise ConfigurationError(f"{msg}, such as 0.9; given: {said[:40]!r}")
    return value


def stops(confidence: Array, *also: float) -> list[float]:
    """Return the thresholds a slider can take, rising from 0 to 1.

    Confidences bunch, mostly near 1. So that each step moves about as many requests as any
    other, steps are equal shares of the drafts, not of the scale.

    Args:
        confidence: (n,) of the drafts; NaN where there was no reading.
        also: Thresholds that are stops besides.
    """
    read = confidence[~np.isnan(confidence)]
    found = {0.0, 1.0, *also}
    if not len(read):
        found |= {step / SLIDER_STEPS for step in range(SLIDER_STEPS + 1)}
    else:
        distinct = np.unique(read)
        share = np.searchsorted(np.sort(read), distinct) / len(read)
        picked = np.searchsorted(share, np.arange(1, SLIDER_STEPS) / SLIDER_STEPS)
        for place in (
            np.unique(np.clip(picked, 1, len(distinct) - 1)).tolist() if len(share) > 1 else ()
        ):
            found.add(plain_between(float(distinct[place - 1]), float(distinct[place])))
        if distinct[-1] < 1:
            found.add(plain_between(float(distinct[-1]), 1.0))  # accepts nothing
    return sorted(found)


def plain_between(low: float, high: float) -> float:
    """Return the number of fewest digits above `low` and at most `high`."""
    for digits in range(1, _DIGITS):
        scale = 10.0**digits
        number = math.floor(low * scale + 1) / scale
        if low < number <= high:
            return number
    return high


def nearest_stop(found: Sequence[float], threshold: float) -> int:
    """Return which stop is the nearest to a threshold."""
    return int(np.argmin(np.abs(np.array(found) - threshold)))
