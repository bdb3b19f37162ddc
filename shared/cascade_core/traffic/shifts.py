"""Whether a log's traffic has shifted within itself: no policy is needed to see that.

A hint for who looks at a report. Whether it has moved from what a policy was tuned on, with a
bound on false alarms, is said by `cascade drift`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cascade_core.drift.shifts import shifts_in
from cascade_core.traffic.summary import Worked

WORTH_SAYING = 0.05
"""Change of the share that is told; chance alone makes smaller ones in a long log."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The last shift of the share of escalated requests.

    Attributes:
        at: When it was noticed, in seconds since 1970; None in records of version 1.
        before: The share from the shift before it, or from the start.
        after: The share since then.
        shifts: How many shifts there were.
    """

    at: float | None
    before: float
    after: float
    shifts: int


def moved(worked: Worked) -> Moved | None:
    """Find the last shift of the share sent on, of requests of which a draft was judged.

    Returns:
        It; None where there was none, or it was too small to matter.
    """
    rows = np.flatnonzero((worked.way.kept | worked.way.escalated) & ~worked.way.shadow)
    values = worked.way.escalated[rows].astype(np.float64)
    # What was noticed with the very last request has nothing after it to compare with.
    found = [at for at in shifts_in(values) if at < len(values)]
    if not found:
        return None
    start = found[-2] if len(found) > 1 else 0
    before, after = float(values[start : found[-1]].mean()), float(values[found[-1] :].mean())
    if abs(after - before) < WORTH_SAYING:
        return None
    at = float(worked.traffic.at[rows[found[-1] - 1]])
    return Moved(None if np.isnan(at) else at, before, after, len(found))
