"""What tuning is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cascade_core.errors import ConfigurationError

Kind: TypeAlias = Literal["quality", "harm", "max_cost", "max_escalated"]

DEFAULT_CONFIDENCE = 0.95
"""How sure a promise about harm is where nobody said."""
_MOST = 2.0  # a cascade may beat its last tier, but 98 was meant to be 98 %


class TuningError(ConfigurationError):
    """The labelled rows do not carry what was asked for; the message says why and what would."""


@dataclass(frozen=True, slots=True)
class Objective:
    """What a policy is tuned for.

    Attributes:
        kind: `quality`: cheapest at quality ≥ `limit` × the last tier's. `harm`: cheapest
            at harm ≤ `limit`. `max_cost`: best quality at a mean of ≤ `limit` USD per request.
            `max_escalated`: best quality with ≤ `limit` of the requests escalated.
        limit: See `kind`.
        confidence: How sure to be, in (0, 1); None takes the rows at their word. Only quality
            and harm can be promised.
    """

    kind: Kind
    limit: float
    confidence: float | None = None

    @property
    def delta(self) -> float:
        """The share of tables on which a promise may turn out wrong."""
        return 1 - (DEFAULT_CONFIDENCE if self.confidence is None else self.confidence)

    def value(self, quality: float, cost: float) -> float:
        """Return what is sought, the more the better: quality, or as little cost as possible."""
        return quality if self.kind in {"max_cost", "max_escalated"} else -cost

    def __str__(self) -> str:
        """Say it in words."""
        goal = {
            "quality": f"cheapest at quality ≥ {self.limit:.4g} × the last tier's",
            "harm": f"cheapest at harm ≤ {self.limit:.4g}",
            "max_cost": f"best quality at ≤ {self.limit:.4g} USD a request",
            "max_escalated": f"best quality with ≤ {self.limit:.4g} of the requests escalated",
        }[self.kind]
        return goal if self.confidence is None else f"{goal}, {self.confidence!r} confidence"


def make_objective(
    *,
    quality: float | None = None,
    harm: float | None = None,
    max_cost: float | None = None,
    max_escalated: float | None = None,
    confidence: float | None = None,
) -> Objective:
    """Read what tuning was asked for.

    Args:
        quality: At least that share of the last tier's quality; above 0.
        harm: At most that much quality lost, in (0, 1).
        max_cost: At most that many USD per request; above 0.
        max_escalated: At most that share escalated, in [0, 1].
        confidence: See `Objective`; harm is always promised, with 0.95 where nothing is said.

    Raises:
        ConfigurationError: Not exactly one of the four, or a number out of its range.
    """
    asked: dict[Kind, float | None] = {
        "quality": quality,
        "harm": harm,
        "max_cost": max_cost,
        "max_escalated": max_escalated,
    }
    given = [(kind, limit) for kind, limit in asked.items() if limit is not None]
    if len(given) != 1:
        named = " and ".join(kind for kind, _ in given) or "none"
        msg = (
            "tune takes one of quality, harm, max_cost, max_escalated, such as harm=0.02 "
            f"(--harm 0.02); given: {named}"
        )
        raise ConfigurationError(msg)
    ((kind, limit),) = given
    within = {
        "quality": (0 < limit <= _MOST, "a share of the last tier's, e.g. 0.98"),
        "harm": (0 < limit < 1, "a number between 0 and 1, e.g. 0.02"),
        "max_cost": (0 < limit < math.inf, "USD a request, above 0"),
        "max_escalated": (0 <= limit <= 1, "a share in [0, 1]"),
    }
    fits, wanted = within[kind]
    if not fits:
        msg = f"{kind}={limit:g}: give {wanted}"
        raise ConfigurationError(msg)
    if confidence is None:
        return Objective(kind, limit, DEFAULT_CONFIDENCE if kind == "harm" else None)
    if kind in {"max_cost", "max_escalated"}:
        msg = f"confidence= goes with quality= or harm=; {kind} is not promised"
        raise ConfigurationError(msg)
    if not 0 < confidence < 1:
        msg = f"confidence={confidence:g}: give a number between 0 and 1, e.g. 0.95"
        raise ConfigurationError(msg)
    return Objective(kind, limit, confidence)
