"""Tiers that keep failing are left alone for a while.

A breaker is *closed* as long as its tier answers. After `FAILURES` failures in a row that are the
provider's (rate limits, timeouts, 5xx, no connection, refused keys) it *opens*: the tier is not
asked. After `PROBE_EVERY` seconds one request may try (*half-open*); its answer closes the breaker,
its failure keeps it open as long again. A `Retry-After` of the provider opens it at once, for as
long as it says.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

from cascade_core.errors import http_status
from cascade_core.forks import free_in_child

FAILURES = 3
"""Failures in a row that open a breaker."""

PROBE_EVERY = 10.0
"""Seconds that a breaker stays open before a request may try."""


class Breaker:
    """The breaker of one tier, shared by all requests.

    Attributes:
        failures: Failures in a row.
    """

    __slots__ = ("__weakref__", "_lock", "_open_until", "_probing", "failures")

    def __init__(self) -> None:
        self.failures = 0
        self._open_until: float | None = None
        self._probing = False
        self._lock = Lock()
        free_in_child(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out the lock and what was seen: a copy begins closed."""
        return type(self), ()

    def allows(self) -> bool:
        """Tell whether the tier may be asked now; where it is a probe, no other is let through."""
        if self._open_until is None:
            return True
        with self._lock:
            if self._open_until is None:
                return True
            now = time.monotonic()
            if now < self._open_until:
                return False
            # A probe that never comes back must not keep the tier out for ever.
            self._open_until = now + PROBE_EVERY
            self._probing = True
            return True

    def answered(self) -> None:
        """Note an answer."""
        if self.failures or self._open_until is not None:
            with self._lock:
                self.failures, self._open_until, self._probing = 0, None, False

    def failed(self, error: BaseException) -> None:
        """Note a failure; one that is the request's own says nothing of the tier."""
        if not is_providers(error):
            return
        with self._lock:
            self.failures += 1
            if self._probing or self.failures >= FAILURES:
                self._open_until = time.monotonic() + PROBE_EVERY
                self._probing = False


def is_providers(error: BaseException) -> bool:
    """Tell whether a failure is the provider's rather than the request's."""
    status = http_status(error)
    if status is not None:
        return status >= 500 or status in {401, 403, 408, 429}  # noqa: PLR2004
    name = type(error).__name__
    return (
        isinstance(error, ConnectionError | TimeoutError) or "Timeout" in name or "Connect" in name
    )
