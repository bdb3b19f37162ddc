"""One of an agent's model turns, asked of each tier; judges are asked directly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any, TypeAlias, cast

from langchain.agents.middleware import ModelRequest, ModelResponse
from langchain.agents.structured_output import StructuredOutputError
from langchain_core.callbacks import BaseCallbackManager, CallbackManager
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables.config import RunnableConfig, var_child_runnable_config
from langchain_core.tracers.langchain import LangChainTracer

from cascade_core.draft import Draft
from cascade_core.effects import Adopt, Ask, Failed, Open
from cascade_core.errors import CascadeExhausted
from cascade_core.integrations.decisions import ahave_decided, have_decided
from cascade_core.loop.run_metadata import call_metadata
from cascade_core.loop.session import Session
from cascade_core.tier import Tier
from langchain_cascade.capabilities import set_on_model
from langchain_cascade.convert import to_draft, to_messages
from langchain_cascade.engine import ChatEngine
from langchain_cascade.handing import as_message
from langchain_cascade.histories import needs_reading, readable, reader
from langchain_cascade.providers import own_arguments, own_tools, without_foreign_cache_keys
from langchain_cascade.quiet import speaks, without_streaming
from langchain_cascade.recorder import CallRecorder
from langchain_cascade.scope import control_flow, fatal
from langchain_cascade.tools import choice_for
from langchain_cascade.tracing import inner_run, tell_run, tell_tracers
from langchain_cascade.watching import NOSTREAM, Watch
from langchain_cascade.wrapping import Flat, Variant, vary

Copies: TypeAlias = dict[tuple[int, Variant], tuple[BaseChatModel, BaseChatModel]]


class TurnCalls:
    """Calls an agent's handler with each tier's model; judges are called directly.

    Args:
        handler: What the agent calls its model with.
        tiers: The tiers' bare models and what is bound to them, by index; also those of models
            that are asked what the tiers are asked.
        engine: The cascade's engine.
        config: The configuration that the agent's run goes by.
        copies: The variants of the tiers' models made so far, each with its original.

    Attributes:
        watch: Those who watch what models say, if anybody does.
        session: The turn's request, once there is one.
        unasked: What the agent raised in place of asking a model, the last time it did.
    """

    session: Session
    unasked: Exception | None = None

    def __init__(
        self,
        handler: Any,
        tiers: Mapping[int, Flat],
        engine: ChatEngine,
        config: RunnableConfig,
        copies: Copies,
    ) -> None:
        self._handler = handler
        self._tiers = tiers
        self._judges, self._partners = engine.judges, engine.partners
        self._copies = copies
        self._callbacks = config.get("callbacks")
        self.watch = Watch.of(_handlers(self._callbacks))

    @property
    def fatal(self) -> tuple[type[Exception], ...]:
        """Exceptions that end a request: ours, and those by which LangGraph steers."""
        return fatal()

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run one model turn, or ask a judge."""
        recorder = CallRecorder()
        started = perf_counter()
        if effect.decision is not None:
            return have_decided(effect, self._config(effect))
        if effect.request.native is None:
            model, messages, config = self._question(effect)
            message = model.invoke(messages, config, **effect.options)
            return _answered(message, perf_counter() - started, messages)
        try:
            with self._recorded(effect, recorder) as manager:
                response = self._handler(self._turn(effect, sample))
        except Exception as error:  # noqa: BLE001 - whatever a tier raises is its failure
            return self._broken(error, perf_counter() - started, recorder, effect)
        return self._came(manager, _read(response, perf_counter() - started, recorder, effect))

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run one model turn, or ask a judge."""
        recorder = CallRecorder()
        started = perf_counter()
        if effect.decision is not None:
            return await ahave_decided(effect, self._config(effect))
        if effect.request.native is None:
            model, messages, config = self._question(effect)
            message = await model.ainvoke(messages, config, **effect.options)
            return _answered(message, perf_counter() - started, messages)
        try:
            with self._recorded(effect, recorder) as manager:
                response = await self._handler(self._turn(effect, sample))
        except Exception as error:  # noqa: BLE001 - whatever a tier raises is its failure
            return self._broken(error, perf_counter() - started, recorder, effect)
        return self._came(manager, _read(response, perf_counter() - started, recorder, effect))

    def tell_tracers(self) -> None:
        """Write the decision on the run that the turn happens in.

        That is the agent's node; in LangSmith the middleware's own run inside it, where LangChain
        traces that.
        """
        handlers = _handlers(self._callbacks)
        node = getattr(self._callbacks, "parent_run_id", None)
        inner = inner_run(handlers)
        if inner is None or inner.id == node:
            tell_tracers(handlers, node, self.session)
            return
        others = [handler for handler in handlers if not isinstance(handler, LangChainTracer)]
        tell_tracers(others, node, self.session)
        tell_run(inner, self.session)

    def own(self, exhausted: CascadeExhausted) -> Exception | None:
        """Return the agent's own error that a turn ended by, or None where it is a model's.

        An agent that cannot ask its model at all says so as it does where there is but one.
        """
        return self.unasked if exhausted.causes[-1][1] is self.unasked else None

    def open(self, effect: Open) -> Any:
        """Never happens: an agent's turn is one whole answer."""
        raise NotImplementedError(effect)

    aopen = open  # noqa: A003 - the method above is meant

    def as_chunk(self, native: Any, tier: Tier) -> Any:
        """Return the answer: an agent's turn is one whole answer."""
        del tier
        return native

    def adopt(self, effect: Adopt) -> Draft:
        """Return what a function gave as a turn: a text, a message, or a whole response."""
        value = effect.value
        if not isinstance(value, ModelResponse):
            value = ModelResponse(result=[as_message(value)])
        message = answer_in(value)
        draft = Draft() if message is None else to_draft(message)
        return replace(draft, native=value)

    def _turn(self, effect: Ask, sample: int) -> ModelRequest:
        """Return the agent's request with a tier's model in it."""
        request = cast("ModelRequest", effect.request.native)
        index = self._partners.of(effect.target).index
        flat = self._tiers[index]
        shown = self._shown(effect)
        variant = Variant(
            draft=not shown,
            logprobs=effect.logprobs,
            top_logprobs=effect.top_logprobs,
            fresh=effect.purpose == "sample",
        )
        cleaned = without_foreign_cache_keys(request, flat.model)
        if needs_reading(cleaned.messages):
            asked = {**cleaned.model_settings, **flat.kwargs, "tools": cleaned.tools}
            by = reader(flat.model, index, asked)
            cleaned = cleaned.override(messages=cast("Any", readable(cleaned.messages, by)))
        cleaned = cleaned.override(tools=own_tools(cleaned.tools, flat.model))
        settings = own_arguments(cleaned.model_settings, flat.model)
        settings, options = {**settings, **flat.kwargs}, dict(effect.options)
        seed = settings.get("seed", getattr(flat.model, "seed", None))
        if effect.purpose == "sample" and isinstance(seed, int):
            options["seed"] = seed + sample + 1  # one seed would give the draft itself n times
        if set_on_model(flat.model):
            variant = variant._replace(fields=tuple(options.items()))
        else:
            settings.update(options)
        if variant.whole:
            settings = without_streaming(settings)
        model = self._model(index, variant)
        choice = choice_for(flat.model, request.tool_choice)
        return cleaned.override(model=model, model_settings=settings, tool_choice=choice)

    @contextmanager
    def _recorded(self, effect: Ask, recorder: CallRecorder) -> Iterator[BaseCallbackManager]:
        """Write down every model call of a turn, whichever model other middleware asks instead.

        Of a proposal, those who watch are told nothing yet.
        """
        config = var_child_runnable_config.get() or RunnableConfig()
        given = config.get("callbacks")
        if isinstance(given, BaseCallbackManager):
            manager = given.copy()
        else:
            manager = CallbackManager(list(given or ()), list(given or ()))
        if self.watch is not None and not self._shown(effect):
            self.watch.cover(
                manager, tokens=speaks(self._tiers[self._partners.of(effect.target).index].model)
            )
        self._tag(manager, effect)
        manager.add_handler(recorder, inherit=True)
        inside = cast("RunnableConfig", {**config, "callbacks": manager})
        token = var_child_runnable_config.set(inside)
        try:
            yield manager
        finally:
            var_child_runnable_config.reset(token)

    def _tag(self, manager: BaseCallbackManager, effect: Ask) -> None:
        """Say of the runs of a turn what it is, and what the owner of the tier's model says."""
        tier = self._partners.of(effect.target)
        index = tier.index if tier is effect.target else None
        bound = self._tiers[tier.index].config
        tags = [*(bound.get("tags") or ()), f"cascade:{effect.purpose}"]
        if index is not None:
            tags.insert(-1, f"cascade:tier:{index}")
        if not self._shown(effect):
            tags.append(NOSTREAM)
        for kept in (manager.tags, manager.inheritable_tags):
            kept.extend(tags)  # `add_tags` would take away one that is there already
        about = call_metadata(self.session.id, index, effect.purpose)
        manager.add_metadata({**(bound.get("metadata") or {}), **about})
        for handler in _handlers(bound.get("callbacks")):
            manager.add_handler(handler, inherit=True)

    def _model(self, index: int, variant: Variant) -> BaseChatModel:
        """Return a tier's model in a variant: the same object turn by turn, for it may count."""
        flat = self._tiers[index]
        key = (index, variant)
        kept = self._copies.get(key)
        if kept is None or kept[0] is not flat.model:  # a configuration may decide on another
            kept = self._copies[key] = (flat.model, vary(flat.model, variant))
        return kept[1]

    def _came(self, manager: BaseCallbackManager, draft: Draft) -> Draft:
        """Note what came of a call."""
        if self.watch is not None:
            self.watch.keep(manager, draft.native)
        return draft

    def _shown(self, effect: Ask) -> bool:
        """Tell whether a call gives the answer, which streams as the agent does."""
        answers = effect.request.answered_by(self.session.plan.tiers[-1].index)
        return self._partners.of(effect.target).index == answers and effect.purpose == "draft"

    def _broken(
        self, error: Exception, seconds: float, recorder: CallRecorder, effect: Ask
    ) -> Draft | Failed:
        """Return a turn's failure with the calls it had paid for.

        A draft whose structured response is not of its schema is a draft that
        fails the parser's gate; from a tier whose draft is the answer it is an
        error, as without a cascade.
        """
        if not recorder.calls:
            self.unasked = error
        if isinstance(error, control_flow()) or not recorder.calls:
            raise error
        if isinstance(error, StructuredOutputError) and not self._shown(effect):
            response = ModelResponse(result=[error.ai_message])
            return replace(_read(response, seconds, recorder, effect), parse_error=error)
        return Failed(error, seconds, Draft(seconds=seconds, inner=recorder.calls))

    def _question(self, effect: Ask) -> tuple[Any, list[BaseMessage], RunnableConfig]:
        """Return a judge, or a tier, and what the core itself asks it."""
        target = effect.target
        tier = target.native if isinstance(target, Tier) else self._judges[target]
        variant = Variant(draft=True, logprobs=effect.logprobs, top_logprobs=effect.top_logprobs)
        return tier.model(variant), to_messages(effect.request.turns), self._config(effect)

    def _config(self, effect: Ask) -> RunnableConfig:
        index = effect.target.index if isinstance(effect.target, Tier) else None
        return {
            "tags": [NOSTREAM, f"cascade:{effect.purpose}"],
            "metadata": call_metadata(self.session.id, index, effect.purpose),
        }


def answer_in(response: Any) -> AIMessage | None:
    """Return the model's own message in a response."""
    return next((m for m in reversed(response.result) if isinstance(m, AIMessage)), None)


def _handlers(callbacks: Any) -> list[Any]:
    return list(callbacks if isinstance(callbacks, list) else getattr(callbacks, "handlers", ()))


def _read(response: Any, seconds: float, recorder: CallRecorder, effect: Ask) -> Draft:
    response = getattr(response, "model_response", response)
    if isinstance(response, AIMessage):
        response = ModelResponse(result=[response])
    message = answer_in(response)
    draft = Draft() if message is None else to_draft(message)
    error = None
    if effect.request.native.response_format is not None and response.structured_response is None:
        # LangChain answers a structured response that it could not read with a tool message.
        misread = any(isinstance(message, ToolMessage) for message in response.result)
        if misread or not draft.tool_calls:
            error = ValueError("the turn ended without the structured response")
    return replace(
        draft,
        seconds=seconds,
        native=response,
        inner=draft.inner or recorder.calls,
        parse_error=error,
    )


def _answered(message: BaseMessage, seconds: float, prompt: list[BaseMessage]) -> Draft:
    return to_draft(message, seconds, prompt=lambda: prompt)
