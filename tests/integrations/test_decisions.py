"""Decision models ask over HTTP: LangChain's integration of one provider, and a class of one's own."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from cascade_core.signals import Difficulty, Judge

decisions = pytest.importorskip("langchain_core.decisions", reason="langchain-core is before 1.8")

HOWS = ["whole", "awhole", "stream", "astream"]
PRICES = {
    name: {"input": price, "output": 2 * price}
    for name, price in (("jev-1", 2), ("cheap", 1), ("strong", 10))
}


class Server(ThreadingHTTPServer):
    """Answers every question with what a test says, in the order of what is asked.

    Attributes:
        answer: The fields of the one answer, without which there is none.
        status: The HTTP status.
        usage: Tokens, as they are reported.
        asked: The bodies that came.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reset()

    def reset(self) -> None:
        self.answer: Any = {"type": "noul", "noul": 0.9}
        self.status = 200
        self.usage: Any = {"input_tokens": 120, "output_tokens": 3}
        self.asked: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        (name,) = body["questions"]
        answers = {name: self.server.answer} if self.server.answer else {}
        told = {"model": "jev-1", "answers": answers, "usage": self.server.usage}
        sent = json.dumps(told).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def server(running: Server) -> Server:
    running.reset()
    return running


class OwnServer(decisions.BaseDecisionModel):
    """Any server with such an endpoint: what it sends is read by LangChain's own types."""

    url: str

    @property
    def _provider(self) -> str:
        return "own"

    def _body(self, state: Any, questions: Any) -> dict[str, Any]:
        return {"state": state, "questions": {k: q.model_dump() for k, q in questions.items()}}

    def _classify(self, state: Any, questions: Any) -> Any:
        got = httpx.post(self.url, json=self._body(state, questions)).raise_for_status()
        return decisions.ClassifierResponse.model_validate(got.json())

    async def _aclassify(self, state: Any, questions: Any) -> Any:
        async with httpx.AsyncClient() as client:
            got = await client.post(self.url, json=self._body(state, questions))
        return decisions.ClassifierResponse.model_validate(got.raise_for_status().json())


def own(server: Server) -> Any:
    return OwnServer(model="jev-1", url=server.url)


def typesafe(server: Server) -> Any:
    package = pytest.importorskip("langchain_typesafe")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is in beta
        return package.TypeSafeClassifier(model="jev-1", api_key="k", base_url=server.url)


class Asking:
    """A pair of models behind a signal, in one of the frameworks."""

    def __init__(self, framework: str) -> None:
        self.framework = framework

    async def __call__(self, how: str, signal: Any, **settings: Any) -> dict[str, Any]:
        if self.framework == "langchain":
            from langchain_cascade import ChatCascade
            from tests.langchain.fakes import FakeChat, Say, ask

            tiers = [FakeChat(Say("It is paid."), model_name=n) for n in ("cheap", "strong")]
            llm = ChatCascade(tiers=tiers, signals=[signal], prices=PRICES, **settings)
            way = {"whole": "invoke", "awhole": "ainvoke"}.get(how, how)
            message = await ask(way, llm, given="When is it due?")
            return message.response_metadata["cascade"]
        from llama_index.core.llms import ChatMessage

        from cascade_core import collect_decisions
        from llamaindex_cascade import CascadeLLM
        from tests.llamaindex import fakes

        tiers = [fakes.FakeLLM(fakes.Say("It is paid."), n) for n in ("cheap", "strong")]
        llm = CascadeLLM(tiers=tiers, signals=[signal], prices=PRICES, **settings)
        asked = [ChatMessage("When is it due?")]
        with collect_decisions() as seen:
            if how == "whole":
                llm.chat(asked)
            elif how == "awhole":
                await llm.achat(asked)
            elif how == "stream":
                list(llm.stream_chat(asked))
            else:
                [piece async for piece in await llm.astream_chat(asked)]
        return seen[-1]

    def __repr__(self) -> str:
        return self.framework


