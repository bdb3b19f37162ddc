"""What is asked of models and engines, as data; and the calls of one request that ask it.

What LLMs as tiers, engines as tiers, and judges have in common is here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from llama_index.core.callbacks import CallbackManager

from cascade_core.draft import Draft
from cascade_core.effects import Adopt, Ask, Failed, Open
from cascade_core.errors import ConfigurationError
from cascade_core.frozen import frozen
from cascade_core.integrations.decisions import ahave_decided, have_decided
from cascade_core.logprobs import Logprobs
from cascade_core.tier import Tier
from cascade_core.usage import Usage
from llamaindex_cascade.asking.engine import LLMEngine
from llamaindex_cascade.asking.handing import response_draft
from llamaindex_cascade.asking.messages import to_messages
from llamaindex_cascade.asking.tiers import LLMTier, check_llm
from llamaindex_cascade.reading.answers import Response, to_draft
from llamaindex_cascade.reading.capabilities import name_of, price_names, sampling_options
from llamaindex_cascade.reading.recorder import Recorder, recording


@frozen
class Invocation:
    """A method and its arguments; any of its four forms may be called.

    LlamaIndex names them alike for models, synthesizers and engines: `chat`, `achat`,
    `stream_chat`, `astream_chat`.

    Attributes:
        on: The model, synthesizer or query engine.
        method: The name of the method's plain form.
        args: Positional arguments.
        kwargs: Keyword arguments.
    """

    on: Any
    method: str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def call(self) -> Any:
        """Ask and wait."""
        return getattr(self.on, self.method)(*self.args, **self.kwargs)

    async def acall(self) -> Any:
        """Ask and wait."""
        return await getattr(self.on, f"a{self.method}")(*self.args, **self.kwargs)

    def stream(self) -> Iterator[Any]:
        """Ask for a stream."""
        return iter(getattr(self.on, f"stream_{self.method}")(*self.args, **self.kwargs))

    async def astream(self) -> AsyncIterator[Any]:
        """Ask for a stream."""
        return aiter(await getattr(self.on, f"astream_{self.method}")(*self.args, **self.kwargs))


class Calls:
    """Puts the core's own questions, those of judges and samples, to any model.

    What callers ask goes to tiers in a subclass.

    Args:
        manager: The cascade's callback manager, or None to leave the tiers theirs.
        engine: The cascade's engine, which knows the models that its signals ask.
    """

    fatal: tuple[type[Exception], ...] = (ConfigurationError,)

    def __init__(self, manager: CallbackManager | None, engine: LLMEngine) -> None:
        self._manager = manager
        self._partners = engine.partners
        self._judges = engine.judges

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Ask a tier or a judge, and wait."""
        del sample
        if effect.decision is not None:
            return have_decided(effect)
        started = perf_counter()
        response = self.invocation(effect).call()
        return self.checked(self.read(response, effect, started), effect)

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Ask a tier or a judge, and wait."""
        del sample
        if effect.decision is not None:
            return await ahave_decided(effect)
        started = perf_counter()
        response = await self.invocation(effect).acall()
        return self.checked(self.read(response, effect, started), effect)

    def as_chunk(self, native: Any, tier: Tier) -> Any:
        """Return a whole answer as the one piece of a stream."""
        del tier
        return native

    def adopt(self, effect: Adopt) -> Draft:
        """Return what a function gave as an answer of a model."""
        return response_draft(effect.value, effect.draft.native)

    def invocation(self, effect: Ask | Open) -> Invocation:
        """Return the core's own question: no template, no arguments of the caller's."""
        tier = self.ready(target_of(effect))
        messages = to_messages(effect.request.turns)
        return Invocation(tier.llm, "chat", (messages,), self.options(effect, tier))

    def read(
        self,
        response: Response,
        effect: Ask | Open,
        started: float,
        *,
        logprobs: Logprobs | None = None,
        usage: Usage | None = None,
    ) -> Draft:
        """Return what a model answered as a draft.

        Args:
            response: The answer; of a stream, the last response.
            effect: What was asked for.
            started: When.
            logprobs: Those that a stream brought.
            usage: The tokens that a stream reported.
        """
        target = target_of(effect)
        ours = isinstance(target, Tier)
        target = self._judges.get(target)  # like partners it may be given by name
        if not ours and (partner := self._partners.get(target)) is not None:
            target = getattr(partner.native, "llm", target)
        draft = to_draft(
            response,
            seconds=perf_counter() - started,
            name=target.model if ours else name_of(target),
            prompt_texts=lambda: [turn.text for turn in effect.request.turns],
            logprobs=logprobs,
            usage=usage,
        )
        return draft if ours else replace(draft, names=price_names(target, draft.model))

    def checked(self, draft: Draft, effect: Ask | Open) -> Draft:
        """Return a draft that says whether it is in the form that was asked for."""
        del effect
        return draft

    def ready(self, target: object) -> LLMTier:
        """Return a tier or a judge, ready to be called."""
        own = target if isinstance(target, Tier) else self._partners.get(target)
        if own is not None and isinstance(own.native, LLMTier):
            tier = own.native
        else:
            tier = LLMTier(check_llm(self._judges.get(target), "the model a signal asks"))
        if self._manager is not None:
            tier.report_to(self._manager)
        return tier

    def tier_of(self, effect: Ask | Open) -> Tier:
        """Return the tier that is asked what the caller asks, or what is asked so beside them."""
        return self._partners.of(target_of(effect))

    def options(self, effect: Ask | Open, tier: LLMTier) -> Mapping[str, Any]:
        """Return the arguments of a call on the cascade's own account."""
        streamed = isinstance(effect, Open)
        asked = tier.options(logprobs=effect.logprobs, top=effect.top_logprobs, streamed=streamed)
        own = sampling_options(tier.llm, options_of(effect))
        return {**asked, **own} if own else asked


