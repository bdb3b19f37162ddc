"""`CascadeMiddleware`: an agent's model turns, cascaded.

Every turn of `create_agent` is one request: the cheap model proposes, and its
answer or tool calls are judged before anything is executed. A tier that is not
the last never executes a tool, because rejected proposals never reach the
agent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any, cast

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain.agents.structured_output import (
    ProviderStrategy,
    StructuredOutputError,
    ToolStrategy,
)
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables.config import RunnableConfig, ensure_config

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Failed, Open
from cascade_core.errors import ConfigurationError
from cascade_core.loop.session import Decided, Session
from cascade_core.request import Request, ToolSpec
from cascade_core.setup.settings import CascadeSettings, check_names, plain_errors
from cascade_core.tier import Tier
from langchain_cascade.answer import stamp
from langchain_cascade.convert import to_draft, to_messages, to_turns
from langchain_cascade.engine import ChatEngine
from langchain_cascade.providers import without_foreign_cache_keys
from langchain_cascade.recorder import CallRecorder
from langchain_cascade.scope import control_flow, fatal
from langchain_cascade.tiers import Judges, make_tiers, to_core
from langchain_cascade.tools import TOOL_KEYWORDS, BoundTools, read_choice, supports_tools
from langchain_cascade.wrapping import Flat, Variant, flatten, vary

Handler = Callable[[ModelRequest], Any]
AsyncHandler = Callable[[ModelRequest], Awaitable[Any]]


class CascadeMiddleware(AgentMiddleware):
    """Answers each of an agent's model turns with a cascade.

    The tiers take the place of the agent's own model. Drafts are whole and
    hidden from message streams; the last tier streams as the agent does.

    Args:
        tiers: Chat models, cheapest first, bound or not.
        kwargs: See `CascadeSettings`.

    Raises:
        ConfigurationError: A setting cannot work; the message says which and why.
    """

    def __init__(self, tiers: Any, **kwargs: Any) -> None:
        super().__init__()
        check_names(CascadeSettings, {"tiers": tiers, **kwargs}, type(self).__name__)
        given = make_tiers(tiers)
        self._flat = [_flat(tier.given, f"tiers[{i}]") for i, tier in enumerate(given)]
        with plain_errors(CascadeSettings):
            settings = CascadeSettings(tiers=tiers, **kwargs)
        self._engine = ChatEngine(settings, to_core(given))
        able = [supports_tools(flat.model) for flat in self._flat]
        self._unable = frozenset(index for index, can in enumerate(able) if not can)

    def wrap_model_call(self, request: ModelRequest, handler: Handler) -> ModelResponse:
        """Answer one model turn."""
        return self._finish(self._session(request, handler).run())

    async def awrap_model_call(self, request: ModelRequest, handler: AsyncHandler) -> ModelResponse:
        """Answer one model turn."""
        return self._finish(await self._session(request, handler).arun())

    def _session(self, request: ModelRequest, handler: Any) -> Session:
        config = ensure_config()
        tools = BoundTools(request.tools, {}) if request.tools else None
        wanted = _Wanted.of(request.response_format)
        asked = Request(
            lambda: to_turns(_messages(request)),
            native=request,
            tools=(*(tools.specs if tools else ()), *wanted.tools) if wanted.named else (),
            tool_choice=read_choice(request.tool_choice),
            output_schema=wanted.schema,
            tags=config.get("tags") or (),
            metadata=config.get("metadata"),
            unable=self._unable if tools or wanted.tools else (),
        )
        calls = TurnCalls(handler, self._flat, self._engine.judges)
        return Session(self._engine, asked, calls)

    def _finish(self, decided: Decided) -> ModelResponse:
        verdict, record = decided
        response = cast("ModelResponse", verdict.draft.native)
        tier = self._engine.plan.tiers[verdict.tier].native
        messages = [
            stamp(message, record, drop_logprobs=tier.logprobs_are_ours)
            if message is _answer(response)
            else message
            for message in response.result
        ]
        return replace(response, result=messages)


class TurnCalls:
    """Calls an agent's handler with each tier's model; judges are called directly.

    Args:
        handler: What the agent calls its model with.
        tiers: The tiers' bare models and what is bound to them.
        judges: The judges' models.
    """

    def __init__(self, handler: Any, tiers: list[Flat], judges: Judges) -> None:
        self._handler = handler
        self._tiers = tiers
        self._judges = judges

    @property
    def fatal(self) -> tuple[type[Exception], ...]:
        """Exceptions that end a request: ours, and those by which LangGraph steers."""
        return fatal()

    def call(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run one model turn, or ask a judge."""
        recorder = CallRecorder()
        started = perf_counter()
        if effect.request.native is None:
            model, messages, config = self._question(effect)
            message = model.invoke(messages, config, **effect.options)
            return _answered(message, perf_counter() - started, messages)
        try:
            response = self._handler(self._turn(effect, sample, recorder))
        except Exception as error:  # noqa: BLE001 - whatever a tier raises is its failure
            return self._broken(error, perf_counter() - started, recorder, effect)
        return _read(response, perf_counter() - started, recorder, effect)

    async def acall(self, effect: Ask, sample: int) -> Draft | Failed:
        """Run one model turn, or ask a judge."""
        recorder = CallRecorder()
        started = perf_counter()
        if effect.request.native is None:
            model, messages, config = self._question(effect)
            message = await model.ainvoke(messages, config, **effect.options)
            return _answered(message, perf_counter() - started, messages)
        try:
            response = await self._handler(self._turn(effect, sample, recorder))
        except Exception as error:  # noqa: BLE001 - whatever a tier raises is its failure
            return self._broken(error, perf_counter() - started, recorder, effect)
        return _read(response, perf_counter() - started, recorder, effect)

    def open(self, effect: Open) -> Any:
        """Never happens: an agent's turn is one whole answer."""
        raise NotImplementedError(effect)

    aopen = open  # noqa: A003 - the method above is meant

    def as_chunk(self, native: Any, tier: Tier) -> Any:
        """Return the answer: an agent's turn is one whole answer."""
        del tier
        return native

    def _turn(self, effect: Ask, sample: int, recorder: CallRecorder) -> ModelRequest:
        """Return the agent's request with a tier's model in it."""
        request = cast("ModelRequest", effect.request.native)
        index = effect.target.index
        flat = self._tiers[index]
        shown = index == len(self._tiers) - 1 and effect.purpose == "draft"
        variant = Variant(
            draft=not shown,
            logprobs=effect.logprobs,
            top_logprobs=effect.top_logprobs,
            fresh=effect.purpose == "sample",
        )
        model = vary(flat.model, variant)
        tags = [*(model.tags or []), *(flat.config.get("tags") or [])]
        tags += [f"cascade:tier:{index}", f"cascade:{effect.purpose}"]
        if not shown:
            tags.append("nostream")
        metadata = {**(model.metadata or {}), **(flat.config.get("metadata") or {})}
        given = [*_handlers(model.callbacks), *_handlers(flat.config.get("callbacks"))]
        update = {"tags": tags, "metadata": metadata, "callbacks": [*given, recorder]}
        model = model.model_copy(update=update)
        model.__dict__.pop("_serialized", None)
        cleaned = without_foreign_cache_keys(request, flat.model)
        settings = {**cleaned.model_settings, **flat.kwargs, **effect.options}
        seed = settings.get("seed", getattr(flat.model, "seed", None))
        if effect.purpose == "sample" and isinstance(seed, int):
            settings["seed"] = seed + sample + 1  # one seed would give the draft itself n times
        return cleaned.override(model=model, model_settings=settings)

    def _broken(
        self, error: Exception, seconds: float, recorder: CallRecorder, effect: Ask
    ) -> Draft | Failed:
        """Return a turn's failure with the calls it had paid for.

        A draft whose structured response is not of its schema is a draft that
        fails the parser's gate; from the last tier it is an error, as without
        a cascade.
        """
        if isinstance(error, control_flow()) or not recorder.calls:
            raise error
        last = effect.target.index == len(self._tiers) - 1
        if isinstance(error, StructuredOutputError) and not last:
            response = ModelResponse(result=[error.ai_message])
            return replace(_read(response, seconds, recorder, effect), parse_error=error)
        return Failed(error, seconds, Draft(seconds=seconds, inner=recorder.calls))

    def _question(self, effect: Ask) -> tuple[Any, list[BaseMessage], RunnableConfig]:
        """Return a judge, or a tier, and what the core itself asks it."""
        target = effect.target
        tier = target.native if isinstance(target, Tier) else self._judges[target]
        variant = Variant(draft=True, logprobs=effect.logprobs, top_logprobs=effect.top_logprobs)
        config: RunnableConfig = {"tags": ["nostream", f"cascade:{effect.purpose}"]}
        return tier.model(variant), to_messages(effect.request.turns), config


