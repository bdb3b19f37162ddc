"""What a record or an event is in a database: the rows of its tables, as plain values.

Whatever a log is given fits here: what is no number where one belongs is left out, and characters
that a database refuses are replaced in texts; the JSON beside them keeps them, as escapes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from time import time
from typing import Any, TypeAlias
from uuid import uuid4

from cascade_core.moments import as_iso, seconds_of

Values: TypeAlias = dict[str, Any]

_CONTENT = ("request", "response")
_MOST = 2**63 - 1
_SMALL = 2**31 - 1
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ESCAPING = json.JSONEncoder(separators=(",", ":"))


def rows_of(record: Mapping[str, Any], *, undated: float | None = None) -> tuple[Values, Values]:
    """Return the rows of a record: of `decisions` and of `details`.

    Args:
        record: It.
        undated: The seconds that stand for no time; without it, what has none is of now.
    """
    get = record.get
    made = {name: value for name, value in record.items() if name not in _CONTENT}
    key = made["id"] = _id(get("id"))
    at = _seconds(get("at"), undated)
    if "at" not in made:
        made["at"] = as_iso(at) if undated is None else None
    calls = _calls(get("calls"))
    audit = get("audit")
    audit = audit if isinstance(audit, dict) else {}
    tags = get("tags")
    row = {
        "id": key,
        "at": at,
        "cascade": _text(get("cascade")),
        "framework": _text(get("framework")),
        "thread": _text(get("thread")),
        "class": _text(get("class")),
        "policy": _text(get("policy")),
        "policy_version": _text(get("policy_version")),
        "rule": _text(get("rule")),
        "tier": _whole(get("tier"), _SMALL),
        "model": _text(get("model")),
        "reason": _text(get("reason")),
        "accepted": _yes(get("accepted")),
        "calibrated": _yes(get("calibrated")),
        "confidence": _number(get("confidence")),
        "threshold": _number(get("threshold")),
        "cost_usd": _number(get("cost_usd")),
        "strong_cost_usd": _number(get("strong_cost_usd")),
        "strong_cost_is_estimate": _yes(get("strong_cost_is_estimate")),
        "latency_ms": _number(get("latency_ms")),
        "input_tokens": _whole(get("input_tokens")),
        "output_tokens": _output_tokens(calls, get("tier")),
        "digest": _text(get("digest")),
        "tags": _json(tags) if tags else "[]",
        "calls": len(calls),
        "failed_calls": sum(call.get("outcome") == "failed" for call in calls),
        "audit_probability": _number(audit.get("probability")),
        "audit_picked": _yes(audit.get("picked")),
        "handoff": _yes(get("handoff")),
        "promise": _text(get("promise")),
        "benefit": _number(get("benefit")),
        "merit": _number(get("merit")),
        "committed": _committed(get("committed")),
    }
    request = get("request")
    details = {
        "id": key,
        "record": _json(made),
        "request": None if request is None else _json(request),
        "response": _text(get("response")),
    }
    return row, details


def row_of_event(event: Mapping[str, Any], *, undated: float | None = None) -> tuple[str, Values]:
    """Return the table of an event, by name, and its row there.

    Args:
        event: It.
        undated: As for `rows_of`.

    Raises:
        ValueError: It is neither feedback nor an audit.
    """
    kind, get = event.get("event"), event.get
    key, at = _id(get("id")), _seconds(get("at"), undated)
    row: Values = {"id": key, "decision": _text(get("decision")) or "", "at": at}
    row["quality"] = _number(get("quality"))
    if kind == "feedback":
        return "feedback", row | {name: _text(get(name)) for name in ("by", "corrected", "note")}
    if kind != "audit":
        raise ValueError("an event is feedback or an audit")
    texts = {name: _text(get(name)) for name in ("status", "compare", "why")}
    numbers = ("probability", "strong_quality", "harm", "strong_cost_usd", "cost_usd")
    row |= texts | {name: _number(get(name)) for name in numbers}
    tiers, responses = _parted(get("tiers"))
    made = {**event, "id": key, "at": get("at") or as_iso(time()), **tiers}
    return "audits", {**row, "event": _json(made), "responses": responses}


def _parted(tiers: Any) -> tuple[Values, str | None]:
    """Part the texts of an audit's answers from what else there is to say of its tiers."""
    if not isinstance(tiers, list):
        return {}, None
    known = [each if isinstance(each, Mapping) else {} for each in tiers]
    texts = {str(each.get("tier")): each["response"] for each in known if "response" in each}
    if not texts:
        return {}, None
    bare = [{name: it for name, it in each.items() if name != "response"} for each in known]
    return {"tiers": bare}, _json(texts)


def _committed(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return None
    return _text(value.get("error")) or ("live" if value.get("live") is True else "whole")


def _id(value: Any) -> str:
    return _text(value) or str(uuid4())


def _seconds(value: Any, undated: float | None) -> float:
    """Return a time in seconds; `undated`, or now, where none is given."""
    found = seconds_of(value)
    if found is None:
        found = time() if undated is None else undated
    return found


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else str(value)
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    # Half of a surrogate pair has no UTF-8; PostgreSQL keeps no NUL.
    return (
        text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    )


def _json(value: Any) -> str:
    try:
        text = _ENCODER.encode(value)
        if not text.isascii():
            text.encode()
    except (ValueError, TypeError):  # a lone surrogate, NaN, or no plain JSON
        return _ESCAPING.encode(plain_json(value))
    return text


def plain_json(value: Any) -> Any:
    """Return a value as plain JSON: what has no place there becomes null, or a text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): plain_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_json(each) for each in value]
    number = _number(value)  # of kinds like Decimal's
    return str(value) if number is None else number


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: Any, most: int = _MOST) -> int | None:
    if type(value) is int:
        return value if -most <= value <= most else None
    number = _number(value)
    return (
        int(number) if number is not None and number.is_integer() and abs(number) <= most else None
    )


def _yes(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _calls(value: Any) -> list[Values]:
    return [call for call in value if isinstance(call, dict)] if isinstance(value, list) else []


def _output_tokens(calls: Iterable[Values], tier: Any) -> int | None:
    """Return the tokens of the answer: those of the last draft of the tier that answered."""
    found = None
    for call in calls:
        usage = call.get("usage")
        if call.get("purpose") == "draft" and call.get("tier") == tier and isinstance(usage, dict):
            found = _whole(usage.get("output_tokens"))
    return found