models = pytest.mark.parametrize("make", [own, typesafe])
hows = pytest.mark.parametrize("how", HOWS)
asking = pytest.mark.parametrize(
    "ask", [Asking("langchain"), Asking("llamaindex")], ids=["langchain", "llamaindex"]
)


@models
@asking
@hows
async def test_a_judge_over_http(ask: Asking, how: str, make: Any, server: Server) -> None:
    record = await ask(how, Judge(make(server)))
    assert record["signals"] == {"judge": 0.9}
    assert record["reason"] == "confident"
    judged = record["calls"][1]
    assert (judged["model"], judged["purpose"]) == ("jev-1", "judge")
    assert (judged["usage"]["input_tokens"], judged["usage"]["output_tokens"]) == (120, 3)
    assert judged["cost_usd"] == pytest.approx((120 * 2 + 3 * 4) / 1e6)
    (body,) = server.asked
    assert body["state"]["answer"] == "It is paid."
    (question,) = body["questions"].values()
    assert question["type"] == "noul"
    assert set(question["criteria"]) == {"true", "false"}


@models
@asking
async def test_difficulty_over_http(ask: Asking, make: Any, server: Server) -> None:
    record = await ask("awhole", Difficulty(make(server)))
    assert record["signals"] == {"difficulty": pytest.approx(0.1)}
    assert record["tier"] == 1
    assert server.asked[0]["state"] == {"exchange": [{"user": "When is it due?"}]}


@models
@asking
@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ({"type": "noul", "noul": 1.5}, 200, "sent what is no answer"),
        ({"type": "noul"}, 200, "sent what is no answer"),
        ({"type": "other", "noul": 0.5}, 200, "sent what is no answer"),
        (
            {"type": "choice", "choice": "a", "probabilities": {"a": 1.0}, "confidence": 1.0},
            200,
            "answered by a choice where a noul was asked for",
        ),
        (None, 200, "gave no answer to the question"),
        ({"type": "noul", "noul": 0.5}, 503, "did not answer"),
        ({"type": "noul", "noul": 0.5}, 401, "did not answer"),
    ],
)
async def test_what_is_no_answer_is_no_reading(
    ask: Asking, make: Any, server: Server, answer: Any, status: int, said: str
) -> None:
    server.answer, server.status = answer, status
    with pytest.warns(UserWarning, match=said):
        record = await ask("whole", Judge(make(server)))
    assert record["signals"] == {"judge": None}
    assert (record["tier"], record["reason"]) == (1, "no_reading")


@models
@asking
async def test_other_answers_for_criteria(ask: Asking, make: Any, server: Server) -> None:
    levels = ["wrong", "partly right", "right"]
    server.answer = {
        "type": "score",
        "score": 1.5,
        "legend": dict(enumerate(levels)),
        "probabilities": {"0": 0.1, "1": 0.3, "2": 0.6},
        "confidence": 0.7,
    }
    record = await ask("whole", Judge(make(server), criteria=levels))
    assert record["signals"] == {"judge": 0.75}
    labels = {"right": "all of it is right", "thin": "right, but not all", "wrong": "it is wrong"}
    server.answer = {
        "type": "choice",
        "choice": "thin",
        "probabilities": {"right": 0.3, "thin": 0.5, "wrong": 0.2},
        "confidence": 0.5,
    }
    judge = Judge(make(server), criteria=labels, right=["right", "thin"])
    record = await ask("awhole", judge)
    assert record["signals"] == {"judge": 0.8}


@models
@asking
async def test_without_tokens_it_is_unpriced_and_said(
    ask: Asking, make: Any, server: Server
) -> None:
    server.usage = {} if make is typesafe else None
    with pytest.warns(UserWarning, match="says nothing of tokens"):
        record = await ask("whole", Judge(make(server)))
    assert record["signals"] == {"judge": 0.9}
    assert record["calls"][1]["cost_usd"] is None
    assert record["cost_usd"] is None
