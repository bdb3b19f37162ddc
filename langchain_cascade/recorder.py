"""Sees every model call inside a chain, so that a chain's cost is the sum of its calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from threading import Lock
from time import perf_counter
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from cascade_core.call import Call, Outcome
from cascade_core.draft import Draft
from cascade_core.integrations.classes import HOSTS
from cascade_core.integrations.usage import read_usage, so_far
from cascade_core.log import aside
from cascade_core.tier import hosted
from cascade_core.usage import Usage
from langchain_cascade.convert import to_draft, with_usage

FREE = Decimal(0)


class CallRecorder(BaseCallbackHandler):
    """Writes down the model calls of one run of a chain.

    Attributes:
        calls: The calls, in the order they ended.
        last: The last model answer, for its log-probabilities and finish reason.
    """

    run_inline = True  # in the caller's thread or task: nothing is waited for

    def __init__(self) -> None:
        """Start with no calls."""
        self.calls: list[Call] = []
        self.last: Draft | None = None
        self._started: dict[UUID, _Started] = {}
        self._lock = Lock()
        self._aside = aside()

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002 - LangChain's signature
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        """Note when a chat model was called and with what."""
        self._start(run_id, messages[0] if messages else [], kwargs)

    def on_llm_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002 - LangChain's signature
        prompts: list[str],
        *,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        """Note when a completion model was called and with what."""
        self._start(run_id, [HumanMessage(prompt) for prompt in prompts], kwargs)

    def on_llm_new_token(
        self,
        token: Any,  # noqa: ARG002 - LangChain's signature
        *,
        chunk: Any = None,
        run_id: UUID,
        **_: Any,
    ) -> None:
        """Keep what a chunk reports of the tokens: it may be the total so far."""
        reported = getattr(getattr(chunk, "message", None), "usage_metadata", None)
        if reported and run_id in self._started:
            self._started[run_id].reports.append(reported)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        """Write the call down."""
        if aside() is not self._aside:
            return
        call = self._started.pop(run_id, None) or _Started()
        seconds = perf_counter() - call.at
        generation = response.generations[0][0] if response.generations else None
        if isinstance(generation, ChatGeneration):
            message, reported = generation.message, so_far(call.reports)
            draft = to_draft(message, seconds, name=call.name, reported=reported)
        else:
            told = {} if generation is None else generation.generation_info or {}
            text = "" if generation is None else generation.text
            meta = {**(response.llm_output or {}), **told}
            draft = to_draft(AIMessage(text, response_metadata=meta), seconds, name=call.name)
        usage = with_usage(draft, call.messages, call.name)
        made = call.made(draft.model, usage, seconds, "returned")
        if draft.cached:
            made.cost = FREE
        with self._lock:
            self.calls.append(made)
            self.last = draft

    def on_llm_error(
        self,
        error: BaseException,  # noqa: ARG002 - LangChain's signature
        *,
        run_id: UUID,
        response: Any = None,
        **_: Any,
    ) -> None:
        """Write a failed call down; an answer that its client could not read is paid for."""
        if aside() is not self._aside:
            return
        call = self._started.pop(run_id, None) or _Started()
        made = call.made(None, _paid(response), perf_counter() - call.at, "failed")
        with self._lock:
            self.calls.append(made)

    def counted(self, draft: Draft) -> Draft:
        """Return a draft with the tokens that its stream reported, where they were totals."""
        usage = None if self.last is None else self.last.usage
        return draft if usage is None else replace(draft, usage=usage)

    def _start(self, run_id: UUID, messages: Sequence[BaseMessage], kwargs: dict[str, Any]) -> None:
        if aside() is not self._aside:  # a cascade inside is audited: no part of this run
            return
        given = {**(kwargs.get("metadata") or {}), **(kwargs.get("invocation_params") or {})}
        names = [given[key] for key in _NAMES if isinstance(given.get(key), str)]
        provider = str(given.get("ls_provider") or "").lower()
        host = provider if provider in HOSTS else None
        self._started[run_id] = _Started(messages, tuple(dict.fromkeys(names)), host)


_NAMES = ("model_name", "model", "model_id", "ls_model_name", "azure_deployment")
"""What LangChain tells of a call's model, the name it is called by first."""


@dataclass(slots=True)
class _Started:
    """A call that has not ended.

    Attributes:
        messages: What was asked.
        names: The model's names, as far as LangChain tells.
        host: Who serves it, where that is not its maker.
        reports: What the chunks of its stream reported of the tokens.
    """

    messages: Sequence[BaseMessage] = ()
    names: tuple[str, ...] = ()
    host: str | None = None
    at: float = field(default_factory=perf_counter)
    reports: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str | None:
        """The name it was called by."""
        return self.names[0] if self.names else None

    def made(
        self, answered: str | None, usage: Usage | None, seconds: float, outcome: Outcome
    ) -> Call:
        """Return the call."""
        model = answered or self.name
        names = hosted(self.host, model, *self.names)
        return Call(None, model, "draft", usage, None, seconds, outcome, names=names)


def _paid(response: Any) -> Usage | None:
    """Return the usage in the body that LangChain keeps of an answer nobody could read."""
    try:
        return read_usage(response.generations[0][0].message.response_metadata["body"]["usage"])
    except (AttributeError, IndexError, KeyError, TypeError):
        return None
