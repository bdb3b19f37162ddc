"""What watches model runs as they happen, and what it is told of drafts.

LangGraph's `stream_mode="messages"` and `astream_events` show what models say while they say it,
so they may hear of a draft only when it has become the answer. Until then all that a draft's call
would tell them is withheld; then an accepted draft is told as one model's answer would be, and a
rejected one as a run that showed nothing. Other handlers (tracers, counters) hear of every call
at once and are not touched here.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.callbacks.manager import ahandle_event, handle_event
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGenerationChunk

from cascade_core.loop.session import Decided, Session
from langchain_cascade.convert import to_chunk

NOSTREAM = "nostream"
"""The tag that keeps a run out of LangGraph's message stream; each cascade around a draft adds
one, and takes that one away when the draft is accepted."""


class Event(NamedTuple):
    """Something a handler is to be told."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Withheld(BaseCallbackHandler):
    """Stands in for a watching handler during one call, and keeps what it would have been told.

    Args:
        inner: The handler.
        tokens: Whether what is called would have streamed, had it not been a draft.
    """

    run_inline = True

    def __init__(self, inner: BaseCallbackHandler, *, tokens: bool) -> None:
        self.inner = inner
        self.tokens = tokens
        self.events: list[Event] = []

    def told(self, *, shown: bool) -> Iterator[Event]:
        """Yield what the handler is to be told now.

        Args:
            shown: Whether what was called turned out to be the answer.
        """
        spoke = {e.kwargs.get("run_id") for e in self.events if e.name in _TOKENS}
        visible: set[Any] = set()
        for event in self.events:
            name, args, kwargs = event
            run_id = kwargs.get("run_id")
            if not shown:
                if name not in _TOKENS:
                    yield event
                continue
            if name in _STARTS and kwargs.get("tags"):
                kwargs = {**kwargs, "tags": without_one(kwargs["tags"])}
            if name in _STARTS and NOSTREAM not in (kwargs.get("tags") or ()):
                visible.add(run_id)
            silent = self.tokens and run_id in visible and run_id not in spoke
            if name == "on_llm_end" and silent:
                yield from _spoken(self.inner, args[0], kwargs)
            if name not in _TOKENS or run_id in visible:
                yield Event(name, args, kwargs)

    def reveal(self, run_id: UUID) -> None:
        """Let the run of a stream that is being shown be seen."""
        for place, (name, args, kwargs) in enumerate(self.events):
            if name in _STARTS and kwargs.get("run_id") == run_id and (tags := kwargs.get("tags")):
                seen = {**kwargs, "tags": without_one(tags)}
                self.events[place] = Event(name, args, seen)


_STARTS = ("on_chat_model_start", "on_llm_start")
_TOKENS = ("on_llm_new_token", "on_stream_event")


def _keeper(name: str) -> Callable[..., None]:
    def keep(self: Withheld, *args: Any, **kwargs: Any) -> None:
        self.events.append(Event(name, args, kwargs))

    return keep


for _name in dir(BaseCallbackHandler):
    if _name.startswith("on_"):
        setattr(Withheld, _name, _keeper(_name))


def without_one(tags: Sequence[str]) -> list[str]:
    """Return tags without the innermost `NOSTREAM`."""
    left = list(tags)
    if NOSTREAM in left:
        left.remove(NOSTREAM)
    return left


def _spoken(handler: BaseCallbackHandler, result: Any, kwargs: dict[str, Any]) -> Iterator[Event]:
    """Yield the tokens of an answer that came in one piece."""
    message = getattr(next(iter(next(iter(result.generations), ())), None), "message", None)
    if not isinstance(message, AIMessage):
        return
    chunk = ChatGenerationChunk(message=to_chunk(message))
    if _takes_events(handler):
        from langchain_core.language_models._compat_bridge import chunks_to_events  # noqa: PLC0415

        for event in chunks_to_events(iter([chunk])):
            yield Event("on_stream_event", (event,), kwargs)
    else:
        yield Event("on_llm_new_token", (message.text,), {**kwargs, "chunk": chunk})


def watches(handler: object) -> bool:
    """Tell whether a handler shows what models say while they say it."""
    return type(handler) is Withheld or hasattr(handler, "tap_output_iter")


def _takes_events(handler: object) -> bool:
    """Tell whether a handler takes LangChain's typed events in place of tokens."""
    return _is(handler, "_V2StreamingCallbackHandler")


def _is(handler: object, name: str) -> bool:
    return any(cls.__name__ == name for cls in type(handler).__mro__)


@dataclass(slots=True)
class _Covered:
    """One call that watching handlers are not told of yet."""

    handlers: list[Withheld] = field(default_factory=list)
    answer: Any = None


