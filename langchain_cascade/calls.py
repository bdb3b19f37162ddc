"""Calls chat models for one request: tiers as the caller set them up, and judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any, TypeAlias, TypeGuard, cast

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForChainRun,
    AsyncRunManager,
    CallbackManager,
    CallbackManagerForChainRun,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.prompt_values import ChatPromptValue, PromptValue
from langchain_core.runnables.config import RunnableConfig, merge_configs

from cascade_core.draft import Draft
from cascade_core.effects import Adopt, Ask, Failed, Open
from cascade_core.integrations.classes import model_name
from cascade_core.integrations.decisions import ahave_decided, have_decided
from cascade_core.loop.port import Caller
from cascade_core.loop.run_metadata import call_metadata
from cascade_core.loop.streams import AsyncStream, Stream
from cascade_core.request import Request
from cascade_core.tier import Tier
from langchain_cascade.capabilities import set_on_model
from langchain_cascade.convert import to_chunk, to_draft, to_messages, without_logprobs
from langchain_cascade.engine import ChatEngine
from langchain_cascade.handing import as_message, is_chain, spoken_by_chain
from langchain_cascade.histories import needs_reading, readable, reader
from langchain_cascade.providers import own_arguments
from langchain_cascade.quiet import speaks, without_streaming
from langchain_cascade.recorder import CallRecorder
from langchain_cascade.scope import fatal
from langchain_cascade.streams import AsyncDraftStream, DraftStream, GatheredMessages, Setting
from langchain_cascade.tiers import ChatTier
from langchain_cascade.tools import BoundTools
from langchain_cascade.watching import NOSTREAM, Watch
from langchain_cascade.wrapping import Model, Variant, find_chat_model, flatten

ChainRun: TypeAlias = CallbackManagerForChainRun | AsyncCallbackManagerForChainRun


class ChatCalls:
    """Calls models under one chain run.

    Args:
        run: The cascade's run; every call becomes its child.
        config: The caller's configuration.
        engine: The cascade's engine.
        stop: Stop sequences for every tier.
        kwargs: The caller's further keyword arguments for every tier.
        tools: The caller's tools.
        chains: Makes what calls a runnable that is no chat model, where answers are handed off.

    Attributes:
        keep_logprobs: Whether the answer keeps its log-probabilities.
        watch: Those who watch what models say, if anybody does.
    """

    def __init__(  # noqa: PLR0913 - a call has this many sides
        self,
        run: ChainRun,
        config: RunnableConfig,
        engine: ChatEngine,
        *,
        stop: list[str] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        tools: BoundTools | None = None,
        chains: Callable[[], Caller] | None = None,
    ) -> None:
        self._run = run
        self._chains = chains
        self.watch = Watch.of(run.handlers, run.tags)
        self._config = config
        self._judges = engine.judges
        self._partners = engine.partners
        self._last = engine.plan.tiers[-1].index
        # The caller's own `bind(logprobs=True)` means the answer's logprobs, not only ours.
        self.keep_logprobs = engine.keep_logprobs or bool(kwargs and kwargs.get("logprobs"))
        self._last_variant = engine.last
        self._tools = tools
        self._kwargs = dict(kwargs) if kwargs else {}
        if stop is not None:
            self._kwargs["stop"] = stop

    @property
    def fatal(self) -> tuple[type[Exception], ...]:
        """Exceptions that end a request: ours, and those by which LangGraph steers."""
        return fatal()

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Call a model and wait."""
        if effect.decision is not None:
            return have_decided(effect, self.child(effect.target, effect.purpose))
        if self._chains is not None and is_chain(effect):
            return spoken_by_chain(self._chains().call(effect, sample))
        model, prompt, kwargs = self._prepare(effect, sample)
        started = perf_counter()
        config = self.child(effect.target, effect.purpose, answers=self._answers(effect))
        streamed = _streamed(model, config)
        if _is_plain(model):
            told = config["callbacks"]
            message = _only(model.generate([prompt.to_messages()], callbacks=told, **kwargs))
        else:
            message = model.invoke(prompt, config, **kwargs)
        self._came(config, message)
        draft = self._draft(message, perf_counter() - started, effect)
        return draft if streamed is None else streamed.counted(draft)

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Call a model and wait."""
        if effect.decision is not None:
            return await ahave_decided(effect, self.child(effect.target, effect.purpose))
        if self._chains is not None and is_chain(effect):
            return spoken_by_chain(await self._chains().acall(effect, sample))
        model, prompt, kwargs = self._prepare(effect, sample)
        started = perf_counter()
        config = self.child(effect.target, effect.purpose, answers=self._answers(effect))
        streamed = _streamed(model, config)
        if _is_plain(model):
            told = config["callbacks"]
            message = _only(await model.agenerate([prompt.to_messages()], callbacks=told, **kwargs))
        else:
            message = await model.ainvoke(prompt, config, **kwargs)
        self._came(config, message)
        draft = self._draft(message, perf_counter() - started, effect)
        return draft if streamed is None else streamed.counted(draft)

    def open(self, effect: Open) -> Stream:
        """Start a tier's stream: silent for a draft, live where it is the answer."""
        if not effect.live:
            return DraftStream(self._setting(effect))
        model, messages = self._live(effect)
        config = self.child(effect.tier, "draft", answers=True)
        chunks = model.stream(messages, config, **self._own_kwargs(effect.tier))
        return Stream(chunks, GatheredMessages(messages, effect.tier.model))

    async def aopen(self, effect: Open) -> AsyncStream:
        """Start a tier's stream: silent for a draft, live where it is the answer."""
        if not effect.live:
            return await AsyncDraftStream.begin(self._setting(effect))
        model, messages = self._live(effect)
        config = self.child(effect.tier, "draft", answers=True)
        chunks = model.astream(messages, config, **self._own_kwargs(effect.tier))
        return AsyncStream(chunks, GatheredMessages(messages, effect.tier.model))

    def as_chunk(self, native: Any, tier: Tier) -> AIMessageChunk:
        """Return a tier's whole message as the one chunk of a stream."""
        if tier.native.logprobs_are_ours and not self.keep_logprobs:
            native = without_logprobs(native)
        return to_chunk(native)

    def adopt(self, effect: Adopt) -> Draft:
        """Return what a function gave as an answer of a chat model."""
        return to_draft(as_message(effect.value))

    def _answers(self, effect: Ask) -> bool:
        """Tell whether what a call gives is the answer: of the last tier, or of a pinned one."""
        target = effect.target
        return (
            isinstance(target, Tier)
            and effect.purpose == "draft"
            and target.index == effect.request.answered_by(self._last)
        )

    def child(
        self, target: object, purpose: str, *, answers: bool = False, streamed: bool = False
    ) -> RunnableConfig:
        """Return the configuration of one call.

        Args:
            target: What is called.
            purpose: What for.
            answers: Whether what it gives is the answer, whatever it is.
            streamed: Whether its stream is driven by us, and its tokens told once it is accepted.
        """
        manager = self._manager(target, purpose, answers=answers)
        if self.watch is not None and not streamed and NOSTREAM in manager.tags[-1:]:
            self.watch.cover(manager, tokens=speaks(getattr(target, "native", None)))
        return cast("RunnableConfig", {**self._config, "callbacks": manager})

    def _came(self, config: RunnableConfig, answer: object) -> None:
        if self.watch is not None:
            self.watch.keep(cast("Any", config["callbacks"]), answer)

    def _manager(
        self, target: object, purpose: str, *, answers: bool
    ) -> CallbackManager | AsyncCallbackManager:
        """Return the callback manager of one call, a child of the cascade's run.

        Everything but what is the answer is tagged `nostream`, which keeps
        it out of LangGraph's message stream, down to the models inside.
        """
        run = self._run
        if isinstance(target, Tier):
            tags = [*run.inheritable_tags, f"cascade:tier:{target.index}", f"cascade:{purpose}"]
            if not answers:
                tags.append(NOSTREAM)
        else:
            asked = "agree" if purpose == "agree" else "judge"
            tags = [*run.inheritable_tags, f"cascade:{asked}", NOSTREAM]
        index = target.index if isinstance(target, Tier) else None
        about = call_metadata(str(run.run_id), index, purpose)
        metadata = {**run.inheritable_metadata, **about}
        # What `run.get_child()` and three `add_…` calls would make, made in one go.
        kind = AsyncCallbackManager if isinstance(run, AsyncRunManager) else CallbackManager
        return kind(
            list(run.inheritable_handlers),
            list(run.inheritable_handlers),
            run.run_id,
            tags=tags,
            inheritable_tags=list(tags),
            metadata=metadata,
            inheritable_metadata=dict(metadata),
        )

    def _prepare(self, effect: Ask, sample: int) -> tuple[Model, PromptValue, dict[str, Any]]:
        target, request = effect.target, effect.request
        variant, options = self._called(effect, sample)
        prompt = request.native
        if prompt is None:  # the core's own question: no tools, no arguments of the caller's
            prompt = ChatPromptValue(messages=to_messages(request.turns))
            tier = target.native if isinstance(target, Tier) else self._judge(target)
            return tier.model(variant), prompt, dict(options)
        tier = self._partners.of(target)
        kwargs = {**self._own_kwargs(tier), **options}
        prompt = self._prompt(tier, request)
        if variant.whole:
            kwargs = without_streaming(kwargs)
        return tier.native.model(variant, self._tools), prompt, kwargs

    def _prompt(self, tier: Tier, request: Request) -> PromptValue:
        """Return what a tier is asked, in a form that it reads."""
        prompt: PromptValue = request.native
        messages = prompt.to_messages()
        if not needs_reading(messages):
            return prompt
        by = reader(tier.native.inner, tier.index, tier.native.arguments(self._kwargs, self._tools))
        return ChatPromptValue(messages=readable(messages, by))

    def _judge(self, target: object) -> ChatTier:
        """Return a model that a signal asks, ready to be called."""
        partner = self._partners.get(target)
        native = None if partner is None else partner.native
        return native if isinstance(native, ChatTier) else self._judges[target]

    def _own_kwargs(self, tier: Tier) -> dict[str, Any]:
        """Return the caller's arguments without those that a tier's provider does not know."""
        return own_arguments(self._kwargs, tier.native.inner) if self._kwargs else {}

    def _options(self, effect: Ask, sample: int) -> Mapping[str, Any]:
        """Return the sampling options of one call, as arguments or as fields of the model."""
        if effect.purpose != "sample":
            return effect.options
        seed = getattr(effect.target.native.inner, "seed", None)
        if not isinstance(seed, int):
            return effect.options
        # One seed would give the draft itself n times.
        return {**effect.options, "seed": seed + sample + 1}

    def _called(self, effect: Ask, sample: int) -> tuple[Variant, Mapping[str, Any]]:
        """Return in what variant a tier is called, and with what sampling options."""
        options: Any = self._options(effect, sample)
        if self._answers(effect):
            return self._last_variant, options
        fields = options if options and set_on_model(effect.target.native.inner) else {}
        variant = Variant(
            draft=True,
            logprobs=effect.logprobs,
            top_logprobs=effect.top_logprobs,
            fresh=effect.purpose == "sample" or self._last_variant.fresh,
            fields=tuple(fields.items()),
        )
        return variant, {} if fields else options

    def _live(self, effect: Open) -> tuple[Model, list[BaseMessage]]:
        model = effect.tier.native.model(self._last_variant, self._tools)
        return model, self._prompt(effect.tier, effect.request).to_messages()

    def _setting(self, effect: Open) -> Setting:
        variant = Variant(
            draft=True,
            logprobs=effect.logprobs,
            top_logprobs=effect.top_logprobs,
            fresh=self._last_variant.fresh,
            driven=True,
        )
        flat = flatten(effect.tier.native.model(variant, self._tools))
        assert flat is not None  # noqa: S101 - the core streams only drafts of flat tiers
        kwargs = {**flat.kwargs, **self._own_kwargs(effect.tier)}
        stop = kwargs.pop("stop", None)
        return Setting(
            model=flat.model,
            messages=self._prompt(effect.tier, effect.request).to_messages(),
            config=merge_configs(flat.config, self.child(effect.tier, "draft", streamed=True)),
            kwargs=kwargs,
            stop=stop,
            name=effect.tier.model,
            drop_logprobs=effect.tier.native.logprobs_are_ours and not self.keep_logprobs,
        )

    def _draft(self, message: BaseMessage, seconds: float, effect: Ask) -> Draft:
        request, target = effect.request, effect.target
        prompt = (
            (lambda: to_messages(request.turns))
            if request.native is None
            else request.native.to_messages
        )
        if isinstance(target, Tier):
            return to_draft(message, seconds, name=target.model, prompt=prompt)
        judge = self._judge(target)
        draft = to_draft(message, seconds, name=model_name(judge.inner), prompt=prompt)
        return replace(draft, names=judge.price_names(draft.model))


def _streamed(model: Model, config: RunnableConfig) -> CallRecorder | None:
    """Return who counts the tokens of a whole answer that its model gets in pieces.

    LangChain adds up what the pieces report, which may be the totals so far.
    """
    if getattr(find_chat_model(model), "streaming", None) is not True:
        return None
    recorder = CallRecorder()
    cast("CallbackManager", config["callbacks"]).add_handler(recorder)
    return recorder


def _is_plain(model: Model) -> TypeGuard[BaseChatModel]:
    """Tell whether `generate` does for a model all that `invoke` would.

    What `invoke` adds is reading a configuration, and that is in the child's
    callback manager already: a tenth of a call, saved on every tier.
    """
    cls = type(model)
    return (
        isinstance(model, BaseChatModel)
        and cls.invoke is BaseChatModel.invoke
        and cls.ainvoke is BaseChatModel.ainvoke
    )


def _only(result: LLMResult) -> BaseMessage:
    return cast("ChatGeneration", result.generations[0][0]).message
