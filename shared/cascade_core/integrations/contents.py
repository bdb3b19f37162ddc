"""What an answer holds besides text: approvals it asks for, actions, images, audio, files.

Text, thoughts and calls of the caller's tools are read elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cascade_core.integrations.events import unwrapped
from cascade_core.integrations.fields import field, getter, listed

TEXT_PARTS = frozenset({"text", "output_text"})
REFUSAL_PARTS = frozenset({"refusal"})
"""Types of the parts of a content that are its text, and that say it was refused."""

_NO_ANSWER = (
    TEXT_PARTS
    | REFUSAL_PARTS
    | frozenset(
        {
            # Thoughts.
            *("thinking", "thinking_delta", "redacted_thinking", "signature_delta"),
            *(
                "reasoning",
                "reasoning_content",
                "reasoning.text",
                "reasoning.summary",
                "summary_text",
            ),
            # Calls of the caller's tools.
            *("tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call"),
            *("function", "input_json_delta", "toolUse"),
            # What leads up to an answer, or belongs to the prompt.
            *(
                "mcp_list_tools",
                "tool_search_output",
                "compaction",
                "message",
                "cache",
                "cachePoint",
            ),
            *("citations_delta", "text_delta", "ping"),
        }
    )
)
"""Types of parts that are no answer of their own; a type not listed here is one."""

_UNDONE = frozenset({"failed", "incomplete"})

BESIDE = ("audio", "image", "images", "videos", "tool_outputs")
"""Where integrations keep parts beside a content that is text."""

_GEMINI = ("inline_data", "file_data", "executable_code", "code_execution_result")


def others(parts: Iterable[Any]) -> tuple[str, ...]:
    """Return the types of the parts that are an answer, but not text.

    Args:
        parts: The parts of a content, or the items of an output.
    """
    return tuple(kind for part in parts if (kind := _kind(part)) is not None)


def beside(more: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the same of what an integration keeps beside the content."""
    return tuple(name for name in BESIDE if more.get(name) and _holds(more[name]))


def _holds(found: Any) -> bool:
    return bool(others(found)) if isinstance(found, list) else True


def _kind(part: Any) -> str | None:
    if isinstance(part, str) or part is None:
        return None
    get = getter(part)
    kind = get("type")
    if not isinstance(kind, str):
        return next((name for name in _GEMINI if get(name)), None)
    if kind in _NO_ANSWER or get("status") in _UNDONE:
        return None
    return kind


def parts_in(answer: Any) -> tuple[str, ...]:
    """Return the same of a provider's own answer, wherever it keeps its parts.

    OpenAI and all that are like it: beside the message's text; its Responses API: items of
    the output; Anthropic: the content; Google: the content's parts, of a candidate or alone.
    """
    _, get = unwrapped(answer)
    for choice in listed(get("choices"))[:1]:
        message = field(choice, "message") or field(choice, "delta")
        return () if message is None else beside(_mapping(message))
    for candidate in listed(get("candidates"))[:1]:
        return others(listed(field(candidate, "content", "parts")))
    content = get("content")
    return others((*listed(get("output")), *listed(content), *listed(field(content, "parts"))))


def _mapping(message: Any) -> Mapping[str, Any]:
    get = getter(message)
    return {name: get(name) for name in BESIDE}
