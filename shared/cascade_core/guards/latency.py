"""How long the tiers of a cascade take, learned from the calls that it makes.

Each process learns for itself, from recent answers only, so that a provider that becomes slower is
noticed. Of a call that was cut off it is known that it would have taken longer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import erfc, exp, inf, log, pi, sqrt
from statistics import NormalDist, fmean, stdev
from threading import RLock
from typing import NamedTuple

RECENT = 256
"""Answers of a tier that are remembered."""

KNOWN_FROM = 20
"""Answers of a tier from which its latencies count as known."""

MISSED = 0.02
"""Share of requests for which the estimates may leave too little time after a draft.

Most drafts come earlier than they may, so that far fewer are late; and `HARMED` bounds those."""

HARMED = 4
"""Of the last `OF_REQUESTS`, how many may have missed their deadline because of a draft.

With the 5 of 1,000 that a last tier misses by itself where its deadline is tight, that stays below
1 %, whatever the estimates are worth."""

OF_REQUESTS = 1000
"""Requests among which those are counted that were late because of a draft."""

KEPT_UNKNOWN = 0.5
"""Share of the deadline that is kept for a tier whose latencies are not known."""

TRY_AGAIN = 20
"""One in so many drafts is asked for although there seems to be no time for it, or nobody would
notice that its tier has become faster."""


NOT_WAITED_FOR = 60.0
"""Seconds in which no answer waits for a model that has no use for it and kept one in vain."""


class _Known(NamedTuple):
    """What answers' times come to.

    Attributes:
        ordered: The times in ascending order, each with whether the answer came then; one that was
            cut off would have taken longer.
        mean: Of the logarithms of the times.
        spread: The same, their standard deviation.
        whole: How many answers came.
    """

    ordered: Sequence[tuple[float, bool]]
    mean: float
    spread: float
    whole: int


class TierLatency:
    """How long one tier's answers take."""

    def __init__(self) -> None:
        self._lock = RLock()  # a stream collected as garbage may come from in here
        self._seconds: deque[tuple[float, bool]] = deque(maxlen=RECENT)
        self._fitted: _Known | None = None

    def took(self, seconds: float, *, whole: bool = True) -> None:
        """Take note of an answer.

        Args:
            seconds: How long it took.
            whole: Whether it came; one that was cut off would have taken longer.
        """
        with self._lock:
            self._seconds.append((max(seconds, 1e-6), whole))
            self._fitted = None

    @property
    def known(self) -> int:
        """How many answers that came are remembered."""
        with self._lock:
            return sum(whole for _, whole in self._seconds)

    def usual(self) -> float | None:
        """Return the median in seconds; None where too little is known.

        It is infinite where fewer than half of the answers came before they were cut off.
        """
        known = self._known()
        return None if known is None else _quantile(known.ordered, 0.5)

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
        n, z = max(1, known.whole), NormalDist().inv_cdf(share)
        fitted = exp(known.mean + known.spread * (z * (1 + 1 / sqrt(2 * n)) + 1 / sqrt(n)))
        return max(fitted, min(_quantile(known.ordered, share), known.ordered[-1][0]))

    def _known(self) -> _Known | None:
        """Return what is known, worked out once for each change; None where it is too little."""
        with self._lock:
            if self._fitted is None and len(self._seconds) >= MINIMUM:
                ordered = sorted(self._seconds, key=lambda each: (each[0], not each[1]))
                self._fitted = _Known(ordered, *_fit(ordered), sum(whole for _, whole in ordered))
            return self._fitted


def _quantile(ordered: Sequence[tuple[float, bool]], share: float) -> float:
    """Return when a share of answers has come, by Kaplan and Meier; infinite if never."""
    left = 1.0
    for place, (seconds, whole) in enumerate(ordered):
        if whole:
            left *= 1 - 1 / (len(ordered) - place)
            if left <= 1 - share + 1e-9:
                return seconds
    return inf


