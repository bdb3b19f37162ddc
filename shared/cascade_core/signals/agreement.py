"""When two answers say the same.

Self-consistency is only as good as its notion of "the same". A false agreement
accepts a bad answer; a missed one costs a stronger model's call. So whatever is
doubtful here counts as disagreement. Nothing here calls a model: a comparison
that needs one, such as entailment, is a caller's own function.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, localcontext
from functools import partial
from inspect import iscoroutinefunction
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

from cascade_core.compatible import compatible
from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.likeness import likeness
from cascade_core.request import ToolCall, ToolSpec
from cascade_core.signals.argument_values import canonical
from cascade_core.signals.objects import json_values, same_objects
from cascade_core.signals.tool_arguments import same_calls
from cascade_core.spoken import is_blank, spoken

AgreementKind: TypeAlias = Literal["auto", "exact", "numeric", "text"]
Comparer: TypeAlias = Callable[..., bool]
"""Takes a draft and a sample, and the tools that were offered, where there are any."""

_ARTICLES = {"a", "an", "the"}
_LONGEST_NUMBER = 40  # characters; longer ones are compared as they are written
_SHORT_ANSWER = 12  # words of a sentence that can be no more than a number dressed up
_WORDS_AFTER_RESULT = 2
_LABEL = 3  # words of an answer that is a name or a choice rather than a sentence
_ROUNDED_PLACES = 2  # decimals a number needs before it may be a rounding of another
_GROUP_DIGITS = 3
_SCALES = {"k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6}
_SCALES |= {"b": 9, "bn": 9, "billion": 9, "trillion": 12, "lakh": 5, "crore": 7}
_UNITS = {"%": "percent", "$": "dollar", "usd": "dollar", "€": "euro", "eur": "euro"}
_UNITS |= {"£": "pound", "gbp": "pound", "¥": "yen", "jpy": "yen", "₹": "rupee", "inr": "rupee"}
_NUMBER = re.compile(
    r"(?<![^\W_])(?<![\^-])"  # not inside a word, an exponent, or a name such as GPT-4
    r"(?P<front>-?[$€£¥₹]\s?-?|-)?"
    r"(?P<body>\d+(?:[-.,:/^][$€£¥₹]?\d+)*|\.\d+)"
    r"(?:[eE](?P<exponent>[-+]?\d{1,3})(?![^\W_]))?"
    r"(?P<scale>\s?(?i:thousand|million|billion|trillion|lakh|crore)\b|(?:[kKMB]|bn|mn)\b)?"
    r"(?:\s?(?P<unit>%|[$€£¥₹](?!\d)|[^\W\d_]+))?"
)
_GROUP_SIGN = re.compile(r"(?<=\d)(?:\{,\}|\\[,;: ]|[\u00a0\u2005-\u200a\u202f'’_])(?=\d{3}(?!\d))")
_BLANK_GROUPS = re.compile(r"(?<![\w.,])[1-9]\d{0,2}(?: \d{3})+(?![\w])")
_TOKEN = re.compile(r"(?<!\w)-?\d+(?:[-.,:/^]\d+)*|[^\W_]+#?|[^\w\s]")
_MARKER = re.compile(r"(?i)####|\\boxed\{|\b(?:answer|result|total|solution)\s*(?:is\b|:|=)")
_CALCULATION = re.compile(  # an operator, a number, an equals sign, a number: not "retries = 5"
    r"[-+*/×÷x]\s?[$€£¥₹(]?\d[\d.,]{0,20}\)?(?:\s?[a-z%]{1,15})?\s?=\s?-?[$€£¥₹]?\s?\d"
)
_LEFT_SIDE = re.compile(r"^(?:x|\W|\d)*=")
_NEGATION = re.compile(r"(?i)\b(?:not?|never|cannot|without)\b|n['’]t\b")
_SILENT = {"Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sk", "So"}  # categories `text` folds away
_HEDGES = {"about", "approximately", "around", "exactly", "roughly", "x"}


class Number(NamedTuple):
    """A number as a text writes it.

    Attributes:
        value: Its value; the characters themselves for what is built of several
            numbers (3/4, 10:30, 2024-05-12, 10^6).
        unit: The sign or word it counts, singular, or None.
        start: Where it starts in the tidied text.
        end: Where it ends, unit included.
    """

    value: Decimal | str
    unit: str | None
    start: int
    end: int


def comparer(agreement: AgreementKind | Callable[[str, str], bool]) -> Comparer:
    r"""Return the function that tells whether two drafts agree.

    Built-in kinds compare the tool calls of drafts that have some, in any order,
    whatever text stands beside them: arguments by what the tool's schema says they
    mean, see `tool_arguments`. Objects that were asked for are compared as objects,
    where one is written and the other a tool's arguments, and by `auto`. Otherwise:

    - `exact`: equal texts, but for white space around them.
    - `numeric`: equal last numbers; units are ignored. 1,234.50 = 1.234,5 = $1234.5;
      a number with two decimals or more agrees with what rounds to it.
    - `text`: equal after NFKC, case folding and dropping articles, punctuation
      and white space.
    - `auto`: JSON documents by value; else equal as `text`; else by their result
      where both texts state one: after a marker ("answer is", `####`, `\boxed`),
      in the last sentence of a calculation, or as a bare number (then the other
      may be a short sentence around one number). Results agree in value and unit.

    A reasoning model's `<think>` block is not read, and an empty text agrees
    with nothing.

    Args:
        agreement: A kind above, or a function of the draft's and the sample's
            text (tool calls appended as JSON) that returns whether they agree.

    Returns:
        A function of the draft, a sample and the tools that were offered. A
        caller's function may raise in it.

    Raises:
        ConfigurationError: If there is no such kind, or the function is async.
    """
    if callable(agreement):
        return _custom(agreement)
    if agreement not in _RULES:
        msg = (
            f"agreement={agreement!r} is not known; use one of "
            f"{', '.join(map(repr, sorted(_RULES)))} or a function (str, str) -> bool"
        )
        raise ConfigurationError(msg)
    return partial(_compare, agreement)  # no closure: cascades are pickled for worker processes


def _compare(
    agreement: AgreementKind, draft: Draft, sample: Draft, tools: Sequence[ToolSpec] = ()
) -> bool:
    calls = any(d.tool_calls or d.broken_tool_calls for d in (draft, sample))
    if calls or agreement == "auto":
        alike = same_objects(draft, sample)
        if alike is not None:
            return alike
    if calls:
        return same_calls(draft, sample, tools)
    texts = draft.text.strip(), sample.text.strip()
    return not any(map(is_blank, texts)) and _RULES[agreement](*texts)


def _custom(function: Callable[[str, str], bool]) -> Comparer:
    if iscoroutinefunction(function):
        msg = "agreement=: an async function cannot be used here; give a plain (str, str) -> bool"
        raise ConfigurationError(msg)
    return partial(_by_function, function)


def _by_function(
    function: Callable[[str, str], bool],
    draft: Draft,
    sample: Draft,
    tools: Sequence[ToolSpec] = (),
) -> bool:
    del tools  # it knows its own
    agreed = function(*written_alike(draft, sample))
    if agreed not in (True, False):  # a similarity of 0.3 is truthy and would pass
        msg = f"an agreement function returns True or False, not {type(agreed).__name__}"
        raise TypeError(msg)
    return bool(agreed)


def label_of(agreement: AgreementKind | Callable[[str, str], object]) -> str:
    """Name an agreement; two functions of one name are told apart."""
    if isinstance(agreement, str):
        return agreement
    name = getattr(agreement, "__qualname__", type(agreement).__qualname__)
    return f"{getattr(agreement, '__module__', '')}.{name}:{likeness(agreement)}"


def same(a: Draft, b: Draft, tools: Sequence[ToolSpec] = ()) -> bool | None:
    """Tell whether two answers say the same, as the kind `auto` does, or that it cannot tell.

    Agreement counts what is doubtful as disagreement. Here tool calls, JSON documents, stated
    numbers and answers of a few words differ where they are not the same; of longer texts that are
    worded differently nobody can tell by the words alone.

    Args:
        a: An answer.
        b: Another.
        tools: The tools that were offered, by whose schemas calls are compared.

    Returns:
        True or False; None where it cannot tell.
    """
    if (alike := same_objects(a, b)) is not None:
        return alike
    if any(d.tool_calls or d.broken_tool_calls for d in (a, b)):
        return same_calls(a, b, tools)
    blank = [is_blank(d.text) for d in (a, b)]
    if any(blank):
        return None if any(d.other_parts for d in (a, b)) else all(blank)
    texts = a.text.strip(), b.text.strip()
    if _auto(*texts):
        return True
    if all(_document(text) for text in texts) or all(len(folded(text)) <= _LABEL for text in texts):
        return False
    mine, theirs = (_result(text)[0] for text in texts)
    # Sentences around one number say different things where it differs, and may where it does not.
    return False if mine and theirs and not _same_number(mine, theirs) else None


def written(text: str, calls: Sequence[ToolCall] = ()) -> str:
    """Write an answer out as one text, its tool calls as JSON lines after it."""
    lines = [canonical({"tool": call.name, "arguments": call.arguments}) for call in calls]
    return "\n".join([text, *lines] if text else lines)


def written_alike(a: Draft, b: Draft) -> tuple[str, str]:
    """Write two answers out as texts; as objects, where one is a text and one a call."""
    if bool(a.tool_calls) != bool(b.tool_calls):
        mine, theirs = json_values(a.made), json_values(b.made)
        if mine is not None and theirs is not None:
            return canonical(mine), canonical(theirs)
    return written(a.text, a.tool_calls), written(b.text, b.tool_calls)


def numbers(text: str) -> list[Number]:
    """Return the numbers a tidied text holds, in order."""
    return [_number(match) for match in _NUMBER.finditer(text)]


def _number(match: re.Match[str]) -> Number:
    front, body = match["front"] or "", match["body"]
    power = int(match["exponent"] or 0) + _SCALES.get((match["scale"] or "").strip().lower(), 0)
    value = _value(body, negative="-" in front, power=power)
    unit = (front.strip("- ") or match["unit"] or "").casefold()
    unit = _UNITS.get(unit, unit.removesuffix("s"))
    return Number(value, unit or None, match.start(), match.end())


def _value(body: str, *, negative: bool, power: int = 0) -> Decimal | str:
    sign = "-" if negative else ""
    for group, point in (",.", ".,"):  # 1,234.5 as in English, then 1.234,5 as in German
        whole, _, decimals = body.partition(point)
        first, *groups = whole.split(group)
        grouped = first.strip("0") and len(first) <= _GROUP_DIGITS
        fits = not groups or (grouped and _grouped(first, groups, indian=group == ","))
        digits = "".join((first, *groups, decimals))
        if fits and digits.isdecimal() and len(digits) <= _LONGEST_NUMBER:
            return Decimal(f"{sign}{digits}e{power - len(decimals)}")
    return f"{sign}{body}e{power}"


def _grouped(first: str, groups: Sequence[str], *, indian: bool) -> bool:
    """Tell whether digits stand in groups of three; in India, in twos up to the last three."""
    *others, last = (len(group) for group in groups)
    widths = {_GROUP_DIGITS} if not indian or len(first) == _GROUP_DIGITS else {_GROUP_DIGITS, 2}
    return last == _GROUP_DIGITS and any(all(g == width for g in others) for width in widths)


def _close(a: Decimal | str, b: Decimal | str) -> bool:
    if a == b or isinstance(a, str) or isinstance(b, str) or not a or not b:
        return a == b
    last_place = max(int(a.as_tuple().exponent), int(b.as_tuple().exponent))
    if last_place > -_ROUNDED_PLACES:  # 3 is not a rounding of 3.4, nor 18 of 18.25
        return False
    with localcontext(Context(prec=2 * _LONGEST_NUMBER)):
        return abs(a - b) <= Decimal((0, (5,), last_place - 1))


def _tidy(text: str) -> str:
    text = _GROUP_SIGN.sub("", spoken(text))
    text = re.sub(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}", r"\1/\2", text).replace("\\$", "$")
    text = re.sub(r"([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", r"^\1", text)  # NFKC would make 10² a 102
    return re.sub(r"[\u2010-\u2013\u2212]", "-", compatible(text))


def folded(text: str) -> list[Decimal | str]:
    """Return the words and numbers of a text as the kind `text` compares them."""
    words = _TOKEN.findall(_tidy(text).casefold())
    kept: list[Decimal | str] = []
    for word, following in pairwise([*words, ""]):
        if word in _ARTICLES and following[:1].isalnum():  # the "A" of "A) Paris" stays
            continue
        if word.lstrip("-")[:1].isdecimal():
            kept.append(_value(word.lstrip("-"), negative=word[0] == "-"))
        elif word == "%" or unicodedata.category(word[0]) not in _SILENT:
            kept.append(word)
    return kept or [text]


def _numeric(a: str, b: str) -> bool:
    mine, theirs = (numbers(_BLANK_GROUPS.sub(_joined, _tidy(text))) for text in (a, b))
    return bool(mine and theirs) and _close(mine[-1].value, theirs[-1].value)


def _joined(groups: re.Match[str]) -> str:
    return groups[0].replace(" ", "")


def _text(a: str, b: str) -> bool:
    return folded(a) == folded(b)


def _auto(a: str, b: str) -> bool:
    documents = _document(a), _document(b)
    if all(documents):
        return documents[0] == documents[1]
    if _text(a, b):
        return True
    (mine, a_states), (theirs, b_states) = _result(a), _result(b)
    if not (mine and theirs):
        tails = [_MARKER.split(_tidy(text))[-1] for text in (a, b)]
        return all(tail.strip() for tail in tails) and a_states and b_states and _text(*tails)
    return (a_states or b_states) and _same_number(mine, theirs)


def _same_number(a: Number, b: Number) -> bool:
    return (a.unit is None or b.unit is None or a.unit == b.unit) and _close(a.value, b.value)


def _document(text: str) -> str | None:
    body = re.sub(r"^```\w*\n|```$", "", spoken(text).strip()).strip()
    try:
        return canonical(json.loads(body)) if body[:1] in ("{", "[") else None
    except (ValueError, RecursionError):
        return None


def _result(text: str) -> tuple[Number | None, bool]:
    """Return the one number a text comes to, and whether the text states its result."""
    tidy = _tidy(text)
    tail = _MARKER.split(tidy)[-1]
    marked, calculates = tail != tidy, bool(_CALCULATION.search(tidy))
    if marked:
        tail = _LEFT_SIDE.sub("", tail)
    else:
        sentences = [s for s in re.split(r"(?<=[.!?])\s+|\n+", tidy) if s.strip()]
        if len(sentences) != 1 and not calculates:
            return None, False
        tail = sentences[-1].rpartition("=")[2] if calculates else sentences[0]
    found = numbers(tail)
    if len(found) != 1 or _NEGATION.search(tail):
        return None, marked
    sides = tail[: found[0].start], tail[found[0].end :]
    before, after = (re.findall(r"[^\W_]+", side.casefold()) for side in sides)
    if marked:
        return (found[0] if _HEDGES.issuperset(before) else None), True
    if len(before) > _SHORT_ANSWER or len(after) > _WORDS_AFTER_RESULT:
        return None, False
    return found[0], calculates or not (before or after)


_RULES: Mapping[str, Callable[[str, str], bool]] = {
    "auto": _auto,
    "exact": str.__eq__,
    "numeric": _numeric,
    "text": _text,
}
