"""A stream of responses, put together as one draft."""

from __future__ import annotations

from llama_index.core.llms import ChatMessage, ChatResponse

from cascade_core.effects import Open
from cascade_core.request import Request
from cascade_core.usage import Usage
from llamaindex_cascade.asking.calls import Calls
from llamaindex_cascade.asking.tiers import make_tier
from llamaindex_cascade.llm.gathering import Responses
from tests.llamaindex.fakes import cheap
from tests.llamaindex.recording import chunk


def gathered(*raws: dict) -> Responses:
    made = Responses(Calls(None), Open(make_tier(cheap(), 0), Request.of("why?"), live=False))
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
    assert empty.whole().text == ""
