"""Puts the streams of LLMs together as drafts: of responses, and of ever more complete objects."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Any

from pydantic import BaseModel

from cascade_core.draft import Draft
from cascade_core.effects import Chunk, Open
from cascade_core.errors import EmptyStreamError
from cascade_core.usage import Usage
from llamaindex_cascade.asking.calls import Calls
from llamaindex_cascade.llm.formats import FormatError
from llamaindex_cascade.reading.answers import Response
from llamaindex_cascade.reading.capabilities import ends_named
from llamaindex_cascade.reading.heard import Heard
from llamaindex_cascade.reading.recorder import Recorder

ERROR_IN_STREAM = "the provider sent an error in place of the rest of its answer"


class Responses:
    """Puts a stream of responses together; each holds all the text so far.

    Args:
        calls: Reads and checks the answer.
        effect: What was asked for.
    """

    def __init__(self, calls: Calls, effect: Open) -> None:
        self._calls = calls
        self._effect = effect
        self._started = perf_counter()
        self._heard = Heard()

    def take(self, item: Response) -> Chunk:
        """Take the next response.

        Raises:
            ValueError: It is an error of the provider's.
        """
        values = self._heard.take(item)
        if self._heard.failed:
            raise ValueError(ERROR_IN_STREAM)
        return Chunk(item, values)

    def had(self, *, over: bool = False) -> Draft | None:
        """Return what has arrived."""
        heard, response = self._heard, self._heard.response
        if response is None:
            return None
        draft = self._calls.read(
            response, self._effect, self._started, logprobs=heard.logprobs, usage=heard.usage
        )
        return heard.told(draft, over=over)

    def whole(self) -> Draft:
        """Return the answer.

        Raises:
            ValueError: Nothing has come of a draft. To the caller of the last tier, a stream
                without a part is shown as it is.
        """
        over = ends_named(self._effect.tier.native.llm)
        draft = self.had(over=over)
        if draft is not None:
            return self._calls.checked(draft, self._effect)
        if not self._effect.live:
            raise EmptyStreamError
        return Draft(usage=Usage(0, 0))


class Parts:
    """Puts a stream of ever more complete objects together: the last one is whole.

    Args:
        recorder: Saw the model calls inside.
        wanted: The class asked for; LlamaIndex shows parts of looser ones before.
    """

    def __init__(self, recorder: Recorder, wanted: type[BaseModel]) -> None:
        self._recorder = recorder
        self._wanted = wanted
        self._started = perf_counter()
        self._last: Any = None

    def take(self, item: Any) -> Chunk:
        """Take the next part."""
        self._last = item
        return Chunk(item)

    def had(self) -> Draft | None:
        """Return what has arrived, or at least been paid for."""
        draft = object_draft(self._last, self._recorder, perf_counter() - self._started)
        return None if self._last is None and not draft.inner else draft

    def whole(self) -> Draft:
        """Return the object; one that stayed loose to the end does not fit."""
        draft = self.had() or Draft()
        made = self._last if isinstance(self._last, list) else [self._last]
        if made and all(isinstance(value, self._wanted) for value in made):
            return draft
        problem = FormatError(f"the stream ended without a whole {self._wanted.__name__}")
        return replace(draft, parse_error=problem)


def object_draft(value: Any, recorder: Recorder, seconds: float) -> Draft:
    """Return an object as a draft; what is known of it besides is its last model call's.

    Args:
        value: The object, or None where there is none.
        recorder: Saw the model calls inside.
        seconds: Wall time.
    """
    calls, answers = recorder.calls(), recorder.drafts
    last = answers[-1] if answers else Draft()
    return Draft(
        text=value.model_dump_json() if isinstance(value, BaseModel) else last.text,
        tool_calls=last.tool_calls,
        broken_tool_calls=last.broken_tool_calls,
        logprobs=last.logprobs,
        finish=last.finish,
        refusal=last.refusal,
        model=calls[-1].model if calls else None,
        seconds=seconds,
        inner=calls,
        native=value,
        made=value,
    )
