"""How many tokens a provider says a call used.

Counting tokens that nobody reported does not belong here; see
`cascade_core.costs.tokens`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from cascade_core.integrations.fields import Getter, field, getter
from cascade_core.usage import Usage

Path: TypeAlias = tuple[str, ...]


class Shape(NamedTuple):
    """What one kind of report calls its counts.

    Attributes:
        given: Tokens of the prompt; a report that has this is of the shape.
        written: Tokens of the answer.
        cached: Paths to the part of the prompt that was read from the cache.
        stored: Paths to the part of it that was written to the cache.
        reasoning: Paths to the hidden part of the answer.
        given_apart: Parts of the prompt that its count leaves out.
        written_apart: Parts of the answer that its count leaves out.
    """

    given: str
    written: str
    cached: tuple[Path, ...] = ()
    stored: tuple[Path, ...] = ()
    reasoning: tuple[Path, ...] = ()
    given_apart: Path = ()
    written_apart: Path = ()


SHAPES = (
    Shape(  # OpenAI and all that are like it; DeepSeek has a count of its own
        "prompt_tokens",
        "completion_tokens",
        cached=(("prompt_tokens_details", "cached_tokens"), ("prompt_cache_hit_tokens",)),
        stored=(("prompt_tokens_details", "cache_write_tokens"),),
        reasoning=(("completion_tokens_details", "reasoning_tokens"),),
    ),
    Shape(  # OpenAI's Responses API, Cohere, and Anthropic, which counts the cache apart
        "input_tokens",
        "output_tokens",
        cached=(("cache_read_input_tokens",), ("input_tokens_details", "cached_tokens")),
        stored=(("cache_creation_input_tokens",), ("input_tokens_details", "cache_write_tokens")),
        reasoning=(
            ("output_tokens_details", "reasoning_tokens"),
            ("output_tokens_details", "thinking_tokens"),
        ),
        given_apart=("cache_read_input_tokens", "cache_creation_input_tokens"),
    ),
    Shape(  # Bedrock
        "inputTokens",
        "outputTokens",
        cached=(("cacheReadInputTokens",),),
        stored=(("cacheWriteInputTokens",),),
        given_apart=("cacheReadInputTokens", "cacheWriteInputTokens"),
    ),
    Shape(  # Google
        "prompt_token_count",
        "candidates_token_count",
        cached=(("cached_content_token_count",),),
        reasoning=(("thoughts_token_count",),),
        given_apart=("tool_use_prompt_token_count",),
        written_apart=("thoughts_token_count",),
    ),
    Shape(  # the same, as it comes over the wire
        "promptTokenCount",
        "candidatesTokenCount",
        cached=(("cachedContentTokenCount",),),
        reasoning=(("thoughtsTokenCount",),),
        given_apart=("toolUsePromptTokenCount",),
        written_apart=("thoughtsTokenCount",),
    ),
    Shape("prompt_eval_count", "eval_count"),  # Ollama
)

PLACES: tuple[Path, ...] = (
    ("usage", "tokens"),  # Cohere, whose `usage` also has the units it bills
    ("usage",),
    ("token_usage",),  # LangChain's metadata
    ("usage_metadata",),  # Google
    ("usageMetadata",),
    ("meta", "tokens"),  # Cohere, earlier
    ("meta", "billed_units"),
)
"""Where in an answer the report may be; Ollama's is the answer itself."""


def usage_in(answer: Any) -> Usage | None:
    """Find and read the report in an answer; see `read_usage`."""
    return next((usage for report in _reports(answer) if (usage := read_usage(report))), None)


def written_in(answer: Any) -> int | None:
    """Find the number of written tokens where it is reported without that of the prompt."""
    for report in _reports(answer):
        get = getter(report)
        for shape in SHAPES:
            if count := _count(get(shape.written)):
                return count
    return None


def _reports(answer: Any) -> Iterator[Any]:
    get = getter(answer)
    if get("choices") is not None:  # nearly all chunks of a stream say so here, and have none
        yield get("usage")
        return
    for first, *further in PLACES:
        if found := get(first):
            yield field(found, *further)
    yield answer  # Ollama


def read_usage(report: Any) -> Usage | None:
    """Read a report of any shape.

    Returns:
        The tokens, or None where they are not reported in full. Zeros are no
        report: some integrations put them on every chunk of a stream.
    """
    if not report:
        return None
    get = getter(report)
    for shape in SHAPES:
        given = _count(get(shape.given))
        if given is not None:
            return _read(get, shape, given)
    return None


def _read(get: Getter, shape: Shape, given: int) -> Usage | None:
    written, apart = _count(get(shape.written)), 0
    for name in shape.given_apart:
        given += _count(get(name)) or 0
    for name in shape.written_apart:
        apart += _count(get(name)) or 0
    if not given or (written is None and not apart):
        return None
    return Usage(
        given,
        (written or 0) + apart,
        cached_tokens=_part(get, shape.cached),
        cache_write_tokens=_part(get, shape.stored),
        reasoning_tokens=_part(get, shape.reasoning),
    )


def read_langchain(report: Mapping[str, Any]) -> Usage | None:
    """Read the `usage_metadata` of a LangChain message, which all its integrations fill alike.

    Returns:
        The tokens, or None where they are not reported: the answer may come
        from a cache, of a model that reports none.
    """
    given = report.get("input_tokens")
    if not given:
        return None
    read, written = report.get("input_token_details"), report.get("output_token_details")
    if not read and not written:
        return Usage(given, report["output_tokens"])
    read, written = read or {}, written or {}
    stored = read.get("cache_creation")
    if not stored and _STORED_FOR[0] in read:
        stored = sum(read.get(name) or 0 for name in _STORED_FOR)
    return Usage(
        given,
        report["output_tokens"],
        cached_tokens=read.get("cache_read") or 0,
        cache_write_tokens=stored or 0,
        reasoning_tokens=written.get("reasoning") or 0,
    )


_STORED_FOR = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
"""Where ChatAnthropic tells for how long tokens are cached, it leaves `cache_creation` at zero."""


def _count(value: Any) -> int | None:
    # Cohere bills in floats; a bool is no count.
    return int(value) if type(value) in _COUNTS and value >= 0 else None


_COUNTS = (int, float)


def _part(get: Getter, paths: tuple[Path, ...]) -> int:
    for first, *further in paths:
        found = get(first)
        if found is not None and (count := _count(field(found, *further))):
            return count
    return 0
