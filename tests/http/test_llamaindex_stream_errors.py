"""A LlamaIndex stream whose body is an error is a failed call, of which it is known what it cost."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

from llamaindex_cascade import CascadeLLM
from tests.http.stub import Raw, Stub

PRICES = {"cheap": {"input": 1, "output": 2}, "strong": {"input": 10, "output": 20}}
ERROR = {"error": {"message": "overloaded", "code": 529}}
HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "cheap"}


def events(*made: dict) -> Raw:
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in made)
    return Raw(f"{body}data: [DONE]\n\n", media_type="text/event-stream")


def piece(finish: str | None = None, **choice: object) -> dict:
    delta = {"content": "It is"}
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish, **choice}]}


NOTHING = {
    "JSON in place of a stream": Raw(json.dumps(ERROR)),
    "an event": events(ERROR),
    "a page": Raw("<html>Bad gateway</html>", media_type="text/html"),
    "nothing at all": events(),
}
HALF = {
    "an event after the start": events(piece(), ERROR),
    "an error beside the choice": events(piece("error", error={"message": "lost"})),
}


@pytest.mark.parametrize("body", [*NOTHING.values(), *HALF.values()], ids=[*NOTHING, *HALF])
def test_a_stream_whose_body_is_an_error_is_a_failed_call(stub: Stub, body: Raw) -> None:
    stub.script("cheap", body)
    stub.script("strong", "The strong model's answer.")
    tiers = [
        OpenAILike(
            model=name, api_base=stub.base_url, api_key="none", max_retries=0, is_chat_model=True
        )
        for name in PRICES
    ]
    *_, last = CascadeLLM(tiers=tiers, prices=PRICES).stream_chat([ChatMessage("When?")])
    assert last.message.content == "The strong model's answer."
    record = last.additional_kwargs["cascade"]
    failed, answered = record["calls"]
    assert (record["reason"], failed["outcome"]) == ("failed", "failed")
    assert (failed["usage"] is None) is (body in NOTHING.values())
    costs = [Decimal(str(call["cost_usd"] or 0)) for call in (failed, answered)]
    assert Decimal(str(record["cost_usd"])) == sum(costs)
