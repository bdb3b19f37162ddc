"""Tiers whose owners ask for streams, and ones that choose OpenAI's API call by call."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_groq import ChatGroq
from langchain_ollama import ChatOllama

from cascade_core.signals import Judge, SelfConsistency
from langchain_cascade import CascadeMiddleware, ChatCascade
from tests.http.asking import WAYS, ask, client, record_of
from tests.http.stub import Raw, Say, Stub, refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

DRAFT, ANSWER = "a draft nobody should see", "the strong answer"

STREAMING = {
    "the field": lambda llm: llm.model_copy(update={"streaming": True}),
    "model_kwargs": lambda llm: llm.model_copy(
        update={"model_kwargs": {"stream": True, "stream_options": {"include_usage": True}}}
    ),
    "extra_body": lambda llm: llm.model_copy(update={"extra_body": {"stream": True}}),
    "bound": lambda llm: llm.bind(stream=True, stream_options={"include_usage": True}),
    "bound and wrapped": lambda llm: llm.bind(stream=True).with_retry(),
}
streaming = pytest.mark.parametrize("spelt", STREAMING)


class Tokens(BaseCallbackHandler):
    """What a handler is told of tokens as they come."""

    def __init__(self) -> None:
        self.text = ""

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.text += str(token)


def openai(stub: Stub, model: str, **settings: Any) -> Any:
    given = type(client(stub, model))
    return given(
        model=model, base_url=stub.base_url, api_key="k", max_retries=0, temperature=0, **settings
    )


@streaming
@pytest.mark.parametrize("how", WAYS)
async def test_a_tier_whose_owner_streams_it_is_a_draft_like_any_other(
    stub: Stub, spelt: str, how: str
) -> None:
    stub.script("cheap", Say("sure words"))
    stub.script("strong", Say(ANSWER))
    cheap = STREAMING[spelt](openai(stub, "cheap"))
    answer = await ask(ChatCascade([cheap, openai(stub, "strong")]), how, "hi")
    assert (answer.text, record_of(answer)["reason"]) == ("sure words", "confident")


@streaming
async def test_judges_and_samples_are_heard_in_silence_too(stub: Stub, spelt: str) -> None:
    stub.script("cheap", Say("sure words"))
    stub.script("judge", Say("A", p=0.99))
    cheap = STREAMING[spelt](openai(stub, "cheap"))
    judge = Judge(STREAMING[spelt](openai(stub, "judge")))
    llm = ChatCascade(
        [cheap, openai(stub, "strong")], signals=[judge, SelfConsistency(n=2)], thresholds=0.5
    )
    tokens = Tokens()
    answer = await ask(llm.with_config(callbacks=[tokens]), "ainvoke", "hi")
    purposes = [call["purpose"] for call in record_of(answer)["calls"]]
    assert purposes == ["draft", "judge", "sample", "sample"]
    assert tokens.text == ""


def _only_streams(body: dict[str, Any]) -> Any:
    """Answer as endpoints do that take no other requests."""
    return Say("sure words") if body.get("stream") else refused(400, "only streams here")


@pytest.mark.parametrize("how", WAYS)
async def test_an_endpoint_that_only_streams_can_be_the_cheap_tier(stub: Stub, how: str) -> None:
    stub.script("cheap", _only_streams)
    cheap = openai(stub, "cheap", streaming=True, stream_usage=True)
    answer = await ask(ChatCascade([cheap, openai(stub, "strong")]), how, "hi")
    assert (answer.text, record_of(answer)["reason"]) == ("sure words", "confident")
    assert record_of(answer)["calls"][0]["tokens_source"] == "provider"
    middleware = CascadeMiddleware([cheap, openai(stub, "strong")])
    agent: Any = create_agent(openai(stub, "strong"), [], middleware=[middleware])
    state = await agent.ainvoke({"messages": [("user", "hi")]})
    assert record_of(state["messages"][-1])["reason"] == "confident"


async def test_a_call_that_breaks_off_in_a_gathered_stream_is_no_sound_call(stub: Stub) -> None:
    stub.script("cheap", Say(tool_calls=[("look", '{"where": "here"')]))
    stub.script("strong", Say(ANSWER))
    cheap = openai(stub, "cheap", streaming=True)
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    llm = ChatCascade([cheap, openai(stub, "strong")], signals=[_surely]).bind_tools([tool])
    assert record_of(await ask(llm, "ainvoke", "hi"))["reason"] == "gate_tool_call"


def groq(stub: Stub) -> Any:
    """Groq's client asks for `/openai/v1/…`; the stub answers below `/v1/`."""
    url = stub.base_url.removesuffix("/v1") + "/v1"
    return ChatGroq(model="cheap", base_url=url, api_key="k", max_retries=0, streaming=True)