@dataclass(slots=True)
class Run:
    """One run of a tier.

    Attributes:
        recorder: Saw the model calls inside.
        answer: What the tier answered, unless it failed.
        error: What it raised.
    """

    recorder: Recorder
    answer: Any = None
    error: Exception | None = None
    _started: float = field(default_factory=perf_counter)

    @property
    def seconds(self) -> float:
        """Wall time since it began."""
        return perf_counter() - self._started

    def failed(self, error: Exception) -> Failed:
        """Return a failure, with whatever was paid for inside."""
        seconds, calls = self.seconds, self.recorder.calls()
        return Failed(error, seconds, Draft(inner=calls, seconds=seconds) if calls else None)


class RecordedCalls(Calls):
    """Calls of tiers that make several model calls, or hide the one they make: those are recorded.

    Judges are called as any LLM.
    """

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run a tier, or ask a judge, and wait."""
        if effect.request.native is None:
            return super().call(effect, sample)
        with self._run() as run:
            run.answer = self.whole(self.invocation(effect).call(), effect)
        return self.ended(run, effect)

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run a tier, or ask a judge, and wait."""
        if effect.request.native is None:
            return await super().acall(effect, sample)
        with self._run() as run:
            run.answer = await self.awhole(await self.invocation(effect).acall(), effect)
        return self.ended(run, effect)

    def whole(self, answer: Any, effect: Ask) -> Any:
        """Return an answer with nothing of it still to come."""
        del effect
        return answer

    async def awhole(self, answer: Any, effect: Ask) -> Any:
        """Return an answer with nothing of it still to come."""
        return self.whole(answer, effect)

    def ended(self, run: Run, effect: Ask) -> Draft | Failed:
        """Return what a run came to."""
        raise NotImplementedError

    @contextmanager
    def _run(self) -> Iterator[Run]:
        with recording() as recorder:
            run = Run(recorder)
            try:
                yield run
            except self.fatal:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a tier raises is its failure
                run.error = error


def options_of(effect: Ask | Open) -> Mapping[str, Any]:
    """Return the sampling options of one call; a stream is no sample."""
    return {} if isinstance(effect, Open) else effect.options


def target_of(effect: Ask | Open) -> Any:
    """Return the tier or the judge that an effect is for."""
    return effect.tier if isinstance(effect, Open) else effect.target
