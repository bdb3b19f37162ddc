"""Reads the file of requests that a table is collected for.

Whatever is wrong with it is found here, before anything is paid for, and named
by line and column. No error quotes a request, a reference or a message.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from cascade_core.csv_files import CsvRows
from cascade_core.files import FileError, read_json_lines
from cascade_core.warn import warn

COLUMNS = ("id", "request", "messages", "reference", "class", "group", "weight")
"""What a request may have; only `request`, or `messages` in JSON, is needed."""

Source: TypeAlias = str | Path | Sequence[Mapping[str, Any]]

_SUFFIXES = {".csv": "CSV", ".jsonl": "JSONL", ".ndjson": "JSONL"}
_USER = ("user", "human")
ROLES = ("system", "developer", *_USER, "assistant", "ai", "tool", "function")
"""Whose a message may be."""
_IN_PLACE_OF_CONTENT = ("tool_calls", "function_call", "refusal", "audio")
"""What a message may have where its content is null."""
_KINDS = {"dict": "an object", "list": "a list", "NoneType": "null", "str": "a text"}
_KINDS |= {"bool": "true or false", "int": "a whole number", "float": "a number"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One request of the file.

    Attributes:
        index: Its place among the requests, from 0.
        line: The line it starts on, from 1.
        id: Its id; the line's number unless given.
        text: What was asked, as one text.
        messages: The whole conversation as `{"role", "content"}`, where the file has it.
        reference: The right answer, where the file has it.
        class_name: The kind of request.
        group: What else it belongs with.
        weight: How much it counts; 1 unless given.
    """

    index: int
    line: int
    id: str
    text: str = field(repr=False)
    messages: tuple[Mapping[str, Any], ...] | None = field(default=None, repr=False)
    reference: str | None = field(default=None, repr=False)
    class_name: str | None = None
    group: str | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests to collect a table for.

    Attributes:
        source: How errors name the file.
        samples: The requests, in the file's order.
        columns: The names in `COLUMNS` that any of them has.
        digest: A hash of all of it.
    """

    source: str
    samples: tuple[Sample, ...] = field(repr=False)
    columns: frozenset[str]
    digest: str

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.samples)


def read_requests(source: Source) -> Requests:
    """Read requests.

    Args:
        source: Path of a CSV or JSONL file, or the records themselves.

    Raises:
        FileError: Something is wrong with it; names line and column.
    """
    if isinstance(source, str | Path):
        name, records = str(source), list(_records(Path(source)))
    else:
        name = "requests"
        records = list(_objects(name, enumerate(source, 1), "give mappings"))
    if not records:
        raise FileError(name, "holds no requests: give at least one")
    unused = {key for _, record in records for key in record} - set(COLUMNS)
    if unused:
        listed = ", ".join(sorted(map(str, unused)))
        warn(f"{name}: not used: {listed}")
    samples: list[Sample] = []
    lines: dict[str, int] = {}
    for line, record in records:
        sample = _sample(_Place(name, line), record, len(samples))
        if sample.id in lines:
            first = lines[sample.id]
            _refuse(_Place(name, line), "id", f"is the same as on line {first}; ids are unique")
        lines[sample.id] = line
        samples.append(sample)
    columns = {k for _, record in records for k, v in record.items() if v is not None} - unused
    content = json.dumps([record for _, record in records], sort_keys=True, default=str)
    digest = hashlib.sha256(content.encode())
    return Requests(name, tuple(samples), frozenset(columns), digest.hexdigest()[:16])


@dataclass(frozen=True, slots=True)
class _Place:
    source: str
    line: int


def _refuse(place: _Place, column: str | None, problem: str) -> NoReturn:
    raise FileError(place.source, problem, f"line {place.line}", column)


_Records: TypeAlias = Iterator[tuple[int, dict[str, Any]]]


def _records(path: Path) -> _Records:
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        known = " or ".join(_SUFFIXES)
        raise FileError(str(path), f"is of no known kind; requests are read from {known} files")
    if kind == "CSV":
        return _from_csv(path)
    return _objects(str(path), read_json_lines(path), "give one JSON object a line")


def _from_csv(path: Path) -> _Records:
    read = CsvRows(path)
    header: list[str] | None = None
    for line, cells in read:
        place = _Place(str(path), line)
        if header is None:
            header = _header(place, [cell.strip() for cell in cells])
        elif len(cells) != len(header):
            _refuse(place, None, f"has {len(cells)} cells; the header names {len(header)}")
        else:
            record = {name: cell or None for name, cell in zip(header, cells, strict=True) if name}
            if weight := record.get("weight"):
                record["weight"] = read.number(weight)
            yield line, record


def _header(place: _Place, names: list[str]) -> list[str]:
    if "messages" in names:
        _refuse(place, "messages", "needs a JSONL file; CSV holds plain requests")
    if "request" not in names:
        _refuse(place, "request", f"is missing; the first line names columns among {_listed()}")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        _refuse(place, twice, "stands there twice")
    return names


def _objects(source: str, values: Iterable[tuple[int, Any]], hint: str) -> _Records:
    for line, value in values:
        if not isinstance(value, Mapping):
            _refuse(_Place(source, line), None, f"is {_kind(value)}; {hint}")
        yield line, dict(value)


def _sample(place: _Place, record: Mapping[str, Any], index: int) -> Sample:
    messages = _messages(place, record.get("messages"))
    text = record.get("request")
    if text is None and messages is not None:
        text = next((_text(m) for m in reversed(messages) if m["role"] in _USER), None)
    if not isinstance(text, str) or not text.strip():
        wrong = "is empty" if text is None or isinstance(text, str) else f"is {_kind(text)}"
        wrong += "" if messages is None else ", and no message that has text is of the role user"
        _refuse(place, "request", f"{wrong}; give the text that is asked")
    reference = record.get("reference")
    if reference is not None and not isinstance(reference, str):
        reference = json.dumps(reference, ensure_ascii=False)
    return Sample(
        index=index,
        line=place.line,
        id=_name(place, record, "id") or str(place.line),
        text=text,
        messages=messages,
        reference=reference,
        class_name=_name(place, record, "class"),
        group=_name(place, record, "group"),
        weight=_weight(place, record.get("weight")),
    )


def _messages(place: _Place, given: Any) -> tuple[Mapping[str, Any], ...] | None:
    if given is None:
        return None
    if not isinstance(given, list | tuple) or not given:
        _refuse(place, "messages", 'is not a list of {"role", "content"}')
    for number, message in enumerate(given):
        fits = isinstance(message, Mapping) and isinstance(message.get("role"), str)
        if not fits or not _is_content(message):
            _refuse(place, "messages", f'[{number}] is not an object with "role" and "content"')
        if message["role"] not in ROLES:
            # Where columns slipped, it may be a prompt.
            role = f"role {message['role']!r}" if message["role"].isidentifier() else "role"
            _refuse(place, "messages", f"[{number}]: its {role} is none of {', '.join(ROLES)}")
    return tuple({**message, "content": message.get("content") or ""} for message in given)


def _is_content(message: Mapping[str, Any]) -> bool:
    """Tell whether a message says something, or does something instead."""
    content = message.get("content")
    if content is None:
        return any(message.get(key) for key in _IN_PLACE_OF_CONTENT)
    if isinstance(content, list):
        return all(isinstance(part, str | Mapping) for part in content)
    return isinstance(content, str)


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    parts = (p if isinstance(p, str) else p.get("text", "") for p in content)
    return "".join(part for part in parts if isinstance(part, str))


def _name(place: _Place, record: Mapping[str, Any], column: str) -> str | None:
    value = record.get(column)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        _refuse(place, column, f"is {_kind(value)}; give a text or a whole number")
    return str(value)


def _weight(place: _Place, given: Any) -> float:
    if given is None:
        return 1.0
    try:
        weight = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError):
        weight = math.nan
    if not math.isfinite(weight) or weight <= 0:
        _refuse(place, "weight", "is not a number above 0")
    return weight


def _kind(value: object) -> str:
    kind = type(value).__name__
    return _KINDS.get(kind, f"of the type {kind}")


def _listed() -> str:
    return ", ".join(column for column in COLUMNS if column != "messages")
