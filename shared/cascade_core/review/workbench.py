"""What all pages of a review share: what is reviewed, the policy being changed, who may write."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, RLock, Thread
from time import monotonic, time

import numpy as np

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.replaying import Replay, replay
from cascade_core.policy.document import Policy
from cascade_core.review.draft_policy import DraftPolicy
from cascade_core.review.periods import Period
from cascade_core.review.policy_homes import NoHome, PolicyHome
from cascade_core.review.snapshot import Snapshot, take_snapshot
from cascade_core.review.source import Labels, Source
from cascade_core.review.table_file import with_thresholds
from cascade_core.traffic.log_report import LogReport

CHECK_EVERY = 3.0
"""Seconds in which it is not asked again whether the log has grown, or another policy decides."""

REPLAYS = 8
"""Policies whose replays are kept, the last that were asked for."""


class Workbench:
    """A review: one for the whole server, used by several threads.

    A log may grow while it is looked at. What was read of it is shown until what is new has been
    read, in the background, and says of which moment it is.

    Args:
        source: What is reviewed.
        policy: The policy that decides now, where no home of it is given.
        home: Where the policy lives.
        read_only: Whether nothing may be written.
        start: Begins what is to be done in the background; a thread does it where none is given.

    Attributes:
        source: What is reviewed.
        home: Where the policy lives.
        read_only: Whether nothing may be written.
        static: Whether pages are opened from disk: nothing answers them.
        token: What a browser must show to see anything.
        csrf: What a form must bring to write anything.
        as_of: When what is shown was the whole of the log, in seconds since 1970; None before
            it was read.
    """

    def __init__(
        self,
        source: Source,
        policy: Policy | None = None,
        *,
        home: PolicyHome | None = None,
        read_only: bool = False,
        start: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.source = source
        self.home = home or NoHome("this review was given a policy without a place", policy)
        self._draft = DraftPolicy(self.home.current(), self.tiers)
        self._asked = monotonic()
        self.read_only = read_only
        self.token = secrets.token_urlsafe(24)
        self.csrf = secrets.token_urlsafe(24)
        self.static = False
        self.as_of: float | None = None
        self._start = start or _in_background
        self._lock = Lock()  # of what is shown; never held while anything is read
        self._reading = RLock()  # of whoever reads: one at a time
        self._snapshot: Snapshot | None = None
        self._labels: tuple[Snapshot, Labels] | None = None
        self._replays: OrderedDict[tuple[int, str], tuple[Labels, Replay]] = OrderedDict()
        self._looked = -CHECK_EVERY
        self._is_looking = False
        source.update(self.draft.base)

    @property
    def draft(self) -> DraftPolicy:
        """The policy as it is being changed; where nothing is, it follows what decides."""
        if monotonic() - self._asked >= CHECK_EVERY:
            self._asked = monotonic()
            with suppress(ConfigurationError):  # the page on the policy says so
                self._draft.follow(self.home.current())
        return self._draft

    def snapshot(self) -> Snapshot:
        """Return the log's columns; now and then it is looked whether there is more of it.

        Raises:
            ConfigurationError: It cannot be read, or could not when it was last looked at.
        """
        with self._lock:
            found, due = self._snapshot, monotonic() - self._looked >= CHECK_EVERY
            looks = found is not None and due and not self._is_looking
            if looks:
                self._is_looking, self._looked = True, monotonic()
        if looks:
            self._start(self._look)
        return found if found is not None else self._read()

    def labels(self) -> Labels:
        """Return the rows whose answers' quality is known, read once for each snapshot."""
        snapshot = self.snapshot()
        kept = self._labels
        if kept is not None and kept[0].has_rows_of(snapshot):
            return kept[1]
        with self._reading:
            if self._labels is None or not self._labels[0].has_rows_of(snapshot):
                self._labels = snapshot, self.source.labels()
            return self._labels[1]

    def replay(self, policy: Policy | None = None) -> Replay:
        """Return what `cascade replay` says of a policy on the labelled rows.

        Args:
            policy: It; the one that decides now where none is given. Where it has no thresholds,
                those that requests meet without.

        Raises:
            ConfigurationError: There are no labelled rows, or the policy does not fit them.
        """
        labels = self.labels()
        if labels.table is None:
            raise ConfigurationError(labels.why_none or "there are no labelled rows")
        decides = self.deciding(policy)
        key = id(labels), decides.fingerprint
        with self._lock:
            kept = self._replays.get(key)
            if kept is not None:
                self._replays.move_to_end(key)
                return kept[1]
        found = replay(labels.table, decides)
        with self._lock:
            self._replays[key] = labels, found  # keeps the labels, and so their id
            while len(self._replays) > REPLAYS:
                self._replays.popitem(last=False)
        return found

    def deciding(self, policy: Policy | None = None) -> Policy:
        """Return a policy with thresholds: its own, else those that the log's requests met.

        Args:
            policy: It; the one that decides now where none is given.
        """
        given = self.draft.base if policy is None else policy
        if given.thresholds is not None:
            return given
        met = None if self.source.kind == "table" else self._met()
        if met is not None and given.tiers in {None, len(met) + 1}:
            return given.model_copy(update={"thresholds": met})
        return with_thresholds(given, given.tiers or self.tiers() or 2)

    @property
    def policy_origin(self) -> str:
        """Where the thresholds come from that decide now, in words."""
        if self.draft.base.thresholds is not None:
            return self.home.shown
        if self.source.kind == "log" and self._met() is not None:
            return "no policy: the thresholds that the log's latest requests were held against"
        return "no policy: the thresholds that a cascade has without one"

    def refresh(self) -> None:
        """Read what is new, now; what is shown next is of this moment.

        Raises:
            ConfigurationError: It cannot be read.
        """
        self._read()

    def report(self, period: Period, by: str | None = None) -> LogReport:
        """Return what `cascade report` says of a period."""
        return self.snapshot().report(period, by)

    def _look(self) -> None:
        """Read what is new in the background; whoever asks next is told what went wrong."""
        with suppress(Exception):  # nothing is shown any more: the next page reads, and says so
            self._read()
        with self._lock:
            self._is_looking = False

    def _read(self) -> Snapshot:
        with self._reading:
            began = time()
            try:
                self.source.update(self.draft.base)
                found = take_snapshot(self.source, self._snapshot)
                if self._labels is not None and not self._labels[0].has_rows_of(found):
                    self._labels = found, self.source.labels()  # so that no page waits for them
            except Exception:
                with self._lock:
                    self._snapshot = None
                raise
            with self._lock:
                self._snapshot, self.as_of, self._looked = found, began, monotonic()
            return found

    def tiers(self) -> int | None:
        """Return how many tiers there are, as far as rows tell."""
        table = self.labels().table
        if table is not None:
            return len(table.tiers)
        answered = self.snapshot().tier
        return int(answered.max()) + 1 if len(answered) and answered.max() > 0 else None

    def _met(self) -> tuple[float, ...] | None:
        """Return the threshold of each tier but the last that the latest judged drafts met.

        A record says it of its last judged draft: of the tier that answered, where that was
        accepted or handed off, else of the one before. Those of a class are not told apart.
        """
        snapshot, tiers = self.snapshot(), self.tiers()
        if tiers is None:
            return None
        known = ~np.isnan(snapshot.threshold)
        own = snapshot.traffic.accepted | snapshot.traffic.handoff
        judged = np.where(own, snapshot.tier, snapshot.tier - 1)
        found = []
        for tier in range(tiers - 1):
            rows = np.flatnonzero(known & (judged == tier))
            if not len(rows):
                return None
            found.append(float(snapshot.threshold[rows[-1]]))
        return tuple(found)


def _in_background(task: Callable[[], None]) -> None:
    Thread(target=task, name="cascade-review-reading", daemon=True).start()
