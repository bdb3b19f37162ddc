"""Integrations that have a provider make an object and tell nobody of the call: it is heard here.

Their `structured_predict` asks the provider's client directly, without an event of LlamaIndex's,
and returns the object alone: what it cost, and why the model stopped, stays in the client's
response. A copy of the model gets clients that show the recorder their responses.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from copy import copy
from itertools import count
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.llms import LLM
from pydantic import ValidationError

from cascade_core.integrations.fields import field
from llamaindex_cascade.reading.listening import Recorder

CLIENTS: Mapping[str, tuple[str, ...]] = {
    "Anthropic": ("_client", "_aclient"),
    "GoogleGenAI": ("_client",),
    "OpenAIResponses": ("_client", "_aclient"),
}
"""Where a class keeps its clients."""

_PATHS = frozenset({"aio", "beta", "messages", "models", "responses"})
_CALLS = frozenset({"create", "generate_content", "generate_content_stream", "parse"})
_numbers = count()


def heard(llm: LLM, recorder: Recorder | None, asked: Callable[[], str]) -> LLM:
    """Return a model whose calls a recorder hears of, though the model tells nobody.

    Args:
        llm: The model; it stays as it is.
        recorder: Hears of the calls.
        asked: Gives the text of the prompt, for tokens that nobody reports.
    """
    names = next((CLIENTS[c.__name__] for c in type(llm).__mro__ if c.__name__ in CLIENTS), ())
    if recorder is None or not names:
        return llm
    listening = copy(llm)
    for name in names:
        client = getattr(llm, name, None)
        if client is not None:
            setattr(listening, name, _Client(client, _Ear(recorder, llm, asked, listening)))
    return listening


class _Ear:
    """Tells a recorder of calls."""

    def __init__(
        self, recorder: Recorder, llm: LLM, asked: Callable[[], str], listening: LLM
    ) -> None:
        self._recorder = recorder
        self._llm = llm
        self._asked = asked
        self._listening = listening

    @property
    def needed(self) -> bool:
        """Whether nobody else tells of a call made now.

        Models that a provider makes no objects for have them made by a chat, which tells itself.
        """
        return not self._recorder.hears(self._listening)

    def started(self) -> str:
        span = f"{type(self._llm).__name__}.structured_predict-unseen-{next(_numbers)}"
        self._recorder.enter(span, None, self._llm)
        self._recorder.start(span, self._asked(), {})
        return span

    def ended(self, span: str, raw: Any) -> None:
        self._recorder.end(span, _response(raw))
        self._recorder.leave(span, failed=False)

    def broke(self, span: str, error: BaseException) -> None:
        if isinstance(error, ValidationError):  # the client read an answer that does not fit
            text = "".join({str(each["input"]) for each in error.errors()})
            self._recorder.end(span, _answer(text, None))
        self._recorder.leave(span, failed=True)


class _Client:
    """A client, or a part of one, whose calls are told of."""

    def __init__(self, inner: Any, ear: _Ear) -> None:
        self._inner = inner
        self._ear = ear

    # Integrations ask what kind of client they have.
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._inner)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name in _CALLS and callable(found):
            return _told(found, self._ear)
        return _Client(found, self._ear) if name in _PATHS else found


def _told(call: Callable[..., Any], ear: _Ear) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        if not ear.needed:
            return call(*args, **kwargs)
        span = ear.started()
        try:
            answer = call(*args, **kwargs)
        except BaseException as error:
            ear.broke(span, error)
            raise
        if inspect.isawaitable(answer):
            return _awaited(answer, span, ear)
        return _answered(answer, span, ear)

    return called


async def _awaited(answer: Any, span: str, ear: _Ear) -> Any:
    try:
        answer = await answer
    except BaseException as error:
        ear.broke(span, error)
        raise
    return _answered(answer, span, ear)


def _answered(answer: Any, span: str, ear: _Ear) -> Any:
    if hasattr(answer, "__next__"):
        return _streamed(answer, span, ear)
    if hasattr(answer, "__anext__"):
        return _astreamed(answer, span, ear)
    ear.ended(span, answer)
    return answer


def _streamed(chunks: Iterator[Any], span: str, ear: _Ear) -> Iterator[Any]:
    last = None
    try:
        for chunk in chunks:
            last = chunk
            yield chunk
    except Exception as error:
        ear.broke(span, error)
        raise
    finally:
        ear.ended(span, last)


async def _astreamed(chunks: AsyncIterator[Any], span: str, ear: _Ear) -> AsyncIterator[Any]:
    last = None
    try:
        async for chunk in chunks:
            last = chunk
            yield chunk
    except Exception as error:
        ear.broke(span, error)
        raise
    finally:
        ear.ended(span, last)


def _response(raw: Any) -> ChatResponse | None:
    """Return a provider's response as one of LlamaIndex's; of its text, what can be found."""
    if raw is None:
        return None
    text = getattr(raw, "output_text", None) or getattr(raw, "text", None)
    if not isinstance(text, str):
        parts = field(raw, "content")
        found = [field(part, "text") for part in parts] if isinstance(parts, list) else []
        text = "".join(each for each in found if isinstance(each, str))
    return _answer(text, raw)


def _answer(text: str, raw: Any) -> ChatResponse:
    return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), raw=raw)
