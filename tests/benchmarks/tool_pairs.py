"""Pairs of tool calls, and whether both do the same: labelled by hand, for eight usual tools.

What models really write differently (numbers as text, dates in words, defaults spelled out, sets
in another order, nulls), and what only looks alike (another id, another case in a path or a query,
an ordered list turned round, a date that can be read in two ways).
"""

from __future__ import annotations

from typing import Any, NamedTuple

TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
DAY = {"type": "string", "format": "date"}


def _maybe(kind: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [kind, {"type": "null"}], "default": None}


TOOLS: dict[str, dict[str, Any]] = {
    "book_flight": {
        "properties": {
            "origin": {**TEXT, "pattern": "^[A-Z]{3}$"},
            "destination": {**TEXT, "pattern": "^[A-Z]{3}$"},
            "day": DAY,
            "passengers": {**WHOLE, "default": 1},
            "cabin": {"enum": ["economy", "premium", "business"], "default": "economy"},
            "via": {"type": "array", "items": TEXT},
            "max_price": _maybe(NUMBER),
        },
        "required": ["origin", "destination", "day"],
    },
    "create_event": {
        "properties": {
            "title": TEXT,
            "start": {**TEXT, "format": "date-time"},
            "minutes": {**WHOLE, "default": 30},
            "guests": {"type": "array", "items": TEXT, "uniqueItems": True},
            "remind": {"type": "boolean", "default": True},
            "where": {"$ref": "#/$defs/Place"},
        },
        "required": ["title", "start"],
        "$defs": {
            "Place": {
                "type": "object",
                "properties": {"room": _maybe(TEXT), "floor": _maybe(WHOLE)},
            }
        },
    },
    "search_products": {
        "properties": {
            "words": TEXT,
            "colours": {"type": "array", "items": TEXT, "uniqueItems": True},
            "below": _maybe(NUMBER),
            "sort": {"enum": ["price", "Price-desc", "relevance"], "default": "relevance"},
            "page": {**WHOLE, "default": 1},
        }
    },
    "transfer": {
        "properties": {
            "account_id": TEXT,
            "amount": NUMBER,
            "currency": {"enum": ["EUR", "USD"], "default": "EUR"},
            "note": _maybe(TEXT),
            "on": DAY,
        },
        "required": ["account_id", "amount"],
    },
    "run_query": {"properties": {"sql": TEXT, "limit": {**WHOLE, "default": 100}}},
    "write_file": {"properties": {"path": TEXT, "content": TEXT, "append": {"type": "boolean"}}},
    "set_heating": {
        "properties": {
            "room": TEXT,
            "target": {
                "oneOf": [
                    {
                        "type": "object",
                        "properties": {"kind": {"const": "degrees"}, "value": NUMBER},
                        "required": ["kind", "value"],
                    },
                    {
                        "type": "object",
                        "properties": {"kind": {"const": "mode"}, "value": TEXT},
                        "required": ["kind", "value"],
                    },
                ]
            },
        }
    },
    "legacy": {},
}


class Pair(NamedTuple):
    """Two calls of one tool.

    Attributes:
        tool: Its name.
        a: The arguments of one.
        b: Those of the other.
        same: Whether they do the same.
    """

    tool: str
    a: dict[str, Any]
    b: dict[str, Any]
    same: bool


_FLIGHT = {"origin": "LIS", "destination": "ROM", "day": "2024-05-01"}
_EVENT = {"title": "Team lunch", "start": "2024-05-01T12:00:00+02:00"}
_TRANSFER = {"account_id": "DE07-11A", "amount": 120}


def _pairs(tool: str, base: dict[str, Any], *rows: tuple[Any, Any, bool]) -> list[Pair]:
    return [Pair(tool, {**base, **a}, {**base, **b}, same) for a, b, same in rows]


