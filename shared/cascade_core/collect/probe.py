"""The first request goes alone, and what is lost of one does not end the others.

A misspelt model or a wrong key fails on every request, while the other tiers are paid for. So it is
found with one request to each tier.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from cascade_core.collect.journal import Entry
from cascade_core.collect.requests import Sample
from cascade_core.errors import ConfigurationError, error_name
from cascade_core.warn import warn

_FOR_GOOD = re.compile(r"\(HTTP (401|403|404)\)|NotFound|Authentication|PermissionDenied")
"""Errors that the next request will meet as well."""
_PERHAPS = re.compile(r"\(HTTP 4(?!08|09|25|29)\d\d\)")
"""Those that may be of the one request: then the next one goes alone too."""
_ENOUGH = 2


class Probe:
    """Watches the first requests.

    Args:
        tiers: How errors call the tiers.
    """

    def __init__(self, tiers: Sequence[str]) -> None:
        self._open = True
        self._tiers = tiers
        self._failed: Counter[int] = Counter()
        self._wrong: str | None = None

    def room(self, concurrency: int) -> int:
        """Return how many requests may run at a time."""
        return 1 if self._open else concurrency

    def look_at(self, entry: Entry) -> None:
        """Look at a finished request."""
        if not self._open:
            return
        self._open = False
        for tier, error in entry.errors.items():
            if _PERHAPS.search(error):
                self._failed[tier] += 1
                self._open = True
            if _FOR_GOOD.search(error) or self._failed[tier] >= _ENOUGH:
                label = self._tiers[tier] if tier < len(self._tiers) else f"tier {tier}"
                self._wrong = (
                    f"{label} failed on the first request: {error}. No other request was asked; "
                    "see to its name, key and settings and give the same command: what the other "
                    "tiers have answered is kept"
                )

    def check(self) -> None:
        """Raise `ConfigurationError` where a tier fails in a way that no other request mends."""
        if self._wrong is not None:
            raise ConfigurationError(self._wrong)


def lost(sample: Sample, before: Entry | None, tiers: int, error: Exception) -> Entry:
    """Return the entry of a request of which nothing could be made, and say so.

    Args:
        sample: The request.
        before: What is known of it, if anything.
        tiers: How many tiers there are.
        error: What came instead of an answer.
    """
    name = error_name(error)
    warn(f"request {sample.id!r} was lost to {name}: its row is kept out, and the others go on")
    errors = dict.fromkeys(range(tiers), name)
    if before is not None:
        return replace(before, errors=errors, cost=None, earlier=before.paid)
    cells = [(f"t{k}_{part}", None) for k in range(tiers) for part in ("model", *_NUMBERS)]
    return Entry(sample.index, {"id": sample.id, **dict(cells)}, None, errors)


_NUMBERS = ("quality", "cost_usd")