class Watch:
    """Those who watch one request, and what is withheld from them.

    Args:
        live: See below.

    Attributes:
        live: Whether what is told piece by piece is shown so: not to a cascade around that may
            still reject it, nor where a tag hides the request, nor where somebody takes typed
            events, which are made of whole answers.
    """

    __slots__ = ("_calls", "live")

    def __init__(self, *, live: bool = False) -> None:
        self._calls: list[_Covered] = []
        self.live = live

    @classmethod
    def of(cls, handlers: Sequence[BaseCallbackHandler], tags: Sequence[str] = ()) -> Watch | None:
        """Return the watch of a request, or None where nobody watches."""
        watching = [handler for handler in handlers if watches(handler)]
        if not watching:
            return None
        told = any(_is(each, "_StreamingCallbackHandler") for each in watching)
        live = told and not any(map(_takes_events, watching)) and NOSTREAM not in tags
        return cls(live=live)

    def cover(self, manager: BaseCallbackManager, *, tokens: bool = True) -> None:
        """Withhold from those who watch what one call would tell them.

        Args:
            manager: The call's handlers; it is changed.
            tokens: Whether what is called would have streamed, had it not been a draft.
        """
        call = _Covered()
        instead: dict[int, BaseCallbackHandler] = {}
        for handler in [*manager.handlers, *manager.inheritable_handlers]:
            if watches(handler) and id(handler) not in instead:
                instead[id(handler)] = stand_in = Withheld(handler, tokens=tokens)
                call.handlers.append(stand_in)
        manager.handlers = [instead.get(id(h), h) for h in manager.handlers]
        manager.inheritable_handlers = [instead.get(id(h), h) for h in manager.inheritable_handlers]
        self._calls.append(call)

    def keep(self, manager: BaseCallbackManager, answer: object) -> None:
        """Note what came of a call that was covered."""
        for call in self._calls:
            if any(handler in manager.handlers for handler in call.handlers):
                call.answer = answer

    def tell(self, answer: object) -> None:
        """Tell what was withheld.

        Args:
            answer: What the request is answered with; None where it is not.
        """
        for handler, event in self._told(answer):
            handle_event([handler], event.name, None, *event.args, **event.kwargs)

    async def atell(self, answer: object) -> None:
        """Tell what was withheld; see `tell`."""
        for handler, event in self._told(answer):
            await ahandle_event([handler], event.name, None, *event.args, **event.kwargs)

    def _told(self, answer: object) -> Iterator[tuple[BaseCallbackHandler, Event]]:
        calls, self._calls = self._calls, []
        for call in calls:
            shown = answer is not None and call.answer is answer
            for handler in call.handlers:
                for event in handler.told(shown=shown):
                    yield handler.inner, event


def reveal(run: Any, serialized: Any, messages: list[Any]) -> None:
    """Let those who watch see the run of a stream whose draft was accepted.

    LangGraph passes over a run whose start was tagged `NOSTREAM`; it is told of the start again.
    """
    module = sys.modules.get("langgraph.pregel._messages")
    follows: Any = () if module is None else module.StreamMessagesHandler
    for handler in run.handlers:
        if isinstance(handler, Withheld):
            handler.reveal(run.run_id)
        elif isinstance(handler, follows):
            handler.on_chat_model_start(
                serialized,
                [messages],
                run_id=run.run_id,
                parent_run_id=run.parent_run_id,
                tags=without_one(run.tags),
                metadata=dict(run.metadata),
            )


class WatchedSession(Session):
    """A request that somebody watches; its caller has a `Watch`."""

    def run(self) -> Decided:
        """Decide, and wait."""
        watch, answer = _watch_of(self), None
        try:
            decided = super().run()
            answer = decided.verdict.draft.native
        finally:
            watch.tell(answer)
        return decided

    async def arun(self) -> Decided:
        """Decide, and wait."""
        watch, answer = _watch_of(self), None
        try:
            decided = await super().arun()
            answer = decided.verdict.draft.native
        finally:
            await watch.atell(answer)
        return decided

    def stream(self) -> Generator[Any, None, None]:
        """Decide, and yield what is shown, then the `Decided`."""
        watch = _watch_of(self)
        try:
            with closing(super().stream()) as items:
                for item in items:
                    if isinstance(item, Decided):
                        watch.tell(item.verdict.draft.native)
                    yield item
        finally:
            watch.tell(None)

    async def astream(self) -> AsyncGenerator[Any, None]:
        """Decide, and yield what is shown, then the `Decided`."""
        watch = _watch_of(self)
        try:
            async with aclosing(super().astream()) as items:
                async for item in items:
                    if isinstance(item, Decided):
                        await watch.atell(item.verdict.draft.native)
                    yield item
        finally:
            await watch.atell(None)


def session_kind(watch: Watch | None) -> type[Session]:
    """Return the class of a request, watched or not."""
    return Session if watch is None else WatchedSession


def _watch_of(session: Session) -> Watch:
    watch: Watch = cast("Any", session.caller).watch
    return watch