class _Wanted:
    """What structured response an agent was asked for, as far as gates can check it.

    Attributes:
        tools: The tools by which a model may hand it in.
        named: Whether all of their names are known; LangChain makes some up anew each time.
        schema: JSON schema of the whole answer, where LangChain does not check it itself.
    """

    __slots__ = ("named", "schema", "tools")

    def __init__(self, specs: Sequence[Any] = (), *, by_tool: bool = True) -> None:
        # LangChain validates what it turns into objects, but hands plain JSON on unread.
        plain = [spec.json_schema if spec.schema_kind == "json_schema" else None for spec in specs]
        pairs = zip(specs, plain, strict=True)
        self.tools = [ToolSpec(spec.name, schema) for spec, schema in pairs] if by_tool else []
        self.named = not by_tool or all(schema is None or "title" in schema for schema in plain)
        self.schema = plain[0] if len(plain) == 1 else None

    @classmethod
    def of(cls, response_format: Any) -> _Wanted:
        """Read a response format of any kind."""
        if response_format is None:
            return cls()
        if isinstance(response_format, ProviderStrategy):
            return cls([response_format.schema_spec], by_tool=False)
        if not isinstance(response_format, ToolStrategy):  # LangChain picks a strategy by the model
            response_format = ToolStrategy(getattr(response_format, "schema", response_format))
        return cls(response_format.schema_specs)


def _flat(given: Any, where: str) -> Flat:
    flat = flatten(given)
    if flat is None:
        msg = (
            f"{where} is wrapped in more than bindings; give the chat model itself "
            "(ModelRetryMiddleware retries an agent's model turns)"
        )
        raise ConfigurationError(msg)
    bound = sorted(TOOL_KEYWORDS & set(flat.kwargs))
    if bound:
        msg = f"{where} has {bound[0]} bound to it; the agent gives every tier its own tools"
        raise ConfigurationError(msg)
    return flat


def _handlers(callbacks: Any) -> list[Any]:
    return list(callbacks if isinstance(callbacks, list) else getattr(callbacks, "handlers", ()))


def _messages(request: ModelRequest) -> list[BaseMessage]:
    head = [] if request.system_message is None else [request.system_message]
    return [*head, *request.messages]


def _answer(response: Any) -> AIMessage | None:
    """Return the model's own message in a response."""
    return next((m for m in reversed(response.result) if isinstance(m, AIMessage)), None)


def _read(response: Any, seconds: float, recorder: CallRecorder, effect: Ask) -> Draft:
    response = getattr(response, "model_response", response)
    if isinstance(response, AIMessage):
        response = ModelResponse(result=[response])
    message = _answer(response)
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
