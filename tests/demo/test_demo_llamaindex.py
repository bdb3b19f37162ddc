"""`cascade demo --framework llamaindex`: the same demo, answered by a query engine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

pytest.importorskip("llama_index.llms.openai_like")

from llama_index.core.llms import LLM
from llama_index.llms.openai_like import OpenAILike

from cascade_core import CascadeError, collect_decisions
from cascade_core.policy.document import Policy
from cascade_demo.asking_llamaindex import RETRIEVED, LlamaIndex
from cascade_demo.knowledge import PASSAGES
from cascade_demo.pair import Pair
from cascade_demo.server import DemoServer
from tests.demo.test_demo_command import demo
from tests.running import Run

SMALL = ["--tickets", "20", "--tune", "20"]
QUESTION = "Where is my order 4711? You sent it with dhl."


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    # Without the other framework; and a proxy of the caller's stands between nobody and here.
    ran = demo(
        *SMALL,
        "--framework",
        "llamaindex",
        "--json",
        without="langchain_core",
        HTTP_PROXY="http://127.0.0.1:1",
        OPENAI_API_BASE="http://127.0.0.1:1",
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


def test_json_has_the_documented_structure(plain: dict[str, Any]) -> None:
    keys = {"accuracy", "cost_usd", "latency_ms"}
    assert set(plain["cheap"]) == keys
    assert set(plain["strong"]) == keys
    assert set(plain["cascade"]) == {*keys, "escalated", "accepted_latency_ms"}
    assert plain["framework"] == "llamaindex"
    assert plain["models"] == {"cheap": "desk-small", "strong": "desk-large"}
    assert (plain["tickets"], plain["tune_readings"]) == (20, 20)


def test_it_decides_as_the_demo_in_langchain_does(plain: dict[str, Any], demo_here: Run) -> None:
    pytest.importorskip("langchain_openai")
    ran = demo_here(*SMALL, "--json")
    assert (ran.status, ran.err) == (0, "")
    other: dict[str, Any] = json.loads(ran.out)
    assert other["framework"] == "langchain"
    assert {**timeless(plain), "framework": "langchain"} == timeless(other)


def timeless(said: dict[str, Any]) -> dict[str, Any]:
    """Return what was said without how long it took."""
    arms = {arm: said[arm] for arm in ("cheap", "strong", "cascade")}
    counted = {
        arm: {key: n for key, n in told.items() if not key.endswith("_ms")}
        for arm, told in arms.items()
    }
    return {**said, **counted}


def test_people_read_what_was_retrieved_and_who_answered(demo_here: Run) -> None:
    ran = demo_here(*SMALL, "--framework", "llamaindex")
    assert ran.status == 0, ran.err
    out = " ".join(ran.out.split())
    for text in ("cheap only", "strong only", "cascade", "of always asking the strong model"):
        assert text in out
    assert f"retrieves {RETRIEVED} of {len(PASSAGES)} passages" in out
    assert any(f"retrieved {passage.title}; " in out for passage in PASSAGES)
    assert "tier 0" in out
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("framework", "missing", "extra"),
    [
        ("llamaindex", "llama_index", "demo-llamaindex"),
        ("llamaindex", "llama_index.llms.openai", "demo-llamaindex"),
        ("langchain", "langchain_core", "demo"),
    ],
)
def test_a_framework_that_is_not_installed_is_one_line(
    demo_here: Run, monkeypatch: pytest.MonkeyPatch, framework: str, missing: str, extra: str
) -> None:
    asking = f"cascade_demo.asking_{framework}"  # it has been imported, as what it needs has
    for name in list(sys.modules):
        if name in {missing, asking} or name.startswith(f"{missing}."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    ran = demo_here(*SMALL, "--framework", framework, "--json")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        f"cascade: cascade demo --framework {framework} needs: "
        f"pip install 'model-cascade[{extra}]'\n"
    )


def test_an_unknown_framework_is_one_line(demo_here: Run) -> None:
    ran = demo_here("--framework", "haystack")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "cascade: unknown --framework 'haystack': use langchain or llamaindex\n"


# --- hosted models --------------------------------------------------------------------------------


@pytest.fixture
def hosted(demo_here: Run, server: DemoServer) -> Run:
    env = {"OPENAI_API_BASE": server.base_url, "OPENAI_API_KEY": "k"}
    return lambda *arguments: demo_here("--framework", "llamaindex", *arguments, "--json", **env)


def test_a_hosted_pair_is_measured_and_unpriced_is_never_free(hosted: Run) -> None:
    pair = ["--cheap", "openai:desk-small", "--strong", "openai:desk-large"]
    ran = hosted("--tickets", "5", "--tune", "20", *pair)
    assert ran.status == 0, ran.err
    said = json.loads(ran.out)
    assert [said[arm]["cost_usd"] for arm in ("cheap", "strong", "cascade")] == [None] * 3
    assert said["cheap"]["accuracy"] > 0


@pytest.mark.parametrize("name", ["nonsense", "openai:", "anthropic:claude"])
def test_a_name_nobody_knows_is_one_line(
    hosted: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cascade_demo.server.spawn", pytest.fail)  # nothing waits for a server
    ran = hosted(*SMALL, "--cheap", name)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"cascade: --cheap={name!r}")
    assert ran.err.count("\n") == 1


def test_a_hosted_model_that_fails_is_one_line(hosted: Run) -> None:
    ran = hosted(*SMALL, "--cheap", "openai:no-such-model")
    assert (ran.status, ran.out) == (2, "")
    assert "no-such-model gave no answer to a ticket" in ran.err
    assert "HTTP 404" in ran.err
    assert ran.err.count("\n") == 1


# --- what is asked --------------------------------------------------------------------------------


class Wire:
    """Clients whose requests are noted as they go out."""

    def __init__(self, server: DemoServer) -> None:
        self.sent: list[dict[str, Any]] = []
        self._server = server
        self._client = httpx.Client(event_hooks={"request": [self._note]}, trust_env=False)

    def _note(self, request: httpx.Request) -> None:
        self.sent.append(json.loads(request.content))

    def llm(self, name: str, **options: Any) -> LLM:
        model: LLM = OpenAILike(
            model=name, api_base=self._server.base_url, api_key="x", temperature=0,
            is_chat_model=True, max_retries=0, http_client=self._client, **options,
        )  # fmt: skip
        return model

    def asking(self, cheap: str = "desk-small", **options: Any) -> LlamaIndex:
        strong = "desk-large"
        pair = Pair(self.llm(cheap, **options), self.llm(strong), (cheap, strong), None, "")
        return LlamaIndex(pair)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def wire(server: DemoServer) -> Iterator[Wire]:
    clients = Wire(server)
    yield clients
    clients.close()


def test_passages_are_the_system_message_and_the_ticket_the_users(wire: Wire) -> None:
    reply = wire.asking().alone(0)(QUESTION)
    assert reply.text == "Follow order 4711 with dhl."
    (request,) = wire.sent
    system, user = request["messages"]
    assert (user["role"], user["content"]) == ("user", QUESTION)
    assert system["role"] == "system"
    found = [passage for passage in PASSAGES if passage.title in reply.passages]
    assert len(found) == RETRIEVED
    for passage in found:
        assert f"{passage.title}\n{passage.text}" in system["content"]
        assert passage.asked not in system["content"]


def test_the_threshold_is_picked_on_the_very_requests_that_the_engine_sends(wire: Wire) -> None:
    asking = wire.asking()
    cheap, strong = asking.drafts(QUESTION)
    assert cheap.logprobs is not None
    assert strong.text.endswith("Follow order 4711 with dhl.")
    with collect_decisions() as seen:
        asking.cascade(Policy(thresholds=(1.0,)))(QUESTION)
    assert [record["tier"] for record in seen] == [1]
    drafted, engine = wire.sent[:2], wire.sent[2:]
    assert [request["model"] for request in engine] == ["desk-small", "desk-large"]
    assert drafted == engine


def test_a_model_that_fails_is_named(wire: Wire) -> None:
    with pytest.raises(CascadeError, match="desk-huge gave no answer to a ticket"):
        wire.asking("desk-huge").drafts(QUESTION)


def test_a_cheap_model_that_refuses_logprobs_is_asked_without(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = wire.asking()
    # A parameter that the server refuses by name, as reasoning models refuse logprobs.
    monkeypatch.setattr(asking, "_logprobs", {"logprobs": True, "top_logprobs": 99})
    cheap, _ = asking.drafts(QUESTION)
    assert cheap.logprobs is None
    assert cheap.text == "Follow order 4711 with dhl."
    assert [request.get("logprobs") for request in wire.sent] == [True, None, None]
    asking.drafts(QUESTION)
    assert len(wire.sent) == 5  # it is not tried again
