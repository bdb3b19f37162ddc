"""The models that signals ask something of the cascade's own, such as judges, ready to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cascade_core.integrations.decisions import decision_model
from cascade_core.signals.asking import models_asked
from llamaindex_cascade.asking.models import with_model
from llamaindex_cascade.asking.tiers import check_llm


class JudgeLLMs:
    """The LLMs of a cascade's signals, each made once where it is given by name.

    Args:
        signals: Whatever may ask models of its own.

    Raises:
        ConfigurationError: A model is not an LLM, cannot be made, or cannot describe itself.
    """

    def __init__(self, signals: Sequence[Any] = ()) -> None:
        self._llms: dict[int, tuple[Any, Any]] = {}
        for signal in signals:
            for model in models_asked(signal):
                if decision_model(model) is None:  # LangChain's, which is called as it is
                    where = f"the model of the signal {signal.name!r}"
                    llm = check_llm(with_model(model, where), where, by_name=True)
                    self._llms[id(model)] = model, llm

    def get(self, model: Any) -> Any:
        """Return the LLM that a signal's model is; another model as it is."""
        found = self._llms.get(id(model))
        return model if found is None else found[1]