def _fit(ordered: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Return mean and spread of the logarithms of times, some of which are only lower bounds.

    Each bound counts as what is to be expected above it, by the mean and the spread so far (EM).
    """
    came = [log(seconds) for seconds, whole in ordered if whole]
    cut = [log(seconds) for seconds, whole in ordered if not whole]
    mean, spread = fmean(came + cut), stdev(came + cut)
    for _ in range(ROUNDS if cut else 0):
        spread = max(spread, 1e-3)
        total, squares = sum(came), sum((each - mean) ** 2 for each in came)
        for each in cut:
            z = (each - mean) / spread
            beyond = spread * _hazard(z)
            total += mean + beyond
            squares += spread * spread + (each - mean) * beyond
        moved = total / len(ordered) - mean
        mean, spread = mean + moved, sqrt(max(squares / len(ordered) - moved * moved, 0.0))
    return mean, spread


def _hazard(z: float) -> float:
    """Return what is to be expected of a standard normal value that is known to be above z."""
    if z > FAR:
        return z + 1 / z
    return exp(-z * z / 2) / sqrt(2 * pi) / (erfc(z / sqrt(2)) / 2)


FAR = 6.0
"""Standard deviations from which the tail of a normal distribution is as good as its limit."""

ROUNDS = 10
"""Rounds of a fit; the last moves nothing by as much as few answers are wrong."""

MINIMUM = 5
"""Answers below which nothing is said of a tier."""


class Patience:
    """Which models that were asked beside a draft an answer waits for that has no use for them.

    It waits as they are paid for, and to leave them would be to not know what they cost. One that
    hangs would make every answer late: after the first, the others go without it, until it answers
    or `NOT_WAITED_FOR` is over. Nothing here is locked: what matters is one write.
    """

    def __init__(self) -> None:
        self._longest: dict[int, float] = {}
        self._left: dict[int, float] = {}

    def waits_for(self, model: object, now: float) -> bool:
        """Tell whether an answer waits for a model; `now` is as `perf_counter` has it."""
        return self._left.get(id(model), now) <= now

    def answered(self, model: object, seconds: float) -> None:
        """Take note of an answer, and of how long it took."""
        self._longest[id(model)] = max(seconds, self._longest.get(id(model), 0.0))
        self._left.pop(id(model), None)

    def in_vain(self, model: object, ran: float, now: float) -> None:
        """Take note that a model was waited for in vain, after it had run for so many seconds."""
        if ran > self._longest.get(id(model), 0.0):  # else it takes that long at times
            self._left[id(model)] = now + NOT_WAITED_FOR


class Latencies:
    """How long the tiers of one cascade take, and what having drafts first has come to.

    Args:
        tiers: How many tiers there are.

    Attributes:
        of: Those of each tier.
        beside: Which of the models that signals ask beside a draft are waited for.
    """

    def __init__(self, tiers: int) -> None:
        self.of = tuple(TierLatency() for _ in range(tiers))
        self.beside = Patience()
        self._lock = RLock()  # a stream collected as garbage may come from in here
        self._sent_on: deque[bool] = deque(maxlen=RECENT)
        self._rejected: deque[bool] = deque(maxlen=RECENT)
        self._skipped = 0
        self._ended = 0
        self._harmed: deque[int] = deque()  # which requests were late because of a draft

    def ended(
        self, *, drafted: bool, sent_on: bool, cut: bool = False, harmed: bool = False
    ) -> None:
        """Take note of a request.

        Args:
            drafted: Whether it began with a draft.
            sent_on: Whether the last tier was asked.
            cut: Whether that was because its draft was cut off, so that nobody knows what it was.
            harmed: Whether it missed a deadline that the last tier alone would have met.
        """
        with self._lock:
            self._ended += 1
            if drafted:
                self._sent_on.append(sent_on)
                if not cut:
                    self._rejected.append(sent_on)
            if harmed:
                self._harmed.append(self._ended)
            while self._harmed and self._harmed[0] <= self._ended - OF_REQUESTS:
                self._harmed.popleft()

    def early(self, tier: int, extra: float) -> float | None:
        """Return the seconds after which the last tier is asked beside a draft.

        Its call is in vain where the draft would have been accepted. As many drafts count as slow
        as makes for that share of requests: all of them, where most are rejected anyway.

        Args:
            tier: The draft's tier.
            extra: Share of requests that may ask the last tier in vain.

        Returns:
            Seconds; None where too little is known.
        """
        latency = self.of[tier]
        with self._lock:
            came = list(self._rejected)
        if latency.known < KNOWN_FROM:
            return None
        accepted = (len(came) - sum(came) + 1) / (len(came) + 2)
        return 0.0 if extra >= accepted else latency.within(1 - extra / accepted)

    def kept_for(self, tier: int, deadline: float) -> float:
        """Return the seconds to be kept for the tier that answers in the end.

        Only requests that go on to it can miss the deadline for having had a draft first. The fewer
        they are, the later each may be. Where too many have missed it for that, all of the deadline
        is kept; as long as the tier's latencies are not known, one is too many.

        Args:
            tier: Its index.
            deadline: Seconds that a request may take.
        """
        latency = self.of[tier]
        known = latency.known >= KNOWN_FROM
        with self._lock:
            share = (sum(self._sent_on) + 1) / (len(self._sent_on) + 2)
            if len(self._harmed) >= (HARMED if known else 1):
                return deadline
        needed = latency.within(1 - min(0.2, MISSED / share))
        if known and needed is not None:
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
        with self._lock:
            self._skipped += 1
            return self._skipped % TRY_AGAIN == 0
