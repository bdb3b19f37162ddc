"""Fills a JSON schema with what a model wrote; nothing is made up.

The desk models write sentences and know no JSON. So a model writes its answer as ever, and
this module copies the words that a schema asks for out of it:

- text: the whole answer, without its working;
- a number: the one that stands by the field's name (``order`` takes "order 4711",
  ``amount`` takes "$72"), or the only one if the name says nothing of the sort;
- one of several values: the first that the answer names, its working included;
- true or false: whether the answer begins with "yes" or "no";
- a list: one item for every sentence that fills one;
- null, or an optional field left out, where the answer has nothing.

Keys, quotes and braces are forced: a token of theirs has probability 1. A token that was
copied keeps the probability with which the model wrote it.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from cascade_core.errors import CascadeError
from cascade_demo.generate import Token
from cascade_demo.passages import Stretch, Written, forced

JsonSchema = dict[str, Any]

DEEPEST = 12
"""Levels of a schema that are followed, so that one which contains itself ends."""
MOST_FIELDS = 2_000
"""Values tried for one answer, so that no schema keeps the server busy."""

_NUMBER = re.compile(r"(?<![\w.])(\$?)(-?\d+(?:\.\d+)?)(?!\w)")
_WORD = re.compile(r"[A-Za-z]+")
_NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")

# What a field's name says about the number that belongs there.
_KINDS = {
    "money": {
        "amount", "cost", "credit", "dollar", "dollars", "money", "paid", "price", "refund",
        "sum", "total", "usd",
    },
    "order": {"order", "orders"},
    "day": {"day", "days"},
    "minute": {"minute", "minutes"},
    "week": {"week", "weeks"},
    "month": {"month", "months"},
}  # fmt: skip


class UnfilledError(CascadeError):
    """The answer has nothing for a field that must be filled."""


def words_of(name: str) -> set[str]:
    """Split ``cancel_order`` or ``CancelOrder`` into lower-case words."""
    return {part.lower() for part in _NAME_PART.findall(name)}


def fill(schema: JsonSchema, written: Written, part: Stretch | None = None) -> list[Token]:
    """Give the JSON text of what `schema` describes.

    Args:
        schema: a JSON schema, checked as `schemas` does.
        written: what the model wrote.
        part: take words from this part of the answer only.

    Raises:
        UnfilledError: naming the field for which the answer has nothing.
    """
    filler = _Filler(schema, written.working)
    return _merged(filler.value(schema, "", part or written.answer, 0))


class _Filler:
    """Fills one schema once."""

    def __init__(self, root: JsonSchema, working: Stretch) -> None:
        self._root = root
        self._working = working
        self._tried = 0

    def value(self, schema: Any, path: str, passage: Stretch, depth: int) -> list[Token]:
        """Fill one value; `path` names it."""
        self._tried += 1
        if depth > DEEPEST or self._tried > MOST_FIELDS:
            raise UnfilledError(f"{_at(path)} is nested too deep, or has too many parts")
        schema = self._resolved(schema, path)
        if "const" in schema:
            return [forced(json.dumps(schema["const"]))]
        if "enum" in schema:
            return self._named(schema["enum"], path, passage)
        options = _options(schema)
        if options:
            return self._first(options, path, passage, depth)
        kind = schema.get("type", "object" if "properties" in schema else None)
        if kind in ("object", "array"):
            nested = self._object if kind == "object" else self._array
            return nested(schema, path, passage, depth)
        if isinstance(kind, str) and kind in _PLAIN:
            return _PLAIN[kind](schema, path, passage)
        raise UnfilledError(f"{_at(path)} has no type that can be filled")

    def _resolved(self, schema: Any, path: str) -> JsonSchema:
        for _ in range(DEEPEST):
            if not isinstance(schema, dict):
                break
            if len(schema.get("allOf", ())) == 1:
                (schema,) = schema["allOf"]
            elif "$ref" in schema:
                schema = self._referred(schema["$ref"])
            else:
                return schema
        raise UnfilledError(f"{_at(path)} has no schema that can be followed")

    def _referred(self, name: str) -> Any:
        if not name.startswith("#"):
            return None
        found: Any = self._root
        for step in name.split("/")[1:]:
            found = found.get(step) if isinstance(found, dict) else None
        return found

    def _first(
        self, options: Iterable[Any], path: str, passage: Stretch, depth: int
    ) -> list[Token]:
        """Take the first kind of value that the answer fills, and null only if there is none."""
        reason = UnfilledError(f"{_at(path)} allows no value")
        for option in sorted(options, key=_is_null):
            try:
                return self.value(option, path, passage, depth + 1)
            except UnfilledError as error:
                reason = error
        raise reason

    def _object(self, schema: JsonSchema, path: str, passage: Stretch, depth: int) -> list[Token]:
        required = schema.get("required", ())
        tokens = [forced("{")]
        for name, field in schema.get("properties", {}).items():
            inner = f"{path}.{name}" if path else name
            try:
                value = self.value(field, inner, passage, depth + 1)
            except UnfilledError:
                if name in required:
                    raise
                continue
            comma = "" if len(tokens) == 1 else ","
            tokens += [forced(f"{comma}{json.dumps(name)}:"), *value]
        return [*tokens, forced("}")]

    def _array(self, schema: JsonSchema, path: str, passage: Stretch, depth: int) -> list[Token]:
        items = []
        for sentence in passage.sentences():
            try:
                items.append(self.value(schema.get("items"), path, sentence, depth + 1))
            except UnfilledError:
                continue
        if len(items) < schema.get("minItems", 0):
            raise UnfilledError(f"the answer has too few items for {_at(path)}")
        tokens = [forced("[")]
        for item in items[: schema.get("maxItems")]:
            tokens += [*([forced(",")] if len(tokens) > 1 else []), *item]
        return [*tokens, forced("]")]

    def _named(self, values: list[Any], path: str, passage: Stretch) -> list[Token]:
        """Take the value that is named first, in the answer or else in the working."""
        if len(values) == 1:
            return [forced(json.dumps(values[0]))]
        for text in (passage, self._working):
            found = [
                (match.start(), -len(match.group()), index, text.cut(*match.span()))
                for index, value in enumerate(values)
                if value is not None
                for match in [_mention(str(value)).search(text.text)]
                if match
            ]
            if found:
                *_, index, mention = min(found, key=lambda one: one[:3])
                return [mention.standing_for(json.dumps(values[index]))]
        if None in values:
            return [forced("null")]
        raise UnfilledError(f"the answer names none of the values of {_at(path)}")


def _options(schema: JsonSchema) -> list[Any]:
    """Give the kinds of value a schema allows, if it says so in one of three ways."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return [{**schema, "type": kind} for kind in kinds]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return list(schema[word])
    return []


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"


