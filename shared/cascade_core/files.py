"""Reads text files row by row with the rows' lines, and writes files whole or not at all.

What is wrong with a file is said in one way: which file, which line, what it is and what to do.
No error quotes what a file holds. What rows mean is for the modules that read them.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, ClassVar
from uuid import uuid4

from cascade_core.errors import CascadeError, ConfigurationError

_LONGEST_CELL = 2**31 - 1  # prompts may be long; the csv module's own limit is 128 KiB

_HEADERS = {"id", "request"}
"""Names of which one stands in the header of every CSV file that is read here."""


class FileError(ConfigurationError):
    """A file, or what was given in memory in its place, cannot be used.

    Attributes:
        source: The file, or what else errors call it.
        problem: What is wrong and what to do; no content.
        place: The line or the row, if it is one row's.
        column: The column, if it is one column's.
    """

    _of_all: ClassVar[str] = " "
    """What stands between the source and a problem of the whole file."""

    def __init__(
        self, source: str, problem: str, place: str | None = None, column: str | None = None
    ) -> None:
        super().__init__(source, problem, place, column)
        self.source, self.problem, self.place, self.column = source, problem, place, column

    def __str__(self) -> str:
        """Say where and what in one line."""
        parts = [self.place, self.column and f"column {self.column}"]
        where = "".join(f", {part}" for part in parts if part)
        return f"{self.source}{where}{': ' if where else self._of_all}{self.problem}"


class RepeatedKeyError(CascadeError, ValueError):
    """A JSON object has a key twice, and so would lose one of the two values."""


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs; the `object_pairs_hook` of the JSON that is read here.

    Raises:
        RepeatedKeyError: A key stands there twice; the message names it.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise RepeatedKeyError(f"the key {twice!r} stands there twice; keep one")
    return found


def read_csv(path: Path, error: type[FileError] = FileError) -> Iterator[tuple[int, list[str]]]:
    """Read the rows of a CSV file, the header among them; blank lines are passed over.

    Args:
        path: The file; zipped where its name ends in .gz.
        error: What to raise.

    Yields:
        The line on which a row begins, from 1, and its cells.

    Raises:
        FileError: The file cannot be read, or is not CSV.
    """
    limit = csv.field_size_limit(_LONGEST_CELL)
    begins = 1
    try:
        with _opened(path, "", error) as file:
            first = file.readline()
            if _is_json(first):
                problem = "is JSON, not CSV; give one object a line, in a file whose name ends in"
                raise error(str(path), f"{problem} .jsonl", "line 1")
            reader = csv.reader(chain([first], file), strict=True)
            for row in reader:
                if row:
                    yield begins, row
                begins = reader.line_num + 1
    except csv.Error:
        problem = "is not CSV; a quoted cell ends with a quote and a comma or the end of the line"
        raise error(str(path), problem, f"line {begins}") from None
    finally:
        csv.field_size_limit(limit)


def read_json_lines(
    path: Path,
    error: type[FileError] = FileError,
    *,
    expected: str | None = None,
    cut_off: Callable[[], None] | None = None,
) -> Iterator[tuple[int, Any]]:
    """Read a file of one JSON value a line; blank lines are passed over.

    Args:
        path: The file; zipped where its name ends in .gz.
        error: What to raise.
        expected: What a line is; told of one that is not JSON, in place of how it is broken.
        cut_off: Called for a last line that a killed process left unfinished; where it is not
            given, such a line is an error like any other.

    Yields:
        A line's number, from 1, and its value, which may be of any kind.

    Raises:
        FileError: The file cannot be read, or a line is not JSON.
    """
    decode = json.JSONDecoder(object_pairs_hook=unique).decode
    with _opened(path, "\n", error) as file:
        try:
            for number, line in enumerate(file, 1):
                if line.isspace():
                    continue
                try:
                    value = decode(line)
                except (ValueError, RecursionError) as broken:
                    if cut_off is not None and not line.endswith("\n"):
                        cut_off()
                        return
                    place, problem = f"line {number}", f"not {expected}"
                    if expected is None:
                        at, problem = _broken(broken, line, number)
                        place += at
                    raise error(str(path), problem, place) from None
                yield number, value
        except UnicodeDecodeError as broken:
            if cut_off is None or broken.reason != "unexpected end of data":
                raise
            cut_off()  # in the middle of a character


@contextmanager
def replacing(
    path: Path, error: type[FileError] = FileError, *, source: str | None = None
) -> Iterator[IO[bytes]]:
    """Open a file beside `path` that takes its place once it is whole and on the disk.

    A file that is replaced hands on its permissions. A pipe or a device is written to directly.

    Args:
        path: Where the file goes.
        error: What to raise.
        source: What errors call it; its path where this is not given.

    Raises:
        FileError: It cannot be written; what was there before still is.
    """
    source = source or str(path)
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
            return
        path = path.resolve()  # a link stays a link
        beside = path.with_name(f".{path.name[:40]}.{uuid4().hex}.tmp")
        try:
            with beside.open("xb") as file:
                if path.exists():
                    beside.chmod(stat.S_IMODE(path.stat().st_mode))
                yield file
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as failed:
        problem = f"cannot be written: {failed.strerror or type(failed).__name__}"
        raise error(source, problem) from None


def write_whole(path: Path, text: str, *, source: str | None = None) -> None:
    """Write a text file by `replacing`; what UTF-8 cannot express becomes question marks.

    Raises:
        FileError: It cannot be written; what was there before still is.
    """
    with replacing(path, source=source) as file:
        file.write(text.encode("utf-8", "replace"))


@contextmanager
def _opened(path: Path, newline: str, error: type[FileError]) -> Iterator[IO[str]]:
    source = str(path)
    reading = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        try:
            with reading(path, "rt", encoding="utf-8-sig", newline=newline) as file:
                yield file
        except UnicodeDecodeError:
            with reading(path, "rb") as file:
                place = f"line {_undecodable(file)}"
            raise error(source, "is not UTF-8 text; save the file as UTF-8", place) from None
    except (OSError, EOFError, zlib.error) as failed:
        reason = getattr(failed, "strerror", None) or "it is damaged or cut off"
        raise error(source, f"cannot be read: {reason}") from None


def _undecodable(lines: Iterable[bytes]) -> int:
    """Find the first line that is not UTF-8; text is decoded in blocks, which hide it."""
    number = 1
    for line in lines:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            break
        number += 1
    return number


def _is_json(first: str) -> bool:
    """Tell JSON by another name: what CSV makes of it would be said in words of no help."""
    if first.lstrip()[:1] not in {"{", "["}:
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True


def _broken(error: Exception, line: str, number: int) -> tuple[str, str]:
    """Say where in a line that is not JSON it breaks, and how."""
    if isinstance(error, RepeatedKeyError):
        return "", "names a column twice"
    if "\0" in line:
        return "", "holds NUL characters; the file is damaged, or is not UTF-8 text"
    if not isinstance(error, json.JSONDecodeError):
        return "", "is not JSON that can be read"
    names = (name.strip(' "\t\r\n') for name in re.split("[,;\t]", line))
    if number == 1 and not _HEADERS.isdisjoint(names):
        return "", "is CSV, not JSON; end the file's name in .csv"
    at = min(error.pos, len(line.rstrip("\r\n")))  # beyond the line's end is at its end
    return f", character {at + 1}", "is not JSON"
