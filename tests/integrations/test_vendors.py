"""What tools that teams already watch see of a cascade: their own packages send to a server here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler
from llama_index.core.llms import ChatMessage
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from cascade_core import CascadeExhausted, collect_decisions
from cascade_core.loop.run_metadata import CALL, DECISION
from langchain_cascade import CascadeMiddleware, RunnableCascade
from llamaindex_cascade import CascadeLLM
from tests.conftest import ROOT
from tests.integrations.wire import Wire
from tests.langchain.fakes import UNSURE, FakeChat, ProviderError, Say, ask, pair
from tests.llamaindex import fakes
from tests.receiver import Receiver

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

PRICES = {"cheap": {"input": 1, "output": 2}, "strong": {"input": 100, "output": 200}}
WAYS = ["invoke", "ainvoke", "stream", "astream", "batch", "abatch"]
ways = pytest.mark.parametrize("how", WAYS)


def agrees(said: dict[str, Any], record: dict[str, Any], outcome: str) -> bool:
    """Assert that what a tool was told is what the record says."""
    known = {
        name: record[key]
        for name in DECISION
        if record.get(key := name.removeprefix("cascade_")) is not None
    }
    known |= {"cascade_decision_id": record["id"], "cascade_outcome": outcome}
    assert {name: value for name, value in said.items() if name in DECISION} == known
    return True


# --- Langfuse, LangChain --------------------------------------------------------------------------


class InLangfuse:
    """A Langfuse of its own, and what arrived there."""

    def __init__(self, server: Receiver) -> None:
        self._server = server
        self.key = str(uuid4())  # Langfuse keeps one client for each
        self._client = Langfuse(
            public_key=self.key,
            secret_key="unused",
            base_url=server.url,
            tracer_provider=TracerProvider(),
        )
        self.handler = CallbackHandler(public_key=self.key)
        self.config: Any = {"callbacks": [self.handler]}

    @property
    def observations(self) -> list[dict[str, Any]]:
        self._client.flush()
        return self._server.spans()

    def named(self, name: str) -> dict[str, Any]:
        (found,) = [span for span in self.observations if span["name"] == name]
        return found


@pytest.fixture
def langfuse() -> Iterator[InLangfuse]:
    with Receiver() as server:
        yield InLangfuse(server)


def metadata(observation: dict[str, Any]) -> dict[str, Any]:
    """An observation's metadata about the cascade; Langfuse sends each value as JSON."""
    prefix = "langfuse.observation.metadata."
    return {
        key.removeprefix(prefix): json.loads(value)
        for key, value in observation["attributes"].items()
        if key.startswith(f"{prefix}cascade_")
    }


@ways
@pytest.mark.parametrize("sure", [True, False], ids=["accepted", "escalated"])
async def test_langfuse_shows_the_decision_on_the_cascades_observation(
    langfuse: InLangfuse, how: str, sure: bool
) -> None:
    outcome, tier = ("accepted", 0) if sure else ("escalated", 1)
    two = pair("Rome" if sure else UNSURE, prices=PRICES)
    with collect_decisions() as seen:
        await ask(how, two.cascade, langfuse.config)
    own = langfuse.named("ChatCascade")
    assert agrees(metadata(own), seen[0], outcome)
    assert metadata(own)["cascade_tags"] == [f"cascade:{outcome}", f"cascade:answered-by:{tier}"]
    calls = [each for each in langfuse.observations if each["name"] == "FakeChat"]
    assert [metadata(call)["cascade_tier"] for call in calls] == list(range(tier + 1))
    assert {call["parent"] for call in calls} == {own["id"]}
    assert {key for call in calls for key in metadata(call)} == set(CALL)


