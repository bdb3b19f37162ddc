"""Picks the test that fits the losses, and says what a failed one would have needed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cascade_core.arrays import Array
from cascade_core.errors import ConfigurationError
from cascade_core.statistics.labels_needed import Refused, labels_needed, units_needed
from cascade_core.statistics.pvalues import binomial_p, bounded_mean_p
from cascade_core.statistics.units import Units

_RARE = 0.01
"""Chance of losses like those seen at which labelling more is not advised any longer."""
_HALVINGS = 30


@dataclass(frozen=True, slots=True)
class LossTest:
    """A test of “the weighted mean loss is above the limit”.

    Attributes:
        units: What of the rows is independent.
        exact: Whether the binomial test is used (0/1 losses of single rows that weigh the same),
            else betting.
        limit: The mean loss that is to be ruled out.
        delta: Chance that the test may pass although the mean is above the limit.
        seed: Of the order in which bets are placed.
    """

    units: Units
    exact: bool
    limit: float
    delta: float
    seed: int

    @classmethod
    def fitting(  # noqa: PLR0913 - what is tested, and how
        cls,
        losses: Array,
        units: Units,
        *,
        limit: float,
        delta: float,
        seed: int,
        binary: bool | None,
    ) -> LossTest:
        """Pick the test by what the losses are, never by how large they came out.

        Args:
            losses: (n,), accepted rows or not.
            units: What of them is independent.
            limit: As above.
            delta: As above.
            seed: As above.
            binary: Whether losses can only ever be 0 or 1, a fact about the grader; None reads it
                off these.

        Raises:
            ConfigurationError: Losses said to be 0 or 1 are not.
        """
        whole = bool(((losses == 0.0) | (losses == 1.0)).all())
        if binary and not whole:
            raise ConfigurationError("losses said to be 0 or 1 hold other values")
        exact = units.plain and (whole if binary is None else binary)
        return cls(units, exact, limit, delta, seed)

    @property
    def method(self) -> str:
        """The name of the test, as promises give it."""
        return "binomial" if self.exact else "betting"

    def p_value(self, losses: Array) -> float:
        """Return the p-value of (n,) losses."""
        if self.exact:
            return binomial_p(int(losses.sum()), len(losses), self.limit)
        units = self.units.losses(losses, self.limit)
        return bounded_mean_p(units, self.limit, delta=self.delta, seed=self.seed)

    def refuse(self, where: str, losses: Array) -> Refused:
        """Say whether the rows are too few or the losses too large, and how many rows would do."""
        n, count = len(losses), len(self.units)
        if self.exact:
            needed = labels_needed(self.limit, self.delta, harm=float(losses.mean()))
        else:
            needed = units_needed(self.units.losses(losses, self.limit), self.limit, self.delta)
        kind = "rows" if self.units.code is None else "groups"
        if needed is None:  # seen at the limit or above it: is that more than chance?
            lowest = _lowest_mean(self.units.losses(losses, self.limit))
            needed = labels_needed(self.limit, self.delta, harm=lowest)
        if needed is None:
            return Refused(
                f"{where}, the loss seen over {count} {kind} is not below the limit by enough to "
                "tell; more labels would not help, a better signal or a wider limit would",
                None,
            )
        rows = max(n + 1, math.ceil(needed * n / count))
        return Refused(
            f"{where}, {count} {kind} are too few to promise this at confidence "
            f"{1 - self.delta:.4g}",
            rows,
        )


def _lowest_mean(losses: Array) -> float:
    """Return the lowest mean that losses like these are not too rare for (Clopper and Pearson)."""
    n, harmed = len(losses), int(losses.sum())
    low, high = 0.0, harmed / n
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rare = 0 < middle < 1 and binomial_p(n - harmed, n, 1 - middle) <= _RARE
        low, high = (middle, high) if rare else (low, middle)
    return low