def _mention(value: str) -> re.Pattern[str]:
    """Find a value as a word of its own, however it is cased and hyphenated."""
    parts = [re.escape(part) for part in re.split(r"[\s_-]+", value) if part]
    return re.compile(r"(?<!\w)" + r"[\s_-]+".join(parts) + r"(?!\w)", re.IGNORECASE)


def _find(pattern: str, passage: Stretch) -> re.Match[str] | None:
    """Find what a pattern that describes a whole value describes within the answer."""
    bare = pattern.removeprefix("^").removesuffix("$")
    # Only a short pattern without nested repeats: others may take for ever.
    if len(bare) > 100 or re.search(r"[*+}]\)?[*+{]", bare):
        return None
    try:
        return re.search(rf"(?<!\w)(?:{bare})(?!\w)", passage.text)
    except re.error:
        return None


def _string(schema: JsonSchema, path: str, passage: Stretch) -> list[Token]:
    pattern = schema.get("pattern")
    form = schema.get("format")
    if pattern or form:
        found = _find(pattern, passage) if pattern else None
        if form == "date" and not pattern:
            found = _DATE.search(passage.text)
        if not found:
            raise UnfilledError(f"the answer has no {form or 'such text'} for {_at(path)}")
        passage = passage.cut(*found.span())
    elif _kinds(words_of(_last(path))):
        passage = _number({}, path, passage)
    longest = schema.get("maxLength", len(passage.text))
    if not schema.get("minLength", 1) <= len(passage.text) <= longest:
        raise UnfilledError(f"the answer has not the length for {_at(path)}")
    return [forced('"'), *passage.copied(), forced('"')]


def _number(schema: JsonSchema, path: str, passage: Stretch) -> Stretch:
    names = words_of(_last(path))
    wanted = _kinds(names)
    labelled: list[tuple[int, int]] = []
    others: list[tuple[int, int]] = []
    for match in _NUMBER.finditer(passage.text):
        if not _allowed(schema, match.group(2)):
            continue
        before = _WORD.findall(passage.text[: match.start()])[-1:]
        after = re.match(r"\s*([A-Za-z]+)", passage.text[match.end() :])
        near = {word.lower() for word in (*before, *(after.groups() if after else ()))}
        kinds = {"money"} if match.group(1) else _kinds(near)
        by_name = bool(near & names) and not match.group(1)
        (labelled if kinds & wanted or by_name else others).append(match.span(2))
    if labelled:
        return passage.cut(*labelled[0])
    if not wanted and len(others) == 1:
        return passage.cut(*others[0])
    raise UnfilledError(f"the answer has no number for {_at(path)}")


def _allowed(schema: JsonSchema, digits: str) -> bool:
    number = float(digits)
    return (
        not (schema.get("type") == "integer" and "." in digits)
        and number >= schema.get("minimum", number)
        and number <= schema.get("maximum", number)
        and number > schema.get("exclusiveMinimum", number - 1)
        and number < schema.get("exclusiveMaximum", number + 1)
    )


def _kinds(words: Iterable[str]) -> set[str]:
    words = set(words)
    return {kind for kind, names in _KINDS.items() if words & names}


def _boolean(_: JsonSchema, path: str, passage: Stretch) -> list[Token]:
    match = re.match(r"(yes|no)\b", passage.text, re.IGNORECASE)
    if not match:
        raise UnfilledError(f"the answer says neither yes nor no for {_at(path)}")
    value = "true" if match.group().lower() == "yes" else "false"
    return [passage.cut(*match.span()).standing_for(value)]


_PLAIN: dict[str, Callable[[JsonSchema, str, Stretch], list[Token]]] = {
    "string": _string,
    "integer": lambda schema, path, passage: _number(schema, path, passage).copied(),
    "number": lambda schema, path, passage: _number(schema, path, passage).copied(),
    "boolean": _boolean,
    "null": lambda *_: [forced("null")],
}


def _merged(tokens: Iterable[Token]) -> list[Token]:
    """Join forced tokens that follow each other: a run of them is one."""
    merged: list[Token] = []
    for token in tokens:
        if token.forced and merged and merged[-1].forced:
            merged[-1] = forced(merged[-1].text + token.text)
        else:
            merged.append(token)
    return merged


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _at(path: str) -> str:
    return f"'{path}'" if path else "the whole"
