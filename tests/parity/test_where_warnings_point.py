"""A warning names the line of the caller's code, however the cascade was called."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from llama_index.core.llms import ChatMessage

from cascade_core.errors import CascadeWarning
from cascade_core.warn import warn
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from llamaindex_cascade import CascadeLLM, CascadeSynthesizer
from tests.langchain import fakes as langchain
from tests.llamaindex import fakes as llamaindex
from tests.llamaindex.retrieval import QUESTION, nodes

PROMPT = "Where is my order?"


def chat() -> ChatCascade:
    """A cascade whose cheap tier gives no reading, which is warned of when it is asked."""
    mute, strong = langchain.Say(p=None), langchain.Say()
    return ChatCascade(
        [langchain.FakeChat(mute, model_name="a"), langchain.FakeChat(strong, model_name="b")]
    )


def llm() -> CascadeLLM:
    mute = llamaindex.Say(p=None)
    return CascadeLLM([llamaindex.FakeLLM(mute, "a"), llamaindex.FakeLLM(model="b")])


def messages() -> list[ChatMessage]:
    return [ChatMessage(content=PROMPT)]


async def read(stream: Any) -> None:
    async for _ in stream:
        pass


async def stream_chat() -> None:
    await read(await llm().astream_chat(messages()))


def chain() -> Any:
    return ChatPromptTemplate.from_template("{text}") | chat() | StrOutputParser()


def agent() -> Any:
    tiers = chat().tiers
    return create_agent(langchain.FakeChat(), [], middleware=[CascadeMiddleware(tiers)])


def synthesizer() -> CascadeSynthesizer:
    return CascadeSynthesizer(llm().tiers)


TURN: Any = {"messages": [("user", PROMPT)]}

CALLS: dict[str, Callable[[], Any]] = {
    "invoke": lambda: chat().invoke(PROMPT),
    "stream": lambda: list(chat().stream(PROMPT)),
    "batch": lambda: chat().batch([PROMPT, PROMPT]),
    "ainvoke": lambda: asyncio.run(chat().ainvoke(PROMPT)),
    "abatch": lambda: asyncio.run(chat().abatch([PROMPT, PROMPT])),
    "astream": lambda: asyncio.run(read(chat().astream(PROMPT))),
    "astream_events": lambda: asyncio.run(read(chat().astream_events(PROMPT, version="v2"))),
    "a chain": lambda: chain().invoke({"text": PROMPT}),
    "a chain, streamed": lambda: list(chain().stream({"text": PROMPT})),
    "a chain, awaited": lambda: asyncio.run(chain().ainvoke({"text": PROMPT})),
    "a cascade of chains": lambda: RunnableCascade([chain(), chain()]).invoke({"text": PROMPT}),
    "an agent": lambda: agent().invoke(TURN),
    "an agent, awaited": lambda: asyncio.run(agent().ainvoke(TURN)),
    "chat": lambda: llm().chat(messages()),
    "complete": lambda: llm().complete(PROMPT),
    "stream_chat": lambda: list(llm().stream_chat(messages())),
    "achat": lambda: asyncio.run(llm().achat(messages())),
    "astream_chat": lambda: asyncio.run(stream_chat()),
    "synthesize": lambda: synthesizer().synthesize(QUESTION, nodes()),
}


@pytest.mark.parametrize("how", CALLS)
def test_a_warning_points_at_the_callers_line(how: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CALLS[how]()
    ours = [one for one in caught if issubclass(one.category, CascadeWarning)]
    assert ours
    assert {one.filename for one in ours} == {__file__}


def test_the_line_is_the_one_that_calls() -> None:
    cascade = chat()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        here = test_the_line_is_the_one_that_calls.__code__.co_firstlineno + 5
        cascade.invoke(PROMPT)
    assert [one.lineno for one in caught] == [here]


def test_from_a_thread_without_code_of_the_caller_it_is_the_line_that_waits() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread = threading.Thread(target=warn, args=("late",))
        thread.start()
        thread.join()
    assert [one.filename for one in caught] == [__file__]


BEHIND = ["cascade-watching", "cascade-log", "cascade-behind", "cascade-digest-key"]


@pytest.mark.parametrize("name", BEHIND)
def test_a_thread_that_nobody_waits_for_points_at_nobodys_line(name: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(threading.Thread(target=warn, args=("late",), name=name))
    assert [one.filename for one in caught] == ["<cascade>"]
    assert str(caught[0]).count("late") == 1


def test_a_library_that_the_main_thread_is_busy_in_is_not_named(tmp_path: Path) -> None:
    file = tmp_path / "site-packages" / "wire" / "socket.py"
    wire: dict[str, Any] = {"__name__": "wire.socket"}
    exec(compile("def read(thread):\n    thread.start(); thread.join()", file, "exec"), wire)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        wire["read"](threading.Thread(target=warn, args=("late",)))
    assert [one.filename for one in caught] == ["<cascade>"]


def run(thread: threading.Thread) -> None:
    thread.start()
    thread.join()


def test_a_warning_is_shown_once_a_line_as_any_other_is() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(2):
            chat().invoke(PROMPT)
    assert len({str(one.message) for one in caught}) == len(caught) == 1
