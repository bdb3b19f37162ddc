"""`generate` and its kin, each a matter of asking `invoke`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    BaseCallbackManager,
    CallbackManager,
    CallbackManagerForLLMRun,
    Callbacks,
)
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult, LLMResult
from langchain_core.runnables import RunnableConfig


class GenerateByInvoke:
    """The list-shaped interface of a chat model, for `ChatCascade`."""

    if TYPE_CHECKING:
        invoke: Any
        ainvoke: Any

    def generate(
        self,
        messages: list[list[BaseMessage]],
        stop: list[str] | None = None,
        callbacks: Callbacks = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Answer several requests, one after the other."""
        configs = _configs(len(messages), callbacks, kwargs)
        return _result(
            [
                self.invoke(prompt, config, stop=stop, **kwargs)
                for prompt, config in zip(messages, configs, strict=True)
            ]
        )

    async def agenerate(
        self,
        messages: list[list[BaseMessage]],
        stop: list[str] | None = None,
        callbacks: Callbacks = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Answer several requests at once."""
        configs = _configs(len(messages), callbacks, kwargs)
        asked = (
            self.ainvoke(prompt, config, stop=stop, **kwargs)
            for prompt, config in zip(messages, configs, strict=True)
        )
        return _result(await asyncio.gather(*asked))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """Answer below a model run that somebody else opened."""
        config = {"callbacks": _below(run_manager, CallbackManager)}
        message = self.invoke(messages, config, stop=stop, **kwargs)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """Answer below a model run that somebody else opened."""
        config = {"callbacks": _below(run_manager, AsyncCallbackManager)}
        message = await self.ainvoke(messages, config, stop=stop, **kwargs)
        return ChatResult(generations=[ChatGeneration(message=message)])


def _configs(count: int, callbacks: Callbacks, kwargs: dict[str, Any]) -> list[RunnableConfig]:
    """Return a configuration per request; the options of runs are taken out of the arguments."""
    shared: dict[str, Any] = {
        "callbacks": callbacks,
        "tags": kwargs.pop("tags", None) or [],
        "metadata": kwargs.pop("metadata", None) or {},
        "run_name": kwargs.pop("run_name", None),
    }
    run_id = kwargs.pop("run_id", None)
    configs = [cast("RunnableConfig", dict(shared)) for _ in range(count)]
    if run_id is not None and configs:  # one id names one run: the first, as in LangChain
        configs[0]["run_id"] = run_id
    return configs


def _result(answers: Sequence[AIMessage]) -> LLMResult:
    return LLMResult(generations=[[ChatGeneration(message=message)] for message in answers])


def _below(
    run: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None,
    kind: type[CallbackManager | AsyncCallbackManager],
) -> BaseCallbackManager | None:
    """Return a manager whose runs are children of a model run, which has no `get_child`."""
    if run is None:
        return None
    manager = kind(handlers=[], parent_run_id=run.run_id)
    manager.set_handlers(run.inheritable_handlers)
    manager.add_tags(run.inheritable_tags)
    manager.add_metadata(run.inheritable_metadata)
    return manager
