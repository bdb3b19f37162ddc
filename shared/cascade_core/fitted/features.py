"""Cheap numbers read off a request and a draft, for a fitted model to weigh.

None of them measures correctness by itself, and none is ever used by itself: which
of them say anything about a caller's traffic is for the labels to tell. Nothing here
calls a model, knows a data set, or takes longer than linear time; texts are read up
to `LONGEST` characters. Counts are given as `log(1 + n)`, so that a few long texts do
not outweigh all others in a linear model; shares lie in [0, 1].
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple
from zlib import crc32

from cascade_core.fitted.arithmetic import HUGE, NUMBER, calculations, near, value_of

LONGEST = 20_000
"""Characters of a text that are read: its beginning, and the last `ENDING` of a longer one."""

ENDING = 4_000

REQUEST: Mapping[str, str] = MappingProxyType(
    {
        "characters": "log(1 + characters)",
        "words": "log(1 + words)",
        "sentences": "log(1 + sentences)",
        "words_a_sentence": "log(1 + words a sentence)",
        "letters_a_word": "mean letters a word",
        "distinct_words": "share of the words that are different from each other",
        "numbers": "log(1 + numbers, in digits or spelled)",
        "distinct_numbers": "log(1 + different numbers)",
        "largest_number": "log(1 + largest number)",
        "fractions": "log(1 + numbers that are not whole, percentages, halves)",
        "quantities": "log(1 + words that relate amounts: each, twice, more, left)",
        "conditions": "log(1 + words that set conditions: if, unless, except)",
        "negations": "log(1 + negations)",
        "times": "log(1 + words for time: hour, week, year)",
        "questions": "log(1 + question marks)",
        "reasons": "log(1 + words that ask for reasons or ways: why, how, explain)",
        "commas": "log(1 + commas, semicolons and colons)",
        "names": "log(1 + capitalised words inside sentences)",
        "money": "log(1 + currency signs)",
        "lists": "log(1 + lines that begin like a list's)",
        "code": "log(1 + code marks: backticks, braces, markup)",
        "foreign": "share of characters outside ASCII",
    }
)
"""What `request_features` returns, by name."""

DRAFT: Mapping[str, str] = MappingProxyType(
    {
        "characters": "log(1 + characters)",
        "words": "log(1 + words)",
        "sentences": "log(1 + sentences)",
        "lines": "log(1 + lines that are not empty)",
        "words_a_sentence": "log(1 + words a sentence)",
        "letters_a_word": "mean letters a word",
        "length_ratio": "log of (1 + words) over (1 + words of the request)",
        "distinct_words": "share of the words that are different from each other",
        "repeated": "share of the runs of four words that have been there before",
        "hedges": "log(1 + words of doubt: maybe, seems, approximately)",
        "turns": "log(1 + words that turn against what was said: however, but, actually)",
        "refusals": "log(1 + words of not knowing: sorry, cannot, unclear)",
        "suppositions": "log(1 + words that add what was not given: assume, let, suppose)",
        "conclusions": "log(1 + words that conclude: therefore, so, total)",
        "negations": "log(1 + negations)",
        "questions": "log(1 + question marks)",
        "exclamations": "log(1 + exclamation marks)",
        "lists": "log(1 + lines that begin like a list's)",
        "code": "log(1 + code marks: backticks, braces, markup)",
        "brackets": "log(1 + bracketed remarks)",
        "foreign": "share of characters outside ASCII",
        "shared_words": "share of the request's different words that the draft has",
        "own_words": "share of the draft's different words that the request has not",
        "numbers": "log(1 + numbers)",
        "distinct_numbers": "log(1 + different numbers)",
        "largest_number": "log(1 + largest number)",
        "fractions": "share of the numbers that are not whole",
        "new_fractions": "1 where the draft has numbers that are not whole and the request none",
        "negative_results": "log(1 + calculations that end below 0)",
        "numbers_used": "share of the request's different numbers that the draft has; 1 if none",
        "numbers_unsourced": "share of the numbers that no request or calculation gave",
        "equations": "log(1 + calculations that could be checked)",
        "wrong_equations": "log(1 + calculations that do not hold)",
        "right_equations": "share of the checked calculations that hold; 1 if none",
        "open_equations": "log(1 + equals signs that could not be checked)",
        "unfinished": "1 where it breaks off: an open bracket, an operator or comma at its end",
        "ends_sentence": "1 where it ends as a sentence does",
        "ends_number": "1 where its last line has a number",
        "states_result": "1 where its last line is marked as the result",
        "last_words": "log(1 + words of its last line)",
        "last_numbers": "log(1 + numbers of its last line)",
        "result": "log(1 + size of the last number)",
        "result_whole": "1 where the last number is whole",
        "result_given": "1 where the last number stands in the request",
        "result_times": "log(1 + times the last number is written)",
        "result_calculated": "1 where the last number is what the last calculation gave",
        "result_relative": "log of the last number over the request's largest",
    }
)
"""What `draft_features` returns, by name."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_TERM = re.compile(r"[^\W\d_]+|[0-9]+")
_SENTENCE = re.compile(r"[.!?。！？](?=\s|$)|\n+")  # noqa: RUF001 - full-width on purpose
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
_LIST = re.compile(r"^[ \t]{0,8}(?:[-*•]|[0-9]{1,2}[.)])[ \t]", re.MULTILINE)
_CODE = re.compile(r"`|[{}]|</?[a-z]|;$", re.MULTILINE)
_RESULT = re.compile(
    r"^\s*(?:#{1,6}\s|\*\*|=>|→)|\\boxed|\b(?:answers?|result|total|conclusion|therefore|hence"
    r"|thus|finally|altogether|overall|summary)\b",
    re.IGNORECASE,
)
_OPEN_END = tuple("+-*/×÷=<([{,:;$€£\\")
_SENTENCE_END = tuple(".!?。！？)”\"'*`")  # noqa: RUF001 - full-width on purpose
_CLOSERS = (("(", ")"), ("[", "]"), ("{", "}"), ("<<", ">>"))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SPELLED = {
    "zero": 0.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0,
    "seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0, "eleven": 11.0, "twelve": 12.0,
    "thirteen": 13.0, "fourteen": 14.0, "fifteen": 15.0, "sixteen": 16.0, "seventeen": 17.0,
    "eighteen": 18.0, "nineteen": 19.0, "twenty": 20.0,
    "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "hundred": 100.0,
    "once": 1.0, "twice": 2.0, "thrice": 3.0, "double": 2.0, "triple": 3.0, "dozen": 12.0,
}  # fmt: skip
_FRACTIONS = _words(
    "half halves third thirds quarter quarters fourth fifth tenth percent percentage"
)
_QUANTITIES = _words(
    """each every per twice thrice double triple times more less fewer than most least remaining
    remain remains left rest total altogether combined average half another additional equal
    equally same both only extra increase increased decrease decreased difference ratio rate"""
)
_CONDITIONS = _words("if unless except until whether when while after before instead otherwise")
_NEGATIONS = _words("no not never none neither nor without cannot can't don't doesn't didn't isn't")
_TIMES = _words(
    """second seconds minute minutes hour hours day days week weeks weekly month months monthly
    year years yearly daily today yesterday tomorrow morning evening monday tuesday wednesday
    thursday friday saturday sunday age old older younger"""
)
_REASONS = _words("why how explain describe compare difference prove show derive summarize")
_HEDGES = _words(
    """maybe perhaps might may could possibly probably likely unlikely seems seem appears about
    approximately roughly around estimate estimated typically usually generally often sometimes
    should would think believe guess possible depends depending"""
)
_TURNS = _words(
    """however but although though actually instead wait mistake incorrect wrong correction
    apologies contradiction contradicts still yet since nevertheless unfortunately"""
)
_REFUSALS = _words(
    """sorry cannot can't unable unknown unclear unsure insufficient impossible unfortunately
    don't doesn't not missing unspecified ambiguous"""
)
_SUPPOSITIONS = _words(
    "assume assuming assumed suppose supposing let let's say imagine consider given denote if"
)
_CONCLUSIONS = _words(
    "therefore so thus hence total altogether finally conclusion answer result overall means"
)


