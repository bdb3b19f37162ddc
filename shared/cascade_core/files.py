"""Reads text files and JSON lines, and writes files whole or not at all; `csv_files` reads CSV.

What is wrong with a file is said in one way: which file, which line, what it is and what to do.
No error quotes what a file holds. What rows mean is for the modules that read them.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import IO, Any, ClassVar
from uuid import uuid4

from cascade_core.errors import CascadeError, ConfigurationError

HEADERS = {"id", "request"}
"""Names of which one stands in the header of every CSV file that is read here."""

_USUAL = "utf-8-sig"
_MARK = "\ufeff"
"""What programs put before UTF-8; also in mid-file, where files were put one after the other."""
_BEGINNING = 8  # bytes that tell an encoding


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


def read_json_lines(  # noqa: PLR0913 - what is done with which line
    path: Path,
    error: type[FileError] = FileError,
    *,
    expected: str | None = None,
    cut_off: Callable[[], None] | None = None,
    skipped: Callable[[int], None] | None = None,
    after: int = 0,
) -> Iterator[tuple[int, Any]]:
    """Read a file of one JSON value a line; blank lines are passed over.

    Args:
        path: The file; zipped where its name ends in .gz.
        error: What to raise.
        expected: What a line is; told of one that is not JSON, in place of how it is broken.
        cut_off: Called for a last line that a killed process left unfinished; where it is not
            given, such a line is an error like any other.
        skipped: Called with the number of every other line that cannot be read; where it is not
            given, the first such line is an error.
        after: The number of a line that was read before, up to which nothing is read again.

    Yields:
        A line's number, from 1, and its value, which may be of any kind.

    Raises:
        FileError: The file cannot be read, or a line is not JSON.
    """
    decode = json.JSONDecoder(object_pairs_hook=unique).decode
    with open_text(path, error, errors="strict" if skipped is None else "replace") as file:
        try:
            for number, line in enumerate(file, 1):
                if number <= after:
                    continue
                line = line.lstrip(_MARK)  # noqa: PLW2901
                if line.isspace():
                    continue
                try:
                    value = decode(line)
                except (ValueError, RecursionError) as broken:
                    if cut_off is not None and not line.endswith("\n"):
                        cut_off()
                        return
                    if skipped is not None:
                        skipped(number)
                        continue
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


def state_of(path: Path, error: type[FileError] = FileError) -> tuple[int, int, int, int]:
    """Return what tells whether a file has changed: which it is, how long, since when.

    Args:
        path: The file.
        error: What is raised where it cannot be looked at.

    Raises:
        FileError: It cannot be looked at.
    """
    try:
        found = path.stat()
    except OSError as problem:
        raise error(str(path), f"cannot be read: {problem.strerror}") from None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


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
def open_text(
    path: Path,
    error: type[FileError] = FileError,
    *,
    newline: str | None = None,
    errors: str = "strict",
) -> Iterator[IO[str]]:
    """Open a text file to be read: UTF-8 or, as spreadsheets save it, UTF-16; zipped or not.

    Args:
        path: The file; zipped where its name ends in .gz.
        error: What to raise.
        newline: As for `open`.
        errors: As for `open`: what becomes of what is no text.

    Raises:
        FileError: It cannot be read, or is no such text.
    """
    source = str(path)
    reading = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with reading(path, "rb") as raw:
            encoding = _encoding(raw.peek(_BEGINNING)[:_BEGINNING])
            try:
                with io.TextIOWrapper(raw, encoding, errors, newline) as file:
                    yield file
            except UnicodeDecodeError:
                if encoding != _USUAL:
                    problem = "is not UTF-8 text, nor the UTF-16 that it begins as"
                    raise error(source, f"{problem}; save the file as UTF-8") from None
                with reading(path, "rb") as file:
                    place = f"line {_undecodable(file)}"
                raise error(source, "is not UTF-8 text; save the file as UTF-8", place) from None
    except (OSError, EOFError, zlib.error) as failed:
        reason = getattr(failed, "strerror", None) or "it is damaged or cut off"
        raise error(source, f"cannot be read: {reason}") from None


def _encoding(beginning: bytes) -> str:
    """Tell UTF-16 by its mark, or by every other byte of its first characters being 0."""
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = beginning[::2], beginning[1::2]
    if len(beginning) == _BEGINNING and all(even) and not any(odd):
        return "utf-16-le"
    if len(beginning) == _BEGINNING and all(odd) and not any(even):
        return "utf-16-be"
    return _USUAL


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


def _broken(error: Exception, line: str, number: int) -> tuple[str, str]:
    """Say where in a line that is not JSON it breaks, and how."""
    if isinstance(error, RepeatedKeyError):
        return "", "names a column twice"
    if "\0" in line:
        return "", "holds NUL characters; the file is damaged, or is not UTF-8 text"
    if not isinstance(error, json.JSONDecodeError):
        return "", "is not JSON that can be read"
    names = (name.strip(' "\t\r\n') for name in re.split("[,;\t]", line))
    if number == 1 and not HEADERS.isdisjoint(names):
        return "", "is CSV, not JSON; end the file's name in .csv"
    at = min(error.pos, len(line.rstrip("\r\n")))  # beyond the line's end is at its end
    return f", character {at + 1}", "is not JSON"


def finite(plain: Any) -> Any:
    """Return plain JSON with null for what is not a number."""
    if isinstance(plain, dict):
        return {name: finite(value) for name, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [finite(value) for value in plain]
    return None if isinstance(plain, float) and not isfinite(plain) else plain
