"""Cascades for Ray's workers: each call leaves a line in a file of its process."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata

from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM

PRICES = {"fake-cheap": {"input": 1, "output": 1}, "fake-strong": {"input": 10, "output": 10}}
MISLED = "hard"


def readings(request: Any, draft: Any) -> float:
    return 0.1 if MISLED in request.question else 0.9


def note(calls: str, word: str) -> None:
    """Append a line to this process's file: not every file system appends for several at once."""
    with Path(f"{calls}-{os.getpid()}").open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {word}\n")


def die_once(marker: str) -> None:
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)


class Fake(BaseChatModel):
    model: str
    calls: str
    seconds: float = 0.0
    kill_at: str = ""
    max_tokens: int = 5

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Any:
        raise NotImplementedError

    async def _agenerate(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any
    ) -> ChatResult:
        asked = messages[-1].text
        word = asked.split()[0]
        if self.kill_at == word:
            die_once(f"{self.calls}.killed")
        note(self.calls, f"{self.model} {word}")
        await asyncio.sleep(self.seconds)
        if "broken" in asked:
            raise ConnectionError("the request was " + asked)
        message = AIMessage(
            f"{self.model} on {word} after {len(messages)}",
            usage_metadata={"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
            response_metadata={"model_name": self.model, "finish_reason": "stop"},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def chat(calls: str, log: str | None = None, **given: Any) -> ChatCascade:
    note(calls, "made cascade")
    settings = {name: given.pop(name) for name in ("budget", "store") if name in given}
    return ChatCascade(
        tiers=[Fake(model=name, calls=calls, **given) for name in PRICES],
        signals=[readings],
        prices=PRICES,
        log=log,
        log_metadata=["origin"],
        **settings,
    )


def chain(calls: str) -> Any:
    """A chain, of which a cascade is the middle."""
    return (
        RunnableLambda(lambda text: {"text": text})
        | ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{text}")])
        | chat(calls)
    )


class FakeLLM(CustomLLM):
    name: str
    calls: str

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name=self.name)

    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
        note(self.calls, self.name)
        return CompletionResponse(text=f"{self.name} on {prompt.split(maxsplit=1)[0]}")

    def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Any:
        raise NotImplementedError


def llm(calls: str) -> CascadeLLM:
    return CascadeLLM(
        tiers=[FakeLLM(name=name, calls=calls) for name in PRICES], signals=[readings]
    )


def fails(calls: str) -> Any:
    raise OSError("a key is secret: " + calls)


def nothing(calls: str) -> Any:
    return object()


def of(make: Any, folder: Path, **given: Any) -> Any:
    return partial(make, str(folder / "calls"), **given)


def called(folder: Path) -> list[list[str]]:
    files = sorted(folder.glob("calls-*"))
    return [line.split() for file in files for line in file.read_text().splitlines()]