class _Read(NamedTuple):
    """A text taken apart once."""

    text: str
    words: list[str]
    sentences: int
    numbers: list[float]


def request_features(request: str) -> dict[str, float]:
    """Read the features of `REQUEST` off a request's text.

    Args:
        request: Any text.

    Returns:
        A finite number for every name of `REQUEST`.
    """
    read = _take_apart(request)
    text, words = read.text, read.words
    spelled = [_SPELLED[word] for word in words if word in _SPELLED]
    numbers = read.numbers + spelled
    broken = sum(value % 1 != 0 for value in read.numbers) + text.count("%")
    return _shape(read) | {
        "numbers": _log(len(numbers)),
        "distinct_numbers": _log(len(set(numbers))),
        "largest_number": _log(max(numbers, default=0.0)),
        "fractions": _log(broken + _count(words, _FRACTIONS)),
        "quantities": _log(_count(words, _QUANTITIES)),
        "conditions": _log(_count(words, _CONDITIONS)),
        "negations": _log(_count(words, _NEGATIONS)),
        "times": _log(_count(words, _TIMES)),
        "questions": _log(text.count("?")),
        "reasons": _log(_count(words, _REASONS)),
        "commas": _log(text.count(",") + text.count(";") + text.count(":")),
        "names": _log(len(_NAME.findall(text))),
        "money": _log(text.count("$") + text.count("€") + text.count("£")),
        "lists": _log(len(_LIST.findall(text))),
        "code": _log(len(_CODE.findall(text))),
        "foreign": _foreign(text),
    }


