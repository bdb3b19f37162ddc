"""What counts as a reading, and how the readings of several signals become one confidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, Self, SupportsFloat, TypeAlias

from cascade_core.errors import ConfigurationError

Reading: TypeAlias = float | None
"""A number in [0, 1], higher = more trustworthy; None where a signal could read nothing."""


class Evidenced(float):
    """A reading that carries what it rests on, for the record.

    Attributes:
        evidence: Plain JSON, without any text of a prompt or an answer.
    """

    evidence: Any

    def __new__(cls, reading: float, evidence: Any) -> Self:
        """Make one of a number and what it rests on."""
        made = super().__new__(cls, reading)
        made.evidence = evidence
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Be copied and pickled with it."""
        return type(self), (float(self), self.evidence)


Readings: TypeAlias = Mapping[str, Reading]
"""By signal."""


def plain_readings(readings: Readings) -> dict[str, Reading]:
    """Return readings as plain numbers: checkpoints and traces write no others."""
    return {name: None if read is None else float(read) for name, read in readings.items()}


def as_reading(value: object) -> tuple[Reading, str | None]:
    """Read what a caller's code returned; numbers of numpy and the like are numbers too.

    Returns:
        The reading, and where the value is neither a number in [0, 1] nor
        None, what it is instead, for a warning.
    """
    if type(value) is float and 0 <= value <= 1:  # what nearly every reading is
        return value, None
    if type(value) is Evidenced and 0 <= value <= 1:
        return value, None
    if value is None:
        return None, None
    if not isinstance(value, float | SupportsFloat):
        return None, type(value).__name__
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None, type(value).__name__
    if 0 <= number <= 1:
        return number, None
    return None, "NaN" if math.isnan(number) else f"{number:g}"


class Combiner(Protocol):
    """Turns readings into a confidence.

    It must never fall when a reading rises: early aborts and skipped paid
    signals rest on that.
    """

    @property
    def identity(self) -> str:
        """A string equal for combiners that combine alike."""
        ...

    def combine(self, readings: Readings) -> float | None:
        """Return a confidence in [0, 1], or None where there is no reading at all."""
        ...


Combine: TypeAlias = Literal["min", "mean"] | Mapping[str, float] | Combiner
"""What `combine=` takes: the lowest reading, their mean, weights by signal, or your own object."""


class Minimum:
    """The lowest reading: every signal has to be content."""

    identity = "min"

    def combine(self, readings: Readings) -> float | None:
        """Return the lowest reading there is."""
        lowest = None
        for reading in readings.values():
            if reading is not None and (lowest is None or reading < lowest):
                lowest = reading
        return lowest


class Weighted:
    """The weighted mean of the readings there are.

    Args:
        weights: Weight of each signal by name, at least 0; a name that is
            missing weighs 0. None weighs all alike.
    """

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        self.weights = None if weights is None else dict(weights)
        # Relative to the largest, so that no sum overflows.
        unit = max(self.weights.values(), default=0.0) if self.weights else 0.0
        self._shares = (
            {n: w / unit for n, w in self.weights.items()} if self.weights and unit else {}
        )

    @property
    def identity(self) -> str:
        """The weights, in a fixed order."""
        return "mean" if self.weights is None else f"weights{sorted(self.weights.items())}"

    def combine(self, readings: Readings) -> float | None:
        """Return the mean over the signals that have a reading and a weight."""
        total = mass = 0.0
        for name, reading in readings.items():
            weight = 1.0 if self.weights is None else self._shares.get(name, 0.0)
            if reading is not None and weight:
                total += weight * reading
                mass += weight
        return total / mass if mass else None


def make_combiner(combine: Combine, names: Sequence[str]) -> Combiner:
    """Read the `combine=` argument of a cascade.

    Args:
        combine: `"min"`, `"mean"`, weights by signal name, or a `Combiner`.
        names: The cascade's signals.

    Raises:
        ConfigurationError: It is none of these, names a signal the cascade
            does not have, or holds a weight that is not a number of at least 0.
    """
    if combine == "min":
        return Minimum()
    if combine == "mean":
        return Weighted()
    if isinstance(combine, Mapping):
        for name, weight in combine.items():
            if name not in names:
                known = ", ".join(names)
                msg = f"combine= weighs an unknown signal {name!r}; this cascade has: {known}"
                raise ConfigurationError(msg)
            if not _is_weight(weight):
                msg = f"combine=: the weight of {name!r} must be a number of at least 0"
                raise ConfigurationError(msg)
        if not any(combine.values()):
            msg = "combine=: at least one signal needs a weight above 0"
            raise ConfigurationError(msg)
        return Weighted(combine)
    if not isinstance(combine, str) and callable(getattr(combine, "combine", None)):
        return combine
    msg = f"combine={combine!r}: give 'min', 'mean' or weights by signal name"
    raise ConfigurationError(msg)


def _is_weight(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < math.inf
