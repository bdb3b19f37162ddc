"""A log that is a file of JSON lines, read into a database of its own: pages ask that one.

Lines that are appended while it is looked at are read when it is asked for again; a file that has
become another, or shorter, is read anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cascade_core.errors import ConfigurationError
from cascade_core.files import read_json_lines, state_of
from cascade_core.log.reading import is_entry
from cascade_core.review.temporary_log import Filling, TemporaryLog

LONG = 10_000_000
"""Bytes from which on reading takes long enough to show how far it has come."""

_EVERY = 1_000


class LogFile:
    """Keeps a database up to date with a file of JSON lines.

    Args:
        path: The file.

    Attributes:
        url: The database's address.
        filled: How often it has been filled anew.

    Raises:
        FileError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = TemporaryLog()
        self.url = self._log.url
        self.filled = 0
        self._known: tuple[int, int, int, int] | None = None
        self._lines = 0
        self._unreadable: set[int] = set()
        self._torn = False
        try:
            self.update()
        except ConfigurationError:
            self._log.close()
            raise

    @property
    def said(self) -> tuple[str, ...]:
        """What is to be known of the file, a sentence each."""
        found = []
        if n := len(self._unreadable):
            first = min(self._unreadable)
            what = "1 line is no entry" if n == 1 else f"{n:,} lines are no entries"
            found.append(f"{what} of a log and left out; the first is line {first:,}")
        if self._torn:
            found.append("the last line was cut off, or is being written, and is left out")
        if n := self._log.repeated:
            what = "1 entry has" if n == 1 else f"{n:,} entries have"
            found.append(f"{what} the id of an earlier one, and the first of each id counts")
        return tuple(found)

    def update(self) -> None:
        """Read what is new in the file.

        Raises:
            FileError: It cannot be read.
        """
        found = state_of(self._path)
        if found == self._known:
            return
        known = self._known
        anew = known is None or found[:2] != known[:2] or found[2] < known[2]
        if anew:
            self._lines, self._unreadable = 0, set()
        try:
            with (
                self._log.filling(anew=anew) as into,
                _shown(self._path, found[2] if anew else 0) as show,
            ):
                self._read(into, show)
        except BaseException:
            self._known = None  # how far it came is not known: all is read the next time
            raise
        self._known = found
        self.filled += anew

    def _read(self, into: Filling, show: Callable[[int], None]) -> None:
        self._torn = False
        lines = read_json_lines(
            self._path, cut_off=self._cut_off, skipped=self._skip, after=self._lines
        )
        for number, value in lines:
            if is_entry(value):
                into.add(value)
                self._lines = number
            else:
                self._skip(number)
            if number % _EVERY == 0:
                show(number)

    def _skip(self, line: int) -> None:
        self._unreadable.add(line)
        self._lines = line

    def _cut_off(self) -> None:
        self._torn = True


@contextmanager
def _shown(path: Path, size: int) -> Iterator[Callable[[int], None]]:
    """Show how far reading has come on standard error, where somebody looks and it takes long."""
    from rich.console import Console  # noqa: PLC0415 - seldom
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if size < LONG or not console.is_terminal:
        yield lambda _: None
        return
    with path.open("rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("reading the log", total=lines)
        yield lambda done: bar.update(task, completed=done)
