"""Calls LLMs as tiers for one request: for responses, and for objects."""

from __future__ import annotations

from dataclasses import replace

from llama_index.core.callbacks import CallbackManager
from pydantic import ValidationError

from cascade_core.costs.tokens import estimate_usage
from cascade_core.draft import Draft
from cascade_core.effects import Adopt, Ask, Failed, Open
from cascade_core.errors import CascadeExhausted
from cascade_core.loop.streams import AsyncStream, Stream
from cascade_core.tier import Tier
from llamaindex_cascade.asking.calls import (
    Calls,
    Invocation,
    RecordedCalls,
    Run,
    options_of,
    target_of,
)
from llamaindex_cascade.asking.engine import LLMEngine
from llamaindex_cascade.asking.streams import arecorded, recorded
from llamaindex_cascade.llm.gathering import Parts, Responses, object_draft
from llamaindex_cascade.llm.templates import Object
from llamaindex_cascade.llm.ways import Way
from llamaindex_cascade.reading.answers import Response, text_of
from llamaindex_cascade.reading.recorder import current, recording
from llamaindex_cascade.reading.silent import heard


class ResponseCalls(Calls):
    """Calls that give responses: `chat`, `complete`, `predict`, `chat_with_tools`.

    Args:
        way: What was asked.
        manager: See `Calls`.
        engine: See `Calls`.
    """

    def __init__(self, way: Way, manager: CallbackManager | None, engine: LLMEngine) -> None:
        super().__init__(manager, engine)
        self._way = way

    def invocation(self, effect: Ask | Open) -> Invocation:
        """Return what the caller asks, in the tier's own manner; or the core's own question."""
        if effect.request.native is None:
            return super().invocation(effect)
        tier = self.ready(target_of(effect)).sampling(options_of(effect))
        return self._way.invocation(tier, self.options(effect, tier))

    def checked(self, draft: Draft, effect: Ask | Open) -> Draft:
        """Return a draft that says whether it is in the form that the caller asked for."""
        if effect.request.native is None:
            return draft
        problem = self._way.problem(draft, self.tier_of(effect).native)
        return draft if problem is None else replace(draft, parse_error=problem)

    def open(self, effect: Open) -> Stream:
        """Start a tier's stream."""
        gathering = Responses(self, effect)
        return Stream(self.invocation(effect).stream(), gathering)

    async def aopen(self, effect: Open) -> AsyncStream:
        """Start a tier's stream."""
        gathering = Responses(self, effect)
        return AsyncStream(await self.invocation(effect).astream(), gathering)

    def as_chunk(self, native: Response, tier: Tier) -> Response:
        """Return a whole response as the one chunk of a stream."""
        del tier
        return native.model_copy(update={"delta": text_of(native)})


class ObjectCalls(RecordedCalls):
    """Calls that give objects: `structured_predict`.

    A tier makes the object in its own way and shows only the result.

    Args:
        way: What was asked.
        manager: See `Calls`.
        engine: See `Calls`.
    """

    def __init__(self, way: Object, manager: CallbackManager | None, engine: LLMEngine) -> None:
        super().__init__(manager, engine)
        self._way = way

    def invocation(self, effect: Ask | Open) -> Invocation:
        """Return what the caller asks; or the core's own question."""
        if effect.request.native is None:
            return super().invocation(effect)
        tier = self.ready(target_of(effect)).sampling(options_of(effect))
        # Streamed objects come from the last tier, whose answer nobody judges.
        options = {} if isinstance(effect, Open) else self.options(effect, tier)
        asked = self._way.invocation(tier, options)
        turns = effect.request
        return replace(
            asked, on=heard(asked.on, current(), lambda: "\n".join(t.text for t in turns.turns))
        )

    def adopt(self, effect: Adopt) -> Draft:
        """Return what a function gave as an object: one of the class, or its JSON."""
        value, wanted = effect.value, self._way.wanted
        made = (
            wanted.model_validate_json(value)
            if isinstance(value, str)
            else wanted.model_validate(value)
        )
        return Draft(made.model_dump_json(), native=made)

    def ended(self, run: Run, effect: Ask) -> Draft | Failed:
        """Return what became of an object.

        A model that answered what its tier could not read has answered: that is a
        draft that does not parse, and not a failed call.
        """
        tier = self.tier_of(effect)
        draft = object_draft(run.answer, run.recorder, run.seconds)
        if not draft.inner and run.error is None:  # nobody was told of a call
            texts = [turn.text for turn in effect.request.turns]
            draft = replace(draft, usage=estimate_usage(texts, draft.text, tier.model))
        if run.error is None:
            return replace(draft, is_object=tier.tool_only)
        answered = run.recorder.ended and not run.recorder.failed
        if not run.recorder.ended:
            answered = isinstance(run.error, ValidationError)
        if answered and not isinstance(run.error, CascadeExhausted):
            return replace(draft, parse_error=run.error)
        return run.failed(run.error)

    def open(self, effect: Open) -> Stream:
        """Have the last tier make the object in ever more complete parts."""
        with recording() as recorder:
            parts = self.invocation(effect).stream()
        return Stream(recorded(parts, recorder), Parts(recorder, self._way.wanted))

    async def aopen(self, effect: Open) -> AsyncStream:
        """Have the last tier make the object in ever more complete parts."""
        with recording() as recorder:
            parts = await self.invocation(effect).astream()
        return AsyncStream(arecorded(parts, recorder), Parts(recorder, self._way.wanted))
