"""What is different between two policies, in lines that a person reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_LONGEST = 60
"""Characters of a value that is shown whole."""
_MOST = 5
"""Inputs of a score that are named."""

_Document = Mapping[str, Any]


def changes(one: _Document, other: _Document) -> list[str]:
    """Return what a second policy has otherwise than a first, a line each.

    Fitted curves and weights are named and not shown: their numbers say nothing by themselves.

    Args:
        one: The first one's JSON.
        other: The second one's.
    """
    return list(_changed(one, other))


def _changed(one: _Document, other: _Document) -> Iterator[str]:
    for key in dict.fromkeys((*one, *other)):
        a, b = one.get(key), other.get(key)
        if a == b:
            continue
        if key == "rules":
            yield from _rules(a or [], b or [])
        elif key == "calibrators":
            yield from _calibrators(a or [], b or [])
        elif key == "commit" and a and b:
            yield "commit: changed"
        elif key in ("classes", "defaults") or (
            key == "tuned" and isinstance(a, dict) and isinstance(b, dict)
        ):
            yield from _keys(key, a or {}, b or {})
        else:
            yield _pair(key, a, b)


def _pair(name: str, a: object, b: object) -> str:
    if a is None:
        return f"{name}: new{_said(b)}"
    if b is None:
        return f"{name}: gone{_said(a)}"
    if _is_short(a) and _is_short(b):
        return f"{name}: {_text(a)} -> {_text(b)}"
    return f"{name}: changed"


def _said(value: object) -> str:
    return f", {_text(value)}" if _is_short(value) else ""


def _keys(name: str, a: _Document, b: _Document) -> Iterator[str]:
    for key in dict.fromkeys((*a, *b)):
        if a.get(key) != b.get(key):
            yield _pair(f"{name}.{key}", a.get(key), b.get(key))


def _calibrators(a: list[Any], b: list[Any]) -> Iterator[str]:
    for tier in range(max(len(a), len(b))):
        name = f"calibrators[{tier}]"
        one, other = (each[tier] if tier < len(each) else None for each in (a, b))
        if one is None or other is None:
            yield f"{name}: new, {_kind(other)}" if one is None else f"{name}: gone, {_kind(one)}"
            continue
        if any(one.get(key) != other.get(key) for key in ("score", "curve", "class_curves")):
            was, now = _kind(one), _kind(other)
            yield f"{name}: {was}, fitted anew" if was == now else f"{name}: {was} -> {now}"
        # What a threshold is held against depends on these as much as on the confidence.
        for part, number in (("benefit", "weight"), ("extra_cost", "power")):
            yield from _part(f"{name}.{part}", number, one.get(part), other.get(part))
        before, after = (_by_signal(each.get("foresight") or ()) for each in (one, other))
        for signal in dict.fromkeys((*before, *after)):
            said = f"{name}.foresight {signal}"
            yield from _part(said, "spread", before.get(signal), after.get(signal))
        if one.get("usual") != other.get("usual"):
            yield _pair(f"{name}.usual", one.get("usual"), other.get("usual"))


def _by_signal(foresight: Sequence[_Document]) -> dict[str, _Document]:
    """Return what is foreseen by the signal that is read next."""
    return {each["unread"][0]: each for each in foresight}


def _part(name: str, number: str, one: _Document | None, other: _Document | None) -> Iterator[str]:
    """Tell how much something fitted counts, which is one number of it."""
    if one == other:
        return
    if one is None or other is None or one.get(number) != other.get(number):
        yield _pair(f"{name}.{number}", (one or {}).get(number), (other or {}).get(number))
    else:
        yield f"{name}: fitted anew"


def _kind(calibrator: Any) -> str:
    """Say what a calibrator is made of: what it reads, how it combines it, and the curve's kind."""
    score, curve = calibrator.get("score") or {}, calibrator.get("curve") or {}
    inputs = [str(each) for each in score.get("inputs") or ()]
    read = score.get("signal") or ", ".join(inputs[:_MOST])
    if len(inputs) > _MOST:
        read += f" and {len(inputs) - _MOST} more"
    if parts := score.get("parts"):
        read = " and ".join(str(part.get("kind", "score")) for part in parts)
    kind = str(score.get("kind", "score"))
    kinds = [kind if not read else f"{kind} of {read}"]
    if curve.get("kind"):
        kinds.append(f"{curve['kind']} curve")
    return " with ".join(kinds)


def _rules(a: list[Any], b: list[Any]) -> Iterator[str]:
    one, other = _by_name(a), _by_name(b)
    for name in dict.fromkeys((*one, *other)):
        if name not in other:
            yield f"rule {name}: gone"
        elif name not in one:
            yield f"rule {name}: new, {_text(_of_rule(other[name]))}"
        elif one[name] != other[name]:
            yield from _keys(f"rule {name}", one[name], other[name])
    kept = [name for name in one if name in other]
    if kept != [name for name in other if name in one]:
        yield f"rules: in another order, {', '.join(other)}"


def _by_name(rules: list[Any]) -> dict[str, Any]:
    return {str(rule.get("name") or f"[{at}]"): rule for at, rule in enumerate(rules)}


def _of_rule(rule: _Document) -> dict[str, Any]:
    return {key: value for key, value in rule.items() if key != "name"}


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _is_short(value: object) -> bool:
    return len(_text(value)) <= _LONGEST
