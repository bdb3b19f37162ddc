"""The calls made inside a tier, put together from what LlamaIndex's events tell.

How the events come here does not belong here; see `recorder`. What a call
answered is read elsewhere; see `answers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import RLock
from time import perf_counter
from typing import Any
from weakref import WeakValueDictionary

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.instrumentation.span import active_span_id
from llama_index.core.llms import LLM

from cascade_core.call import Call, Outcome
from cascade_core.draft import Draft
from cascade_core.logprobs import Logprobs
from llamaindex_cascade.reading.answers import Response, text_of, to_draft
from llamaindex_cascade.reading.capabilities import ends_named, name_of, price_names
from llamaindex_cascade.reading.heard import Heard

by_span: WeakValueDictionary[str, Recorder] = WeakValueDictionary()
"""Who saw a call start: the rest of a stream may be read where no recorder is active."""


@dataclass(slots=True, eq=False)
class _Seen:
    """A call, as far as LlamaIndex's events have told of it.

    Attributes:
        span: The span it runs in, named by its class and method.
        llm: The model, where the span told it.
        name: The model's name by the start event.
        asked: The prompt, or the messages.
        wraps: Whether it only calls another method or model, which is counted.
        inside: The call that it seems to make only while it is read; see `_mark_lazy`.
        streamed: Whether it has returned a stream.
        response: The answer; of a stream, its latest response.
        heard: What the responses of a stream have said.
        over: Whether it came to its end; a reader may leave before.
        outcome: None while the call or its stream is open.
    """

    span: str
    llm: LLM | None
    name: str | None
    asked: str | Sequence[ChatMessage]
    started: float = field(default_factory=perf_counter)
    seconds: float = 0.0
    wraps: bool = False
    inside: _Seen | None = None
    streamed: bool = False
    response: Response | None = None
    heard: Heard | None = None
    over: bool = False
    outcome: Outcome | None = None
    _draft: Draft | None = None

    def prompt_texts(self) -> list[str]:
        """Return the texts of what was asked."""
        if isinstance(self.asked, str):
            return [self.asked]
        return [message.content or "" for message in self.asked]

    def took(self, response: Response | None) -> None:
        """Keep an answer, or the latest response of a stream."""
        self.response = response or self.response
        self._draft = None

    @property
    def draft(self) -> Draft | None:
        """What was answered; an answer is read once, however often it is asked for."""
        if self._draft is None and self.response is not None:
            heard, usage, logprobs, response = self.heard, None, None, self.response
            if heard is not None:
                usage, logprobs, response = heard.usage, heard.logprobs, heard.response or response
            draft = to_draft(
                response,
                name=self._model,
                prompt_texts=self.prompt_texts,
                logprobs=logprobs,
                usage=usage,
            )
            named = self.over and self.llm is not None and ends_named(self.llm)
            self._draft = draft if heard is None else heard.told(draft, over=named)
        return self._draft

    def calls(self) -> Iterator[Call]:
        """Give the call this was, if it was made."""
        if self.outcome is None and self.streamed and self.response is None:
            return  # nobody has read from the stream: its request was not sent
        outcome, seconds = self.outcome, self.seconds
        if outcome is None:  # still open: of a stream, what has arrived; else it is given up
            outcome = "returned" if self.streamed else "failed"
            seconds = perf_counter() - self.started
        draft = self.draft or Draft(model=self._model)
        names = (draft.model,) if self.llm is None else price_names(self.llm, draft.model)
        yield Call(0, draft.model, "draft", draft.usage, None, seconds, outcome, names=names)

    @property
    def _model(self) -> str | None:
        return (name_of(self.llm) if self.llm is not None else None) or self.name


@dataclass(slots=True, eq=False)
class _Told:
    """The calls that a cascade inside the tier made, by its own account.

    Attributes:
        reported: The calls.
        draft: What the cascade answered, if it did.
    """

    reported: Sequence[Call]
    draft: Draft | None
    wraps: bool = False

    def calls(self) -> Sequence[Call]:
        """Return them."""
        return self.reported


class Recorder:
    """Writes down the model calls of one run of a tier, from any thread or task.

    A call that only passes on to another (`chat` to `complete`, `achat` to
    `chat`) is not counted, the one that does the work is.
    """

    def __init__(self) -> None:
        # Collecting garbage may close a stream, and so come back here, at any point.
        self._lock = RLock()
        self._entries: list[_Seen | _Told] = []
        self._open: dict[str, _Seen] = {}
        self._spans: dict[str, tuple[str | None, LLM | None]] = {}

    def calls(self) -> list[Call]:
        """Return the calls in the order they started.

        The part of an abandoned stream that arrived counts as its answer. A
        call that has not come back counts as failed. A stream that nobody has
        read from was never asked for, and is left out.
        """
        return [call for entry in self._counted() for call in entry.calls()]

    @property
    def drafts(self) -> list[Draft]:
        """What models, and cascades inside, answered, in the order they were asked."""
        return [draft for entry in self._counted() if (draft := entry.draft) is not None]

    @property
    def failed(self) -> bool:
        """Whether a model call failed; what a cascade inside made good is no failure."""
        return any(isinstance(e, _Seen) and e.outcome == "failed" for e in self._counted())

    @property
    def ended(self) -> int:
        """How many calls have ended, failed and reported ones included."""
        return sum(
            len(e.reported) if isinstance(e, _Told) else e.outcome is not None
            for e in self._counted()
        )

    def hears(self, llm: LLM) -> bool:
        """Tell whether a call of a model is open, and will be told of by itself."""
        with self._lock:
            return any(seen.llm is llm for seen in self._open.values())

    def logprobs_for(self, text: str) -> Logprobs | None:
        """Return the log-probabilities of a text put together from answers.

        Args:
            text: The final text.

        Returns:
            Those of all answers that are part of the text, in the order they
            were asked for; None where there is no such answer, or one came
            without.
        """
        found = []
        for draft in self.drafts:
            part = draft.text.strip()
            if part and part in text:
                if draft.logprobs is None:
                    return None
                found.append(draft.logprobs)
        if len(found) < 2:  # noqa: PLR2004
            return found[0] if found else None
        values = [value for logprobs in found for value in logprobs.values]
        entries = [each for logprobs in found for each in logprobs.entries]
        # Positions must not shift where one answer came without alternatives.
        return Logprobs(values, entries if len(entries) == len(values) else ())

    def add(self, calls: Sequence[Call], draft: Draft | None = None) -> None:
        """Take the trail of a cascade inside the tier, and what it answered.

        Call this where the cascade was asked, or its calls are seen twice.
        """
        with self._lock:
            # A model that asked the cascade on its way is no call of its own.
            self._mark_outer(active_span_id.get())
            self._entries.append(_Told(calls, draft))

    def _counted(self) -> list[_Seen | _Told]:
        with self._lock:
            return [entry for entry in self._entries if not entry.wraps]

    # --- what the handlers below tell -----------------------------------------------------------

    def enter(self, span: str, parent: str | None, instance: object) -> None:
        """Note a span, and the model it belongs to."""
        with self._lock:
            self._spans[span] = (parent, instance if isinstance(instance, LLM) else None)

    def leave(self, span: str, *, failed: bool) -> None:
        """Note that a span is over: its call has failed, has ended before, or is a stream."""
        with self._lock:
            self._spans.pop(span, None)
            seen = self._open.get(span)
            if seen is not None:
                seen.streamed = not failed
                if failed:
                    self._close(seen, "failed")

    def start(self, span: str, asked: str | Sequence[ChatMessage], model: dict[str, Any]) -> None:
        """Note a call."""
        name = model.get("model") or model.get("model_name")
        with self._lock:
            if span in self._open:  # a method without a span of its own, inside one that has
                return
            parent, llm = self._spans.get(span, (None, None))
            seen = _Seen(span, llm, name if name != "unknown" else None, asked)
            outer = self._mark_outer(parent)
            if outer is None or outer.llm is not llm:
                self._mark_lazy(seen)
            self._open[span] = seen
            self._entries.append(seen)
            by_span[span] = self

    def chunk(self, span: str, response: Response) -> None:
        """Note the next response of a stream."""
        with self._lock:
            seen = self._open.get(span)
            if seen is not None:
                if seen.inside is not None and seen.response is None:
                    seen.wraps = _passes_on(response, seen.inside.response)
                if not seen.wraps:
                    seen.heard = seen.heard or Heard()
                    seen.heard.take(response)
                seen.took(response)

    def end(self, span: str, response: Response | None) -> None:
        """Note that an answer or a stream is complete."""
        with self._lock:
            seen = self._open.get(span)
            if seen is not None:
                seen.over = True
                seen.took(response)
                self._close(seen, "returned")

    def broke(self, span: str, error: BaseException) -> None:
        """Note that a stream broke off, or that its reader left."""
        with self._lock:
            seen = self._open.get(span)
            if seen is not None:
                self._close(seen, "returned" if isinstance(error, GeneratorExit) else "failed")

    def _close(self, seen: _Seen, outcome: Outcome) -> None:
        seen.outcome = outcome
        seen.seconds = perf_counter() - seen.started
        self._open.pop(seen.span, None)
        by_span.pop(seen.span, None)

    def _mark_outer(self, span: str | None) -> _Seen | None:
        """Mark the call that a span is part of as no more than a wrapper."""
        while span is not None:
            outer = self._open.get(span)
            if outer is not None:
                outer.wraps = True
                return outer
            span = self._spans.get(span, (None, None))[0]
        return None

    def _mark_lazy(self, seen: _Seen) -> None:
        """Mark the stream that starts a call only when it is read, when its span is over.

        `CustomLLM.astream_chat` does so. No span or context leads from the one
        to the other, but they share the model and the question, and the stream
        is waiting for its first chunk.
        """
        question = "".join(seen.prompt_texts()[-1:])
        for outer in list(self._open.values()):
            waits = outer.streamed and outer.response is None and not outer.wraps
            same_model = outer.llm is not None and outer.llm is seen.llm
            if waits and same_model and _method(outer.span) != _method(seen.span):
                # A chat turned into a completion's prompt has more around it.
                outer.wraps = "".join(outer.prompt_texts()[-1:]) in question
                if outer.wraps:
                    outer.inside = seen  # unless what is read of it turns out to be its own
                    return


def _passes_on(response: Response, inner: Response | None) -> bool:
    """Tell whether the first response of a stream is one that a call inside has brought."""
    if inner is None:
        return False
    if response.raw is not None or inner.raw is not None:
        return response.raw is inner.raw
    return text_of(inner).startswith(text_of(response))


def _method(span: str) -> str:
    # The dispatcher names spans `Class.method-uuid`.
    return span.partition("-")[0]
