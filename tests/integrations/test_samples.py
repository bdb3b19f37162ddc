"""Samples are drawn at a temperature of their own, however an integration is told of it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel

from cascade_core import collect_decisions
from cascade_core.signals import SelfConsistency
from tests.integrations.classes import CLASSES, Class
from tests.integrations.wire import PROTOCOLS, Ending, Json, Sent, Wire

pytestmark = pytest.mark.filterwarnings("ignore")

every = pytest.mark.parametrize("cls", [pytest.param(c, id=c.id) for c in CLASSES if c.installed])


class Answer(BaseModel):
    """An answer."""

    text: str


@dataclass(frozen=True)
class Kept(Ending):
    """An answer whose requests are kept."""

    asked: list[Json] = field(default_factory=list)

    @property
    def protocols(self) -> dict[str, Any]:
        def keeping(protocol: Callable[..., Sent]) -> Callable[..., Sent]:
            def answer(body: Json, ending: Ending) -> Sent:
                self.asked.append(body)
                return protocol(body, ending)

            return answer

        return {mark: keeping(protocol) for mark, protocol in PROTOCOLS.items()}

    @property
    def temperatures(self) -> list[list[float]]:
        found = [re.findall(r'"temperature": ([-\de.]+)', json.dumps(each)) for each in self.asked]
        return [[float(each) for each in body] for body in found]


def cold(cls: Class, url: str) -> Any:
    """Make a model that its owner has at a temperature of 0."""
    made = getattr(import_module(cls.module), cls.name)
    settings = {**cls.settings(url), "temperature": 0.0}
    if "context_window" in settings:  # a synthesizer leaves room in it for the longest answer
        settings["context_window"] = 64_000
    return made(**settings)


@every
async def test_a_models_own_temperature_is_not_the_samples(cls: Class, wire: Wire) -> None:
    wire.ending = kept = Kept(cls.words.good)
    settings = {"signals": [SelfConsistency(n=2, temperature=0.625)]}
    with collect_decisions() as seen:
        if cls.framework == "langchain":
            from langchain_cascade import ChatCascade
            from tests.langchain.fakes import FakeChat

            chat = ChatCascade([cold(cls, wire.url), FakeChat("strong")], **settings)
            await asyncio.to_thread(chat.invoke, "When?")
        else:
            from llama_index.core.llms import ChatMessage

            from llamaindex_cascade import CascadeLLM
            from tests.llamaindex.fakes import strong

            model = cold(cls, wire.url)
            llm = CascadeLLM([model, strong()], **settings)
            await asyncio.to_thread(llm.chat, [ChatMessage("When?")])
            assert model.temperature == 0
    assert kept.temperatures[1:] == [[0.625], [0.625]]
    assert kept.temperatures[0] in ([0], [1e-8], [])  # some leave a 0 out, or take none
    assert seen[0]["signals"] == {"self_consistency": 1.0}
    assert [call["purpose"] for call in seen[0]["calls"]] == ["draft", "sample", "sample"]


def named(name: str) -> Class:
    found = next((c for c in CLASSES if c.installed and c.name == name), None)
    return found or pytest.skip(f"{name} is not installed")


@pytest.mark.parametrize("name", ["ChatOllama", "ChatCohere"])
@pytest.mark.parametrize("way", ["tools", "agent"])
async def test_in_every_way_in_which_langchain_asks(name: str, way: str, wire: Wire) -> None:
    from langchain.agents import create_agent

    from langchain_cascade import CascadeMiddleware, ChatCascade
    from tests.langchain.fakes import FakeChat

    cls = named(name)
    wire.ending = kept = Kept(cls.words.good)
    tiers = [cold(cls, wire.url), FakeChat("strong")]
    signals = [SelfConsistency(n=2, temperature=0.625)]
    chat = ChatCascade(tiers, signals=signals)
    if way == "tools":
        await chat.bind_tools([Answer]).ainvoke("When?")
    else:
        middleware = CascadeMiddleware(tiers=tiers, signals=signals)
        agent = create_agent(tiers[1], [], middleware=[middleware])
        await agent.ainvoke({"messages": [("user", "When?")]})
    assert kept.temperatures[1:] == [[0.625], [0.625]]


@pytest.mark.parametrize("name", ["GoogleGenAI", "Ollama"])
@pytest.mark.parametrize("way", ["complete", "tools", "own settings"])
async def test_in_every_way_in_which_llamaindex_asks(name: str, way: str, wire: Wire) -> None:
    from llama_index.core.llms import ChatMessage
    from llama_index.core.tools import FunctionTool

    from llamaindex_cascade import CascadeLLM
    from tests.llamaindex.fakes import strong

    cls = named(name)
    wire.ending = kept = Kept(cls.words.good)
    llm = CascadeLLM(
        [cold(cls, wire.url), strong()], signals=[SelfConsistency(n=2, temperature=0.625)]
    )
    if way == "complete":
        await asyncio.to_thread(llm.complete, "When?")
    elif way == "tools":
        tool = FunctionTool.from_defaults(named)
        await asyncio.to_thread(llm.chat_with_tools, [tool], "When?")
    else:
        own = {"generation_config": {"top_p": 0.5}} if name == "GoogleGenAI" else {}
        await asyncio.to_thread(lambda: llm.chat([ChatMessage("When?")], **own))
        assert json.dumps(kept.asked).count('"topP": 0.5') == 3 * bool(own)
    assert kept.temperatures[1:] == [[0.625], [0.625]]


@pytest.mark.parametrize(
    "cls", [pytest.param(c, id=c.id) for c in CLASSES if c.installed and c.framework != "langchain"]
)
def test_a_synthesizers_models_are_set_to_it(cls: Class, wire: Wire) -> None:
    from llama_index.core.schema import NodeWithScore, TextNode

    from llamaindex_cascade import CascadeSynthesizer
    from tests.llamaindex.fakes import strong

    wire.ending = kept = Kept(cls.words.good)
    model = cold(cls, wire.url)
    signals = [SelfConsistency(n=2, temperature=0.625)]
    llm = CascadeSynthesizer([model, strong()], signals=signals)
    for _ in range(2):
        llm.synthesize("When?", [NodeWithScore(node=TextNode(text="a fact"), score=1.0)])
    assert kept.temperatures[1:3] == kept.temperatures[4:] == [[0.625], [0.625]]
    assert kept.temperatures[0] == kept.temperatures[3]
    assert kept.temperatures[0] in ([0], [])
