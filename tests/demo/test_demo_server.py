"""The server over real HTTP: what an OpenAI client may rely on."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from cascade_core.costs.prices import Prices
from cascade_core.usage import Usage
from cascade_demo.desk import tickets
from cascade_demo.protocol import MODELS
from cascade_demo.server import Counters, DemoServer, spawn

QUESTION = "I returned 3 of 7 mugs, $24 each. How much do I get?"


def body(**options: Any) -> dict[str, Any]:
    defaults = {
        "model": "desk-large",
        "messages": [{"role": "user", "content": QUESTION}],
        "temperature": 0,
        "max_tokens": 80,
    }
    return {**defaults, **options}


def complete(client: httpx.Client, **options: Any) -> dict[str, Any]:
    response = client.post("/chat/completions", json=body(**options))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def content(answer: dict[str, Any], choice: int = 0) -> str:
    text: str = answer["choices"][choice]["message"]["content"]
    return text


def events(client: httpx.Client, **options: Any) -> list[dict[str, Any]]:
    with client.stream("POST", "/chat/completions", json=body(stream=True, **options)) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line.removeprefix("data: ") for line in response.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in a minute"
        time.sleep(0.01)


def test_an_answer_has_the_shape_of_a_chat_completion(client: httpx.Client) -> None:
    answer = complete(client)
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "desk-large"
    (choice,) = answer["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"].startswith("[")
    assert choice["finish_reason"] == "stop"
    assert choice["logprobs"] is None
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] > 10 < usage["completion_tokens"]


def test_token_pieces_joined_are_the_content(client: httpx.Client) -> None:
    answer = complete(client, logprobs=True, top_logprobs=3)
    tokens = answer["choices"][0]["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == content(answer)
    assert len(tokens) == answer["usage"]["completion_tokens"]
    for token in tokens:
        assert bytes(token["bytes"]).decode() == token["token"]
        assert token["logprob"] <= 0
        assert len(token["top_logprobs"]) == 3
        assert token["top_logprobs"][0]["logprob"] == token["logprob"]


def test_twenty_alternatives_are_given_when_asked_for(client: httpx.Client) -> None:
    answer = complete(client, logprobs=True, top_logprobs=20, max_tokens=1)
    assert len(answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]) == 20


def test_a_stream_says_the_same_as_a_whole_answer(client: httpx.Client) -> None:
    whole = complete(client, logprobs=True, top_logprobs=2)
    chunks = events(client, logprobs=True, top_logprobs=2, stream_options={"include_usage": True})
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    *parts, last, usage = chunks
    assert parts[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    pieces = [chunk["choices"][0]["delta"]["content"] for chunk in parts[1:]]
    assert "".join(pieces) == content(whole)
    logprobs = [chunk["choices"][0]["logprobs"]["content"] for chunk in parts[1:]]
    assert [entry for (entry,) in logprobs] == whole["choices"][0]["logprobs"]["content"]
    assert last["choices"][0] == {
        "index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop",
    }  # fmt: skip
    assert usage["choices"] == []
    assert usage["usage"] == whole["usage"]


def test_a_stream_sends_no_usage_unasked(client: httpx.Client) -> None:
    assert all(chunk["choices"] and "usage" not in chunk for chunk in events(client))


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_string_across_tokens_ends_the_answer_before_it(
    client: httpx.Client, stream: bool
) -> None:
    whole = content(complete(client))
    middle = len(whole) // 2
    stop = whole[middle - 4 : middle + 4]
    expected = whole.split(stop)[0]
    if stream:
        chunks = events(client, stop=["never", stop])
        assert "".join(c["choices"][0]["delta"].get("content", "") for c in chunks) == expected
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    else:
        answer = complete(client, stop=stop)
        assert content(answer) == expected
        assert answer["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_a_token_limit_ends_the_answer_with_length(client: httpx.Client, limit: str) -> None:
    answer = complete(client, **{"max_tokens": None, limit: 4})
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 4


def test_seeded_choices_repeat_and_differ_from_each_other(client: httpx.Client) -> None:
    options = {"model": "desk-small", "n": 6, "seed": 11, "temperature": 1.8}
    first, second = complete(client, **options), complete(client, **options)
    texts = [content(first, choice) for choice in range(6)]
    assert texts == [content(second, choice) for choice in range(6)]
    assert len(set(texts)) > 1
    assert [choice["index"] for choice in first["choices"]] == list(range(6))


def test_streamed_choices_are_those_of_the_whole_answer(client: httpx.Client) -> None:
    options = {"model": "desk-small", "n": 3, "seed": 4, "temperature": 1.5}
    texts = ["", "", ""]
    for chunk in events(client, **options):
        (choice,) = chunk["choices"]
        texts[choice["index"]] += choice["delta"].get("content", "")
    whole = complete(client, **options)
    assert texts == [content(whole, choice) for choice in range(3)]


def test_the_last_user_message_is_the_ticket_whatever_surrounds_it(client: httpx.Client) -> None:
    messages = [
        {"role": "system", "content": "You are the support desk."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello, how can we help?"},
        {"role": "user", "content": [{"type": "text", "text": QUESTION.upper() + " \n"}]},
    ]
    assert content(complete(client, messages=messages)) == content(complete(client))


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content",
        ),
        ({"model": 3}, "model"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 1.5}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": "9"}, "max_completion_tokens"),
        ({"stop": [""]}, "stop"),
        ({"stop": list("abcde")}, "stop"),
        ({"seed": "x"}, "seed"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"logprobs": 5}, "logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
    ],
)
def test_a_bad_parameter_is_a_400_that_names_it(
    client: httpx.Client, options: dict[str, Any], param: str
) -> None:
    response = client.post("/chat/completions", json=body(**options))
    error = response.json()["error"]
    assert response.status_code == 400
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert f"'{param}'" in error["message"]


def test_parameters_that_ask_for_nothing_special_are_accepted(client: httpx.Client) -> None:
    complete(
        client, tools=[], response_format={"type": "text"}, presence_penalty=0, stop=None,
        top_logprobs=None, seed=None, user="me",
    )  # fmt: skip


def test_an_unknown_model_is_a_404(client: httpx.Client) -> None:
    response = client.post("/chat/completions", json=body(model="gpt-4o"))
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("stream", [False, True])
def test_a_message_beyond_the_context_is_a_400(client: httpx.Client, stream: bool) -> None:
    messages = [{"role": "user", "content": "help " * 600}]
    response = client.post("/chat/completions", json=body(messages=messages, stream=stream))
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "context_length_exceeded"


def test_a_body_that_is_not_json_is_a_400(client: httpx.Client) -> None:
    for raw in (b"{", b"[]", b"\xff"):
        response = client.post("/chat/completions", content=raw)
        assert response.status_code == 400
        assert "JSON" in response.json()["error"]["message"]


def test_a_huge_body_is_refused_before_it_is_read(client: httpx.Client) -> None:
    response = client.post("/chat/completions", content=b" " * 2_000_000)
    assert response.status_code == 413


def test_any_characters_are_answered(client: httpx.Client) -> None:
    for text in ("", "日本語 ☎️ \x00", "half a pair: \ud83d"):
        raw = json.dumps(body(messages=[{"role": "user", "content": text}]))
        assert client.post("/chat/completions", content=raw.encode()).status_code == 200


def test_models_and_health_are_listed(client: httpx.Client, server: DemoServer) -> None:
    models = client.get("/models").json()
    assert [model["id"] for model in models["data"]] == ["desk-small", "desk-large"]
    assert client.get("/models/desk-small").json()["id"] == "desk-small"
    assert client.get("/models/desk-huge").status_code == 404
    assert client.get("/nonsense").json()["error"]["type"] == "invalid_request_error"
    assert client.get("/chat/completions").status_code == 405
    root = server.base_url.removesuffix("/v1")
    assert httpx.get(f"{root}/health").json() == {"status": "ok"}
    assert httpx.get(f"{root}/stats").json()["in_flight"] == 0


def test_twenty_requests_at_once_are_not_mixed_up(client: httpx.Client) -> None:
    asked = [[{"role": "user", "content": ticket.text}] for ticket in tickets("test", 20, seed=8)]
    alone = [content(complete(client, messages=messages)) for messages in asked]
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(lambda m: content(complete(client, messages=m)), asked))
    assert together == alone


def test_requests_at_once_advance_together(slow_server: DemoServer) -> None:
    # Answered one after the other, no answer's tokens would come among another's.
    came: list[int] = []

    def read(number: int) -> None:
        with (
            httpx.Client(base_url=slow_server.base_url, timeout=None) as client,
            client.stream("POST", "/chat/completions", json=body(stream=True)) as response,
        ):
            came.extend(number for line in response.iter_lines() if line)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, range(8)))
    spans = [came[came.index(number) : len(came) - came[::-1].index(number)] for number in range(8)]
    assert sum(len(set(span)) > 1 for span in spans) >= 4


def test_a_client_that_leaves_a_stream_stops_its_generation(pausing_server: DemoServer) -> None:
    counters, before = pausing_server.counters, pausing_server.counters.disconnected
    tokens = counters.tokens_generated
    with (
        httpx.Client(base_url=pausing_server.base_url, timeout=60) as client,
        client.stream("POST", "/chat/completions", json=body(stream=True)) as response,
    ):
        next(response.iter_lines())
    wait_until(lambda: counters.disconnected == before + 1)
    assert counters.in_flight == 0
    assert counters.tokens_generated - tokens < 31  # the whole answer


def test_a_client_that_gives_up_waiting_stops_its_generation(pausing_server: DemoServer) -> None:
    counters, before = pausing_server.counters, pausing_server.counters.disconnected
    tokens = counters.tokens_generated
    patience = httpx.Timeout(60, read=0.1)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{pausing_server.base_url}/chat/completions", json=body(), timeout=patience)
    wait_until(lambda: counters.disconnected == before + 1)
    assert counters.in_flight == 0
    assert counters.tokens_generated - tokens < 31  # the whole answer


def test_counters_tell_what_happened() -> None:
    with DemoServer() as own, httpx.Client(base_url=own.base_url) as client:
        assert own.counters == Counters()
        answer = complete(client)
        client.post("/chat/completions", json=body(n=0))
        cut = complete(client, stop=content(answer)[-8:-2])
        tokens = sum(each["usage"]["completion_tokens"] for each in (answer, cut))
        expected = {
            "requests": 2, "finished": 2, "disconnected": 0, "in_flight": 0,
            "tokens_generated": tokens,
        }  # fmt: skip
        assert client.get(own.base_url.replace("/v1", "/stats")).json() == expected


def test_a_spawned_server_answers_names_its_prices_and_is_gone_after_the_block() -> None:
    with spawn() as server:
        url, prices = server.base_url, Prices(server.prices)  # as a cascade takes them
        with httpx.Client(base_url=url) as client:
            assert content(complete(client)).startswith("[")
    for name in MODELS:
        assert prices.cost(name, Usage(10, 10, source="provider"))
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/models")


def test_a_spawned_server_ends_when_the_block_raises() -> None:
    url = ""

    def fail() -> None:
        nonlocal url
        with spawn() as server:
            url = server.base_url
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/models")


def test_a_spawned_server_ends_when_its_parent_is_killed() -> None:
    code = (
        "import os; from cascade_demo.server import spawn; server = spawn().__enter__();"
        "print(server.base_url, flush=True); os._exit(9)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    url = subprocess.run(
        [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True, check=False
    )
    assert url.returncode == 9

    def gone() -> bool:
        try:
            httpx.get(f"{url.stdout.strip()}/models")
        except httpx.TransportError:
            return True
        return False

    wait_until(gone)


def test_a_connection_is_not_closed_before_its_client_would_close_it(server: DemoServer) -> None:
    longest = httpx.Limits().keepalive_expiry  # what the clients of OpenAI have
    assert longest is not None
    assert server._server.config.timeout_keep_alive > longest


# --- what no client should send -------------------------------------------------------------------


def raw(server: DemoServer, body: bytes, *, length: int | None = None) -> socket.socket:
    """Send a request by hand."""
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {length or len(body)}"
    sent = socket.create_connection(("127.0.0.1", int(server.base_url.split(":")[2][:-3])))
    sent.sendall(head.encode() + b"\r\n\r\n" + body)
    return sent


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_json_that_is_nested_too_deep_is_a_bad_request(server: DemoServer, opening: bytes) -> None:
    body = b'{"model": "desk-small", "messages": ' + opening * 100_000
    with raw(server, body) as sent:
        assert sent.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_goes_away_leaves_no_traceback(
    server: DemoServer, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = {"model": "desk-small", "messages": [{"role": "user", "content": "Where is it?"}]}
    for body, length in (
        (b'{"model":', 500),  # before it has sent its request
        (json.dumps(ticket).encode(), None),  # before it has an answer
        (json.dumps({**ticket, "stream": True}).encode(), None),
    ):
        raw(server, body, length=length).close()
    with raw(server, json.dumps(ticket).encode()) as sent:  # and goes on serving
        assert sent.recv(100).startswith(b"HTTP/1.1 200 ")
    assert not [record for record in caplog.records if record.exc_info]
