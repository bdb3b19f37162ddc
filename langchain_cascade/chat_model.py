"""`ChatCascade`: a chat model made of chat models, cheapest first.

What it is set up with, copies of it, and what it lends to chains and agents; how it answers is in
`asking`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Self, Unpack, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from pydantic import ConfigDict

from cascade_core.errors import ConfigurationError
from cascade_core.setup.constructor import configured
from cascade_core.setup.settings import CascadeKeywords, CascadeSettings
from langchain_cascade.asking import Asking
from langchain_cascade.capabilities import intersect_profiles, supports_tools
from langchain_cascade.describe import Described
from langchain_cascade.engine import MODES, REBUILD, ChatEngine
from langchain_cascade.generate import GenerateByInvoke
from langchain_cascade.handing import chat_handler
from langchain_cascade.parameters import NAMES, ChatKeywords, StandardParameters, for_tiers
from langchain_cascade.providers import goes_on
from langchain_cascade.tiers import ChatTier, GivenTier, TierList, core_tiers
from langchain_cascade.tools import SIDECAR, BoundTools

_REBUILD = REBUILD | (NAMES | {"output_version"}) - MODES


@configured(CascadeKeywords, ChatKeywords)
class ChatCascade(
    CascadeSettings, StandardParameters, Asking, Described, GenerateByInvoke, BaseChatModel
):
    """A chat model that asks a cheap model first and a stronger one when it must.

    It takes the place of a chat model anywhere: in chains, agents, with tools
    and structured output, sync, async, streamed and batched.

    `Grounding` needs to know what was retrieved, which a prompt does not say:
    name it with the request, `config={"metadata": {"cascade_contexts": documents}}`.

    Args:
        tiers: Chat models, cheapest first: instances (bound, retried, or
            cascades themselves) or names for `init_chat_model`.
        settings: See `CascadeKeywords` and `ChatKeywords`; `help()` lists them.

    Raises:
        ConfigurationError: A setting cannot work; the message says which and why.

    Examples:
        >>> llm = ChatCascade([cheap, strong], thresholds=0.8)
        >>> llm.invoke("When is my invoice due?").response_metadata["cascade"]["reason"]
        'confident'
    """

    model_config = ConfigDict(defer_build=True)  # importing stays quick

    def __init__(self, tiers: Sequence[GivenTier], **settings: Unpack[ChatKeywords]) -> None:
        fields: dict[str, Any] = {"tiers": tiers, **settings}
        super().__init__(**fields)
        if isinstance(self.tiers, list | tuple) and not isinstance(self.tiers, TierList):
            self.__dict__["tiers"] = TierList(self.tiers)
        # Outside pydantic's own validation, which would quote its input in errors.
        made = self._chat_tiers
        if self.profile is None:
            self.profile = cast("Any", intersect_profiles([tier.inner for tier in made]))

    @classmethod
    def from_models(cls, *names: str, **settings: Unpack[ChatKeywords]) -> Self:
        """Make a cascade from model names, cheapest first.

        Args:
            names: Names for `init_chat_model`, such as `"openai:gpt-4o-mini"`.
            settings: See the class.
        """
        return cls(list(names), **settings)

    @cached_property
    def _engine(self) -> ChatEngine:
        """The checked settings; a cached property, since pydantic's private attributes are slow."""
        tiers, parameters = core_tiers(self.tiers, for_tiers(self)), for_tiers(self)
        return ChatEngine(self, tiers, chat_handler(self.on_handoff, len(tiers), parameters))

    @property
    def _chat_tiers(self) -> list[ChatTier]:
        return [tier.native for tier in self._engine.plan.tiers]

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field; one that decides anything is checked and takes effect at once."""
        super().__setattr__(name, value)
        if name in _REBUILD:
            self.__dict__.pop("_engine", None)
            _ = self._engine
        elif name in MODES:
            self.__dict__["_engine"] = self._engine.with_modes(self)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy the settings and models; the copy starts with nothing learned."""
        bare = self.__copy__()
        bare.__dict__.pop("_engine", None)
        return super(ChatCascade, bare).__deepcopy__(memo)

    def __getstate__(self) -> dict[Any, Any]:
        """Let the settings and models cross to another process, and nothing made of them."""
        state = super().__getstate__()
        made = ("_engine", "_serialized")
        fields = {k: v for k, v in state["__dict__"].items() if k not in made}
        return {**state, "__dict__": fields}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the cascade; changed settings are checked like new ones."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("_serialized", None)  # cached, and part of cache keys
        if update and _REBUILD & set(update):
            copy.__dict__.pop("_engine", None)
            _ = copy._engine  # noqa: SLF001
        elif update and MODES & set(update):
            copy.__dict__["_engine"] = self._engine.with_modes(copy)
        return copy

    def _mute(self, kwargs: dict[str, Any], tools: BoundTools | None) -> list[int]:
        """Return the tiers whose answers to such a call come without log-probabilities."""
        return [i for i, tier in enumerate(self._chat_tiers) if tier.mute(kwargs, tools)]

    def _first(self, kwargs: dict[str, Any]) -> int:
        """Return the first tier that can go on with a conversation which the call names.

        Raises:
            ConfigurationError: The last tier cannot, and the others know no more of it.
        """
        able = [goes_on(kwargs, tier.inner) for tier in self._chat_tiers]
        if not able[-1]:
            msg = (
                "the call names a conversation that OpenAI keeps (previous_response_id), and the "
                "last tier is another provider's: send the whole history instead"
            )
            raise ConfigurationError(msg)
        return max((i + 1 for i, can in enumerate(able) if not can), default=0)

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | Any],
        *,
        tool_choice: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools; each tier binds them in its own provider's form.

        Args:
            tools: Tools in any form LangChain takes.
            tool_choice: Which tool to call, passed on to every tier.
            kwargs: Further arguments of the tiers' own `bind_tools`.

        Raises:
            NotImplementedError: No tier can call tools.
        """
        if not any(supports_tools(tier.inner) for tier in self._chat_tiers):
            msg = f"no tier of {self!r} can call tools"
            raise NotImplementedError(msg)
        options = {**kwargs, **({} if tool_choice is None else {"tool_choice": tool_choice})}
        bound = BoundTools(tools, options)
        return self.bind(tools=bound.formatted, **{SIDECAR: bound})

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a cascade whose answers are objects of a schema.

        Every tier makes them in its own way; an answer that does not parse
        escalates.

        Args:
            schema: A pydantic class, `TypedDict`, JSON schema or tool schema.
            include_raw: Return `{"raw", "parsed", "parsing_error"}` instead of
                the object.
            kwargs: Arguments of the tiers' own method: `method`, `strict`, …

        Raises:
            NotImplementedError: A tier cannot make structured output.
        """
        from langchain_cascade.structured import structured_cascade  # noqa: PLC0415 - on use

        return structured_cascade(
            self,
            self._chat_tiers,
            self._engine,
            schema,
            include_raw=include_raw,
            stop=self.stop,
            **kwargs,
        )