def draft_features(request: str, draft: str) -> dict[str, float]:
    """Read the features of `DRAFT` off a draft, beside the request it answers.

    Args:
        request: Any text.
        draft: Any text.

    Returns:
        A finite number for every name of `DRAFT`.
    """
    asked, read = _take_apart(request), _take_apart(draft)
    text, words = read.text, read.words
    known, used = set(asked.words), set(words)
    fours = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    return (
        _shape(read)
        | {
            "lines": _log(sum(not line.isspace() for line in text.splitlines())),
            "length_ratio": math.log((1 + len(words)) / (1 + len(asked.words))),
            "repeated": 1 - _share(len(set(fours)), len(fours), none=1.0),
            "hedges": _log(_count(words, _HEDGES)),
            "turns": _log(_count(words, _TURNS)),
            "refusals": _log(_count(words, _REFUSALS)),
            "suppositions": _log(_count(words, _SUPPOSITIONS)),
            "conclusions": _log(_count(words, _CONCLUSIONS)),
            "negations": _log(_count(words, _NEGATIONS)),
            "questions": _log(text.count("?")),
            "exclamations": _log(text.count("!")),
            "lists": _log(len(_LIST.findall(text))),
            "code": _log(len(_CODE.findall(text))),
            "brackets": _log(text.count("(")),
            "foreign": _foreign(text),
            "shared_words": _share(len(known & used), len(known), none=1.0),
            "own_words": _share(len(used - known), len(used), none=0.0),
        }
        | _of_numbers(asked, read)
        | _of_ending(text)
    )


def hashed_words(text: str, buckets: int) -> dict[int, float]:
    """Spread a text's words and pairs of neighbours over signed buckets.

    The sign lets words that meet in one bucket cancel instead of adding up
    (Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009).
    A number counts as its number of digits. The same in every process: CRC-32, not
    Python's salted hash.

    Args:
        text: Any text.
        buckets: How many buckets there are; at least 1.

    Returns:
        Value by bucket, of Euclidean length 1; nothing for a text without words.
    """
    terms = [
        "0" * len(term) if term[0].isdecimal() else term
        for term in _TERM.findall(_cut(text).lower())
    ]
    found: dict[int, float] = {}
    for term, times in Counter([*terms, *map(" ".join, pairwise(terms))]).items():
        code = crc32(term.encode("utf-8", "surrogatepass"))
        bucket = (code & 0x7FFFFFFF) % buckets
        value = 1 + math.log(times)
        found[bucket] = found.get(bucket, 0.0) + (value if code >> 31 else -value)
    length = math.sqrt(sum(value * value for value in found.values()))
    return {bucket: value / length for bucket, value in found.items() if value} if length else {}


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - ENDING] + "\n" + text[-ENDING:]


