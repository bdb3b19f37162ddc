"""A conversation as one tier can read it, whoever wrote the answers in it.

Providers put into an answer what only they, or only the model that wrote it, can read: signed or
encrypted thoughts, ids of what they keep, calls and results of tools they run. Such an answer
goes back untouched to the model that wrote it, and to every other as what it says: its text and
its calls of the caller's tools.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from cascade_core.integrations.classes import LANGCHAIN, integration, model_name
from langchain_cascade.capabilities import uses_responses
from langchain_cascade.convert import text_of
from langchain_cascade.providers import unmarked

FAMILIES: Mapping[str, str] = {
    "BaseChatOpenAI": "openai",
    "ChatAnthropic": "anthropic",
    "ChatAnthropicBedrock": "anthropic",
    "ChatAnthropicVertex": "anthropic",
    "ChatBedrock": "bedrock",
    "ChatBedrockConverse": "bedrock",
    "ChatDeepSeek": "deepseek",
    "ChatGoogleGenerativeAI": "google",
    "ChatGroq": "groq",
    "ChatMistralAI": "mistral",
    "ChatOllama": "ollama",
    "ChatVertexAI": "google",
    "ChatXAI": "xai",
}
"""Whose form of answers an integration's class reads and writes; the nearest class counts."""

_PROVIDERS: Mapping[str, str] = {
    "azure": "openai",
    "azure_openai": "openai",
    "bedrock_converse": "bedrock",
    "amazon_bedrock": "bedrock",
    "google_genai": "google",
    "google_vertexai": "google",
    "google_anthropic_vertex": "anthropic",
    "mistralai": "mistral",
}
"""What integrations write as `model_provider`, where that is not the family's name."""

_IDS: Mapping[str, re.Pattern[str]] = {
    "anthropic": re.compile(r"[a-zA-Z0-9_-]{1,64}"),
    "bedrock": re.compile(r"[a-zA-Z0-9_-]{1,64}"),
    "openai": re.compile(r".{1,40}"),
}
"""What providers accept as the id of a tool's call; Mistral's integration makes its own."""

_KEPT_IDS = ("msg_", "resp_", "rs_", "fc_")
_DATED = re.compile(r"[-@:_]?(latest|v?\d[\d.:_-]*|preview.*)?")


class TierReads(NamedTuple):
    """What a tier reads of a conversation.

    Attributes:
        place: The tier's index; records name it.
        name: Its model's name, as far as it is known.
        family: Whose form of answers it reads; None where that is not known.
        responses: Whether it reads them in the form of OpenAI's Responses API.
        marks: Whether its provider knows marks for the prompt cache.
    """

    place: int
    name: str | None
    family: str | None
    responses: bool
    marks: bool


def reader(model: BaseChatModel, index: int, kwargs: Mapping[str, Any]) -> TierReads:
    """Return what a tier reads, called with these arguments."""
    names = (cls.__name__ for cls in type(model).__mro__)
    family = next((FAMILIES[name] for name in names if name in FAMILIES), None)
    marks = "cache_control" in (integration(model, LANGCHAIN).cache_keys or ())
    known = family is None or marks or family == "bedrock"
    return TierReads(index, model_name(model), family, uses_responses(model, kwargs), known)


def needs_reading(messages: Sequence[BaseMessage]) -> bool:
    """Tell whether a conversation may hold what not every tier can read."""
    return any(m.type == "ai" or not isinstance(m.content, str) for m in messages)


def readable(messages: Sequence[BaseMessage], by: TierReads) -> list[BaseMessage]:
    """Return a conversation as a tier can read it; the same messages where nothing has to change.

    Args:
        messages: The conversation; never changed.
        by: The tier.
    """
    made: list[BaseMessage] = []
    ids = _Ids(by.family)
    for message in messages:
        read = message if by.marks else unmarked(message)
        if isinstance(read, AIMessage):
            own = _wrote(read, by)
            if not own and _is_private(read):
                read = _said(read)
                if not (read.text or read.tool_calls or read.invalid_tool_calls):
                    continue  # nothing is left that anybody else could read
            if not own or not all(call.get("id") for call in read.tool_calls):
                read = ids.of_calls(read)
        elif isinstance(read, ToolMessage):
            read = ids.of_result(read)
        made.append(read)
    return made


