"""What all pages of a review share: what is reviewed, the policy being changed, who may write."""

from __future__ import annotations

import secrets
from threading import Lock

from cascade_core.policy.document import Policy
from cascade_core.review.draft_policy import DraftPolicy
from cascade_core.review.periods import Period
from cascade_core.review.snapshot import Snapshot, take_snapshot
from cascade_core.review.source import Labels, Source
from cascade_core.traffic.log_report import LogReport


class Workbench:
    """A review: one for the whole server, used by several threads.

    Args:
        source: What is reviewed.
        policy: The policy that decides now.
        read_only: Whether nothing may be written.

    Attributes:
        source: What is reviewed.
        draft: The policy as it is being changed.
        read_only: Whether nothing may be written.
        token: What a browser must show to see anything.
        csrf: What a form must bring to write anything.
    """

    def __init__(self, source: Source, policy: Policy, *, read_only: bool = False) -> None:
        self.source = source
        self.draft = DraftPolicy(policy)
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

    def refresh(self) -> None:
        """Read everything anew when it is next looked at."""
        with self._lock:
            self._snapshot = self._labels = None

    def report(self, period: Period, by: str | None = None) -> LogReport:
        """Return what `cascade report` says of a period."""
        return self.snapshot().report(period, by)
