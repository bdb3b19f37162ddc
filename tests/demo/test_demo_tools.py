"""Tools and structured output over real HTTP: the wire format, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

QUESTION = "I returned 3 of 7 mugs, $24 each. How much do I get?"
AMOUNT = {"type": "object", "properties": {"amount": {"type": "integer"}}, "required": ["amount"]}
REFUND = {"type": "function", "function": {"name": "refund", "parameters": AMOUNT}}
NOTHING = {"type": "function", "function": {"name": "escalate"}}
REPLY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {"type": "string"},
        "amount": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
    "required": ["answer", "amount"],
    "additionalProperties": False,
}


def json_of(schema: Any, *, strict: bool | None = True) -> dict[str, Any]:
    return {
        "type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": strict},
    }  # fmt: skip


def body(question: str = QUESTION, *more: Any, **options: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": question}, *more]
    return {"model": "desk-large", "messages": messages, "temperature": 0, **options}


def complete(client: httpx.Client, asked: dict[str, Any]) -> dict[str, Any]:
    response = client.post("/chat/completions", json=asked)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def choice_of(client: httpx.Client, asked: dict[str, Any]) -> dict[str, Any]:
    (choice,) = complete(client, asked)["choices"]
    return dict(choice)


def streamed(client: httpx.Client, asked: dict[str, Any]) -> list[dict[str, Any]]:
    asked = {**asked, "stream": True}
    with client.stream("POST", "/chat/completions", json=asked) as response:
        lines = [line.removeprefix("data: ") for line in response.iter_lines() if line]
    return [json.loads(line)["choices"][0] for line in lines[:-1]]


def result(content: Any = "$72 is on its way.", name: str = "refund") -> list[dict[str, Any]]:
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": "{}"}}
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": content},
    ]


def test_a_tool_call_has_the_hosted_form(client: httpx.Client) -> None:
    choice = choice_of(client, body(tools=[REFUND, NOTHING], logprobs=True))
    (call,) = choice["message"].pop("tool_calls")
    assert choice == {
        "index": 0,
        "message": {"role": "assistant", "content": None, "refusal": None},
        "logprobs": None,
        "finish_reason": "tool_calls",
    }
    assert call.pop("id").startswith("call_")
    assert call == {
        "type": "function", "function": {"name": "refund", "arguments": '{"amount":72}'},
    }  # fmt: skip


def test_a_streamed_call_is_the_whole_one_in_pieces(client: httpx.Client) -> None:
    first, *middle, last = streamed(client, body(tools=[REFUND], logprobs=True))
    assert first["delta"].pop("role") == "assistant"
    assert first["delta"].pop("content") is None
    (opening,) = first["delta"]["tool_calls"]
    assert opening.pop("id").startswith("call_")
    assert opening == {
        "index": 0, "type": "function", "function": {"name": "refund", "arguments": ""},
    }  # fmt: skip
    pieces = [choice["delta"]["tool_calls"] for choice in middle]
    assert pieces == [
        [{"index": 0, "function": {"arguments": text}}] for text in ('{"amount":', "7", "2", "}")
    ]
    assert (last["delta"], last["finish_reason"]) == ({}, "tool_calls")
    assert {choice["logprobs"] for choice in (first, *middle, last)} == {None}


def test_an_answer_that_calls_nothing_is_text(client: httpx.Client) -> None:
    plain = choice_of(client, body("I forgot my password.", logprobs=True))
    for options in (
        {"tools": [REFUND]},
        {"tools": [REFUND], "tool_choice": "auto", "parallel_tool_calls": False},
        {"tools": [REFUND], "tool_choice": "none"},
    ):
        assert choice_of(client, body("I forgot my password.", logprobs=True, **options)) == plain
    chunks = streamed(client, body("I forgot my password.", tools=[REFUND]))
    assert chunks[0]["delta"] == {"role": "assistant", "content": ""}
    text = "".join(chunk["delta"].get("content", "") for chunk in chunks)
    assert text == plain["message"]["content"]


def test_two_calls_are_made_at_once_unless_forbidden(client: httpx.Client) -> None:
    question = "Please cancel order 9194. Also: I returned 3 of 7 mugs, $24 each, what do I get?"
    cancel = {
        "type": "function",
        "function": {
            "name": "cancel_order",
            "parameters": {"type": "object", "properties": {"order": {"type": "integer"}}},
        },
    }
    # The model has to answer both; where it does not, this test has nothing to look at.
    both = choice_of(client, body(question, tools=[REFUND, cancel]))["message"]["tool_calls"]
    assert [call["function"]["name"] for call in both] == ["cancel_order", "refund"]
    assert len({call["id"] for call in both}) == 2
    one = choice_of(client, body(question, tools=[REFUND, cancel], parallel_tool_calls=False))
    assert [call["function"]["name"] for call in one["message"]["tool_calls"]] == ["cancel_order"]
    chunks = streamed(client, body(question, tools=[REFUND, cancel]))
    arguments = ["", ""]
    for chunk in chunks:
        for call in chunk["delta"].get("tool_calls", ()):
            arguments[call["index"]] += call["function"]["arguments"]
    assert arguments == [call["function"]["arguments"] for call in both]


def test_a_tool_asked_for_by_name_ends_with_stop(client: httpx.Client) -> None:
    named = {"type": "function", "function": {"name": "escalate"}}
    choice = choice_of(client, body(tools=[REFUND, NOTHING], tool_choice=named))
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "escalate"
    assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "options",
    [
        {"tools": [REFUND], "tool_choice": "required"},
        {"tools": [REFUND], "tool_choice": {"type": "function", "function": {"name": "refund"}}},
        {"response_format": json_of(AMOUNT, strict=False)},
    ],
)
def test_what_the_answer_does_not_fill_is_refused(
    client: httpx.Client, options: dict[str, Any]
) -> None:
    asked = body("I forgot my password.", logprobs=True, **options)
    choice = choice_of(client, asked)
    refusal = choice["message"]["refusal"]
    assert refusal.startswith("This cannot be filled in: ")
    assert choice["message"]["content"] is None
    assert "tool_calls" not in choice["message"]
    assert (choice["logprobs"], choice["finish_reason"]) == (None, "stop")
    first, last = streamed(client, asked)
    assert first["delta"] == {"role": "assistant", "content": None, "refusal": refusal}
    assert last["finish_reason"] == "stop"


def test_json_text_keeps_the_logprobs_of_its_words(client: httpx.Client) -> None:
    plain = choice_of(client, body(logprobs=True, top_logprobs=2))
    asked = body(response_format=json_of(REPLY), logprobs=True, top_logprobs=2)
    choice = choice_of(client, asked)
    text = choice["message"]["content"]
    assert text == '{"answer":"You get $72 back.","amount":72}'
    tokens = choice["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == text
    written = plain["logprobs"]["content"][-7:]
    own = {token["token"].replace(" You", "You"): token["logprob"] for token in written}
    for token in tokens:
        assert token["logprob"] == own.get(token["token"], 0)
        assert bytes(token["bytes"]).decode() == token["token"]
        assert token["top_logprobs"][0]["token"] == token["token"]
    assert sum(token["token"] in own for token in tokens) == len(own) + 2
    chunks = streamed(client, asked)
    assert chunks[0]["delta"] == {"role": "assistant", "content": ""}
    entries = [
        entry for chunk in chunks if chunk["logprobs"] for entry in chunk["logprobs"]["content"]
    ]
    assert entries == tokens
    assert chunks[-1]["finish_reason"] == "stop"


def test_usage_counts_what_was_written_and_the_form_around_it(client: httpx.Client) -> None:
    plain = complete(client, body())["usage"]
    usage = complete(client, body(response_format=json_of(REPLY)))["usage"]
    assert usage["prompt_tokens"] == plain["prompt_tokens"]
    assert usage["completion_tokens"] == plain["completion_tokens"] + 3  # what stands around two


@pytest.mark.parametrize("more", [{"response_format": json_of(REPLY)}, {"tools": [REFUND]}])
def test_a_limit_cuts_a_form_as_it_cuts_a_text(client: httpx.Client, more: dict[str, Any]) -> None:
    whole = complete(client, body(**more))["usage"]["completion_tokens"]
    full = choice_of(client, body(max_tokens=whole, **more))
    assert full["finish_reason"] != "length"
    cut = complete(client, body(max_tokens=whole - 1, **more))
    assert cut["choices"][0]["finish_reason"] == "length"
    assert cut["usage"]["completion_tokens"] == whole - 1
    message = cut["choices"][0]["message"]
    calls = message.get("tool_calls") or [{"function": {"arguments": message["content"]}}]
    with pytest.raises(json.JSONDecodeError):
        json.loads(calls[0]["function"]["arguments"])
    early = choice_of(client, body(max_tokens=3, **more))
    assert early["finish_reason"] == "length"
    assert "tool_calls" not in early["message"]


def test_after_a_tools_result_the_answer_states_it(client: httpx.Client) -> None:
    plain = choice_of(client, body(logprobs=True))
    asked = body(QUESTION, *result(), tools=[REFUND], logprobs=True)
    choice = choice_of(client, asked)
    text = choice["message"]["content"]
    assert text == plain["message"]["content"] + " $72 is on its way."
    own = plain["logprobs"]["content"]
    tokens = choice["logprobs"]["content"]
    assert tokens[: len(own)] == own
    assert [(token["token"], token["logprob"]) for token in tokens[len(own) :]] == [
        (word, 0) for word in (" $72", " is", " on", " its", " way.")
    ]
    chunks = streamed(client, asked)
    assert "".join(chunk["delta"].get("content", "") for chunk in chunks) == text
    short = choice_of(client, {**asked, "max_tokens": len(own) + 2})
    assert (short["message"]["content"], short["finish_reason"]) == (text[:-12], "length")
    stopped = choice_of(client, {**asked, "stop": " on"})
    assert (stopped["message"]["content"], stopped["finish_reason"]) == (text[:-12], "stop")
    earlier = choice_of(client, {**asked, "stop": " back"})
    assert earlier["message"]["content"] == plain["message"]["content"].removesuffix(" back.")


def test_after_a_tools_result_a_form_is_filled_with_it(client: httpx.Client) -> None:
    asked = body(QUESTION, *result(), tools=[REFUND], response_format=json_of(REPLY))
    text = choice_of(client, asked)["message"]["content"]
    assert json.loads(text) == {"answer": "You get $72 back. $72 is on its way.", "amount": 72}


def test_what_tools_said_counts_as_read(client: httpx.Client) -> None:
    before = complete(client, body())["usage"]["prompt_tokens"]
    after = complete(client, body(QUESTION, *result("one two three")))["usage"]["prompt_tokens"]
    assert after > before + 2


def test_a_tool_that_said_nothing_is_named(client: httpx.Client) -> None:
    choice = choice_of(client, body(QUESTION, *result(content=" ")))
    assert choice["message"]["content"].endswith("back. refund gave no result.")


def test_the_next_ticket_is_answered_afresh(client: httpx.Client) -> None:
    ticket = {"role": "user", "content": "I forgot my password."}
    asked = body(QUESTION, *result(), {"role": "assistant", "content": "Done."}, ticket)
    alone = choice_of(client, body("I forgot my password."))
    assert choice_of(client, {**asked, "tools": [REFUND]}) == alone


def test_every_choice_has_a_form_of_its_own(client: httpx.Client) -> None:
    asked = body(tools=[REFUND], n=4, seed=3, temperature=1.5, model="desk-small")
    choices = complete(client, asked)["choices"]
    amounts = [
        choice["message"]["tool_calls"][0]["function"]["arguments"]
        for choice in choices
        if "tool_calls" in choice["message"]
    ]
    assert len(set(amounts)) > 1


LOOSE = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
INNER = {**REPLY, "properties": {"answer": {"type": "string"}, "amount": LOOSE}}


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"tools": "refund"}, "tools"),
        ({"tools": ["refund"]}, "tools[0]"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0]"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]},
            "tools[0].function.parameters",
        ),
        (
            {"tools": [{"type": "function", "function": {**REFUND["function"], "strict": True}}]},  # type: ignore[dict-item]
            "tools[0].function.parameters",
        ),
        ({"tools": [REFUND], "tool_choice": "any"}, "tool_choice"),
        (
            {"tools": [REFUND], "tool_choice": {"type": "function", "function": {"name": "x"}}},
            "tool_choice",
        ),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"tools": [REFUND], "parallel_tool_calls": "no"}, "parallel_tool_calls"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.name"),
        ({"response_format": json_of({"type": "array"})}, "response_format.json_schema.schema"),
        ({"response_format": json_of({})}, "response_format.json_schema.schema"),
        (
            {"response_format": json_of({**REPLY, "additionalProperties": True})},
            "response_format.json_schema.schema",
        ),
        (
            {"response_format": json_of({**REPLY, "required": ["answer"]})},
            "response_format.json_schema.schema",
        ),
        (
            {"response_format": json_of(INNER)},
            "response_format.json_schema.schema.properties.amount",
        ),
    ],
)
def test_a_bad_form_is_a_400_that_names_it(
    client: httpx.Client, options: dict[str, Any], param: str
) -> None:
    response = client.post("/chat/completions", json=body(**options))
    error = response.json()["error"]
    assert response.status_code == 400
    assert error["param"] == param
    assert f"'{param}'" in error["message"]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("type", 7), ("properties", []), ("required", "a"), ("enum", "ab"), ("anyOf", {}),
        ("oneOf", 1), ("allOf", "x"), ("$ref", 5), ("$defs", []), ("pattern", {}), ("format", 1),
        ("minItems", "1"), ("maxItems", 1.5), ("minLength", True), ("maxLength", None),
        ("minimum", "0"), ("maximum", []), ("exclusiveMinimum", False), ("exclusiveMaximum", "x"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["properties.a", "$defs.A", "properties.b.items.anyOf[1]"])
def test_a_schema_that_is_none_is_a_400_that_names_the_place(
    client: httpx.Client, word: str, value: Any, place: str
) -> None:
    wrong = {word: value}
    schema = {
        "type": "object",
        "properties": {
            "a": wrong if place.endswith(".a") else {},
            "b": {"items": {"anyOf": [True, wrong if place.endswith("]") else {}]}},
        },
        "$defs": {"A": wrong if place.startswith("$") else False},
    }
    for options, where in (
        ({"response_format": json_of(schema, strict=None)}, "response_format.json_schema.schema"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]},
            "tools[0].function.parameters",
        ),
    ):
        response = client.post("/chat/completions", json=body(**options))
        assert response.status_code == 400
        assert response.json()["error"]["param"] == f"{where}.{place}.{word}"


def test_a_schema_within_schemas_without_end_is_a_400(client: httpx.Client) -> None:
    schema: dict[str, Any] = {}
    for _ in range(60):
        schema = {"type": "object", "properties": {"a": schema}}
    response = client.post(
        "/chat/completions", json=body(response_format=json_of(schema, strict=None))
    )
    assert response.status_code == 400
    assert "nested too deep" in response.json()["error"]["message"]


CALL = result()[0]


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([result()[1]], "messages[1]"),  # no call
        ([CALL, {"role": "tool", "tool_call_id": "c2", "content": "x"}], "messages[2]"),
        ([*result(), result()[1]], "messages[3]"),  # answered twice
        ([CALL], "messages"),  # never answered
        ([CALL, {"role": "user", "content": "And?"}], "messages[2]"),
        ([{"role": "assistant", "tool_calls": [{"id": "c1"}]}], "messages[1].tool_calls[0]"),
        ([{"role": "assistant", "tool_calls": "x"}], "messages[1].tool_calls[0]"),
        (result(content=7), "messages[2].content"),
    ],
)
def test_calls_and_results_that_do_not_match_are_a_400(
    client: httpx.Client, messages: list[Any], param: str
) -> None:
    response = client.post("/chat/completions", json=body(QUESTION, *messages))
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


def test_a_long_result_is_beyond_the_context(client: httpx.Client) -> None:
    response = client.post("/chat/completions", json=body(QUESTION, *result("help " * 600)))
    assert response.json()["error"]["code"] == "context_length_exceeded"
