"""What is in an answer is read through every real integration: tokens of each kind, tools, refusals."""

from __future__ import annotations

import asyncio
from functools import reduce
from operator import add
from typing import Any

import pytest

from cascade_core import collect_decisions
from tests.integrations.classes import CLASSES, Class
from tests.integrations.conftest import surely
from tests.integrations.scripted import Scripted
from tests.integrations.wire import Wire

pytestmark = pytest.mark.filterwarnings("ignore")

installed = [
    c
    for c in CLASSES
    if c.installed and c.name != "Cohere"  # whose first protocol is not scripted
]
every = pytest.mark.parametrize("cls", [pytest.param(c, id=c.id) for c in installed])

NO_CACHE = {"ChatCohere", "ChatOllama", "Ollama"}
"""Which say nothing of a cache."""

WRITES = {"ChatAnthropic", "Anthropic", "ChatBedrockConverse", "BedrockConverse"}
"""Whose providers bill for writing to it."""


async def record_of(cls: Class, how: str, url: str, signal: Any = surely) -> dict[str, Any]:
    """Ask a cascade whose cheap tier is the class, and return the record."""
    model = cls.made(url)
    with collect_decisions() as seen:
        if cls.framework == "langchain":
            from langchain_cascade import ChatCascade
            from tests.langchain.fakes import FakeChat

            llm: Any = ChatCascade([model, FakeChat("strong")], signals=[signal])
            if how == "whole":
                await asyncio.to_thread(llm.invoke, "When?")
            else:
                await asyncio.to_thread(lambda: reduce(add, llm.stream("When?")))
        else:
            from llama_index.core.llms import ChatMessage

            from llamaindex_cascade import CascadeLLM
            from tests.llamaindex.fakes import strong

            llm, asked = CascadeLLM([model, strong()], signals=[signal]), [ChatMessage("When?")]
            if how == "whole":
                await asyncio.to_thread(llm.chat, asked)
            else:
                await asyncio.to_thread(lambda: list(llm.stream_chat(asked)))
    return seen[-1]


@every
@pytest.mark.parametrize("how", ["whole", "stream"])
async def test_tokens_of_each_kind_are_counted(cls: Class, how: str, wire: Wire) -> None:
    if cls.hides.get(f"usage {how}"):
        pytest.skip(cls.hides[f"usage {how}"])
    said = Scripted(text="It is Oslo.", cached=300, stored=200 * (cls.name in WRITES), hidden=20)
    wire.ending = said
    used = (await record_of(cls, how, wire.url))["calls"][0]["usage"]
    assert used["input_tokens"] == said.given
    assert used["output_tokens"] == said.written + said.hidden * cls.apart
    told = how in cls.parts
    assert used.get("cached_tokens", 0) == said.cached * (told and cls.name not in NO_CACHE)
    assert used.get("cache_write_tokens", 0) == said.stored
    assert used.get("reasoning_tokens", 0) == said.hidden * (told and cls.reasoning)


@every
@pytest.mark.parametrize("how", ["whole", "stream"])
async def test_what_is_judged_is_what_was_said(cls: Class, how: str, wire: Wire) -> None:
    judged: list[str] = []

    def reading(request: Any, draft: Any) -> float:
        judged.append(draft.text)
        return 0.99

    wire.ending = said = Scripted(text="It is Zürich – 7 °C \U0001f600.\n\nOr so.", step=1)
    await record_of(cls, how, wire.url, reading)
    assert judged == [said.text]


REFUSING = {"ChatOpenAI", "AzureChatOpenAI", "ChatDeepSeek", "ChatXAI", "ChatTogether"}
"""By whose integrations a refusal in a field of its own comes; streams of chats lose it."""

OTHERS = {"ChatOllama", "Ollama", "ChatMistralAI", "MistralAI"}
"""Whose words are OpenAI's, and nothing else."""


@every
@pytest.mark.parametrize("how", ["whole", "stream"])
async def test_a_refusal_in_a_field_of_its_own_is_one(cls: Class, how: str, wire: Wire) -> None:
    if cls.words.good not in {"stop", "completed"} or cls.name in OTHERS:
        pytest.skip("its protocol has no such field")
    wire.ending = Scripted(refusal="I can't help with that.")
    record = await record_of(cls, how, wire.url)
    heard = cls.name in REFUSING and (how == "whole" or cls.words.good == "completed")
    if cls.framework == "llamaindex":
        heard = (cls.name, how) != ("LiteLLM", "stream")
    assert record["judged"][0]["reason"] == ("gate_refusal" if heard else "gate_empty")
