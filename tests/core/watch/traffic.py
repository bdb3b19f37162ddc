"""A log that grows: traffic of a known harm, audited, written as cascades write it."""

from __future__ import annotations

from typing import Any

import numpy as np

from cascade_core.log import open_log
from tests.core.log.traffic import served

Columns = dict[str, list[Any]]


def requests(first: int, n: int, *, worse: float = 0.0, seed: int = 0) -> Columns:
    """Make requests that a cheap model answers right the more often the surer it is.

    Args:
        first: Number of the first, for their ids.
        n: How many.
        worse: Share of right answers that are wrong all the same, however sure it is.
        seed: Of chance.
    """
    generator = np.random.default_rng((seed, first))
    sure = generator.beta(3.0, 1.0, n)
    right = generator.random(n) < np.clip(1.9 * sure, 0, 0.999)
    right &= generator.random(n) >= worse
    return {
        "id": [f"r{first + row:06}" for row in range(n)],
        "t0_model": ["cheap"] * n,
        "t1_model": ["strong"] * n,
        "t0_quality": right.astype(float).tolist(),
        "t1_quality": [1.0] * n,
        "t0_cost_usd": [0.0001] * n,
        "t1_cost_usd": [0.002] * n,
        "t0_signal_a": sure.tolist(),
    }


def grow(url: str, first: int, n: int, *, worse: float = 0.0, rate: float = 1.0) -> None:
    """Add served and audited requests to a log."""
    records, events = served(
        requests(first, n, worse=worse), rate=rate, seed=first, at=lambda row: moment(first + row)
    )
    log = open_log(url)
    assert log is not None
    for record in records:
        log.write(record)
    for event in events:
        log.write_event(event)
    assert log.flush(60)  # type: ignore[attr-defined]


def moment(number: int) -> str:
    """Return when a request came: one a second."""
    minutes, seconds = divmod(number, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"2026-03-{1 + days:02}T{hours:02}:{minutes:02}:{seconds:02}.000Z"