def _take_apart(text: str) -> _Read:
    text = _cut(text)
    numbers = [value_of(number) for number in NUMBER.findall(text)]
    return _Read(
        text, _WORD.findall(text.lower()), 1 + len(_SENTENCE.findall(text.strip())), numbers
    )


def _shape(read: _Read) -> dict[str, float]:
    words = read.words
    return {
        "characters": _log(len(read.text)),
        "words": _log(len(words)),
        "sentences": _log(read.sentences),
        "words_a_sentence": _log(len(words) / read.sentences),
        "letters_a_word": sum(map(len, words)) / (len(words) or 1),
        "distinct_words": _share(len(set(words)), len(words), none=1.0),
    }


def _of_numbers(asked: _Read, read: _Read) -> dict[str, float]:
    numbers, given = read.numbers, set(asked.numbers)
    named = given | {_SPELLED[word] for word in asked.words if word in _SPELLED}
    checks = calculations(read.text)
    found = [check.result for check in checks if check.result is not None]
    wrong = sum(check.holds is False for check in checks)
    right = sum(check.holds is True for check in checks)
    sourced = named.union(found)
    broken = sum(value % 1 != 0 for value in numbers)
    result = numbers[-1] if numbers else 0.0
    return {
        "numbers": _log(len(numbers)),
        "distinct_numbers": _log(len(set(numbers))),
        "largest_number": _log(max(numbers, default=0.0)),
        "fractions": _share(broken, len(numbers), none=0.0),
        "new_fractions": float(broken > 0 and all(value % 1 == 0 for value in given)),
        "negative_results": _log(sum(value < 0 for value in found)),
        "numbers_used": _share(len(given.intersection(numbers)), len(given), none=1.0),
        "numbers_unsourced": _share(
            sum(value not in sourced for value in numbers), len(numbers), none=0.0
        ),
        "equations": _log(right + wrong),
        "wrong_equations": _log(wrong),
        "right_equations": _share(right, right + wrong, none=1.0),
        "open_equations": _log(sum(check.holds is None for check in checks)),
        "result": _log(result),
        "result_whole": float(bool(numbers) and result % 1 == 0),
        "result_given": float(bool(numbers) and result in named),
        "result_times": _log(numbers.count(result)),
        "result_calculated": float(bool(numbers and found) and near(result, found[-1])),
        "result_relative": _log(result) - _log(max(named, default=0.0)),
    }


def _of_ending(text: str) -> dict[str, float]:
    end = text.rstrip()
    last = end[end.rfind("\n") + 1 :]
    unclosed = any(end.count(left) > end.count(right) for left, right in _CLOSERS)
    return {
        "unfinished": float(unclosed or end.endswith(_OPEN_END)),
        "ends_sentence": float(end.endswith(_SENTENCE_END)),
        "ends_number": float(NUMBER.search(last) is not None),
        "states_result": float(_RESULT.search(last) is not None),
        "last_words": _log(len(_WORD.findall(last))),
        "last_numbers": _log(len(NUMBER.findall(last))),
    }


def _count(words: Iterable[str], wanted: frozenset[str]) -> int:
    return sum(word in wanted for word in words)


def _foreign(text: str) -> float:
    return 1 - _share(len(text.encode("ascii", "ignore")), len(text), none=1.0)


def _share(part: int, whole: int, *, none: float) -> float:
    return part / whole if whole else none


def _log(count: float) -> float:
    return math.log1p(min(abs(count), HUGE))