def ollama(stub: Stub) -> Any:
    return ChatOllama(model="cheap", base_url=stub.base_url)


def _lines(body: dict[str, Any]) -> Raw:
    """Say a draft as Ollama does: a JSON object a line."""
    parts = [{"message": {"role": "assistant", "content": f"{w} "}} for w in DRAFT.split()]
    end = {
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 3,
        "eval_count": 5,
    }
    lines = [json.dumps({"model": body["model"], "done": False, **part}) for part in [*parts, end]]
    return Raw("\n".join(lines), media_type="application/x-ndjson")


@pytest.mark.parametrize(("make", "says"), [(groq, Say(DRAFT, p=0.1)), (ollama, _lines)])
@pytest.mark.parametrize("how", WAYS)
async def test_no_handler_is_told_the_tokens_of_a_rejected_draft(
    stub: Stub, make: Any, says: Any, how: str
) -> None:
    stub.script("cheap", says)
    stub.script("strong", Say(ANSWER))
    tokens = Tokens()
    llm = ChatCascade([make(stub), openai(stub, "strong")], signals=[_never])
    answer = await ask(llm.with_config(callbacks=[tokens]), how, "hi")
    assert answer.text == ANSWER
    assert tokens.text == (ANSWER if "stream" in how else "")


def _never(request: object, draft: object) -> float:
    return 0.0


def _surely(request: object, draft: object) -> float:
    return 1.0


# --- the Responses API ---


def _response(body: dict[str, Any]) -> Raw:
    """Answer as the Responses API does, which knows no parameter `logprobs`."""
    if "logprobs" in body or "input" not in body:
        return Raw(json.dumps({"error": {"message": "Unknown parameter"}}), status=400)
    part = {"type": "output_text", "text": "sure words", "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    usage = {
        "input_tokens": 3,
        "output_tokens": 2,
        "total_tokens": 5,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    whole = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": body["model"],
        "status": "completed",
        "output": [{**item, "content": [part]}],
        "usage": usage,
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
    }
    if not body.get("stream"):
        return Raw(json.dumps(whole))
    delta = {"type": "response.output_text.delta", "delta": "sure words", "item_id": "msg_1"}
    events = [
        {"type": "response.created", "response": {**whole, "output": [], "usage": None}},
        {**delta, "output_index": 0, "content_index": 0, "logprobs": []},
        {"type": "response.completed", "response": whole},
    ]
    lines = [
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': place})}\n\n"
        for place, event in enumerate(events)
    ]
    return Raw("".join(lines), media_type="text/event-stream")


SEARCH = {"type": "web_search"}
CHOOSES: dict[str, Any] = {
    "use_responses_api": {"use_responses_api": True},
    "reasoning": {"reasoning": {"effort": "low"}},
    "include": {"include": ["file_search_call.results"]},
    "truncation": {"truncation": "auto"},
    "use_previous_response_id": {"use_previous_response_id": True},
    "output_version": {"output_version": "responses/v1"},
    "text": {"model_kwargs": {"text": {"format": {"type": "text"}}}},
}
BOUND: dict[str, Any] = {
    "reasoning": {"reasoning": {"effort": "low"}},
    "previous_response_id": {"previous_response_id": "resp_0"},
    "include": {"include": ["file_search_call.results"]},
    "text": {"text": {"format": {"type": "text"}}},
    "truncation": {"truncation": "auto"},
    "tools": {"tools": [SEARCH]},
}


