"""Sees every model call inside a chain, so that a chain's cost is the sum of its calls."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from threading import Lock
from time import perf_counter
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from cascade_core.call import Call
from cascade_core.draft import Draft
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
        self._started: dict[UUID, tuple[float, Sequence[BaseMessage], str | None]] = {}
        self._lock = Lock()

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

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        """Write the call down."""
        started, prompt, name = self._started.pop(run_id, (perf_counter(), [], None))
        seconds = perf_counter() - started
        generation = response.generations[0][0] if response.generations else None
        if isinstance(generation, ChatGeneration):
            draft = to_draft(generation.message, seconds)
        else:
            draft = to_draft(AIMessage("" if generation is None else generation.text), seconds)
        usage = with_usage(draft, prompt, name)
        call = Call(None, draft.model or name, "draft", usage, None, seconds, "returned")
        if draft.cached:
            call.cost = FREE
        with self._lock:
            self.calls.append(call)
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
        started, _prompt, name = self._started.pop(run_id, (perf_counter(), [], None))
        seconds = perf_counter() - started
        with self._lock:
            self.calls.append(Call(None, name, "draft", _paid(response), None, seconds, "failed"))

    def _start(self, run_id: UUID, messages: Sequence[BaseMessage], kwargs: dict[str, Any]) -> None:
        params = kwargs.get("invocation_params") or {}
        name = params.get("model_name") or params.get("model")
        self._started[run_id] = (perf_counter(), messages, name)


def _paid(response: Any) -> Usage | None:
    """Return the usage in the body that LangChain keeps of an answer nobody could read."""
    try:
        usage = response.generations[0][0].message.response_metadata["body"]["usage"]
        return Usage(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
