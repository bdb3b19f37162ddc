"""The engine of a LangChain cascade: the core's, with judges and how the last tier is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Self

from langchain_core.messages import BaseMessage

from cascade_core.errors import ConfigurationError
from cascade_core.setup.engine import Engine
from cascade_core.setup.handler import OnHandoff
from cascade_core.setup.partners import MakePartner
from cascade_core.setup.settings import DECIDING, GUARDING, RECORDING
from cascade_core.signals.asking import models_asked
from cascade_core.tier import Tier
from langchain_cascade.providers import has_marks, wants_marks
from langchain_cascade.runs import follow_chain_runs
from langchain_cascade.tiers import Judges, TierList, core_tier, make_tier, to_core
from langchain_cascade.wrapping import Variant

MODES = frozenset({"logprobs", "disable_streaming", "cache"})
"""Fields that change how the tiers are called and not what is decided."""
REBUILD = frozenset({"tiers", "to_draft", *DECIDING, *RECORDING, *GUARDING})


class ChatEngine(Engine):
    """The core's engine for LangChain's models.

    Args:
        settings: The caller's settings.
        tiers: The tiers as the core sees them.
        handler: What answers in the place of a draft that is handed off.

    Attributes:
        judges: The models that signals ask.
        keep_logprobs: Whether answers carry token log-probabilities.
        last: How the last tier is called. A cascade that must not stream, or
            not use caches, must not do so through its last tier either.
        uncached: A tier whose provider caches marked prompts, and that nobody has marked for;
            None where there is none, or where it has been looked into.

    Raises:
        ConfigurationError: A setting cannot work.
    """

    framework = "langchain"
    keep_logprobs: bool
    last: Variant

    def __init__(
        self,
        settings: Any,
        tiers: Sequence[Tier],
        handler: OnHandoff | None = None,
        make_partner: MakePartner | None = None,
    ) -> None:
        known = settings.tiers.notices if isinstance(settings.tiers, TierList) else None
        super().__init__(settings, tiers, known, handler, make_partner)
        if self.guards.per_run:
            follow_chain_runs()
        self.judges = Judges([model for s in self.asking for model in models_asked(s)])
        self.uncached = next((t.label for t in self.plan.tiers if wants_marks(t.native)), None)
        self._read_modes(settings)

    def as_judge(self, model: Any) -> Tier | None:
        """Return a judge as if it were a tier; see `Engine.as_judge`."""
        try:
            return to_core((self.judges[model],))[0]
        except ConfigurationError:
            return None

    def make_partner(self, model: Any, index: int) -> Tier:
        """Return a model that a signal asks what the tiers are asked as a tier.

        Raises:
            ConfigurationError: It is not a chat model.
        """
        return core_tier(index, make_tier(model, "a model of Agreement"))

    def look_for_marks(self, messages: Sequence[BaseMessage], kwargs: Mapping[str, Any]) -> None:
        """Warn once where an agent's prompts are not marked for the provider's cache.

        Middleware that marks them does so only for that provider's own class of models.
        """
        label, self.uncached = self.uncached, None
        if label is None or "cache_control" in kwargs or any(map(has_marks, messages)):
            return
        self.plan.notices.give(
            "prompt_cache",
            f"{label} caches prompts only where they are marked, and AnthropicPromptCaching"
            "Middleware passes a ChatCascade by: give the agent a ChatAnthropic and "
            "CascadeMiddleware(tiers=…) behind that middleware, or mark them by "
            "model.bind(cache_control={'type': 'ephemeral'}) on the tier",
        )

    def _read_modes(self, settings: Any) -> None:
        self.keep_logprobs = getattr(settings, "logprobs", None) is True
        self.last = Variant(
            draft=getattr(settings, "disable_streaming", None) is True,
            logprobs=self.keep_logprobs,
            fresh=getattr(settings, "cache", None) is False,
        )

    def with_modes(self, settings: Any) -> Self:
        """Return the same engine for a copy of the cascade that is called in another way."""
        engine = copy(self)
        engine._read_modes(settings)  # noqa: SLF001 - it is ours
        return engine
