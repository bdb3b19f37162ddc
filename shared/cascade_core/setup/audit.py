"""Which answers are compared with the strongest tier's, and how: the setting `audit=`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from cascade_core.signals.judge import Judge

Compare: TypeAlias = Literal["auto"] | Judge | Callable[..., Any]
"""What compares two answers: `auto` asks whether they say the same, a `Judge` grades each, and a
function `(request, draft, strong) -> float` gives the quality of the draft beside the strong
answer's 1, or both qualities as a pair."""


@dataclass(frozen=True, slots=True)
class Audit:
    """A random share of the answers that is compared with the strongest tier's.

    Args:
        rate: Probability that a request is audited, in (0, 1].
        compare: What compares the answers; see `Compare`.
        max_usd_per_day: The most that audits may cost in a day (UTC); None sets no limit. What it
            forbids counts as not covered.
    """

    rate: float
    compare: Compare = "auto"
    max_usd_per_day: float | None = None
