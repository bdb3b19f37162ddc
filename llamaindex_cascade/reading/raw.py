"""What a provider sent, as LlamaIndex hands it over in `response.raw`.

That may be a client's object, a dict, or anything an integration's author liked.
Nothing here knows any provider's fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse

Response: TypeAlias = ChatResponse | CompletionResponse


def text_of(response: Response) -> str:
    """Return an answer's text; parts that are not text are left out."""
    if isinstance(response, ChatResponse):
        return response.message.content or ""
    return response.text


def field(source: Any, *names: str) -> Any:
    """Follow a path of fields through objects and dicts, as far as it leads.

    Args:
        source: Where to start.
        names: The fields, outermost first.

    Returns:
        What is there, or None.
    """
    for name in names:
        source = source.get(name) if isinstance(source, dict) else getattr(source, name, None)
        if source is None:
            return None
    return source


def first(source: Any, *names: str) -> Any:
    """Return the first element of the list at the end of a path, or None."""
    found = each(source, *names)
    return found[0] if found else None


def each(source: Any, *names: str) -> Sequence[Any]:
    """Return the list at the end of a path; empty where there is none."""
    found = field(source, *names)
    return found if isinstance(found, list | tuple) else ()
