"""Models for the recorder's tests: they say what they are told, through LlamaIndex's own events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from llama_index.core.llms import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    CustomLLM,
    LLMMetadata,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM


def chunk(
    token: str,
    logprob: float | None = None,
    *,
    usage: tuple[int, int] | None = None,
    finish: str | None = None,
) -> Any:
    """An OpenAI-like chunk as a dict."""
    entry = {"token": token, "logprob": logprob, "top_logprobs": []}
    return {
        "choices": [
            {
                "delta": {"content": token},
                "finish_reason": finish,
                "logprobs": None if logprob is None else {"content": [entry]},
            }
        ],
        "usage": usage and {"prompt_tokens": usage[0], "completion_tokens": usage[1]},
    }


class Completer(CustomLLM):
    """Completes; its chats, like those of any `CustomLLM`, only wrap that."""

    text: str = "an answer"
    name: str = "completer"
    fails: bool = False

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name=self.name)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
        if self.fails:
            raise RuntimeError("down")
        return CompletionResponse(text=self.text)

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **_: Any
    ) -> Iterator[CompletionResponse]:
        def gen() -> Iterator[CompletionResponse]:
            text = ""
            for word in self.text.split(" "):
                text += word
                yield CompletionResponse(text=text, delta=word)
                if self.fails:
                    raise RuntimeError("broke off")

        return gen()


class Talker(FunctionCallingLLM):
    """Chats by itself, one event a call, as OpenAI's integration does."""

    model: str = "talker"
    text: str = "a b c"
    logprob: float | None = -0.1
    usage: tuple[int, int] | None = (7, 3)
    finish: str | None = None
    marks_end: bool = False
    delay: float = 0.0
    fails: bool = False

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            model_name=self.model, is_chat_model=True, is_function_calling_model=True
        )

    def _whole(self) -> ChatResponse:
        if self.fails:
            raise RuntimeError("down")
        entries = [
            {"token": t, "logprob": self.logprob, "top_logprobs": []} for t in self.text.split(" ")
        ]
        raw = {
            "choices": [{"logprobs": None if self.logprob is None else {"content": entries}}],
            "usage": self.usage
            and {"prompt_tokens": self.usage[0], "completion_tokens": self.usage[1]},
        }
        return ChatResponse(message=ChatMessage(role="assistant", content=self.text), raw=raw)

    def _chunks(self) -> Iterator[ChatResponse]:
        text = ""
        for token in self.text.split(" "):
            text += token
            message = ChatMessage(role="assistant", content=text)
            yield ChatResponse(message=message, delta=token, raw=chunk(token, self.logprob))
        message = ChatMessage(role="assistant", content=text)
        yield ChatResponse(message=message, delta="", raw=chunk("", finish=self.finish))
        yield ChatResponse(message=message, delta="", raw=chunk("", usage=self.usage))
        if self.marks_end:
            yield ChatResponse(message=message, delta="", raw=chunk(""))

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:
        return self._whole()

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:
        await asyncio.sleep(self.delay)
        return self._whole()

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **_: Any) -> Iterator[ChatResponse]:
        return self._chunks()

    @llm_chat_callback()
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **_: Any
    ) -> AsyncIterator[ChatResponse]:
        async def gen() -> AsyncIterator[ChatResponse]:
            for each in self._chunks():
                await asyncio.sleep(self.delay)
                yield each

        return gen()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
        raise NotImplementedError

    async def acomplete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
        raise NotImplementedError

    def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Any:
        raise NotImplementedError

    async def astream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Any:
        raise NotImplementedError

    def _prepare_chat_with_tools(self, tools: Any, **_: Any) -> dict[str, Any]:
        return {"messages": [], "tools": tools}


class Echo(Talker):
    """A method that calls the one it overrides, as OpenAI-like integrations do."""

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return super().chat(messages, **kwargs)
