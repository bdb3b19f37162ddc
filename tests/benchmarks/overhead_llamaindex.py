"""What a cascade adds to a call, beside the bare LlamaIndex models that it calls.

Accepting is compared with one call of the cheap model, escalating with a call
of each. The models are decorated as every integration's are: callbacks, events
and spans included. Time is CPU time of this process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LLMMetadata,
)
from llama_index.core.llms import LLM
from llama_index.core.llms.callbacks import llm_chat_callback
from overhead import KINDS, TOKENS, Case, measured
from rows import Row

from llamaindex_cascade import CascadeLLM

GROUP = "LlamaIndex, a call"
BARS = {"accept": 2.0, "escalate": 1.9}
MESSAGES = [ChatMessage(content="Where is my order?")]


class Fake(LLM):
    """Answers at once, with the details a real integration sends."""

    model: str
    logprob: float = -0.01
    detailed: bool = True

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(is_chat_model=True, model_name=self.model)

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:
        return self._response()

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:
        return self._response()

    def _response(self) -> ChatResponse:
        message = ChatMessage(role="assistant", content="word" * TOKENS)
        if not self.detailed:
            return ChatResponse(message=message)
        entries = [{"token": "word", "logprob": self.logprob, "top_logprobs": []}] * TOKENS
        choice = {"finish_reason": "stop", "logprobs": {"content": entries}}
        usage = {"prompt_tokens": 120, "completion_tokens": TOKENS}
        raw = {"model": self.model, "choices": [choice], "usage": usage}
        return ChatResponse(message=message, raw=raw)

    def stream_chat(self, messages: Sequence[ChatMessage], **_: Any) -> Any:
        raise NotImplementedError

    async def astream_chat(self, messages: Sequence[ChatMessage], **_: Any) -> Any:
        raise NotImplementedError

    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
        raise NotImplementedError

    async def acomplete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
        raise NotImplementedError

    def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Any:
        raise NotImplementedError

    async def astream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Any:
        raise NotImplementedError


def cases(*, full: bool) -> dict[str, tuple[Any, list[Any]]]:
    """Return a cascade and the bare models it calls, by case."""
    names = ("gpt-4o-mini", "gpt-4o") if full else ("small", "large")

    def tiers(logprob: float) -> list[Any]:
        cheap = Fake(model=names[0], logprob=logprob, detailed=full)
        return [cheap, Fake(model=names[1], detailed=full)]

    def cascade(logprob: float, reading: float) -> CascadeLLM:
        signals = None if full else [lambda _request, _draft: reading]
        return CascadeLLM(tiers=tiers(logprob), signals=signals)

    return {
        "accept": (cascade(-0.01, 1.0), tiers(0)[:1]),
        "escalate": (cascade(-3.0, 0.0), tiers(0)),
    }


def rows(rounds: int) -> Iterator[Row]:
    """Measure every case."""
    measurements = (
        Case(
            f"{case}, {kind}",
            "the bare cheap model" if case == "accept" else "both bare models",
            ours,
            bare,
            lambda model: partial(model.chat, MESSAGES),
            lambda model: partial(model.achat, MESSAGES),
            BARS[case],
        )
        for kind, full in KINDS.items()
        for case, (ours, bare) in cases(full=full).items()
    )
    return measured(GROUP, measurements, rounds)
