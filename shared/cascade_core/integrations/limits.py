"""How much a model may write, and what goes with every prompt, by its fields and arguments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cascade_core.integrations.classes import LIMIT_FIELDS

_LIMIT_ARGUMENTS = (*LIMIT_FIELDS, "maxTokens", "maxOutputTokens")

_HOLDERS = (
    *("extra_body", "model_kwargs", "additional_kwargs", "generate_kwargs", "pipeline_kwargs"),
    *("generation_config", "generationConfig", "inference_config", "inferenceConfig"),
    *("options", "parameters", "additional_model_request_fields"),
)
"""Where a limit may be besides, as a field or an argument; what is there goes to the provider."""

NO_LIMIT = 0
"""The limit of arguments that lift the model's own."""

TOOL_TOKENS = 500
"""Set aside for each tool, beside its schema: its description."""

AROUND_TOKENS = 1_000
"""Set aside once, for what a provider writes around tools, or around a schema."""

_UNREAD = ("previous_response_id", "conversation", "model", "model_name")


def max_tokens(model: object) -> int | None:
    """Return the most tokens that a model lets an answer have, or None."""
    own = _limit(getattr(model, name, None) for name in LIMIT_FIELDS)
    held = token_limit({name: getattr(model, name, None) for name in _HOLDERS})
    if held is None:
        return own
    return max(held, own or 0) if held else None


def token_limit(kwargs: Mapping[str, Any]) -> int | None:
    """Return the most tokens an answer may have by a call's own arguments, if they say.

    Returns:
        The highest of what they say, `NO_LIMIT` where they lift the model's own limit
        (`max_tokens=None`, `num_predict=-1`), or None where they say nothing.
    """
    found = list(_limits(kwargs))
    if not found:
        return None
    return NO_LIMIT if NO_LIMIT in found else max(found)


def _limits(given: Mapping[str, Any]) -> Iterator[int]:
    for name, value in given.items():
        if name in _LIMIT_ARGUMENTS:
            yield value if type(value) is int and value > 0 else NO_LIMIT
        elif name in _HOLDERS and isinstance(value, Mapping):
            yield from _limits(value)
        elif name in _HOLDERS and value is not None:  # an object of a provider's own
            limit = _limit(getattr(value, each, None) for each in _LIMIT_ARGUMENTS)
            if limit is not None:
                yield limit


def unread_in(kwargs: Mapping[str, Any]) -> str | None:
    """Return what arguments of a call name that nobody here can read, such as a kept conversation.

    Returns:
        The argument; None where there is none.
    """
    return next((name for name in _UNREAD if kwargs.get(name) is not None), None)


def model_in(kwargs: Mapping[str, Any]) -> str | None:
    """Return the model that arguments name in the place of the one they go to, if they do."""
    found = (kwargs.get(name) for name in ("model", "model_name"))
    return next((name for name in found if isinstance(name, str) and name), None)


def tokens_beside(*sent: Mapping[str, Any] | None) -> int:
    """Return the tokens at the most of arguments that are sent with every prompt, such as tools."""
    tokens = 0
    for given in filter(None, sent):
        tools = given.get("tools") or given.get("functions") or ()
        try:
            tokens += len(json.dumps(dict(given), default=str))
        except (TypeError, ValueError):  # keys that are no text, or a circle
            tokens += len(str(given))
        tokens += AROUND_TOKENS * bool(tools) + TOOL_TOKENS * len(tools)
    return tokens


def tokens_with(kwargs: Mapping[str, Any]) -> int:
    """Return the tokens at the most of what a call's own arguments add to its prompt.

    Tools and schemas are counted with the request, and what is no text takes none: a number, or the
    sentences to stop at.
    """
    sent = {
        name: value
        for name, value in kwargs.items()
        if name not in _COUNTED and isinstance(value, str | Mapping | list | tuple)
    }
    return tokens_beside(sent) if sent else 0


_COUNTED = frozenset(
    {
        *("tools", "functions", "tool_choice", "function_call", "model", "model_name"),
        *("response_format", "ls_structured_output_format", "format", "stop", "stop_sequences"),
    }
)


def answers_asked(kwargs: Mapping[str, Any]) -> int | None:
    """Return how many answers to one request are asked for, if arguments or fields say."""
    return _limit((kwargs.get("n"),))


def _limit(given: Iterable[Any]) -> int | None:
    return next((n for n in given if type(n) is int and n > 0), None)
