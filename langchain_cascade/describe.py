"""What a cascade tells LangChain about itself: never a key, never a tier's repr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import BaseMessage

from langchain_cascade.parameters import SAMPLING

if TYPE_CHECKING:
    from langchain_cascade.engine import ChatEngine
    from langchain_cascade.tiers import ChatTier


_TRACED = ("ls_provider", "ls_model_name")


def _traced(model: BaseChatModel) -> dict[str, Any]:
    params = cast("dict[str, Any]", model._get_ls_params())  # noqa: SLF001
    return {name: params[name] for name in _TRACED if params.get(name)}


class Described:
    """The parts of a chat model that describe it, for `ChatCascade`."""

    if TYPE_CHECKING:

        @property
        def _chat_tiers(self) -> list[ChatTier]: ...
        @property
        def _engine(self) -> ChatEngine: ...

        temperature: float | None
        max_tokens: int | None
        stop: list[str] | None

    def __repr__(self) -> str:
        """Name the tiers and their thresholds."""
        thresholds = list(self._engine.plan.thresholds)
        return f"{type(self).__name__}({self.tier_names}, thresholds={thresholds})"

    __str__ = __repr__

    @property
    def tier_names(self) -> str:
        """The tiers' model names, cheapest first."""
        return " -> ".join(
            tier.model or type(tier.native.inner).__name__ for tier in self._engine.plan.tiers
        )

    @property
    def _llm_type(self) -> str:
        return "model-cascade"

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return False: `load` accepts no classes outside LangChain's own list."""
        return False

    @property
    def _identifying_params(self) -> dict[str, Any]:
        tiers = [tier.identity() for tier in self._chat_tiers]
        set_here = {name: getattr(self, name) for name in SAMPLING}
        return {"tiers": tiers, "parameters": set_here, **self._engine.identity()}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        named = kwargs.get("model")
        params = LangSmithParams(
            ls_provider="model_cascade",
            ls_model_type="chat",
            ls_model_name=f"cascade({self.tier_names})",
        )
        params.update(self._agreed)
        if isinstance(named, str):
            params["ls_model_name"] = named
        if stop or self.stop:
            params["ls_stop"] = stop or self.stop
        if self.temperature is not None:
            params["ls_temperature"] = self.temperature
        if self.max_tokens is not None:
            params["ls_max_tokens"] = self.max_tokens
        return params

    @property
    def _agreed(self) -> LangSmithParams:
        """What all tiers say of their provider and their model's name."""
        first, *others = [_traced(tier.inner) for tier in self._chat_tiers]
        agreed = {k: v for k, v in first.items() if all(other.get(k) == v for other in others)}
        return cast("LangSmithParams", agreed)

    def get_token_ids(self, text: str) -> list[int]:
        """Return the tokens of a text as the first tier counts them."""
        return self._chat_tiers[0].inner.get_token_ids(text)

    def get_num_tokens(self, text: str) -> int:
        """Return how many tokens a text has for the first tier."""
        return self._chat_tiers[0].inner.get_num_tokens(text)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Return how many tokens messages have for the first tier."""
        return self._chat_tiers[0].inner.get_num_tokens_from_messages(messages, tools)
