"""Finds the line and the column at which a part of a JSON or TOML document stands.

Reading a document keeps no places, so they are looked for where something is wrong with it: the
document could be read, or is broken behind what is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from json import decoder
from typing import Any

from cascade_core.invalid import Place

scanstring: Any = decoder.scanstring  # type: ignore[attr-defined]  # undocumented, since 2.6
_BLANK = re.compile(r"[ \t\r\n]*")
_SPACE = re.compile(r"[ \t]*")
_NEXT = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}\s]+")
_TOML_SCALAR = re.compile(r"[^,\]}#\n]+")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_TEXT = re.compile(
    r'"""(?:\\.|.)*?"{3,5}|\'{3}.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'', re.DOTALL
)


def find_place(text: str, path: Place, *, toml: bool) -> tuple[int, int] | None:
    """Return the line and the column of a part, from 1, or of what it would stand in.

    Args:
        text: The document.
        path: The keys and places in lists that lead to the part.
        toml: Whether it is TOML; else it is JSON.
    """
    found = dict(reversed(list(_places(text, toml=toml))))
    while path and path not in found:
        path = path[:-1]
    return line_and_column(text, found[path]) if path else None


def find_second(text: str, *, toml: bool) -> tuple[int, int] | None:
    """Return the line and the column of the first key that stands somewhere twice."""
    seen = set()
    for path, at in _places(text, toml=toml):
        if path in seen:
            return line_and_column(text, at)
        seen.add(path)
    return None


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Return the line and the column of a place in a text, from 1."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _places(text: str, *, toml: bool) -> Iterator[tuple[Place, int]]:
    """Yield every key and every entry of a list with where it begins, as far as it can be read."""
    try:
        yield from _Toml(text).places() if toml else _json(text, _past(_BLANK, text, 0), ())
    except (IndexError, ValueError, AttributeError, RecursionError):
        return


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return where something ends.

    Raises:
        ValueError: It does not begin there.
    """
    match = pattern.match(text, at)
    if match is None:
        raise ValueError(at)
    return match.end()


def _json(text: str, at: int, path: Place) -> Iterator[tuple[Place, int]]:
    """Yield what is in a value; the last place yielded, under its own path, is where it ends."""
    stack: list[tuple[str, Place, int]] = []  # "{" or "[", its path, entries so far
    while True:
        opened = text[at]
        if opened in "{[":
            stack.append((opened, path, 0))
            at = _past(_BLANK, text, at + 1)
            if text[at] not in "]}":
                at, path, entry = _entry(text, at, stack)
                yield entry
                continue
        elif opened == '"':
            _, at = scanstring(text, at + 1)
        else:
            at = _past(_SCALAR, text, at)
        at = _past(_BLANK, text, at)
        while stack and text[at] in "]}":
            stack.pop()
            at += 1
            if stack:
                at = _past(_BLANK, text, at)
        if not stack:
            return
        at, path, entry = _entry(text, _past(_BLANK, text, at + 1), stack)
        yield entry


def _entry(
    text: str, at: int, stack: list[tuple[str, Place, int]]
) -> tuple[int, Place, tuple[Place, int]]:
    """Step into the next entry of the innermost object or list."""
    kind, path, count = stack.pop()
    stack.append((kind, path, count + 1))
    if kind == "[":
        return at, (*path, count), ((*path, count), at)
    key, end = scanstring(text, at + 1)
    value = _past(_BLANK, text, _past(_BLANK, text, end) + 1)
    return value, (*path, key), ((*path, key), at)


class _Toml:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._counts: dict[Place, int] = {}

    def places(self) -> Iterator[tuple[Place, int]]:
        """Yield every key and every entry of a list with where it begins."""
        text = self.text
        table: Place = ()
        while True:
            self.at = _past(_NEXT, text, self.at)
            if self.at >= len(text):
                return
            begun = self.at
            if text[begun] != "[":
                yield from self._pair(table)
                continue
            many = text.startswith("[[", begun)
            self.at += 2 if many else 1
            table = self._table(self._key(), many=many)
            yield table[:-1] if many else table, begun
            if many:
                yield table, begun
            self.at = text.index("]", self.at) + (2 if many else 1)

    def _table(self, keys: Place, *, many: bool) -> Place:
        path: Place = ()
        for key in keys[:-1]:
            path = (*path, key)
            if path in self._counts:
                path = (*path, self._counts[path])
        path = (*path, keys[-1])
        if many:
            self._counts[path] = self._counts.get(path, -1) + 1
        return (*path, self._counts[path]) if path in self._counts else path

    def _key(self) -> Place:
        keys: list[str] = []
        while True:
            self.at = _past(_SPACE, self.text, self.at)
            begun = self.at
            quoted = self.text[begun] in "\"'"
            self.at = _past(_TEXT if quoted else _BARE, self.text, begun)
            key = self.text[begun : self.at]
            if quoted:
                key = scanstring(key, 1)[0] if key[0] == '"' else key[1:-1]
            keys.append(key)
            self.at = _past(_SPACE, self.text, self.at)
            if self.text[self.at] != ".":
                return tuple(keys)
            self.at += 1

    def _pair(self, table: Place) -> Iterator[tuple[Place, int]]:
        begun = self.at
        keys = self._key()
        path = (*table, *keys)
        yield from ((path[:end], begun) for end in range(len(table) + 1, len(path) + 1))
        self.at = _past(_SPACE, self.text, self.at + 1)  # past the =
        yield from self._value(path)

    def _value(self, path: Place) -> Iterator[tuple[Place, int]]:
        opened = self.text[self.at]
        if opened in "\"'":
            self.at = _past(_TEXT, self.text, self.at)
        elif opened in "[{":
            self.at = _past(_NEXT, self.text, self.at + 1)
            count = 0
            while self.text[self.at] not in "]}":
                if opened == "{":
                    yield from self._pair(path)
                else:
                    yield (*path, count), self.at
                    yield from self._value((*path, count))
                    count += 1
                self.at = _past(_NEXT, self.text, self.at)
                if self.text[self.at] == ",":
                    self.at = _past(_NEXT, self.text, self.at + 1)
            self.at += 1
        else:
            self.at = _past(_TOML_SCALAR, self.text, self.at)
