"""When two plain values of a tool's argument mean the same, by what its schema says of them.

Numbers go by value, dates by day and times by instant where the schema asks for one, choices by
the member they name. Texts of several words do not differ by white space, or by case where nothing
in them, nor the name of the argument, speaks of a code, a path or a key; all others go letter by
letter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cascade_core.compatible import compatible

_LONGEST_NUMBER = 40  # characters; longer ones are compared as they are written
_NUMBER = re.compile(r"\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?\s*", re.ASCII)
_BITS = 128  # of an integer that is compared by its value
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": (int, float),
    "boolean": bool,
    "object": Mapping,
    "array": (list, tuple),
}
_TRUTH = {"true": True, "false": False}
_FREE = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*[.,!?;:]*(?:\s+[^\W_]+(?:['’-][^\W_]+)*[.,!?;:]*)+")
"""Two words or more and nothing but words: no code, no path, no option of a command."""
_EXACT_NAME = re.compile(
    r"(?:id|ids|uid|uuid|guid|key|code|token|hash|sku|ref|slug|path|file|filename|folder|dir|url"
    r"|uri|link|cmd|command|commands|args|argv|query|sql|script|source|program|regex|pattern"
    r"|expression|formula|selector|password|secret|passphrase|user|username|login|handle|branch"
    r"|tag|version|label|content|contents|body|text|template|patch|diff)"
)
"""The last word of an argument's name whose text is not folded."""
_WORDS_OF_NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DATES = ("%Y/%m/%d", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y")
"""Spellings of a day that can be read in one way only; 05/01/2024 is in May or in January."""
_LONGEST_DATE = 40


def canonical(value: object) -> str:
    """Write a JSON value so that equal values are equal text (1.0 as 1, keys sorted)."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, default=str)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_of_type(value: object, kind: object) -> bool:
    """Tell whether a value is of a JSON type, as it is written; any value is of none at all."""
    if kind is None:
        return True
    types = _TYPES.get(kind) if isinstance(kind, str) else None
    if types is None or not isinstance(value, types):
        return False
    if isinstance(value, bool) and types is not bool:  # in Python a truth is a number
        return False
    return kind != "integer" or not isinstance(value, float) or value.is_integer()


def same_scalar(a: Any, b: Any, schema: Mapping[str, Any], name: str) -> bool:
    """Tell whether two values that are neither lists nor objects mean the same.

    Args:
        a: A value, as `json.loads` gives it.
        b: Another.
        schema: What the schema says of it, without references.
        name: What the argument is called.
    """
    if a is None or b is None:
        return a is b
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return _same_choice(a, b, choices)
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []
    kinds = [kind for kind in kinds if kind != "null"]
    if len(kinds) != 1:
        return canonical(a) == canonical(b)
    if kinds[0] in ("number", "integer"):
        mine, theirs = _number(a), _number(b)
        return mine is not None and mine == theirs
    if kinds[0] == "boolean":
        truths = _truth(a), _truth(b)
        return truths[0] is not None and truths[0] is truths[1]
    if kinds[0] == "string" and isinstance(a, str) and isinstance(b, str):
        return _same_text(a, b, schema, name)
    return canonical(a) == canonical(b)


def _same_choice(a: Any, b: Any, choices: Sequence[Any]) -> bool:
    """Tell whether two values name the same member, where case tells no two members apart."""
    folded = [each.strip().casefold() if isinstance(each, str) else each for each in choices]
    if not (isinstance(a, str) and isinstance(b, str)):
        return canonical(a) == canonical(b)
    mine, theirs = a.strip().casefold(), b.strip().casefold()
    return mine == theirs and folded.count(mine) == 1


def _number(value: Any) -> Decimal | None:
    """Read a number, or a text that is one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if not isinstance(value, str):
        value = repr(value) if isinstance(value, float) or value.bit_length() < _BITS else ""
    if len(value) > _LONGEST_NUMBER or not _NUMBER.fullmatch(value):
        return None
    try:
        return Decimal(value.strip())
    except InvalidOperation:
        return None


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return _TRUTH.get(value.strip().lower()) if isinstance(value, str) else None


def _same_text(a: str, b: str, schema: Mapping[str, Any], name: str) -> bool:
    form = schema.get("format")
    if form in _READERS:
        mine, theirs = (_READERS[form](text.strip()) for text in (a, b))
        return a.strip() == b.strip() if mine is None or theirs is None else mine == theirs
    if form is not None or "pattern" in schema or "contentMediaType" in schema:
        return a == b
    words = _WORDS_OF_NAME.findall(name)
    if words and _EXACT_NAME.fullmatch(words[-1].lower()):
        return a == b
    mine, theirs = (" ".join(compatible(text).split()) for text in (a, b))
    if mine == theirs:
        return "\n" not in a.strip() and "\n" not in b.strip()
    return bool(_FREE.fullmatch(mine) and _FREE.fullmatch(theirs)) and (
        mine.casefold() == theirs.casefold()
    )


def _day(text: str) -> date | None:
    if len(text) > _LONGEST_DATE:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    return None


def _instant(text: str) -> tuple[bool, datetime] | None:
    """Read an instant; a time without an offset is one of nobody knows where."""
    if len(text) > _LONGEST_DATE or len(text) <= len("2024-05-01"):
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read.tzinfo is not None, read


def _folded(text: str) -> str:
    return text.casefold()


_READERS: Mapping[Any, Any] = {
    "date": _day,
    "date-time": _instant,
    "uuid": _folded,
    "hostname": _folded,
}
