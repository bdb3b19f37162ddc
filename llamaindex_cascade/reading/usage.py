"""How many tokens a provider says a call used, wherever its integration put that.

Counting tokens that nobody reported does not belong here; see
`cascade_core.costs.tokens`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cascade_core.usage import Usage
from llamaindex_cascade.reading.raw import Response, field

_INPUT = (
    "prompt_tokens",
    "input_tokens",
    "inputTokens",
    "prompt_token_count",
    "promptTokenCount",
    "prompt_eval_count",
)
_OUTPUT = (
    "completion_tokens",
    "output_tokens",
    "outputTokens",
    "candidates_token_count",
    "candidatesTokenCount",
    "eval_count",
)
_CACHE_READ = ("cache_read_input_tokens", "cacheReadInputTokens")
_CACHE_WRITTEN = ("cache_creation_input_tokens", "cacheWriteInputTokens")
_CACHED = (
    ("prompt_tokens_details", "cached_tokens"),
    ("input_tokens_details", "cached_tokens"),
    ("cached_content_token_count",),
    ("cachedContentTokenCount",),
)
_REASONING = (
    ("completion_tokens_details", "reasoning_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
)
_THOUGHTS = ("thoughts_token_count", "thoughtsTokenCount")
_TOOL_PROMPT = ("tool_use_prompt_token_count", "toolUsePromptTokenCount")
_OPENAI = (("usage",),)
_PLACES = (
    ("usage", "tokens"),  # Cohere, whose `usage` also has the units it bills
    ("usage",),
    ("usage_metadata",),
    ("usageMetadata",),
    ("meta", "tokens"),
    ("meta", "billed_units"),
    (),  # Ollama: on the answer itself
)


def reported_usage(response: Response) -> Usage | None:
    """Read the tokens that the provider reported.

    Args:
        response: An answer, or a chunk of a stream; a stream reports its
            tokens on one of its last chunks, if at all.

    Returns:
        The tokens, or None where they are not reported in full. Zeros are no
        report: some integrations put them on every chunk.
    """
    for place in _places(response.raw):
        usage = _read(field(response.raw, *place))
        if usage is not None:
            return usage
    return _read(response.additional_kwargs)


def reported_output(response: Response) -> int | None:
    """Read the number of written tokens where it is reported without that of the prompt."""
    for place in _places(response.raw):
        count = _count(field(response.raw, *place), *_OUTPUT)
        if count:
            return count
    return None


def _places(raw: Any) -> Sequence[tuple[str, ...]]:
    # Nearly all chunks of a stream come without; most of them say so here.
    return _OPENAI if field(raw, "choices") is not None else _PLACES


def _read(source: Any) -> Usage | None:
    if not source:
        return None
    given, written = _count(source, *_INPUT) or 0, _count(source, *_OUTPUT)
    read = stored = thoughts = tool_prompt = 0
    if field(source, "prompt_tokens") is None:
        # Anthropic and Bedrock leave cached tokens out of the prompt's count.
        read, stored = _count(source, *_CACHE_READ) or 0, _count(source, *_CACHE_WRITTEN) or 0
        # Google counts these apart from the prompt's and the answer's.
        thoughts, tool_prompt = _count(source, *_THOUGHTS) or 0, _count(source, *_TOOL_PROMPT) or 0
    given += read + stored + tool_prompt
    if not given or (written is None and not thoughts):
        return None
    return Usage(
        given,
        (written or 0) + thoughts,
        cached_tokens=read or _detail(source, _CACHED),
        cache_write_tokens=stored,
        reasoning_tokens=thoughts or _detail(source, _REASONING),
    )


def _count(source: Any, *names: str) -> int | None:
    for name in names:
        value = field(source, name)
        # Cohere bills in floats; a bool is no count.
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return int(value)
    return None


def _detail(source: Any, paths: tuple[tuple[str, ...], ...]) -> int:
    for *holder, name in paths:
        count = _count(field(source, *holder), name)
        if count:
            return count
    return 0
