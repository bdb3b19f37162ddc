"""`CascadeMiddleware`: an agent's model turns, cascaded.

Every turn of `create_agent` is one request: the cheap model proposes, and its
answer or tool calls are judged before anything is executed. A tier that is not
the last never executes a tool, because rejected proposals never reach the
agent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, Self, Unpack, cast

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain.agents.structured_output import (
    ProviderStrategy,
    ToolStrategy,
)
from langchain_core.messages import BaseMessage
from langchain_core.runnables.config import ensure_config

from cascade_core.abilities import Missing
from cascade_core.errors import CascadeExhausted, ConfigurationError
from cascade_core.integrations.limits import token_limit, tokens_with, unread_in
from cascade_core.integrations.tools import read_choice
from cascade_core.loop.session import Decided, Session
from cascade_core.request import Request, ToolSpec
from cascade_core.setup.constructor import configured
from cascade_core.setup.settings import CascadeKeywords, CascadeSettings, called
from langchain_cascade.answer import stamp
from langchain_cascade.contexts import thread_of
from langchain_cascade.convert import goes_further, load_of, to_turns
from langchain_cascade.engine import ChatEngine
from langchain_cascade.handing import chat_handler
from langchain_cascade.runs import chain_run_of
from langchain_cascade.tiers import GivenTier, make_tiers, to_core
from langchain_cascade.tools import TOOL_KEYWORDS, BoundTools
from langchain_cascade.turns import Copies, TurnCalls, answer_in
from langchain_cascade.watching import session_kind
from langchain_cascade.wrapping import Flat, decide, flatten, is_undecided

Handler = Callable[[ModelRequest], Any]
AsyncHandler = Callable[[ModelRequest], Awaitable[Any]]

_TOOLS: tuple[Missing, ...] = ("tools",)


@configured(CascadeKeywords)
class CascadeMiddleware(AgentMiddleware):
    """Answers each of an agent's model turns with a cascade.

    The tiers take the place of the agent's own model. Drafts are whole and
    hidden from message streams; the last tier streams as the agent does.

    Args:
        tiers: Chat models, bound or not, or their names, cheapest first.
        settings: See `CascadeKeywords`; `help()` lists them.

    Raises:
        ConfigurationError: A setting cannot work; the message says which and why.
    """

    def __init__(self, tiers: Sequence[GivenTier], **settings: Unpack[CascadeKeywords]) -> None:
        super().__init__()
        self._given = (tiers, settings)
        self._copies: Copies = {}
        given = make_tiers(tiers)
        self._flat: dict[int, Any] = {
            index: _flat_later(tier.given, f"tiers[{index}]") for index, tier in enumerate(given)
        }
        named = called(settings, type(self))
        handler = chat_handler(settings.get("on_handoff"), len(given), chains=False)
        if handler is not None and handler.tier is not None:
            self._flat[len(given)] = _flat(handler.tier.native.given, "on_handoff")
        checked = CascadeSettings(tiers=tiers, **named)
        self._engine = ChatEngine(checked, to_core(given), handler)
        for tier in self._engine.partners.tiers:
            self._flat[tier.index] = _flat_later(tier.native.given, "a model of Agreement")

    @property
    def name(self) -> str:
        """What records call the cascade; an agent takes only one middleware of a name."""
        return self._engine.name

    @classmethod
    def from_models(cls, *names: str, **settings: Unpack[CascadeKeywords]) -> Self:
        """Make a middleware from model names, cheapest first; see `ChatCascade.from_models`."""
        return cls(list(names), **settings)

    def __reduce__(self) -> tuple[Any, ...]:
        """Be made again, of the same tiers and settings."""
        return _remake, (type(self), *self._given)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy the settings and models; the copy starts with nothing learned."""
        tiers, settings = deepcopy(self._given, memo)
        return type(self)(tiers, **settings)

    def wrap_model_call(self, request: ModelRequest, handler: Handler) -> ModelResponse:
        """Answer one model turn."""
        session, calls = self._session(request, handler)
        try:
            return self._finish(session.run())
        except CascadeExhausted as exhausted:
            own = calls.own(exhausted)
            if own is None:
                raise
        finally:
            calls.tell_tracers()
        raise own

    async def awrap_model_call(self, request: ModelRequest, handler: AsyncHandler) -> ModelResponse:
        """Answer one model turn."""
        session, calls = self._session(request, handler)
        try:
            return self._finish(await session.arun())
        except CascadeExhausted as exhausted:
            own = calls.own(exhausted)
            if own is None:
                raise
        finally:
            calls.tell_tracers()
        raise own

    def _session(self, request: ModelRequest, handler: Any) -> tuple[Session, TurnCalls]:
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
            thread=thread_of(config),
            run=chain_run_of(
                config.get("metadata"), getattr(config["callbacks"], "parent_run_id", None)
            ),
            max_tokens=token_limit(request.model_settings),
            beside=tokens_with(request.model_settings),
            unread=unread_in(request.model_settings),
            further=goes_further(request.messages),
            mute=[
                tier.index
                for tier in self._engine.plan.tiers
                if tier.native.mute(request.model_settings, tools)
            ],
            needs=(*_TOOLS, *wanted.needs) if tools or wanted.tools else wanted.needs,
            load=lambda: load_of(_messages(request)),
        )
        flat = {
            index: one if isinstance(one, Flat) else _flat(decide(one, config))
            for index, one in self._flat.items()
        }
        calls = TurnCalls(handler, flat, self._engine, config, self._copies)
        calls.session = session_kind(calls.watch)(self._engine, asked, calls)
        return calls.session, calls

    def _finish(self, decided: Decided) -> ModelResponse:
        verdict, record = decided
        response = cast("ModelResponse", verdict.draft.native)
        tier = self._engine.plan.tiers[verdict.tier].native
        messages = [
            stamp(message, record, drop_logprobs=tier.logprobs_are_ours)
            if message is answer_in(response)
            else message
            for message in response.result
        ]
        return replace(response, result=messages)


def _remake(
    cls: type[CascadeMiddleware], tiers: Any, settings: CascadeKeywords
) -> CascadeMiddleware:
    return cls(tiers, **settings)


class _Wanted:
    """What structured response an agent was asked for, as far as gates can check it.

    Attributes:
        tools: The tools by which a model may hand it in.
        needs: What a model must be able to do for it, beside calling tools.
        named: Whether all of their names are known; LangChain makes some up anew each time.
        schema: JSON schema of the whole answer, where LangChain does not check it itself.
    """

    __slots__ = ("named", "needs", "schema", "tools")

    def __init__(self, specs: Sequence[Any] = (), *, by_tool: bool = True) -> None:
        # LangChain validates what it turns into objects, but hands plain JSON on unread.
        plain = [spec.json_schema if spec.schema_kind == "json_schema" else None for spec in specs]
        pairs = zip(specs, plain, strict=True)
        self.tools = [ToolSpec(spec.name, schema) for spec, schema in pairs] if by_tool else []
        self.named = not by_tool or all(schema is None or "title" in schema for schema in plain)
        self.needs: Sequence[Missing] = () if by_tool else ("structured_output",)
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


def _flat_later(given: Any, where: str) -> Any:
    """Return a tier's bare model; the tier itself where a caller's configuration decides on it."""
    return given if is_undecided(given) else _flat(given, where)


def _flat(given: Any, where: str = "the configured tier") -> Flat:
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


def _messages(request: ModelRequest) -> list[BaseMessage]:
    head = [] if request.system_message is None else [request.system_message]
    return [*head, *request.messages]