def _ways_to_responses() -> list[Any]:
    made = [pytest.param(fields, {}, {}, id=f"made with {n}") for n, fields in CHOOSES.items()]
    bound = [pytest.param({}, kwargs, {}, id=f"bound {n}") for n, kwargs in BOUND.items()]
    asked = [pytest.param({}, {}, kwargs, id=f"asked with {n}") for n, kwargs in BOUND.items()]
    return [*made, *bound, *asked]


@pytest.mark.parametrize(("fields", "bound", "asked"), _ways_to_responses())
@pytest.mark.parametrize("how", ["ainvoke", "astream"])
async def test_a_tier_that_chooses_the_responses_api_is_not_asked_for_logprobs(
    stub: Stub, fields: Any, bound: Any, asked: Any, how: str
) -> None:
    stub.script("cheap", _response)
    cheap = openai(stub, "cheap", **fields)
    llm: Any = ChatCascade(
        [cheap.bind(**bound) if bound else cheap, openai(stub, "strong")],
        signals=[_surely, "sequence_logprob"],
        combine="mean",
    )
    answer = await ask(llm.bind(**asked) if asked else llm, how, "hi")
    assert (answer.text, record_of(answer)["tier"]) == ("sure words", 0)
    assert [call["outcome"] for call in record_of(answer)["calls"]] == ["accepted"]


async def test_a_call_that_can_give_no_logprobs_is_not_paid_for_where_only_they_are_read(
    stub: Stub,
) -> None:
    """And what one call cannot give is not held against the next."""
    stub.script("cheap", lambda body: _response(body) if "input" in body else Say("sure words"))
    stub.script("strong", lambda body: _response(body) if "input" in body else Say(ANSWER))
    llm = ChatCascade([openai(stub, "cheap"), openai(stub, "strong")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(4):
            answer = await ask(llm.bind_tools([SEARCH]), "ainvoke", "hi")
            assert record_of(answer)["reason"] == "no_reading"
    assert stub.asked("cheap") == []
    assert record_of(await ask(llm, "ainvoke", "hi"))["reason"] == "confident"


async def test_objects_come_from_the_responses_api_too(stub: Stub) -> None:
    schema = {"title": "Word", "type": "object", "properties": {"word": {"type": "string"}}}

    def says(body: dict[str, Any]) -> Raw:
        said = _response(body)
        return Raw(said.body.replace("sure words", '{\\"word\\": \\"sure\\"}'), said.status)

    stub.script("cheap", says)
    llm = ChatCascade([openai(stub, "cheap"), openai(stub, "strong")], signals=[_surely])
    made = llm.with_structured_output(schema, method="json_schema", tools=[SEARCH])
    assert await made.ainvoke("hi") == {"word": "sure"}


async def test_an_agents_turn_may_go_to_the_responses_api(stub: Stub) -> None:
    stub.script("cheap", _response)
    middleware = CascadeMiddleware(
        [openai(stub, "cheap", streaming=True), openai(stub, "strong")],
        signals=[_surely, "sequence_logprob"],
        combine="mean",
    )
    agent: Any = create_agent(openai(stub, "strong"), [SEARCH], middleware=[middleware])
    state = await agent.ainvoke({"messages": [("user", "hi")]})
    assert state["messages"][-1].text == "sure words"
    assert record_of(state["messages"][-1])["tier"] == 0


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("made", [{}, {"use_responses_api": True}], ids=["chat", "responses"])
@pytest.mark.parametrize("how", WAYS)
async def test_an_answer_has_the_blocks_its_model_makes(
    stub: Stub, version: str, made: Any, how: str
) -> None:
    stub.script("cheap", lambda body: _response(body) if "input" in body else Say("sure words"))
    cheap = openai(stub, "cheap", output_version=version, **made)
    alone = await ask(cheap, how, "hi")
    answer = await ask(ChatCascade([cheap, openai(stub, "strong")], signals=[_surely]), how, "hi")
    assert record_of(answer)["tier"] == 0
    assert answer.content == alone.content
    if how in ("stream", "astream"):
        assert stub.asked("cheap")[1]["stream"] is True
