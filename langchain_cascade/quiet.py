"""How a draft is kept from streaming by itself.

A draft must not be seen before it is accepted, so its copy of the model neither asks its provider
for a stream nor tells handlers of tokens. Integrations spell the wish to stream in many ways, and
each left standing makes the call fail or shows the draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel

from cascade_core.integrations.classes import LANGCHAIN, integration

KEYWORDS = frozenset({"stream", "stream_options", "stream_usage"})
"""Arguments of a call that ask for a stream, or say what is to be in it."""

_PASSED_ON = ("model_kwargs", "extra_body")
"""Fields whose entries become arguments of every call."""


def quiet_fields(model: BaseChatModel) -> dict[str, Any]:
    """Return the fields to set on a copy of a model so that it answers in one piece."""
    update: dict[str, Any] = {"disable_streaming": True}
    if getattr(model, "streaming", False) and "streaming" in type(model).model_fields:
        update["streaming"] = False
    for name in _PASSED_ON:
        passed = getattr(model, name, None)
        if isinstance(passed, Mapping) and not KEYWORDS.isdisjoint(passed):
            update[name] = without_streaming(passed)
    return update


def without_streaming(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call without those that ask for a stream."""
    return {name: value for name, value in kwargs.items() if name not in KEYWORDS}


def hush(copy: BaseChatModel) -> None:
    """Keep a copy that answers in one piece from telling handlers of tokens all the same.

    Ollama's integration always streams and tells as it goes; without a run it has nobody to tell.
    """
    if not integration(copy, LANGCHAIN).tells_tokens:
        return
    cls = type(copy)

    # Without a parameter `run_manager`: LangChain hands the run only to methods that name it.
    def generate(messages: Any, stop: Any = None, **kwargs: Any) -> Any:
        return cls._generate(copy, messages, stop=stop, **kwargs)

    async def agenerate(messages: Any, stop: Any = None, **kwargs: Any) -> Any:
        return await cls._agenerate(copy, messages, stop=stop, **kwargs)

    copy.__dict__.update(_generate=generate, _agenerate=agenerate)
