"""A stream of responses, put together as one draft."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.llms import ChatMessage, ChatResponse, TextBlock

from cascade_core.effects import Open
from cascade_core.request import Request
from cascade_core.usage import Usage
from llamaindex_cascade import CascadeLLM
from llamaindex_cascade.asking.calls import Calls
from llamaindex_cascade.asking.tiers import make_tier
from llamaindex_cascade.llm.gathering import Responses
from llamaindex_cascade.reading.heard import Heard
from tests.llamaindex.fakes import cheap
from tests.llamaindex.recording import chunk


def gathered(*raws: dict, live: bool = False, llm: Any = cheap) -> Responses:
    calls = Calls(None, CascadeLLM([cheap(), cheap()])._engine)
    made = Responses(calls, Open(make_tier(llm(), 0), Request.of("why?"), live=live))
    for raw in raws:
        message = ChatMessage(role="assistant", content="a b")
        made.take(ChatResponse(message=message, delta="", raw=raw))
    return made


def test_an_answer_cut_off_is_known_by_whichever_chunk_says_so() -> None:
    draft = gathered(chunk("a b"), chunk("", finish="length"), chunk("", usage=(7, 2))).whole()
    assert draft.finish == "length"
    assert draft.usage == Usage(7, 2)


def test_tokens_are_known_by_whichever_chunk_reports_them() -> None:
    draft = gathered(chunk("a b", usage=(7, 2)), chunk("", finish="stop")).whole()
    assert draft.usage == Usage(7, 2)
    assert draft.finish == "stop"


def test_the_log_probabilities_of_all_chunks_are_kept() -> None:
    draft = gathered(chunk("a", -0.1), chunk(" b", -0.2), chunk("", usage=(7, 2))).had()
    assert draft is not None
    assert draft.logprobs is not None
    assert draft.logprobs.values == [-0.1, -0.2]


def test_of_a_stream_without_a_chunk_nothing_has_come() -> None:
    empty = gathered()
    assert empty.had() is None
    with pytest.raises(ValueError, match="ended without a chunk"):
        empty.whole()
    draft = gathered(live=True).whole()
    assert (draft.text, draft.usage) == ("", Usage(0, 0))


def test_an_error_in_place_of_the_rest_is_a_failure() -> None:
    with pytest.raises(ValueError, match="sent an error"):
        gathered(chunk("a b"), {"error": {"message": "overloaded"}})


def test_what_several_chunks_say_is_read_one_by_one() -> None:
    ends = [{**chunk("", finish="stop"), "model": "m"}, {**chunk("", finish="stop"), "model": "m"}]
    draft = gathered(chunk("a b"), *ends).whole()
    assert (draft.finish, draft.model) == ("stop", "m")
    assert gathered(chunk("", finish="stop"), chunk("", finish="length")).whole().finish == "length"


@pytest.mark.parametrize(("name", "finish"), [("OpenAI", "broken"), ("Unknown", None)])
def test_a_stream_that_ends_without_a_word_is_cut_off_where_its_integration_has_one(
    name: str, finish: str | None
) -> None:
    llm = type(name, (type(cheap()),), {"__module__": __name__})
    assert gathered(chunk("a b"), llm=llm).whole().finish == finish


EVENTS: dict[str, Any] = {
    "response.completed": {"status": "completed"},
    "response.incomplete": {
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
    },
    "response.failed": {"status": "failed"},
}


@pytest.mark.parametrize(
    ("event", "finish"), list(zip(EVENTS, ["stop", "length", "broken"], strict=True))
)
def test_an_event_of_the_responses_api_may_hold_the_answer(event: str, finish: str) -> None:
    usage = {
        "input_tokens": 9,
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 6},
    }
    made = gathered()
    for text in ("a", " b"):
        message = ChatMessage(role="assistant", content=text)
        made.take(ChatResponse(message=message, delta=text, raw={"type": "response.x.delta"}))
    last = {"type": event, "response": {**EVENTS[event], "model": "m", "usage": usage}}
    made.take(ChatResponse(message=ChatMessage(role="assistant"), delta="", raw=last))
    draft = made.whole()
    assert (draft.text, draft.finish, draft.model) == ("a b", finish, "m")
    assert draft.usage == Usage(9, 7, reasoning_tokens=6)


def test_mistrals_events_hold_the_chunk_in_their_data() -> None:
    last = {**chunk("", finish="length", usage=(7, 2)), "model": "m"}
    draft = gathered({"data": chunk("a b")}, {"data": last}).whole()
    assert (draft.finish, draft.model, draft.usage) == ("length", "m", Usage(7, 2))


def test_a_refusal_may_come_in_any_of_the_chunks() -> None:
    refusing = {"choices": [{"delta": {"refusal": "I can't"}, "finish_reason": None}]}
    assert gathered(refusing, chunk("", finish="stop")).whole().refusal
    assert not gathered(chunk("a b"), chunk("", finish="stop")).whole().refusal


def test_blocks_that_hold_all_the_text_so_far_are_read_once() -> None:
    made = gathered()
    texts = ["", "a", "a b"]
    for place in range(1, len(texts) + 1):
        blocks = [TextBlock(text=text) for text in texts[:place]]
        message = ChatMessage(role="assistant", blocks=blocks)
        made.take(ChatResponse(message=message, delta="", raw=chunk("", finish="stop")))
    assert made.whole().text == "a b"


def test_blocks_of_their_own_are_all_read() -> None:
    made = gathered()
    blocks = [TextBlock(text="b"), TextBlock(text="a b")]
    blocks += [TextBlock(text="c")]
    message = ChatMessage(role="assistant", blocks=blocks)
    made.take(ChatResponse(message=message, delta="", raw=chunk("", finish="stop")))
    assert made.whole().text == message.content


def test_tokens_that_the_last_events_repeat_are_heard_once() -> None:
    token = {"token": "a", "logprob": -0.5, "top_logprobs": []}
    part = {"type": "output_text", "text": "a", "logprobs": [token]}
    whole = {"status": "completed", "output": [{"type": "message", "content": [part]}]}
    told = [
        {"type": "response.output_text.delta", "delta": "a", "logprobs": [token]},
        {"type": "response.output_text.done", "text": "a", "logprobs": [token]},
        {"type": "response.completed", "response": whole},
    ]
    heard, counted = Heard(), list[int]()
    for raw in told:
        message = ChatMessage(role="assistant", content="a")
        counted.append(len(heard.take(ChatResponse(message=message, delta="", raw=raw))))
    assert heard.logprobs is not None
    assert list(heard.logprobs.values) == [-0.5]
    assert counted[1:] == [0, 0]
