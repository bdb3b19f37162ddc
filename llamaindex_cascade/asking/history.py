"""The messages of a conversation as one tier can read them.

Integrations disagree on where a message keeps the tools it calls and on what
else it may hold, and an answer of one tier may come to another as history.
What every model can read is put in the tier's own form. What only its author
can read (thoughts with a signature, ids of a provider's own, marks for its
cache) goes to nobody else, and to the author as it wrote it.

Every tier gets copies: some integrations change the messages they are sent.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, get_args

from llama_index.core.base.llms.types import (
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from cascade_core.integrations.built_in import Maker
from cascade_core.integrations.histories import OWN_KEYS, Reads, reads_of
from cascade_core.request import ToolCall
from llamaindex_cascade.asking.authors import CALLERS, MARK, MEDIA, UNREAD, author_of
from llamaindex_cascade.asking.call_ids import RESULTS, CallIds, call_ids
from llamaindex_cascade.reading.tool_calls import read_tool_calls


class Reader(NamedTuple):
    """Who will read a conversation.

    Attributes:
        author: The mark of what it wrote; None for a cascade, whose own tiers have theirs.
        reads: What it reads of a message.
    """

    author: str | None
    reads: Reads


def for_tier(messages: Sequence[ChatMessage], tier: Reader) -> list[ChatMessage]:
    """Return copies of a conversation's messages, in a tier's own form.

    Args:
        messages: The conversation; it stays as it is.
        tier: Who will read it.
    """
    if all(map(_is_plain, messages)):
        return [_plain_copy(message) for message in messages]
    if tier.author is None:  # its own tiers read what they can
        return [_copy(message, list(message.blocks)) for message in messages]
    calls = _calls_in(messages)
    ids = CallIds()
    if calls or any(message.role in RESULTS for message in messages):
        own = [place for place in calls if author_of(messages[place]) == tier.author]
        ids = call_ids(messages, calls, tier.reads.ids, own)
    return [
        copy
        for place, message in enumerate(messages)
        if (copy := _for_tier(place, message, calls.get(place, ()), ids, tier)) is not None
    ]


def reads(model: object) -> Reads:
    """Return what a model reads of a message.

    One that is not known reads calls as blocks where its module knows of such
    blocks; else it is taken to be like OpenAI's early integrations.
    """
    known = reads_of(model)
    if known is not None:
        return known
    modules = {cls.__module__ for cls in type(model).__mro__}
    own = [name for name in modules if not name.startswith(("llama_index.core", "pydantic"))]
    named = (vars(sys.modules[name]) for name in own if name in sys.modules)
    return UNKNOWN if any("ToolCallBlock" in names for names in named) else UNKNOWN_EARLY


UNKNOWN = Reads(
    text_arguments=True,
    cache_marks=True,
    citations=True,
    own_keys=OWN_KEYS,
    runs=get_args(Maker),
)
UNKNOWN_EARLY = UNKNOWN._replace(calls="openai")


def _calls_in(messages: Sequence[ChatMessage]) -> dict[int, Sequence[ToolCall]]:
    """Return the calls of each message that has any, but for those that nobody can read."""
    found: dict[int, Sequence[ToolCall]] = {}
    for place, message in enumerate(messages):
        if message.role in CALLERS and not _is_plain(message):
            calls, broken = read_tool_calls(message, partial=True)
            if calls and not broken:
                found[place] = calls
    return found


def _for_tier(
    place: int, message: ChatMessage, calls: Sequence[ToolCall], ids: CallIds, tier: Reader
) -> ChatMessage | None:
    if _is_plain(message):
        return _plain_copy(message)
    if message.role not in CALLERS:
        return _asked(message, ids.results.get(place), tier.reads)
    author = author_of(message)
    if author is not None and author == tier.author:
        return _copy(message, list(message.blocks), drop=frozenset({MARK}))
    return _answered(message, calls, ids.calls.get(place, ()), tier.reads, foreign=bool(author))


_OTHER_NAMES = dict.fromkeys((MessageRole.MODEL, MessageRole.CHATBOT), MessageRole.ASSISTANT)


def _is_plain(message: ChatMessage) -> bool:
    """Tell whether everybody reads a message as it is; nearly all are like that."""
    blocks, role = message.blocks, message.role
    return (
        # An enum's members are slow to look up in a set.
        (role is MessageRole.USER or role is MessageRole.ASSISTANT or role is MessageRole.SYSTEM)
        and len(blocks) == 1
        and type(blocks[0]) is TextBlock
        and not message.additional_kwargs
    )


def _plain_copy(message: ChatMessage) -> ChatMessage:
    update: dict[str, Any] = {"blocks": message.blocks.copy(), "additional_kwargs": {}}
    return message.model_copy(update=update)


def _asked(message: ChatMessage, result_of: str | None, tier_reads: Reads) -> ChatMessage:
    """Return a message of the user, the system or a tool."""
    drop = frozenset() if tier_reads.cache_marks else frozenset({"cache_control"})
    copy = _copy(message, _readable(message.blocks, tier_reads), drop=drop)
    if result_of is not None:
        copy.additional_kwargs["tool_call_id"] = result_of
    return copy


def _answered(
    message: ChatMessage,
    calls: Sequence[ToolCall],
    ids: Sequence[str],
    tier_reads: Reads,
    *,
    foreign: bool,
) -> ChatMessage | None:
    """Return an answer as somebody reads it who did not write it, or None if nothing is left."""
    blocks = _readable(message.blocks, tier_reads)
    kwargs = {k: v for k, v in message.additional_kwargs.items() if k not in UNREAD}
    if foreign:
        blocks = [block for block in blocks if not isinstance(block, (ThinkingBlock, *MEDIA))]
        kwargs = {}
    else:
        blocks = [block for block in blocks if _shows_its_reader(block, tier_reads)]
        if not tier_reads.cache_marks:
            kwargs.pop("cache_control", None)
        kwargs = {k: v for k, v in kwargs.items() if k not in OWN_KEYS or k in tier_reads.own_keys}
    if calls:
        written = any(isinstance(block, ToolCallBlock) for block in blocks)
        blocks = _with_calls(blocks, calls, ids, kwargs, tier_reads)
        if tier_reads is UNKNOWN_EARLY and not written:
            kwargs["tool_calls"] = message.additional_kwargs["tool_calls"]  # very likely its own
    elif "tool_calls" in message.additional_kwargs:  # nobody reads them better than their author
        kwargs["tool_calls"] = message.additional_kwargs["tool_calls"]
    if message.blocks and not blocks and not kwargs:
        return None
    copy = message.model_copy(update={"blocks": blocks, "additional_kwargs": kwargs})
    copy.role = _OTHER_NAMES.get(message.role, message.role)
    return copy


def _with_calls(
    blocks: Sequence[Any],
    calls: Sequence[ToolCall],
    ids: Sequence[str],
    kwargs: dict[str, Any],
    tier_reads: Reads,
) -> list[Any]:
    """Return blocks with the calls of an answer among them, or without where `kwargs` has them."""
    if tier_reads.calls != "blocks":
        form = _FORMS[tier_reads.calls]
        kwargs["tool_calls"] = [form(*each) for each in zip(calls, ids, strict=True)]
        return [block for block in blocks if not isinstance(block, ToolCallBlock)]
    others = [block for block in blocks if not isinstance(block, ToolCallBlock)]
    if len(others) == len(blocks):
        made = (_block(call, each, tier_reads) for call, each in zip(calls, ids, strict=True))
        return [*others, *made]
    left = iter(zip(calls, ids, strict=True))
    return [
        _mended(block, *next(left), tier_reads) if isinstance(block, ToolCallBlock) else block
        for block in blocks
    ]


def _mended(block: ToolCallBlock, call: ToolCall, call_id: str, tier_reads: Reads) -> ToolCallBlock:
    """Return a block as it is where it can be read, so that a provider's cache finds it again."""
    arguments = block.tool_kwargs
    readable = tier_reads.text_arguments and _is_whole(arguments)
    readable = readable or (isinstance(arguments, Mapping) and not tier_reads.only_text)
    if block.tool_call_id == call_id and readable:
        return block
    return _block(call, call_id, tier_reads)


