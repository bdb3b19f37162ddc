"""What a day's audits have cost, of a log in a file of JSON lines: only what is new is read."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from cascade_core.forks import free_in_child
from cascade_core.log.reading import DAMAGED
from cascade_core.moments import seconds_of
from cascade_core.setup.learn_spending import DaySpent

_AT_ONCE = 1 << 20
_EVENT = b'"event"'


class _Made(NamedTuple):
    """An audit that was made."""

    at: float
    usd: float
    chance: float


class SpentLines:
    """Reads what audits have cost from a file that grows; one that was replaced is read anew.

    Args:
        path: The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        free_in_child(self)
        self._file: tuple[int, int] | None = None
        self._offset = 0
        self._made: list[_Made] = []

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out what was read."""
        return type(self), (self._path,)

    def __call__(self, since: datetime) -> DaySpent:
        """Return what audits have cost since a time, and would have in the last 24 hours."""
        day_ago = (datetime.now(UTC) - timedelta(days=1)).timestamp()
        begin = since.timestamp()
        with self._lock:
            self._read()
            self._made = [each for each in self._made if each.at >= min(begin, day_ago)]
            made = list(self._made)
        spent = [each.usd for each in made if each.at >= begin]
        late = [each for each in made if each.at >= day_ago]
        return DaySpent(
            sum(spent, 0.0),
            len(spent),
            sum((each.usd / each.chance for each in late), 0.0),
            sum((1 / each.chance for each in late), 0.0),
            min((each.at for each in late), default=0.0),
        )

    def _begin(self, file: tuple[int, int] | None) -> None:
        self._file, self._offset, self._made = file, 0, []

    def _read(self) -> None:
        try:
            with self._path.open("rb") as lines:
                found = os.fstat(lines.fileno())
                file = found.st_dev, found.st_ino
                if file != self._file or found.st_size < self._offset:
                    self._begin(file)
                lines.seek(self._offset)
                while block := lines.readlines(_AT_ONCE):
                    for line in block:
                        if not line.endswith(b"\n"):  # it is being written
                            return
                        self._offset += len(line)
                        if _EVENT in line:
                            self._take(line)
        except FileNotFoundError:
            self._begin(None)

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            if event.get("event") != "audit" or event.get("status") == "skipped":
                return
            at = seconds_of(event.get("at"))
            made = _Made(at or 0.0, float(event.get("cost_usd") or 0.0), event["probability"])
            fits = isinstance(made.chance, int | float) and 0 < made.chance <= 1
        except DAMAGED:  # other programs may have written to the file
            return
        self._made.append(made if fits else made._replace(chance=1.0))