@ways
async def test_langfuse_counts_tokens_once(langfuse: InLangfuse, how: str) -> None:
    two = pair(UNSURE)
    with collect_decisions() as seen:
        await ask(how, two.cascade, langfuse.config)
    details = "langfuse.observation.usage_details"
    counted = [
        json.loads(each["attributes"][details])
        for each in langfuse.observations
        if details in each["attributes"]
    ]
    usage = [call["usage"] for call in seen[0]["calls"]]
    total = sum(each["input_tokens"] + each["output_tokens"] for each in usage)
    assert sum(each["total"] for each in counted) == total


async def test_langfuse_shows_that_nobody_answered(langfuse: InLangfuse) -> None:
    broken = Say(error=ProviderError())
    with pytest.raises(CascadeExhausted):
        await pair(broken, broken).cascade.ainvoke("hi", langfuse.config)
    assert metadata(langfuse.named("ChatCascade"))["cascade_outcome"] == "exhausted"


@ways
async def test_langfuse_shows_a_cascade_of_chains(langfuse: InLangfuse, how: str) -> None:
    tiers = [FakeChat(UNSURE, model_name="cheap"), FakeChat("Oslo", model_name="strong")]
    cascade = RunnableCascade(tiers=tiers, prices=PRICES, signals=[lambda request, draft: 0.1])
    with collect_decisions() as seen:
        await ask(how, cascade, langfuse.config)
    assert agrees(metadata(langfuse.named("RunnableCascade")), seen[0], "escalated")


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
async def test_langfuse_shows_an_agents_turns_in_one_trace(langfuse: InLangfuse, how: str) -> None:
    tiers = [FakeChat(UNSURE, model_name="cheap"), FakeChat("Oslo", model_name="strong")]
    agent = create_agent(tiers[1], [], middleware=[CascadeMiddleware(tiers=tiers)])
    asked = {"messages": [("user", "hi")]}
    with collect_decisions() as seen:
        if how == "invoke":
            agent.invoke(asked, langfuse.config)
        else:
            await agent.ainvoke(asked, langfuse.config)
    node = langfuse.named("model")
    assert agrees(metadata(node), seen[0], "escalated")
    calls = [each for each in langfuse.observations if each["name"] == "FakeChat"]
    assert {call["parent"] for call in calls} == {node["id"]}
    assert len({each["trace"] for each in langfuse.observations}) == 1


def test_langfuse_is_told_below_the_run_where_its_observation_cannot_be_found(
    langfuse: InLangfuse,
) -> None:
    class Moved(CallbackHandler):
        """As a release might be that keeps observations elsewhere."""

        @property
        def _runs(self) -> Any:
            return self.elsewhere if self.hidden else {}

        @_runs.setter
        def _runs(self, value: Any) -> None:
            self.elsewhere = value
            self.hidden = True

        def on_chain_start(self, *args: Any, **kwargs: Any) -> Any:
            self.hidden = True
            return super().on_chain_start(*args, **kwargs)

    handler = Moved(public_key=langfuse.key)

    def judged(request: Any, draft: Any) -> float:
        handler.hidden = False
        return 0.99

    two = pair("Rome", signals=[judged])
    with collect_decisions() as seen:
        two.cascade.invoke("hi", {"callbacks": [handler]})
    assert agrees(metadata(langfuse.named("cascade decision")), seen[0], "accepted")


# --- OpenInference, LlamaIndex: what Langfuse, Phoenix and others read ----------------------------


@pytest.fixture
def spans() -> Iterator[Receiver]:
    provider, instrumentor = TracerProvider(), LlamaIndexInstrumentor()
    with Receiver() as server:
        exporter = OTLPSpanExporter(f"{server.url}/v1/traces")
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        instrumentor.instrument(tracer_provider=provider)
        try:
            yield server
        finally:
            instrumentor.uninstrument()


