"""What has been paid for survives a kill: one line a finished request, written at once.

The first line holds the settings the run was begun with. A run goes on only
with the same ones: rows of two settings in one table would be worth nothing.
How answers are graded is no part of them: the answers are kept, and graded again.
The file lies beside the table and is gone once the table is whole.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from cascade_core.costs.rate import EXACT
from cascade_core.errors import ConfigurationError

FORMAT = "model-cascade collect 2"
_QUALITY = re.compile(r"t\d+_quality")
SYNC_SECONDS = 1.0
"""The most time between two syncs to disk: what a power cut may cost. A kill costs nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One finished request.

    Attributes:
        index: The request's place in the file.
        row: Its row of the table.
        cost: USD of every call made for it; None where one is unpriced.
        errors: What failed tiers raised, by tier.
        earlier: USD of earlier attempts, as far as it is known.
        graded_by: How the answers were graded.
        problems: What kept the grader from telling, by tier.
        answers: Every tier's answer as `kept` writes it; None where they are not kept.
    """

    index: int
    row: Mapping[str, Any] = field(repr=False)
    cost: Decimal | None
    errors: Mapping[int, str] = field(default_factory=dict)
    earlier: Decimal = Decimal(0)
    graded_by: str = ""
    problems: Mapping[int, str] = field(default_factory=dict)
    answers: Sequence[Mapping[str, Any] | None] | None = field(default=None, repr=False)

    @property
    def qualities(self) -> list[float | None]:
        """How good each tier's answer is, in [0, 1]; None = not known."""
        return [value for name, value in self.row.items() if _QUALITY.fullmatch(name)]

    @property
    def usable(self) -> bool:
        """Whether every tier's quality is known, so that it can be tuned on."""
        return None not in self.qualities

    @property
    def paid(self) -> Decimal:
        """USD of all attempts, as far as it is known."""
        return EXACT.add(self.earlier, self.cost or 0)

    def after(self, before: Entry | None) -> Entry:
        """Return the entry with what earlier attempts cost."""
        if before is None:
            return self
        return replace(self, earlier=before.paid)

    def graded(self, by: str) -> Entry:
        """Return the entry without qualities that were told in another way than this."""
        if self.graded_by == by:
            return self
        unknown = {name: None for name in self.row if _QUALITY.fullmatch(name)}
        return replace(self, row={**self.row, **unknown}, problems={})

    def ungraded(self, by: str) -> Collection[int]:
        """Return the tiers whose answers are to be graded: all, where it was done in another way.

        Where it was done in this way, those that the grader could not tell.
        """
        told = self.graded_by == by and self.problems
        return self.problems.keys() if told else range(len(self.qualities))

    def as_line(self) -> str:
        """Write the entry as one line of JSON."""
        plain = {
            "index": self.index,
            "cost_usd": None if self.cost is None else str(self.cost),
            "earlier_usd": str(self.earlier),
            "errors": {str(tier): error for tier, error in self.errors.items()},
            "graded_by": self.graded_by,
            "problems": {str(tier): problem for tier, problem in self.problems.items()},
            "row": dict(self.row),
            "answers": self.answers,
        }
        return json.dumps(plain, default=str)  # arguments of a tool call may be anything

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Entry:
        """Read what `as_line` wrote."""
        cost = plain["cost_usd"]
        return cls(
            index=int(plain["index"]),
            row=dict(plain["row"]),
            cost=None if cost is None else Decimal(cost),
            errors={int(tier): str(error) for tier, error in plain["errors"].items()},
            earlier=Decimal(plain["earlier_usd"]),
            graded_by=str(plain["graded_by"]),
            problems={int(tier): str(problem) for tier, problem in plain["problems"].items()},
            answers=plain["answers"],
        )


def journal_path(out: Path) -> Path:
    """Return where the journal of a table lies."""
    return out.with_name(f"{out.name}.partial.jsonl")


class Journal:
    """The finished requests of a run, for a `with` block.

    Args:
        path: The file.
        settings: What the rows depend on, as plain JSON.

    Attributes:
        entries: The finished requests by their place in the file; of one that was asked
            twice, the later.

    Raises:
        ConfigurationError: The file was begun with other settings, is damaged,
            in use by another run, or cannot be written.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self.entries: dict[int, Entry] = {}
        self._settings = json.loads(json.dumps(dict(settings)))
        self._synced = 0.0
        try:
            binary = getattr(os, "O_BINARY", 0)  # elsewhere than on Windows, every file is
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | binary, 0o644)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigurationError(f"{path} cannot be written ({reason})") from None
        try:
            self._lock()
            self._resume()
        except BaseException:
            os.close(self._file)
            raise

    def add(self, entry: Entry) -> None:
        """Write a finished request down."""
        self.entries[entry.index] = entry
        self._write(entry.as_line())
        now = monotonic()
        if now - self._synced >= SYNC_SECONDS:
            self._synced = now
            os.fsync(self._file)

    def remove(self) -> None:
        """Delete the file: the table holds it all."""
        self.path.unlink(missing_ok=True)

    def in_order(self) -> Iterator[Entry]:
        """Give the entries in the order of the requests."""
        return (self.entries[index] for index in sorted(self.entries))

    def __enter__(self) -> Self:
        """Return the journal."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file; one that holds no request is not left behind."""
        with suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)
        if not self.entries:
            self.remove()

    def _lock(self) -> None:
        try:
            import fcntl  # noqa: PLC0415 - not on every system
        except ImportError:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = f"{self.path} is in use: another run is collecting the same table"
            raise ConfigurationError(msg) from None
        except OSError:  # a file system that knows no locks
            return

    def _resume(self) -> None:
        """Read what is there, drop a half-written end, and begin a new file where it is empty."""
        content = self.path.read_bytes()
        lines = content.split(b"\n")[:-1]
        whole = sum(len(line) + 1 for line in lines)
        parsed: list[Any] = []
        for number, line in enumerate(lines, 1):
            try:
                parsed.append(json.loads(line))
                if number > 1:
                    entry = Entry.of(parsed[-1])
                    self.entries[entry.index] = entry
            except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
                if number < len(lines):
                    msg = f"{self.path}, line {number}: is damaged; delete the file to start over"
                    raise ConfigurationError(msg) from None
                whole -= len(line) + 1  # the last one: a power cut may leave rubbish
        if whole < len(content):
            os.ftruncate(self._file, whole)
        if whole == 0:
            self._write(json.dumps({"format": FORMAT, "settings": self._settings}))
        else:
            self._check(parsed[0])

    def _check(self, header: Any) -> None:
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            msg = f"{self.path} is no journal of this version; move it away to start over"
            raise ConfigurationError(msg)
        before = header.get("settings") or {}
        names = {**before, **self._settings}
        changed = [name for name in names if before.get(name) != self._settings.get(name)]
        if changed:
            msg = (
                f"{self.path} was begun with other settings ({', '.join(changed)}): give the same "
                "ones to go on, or delete it to start over"
            )
            raise ConfigurationError(msg)

    def _write(self, line: str) -> None:
        data = f"{line}\n".encode()
        while data:
            data = data[os.write(self._file, data) :]
