"""An LLM that does what it is told, as an OpenAI-like integration would.

`FakeLLM` stands in for a provider: what it says, how sure it is and how it
fails are scripted with `Say` or a function; it keeps a record of every call and
reports its calls to LlamaIndex's callbacks and events like any integration.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LLMMetadata,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.utils import parse_partial_json
from pydantic import PrivateAttr


class ProviderError(Exception):
    """What a client raises; its text quotes what must not be shown."""

    def __init__(self, text: str = "sk-secret prompt text", status_code: int | None = None) -> None:
        super().__init__(text)
        if status_code is not None:
            self.status_code = status_code


@dataclass(frozen=True)
class Say:
    """One scripted answer; a word is a token.

    Attributes:
        text: What it says.
        p: Probability of every token; None sends no logprobs.
        finish: `finish_reason`.
        usage: Whether usage is reported; else `(prompt, completion)` tokens as given.
        tool_calls: Tools called, `(name, arguments)`; arguments are a dict, or a
            str sent as it is.
        error: Raised instead of an answer; in a stream, after `after` chunks.
        after: See `error`.
        said: Text in front of the tool calls.
        payload: Logprobs sent at the end instead, as they are.
    """

    text: str = "fine"
    p: float | None = 0.99
    finish: str = "stop"
    usage: bool | tuple[int, int] = True
    tool_calls: Sequence[tuple[str, Any]] = ()
    error: BaseException | None = None
    after: int = 0
    said: str = ""
    payload: Any = None

    @property
    def tokens(self) -> list[str]:
        return _words(self.text)


SURE = Say("sure answer")
UNSURE = Say("unsure draft text", p=0.3)


@dataclass(frozen=True)
class Seen:
    """A call as the model saw it."""

    method: str
    messages: list[ChatMessage]
    kwargs: dict[str, Any]

    @property
    def prompt(self) -> str:
        return "\n".join(message.content or "" for message in self.messages)


@dataclass
class Journal:
    """What happened to a fake model."""

    calls: list[Seen] = field(default_factory=list)
    closed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, seen: Seen) -> int:
        with self.lock:
            self.calls.append(seen)
            return len(self.calls) - 1

    @property
    def count(self) -> int:
        return len(self.calls)


Script = Say | Sequence[Say] | Callable[[Seen], Say]


class FakeLLM(FunctionCallingLLM):
    """An LLM that follows a script.

    Args:
        script: One `Say` for ever, a list of them (the last repeats), or a
            function of the call.
        model: Its name, for prices.
        chat_model: Whether it takes messages; False makes a completion model.
        tools: Whether it can call tools.
        api_key: Must never be seen anywhere.
    """

    model: str = "m0"
    chat_model: bool = True
    tools: bool = True
    api_key: str | None = None
    max_tokens: int | None = None
    _script: Any = PrivateAttr()
    _journal: Journal = PrivateAttr(default_factory=Journal)

    def __init__(self, script: Script = SURE, model: str = "m0", **kwargs: Any) -> None:
        super().__init__(model=model, **kwargs)
        self._script = script

    @classmethod
    def class_name(cls) -> str:
        return "FakeLLM"

    @property
    def journal(self) -> Journal:
        return self._journal

    @property
    def seen(self) -> list[Seen]:
        return self._journal.calls

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=4096 if self.model == "m0" else 8192,
            num_output=256,
            is_chat_model=self.chat_model,
            is_function_calling_model=self.tools,
            model_name=self.model,
        )

    def _say(self, method: str, messages: Sequence[ChatMessage], kwargs: dict[str, Any]) -> Say:
        seen = Seen(method, list(messages), kwargs)
        place = self._journal.add(seen)
        if isinstance(self._script, Say):
            return self._script
        if callable(self._script):
            return self._script(seen)
        return self._script[min(place, len(self._script) - 1)]

    def _raw(
        self, say: Say, prompt: str, tokens: list[str], *, last: bool = True
    ) -> dict[str, Any]:
        choice: dict[str, Any] = {"finish_reason": say.finish if last else None}
        if say.tool_calls and last:
            choice["finish_reason"] = "tool_calls"
        if say.payload is not None and last:
            choice["logprobs"] = say.payload
        elif say.p is not None and tokens and (say.said or not say.tool_calls):
            logprob = math.log(say.p) if say.p else -100.0
            choice["logprobs"] = {
                "content": [{"token": t, "logprob": logprob, "top_logprobs": []} for t in tokens]
            }
        raw: dict[str, Any] = {"model": self.model, "choices": [choice]}
        if last and say.usage:
            used = (
                say.usage
                if isinstance(say.usage, tuple)
                else (len(prompt.split()), len(say.tokens))
            )
            raw["usage"] = {"prompt_tokens": used[0], "completion_tokens": used[1]}
        return raw

    def _message(self, say: Say, text: str, share: float = 1.0) -> ChatMessage:
        """As OpenAI's integration builds it: tool calls as blocks, and as the provider sent them.

        Of a message on its way, `share` of its tool calls' arguments has arrived.
        """
        called = [
            (f"call_{place}", name, given if isinstance(given, str) else json.dumps(given))
            for place, (name, given) in enumerate(say.tool_calls)
        ]
        called = [(i, name, given[: math.ceil(len(given) * share)]) for i, name, given in called]
        called = called if share else []
        blocks: list[Any] = [TextBlock(text=text)] if text or not called else []
        blocks += [
            ToolCallBlock(tool_call_id=i, tool_name=name, tool_kwargs=given)
            for i, name, given in called
        ]
        sent = [
            {"id": i, "type": "function", "function": {"name": name, "arguments": given}}
            for i, name, given in called
        ]
        kwargs = {"tool_calls": sent} if sent else {}
        return ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks, additional_kwargs=kwargs)

    def _chat(self, say: Say, prompt: str) -> ChatResponse:
        if say.error is not None:
            raise say.error
        text = say.said if say.tool_calls else say.text
        return ChatResponse(
            message=self._message(say, text), raw=self._raw(say, prompt, _words(text))
        )

    def _chunks(self, say: Say, prompt: str) -> list[ChatResponse]:
        said = _words(say.said)
        tokens = [*said, "", ""] if say.tool_calls else say.tokens or [""]
        made, text = [], ""
        for place, token in enumerate(tokens):
            text += token
            last = place == len(tokens) - 1
            made.append(
                ChatResponse(
                    message=self._message(say, text, max(0, place + 1 - len(said)) / 2),
                    delta=token,
                    raw=self._raw(say, prompt, [token] if token else [], last=last),
                )
            )
        return made

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self._chat(self._say("chat", messages, kwargs), _text(messages))

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self._chat(self._say("achat", messages, kwargs), _text(messages))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        say = self._say("stream_chat", messages, kwargs)

        def gen() -> Any:
            try:
                for place, chunk in enumerate(self._chunks(say, _text(messages))):
                    if say.error is not None and place >= say.after:
                        raise say.error
                    yield chunk
            except GeneratorExit:
                self._journal.closed += 1
                raise

        return gen()

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        say = self._say("astream_chat", messages, kwargs)

        async def gen() -> Any:
            try:
                for place, chunk in enumerate(self._chunks(say, _text(messages))):
                    if say.error is not None and place >= say.after:
                        raise say.error
                    yield chunk
            except GeneratorExit:
                self._journal.closed += 1
                raise

        return gen()

    def _completion(self, response: ChatResponse) -> CompletionResponse:
        return CompletionResponse(
            text=response.message.content or "", raw=response.raw, delta=response.delta
        )

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        if not formatted:
            prompt = self.completion_to_prompt(prompt)
        say = self._say("complete", [ChatMessage(content=prompt)], kwargs)
        return self._completion(self._chat(say, prompt))

    @llm_completion_callback()
    async def acomplete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        if not formatted:
            prompt = self.completion_to_prompt(prompt)
        say = self._say("acomplete", [ChatMessage(content=prompt)], kwargs)
        return self._completion(self._chat(say, prompt))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        if not formatted:
            prompt = self.completion_to_prompt(prompt)
        say = self._say("stream_complete", [ChatMessage(content=prompt)], kwargs)

        def gen() -> Any:
            for place, chunk in enumerate(self._chunks(say, prompt)):
                if say.error is not None and place >= say.after:
                    raise say.error
                yield self._completion(chunk)

        return gen()

    @llm_completion_callback()
    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        if not formatted:
            prompt = self.completion_to_prompt(prompt)
        say = self._say("astream_complete", [ChatMessage(content=prompt)], kwargs)

        async def gen() -> Any:
            for place, chunk in enumerate(self._chunks(say, prompt)):
                if say.error is not None and place >= say.after:
                    raise say.error
                yield self._completion(chunk)

        return gen()

    def _prepare_chat_with_tools(
        self,
        tools: Any,
        user_msg: Any = None,
        chat_history: Any = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        messages = list(chat_history or [])
        if isinstance(user_msg, str):
            user_msg = ChatMessage(role=MessageRole.USER, content=user_msg)
        if user_msg is not None:
            messages.append(user_msg)
        return {
            "messages": messages,
            "tools": [tool.metadata.get_name() for tool in tools],
            "tool_required": tool_required,
            **kwargs,
        }

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        blocks = [b for b in response.message.blocks if isinstance(b, ToolCallBlock)]
        if not blocks and error_on_no_tool_call:
            raise ValueError("Expected at least one tool call")
        return [
            ToolSelection(
                tool_id=b.tool_call_id or "",
                tool_name=b.tool_name,
                tool_kwargs=_arguments(b.tool_kwargs),
            )
            for b in blocks
        ]


def _arguments(given: Any) -> dict[str, Any]:
    """As OpenAI's integration reads them: completed where they are not whole, else none."""
    if not isinstance(given, str):
        return dict(given)
    try:
        read = parse_partial_json(given)
    except ValueError:
        return {}
    return dict(read) if isinstance(read, dict) else {}


def cheap(script: Script = SURE, **kwargs: Any) -> FakeLLM:
    """The first tier; its model is m0."""
    return FakeLLM(script, "m0", **kwargs)


def strong(script: Script = Say("strong answer"), **kwargs: Any) -> FakeLLM:
    """The last tier of two; its model is m1."""
    return FakeLLM(script, "m1", **kwargs)


PRICES = {f"m{k}": {"input": 10**k, "output": 2 * 10**k} for k in range(3)}


async def called(how: str, llm: Any, *given: Any, **kwargs: Any) -> Any:
    """Call a method of an LLM, sync, async or streamed; return its answer, of a stream the last."""
    answer = getattr(llm, how)(*given, **kwargs)
    if how.startswith("a"):
        answer = await answer
    if how.startswith("astream"):
        return [part async for part in answer][-1]
    return list(answer)[-1] if how.startswith("stream") else answer


def _text(messages: Sequence[ChatMessage]) -> str:
    return "\n".join(message.content or "" for message in messages)


def _words(text: str) -> list[str]:
    return re.findall(r"\s*\S+\s*", text)
