"""The engine of a LlamaIndex cascade: the core's."""

from __future__ import annotations

from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_core.setup.engine import Engine
from cascade_core.tier import Tier
from llamaindex_cascade.asking.judges import JudgeLLMs
from llamaindex_cascade.asking.models import AGREEING, with_model
from llamaindex_cascade.asking.runs import follow_span_runs
from llamaindex_cascade.asking.tiers import make_tier


class LLMEngine(Engine):
    """The core's engine for LlamaIndex's models, synthesizers and query engines.

    Attributes:
        judges: The models that its signals ask something of the cascade's own.

    Raises:
        ConfigurationError: A setting cannot work.
    """

    framework = "llamaindex"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.guards.per_run:
            follow_span_runs()
        self.judges = JudgeLLMs(self.asking)

    def as_judge(self, model: Any) -> Tier | None:
        """Return a judge as if it were a tier; see `Engine.as_judge`."""
        try:
            return make_tier(self.judges.get(model), 0)
        except ConfigurationError:
            return None

    def make_partner(self, model: Any, index: int) -> Tier:
        """Return a model that a signal asks what the tiers are asked as a tier.

        Raises:
            ConfigurationError: It is not an LLM, or cannot describe itself.
        """
        return make_tier(with_model(model, AGREEING), index, AGREEING)
