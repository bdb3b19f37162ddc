"""What a provider says of one answer, besides its text and the tools it calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cascade_core.draft import Finish
from cascade_core.frozen import frozen
from cascade_core.integrations.contents import REFUSAL_PARTS
from cascade_core.integrations.events import unwrapped
from cascade_core.integrations.fields import LISTS, Getter, field, getter, listed
from cascade_core.integrations.finish import FIELDS, finish_of, once, worst
from cascade_core.integrations.usage import read_usage, usage_in
from cascade_core.logprobs import is_number
from cascade_core.usage import Usage

MODEL_FIELDS = ("model_name", "model", "model_version", "model_id", "modelId")
"""Where an answer names its model; the first is LangChain's own."""

SAYING = frozenset((*FIELDS, *MODEL_FIELDS, "status", "error"))
"""Without any of these, what comes beside a chunk of a stream says nothing of its end."""

_STATUSES = frozenset({"completed", "incomplete", "failed", "cancelled"})
"""How answers of OpenAI's Responses API end."""


@frozen
class Said:
    """What a provider says of one answer.

    Attributes:
        finish: Why the model stopped, where that is said.
        refused: Whether the answer is marked as a refusal, or was withheld.
        model: The model that answered, as its provider names it.
        usage: The tokens of the call, where they are reported in full.
        logprobs: The log-probabilities as they were sent, for `read_logprobs`.
        failed: Whether it is the provider's error, in place of an answer or of its rest.
    """

    finish: Finish | None
    refused: bool
    model: str | None
    usage: Usage | None
    logprobs: Any
    failed: bool = False


def read_said(answer: Any, *beside: Mapping[str, Any], tokens: bool = True) -> Said:
    """Read what a provider says of one answer, in one pass.

    The answer is whatever an integration hands over, a provider's own response
    or metadata made of it:

    - a list of `choices`, of which the first counts (OpenAI and all that are like it)
    - a list of `candidates` (Google)
    - everything side by side (Anthropic, Bedrock, Cohere, Ollama, OpenAI's
      Responses API, LangChain's metadata)
    - an event of a stream with any of these in it (Mistral, the Responses API)

    Args:
        answer: The answer; a mapping or an object.
        beside: Mappings in which the integration put more, in the order they
            are asked; the first may have a report of the tokens, too.
        tokens: Whether to look for one; it is the most work.
    """
    answer, get = unwrapped(answer)
    failed = _is_error(get("error")) or get("type") == "error"
    found = get("choices") or get("candidates")
    parts: Any = None
    told: Any = None
    refused = False
    if found and isinstance(found, LISTS):
        choice = getter(found[0])
        reason = _any(choice, FIELDS) or _any(get, FIELDS)
        logprobs = _logprobs(choice)
        refused = _says_so(choice)
        told = choice("provider_specific_fields")
        failed = failed or _is_error(choice("error"))
    else:
        reason = _any(get, FIELDS)
        logprobs = get("logprobs") or get("logprobs_result")
        if status := get("status"):
            reason = reason or _ended(status, get)
        if output := get("output"):  # OpenAI's Responses API: items, and parts in some of them
            parts = [part for item in listed(output) for part in listed(field(item, "content"))]
    model = _any(get, MODEL_FIELDS)
    for more in beside:
        if more:
            reason = reason or _any(more.get, FIELDS)
            model = model or _any(more.get, MODEL_FIELDS)
            refused = refused or _is_text(more.get("refusal"))
    if parts:
        refused = refused or any(field(part, "type") in REFUSAL_PARTS for part in parts)
        logprobs = logprobs or [e for part in parts for e in listed(field(part, "logprobs"))]
    if logprobs and type(logprobs) is not list:
        refused = refused or _is_refusal(logprobs)
    finish = finish_of("error" if failed else reason)
    if told:  # LiteLLM calls every word that it does not know a stop, and keeps it
        finish = worst((finish, finish_of(field(told, "native_finish_reason"))))
    usage = usage_in(answer) if tokens else None
    if tokens and usage is None and beside and beside[0]:
        usage = read_usage(beside[0]) or read_usage(beside[0].get("usage"))
    refused = refused or finish == "content_filter"
    model = once(model) if isinstance(model, str) else None
    return Said(finish, refused, model, usage, logprobs, failed)


def _any(get: Getter, names: Sequence[str]) -> Any:
    for name in names:
        if found := get(name):
            return found
    return None


def _logprobs(choice: Getter) -> Any:
    found = choice("logprobs")
    # As a number it may be 0, of a token that was certain.
    return found if found or is_number(found) else choice("logprobs_result")


def _ended(status: Any, get: Getter) -> Any:
    """Return why an answer of OpenAI's Responses API ended; of one on its way, nothing."""
    if not isinstance(status, str) or status not in _STATUSES:
        return None
    return field(get("incomplete_details"), "reason") or status


def _is_error(found: Any) -> bool:
    return bool(found) and (isinstance(found, str | Mapping) or hasattr(found, "model_dump"))


def _says_so(choice: Getter) -> bool:
    """Tell whether a choice's message, whole or in part, is the text of a refusal."""
    message = choice("message") or choice("delta")
    return message is not None and _is_text(getter(message)("refusal"))


def _is_text(found: Any) -> bool:
    return isinstance(found, str) and bool(found)


def _is_refusal(logprobs: Any) -> bool:
    """Tell whether only the tokens of a refusal were sent; OpenAI lists them apart."""
    get = getter(logprobs)
    return not get("content") and bool(get("refusal"))
