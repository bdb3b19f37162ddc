"""A chat model that does what it is told, and a small one that does what it is asked.

`FakeChat` stands in for any provider: what it says, how sure it is, how it
fails and how fast it is are scripted with `Say`; it keeps a record of every
call. `answer_prompt` is a script that follows instructions (tools, JSON,
schemas) as a real model would.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import itemgetter
from types import FunctionType
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import (
    JsonOutputKeyToolsParser,
    PydanticToolsParser,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import Field


class ProviderError(Exception):
    """What a client raises; its text quotes what must not be shown."""

    def __init__(self, text: str = "secret prompt text", status_code: int | None = None) -> None:
        super().__init__(text)
        if status_code is not None:
            self.status_code = status_code


@dataclass(frozen=True)
class Say:
    """One scripted answer.

    Attributes:
        text: What it says; a word is a token.
        p: Probability of every token; None sends no logprobs.
        payload: Logprobs sent instead, as they are (garbage, other providers' shapes).
        finish: `finish_reason`.
        usage: Whether usage is reported.
        tool_calls: Tools called, `{"name", "args", "id"}`; arguments that are a str are sent
            as they are.
        broken_calls: Tool calls whose arguments do not parse.
        refusal: Text of a provider's refusal.
        error: Raised instead of an answer.
        after: In a stream, raised after so many chunks.
        delay: Seconds before the answer.
        beside: Calls that have to be under way at once before a whole answer comes.
        chunk_delay: Seconds before every chunk of a stream.
        details: Further usage details.
    """

    text: str = "fine"
    p: float | None = 0.99
    payload: Any = None
    finish: str | None = "stop"
    usage: bool = True
    tool_calls: Sequence[dict[str, Any]] = ()
    broken_calls: Sequence[dict[str, Any]] = ()
    refusal: str | None = None
    error: BaseException | None = None
    after: int = 0
    delay: float = 0.0
    beside: int = 0
    chunk_delay: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def tokens(self) -> list[str]:
        return re.findall(r"\S+\s*|^\s+", self.text)


SURE = Say("sure answer")
UNSURE = Say("unsure draft text", p=0.3)


@dataclass(frozen=True)
class Seen:
    """A call as the model saw it."""

    messages: list[BaseMessage]
    stop: list[str] | None
    kwargs: dict[str, Any]
    logprobs: bool
    streamed: bool
    thread: str
    fields: dict[str, Any]

    @property
    def prompt(self) -> str:
        return str(self.messages[-1].content)


class Journal:
    """What happened to a fake model, shared by all copies of it."""

    def __init__(self) -> None:
        self.calls: list[Seen] = []
        self.closed = 0
        self.running = 0
        self.peak = 0
        self._lock = threading.Lock()

    def add(self, seen: Seen) -> int:
        with self._lock:
            self.calls.append(seen)
            return len(self.calls) - 1

    @contextmanager
    def busy(self) -> Iterator[None]:
        with self._lock:
            self.running += 1
            self.peak = max(self.peak, self.running)
        try:
            yield
        finally:
            with self._lock:
                self.running -= 1


Script = Callable[[list[BaseMessage], dict[str, Any]], Say]


class FakeChat(BaseChatModel):
    """A scripted chat model.

    Attributes:
        model_name: Its name.
        says: A `Say`, a list of them (the last one stays), a text, or a
            function of messages and kwargs.
        logprobs: Whether it was asked for logprobs; without, it sends none.
        journal: Its calls.
    """

    model_name: str = "fake"
    says: Any = SURE
    logprobs: bool | None = None
    top_logprobs: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    journal: Any = Field(default_factory=Journal)
    binds: bool = True

    def __init__(self, says: Any = SURE, **kwargs: Any) -> None:
        super().__init__(says=says, **kwargs)

    @property
    def _llm_type(self) -> str:
        return "fake-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {
            "model_name": self.model_name,
            "temperature": self.temperature,
            "logprobs": self.logprobs,
        }

    @property
    def calls(self) -> list[Seen]:
        return self.journal.calls

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_model_name"] = kwargs.get("model") or self.model_name
        return params

    # --- answering ---

    def _say(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        kwargs: dict[str, Any],
        *,
        streamed: bool,
    ) -> Say:
        fields = {"disable_streaming": self.disable_streaming, "top_logprobs": self.top_logprobs}
        thread = threading.current_thread().name
        number = self.journal.add(
            Seen(messages, stop, kwargs, bool(self.logprobs), streamed, thread, fields)
        )
        says = self.says
        if callable(says):
            says = says(messages, kwargs)
        elif isinstance(says, list):
            says = says[min(number, len(says) - 1)]
        says = Say(says) if isinstance(says, str) else says
        for word in stop or ():
            says = replace(says, text=says.text.split(word)[0])
        return says

    def _usage(self, messages: list[BaseMessage], say: Say) -> dict[str, Any] | None:
        if not say.usage:
            return None
        read = sum(len(str(m.content).split()) for m in messages)
        written = max(1, len(say.tokens))
        return {
            "input_tokens": read,
            "output_tokens": written,
            "total_tokens": read + written,
            **say.details,
        }

    def _logprobs(self, say: Say, tokens: list[str]) -> Any:
        if say.payload is not None:
            return say.payload
        if say.p is None or not self.logprobs or not tokens:
            return None
        return {"content": [{"token": t, "logprob": math.log(say.p)} for t in tokens]}

    def _ending(self, say: Say, kwargs: dict[str, Any]) -> dict[str, Any]:
        meta = {"model_name": kwargs.get("model") or self.model_name}
        return meta if say.finish is None else {**meta, "finish_reason": say.finish}

    def _generate(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        with self.journal.busy():
            say = self._say(messages, stop, kwargs, streamed=False)
            if say.delay:
                time.sleep(say.delay)
            while self.journal.peak < say.beside:
                time.sleep(0.001)
            return self._result(messages, say, kwargs)

    async def _agenerate(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        with self.journal.busy():
            say = self._say(messages, stop, kwargs, streamed=False)
            await asyncio.sleep(say.delay)
            while self.journal.peak < say.beside:  # noqa: ASYNC110 - threads may raise it
                await asyncio.sleep(0.001)
            return self._result(messages, say, kwargs)

    def _result(self, messages: list[BaseMessage], say: Say, kwargs: dict[str, Any]) -> ChatResult:
        if say.error is not None:
            raise say.error
        meta = self._ending(say, kwargs)
        payload = self._logprobs(say, say.tokens)
        if payload is not None:
            meta["logprobs"] = payload
        read = [(call, _arguments(call["args"])) for call in say.tool_calls]
        message = AIMessage(
            say.text,
            tool_calls=[
                {"type": "tool_call", "id": "call_1", **call, "args": args}
                for call, args in read
                if args is not None
            ],
            invalid_tool_calls=[
                {"type": "invalid_tool_call", "id": "call_1", "error": "no JSON", **call}
                for call in [*say.broken_calls, *(call for call, args in read if args is None)]
            ],
            response_metadata=meta,
            usage_metadata=self._usage(messages, say),
            additional_kwargs={} if say.refusal is None else {"refusal": say.refusal},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _chunks(
        self, messages: list[BaseMessage], say: Say, kwargs: dict[str, Any]
    ) -> list[ChatGenerationChunk]:
        chunks = []
        for token in say.tokens:
            payload = self._logprobs(say, [token])
            meta = {} if payload is None else {"logprobs": payload}
            chunks.append(AIMessageChunk(content=token, response_metadata=meta))
        chunks += [
            AIMessageChunk(
                content="",
                tool_call_chunks=[
                    {
                        "name": call["name"],
                        "args": given
                        if isinstance(given := call["args"], str)
                        else json.dumps(given),
                        "id": call.get("id", "call_1"),
                        "index": place,
                        "type": "tool_call_chunk",
                    }
                ],
            )
            for place, call in enumerate(say.tool_calls)
        ]
        ending = self._ending(say, kwargs)
        if not say.tokens and say.payload is not None:
            ending["logprobs"] = say.payload
        chunks.append(
            AIMessageChunk(
                content="",
                response_metadata=ending,
                usage_metadata=self._usage(messages, say),
                additional_kwargs={} if say.refusal is None else {"refusal": say.refusal},
            )
        )
        return [ChatGenerationChunk(message=chunk) for chunk in chunks]

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        with self.journal.busy():
            say = self._say(messages, stop, kwargs, streamed=True)
            try:
                if say.delay:
                    time.sleep(say.delay)
                if say.text == "" and say.finish is None:
                    return
                for place, chunk in enumerate(self._chunks(messages, say, kwargs)):
                    if say.error is not None and place >= say.after:
                        raise say.error
                    if say.chunk_delay:
                        time.sleep(say.chunk_delay)
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.message.content, chunk=chunk)
                    yield chunk
            except GeneratorExit:
                self.journal.closed += 1
                raise

    async def _astream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        with self.journal.busy():
            say = self._say(messages, stop, kwargs, streamed=True)
            try:
                await asyncio.sleep(say.delay)
                if say.text == "" and say.finish is None:
                    return
                for place, chunk in enumerate(self._chunks(messages, say, kwargs)):
                    if say.error is not None and place >= say.after:
                        raise say.error
                    if say.chunk_delay:
                        await asyncio.sleep(say.chunk_delay)
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.message.content, chunk=chunk)
                    yield chunk
            except (GeneratorExit, asyncio.CancelledError):
                self.journal.closed += 1
                raise

    # --- tools and structured output, in the manner of langchain_openai ---

    def bind_tools(self, tools: Any, *, tool_choice: Any = None, **kwargs: Any) -> Any:
        if tool_choice is not None:
            required = tool_choice is True or tool_choice == "any"
            kwargs["tool_choice"] = "required" if required else tool_choice
        return self.bind(tools=[_converted(tool) for tool in tools], **kwargs)

    def with_structured_output(
        self,
        schema: Any,
        *,
        method: str = "function_calling",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        pydantic = isinstance(schema, type) and is_basemodel_subclass(schema)
        traced = {"kwargs": {"method": method}, "schema": convert_to_json_schema(schema)}
        more = {**kwargs, "ls_structured_output_format": traced}
        if strict is not None:
            more["strict"] = strict
        if method == "function_calling":
            model = self.bind_tools([schema], tool_choice="any", **more)
            name = convert_to_openai_tool(schema)["function"]["name"]
            parser: Any = (
                PydanticToolsParser(tools=[schema], first_tool_only=True)
                if pydantic
                else JsonOutputKeyToolsParser(key_name=name, first_tool_only=True)
            )
        else:
            response_format: dict[str, Any] = {"type": "json_object"}
            if method == "json_schema":
                wanted = {"name": "answer", "schema": traced["schema"]}
                response_format = {"type": "json_schema", "json_schema": wanted}
            model = self.bind(response_format=response_format, **more)
            parser = (
                PydanticOutputParser(pydantic_object=schema) if pydantic else JsonOutputParser()
            )
        if not include_raw:
            return model | parser
        assign = RunnablePassthrough.assign(
            parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
        )
        failed = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap(raw=model) | assign.with_fallbacks(
            [failed], exception_key="parsing_error"
        )


@lru_cache(64)
def _of_function(function: FunctionType) -> dict[str, Any]:
    """Describe a function; LangChain makes a model of its arguments each time it is asked."""
    return convert_to_openai_tool(function)


def _converted(tool: Any) -> dict[str, Any]:
    if isinstance(tool, FunctionType):
        return deepcopy(_of_function(tool))
    return convert_to_openai_tool(tool)


def _arguments(given: Any) -> dict[str, Any] | None:
    """As langchain_openai reads them: line breaks may stand as they are."""
    if not isinstance(given, str):
        return dict(given)
    try:
        return dict(json.loads(given, strict=False))
    except (TypeError, ValueError):
        return None


class ToollessChat(FakeChat):
    """A model that cannot bind tools."""

    bind_tools = BaseChatModel.bind_tools
    with_structured_output = BaseChatModel.with_structured_output


# --- a model that does what it is asked -----------------------------------------------------------


def answer_prompt(messages: list[BaseMessage], kwargs: dict[str, Any]) -> Say:
    """Answer as a small instructed model would: call tools, fill schemas, else talk."""
    prompt = str(messages[-1].content)
    tools = [tool["function"] for tool in kwargs.get("tools") or () if "function" in tool]
    choice = kwargs.get("tool_choice")
    if tools and choice != "none" and (choice or messages[-1].type == "human"):
        named = [t for t in tools if t["name"] == _chosen(choice)]
        mentioned = [t for t in tools if t["name"] in prompt]
        tool = (named or mentioned or tools)[0]
        args = fill(tool.get("parameters") or {}, prompt)
        return Say("", p=None, tool_calls=[{"name": tool["name"], "args": args}])
    response_format = kwargs.get("response_format") or {}
    if "json_schema" in response_format:
        return Say(json.dumps(fill(response_format["json_schema"]["schema"], prompt)))
    if response_format.get("type") == "json_object":
        keys = re.findall(r"'(\w+)'", prompt)
        return Say(json.dumps(dict.fromkeys(keys, "words")))
    return Say(f"you said: {prompt}")


def _chosen(choice: Any) -> Any:
    return choice["function"]["name"] if isinstance(choice, dict) else choice


def fill(schema: dict[str, Any], prompt: str) -> dict[str, Any]:
    """Fill a schema's properties from a prompt: its numbers, its quoted words."""
    numbers = [int(n) for n in re.findall(r"-?\d+", prompt)] or [1]
    quoted = re.findall(r"'([^']+)'", prompt) or ["words"]
    filled: dict[str, Any] = {}
    for place, (name, wanted) in enumerate(schema.get("properties", {}).items()):
        kind = wanted.get("type", "string")
        if kind in {"integer", "number"}:
            filled[name] = numbers[place % len(numbers)]
        elif kind == "string":
            filled[name] = quoted[place % len(quoted)]
        else:
            filled[name] = {"boolean": True, "array": [], "object": {}}.get(kind)
    return filled


def echo(p: float | None = 0.99, prefix: str = "re: ", delay: float = 0.0) -> Script:
    """Return a script that repeats the prompt, so that mixed-up answers are seen."""

    def script(messages: list[BaseMessage], kwargs: dict[str, Any]) -> Say:
        del kwargs
        return Say(prefix + str(messages[-1].content), p=p, delay=delay)

    return script


# --- looking at runs ------------------------------------------------------------------------------


@dataclass
class Run:
    """A run as a tracer sees it."""

    kind: str
    name: str | None
    parent: Any
    tags: list[str]
    metadata: dict[str, Any]
    ended: str | None = None
    output: Any = None
    tokens: list[str] = field(default_factory=list)


class Runs(BaseCallbackHandler):
    """Every run, and how it ended."""

    run_inline = True

    def __init__(self) -> None:
        self.by_id: dict[Any, Run] = {}

    def _start(self, kind: str, serialized: Any, kwargs: dict[str, Any]) -> None:
        del serialized
        self.by_id[kwargs["run_id"]] = Run(
            kind,
            kwargs.get("name"),
            kwargs.get("parent_run_id"),
            list(kwargs.get("tags") or ()),
            dict(kwargs.get("metadata") or {}),
        )

    def _end(self, how: str, output: Any, kwargs: dict[str, Any]) -> None:
        run = self.by_id[kwargs["run_id"]]
        assert run.ended is None, "a run ended twice"
        run.ended, run.output = how, output

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self._start("chain", serialized, kwargs)

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self._start("llm", serialized, kwargs)

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self._end("ok", outputs, kwargs)

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self._end("error", error, kwargs)

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self._end("ok", response, kwargs)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self._end("error", error, kwargs)

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        self.by_id[kwargs["run_id"]].tokens.append(token)

    def of(self, kind: str) -> list[Run]:
        return [run for run in self.by_id.values() if run.kind == kind]

    @property
    def open(self) -> list[Run]:
        return [run for run in self.by_id.values() if run.ended is None]


# --- a cascade of two -----------------------------------------------------------------------------


@dataclass
class Pair:
    """A cascade of two fake tiers."""

    cascade: Any
    cheap: FakeChat
    strong: FakeChat


def pair(cheap: Any = SURE, strong: Any = "strong answer of many words", **settings: Any) -> Pair:
    """Return a cascade over two scripted models named cheap and strong."""
    from langchain_cascade import ChatCascade

    models = [
        model if isinstance(model, BaseChatModel) else FakeChat(model, model_name=name)
        for model, name in ((cheap, "cheap"), (strong, "strong"))
    ]
    return Pair(ChatCascade(tiers=models, **settings), *models)


def record_of(message: Any) -> dict[str, Any]:
    return message.response_metadata["cascade"]


def joined(chunks: Sequence[Any]) -> Any:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


def tokens_by_model(record: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Sum a record's calls by model: (input tokens, output tokens)."""
    sums: dict[str, tuple[int, int]] = {}
    for call in record["calls"]:
        if call["usage"] is not None:
            read, written = sums.get(call["model"], (0, 0))
            usage = call["usage"]
            sums[call["model"]] = (read + usage["input_tokens"], written + usage["output_tokens"])
    return sums


def tokens_seen(handler: Any) -> dict[str, tuple[int, int]]:
    """Return what LangChain's usage handler counted by model, in the same form."""
    return {
        model: (usage["input_tokens"], usage["output_tokens"])
        for model, usage in handler.usage_metadata.items()
    }


async def ask(how: str, cascade: Any, config: Any = None, given: Any = "hi", **kwargs: Any) -> Any:
    """Ask a cascade in one of the ways that LangChain has."""
    if how == "invoke":
        return cascade.invoke(given, config, **kwargs)
    if how == "ainvoke":
        return await cascade.ainvoke(given, config, **kwargs)
    if how == "stream":
        return joined(list(cascade.stream(given, config, **kwargs)))
    if how == "astream":
        return joined([chunk async for chunk in cascade.astream(given, config, **kwargs)])
    if how == "batch":
        return cascade.batch([given], config, **kwargs)[0]
    return (await cascade.abatch([given], config, **kwargs))[0]
