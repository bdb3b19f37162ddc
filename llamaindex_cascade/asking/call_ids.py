"""The ids of tool calls in a conversation: one for a call and its result, valid where it is sent.

Some integrations give calls no id (Ollama, Cohere), some the tool's name (Gemini on Vertex AI),
and APIs differ in what they accept. What is accepted stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, MessageRole

from cascade_core.request import ToolCall

RESULTS = frozenset({MessageRole.TOOL, MessageRole.FUNCTION})
"""The roles of a tool's result."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 9  # what Mistral's API demands, and all others accept


@dataclass(slots=True)
class CallIds:
    """The ids of a conversation.

    Attributes:
        calls: By a message's place, those of the calls in it.
        results: By a message's place, that of the call whose result it is.
    """

    calls: dict[int, list[str]] = field(default_factory=dict)
    results: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    """A call whose result has not come yet."""

    call: ToolCall
    id: str


def call_ids(
    messages: Sequence[ChatMessage],
    calls: Mapping[int, Sequence[ToolCall]],
    accepted: re.Pattern[str] | None,
    own: Collection[int] = (),
) -> CallIds:
    """Give every call of a conversation an id, and every result the id of its call.

    The same conversation gives the same ids, and so does a longer one that begins with it.

    Args:
        messages: The conversation.
        calls: The calls in it, by their message's place.
        accepted: What ids must look like.
        own: The places of messages that go back to their author as they are, and with them
            the ids of their results.
    """
    ids = CallIds()
    used: set[str] = set()
    waiting: list[list[_Open]] = []
    for place, message in enumerate(messages):
        if called := calls.get(place):
            if accepted is None:
                used = set()  # unique among the calls of a message will do
            if place in own:
                given = [call.id or "" for call in called]
                used.update(given)
            else:
                given = [_given(call, accepted, used) for call in called]
            ids.calls[place] = given
            waiting.append([_Open(*each) for each in zip(called, given, strict=True)])
        elif message.role in RESULTS:
            told = result_id(message)
            found = _answered(waiting, told)
            if found:
                ids.results[place] = found
            elif found is None and told and accepted and not accepted.fullmatch(told):
                ids.results[place] = _made(told)
    return ids


def result_id(message: ChatMessage) -> str | None:
    """Return the id of the call that a tool's result names."""
    kwargs: Mapping[str, Any] = message.additional_kwargs
    found = kwargs.get("tool_call_id") or kwargs.get("call_id")
    return found if isinstance(found, str) else None


def _given(call: ToolCall, accepted: re.Pattern[str] | None, used: set[str]) -> str:
    found = call.id
    if not found or found in used or (accepted is not None and not accepted.fullmatch(found)):
        spelled = json.dumps([call.id, call.name, call.arguments], sort_keys=True, default=str)
        found = _made(spelled)
        again = 0
        while found in used:
            again += 1
            found = _made(f"{spelled}{again}")
    used.add(found)
    return found


def _answered(waiting: list[list[_Open]], told: str | None) -> str | None:
    """Return the id of the call that a result belongs to, among the latest first.

    It is "" where the call has none, and None where there is no such call.
    """
    for same in (_by_id, _by_name, _by_order):
        for calls in reversed(waiting):
            for place, each in enumerate(calls):
                if same(each.call, told):
                    return calls.pop(place).id
    return None


def _by_id(call: ToolCall, told: str | None) -> bool:
    return told is not None and call.id == told


def _by_name(call: ToolCall, told: str | None) -> bool:
    return not call.id and call.name == told  # what Ollama's integration has in place of an id


def _by_order(call: ToolCall, told: str | None) -> bool:
    return told is None or not call.id  # Cohere's makes up an id that it tells nobody


def _made(spelled: str) -> str:
    number = int.from_bytes(blake2b(spelled.encode(errors="replace"), digest_size=8).digest())
    digits = ""
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits += _ALPHABET[digit]
    return digits