@pytest.mark.parametrize("how", ["chat", "achat", "stream_chat", "astream_chat", "complete"])
@pytest.mark.parametrize("sure", [True, False], ids=["accepted", "escalated"])
async def test_openinferences_spans_carry_the_decision(
    spans: Receiver, how: str, sure: bool, caplog: pytest.LogCaptureFixture
) -> None:
    tiers = [fakes.cheap(fakes.SURE if sure else fakes.UNSURE), fakes.strong()]
    with collect_decisions() as seen:
        cascade = CascadeLLM(tiers=tiers, prices=fakes.PRICES)
        await fakes.called(how, cascade, "hi" if how == "complete" else [ChatMessage("hi")])
    found = spans.spans()
    (own,) = [span for span in found if span["name"] == f"CascadeLLM.{how}"]
    (told,) = [span for span in found if "cascade_decision_id" in span["attributes"]]
    # The span of a stream is sent when the last tier's ends, before its cost is known.
    apart = not sure and "stream" in how
    assert told["name"] == ("cascade decision" if apart else own["name"])
    assert told["parent"] == (own["id"] if apart else own["parent"])
    assert agrees(told["attributes"], seen[0], "accepted" if sure else "escalated")
    assert len({span["trace"] for span in found}) == 1
    assert not caplog.records


# --- the page -------------------------------------------------------------------------------------

PAGE = ROOT / "docs" / "how-to" / "telemetry.md"
EXAMPLES = {
    "opentelemetry": ("cascade desk", "cascade.tier"),
    "langfuse": ("ChatCascade", "langfuse.observation.metadata.cascade_tier"),
    "openinference": ("CascadeLLM.complete", "cascade_tier"),
    "promptlayer": ("ChatCascade", "langsmith.metadata.cascade_tier"),
}
"""By a package of each example: the span in which a decision arrives, and one of its attributes."""


LANGSMITH = ("LANGSMITH_TRACING", "LANGSMITH_OTEL_ENABLED", "LANGSMITH_OTEL_ONLY")


def examples() -> dict[str, str]:
    blocks = re.findall(r"```py\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    found = {
        name: block for block in blocks for name in EXAMPLES if re.search(rf"\b{name}\.", block)
    }
    assert len(found) == len(blocks)
    return found


@pytest.mark.parametrize("package", EXAMPLES)
def test_the_pages_examples_send_decisions(package: str, wire: Wire, tmp_path: Path) -> None:
    with Receiver() as server:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LANGCHAIN_")}
        where = {
            **environment,
            "OPENAI_API_KEY": "unused",
            "OPENAI_BASE_URL": f"{wire.url}/v1",
            "OPENAI_API_BASE": f"{wire.url}/v1",
            "LANGFUSE_PUBLIC_KEY": "unused",
            "LANGFUSE_SECRET_KEY": "unused",
            "LANGFUSE_BASE_URL": server.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
            "PROMPTLAYER_API_KEY": "unused",
            "PROMPTLAYER_BASE_URL": server.url,
            **dict.fromkeys(LANGSMITH if package == "promptlayer" else (), "true"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shared")]),
        }
        before = EXPORTED if package == "openinference" else ""  # Langfuse brings its own
        (tmp_path / "example.py").write_text(before + examples()[package], encoding="utf-8")
        subprocess.run([sys.executable, "example.py"], cwd=tmp_path, env=where, check=True)
        name, attribute = EXAMPLES[package]
        found = server.spans()
        (own,) = [span for span in found if span["name"] == name]
        assert str(own["attributes"][attribute]) in ("0", "1")
        if package != "opentelemetry":  # no call is told of twice
            assert not [span for span in found if span["name"].startswith(("chat ", "cascade "))]
        if package == "promptlayer":
            assert {request.headers["X-Api-Key"] for request in server.sent} == {"unused"}
            kinds = [span["attributes"].get("gen_ai.operation.name") for span in found]
            calls = [span for span in found if span["parent"] == own["id"]]
            assert kinds.count("chat") == len(calls) > 0
            for call in calls:
                assert call["attributes"]["langsmith.metadata.cascade_purpose"] == "draft"


EXPORTED = """\
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
"""
"""What a program that uses OpenTelemetry has set up already."""
