"""What waits to be written to a database: a bounded queue, and what became of what was in it.

Knows no database: requests put in, one thread takes out and says what it has settled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Condition, RLock
from time import monotonic

from cascade_core.log.packing import Parcel

ROOM = 20_000
"""Records that wait, at the most."""

ROOM_BYTES = 64 * 2**20
"""Bytes of them, at the most."""

BATCH = 2_000
"""Records that are taken at once, at the most: fewer cost more each, of SQLite above all."""

BATCH_BYTES = 8 * 2**20

PATIENCE = 5.0
"""Seconds that a database may fail before who waits for it, however long, is told that it does."""


class Inbox:
    """A bounded queue that counts.

    Attributes:
        lost: How many records will not be written.
        settled: How many of those put in were written, or given up.
        stuck: Whether somebody has waited in vain for room since anything was settled.
    """

    def __init__(self, lost: int = 0) -> None:
        self.lost = lost
        self.settled = 0
        self.stuck = False
        self._tries = 0
        self._failed = 0  # which of them failed last
        self._failing_since: float | None = None  # anything was last settled before that
        self._told = lost
        self._given = 0
        self._parcels: deque[Parcel] = deque()
        self._bytes = 0
        self._lock = RLock()  # a stream collected as garbage may come from in here
        self._moved = Condition(self._lock)

    def __len__(self) -> int:
        """Return how many wait to be taken."""
        return len(self._parcels)

    @property
    def unsettled(self) -> int:
        """How many are not written yet."""
        return self._given - self.settled

    def offer(self, parcel: Parcel) -> bool:
        """Take a parcel in if there is room; never waits."""
        size = len(parcel.packed)
        with self._lock:
            unsettled = self._given - self.settled
            if unsettled >= ROOM or (unsettled and self._bytes + size > ROOM_BYTES):
                return False
            self._parcels.append(parcel)
            self._bytes += size
            self._given += 1
        return True

    def wait(self, seconds: float) -> bool:
        """Wait until something is settled; tell whether it was."""
        with self._lock:
            settled = self.settled
            return self._moved.wait_for(lambda: self.settled != settled, seconds)

    def stick(self, settled: int) -> None:
        """Say that somebody has waited in vain; `settled` is how it was when they began."""
        with self._lock:
            self.stuck = self.stuck or settled == self.settled

    def take(self) -> list[Parcel]:
        """Return the oldest that wait; they take room until they are settled."""
        batch: list[Parcel] = []
        size = 0
        while self._parcels and len(batch) < BATCH and size < BATCH_BYTES:
            batch.append(self._parcels.popleft())
            size += len(batch[-1].packed)
        return batch

    def settle(self, batch: Sequence[Parcel]) -> None:
        """Say that these were written, or given up."""
        with self._lock:
            self.settled += len(batch)
            self._bytes -= sum(len(parcel.packed) for parcel in batch)
            self.stuck = False
            self._failing_since = None
            self._moved.notify_all()

    def begin(self) -> None:
        """Say that it is tried now to write what was taken."""
        with self._lock:
            self._tries += 1

    def fail(self) -> None:
        """Say that the try which began last was in vain."""
        with self._lock:
            self._failed = self._tries
            if self._failing_since is None:
                self._failing_since = monotonic()
            self._moved.notify_all()

    def lose(self) -> None:
        """Count one that will not be written."""
        with self._lock:
            self.lost += 1

    def all_settled(self, seconds: float | None) -> bool:
        """Wait until all that is in now is settled.

        Args:
            seconds: How long at the most; None waits as long as it takes, but where the database
                has failed for `PATIENCE`, only until one more try, begun after this was asked.

        Returns:
            Whether it is, and nothing was lost since this was last asked.
        """
        deadline = None if seconds is None else monotonic() + seconds
        with self._lock:
            aim, tries = self._given, self._tries
            while self.settled < aim:
                if seconds is None and self._failed > tries and self._out_of_patience():
                    break
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    break
                self._moved.wait(left)
            whole = self.settled >= aim and self.lost == self._told
            self._told = self.lost
        return whole

    def _out_of_patience(self) -> bool:
        since = self._failing_since
        return since is not None and monotonic() - since >= PATIENCE
