"""Reads what a LlamaIndex model answered; nothing here calls one.

What an integration puts where does not belong here; see
`cascade_core.integrations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from llama_index.core.base.llms.types import (
    CachePoint,
    ChatResponse,
    CompletionResponse,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from cascade_core.costs.tokens import estimate_usage
from cascade_core.draft import Draft
from cascade_core.integrations.answers import Said, read_said
from cascade_core.integrations.contents import beside, parts_in
from cascade_core.integrations.finish import once
from cascade_core.integrations.usage import hollow, written_in
from cascade_core.log.record import calls_of
from cascade_core.logprobs import Logprobs
from cascade_core.request import ToolCall
from cascade_core.spelling import own_logprobs
from cascade_core.spoken import is_blank, spoken
from cascade_core.usage import Usage
from llamaindex_cascade.reading.logprobs import whole_logprobs
from llamaindex_cascade.reading.tool_calls import read_tool_calls

Response: TypeAlias = ChatResponse | CompletionResponse

PromptTexts: TypeAlias = Callable[[], Iterable[str]]
"""Gives the texts of what was asked; called only where tokens must be counted."""


def to_draft(  # noqa: PLR0913 - what only the caller can know of an answer
    response: Response,
    *,
    seconds: float = 0.0,
    name: str | None = None,
    prompt_texts: PromptTexts | None = None,
    logprobs: Logprobs | None = None,
    usage: Usage | None = None,
) -> Draft:
    """Return a model's answer as a draft.

    Args:
        response: The answer; of a stream, the last response.
        seconds: Wall time of the call.
        name: The model's name, where the answer does not say it.
        prompt_texts: Gives what was asked, to count the tokens that nobody
            reported; without it such a draft has no usage.
        logprobs: Those gathered from a stream; else they are read here.
        usage: The tokens that a stream reported before its last response.
    """
    text, said = text_of(response), said_in(response)
    tool_calls: Sequence[ToolCall] = ()
    broken = 0
    if isinstance(response, ChatResponse):
        tool_calls, broken = read_tool_calls(response.message)
    if logprobs is None:
        logprobs = whole_logprobs(response, text, said)
    speech, unread = spoken(text), None
    model = once(said.model, name) if said.model else name
    record = response.additional_kwargs.get("cascade")
    usage = usage or said.usage
    if hollow(usage, text, tool_calls) and record is None and prompt_texts is not None:
        answer = text + "".join(f"{call.name}{call.arguments}" for call in tool_calls)
        written = written_in(response.raw) or (None if logprobs is None else len(logprobs))
        usage = estimate_usage(prompt_texts(), answer, model, written)
    if logprobs is not None and speech and not tool_calls:
        logprobs, unread = own_logprobs(logprobs, speech)
    return Draft(
        text=speech,
        tool_calls=tool_calls,
        broken_tool_calls=broken,
        logprobs=logprobs,
        finish=said.finish,
        refusal=said.refused,
        usage=usage,
        model=model,
        seconds=seconds,
        inner=() if record is None else calls_of(record),
        other_parts=() if not is_blank(text) or tool_calls else other_parts(response),
        native=response,
        written=text,
        unread=unread,
    )


def text_of(response: Response) -> str:
    """Return an answer's text; parts that are not text are left out."""
    if isinstance(response, ChatResponse):
        return response.message.content or ""
    return response.text


def other_parts(response: Response) -> Sequence[str]:
    """Return what an answer without text holds; see `Draft.other_parts`.

    What has no block in LlamaIndex is only in the provider's own answer.
    """
    if not isinstance(response, ChatResponse):
        return parts_in(response.raw)
    blocks = [b.block_type for b in response.message.blocks if not isinstance(b, _SEEN_ELSEWHERE)]
    return (*blocks, *parts_in(response.raw), *beside(response.message.additional_kwargs))


_SEEN_ELSEWHERE = (TextBlock, ThinkingBlock, ToolCallBlock, CachePoint)


def said_in(response: Response) -> Said:
    """Return what the provider says of an answer or a chunk, wherever the integration put it."""
    if isinstance(response, ChatResponse):
        more = response.message.additional_kwargs
        return read_said(response.raw, response.additional_kwargs, more)
    return read_said(response.raw, response.additional_kwargs)