def _is_whole(arguments: Any) -> bool:
    if not isinstance(arguments, str):
        return False
    try:
        return isinstance(json.loads(arguments), dict)
    except ValueError:
        return False


def _block(call: ToolCall, call_id: str, tier_reads: Reads) -> ToolCallBlock:
    arguments = _text(call) if tier_reads.only_text else dict(call.arguments or {})
    return ToolCallBlock(tool_call_id=call_id, tool_name=call.name, tool_kwargs=arguments)


def _readable(blocks: Sequence[Any], tier_reads: Reads) -> list[Any]:
    """Return blocks without marks and citations that a tier does not know; the text cited stays."""
    kept: list[Any] = []
    for block in blocks:
        if isinstance(block, CachePoint):
            if tier_reads.cache_marks:
                kept.append(block.model_copy(deep=True))  # Bedrock's integration changes them
        elif isinstance(block, CitableBlock) and not tier_reads.citations:
            kept += block.content
        elif tier_reads.citations or not isinstance(block, CitationBlock):
            kept.append(block)
    return kept


def _shows_its_reader(block: Any, tier_reads: Reads) -> bool:
    """Tell whether a tier can read a block that does not say who wrote it."""
    if not isinstance(block, ThinkingBlock) or tier_reads in (UNKNOWN, UNKNOWN_EARLY):
        return True
    key = tier_reads.thoughts
    return key is not None and bool(block.additional_information.get(key))


def _copy(
    message: ChatMessage, blocks: list[Any], drop: frozenset[str] = frozenset()
) -> ChatMessage:
    kwargs = {k: v for k, v in message.additional_kwargs.items() if k not in drop}
    return message.model_copy(update={"blocks": blocks, "additional_kwargs": kwargs})


def _openai(call: ToolCall, call_id: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": _text(call)}
    return {"id": call_id, "type": "function", "function": function}


def _object(call: ToolCall, call_id: str) -> SimpleNamespace:
    function = SimpleNamespace(name=call.name, arguments=_text(call))
    return SimpleNamespace(id=call_id, type="function", function=function)


def _cohere(call: ToolCall, call_id: str) -> SimpleNamespace:
    del call_id  # calls have none there
    return SimpleNamespace(name=call.name, parameters=dict(call.arguments or {}))


def _oci(call: ToolCall, call_id: str) -> dict[str, Any]:
    return {"toolUseId": call_id, "name": call.name, "input": _text(call)}


def _vertex(call: ToolCall, call_id: str) -> dict[str, Any]:
    del call_id
    return {"name": call.name, "args": dict(call.arguments or {})}


def _gemini(call: ToolCall, call_id: str) -> dict[str, Any]:
    return {"function_call": _vertex(call, call_id)}


def _text(call: ToolCall) -> str:
    return json.dumps(dict(call.arguments or {}))


_FORMS: Mapping[str, Callable[[ToolCall, str], Any]] = {
    "openai": _openai,
    "objects": _object,
    "cohere": _cohere,
    "oci": _oci,
    "vertex": _vertex,
    "gemini": _gemini,
}
