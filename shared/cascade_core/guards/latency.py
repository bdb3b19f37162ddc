"""How long the tiers of a cascade take, learned from the calls that it makes.

Each process learns for itself, from recent answers only, so that a provider that becomes slower is
noticed. Calls that were cut off count with more than the time that they were given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import ceil, exp, log, sqrt
from statistics import NormalDist, fmean, stdev
from threading import Lock
from typing import NamedTuple

RECENT = 256
"""Answers of a tier that are remembered."""

KNOWN_FROM = 20
"""Answers of a tier from which its latencies count as known."""

MISSED = 0.008
"""Share of requests that may miss their deadline because a draft was asked first.

It leaves room below 1 % for what the estimates miss."""

KEPT_UNKNOWN = 0.5
"""Share of the deadline that is kept for a tier whose latencies are not known."""

TRY_AGAIN = 20
"""One in so many drafts is asked for although there seems to be no time for it, or nobody would
notice that its tier has become faster."""


class _Known(NamedTuple):
    """What answers' times come to: in ascending order, and mean and spread of their logarithms."""

    ordered: Sequence[float]
    mean: float
    spread: float


class TierLatency:
    """How long one tier's answers take."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seconds: deque[float] = deque(maxlen=RECENT)
        self._fitted: _Known | None = None

    def took(self, seconds: float) -> None:
        """Take note of an answer.

        Args:
            seconds: How long it took.
        """
        with self._lock:
            self._seconds.append(max(seconds, 1e-6))
            self._fitted = None

    @property
    def known(self) -> int:
        """How many answers are remembered."""
        return len(self._seconds)

    def usual(self) -> float | None:
        """Return the median in seconds; None where too little is known."""
        known = self._known()
        return None if known is None else known.ordered[len(known.ordered) // 2]

    def within(self, share: float) -> float | None:
        """Return the seconds within which a share of answers come, rather too many than too few.

        The larger of what was seen and of a log-normal distribution fitted to it, whose parameters
        are taken at one standard error to the slow side: few answers say little of rare ones.

        Args:
            share: In (0, 1).

        Returns:
            Seconds; None where too little is known.
        """
        known = self._known()
        if known is None:
            return None
        n, z = len(known.ordered), NormalDist().inv_cdf(share)
        fitted = exp(known.mean + known.spread * (z * (1 + 1 / sqrt(2 * n)) + 1 / sqrt(n)))
        return max(fitted, known.ordered[min(n, ceil(share * n)) - 1])

    def _known(self) -> _Known | None:
        """Return what is known, worked out once for each change; None where it is too little."""
        with self._lock:
            if self._fitted is None and len(self._seconds) >= MINIMUM:
                ordered = sorted(self._seconds)
                logs = [log(each) for each in ordered]
                self._fitted = _Known(ordered, fmean(logs), stdev(logs))
            return self._fitted


MINIMUM = 5
"""Answers below which nothing is said of a tier."""


class Latencies:
    """How long the tiers of one cascade take, and how often a request goes on to the last.

    Args:
        tiers: How many tiers there are.
    """

    def __init__(self, tiers: int) -> None:
        self.of = tuple(TierLatency() for _ in range(tiers))
        self._sent_on: deque[bool] = deque(maxlen=RECENT)
        self._skipped = 0

    def ended(self, *, sent_on: bool) -> None:
        """Take note of a request that began with a draft.

        Args:
            sent_on: Whether the last tier was asked as well.
        """
        self._sent_on.append(sent_on)

    def kept_for(self, tier: int, deadline: float) -> float:
        """Return the seconds to be kept for the tier that answers in the end.

        Only requests that go on to it can miss the deadline for having had a draft first. The fewer
        they are, the later each may be.

        Args:
            tier: Its index.
            deadline: Seconds that a request may take.
        """
        latency = self.of[tier]
        came = list(self._sent_on)
        share = (sum(came) + 1) / (len(came) + 2)
        needed = latency.within(1 - min(0.2, MISSED / share))
        if latency.known >= KNOWN_FROM and needed is not None:
            return needed
        return max(deadline * KEPT_UNKNOWN, needed or 0.0)

    def has_time(self, tier: int, seconds: float) -> bool:
        """Tell whether a draft may well be there in time; now and then one is tried all the same.

        Args:
            tier: Its tier's index.
            seconds: How long it may take.
        """
        if seconds <= 0:
            return False
        usual = self.of[tier].usual()
        if usual is None or usual <= seconds:
            return True
        self._skipped += 1
        return self._skipped % TRY_AGAIN == 0
