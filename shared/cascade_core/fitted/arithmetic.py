"""Checks the arithmetic that a text spells out: `12 * 3 = 36` holds, `12 * 3 = 35` does not.

A calculation that does not hold is among the few faults of an answer that can be seen
without asking anybody. Only what can be read beyond doubt is checked; algebra, formulas
with words in them and conversions of units (`1 hour = 60 minutes`) are left alone. One
pass, no evaluation of code, no text that can make it slow.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

NUMBER = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?|\.[0-9]+")
"""A number in digits."""

HUGE = 1e15
"""What larger numbers count as: whole numbers beyond it are no longer exact."""

_EQUALS = re.compile(r"(?<![<>!=])=(?![=>])|≈")
_BULLET = re.compile(r"^[ \t]{0,8}(?:[-*•]|[0-9]{1,2}[.)])[ \t]")
_REMARK = re.compile(r"\([^()0-9=]{0,40}\)")
_TOKEN = re.compile(
    # Atomic and bounded: a number that runs into letters is a word, found out only once.
    r"(?P<number>(?>(?:[0-9]++(?:,[0-9]{3}){0,6}(?:\.[0-9]++)?|\.[0-9]++)(?: ?%)?)(?!\w)"
    r"|[0-9]++(?=[xX] ?[$(]?[0-9]))"
    r"|(?P<by>[xX](?= ?[$(]?[0-9]))|(?P<word>\w+)|(?P<mark>[-+*/()])|(?P<other>[^\s$€£¢\\])"
)
_AS_MARKS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
_SAID = {"x": "*", "times": "*", "plus": "+", "minus": "-"}
_WORD, _OTHER = "a", ";"
_DEEPEST = 16
_UNIT = 4


class Equation(NamedTuple):
    """One equals sign.

    Attributes:
        holds: Whether its sides agree, as far as the shown decimals go; None if unreadable.
        result: What its right side comes to; None if unreadable.
    """

    holds: bool | None
    result: float | None


class _Side(NamedTuple):
    """What one side of an equals sign comes to, and the number it begins with."""

    value: float
    first: float
    operands: int
    decimals: int
    percent: bool


def calculations(text: str) -> list[Equation]:
    """Check what can be read as arithmetic around every equals sign.

    Args:
        text: Any text.

    Returns:
        One for every equals sign, in order.
    """
    if "=" not in text and "≈" not in text:
        return []
    found: list[Equation] = []
    text = text.translate(_AS_MARKS).replace("\\times", "*").replace("\\cdot", "*")
    for line in text.replace("<<", " ").replace(">>", f" {_OTHER} ").splitlines():
        parts = _EQUALS.split(_REMARK.sub("", _BULLET.sub("", line)))
        if len(parts) > 1:
            sides = [_ends(_tokens(part)) for part in parts]
            found += [_equation(left[1], right[0]) for left, right in pairwise(sides)]
    return found


def near(exact: float, shown: float, decimals: int = 0) -> bool:
    """Tell whether a number may be shown as another: equal, rounded, or cut to its decimals.

    Args:
        exact: The number.
        shown: What stands for it.
        decimals: How many decimals are shown; with none, only rounding counts.

    Returns:
        True if it may.
    """
    gap = abs(exact - shown)
    if gap <= 1e-9 * max(1.0, abs(exact)):
        return True
    return gap < 10.0**-decimals if decimals else exact % 1 != 0 and gap <= 0.5  # noqa: PLR2004


def value_of(written: str) -> float:
    """Return the value of what `NUMBER` found, at most `HUGE`."""
    return min(float(written.replace(",", "")), HUGE)


def _equation(left: _Side | None, right: _Side | None) -> Equation:
    result = right.value if right and math.isfinite(right.value) else None
    if left is None or result is None or right is None or not math.isfinite(left.value):
        return Equation(None, result)
    if left.operands == right.operands == 1:
        return Equation(None, result)
    mine, decimals = {left.value}, right.decimals if right.operands == 1 else 0
    if left.percent or right.percent:
        mine |= {left.value / 100, left.value * 100}
        decimals += 2 * (decimals > 0)
    # In `8 * 12 + 4 = 96 + 4 = 100` and `3 * 4 = 12 + 5 = 17` both ways of going on are meant.
    theirs = {right.value, right.first if left.operands > 1 else right.value}
    return Equation(any(near(a, b, decimals) for a in mine for b in theirs), result)


def _tokens(part: str) -> list[str]:
    """Split one side: a number and a mark are themselves, units and currencies are dropped."""
    found: list[str] = []
    for match in _TOKEN.finditer(part):
        piece, kind = match[0], match.lastgroup
        if kind == "by":
            piece = "*"
        elif kind == "word":
            said = _SAID.get(piece.lower(), _WORD) if found else _WORD
            percent_of = piece == "of" and bool(found) and _is_number(found[-1])
            piece = "*" if percent_of else said
        elif kind == "other":
            piece = _OTHER
        found.append(piece)
    kept: list[str] = []
    place = 0
    while place < len(found):
        kept.append(found[place])
        place += 1
        if kept[-1] == ")" or _is_number(kept[-1]):
            place = _after_unit(found, place)
    return kept


def _after_unit(tokens: Sequence[str], place: int) -> int:
    """Return where a number's unit ends, if an operator or nothing follows: `meters / sprint`."""
    ahead = place
    while ahead < len(tokens) and ahead < place + _UNIT:
        a_unit = tokens[ahead] == _WORD
        per_unit = ahead > place and tokens[ahead : ahead + 2] == ["/", _WORD]
        if not (a_unit or per_unit):
            break
        ahead += 1
    return ahead if ahead == len(tokens) or tokens[ahead] in "+-*/)" else place