def _wrote(message: AIMessage, by: TierReads) -> bool:
    """Tell whether a tier's own model wrote an answer, in the form that the tier reads."""
    meta = message.response_metadata
    provider, record = meta.get("model_provider"), meta.get("cascade") or {}
    family = _PROVIDERS.get(provider, provider) if provider else _shape(message)
    if family and by.family and family != by.family:
        return False
    if by.family == "openai" and provider and _kept(meta.get("id")) != by.responses:
        return False
    named = meta.get("model_name") or meta.get("model") or record.get("model")
    if not (isinstance(named, str) and by.name):
        return True  # nobody else is known to have
    return _alike(named, by.name) or record.get("tier") == by.place


def _alike(one: str, other: str) -> bool:
    """Tell whether two names mean one model: with a maker before it, or a date behind it."""
    short, long = sorted((one.rpartition("/")[2], other.rpartition("/")[2]), key=len)
    return long.startswith(short) and _DATED.fullmatch(long[len(short) :]) is not None


def _kept(given: object) -> bool:
    return isinstance(given, str) and given.startswith("resp_")


def _is_private(message: AIMessage) -> bool:
    """Tell whether an answer holds more than its text and its calls."""
    more = {key for key, value in message.additional_kwargs.items() if value is not None}
    return (
        not isinstance(message.content, str)
        or bool(more)
        or _kept(message.response_metadata.get("id"))
        or bool(message.id and message.id.startswith(_KEPT_IDS))
    )


def _said(message: AIMessage) -> AIMessage:
    """Return what anybody can read of an answer."""
    return AIMessage(
        text_of(message),
        tool_calls=message.tool_calls,
        invalid_tool_calls=message.invalid_tool_calls,
        name=message.name,
    )


def _shape(message: AIMessage) -> str | None:
    """Return who wrote an answer that does not say so, by parts that only one provider writes."""
    if "__gemini_function_call_thought_signatures__" in message.additional_kwargs:
        return "google"
    content = message.content
    for part in () if isinstance(content, str) else content:
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(kind, str):
            continue
        if kind in {"redacted_thinking", "server_tool_use"} or kind.endswith("_tool_result"):
            return "anthropic"
        if kind == "thinking":
            return "mistral" if isinstance(part.get("thinking"), list) else "anthropic"
        if kind == "reasoning_content":
            return "bedrock"
        if kind in {"executable_code", "code_execution_result"}:
            return "google"
        if kind == "reasoning" and part.keys() & {"encrypted_content", "summary"}:
            return "openai"
        if kind.endswith("_call") and kind not in {"tool_call", "server_tool_call"}:
            return "openai"
    return None


class _Ids:
    """Gives calls and their results ids that a provider takes, the same for both."""

    def __init__(self, family: str | None) -> None:
        self._taken = _IDS.get(family or "")
        self._given: dict[str, str] = {}
        self._open: list[str] = []

    def of_calls(self, message: AIMessage) -> AIMessage:
        """Return an answer whose calls have such ids."""
        calls = [{**call, "id": self._id(call.get("id"))} for call in message.tool_calls]
        if all(
            new["id"] == old.get("id") for new, old in zip(calls, message.tool_calls, strict=True)
        ):
            return message
        return message.model_copy(update={"tool_calls": calls})

    def of_result(self, message: ToolMessage) -> ToolMessage:
        """Return a result with the id of its call."""
        given = message.tool_call_id
        if not given and self._open:
            return message.model_copy(update={"tool_call_id": self._open.pop(0)})
        new = self._given.get(given)
        return message if new is None else message.model_copy(update={"tool_call_id": new})

    def _id(self, given: str | None) -> str:
        if not given:
            made = f"call_{len(self._given) + len(self._open)}_made"
            self._open.append(made)
            return made
        if self._taken is None or self._taken.fullmatch(given):
            return given
        return self._given.setdefault(given, f"call_{sha256(given.encode()).hexdigest()[:24]}")
