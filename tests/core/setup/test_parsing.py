"""Gates made of what reads an answer later."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.request import Request
from cascade_core.setup.parsing import parser_gate, reading_gate


class Invoice(BaseModel):
    total: int


class Parser:
    def parse(self, text: str) -> int:
        return int(text)


def passes(parser: Any, text: str) -> bool:
    return parser_gate(parser).passes(Request(()), Draft(text))


@pytest.mark.parametrize(
    ("parser", "good", "bad"),
    [
        (Parser(), "7", "seven"),
        (Invoice, '{"total": 7}', '{"total": "seven"}'),
        (json.loads, "false", "no"),
        (float, "7.5", "seven"),
        (lambda text: None if text else 1 / 0, "anything", ""),
    ],
)
def test_what_a_parser_reads_passes_and_what_it_raises_on_fails(
    parser: Any, good: str, bad: str
) -> None:
    assert passes(parser, good)
    assert not passes(parser, bad)


def test_it_counts_as_the_parsers_gate_and_as_the_callers() -> None:
    gate = parser_gate(json.loads)
    assert gate.reason == "gate_parser"
    assert not gate.own


def test_a_gate_may_read_the_whole_draft() -> None:
    gate = reading_gate(lambda draft: draft.tool_calls[0])
    assert not gate.passes(Request(()), Draft("text"))


async def read(text: str) -> None: ...


@pytest.mark.parametrize(
    ("parser", "words"),
    [
        (7, "takes an output parser, a pydantic model or a function, not int"),
        (None, "not NoneType"),
        (read, "not an async function"),
        (Parser, r"got the class Parser; make one: Parser\(…\)"),
    ],
)
def test_what_is_no_parser_is_named(parser: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        parser_gate(parser)


def test_an_output_parser_will_be_given_the_thought_too_a_function_what_is_said() -> None:
    assert not passes(Parser(), "<think>Hm.</think>7")
    assert not passes(Parser(), "7<think>")
    assert passes(int, "<think>Hm.</think>7")
    assert not passes(int, "<think>7</think>seven")
