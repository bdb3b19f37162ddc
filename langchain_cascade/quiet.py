"""How a draft is kept from streaming by itself.

A draft must not be seen before it is accepted, so its copy of the model tells no handler of tokens:
it asks for no stream, or, where its owner wants one, gathers it in silence. Integrations spell the
wish to stream in many ways, and each left standing makes the call fail or shows the draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.ai import UsageMetadata, add_ai_message_chunks
from langchain_core.messages.tool import invalid_tool_call
from langchain_core.outputs import ChatGeneration, ChatResult

from cascade_core.errors import EmptyStreamError
from cascade_core.integrations.classes import LANGCHAIN, integration
from cascade_core.integrations.usage import so_far
from langchain_cascade.convert import is_object
from langchain_cascade.pieces import ReadyPieces

KEYWORDS = frozenset({"stream", "stream_options", "stream_usage"})
"""Arguments of a call that ask for a stream, or say what is to be in it."""

_PASSED_ON = ("model_kwargs", "extra_body")
"""Fields whose entries become arguments of every call."""


def wants_stream(model: BaseChatModel) -> bool:
    """Tell whether the owner of a model has it stream; some endpoints answer in no other way."""
    cls = type(model)
    if not _in_pieces(cls):
        return False
    passed = [getattr(model, name, None) for name in _PASSED_ON]
    asked = any(isinstance(given, Mapping) and given.get("stream") for given in passed)
    return asked or ("streaming" in cls.model_fields and getattr(model, "streaming", None) is True)


def speaks(called: object) -> bool:
    """Tell whether a tier, or the model in it, would tell tokens where somebody watches."""
    model = getattr(called, "inner", called)
    if not isinstance(model, BaseChatModel):
        return True
    off = "streaming" in model.model_fields_set and getattr(model, "streaming", None) is False
    return streams(model) and not off and model.disable_streaming is not True


def streams(model: BaseChatModel) -> bool:
    """Tell whether a model has a way to answer piece by piece."""
    cls = type(model)
    return _in_pieces(cls) or cls.stream is not BaseChatModel.stream


def _in_pieces(cls: type[BaseChatModel]) -> bool:
    """Tell whether a class has the methods by which LangChain gets an answer in pieces."""
    sync, asynchronous = cls._stream, cls._astream
    return sync is not BaseChatModel._stream or asynchronous is not BaseChatModel._astream  # noqa: SLF001


def quiet_fields(model: BaseChatModel) -> dict[str, Any]:
    """Return the fields to set on a copy of a model so that it answers in one piece."""
    update: dict[str, Any] = {"disable_streaming": True}
    if wants_stream(model):
        return update
    for name in _PASSED_ON:
        passed = getattr(model, name, None)
        if isinstance(passed, Mapping) and not KEYWORDS.isdisjoint(passed):
            update[name] = without_streaming(passed)
    return update


def without_streaming(kwargs: Mapping[str, Any], *, only_wish: bool = False) -> dict[str, Any]:
    """Return the arguments of a call without those that ask for a stream.

    Args:
        kwargs: The arguments.
        only_wish: Keep what says what is to be in the stream: there will be one.
    """
    without = frozenset({"stream"}) if only_wish else KEYWORDS
    return {name: value for name, value in kwargs.items() if name not in without}


def hush(copy: BaseChatModel) -> None:
    """Keep a copy that answers in one piece from telling handlers of tokens all the same.

    Ollama's integration always streams and tells as it goes; without a run it has nobody to tell.
    """
    cls, streams = type(copy), wants_stream(copy)
    if not streams and not integration(copy, LANGCHAIN).tells_tokens:
        return

    # Without a parameter `run_manager`: LangChain hands the run only to methods that name it.
    def generate(messages: Any, stop: Any = None, **kwargs: Any) -> ChatResult:
        if not streams:
            return cls._generate(copy, messages, stop=stop, **kwargs)
        pieces = ReadyPieces(copy)
        chunks = [pieces.ready(c) for c in cls._stream(copy, messages, stop=stop, **kwargs)]
        return _gathered(chunks, pieces.last())

    async def agenerate(messages: Any, stop: Any = None, **kwargs: Any) -> ChatResult:
        if not streams:
            return await cls._agenerate(copy, messages, stop=stop, **kwargs)
        pieces, stream = ReadyPieces(copy), cls._astream(copy, messages, stop=stop, **kwargs)
        return _gathered([pieces.ready(chunk) async for chunk in stream], pieces.last())

    copy.__dict__.update(_generate=generate, _agenerate=agenerate)


def _gathered(chunks: list[AIMessageChunk], last: AIMessageChunk | None) -> ChatResult:
    """Put a stream together as one answer.

    LangChain completes tool calls that broke off; here they are what they are. It adds up what
    chunks report of tokens, too, also where each says what they come to so far.
    """
    if not chunks:
        raise EmptyStreamError
    first, *others = chunks if last is None else [*chunks, last]
    whole = add_ai_message_chunks(first, *others) if others else first
    answer = cast("AIMessage", message_chunk_to_message(whole))
    reported = so_far(cast("Any", chunk.usage_metadata) for chunk in chunks)
    if reported is not None:
        answer.usage_metadata = cast("UsageMetadata", reported)
    broken = [call for call in whole.tool_call_chunks if not is_object(call["args"])]
    if broken:
        ids = {call["id"] for call in broken}
        answer.tool_calls = [call for call in answer.tool_calls if call["id"] not in ids]
        answer.invalid_tool_calls = [
            invalid_tool_call(
                name=call["name"], args=call["args"], id=call["id"], error="it broke off"
            )
            for call in broken
        ]
    return ChatResult(generations=[ChatGeneration(message=answer)])
