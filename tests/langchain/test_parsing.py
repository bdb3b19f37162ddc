"""A chain's own parser as a gate."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser, StrOutputParser
from langchain_core.output_parsers.openai_tools import PydanticToolsParser
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from cascade_core.errors import ConfigurationError
from langchain_cascade import RunnableCascade, parser_gate
from tests.langchain.fakes import Say, pair, record_of


class Invoice(BaseModel):
    total: int


FENCED = '```json\n{"total": 7}\n```'
WRONG = '{"total": "seven"}'


def reason(draft: Any, parser: Any, **settings: Any) -> str:
    settings = {"thresholds": 0.5, **settings}
    cascade = pair(draft, "{}", gates=[parser_gate(parser)], **settings).cascade
    return record_of(cascade.invoke("hi"))["reason"]


@pytest.mark.parametrize(
    ("parser", "good", "bad"),
    [
        (PydanticOutputParser(pydantic_object=Invoice), FENCED, WRONG),
        (JsonOutputParser(), FENCED, "seven euros"),
        (Invoice, '{"total": 7}', WRONG),
        (json.loads, "[7]", "seven euros"),
    ],
)
def test_a_draft_that_the_parser_cannot_read_escalates(parser: Any, good: str, bad: str) -> None:
    assert reason(Say(good, p=0.99), parser) == "confident"
    assert reason(Say(bad, p=0.99), parser) == "gate_parser"


def test_a_parser_of_tool_calls_sees_them() -> None:
    def calling(total: object) -> Say:
        call = {"name": "Invoice", "args": {"total": total}, "id": "1"}
        return Say("", p=0.99, tool_calls=[call])

    parser = PydanticToolsParser(tools=[Invoice])
    assert reason(calling(7), parser) != "gate_parser"
    assert reason(calling("seven"), parser) == "gate_parser"


def echoed(output: Any, _: Any) -> Any:
    return output


async def test_it_reads_whatever_a_chain_returns() -> None:
    parser = PydanticOutputParser(pydantic_object=Invoice)
    for wrap in (str, AIMessage):
        tiers = [RunnableLambda(partial(echoed, wrap(text))) for text in (WRONG, FENCED)]
        cascade = RunnableCascade(tiers, gates=[parser_gate(parser)], on_no_score="accept")
        answer = await cascade.ainvoke("hi")
        assert getattr(answer, "content", answer) == FENCED


def test_a_parser_of_plain_text_refuses_nothing() -> None:
    assert reason(Say("anything", p=0.99), StrOutputParser()) == "confident"


@pytest.mark.parametrize("parser", [7, PydanticOutputParser])
def test_what_is_no_parser_is_refused(parser: Any) -> None:
    with pytest.raises(ConfigurationError, match="parser_gate"):
        parser_gate(parser)