PAIRS = [
    *_pairs(
        "book_flight",
        _FLIGHT,
        ({}, {"day": "May 1, 2024"}, True),
        ({}, {"day": "1 May 2024"}, True),
        ({}, {"day": "2024/05/01"}, True),
        ({}, {"day": "05/01/2024"}, False),
        ({}, {"day": "2024-05-02"}, False),
        ({}, {"day": "May 1"}, False),
        ({}, {"origin": "lis"}, False),
        ({}, {"origin": "LHR"}, False),
        ({}, {"passengers": 1}, True),
        ({}, {"passengers": "1"}, True),
        ({}, {"passengers": 2}, False),
        ({"passengers": 2}, {"passengers": "two"}, False),
        ({}, {"cabin": "economy"}, True),
        ({"cabin": "business"}, {"cabin": "Business"}, True),
        ({"cabin": "business"}, {"cabin": "premium"}, False),
        ({}, {"max_price": None}, True),
        ({}, {"max_price": 0}, False),
        ({"max_price": 300}, {"max_price": "300.00"}, True),
        ({"max_price": 300}, {"max_price": "about 300"}, False),
        ({"via": ["MAD", "BCN"]}, {"via": ["BCN", "MAD"]}, False),
        ({"via": ["MAD"]}, {"via": "MAD"}, False),
        ({}, {"via": []}, False),
        ({}, {"origin": "ROM", "destination": "LIS"}, False),
    ),
    *_pairs(
        "create_event",
        _EVENT,
        ({}, {"start": "2024-05-01T10:00:00Z"}, True),
        ({}, {"start": "2024-05-01 12:00:00+02:00"}, True),
        ({}, {"start": "2024-05-01T12:00:00"}, False),
        ({}, {"start": "2024-05-01T12:00:00Z"}, False),
        ({}, {"title": "team lunch"}, True),
        ({}, {"title": "Team  lunch"}, True),
        ({}, {"title": "Team dinner"}, False),
        ({}, {"title": "Lunch team"}, False),
        ({"guests": ["ann@x.org", "bo@x.org"]}, {"guests": ["bo@x.org", "ann@x.org"]}, True),
        ({"guests": ["ann@x.org"]}, {"guests": ["ann@x.org", "bo@x.org"]}, False),
        ({"guests": ["ann@x.org"]}, {"guests": ["ann@y.org"]}, False),
        ({}, {"minutes": 30.0}, True),
        ({}, {"minutes": "30"}, True),
        ({}, {"minutes": 60}, False),
        ({}, {"remind": "true"}, True),
        ({}, {"remind": False}, False),
        ({"remind": True}, {"remind": 1}, False),
        ({"where": {"room": "B 12"}}, {"where": {"room": "B 12", "floor": None}}, True),
        ({"where": {"room": "B 12", "floor": 3}}, {"where": {"floor": "3", "room": "B 12"}}, True),
        ({"where": {"room": "B 12"}}, {"where": {"room": "B 13"}}, False),
        ({"where": {"floor": 3}}, {"where": {"floor": None}}, False),
    ),
    *_pairs(
        "search_products",
        {"words": "Running shoes"},
        ({}, {"words": "running shoes"}, True),
        ({}, {"words": "shoes for running"}, False),
        ({}, {"words": "Running shoes", "page": 1, "sort": "relevance"}, True),
        ({}, {"page": 2}, False),
        ({"sort": "price"}, {"sort": "Price"}, True),
        ({"sort": "price"}, {"sort": "price-desc"}, False),
        ({"colours": ["red", "blue"]}, {"colours": ["blue", "red"]}, True),
        ({"colours": ["red", "blue"]}, {"colours": ["red"]}, False),
        ({"below": 50}, {"below": 50.0}, True),
        ({"below": 50}, {"below": "$50"}, False),
        ({"below": 50}, {}, False),
    ),
    *_pairs(
        "transfer",
        _TRANSFER,
        ({}, {"amount": "120"}, True),
        ({}, {"amount": 120.0}, True),
        ({}, {"amount": "120.01"}, False),
        ({"amount": 1200}, {"amount": "1,200"}, False),
        ({}, {"amount": -120}, False),
        ({}, {"account_id": "de07-11a"}, False),
        ({}, {"account_id": "DE07-11B"}, False),
        ({}, {"currency": "EUR"}, True),
        ({}, {"currency": "eur"}, True),
        ({}, {"currency": "USD"}, False),
        ({}, {"note": None}, True),
        ({"note": "Rent for May"}, {"note": "rent for May"}, True),
        ({"note": "Rent for May"}, {"note": "Rent for June"}, False),
        ({"on": "2024-12-03"}, {"on": "December 3, 2024"}, True),
        ({"on": "2024-12-03"}, {"on": "03.12.2024"}, False),
        ({"on": "2024-12-03"}, {}, False),
    ),
    *_pairs(
        "run_query",
        {"sql": "SELECT name FROM users WHERE city = 'Rome'"},
        ({}, {"limit": 100}, True),
        ({}, {"limit": "100"}, True),
        ({}, {"limit": 10}, False),
        ({}, {"sql": "SELECT name FROM users WHERE city = 'rome'"}, False),
        ({}, {"sql": "SELECT id FROM users WHERE city = 'Rome'"}, False),
    ),
    *_pairs(
        "write_file",
        {"path": "src/Main.py", "content": "if x:\n    y = 1\n"},
        ({}, {"path": "src/main.py"}, False),
        ({}, {"content": "if x:\n  y = 1\n"}, False),
        ({}, {"content": "if x:\n    y = 2\n"}, False),
        ({}, {"append": None}, True),
        ({"append": True}, {"append": "True"}, True),
        ({"append": True}, {"append": False}, False),
    ),
    *_pairs(
        "set_heating",
        {"room": "Living room"},
        (
            {"target": {"kind": "degrees", "value": 21}},
            {"target": {"value": "21.0", "kind": "degrees"}},
            True,
        ),
        (
            {"target": {"kind": "degrees", "value": 21}},
            {"target": {"kind": "degrees", "value": 22}},
            False,
        ),
        (
            {"target": {"kind": "mode", "value": "eco"}},
            {"target": {"kind": "mode", "value": "Eco"}},
            False,
        ),
        (
            {"target": {"kind": "mode", "value": "21"}},
            {"target": {"kind": "degrees", "value": 21}},
            False,
        ),
        ({}, {"room": "living room"}, True),
        ({}, {"room": "Bedroom"}, False),
    ),
    *_pairs(
        "legacy",
        {"n": 7},
        ({}, {"n": 7.0}, True),
        ({}, {"n": "7"}, False),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, False),
        ({"x": {"b": 1, "a": 2}}, {"x": {"a": 2, "b": 1}}, True),
    ),
]
