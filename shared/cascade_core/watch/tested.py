"""A version under test: its policies, and what each would have done with the audits that come."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cascade_core.arrays import Array
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.scored import thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.watch.outcomes import served_by
from cascade_core.watch.trial import RunningTest


@dataclass(frozen=True, slots=True)
class Goal:
    """What is promised.

    Attributes:
        harm: Most quality lost by not asking the strongest tier, per request, in (0, 1).
        confidence: In (0, 1).
    """

    harm: float
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Check both.

        Raises:
            ConfigurationError: One is out of range.
        """
        for name, such in (("harm", "0.02"), ("confidence", "0.95")):
            value = getattr(self, name)
            if not 0 < value < 1:
                msg = f"{name}={value:g}: give a number between 0 and 1, e.g. {such}"
                raise ConfigurationError(msg)

    def delta_of(self, version: int) -> float:
        """Return the share of delta that a version gets; versions are counted from 1."""
        return (1 - self.confidence) * 6 / (math.pi * version) ** 2


@dataclass(slots=True, eq=False)
class Tested:
    """A version under test.

    Attributes:
        number: Which version, from 1.
        policies: Its policies, from the strictest to the loosest.
        trial: Their test.
        frozen_at: How many audits there had been.
        fitted: How many of them it was fitted to; 0 for one that was given.
        given: Whether somebody activated it by hand: it stays until harm above the limit shows.
        stale: Whether harm has risen since it was frozen.
    """

    number: int
    policies: tuple[Policy, ...]
    trial: RunningTest
    frozen_at: int
    given: bool = False
    stale: bool = False
    fitted: int = 0

    def read(self, rows: Table) -> None:
        """Test the version on rows that came after it was frozen."""
        scored = score(rows, self.policies[0])
        found = served_by(scored, [thresholds_of(policy, rows) for policy in self.policies])
        self.trial.update(found.harm, found.cost, found.strong, weights_of(rows))

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        policies = [policy.model_dump(mode="json", exclude_none=True) for policy in self.policies]
        first, *others = policies
        return {
            "number": self.number,
            "document": first,
            "thresholds": [other["thresholds"] for other in others],
            "trial": self.trial.as_dict(),
            "frozen_at": self.frozen_at,
            "given": self.given,
            "stale": self.stale,
            "fitted": self.fitted,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Tested:
        """Go on with one that was kept."""
        first = Policy.load(kept["document"])
        others = (first.model_copy(update={"thresholds": tuple(t)}) for t in kept["thresholds"])
        trial = RunningTest.from_dict(kept["trial"])
        return cls(
            kept["number"],
            (first, *others),
            trial,
            kept["frozen_at"],
            given=bool(kept["given"]),
            stale=bool(kept["stale"]),
            fitted=kept.get("fitted", 0),
        )


def weights_of(rows: Table) -> Array:
    """Return what each row weighs, (n,)."""
    return np.ones(len(rows)) if rows.weights is None else rows.weights
