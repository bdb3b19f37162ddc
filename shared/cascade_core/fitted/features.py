"""Reads cheap numbers off a request and a draft, for a fitted model to weigh.

None of them measures correctness by itself: which of them predict it on a caller's
traffic is learned from labels. Nothing here calls a model, knows a data set, or takes
longer than linear time; texts are read up to `LONGEST` characters.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

from cascade_core.fitted import vocabulary
from cascade_core.fitted.arithmetic import HUGE, NUMBER, calculations, near, value_of

LONGEST = 20_000
"""Characters of a text that are read: its beginning, and the last `ENDING` of a longer one."""

ENDING = 4_000

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
    spelled = [vocabulary.SPELLED[word] for word in words if word in vocabulary.SPELLED]
    numbers = read.numbers + spelled
    broken = sum(value % 1 != 0 for value in read.numbers) + text.count("%")
    return _shape(read) | {
        "numbers": _log(len(numbers)),
        "distinct_numbers": _log(len(set(numbers))),
        "largest_number": _log(max(numbers, default=0.0)),
        "fractions": _log(broken + _count(words, vocabulary.FRACTIONS)),
        "quantities": _log(_count(words, vocabulary.QUANTITIES)),
        "conditions": _log(_count(words, vocabulary.CONDITIONS)),
        "negations": _log(_count(words, vocabulary.NEGATIVES)),
        "times": _log(_count(words, vocabulary.TIMES)),
        "questions": _log(text.count("?")),
        "reasons": _log(_count(words, vocabulary.REASONS)),
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
            "hedges": _log(_count(words, vocabulary.HEDGES)),
            "turns": _log(_count(words, vocabulary.TURNS)),
            "refusals": _log(_count(words, vocabulary.REFUSALS)),
            "suppositions": _log(_count(words, vocabulary.SUPPOSITIONS)),
            "conclusions": _log(_count(words, vocabulary.CONCLUSIONS)),
            "negations": _log(_count(words, vocabulary.NEGATIVES)),
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
    named = given | {vocabulary.SPELLED[word] for word in asked.words if word in vocabulary.SPELLED}
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
