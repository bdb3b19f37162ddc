"""Reads the file that a policy is kept in, JSON or TOML, and says what keeps it from being read.

A log, a table or what a command printed is easily given in its place: that is told by what it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_core.files import RepeatedKeyError, unique
from cascade_core.invalid import Place
from cascade_core.policy.lines import find_place, find_second, line_and_column

_ROWS = (".csv", ".jsonl", ".ndjson", ".parquet", ".gz")
_QUALITY = re.compile(r"t[0-9]+_quality")
_PRINTED = {
    "tune": {"policy", "replaced", "thresholds"},
    "replay": {"weak_quality", "strong_quality", "intervals"},
    "demo": {"cheap", "strong", "cascade"},
    "drift": {"rows", "alarms"},
    "report": {"requests", "by_tier", "reasons"},
}
"""What tells the output of a command with --json."""


def read_document(path: Path) -> Any:
    """Return what a file holds; TOML where its name ends in .toml, else JSON.

    A byte order mark is skipped, as in tables.

    Raises:
        ConfigurationError: It cannot be read, or is no such document; the message names the file.
    """
    kind, text, place = "TOML" if path.suffix == ".toml" else "JSON", "", ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if kind == "TOML":
            return _from_toml(text)
        if text.strip():
            return _from_json(text)
        problem = "is empty; cascade tune writes one"
    except OSError as error:
        problem = f"cannot be read: {error.strerror or type(error).__name__}{_where(path, error)}"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text; save the file as UTF-8" + _other_by_name(path)
    except RecursionError:
        problem = "is nested too deeply to be a policy"
    except ValueError as error:
        place, said = _where_broken(error, text)
        problem = f"is not valid {kind}: {said}" + (_other_by_name(path) or _other_name(path))
    # Beyond the handlers, so that the decoder's error, which may hold the text, is let go.
    raise ConfigurationError(f"policy {path}{place} {problem}")


def place_in(path: Path, keys: Place) -> str:
    """Return where a part of a file stands, as errors say it; empty where that is not known."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
    return _said(find_place(text, keys, toml=path.suffix == ".toml"))


def _where_broken(error: ValueError, text: str) -> tuple[str, str]:
    """Return where a document is broken, and how."""
    if isinstance(error, json.JSONDecodeError):
        return _said((error.lineno, error.colno)) + ":", error.msg
    if isinstance(error, RepeatedKeyError):
        place = _said(find_second(text, toml=False))
        return place and f"{place}:", str(error)
    said, _, at = str(error).partition(" (at ")
    if numbers := re.fullmatch(r"line (\d+), column (\d+)\)", at):
        return _said((int(numbers[1]), int(numbers[2]))) + ":", said
    if at == "end of document)":
        return _said(line_and_column(text, len(text.rstrip()))) + ":", f"{said} at its end"
    return "", str(error)


def _said(place: tuple[int, int] | None) -> str:
    return "" if place is None else f", line {place[0]}, column {place[1]}"


def _from_toml(text: str) -> Any:
    import tomllib  # noqa: PLC0415 - most cascades read no policy

    return tomllib.loads(text)


def _from_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=unique)


def _where(path: Path, error: OSError) -> str:
    """Say what keeps a file from being found, or from being one."""
    if isinstance(error, IsADirectoryError):
        return "; name the file in it"
    if isinstance(error, FileNotFoundError) and not path.is_absolute():
        return f" in {Path.cwd()}, where this program runs"
    return ""


def _other_name(path: Path) -> str:
    """Say of a file that is neither by its name how a policy is written."""
    if path.suffix in {".json", ".toml"}:
        return ""
    return "; a policy is JSON, or TOML in a file that ends in .toml"


def _other_by_name(path: Path) -> str:
    """Say of a file that is rows or a database by its name that a policy is none of that."""
    if path.suffix.lower() in {".db", ".sqlite", ".sqlite3"}:
        return f"; by its name it is a database: give its address, sqlite:///{path.as_posix()}"
    if not path.name.lower().endswith(_ROWS):
        return ""
    return (
        "; by its name it is a table or a log, and a policy is one JSON object, "
        "or TOML in a file that ends in .toml"
    )


def what_else(content: object, keys: Collection[str]) -> str | None:
    """Say what a document is that is no policy; None where it may be meant as one.

    Args:
        content: What was read.
        keys: Those of a policy.
    """
    if not isinstance(content, Mapping):
        return "must be an object of keys and values"
    given = {key for key in content if isinstance(key, str)}
    if {"reason", "calls"} <= given:
        return "is the record of a decision, not a policy; cascade tune writes one"
    if {"event", "decision"} <= given:
        return "is feedback or an audit of a log, not a policy; cascade tune writes one"
    if any(map(_QUALITY.fullmatch, given)):
        return "is a row of a labelled table, not a policy; cascade tune makes one of the table"
    for command, told in _PRINTED.items():
        if told <= given:
            policy = "; the policy is in the file that --out named" if command == "tune" else ""
            return f"is what cascade {command} --json printed, not a policy{policy}"
    if given and given.isdisjoint(keys) and not any(_close(key, keys) for key in given):
        return f"has none of a policy's keys, which are {', '.join(keys)}"
    return None


def _close(key: str, keys: Collection[str]) -> bool:
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    return bool(get_close_matches(key, keys, 1))