def _is_number(piece: str) -> bool:
    return piece[0] in "0123456789."


def _ends(tokens: Sequence[str]) -> tuple[_Side | None, _Side | None]:
    """Return what stands at the beginning and at the end of one side, None if unreadable."""
    first: _Side | None = None
    last: _Side | None = None
    place, before = 0, ""
    while place < len(tokens):
        piece = tokens[place]
        last, end = None, place + 1
        if _is_number(piece) or piece in "(-":
            side, after = _sum(tokens, place, 0)
            if side is not None:
                # Something that cannot be read takes part: `D + 75`, `100 - 9X`, `5(3)`.
                cut = (
                    (before and before in "+-*/")
                    or (piece == "-" and before == _WORD)
                    or (piece == "(" and (before == ")" or before[:1].isdecimal()))
                    or (after < len(tokens) and tokens[after] in "+-*/(")
                )
                end = after
                first = side if place == 0 and not cut else first
                last = side if after == len(tokens) and not cut else None
        before = tokens[end - 1]
        place = end
    return first, last


def _sum(tokens: Sequence[str], place: int, depth: int) -> tuple[_Side | None, int]:
    total, place = _product(tokens, place, depth)
    while total is not None and place < len(tokens) and tokens[place] in "+-":
        term, after = _product(tokens, place + 1, depth)
        if term is None:
            break
        sign = 1 if tokens[place] == "+" else -1
        value = total.value + sign * term.value
        total = _Side(
            value if total.percent == term.percent else math.nan,  # 50 + 10 % is read two ways
            total.first,
            total.operands + term.operands,
            0,
            total.percent,
        )
        place = after
    return total, place


def _product(tokens: Sequence[str], place: int, depth: int) -> tuple[_Side | None, int]:
    total, place = _factor(tokens, place, depth)
    while total is not None and place < len(tokens) and tokens[place] in "*/":
        term, after = _factor(tokens, place + 1, depth)
        if term is None:
            break
        if tokens[place] == "*":
            value = total.value * term.value
        else:
            value = total.value / term.value if term.value else math.nan
        total = _Side(value, total.first, total.operands + term.operands, 0, percent=False)
        place = after
    return total, place


def _factor(tokens: Sequence[str], place: int, depth: int) -> tuple[_Side | None, int]:
    negative = tokens[place : place + 1] == ["-"]
    place += negative
    if place >= len(tokens):
        return None, place
    piece = tokens[place]
    if _is_number(piece):
        percent = piece.endswith("%")
        written = piece.rstrip("% ")
        value = value_of(written) / (100 if percent else 1) * (-1 if negative else 1)
        decimals = len(written.partition(".")[2])
        return _Side(value, value, 1, decimals, percent), place + 1
    if piece != "(" or depth == _DEEPEST:
        return None, place
    inner, after = _sum(tokens, place + 1, depth + 1)
    if inner is None or tokens[after : after + 1] != [")"]:
        return None, place
    value = -inner.value if negative else inner.value
    return inner._replace(value=value, first=value, decimals=0), after + 1
