"""What has been paid for survives a kill: every finished request is kept in SQLite at once.

The file also holds the settings the run was begun with. A run goes on only
with the same ones: rows of two settings in one table would be worth nothing. Where only tiers
have changed, the answers of the others are kept, and rows are made anew.
How answers are graded is no part of them: the answers are kept, and graded again.
The file lies beside the table and is gone once the table is whole.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any, Self

from cascade_core.costs.rate import EXACT
from cascade_core.errors import ConfigurationError

_QUALITY = re.compile(r"t\d+_quality")
_APPLICATION, _FORMAT = 0x6D63_636A, 3
"""By which SQLite's header tells that a file is a journal, and of which format."""

SYNC_SECONDS = 1.0
"""The most time between two syncs to disk: what a power cut may cost. A kill costs nothing."""

_TABLES = (
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE requests (place INTEGER PRIMARY KEY, entry TEXT NOT NULL)",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_FORMAT}",
)


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
        answers: Every tier's answer as `answers.keep` writes it; None where they are not kept.
        stale: Whether a tier has changed since, so that the row is to be made anew.
    """

    index: int
    row: Mapping[str, Any] = field(repr=False)
    cost: Decimal | None
    errors: Mapping[int, str] = field(default_factory=dict)
    earlier: Decimal = Decimal(0)
    graded_by: str = ""
    problems: Mapping[int, str] = field(default_factory=dict)
    answers: Sequence[Mapping[str, Any] | None] | None = field(default=None, repr=False)
    stale: bool = False

    @property
    def incomplete(self) -> bool:
        """Whether a tier is still to be asked."""
        return self.stale or bool(self.errors)

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

    def as_json(self) -> str:
        """Write the entry as JSON."""
        plain = {
            "index": self.index,
            "cost_usd": None if self.cost is None else str(self.cost),
            "earlier_usd": str(self.earlier),
            "errors": {str(tier): error for tier, error in self.errors.items()},
            "graded_by": self.graded_by,
            "problems": {str(tier): problem for tier, problem in self.problems.items()},
            "row": dict(self.row),
            "answers": self.answers,
            "stale": self.stale,
        }
        return json.dumps(plain, default=str)  # arguments of a tool call may be anything

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Entry:
        """Read what `as_json` wrote."""
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
            stale=bool(plain.get("stale")),
        )


def journal_path(out: Path) -> Path:
    """Return where the journal of a table lies."""
    return out.with_name(f"{out.name}.partial.db")


class UnkeepableError(ConfigurationError):
    """What came of a request cannot be kept as JSON."""


class Journal:
    """The finished requests of a run, for a `with` block.

    Args:
        path: The file.
        settings: What the rows depend on, as plain JSON.

    Attributes:
        entries: The finished requests by their place in the file; of one that was asked
            twice, the later.

    Raises:
        ConfigurationError: The file was begun with other settings, is damaged or
            something else, in use by another run, or cannot be written.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self.entries: dict[int, Entry] = {}
        self._settings = {name: json.dumps(value) for name, value in settings.items()}
        self._whole = False
        self._synced = monotonic()
        _refuse_earlier(path)
        try:
            # With a moment's patience: of two runs that begin at once, each may be in the way of
            # the other. Not only in this thread: what drives an event loop may change.
            self._kept = sqlite3.connect(
                path, timeout=0.2, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise ConfigurationError(f"{path} cannot be written ({error})") from None
        # The error of Python's own about a text that is not UTF-8 would quote it.
        self._kept.text_factory = lambda text: text.decode(errors="replace")
        try:
            self._open()
        except sqlite3.Error as error:
            self._kept.close()
            raise ConfigurationError(_said(path, error)) from None
        except BaseException:
            self._kept.close()
            raise

    def add(self, entry: Entry) -> None:
        """Write a finished request down; when this returns, no kill can lose it.

        Raises:
            ConfigurationError: It cannot be written; what was kept before still is.
        """
        try:
            row = (entry.index, entry.as_json())
        except (ValueError, TypeError, RecursionError) as error:
            msg = f"request {entry.index + 1} cannot be written down ({type(error).__name__})"
            raise UnkeepableError(msg) from None
        try:
            self._kept.execute("INSERT OR REPLACE INTO requests VALUES (?, ?)", row)
        except sqlite3.Error as error:
            msg = (
                f"{self.path} cannot be written ({error}): a finished request is not kept, all "
                "before it are; make room and give the same command to go on"
            )
            raise ConfigurationError(msg) from None
        self.entries[entry.index] = entry
        if monotonic() - self._synced >= SYNC_SECONDS:
            with suppress(sqlite3.Error):  # it is kept all the same
                self._kept.execute("PRAGMA wal_checkpoint").fetchall()
            self._synced = monotonic()

    def remove(self) -> None:
        """Delete the file at the end of the block: the table holds it all."""
        self._whole = True

    def in_order(self) -> Iterator[Entry]:
        """Give the entries in the order of the requests."""
        return (self.entries[i] for i in sorted(self.entries) if not self.entries[i].stale)

    def __enter__(self) -> Self:
        """Return the journal."""
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Close the file; one that holds no request is not left behind."""
        done = self._whole or not self.entries
        if done and os.name != "nt":  # while it is locked, or it might be another run's by now
            self._unlink()
        self._kept.close()
        if done and os.name == "nt":  # where what is open cannot be deleted
            self._unlink()

    def _unlink(self) -> None:
        for ending in ("-wal", ""):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

    def _open(self) -> None:
        """Take the file for this run alone, and read what is there."""
        self._kept.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._kept.execute("BEGIN EXCLUSIVE")
        if not self._first("SELECT count(*) FROM sqlite_master"):
            for statement in _TABLES:
                self._kept.execute(statement)
            self._kept.executemany("INSERT INTO settings VALUES (?, ?)", self._settings.items())
        self._kept.execute("COMMIT")
        marks = self._first("PRAGMA application_id"), self._first("PRAGMA user_version")
        if marks != (_APPLICATION, _FORMAT):
            msg = f"{self.path} is no journal of this version; move it away to start over"
            raise ConfigurationError(msg)
        before = dict(self._kept.execute("SELECT name, value FROM settings"))
        self._check(before)
        for place, text in self._kept.execute("SELECT place, entry FROM requests"):
            try:
                self.entries[place] = Entry.of(json.loads(text))
            except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
                msg = f"{self.path}, request {place}: is damaged; delete the file to start over"
                raise ConfigurationError(msg) from None
        self._change_tiers(before.get("tiers"))
        # A commit is then one write that does not wait for the disk; `add` syncs now and then.
        self._kept.execute("PRAGMA synchronous = NORMAL")
        self._kept.execute("PRAGMA journal_mode = WAL")

    def _change_tiers(self, before: str | None) -> None:
        """Keep the answers, and what they cost, of a run with other tiers; rows are made anew."""
        now = self._settings.get("tiers")
        if now is None or before == now:
            return
        self.entries = {i: replace(entry, stale=True) for i, entry in self.entries.items()}
        self._kept.execute("BEGIN")
        self._kept.execute("UPDATE settings SET value = ? WHERE name = 'tiers'", (now,))
        rows = [(entry.as_json(), place) for place, entry in self.entries.items()]
        self._kept.executemany("UPDATE requests SET entry = ? WHERE place = ?", rows)
        self._kept.execute("COMMIT")

    def _first(self, question: str) -> Any:
        return self._kept.execute(question).fetchone()[0]

    def _check(self, before: Mapping[str, str]) -> None:
        names = {name: None for name in (*before, *self._settings) if name != "tiers"}
        changed = [name for name in names if before.get(name) != self._settings.get(name)]
        if changed:
            msg = (
                f"{self.path} was begun with other settings ({', '.join(changed)}): give the same "
                "ones to go on, or delete it to start over"
            )
            raise ConfigurationError(msg)


def _refuse_earlier(path: Path) -> None:
    """Refuse to begin anew beside a journal that an earlier version has written."""
    earlier = path.with_suffix(".jsonl")
    if path.name.endswith(".partial.db") and earlier.exists():
        msg = (
            f"{earlier} is a journal of an earlier version: finish it with that version, "
            "or delete it to start over"
        )
        raise ConfigurationError(msg)


def _said(path: Path, error: sqlite3.Error) -> str:
    """Say why a journal cannot be opened."""
    words = str(error)
    if "locked" in words or "busy" in words:
        return f"{path} is in use: another run is collecting the same table"
    if isinstance(error, sqlite3.OperationalError):
        return f"{path} cannot be written ({words})"
    return f"{path} is no journal, or is damaged ({words}); move it away to start over"
