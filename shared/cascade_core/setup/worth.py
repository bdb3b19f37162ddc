"""Whether a running cascade is worth its price: what it paid, beside always asking the last tier.

Few figures of one process, summed over all its requests; nothing of a request is kept.
"""

from __future__ import annotations

import math
from threading import Lock
from typing import Any

from cascade_core.costs.shown import dearer
from cascade_core.forks import free_in_child
from cascade_core.setup.notices import Notices
from cascade_core.verdict import Verdict

ENOUGH_REQUESTS = 100
"""Requests of known cost before anything is said."""
SURE = 2.0
"""Standard errors by which the cascade must be the dearer one."""


class Worth:
    """Sums up costs, and warns once where the cascade costs more than it saves.

    Safe to share between threads; a request that finds it busy is not counted rather than waiting.
    """

    __slots__ = ("__weakref__", "_excess", "_lock", "_n", "_paid", "_said", "_squares", "_strong")

    def __init__(self) -> None:
        self._lock = Lock()
        self._n = 0
        self._paid = self._strong = self._excess = self._squares = 0.0
        self._said = False
        free_in_child(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Start anew in a copy: its requests are others."""
        return Worth, ()

    def add(self, verdict: Verdict, notices: Notices) -> None:
        """Count a request.

        Args:
            verdict: What came out of it, and cost.
            notices: Where the warning is given.
        """
        paid, strong = verdict.cost, verdict.strong_cost
        if self._said or paid is None or strong is None:
            return
        if not self._lock.acquire(blocking=False):
            return
        try:
            excess = float(paid - strong)
            self._n += 1
            self._paid += float(paid)
            self._strong += float(strong)
            self._excess += excess
            self._squares += excess * excess
            self._said = tell = self._n >= ENOUGH_REQUESTS and self._is_dearer()
        finally:
            self._lock.release()
        if tell:
            n = self._n
            said = dearer(self._paid / n, self._strong / n, f"over {n:,} requests, this cascade")
            notices.give(
                "worth", f"{said}; tune its policy on recent requests, or ask that tier alone"
            )

    def _is_dearer(self) -> bool:
        mean = self._excess / self._n
        spread = max(0.0, self._squares / self._n - mean * mean)
        # A rounding is no excess.
        return mean > max(SURE * math.sqrt(spread / self._n), 1e-9 * self._strong / self._n)
