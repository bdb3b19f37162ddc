"""Reads what a model says of numbered statements: a letter for each, and the sources it names.

A model that was asked for lines like `3: A 2` also writes JSON, fences, bullets and sentences. A
statement counts as judged where it has one letter; of one that has two, or none, nothing is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cascade_core.draft import Draft
from cascade_core.logprobs import Logprobs
from cascade_core.signals.letters import p_right_at
from cascade_core.spelling import own_logprobs
from cascade_core.spoken import spoken

_QUOTE = "[\"'`*\\[(]{0,4}"
_UNQUOTE = "[\"'`*\\])]{0,4}"
_GAP = r"[ \t]{0,4}"
_NUMBER = (
    rf"(?<![\w.,]){_QUOTE}(?i:(?:claims?|statements?|no\.?|#){_GAP})?"
    rf"(?P<number>\d{{1,3}}){_UNQUOTE}{_GAP}(?:[:.)=|>–—-]{{1,4}}|->)?{_GAP}"
)
_LETTER = (
    rf"{_QUOTE}(?P<letter>[BC]|A(?![ \t]{{1,4}}(?!because|since|as\b|is\b|and\b|sources?\b)[a-z]))"
    r"(?![\w'’]|[-/]\w)"
)
_NEXT = rf"{_UNQUOTE}{_GAP}[:.)=|>–—-]{{0,4}}{_GAP}{_QUOTE}[ABC](?!\w)"
_CITED = rf"(?:[ \t,;:()\[\]\"'`*–—-]|sources?|and|&|\d{{1,3}}(?!\d|{_NEXT}))*"
_LINE = re.compile(rf"{_NUMBER}{_LETTER}(?P<sources>{_CITED})")
_SOURCE = re.compile(r"\d{1,3}")
_NUMBERS = ("claim", "number", "n", "id", "index", "no", "i", "statement")
_LETTERS = ("verdict", "letter", "label", "answer", "judgement", "judgment", "result", "supported")
_SOURCES = ("sources", "source", "cited", "citations", "context", "contexts", "evidence")
_TRUTHS = {True: "A", False: "B", "TRUE": "A", "FALSE": "B", "YES": "A", "NO": "B"}
_WORDS = {"SUPPORTED": "A", "RIGHT": "A", "CORRECT": "A"}
_WORDS |= {"NOT SUPPORTED": "B", "NOT_SUPPORTED": "B", "UNSUPPORTED": "B", "CONTRADICTED": "B"}
_WORDS |= {"WRONG": "B", "INCORRECT": "B", "NONE": "C", "NO CLAIM": "C"}
_MOST_SOURCES = 20


@dataclass(frozen=True, slots=True)
class ClaimVerdict:
    """What a model says of one statement.

    Attributes:
        support: The probability that it is supported, or right, in [0, 1]; None where it states
            nothing that could be.
        sources: Numbers of the sources that are named for it, from 1.
    """

    support: float | None
    sources: tuple[int, ...] = ()


def read_claims(draft: Draft, asked: Collection[int], sources: int) -> dict[int, ClaimVerdict]:
    """Read a reply.

    Args:
        draft: The reply.
        asked: The numbers of the statements that it was asked about.
        sources: How many sources it was shown.

    Returns:
        What it says of those statements of which it says one thing.
    """
    text = spoken(draft.text)
    document = _document(text)
    said = _of_json(document, asked) if document is not None else None
    if said is None:
        said = _of_lines(text, asked)
    supports = _supports(draft, asked)
    found = {}
    for number, (letter, named) in said.items():
        support = None if letter == "C" else supports.get((number, letter), float(letter == "A"))
        cited = tuple(dict.fromkeys(s for s in named if 0 < s <= sources))[:_MOST_SOURCES]
        found[number] = ClaimVerdict(support, cited)
    return found


def _of_lines(text: str, asked: Collection[int]) -> dict[int, tuple[str, list[int]]]:
    said: dict[int, tuple[str, list[int]]] = {}
    torn: set[int] = set()
    for match in _LINE.finditer(text):
        number, letter = int(match["number"]), match["letter"]
        if number in said and said[number][0] != letter:
            torn.add(number)
        if number in asked:
            named = [int(found) for found in _SOURCE.findall(match["sources"])]
            said.setdefault(number, (letter, named))
    if not said and len(asked) == 1 and (alone := re.fullmatch(r"\W*([ABC])\W*", text)):
        return {next(iter(asked)): (alone[1], [])}
    return {number: told for number, told in said.items() if number not in torn}


def _document(text: str) -> Any:
    """Return the JSON in a text, whatever stands around it; None where it is none."""
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if start < 0:
        return None
    try:
        return json.JSONDecoder().raw_decode(text, start)[0]
    except (ValueError, RecursionError):
        return None


def _of_json(document: Any, asked: Collection[int]) -> dict[int, tuple[str, list[int]]] | None:
    said: dict[int, tuple[str, list[int]]] = {}
    torn: set[int] = set()
    for number, value in _entries(document):
        letter, named = _told(value)
        if number not in asked or letter is None:
            continue
        if number in said and said[number][0] != letter:
            torn.add(number)
        said.setdefault(number, (letter, named))
    return {number: told for number, told in said.items() if number not in torn} or None


def _entries(document: Any) -> Iterator[tuple[int, Any]]:
    """Return numbers and what is said of them: an object by number, or a list of objects."""
    if isinstance(document, Mapping):
        if len(document) == 1 and isinstance(only := next(iter(document.values())), list | Mapping):
            inner = list(_entries(only))
            if inner:
                yield from inner
                return
        for key, value in document.items():
            if (number := _whole(key)) is not None:
                yield number, value
        if (number := _whole(_first(document, _NUMBERS))) is not None:
            yield number, document
    elif isinstance(document, list):
        for each in document:
            if isinstance(each, Mapping) and (n := _whole(_first(each, _NUMBERS))) is not None:
                yield n, each


def _whole(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and (found := re.fullmatch(r"\D{0,12}(\d{1,3})", value.strip())):
        return int(found[1])
    return None


def _told(value: Any) -> tuple[str | None, list[int]]:
    """Return the letter and the sources of one entry."""
    named: list[int] = []
    if isinstance(value, Mapping):
        given = _first(value, _SOURCES)
        given = given if isinstance(given, list) else [given]
        named = [number for number in map(_whole, given) if number is not None]
        value = _first(value, _LETTERS)
    if isinstance(value, list) and value:
        named = [number for number in map(_whole, value[1:]) if number is not None]
        value = value[0]
    if isinstance(value, bool):
        return _TRUTHS[value], named
    if not isinstance(value, str):
        return None, named
    word = value.strip().upper()
    if found := re.fullmatch(r"([ABC])\b[\s,;:()]*(\d{1,3})?\W*", word):
        return found[1], named or [int(found[2])] if found[2] else named
    return _WORDS.get(word, _TRUTHS.get(word)), named


def _first(entry: Mapping[str, Any], names: Collection[str]) -> Any:
    return next((entry[name] for name in names if name in entry), None)


def _supports(draft: Draft, asked: Collection[int]) -> dict[tuple[int, str], float]:
    """Return P(A) / (P(A) + P(B)) at each letter, where the reply came with log-probabilities."""
    own: Logprobs | None = None
    if draft.logprobs is not None:
        own = own_logprobs(draft.logprobs, draft.text)[0]
    if own is None:
        return {}
    try:
        texts = [str(entry["token"]) for entry in own.entries]
    except (AttributeError, KeyError, TypeError):
        return {}
    ends, at = [], 0
    for text in texts:
        at += len(text)
        ends.append(at)
    found: dict[tuple[int, str], float] = {}
    place = 0
    for match in _LINE.finditer("".join(texts)):
        while place < len(ends) and ends[place] <= match.start("letter"):
            place += 1
        number, letter = int(match["number"]), match["letter"]
        if place == len(ends) or number not in asked or letter == "C":
            continue
        read = p_right_at(own, place, letter)
        if read is not None:
            found.setdefault((number, letter), read)
    return found
