"""The answer cache of a whole cascade: LangChain's, keyed by the cascade's full set-up.

Each tier keeps its own cache as always. The cascade looks in one of its own
only where `cache=` asks for it: the global cache already serves the tiers, and
a hit there still lets the cascade judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from langchain_core.caches import BaseCache
from langchain_core.globals import get_llm_cache
from langchain_core.load import dumps
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration
from langchain_core.prompt_values import PromptValue

from cascade_core.errors import ConfigurationError
from langchain_cascade.tools import SIDECAR


class AnswerCache:
    """Looks up and keeps the answers of one request.

    Args:
        store: LangChain's cache.
        prompt: The prompt, as the cache's first key.
        setup: Everything else that decides the answer, as its second key.
    """

    def __init__(self, store: BaseCache, prompt: str, setup: str) -> None:
        self._store = store
        self._prompt = prompt
        self._setup = setup

    @classmethod
    def of(
        cls,
        cache: BaseCache | bool | None,  # noqa: FBT001 - LangChain's type of a cache
        prompt: PromptValue,
        kwargs: Mapping[str, Any],
        setup: Callable[..., str],
    ) -> Self:
        """Return the cache for one request.

        Args:
            cache: The cascade's `cache=`: True stands for LangChain's global one.
            prompt: What is asked.
            kwargs: The arguments it is asked with.
            setup: Describes, with these arguments, all else that decides the answer.

        Raises:
            ConfigurationError: `cache=True` and there is no global cache.
        """
        store = cache if isinstance(cache, BaseCache) else get_llm_cache()
        if store is None:
            msg = "cache=True, but no global cache is set: call set_llm_cache(…) or pass a cache"
            raise ConfigurationError(msg)
        plain = {k: v for k, v in kwargs.items() if k != SIDECAR}
        if SIDECAR in kwargs:
            plain["tools"] = kwargs[SIDECAR].identity
        messages = [m.model_copy(update={"id": None}) for m in prompt.to_messages()]
        return cls(store, dumps(messages), setup(**plain))

    def lookup(self) -> AIMessage | None:
        """Return the kept answer."""
        return _read(self._store.lookup(self._prompt, self._setup))

    async def alookup(self) -> AIMessage | None:
        """Return the kept answer."""
        return _read(await self._store.alookup(self._prompt, self._setup))

    def update(self, message: AIMessage) -> None:
        """Keep an answer."""
        self._store.update(self._prompt, self._setup, _kept(message))

    async def aupdate(self, message: AIMessage) -> None:
        """Keep an answer."""
        await self._store.aupdate(self._prompt, self._setup, _kept(message))


def _kept(message: AIMessage) -> list[ChatGeneration]:
    """Return what a cache keeps: a copy, for the caller may write on the message."""
    return [ChatGeneration(message=message.model_copy(deep=True))]


def _read(found: Any) -> AIMessage | None:
    """Return a kept answer: a copy, for a cache may hand out what it holds."""
    message = getattr(found[0], "message", None) if found else None
    return message.model_copy(deep=True) if isinstance(message, AIMessage) else None


def record_on(message: AIMessage) -> Mapping[str, Any]:
    """Return the record of the decision that a kept answer comes from."""
    return message.response_metadata.get("cascade") or {}


def reused(message: AIMessage, record: Mapping[str, Any]) -> AIMessage:
    """Return a kept answer with this decision's record: it cost nothing this time."""
    return message.model_copy(
        update={
            "response_metadata": {**message.response_metadata, "cascade": record},
            "usage_metadata": {**(message.usage_metadata or {}), "total_cost": 0},
        }
    )
