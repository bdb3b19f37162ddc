"""What all pages of a review share: what is reviewed, the policy being changed, who may write."""

from __future__ import annotations

import secrets
from threading import Lock

from cascade_core.policy.document import Policy
from cascade_core.review.draft_policy import DraftPolicy
from cascade_core.review.periods import Period
from cascade_core.review.policy_homes import NoHome, PolicyHome
from cascade_core.review.snapshot import Snapshot, take_snapshot
from cascade_core.review.source import Labels, Source
from cascade_core.traffic.log_report import LogReport


class Workbench:
    """A review: one for the whole server, used by several threads.

    Args:
        source: What is reviewed.
        policy: The policy that decides now, where no home of it is given.
        home: Where the policy lives.
        read_only: Whether nothing may be written.

    Attributes:
        source: What is reviewed.
        home: Where the policy lives.
        draft: The policy as it is being changed.
        read_only: Whether nothing may be written.
        token: What a browser must show to see anything.
        csrf: What a form must bring to write anything.
    """

    def __init__(
        self,
        source: Source,
        policy: Policy | None = None,
        *,
        home: PolicyHome | None = None,
        read_only: bool = False,
    ) -> None:
        self.source = source
        self.home = home or NoHome("this review was given a policy without a place", policy)
        self.draft = DraftPolicy(self.home.current(), self.tiers)
        self.read_only = read_only
        self.token = secrets.token_urlsafe(24)
        self.csrf = secrets.token_urlsafe(24)
        self._lock = Lock()
        self._snapshot: Snapshot | None = None
        self._labels: Labels | None = None

    def snapshot(self) -> Snapshot:
        """Return the log's columns, read once and again when asked to."""
        with self._lock:
            if self._snapshot is None:
                self._snapshot = take_snapshot(self.source)
            return self._snapshot

    def labels(self) -> Labels:
        """Return the rows whose answers' quality is known, read once."""
        with self._lock:
            if self._labels is None:
                self._labels = self.source.labels()
            return self._labels

    def tiers(self) -> int | None:
        """Return how many tiers there are, as far as rows tell."""
        table = self.labels().table
        if table is not None:
            return len(table.tiers)
        answered = self.snapshot().tier
        return int(answered.max()) + 1 if len(answered) and answered.max() > 0 else None

    def refresh(self) -> None:
        """Read everything anew when it is next looked at."""
        with self._lock:
            self._snapshot = self._labels = None

    def report(self, period: Period, by: str | None = None) -> LogReport:
        """Return what `cascade report` says of a period."""
        return self.snapshot().report(period, by)
