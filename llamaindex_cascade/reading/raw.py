"""A response of LlamaIndex, and what its provider says in it."""

from __future__ import annotations

from typing import TypeAlias

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse

from cascade_core.integrations.answers import Said, read_said

Response: TypeAlias = ChatResponse | CompletionResponse


def text_of(response: Response) -> str:
    """Return an answer's text; parts that are not text are left out."""
    if isinstance(response, ChatResponse):
        return response.message.content or ""
    return response.text


def said_in(response: Response) -> Said:
    """Return what the provider says, wherever the integration put it."""
    if isinstance(response, ChatResponse):
        more = response.message.additional_kwargs
        return read_said(response.raw, response.additional_kwargs, more)
    return read_said(response.raw, response.additional_kwargs)
