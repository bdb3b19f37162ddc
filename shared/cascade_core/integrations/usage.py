"""How many tokens a provider says a call used.

Counting tokens that nobody reported does not belong here; see
`cascade_core.costs.tokens`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from cascade_core.integrations.fields import Getter, field, getter
from cascade_core.usage import Usage

Path: TypeAlias = tuple[str, ...]

_HOUR = "ephemeral_1h_input_tokens"


class Shape(NamedTuple):
    """What one kind of report calls its counts.

    Attributes:
        given: Tokens of the prompt; a report that has this is of the shape.
        written: Tokens of the answer.
        cached: Paths to the part of the prompt that was read from the cache.
        stored: Paths to the part of it that was written to the cache.
        stored_1h: Paths to what of that is kept for an hour.
        reasoning: Paths to the hidden part of the answer.
        given_apart: Parts of the prompt that its count leaves out, each by the names it goes by.
        written_apart: Parts of the answer that its count leaves out.
        total: All tokens, where that is said too.
    """

    given: str
    written: str
    cached: tuple[Path, ...] = ()
    stored: tuple[Path, ...] = ()
    stored_1h: tuple[Path, ...] = ()
    reasoning: tuple[Path, ...] = ()
    given_apart: tuple[Path, ...] = ()
    written_apart: Path = ()
    total: str = "total_tokens"


SHAPES = (
    Shape(  # OpenAI and all that are like it; DeepSeek has a count of its own
        "prompt_tokens",
        "completion_tokens",
        cached=(
            ("prompt_tokens_details", "cached_tokens"),
            ("prompt_cache_hit_tokens",),
            ("cache_read_input_tokens",),
        ),
        stored=(("prompt_tokens_details", "cache_write_tokens"), ("cache_creation_input_tokens",)),
        reasoning=(("completion_tokens_details", "reasoning_tokens"),),
    ),
    Shape(  # OpenAI's Responses API, Cohere, and Anthropic, which counts the cache apart
        "input_tokens",
        "output_tokens",
        cached=(("cache_read_input_tokens",), ("input_tokens_details", "cached_tokens")),
        stored=(("cache_creation_input_tokens",), ("input_tokens_details", "cache_write_tokens")),
        stored_1h=(("cache_creation", _HOUR),),
        reasoning=(
            ("output_tokens_details", "reasoning_tokens"),
            ("output_tokens_details", "thinking_tokens"),
        ),
        given_apart=(("cache_read_input_tokens",), ("cache_creation_input_tokens",)),
    ),
    Shape(  # Bedrock, which may say the same under two names at once
        "inputTokens",
        "outputTokens",
        cached=(("cacheReadInputTokens",), ("cacheReadInputTokenCount",)),
        stored=(("cacheWriteInputTokens",), ("cacheWriteInputTokenCount",)),
        given_apart=(
            ("cacheReadInputTokens", "cacheReadInputTokenCount"),
            ("cacheWriteInputTokens", "cacheWriteInputTokenCount"),
        ),
        total="totalTokens",
    ),
    Shape(  # Google
        "prompt_token_count",
        "candidates_token_count",
        cached=(("cached_content_token_count",),),
        reasoning=(("thoughts_token_count",),),
        given_apart=(("tool_use_prompt_token_count",),),
        written_apart=("thoughts_token_count",),
        total="total_token_count",
    ),
    Shape(  # the same, as it comes over the wire
        "promptTokenCount",
        "candidatesTokenCount",
        cached=(("cachedContentTokenCount",),),
        reasoning=(("thoughtsTokenCount",),),
        given_apart=(("toolUsePromptTokenCount",),),
        written_apart=("thoughtsTokenCount",),
        total="totalTokenCount",
    ),
    Shape("prompt_eval_count", "eval_count"),  # Ollama
)

PLACES: tuple[Path, ...] = (
    ("usage", "tokens"),  # Cohere, whose `usage` also has the units it bills
    ("usage",),
    ("token_usage",),  # LangChain's metadata
    ("usage_metadata",),  # Google
    ("usageMetadata",),
    ("token_count",),  # Cohere in LangChain's streams
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
    for names in shape.given_apart:
        given += next(filter(None, (_count(get(name)) for name in names)), 0)
    for name in shape.written_apart:
        apart += _count(get(name)) or 0
    if not given or (written is None and not apart):
        return None
    return _whole(
        given,
        (written or 0) + apart,
        _count(get(shape.total)),
        cached=_part(get, shape.cached),
        stored=_part(get, shape.stored),
        stored_1h=_part(get, shape.stored_1h),
        reasoning=_part(get, shape.reasoning),
    )


def _whole(  # noqa: PLR0913 - the counts of a report
    given: int,
    written: int,
    total: int | None,
    *,
    cached: int,
    stored: int,
    stored_1h: int,
    reasoning: int,
) -> Usage:
    """Return a usage whose parts are parts of it, whatever its report leaves out of what.

    Tokens of the cache are in the prompt at OpenAI and beside it at Anthropic, and proxies report
    either under either's names. Reasoning is in the answer at OpenAI and beside it at xAI. What the
    total has more than both is billed as well.
    """
    apart = (total or 0) - given - written
    if cached + stored and (cached + stored > given or cached + stored == apart):
        given += cached + stored
        apart -= cached + stored
    if apart > 0:
        written += apart
    elif total is None and reasoning > written:
        written += reasoning
    hour = min(stored_1h, stored)
    return Usage(given, written, cached, stored, reasoning, cache_write_1h_tokens=hour)


def read_langchain(report: Mapping[str, Any]) -> Usage | None:
    """Read the `usage_metadata` of a LangChain message, which all its integrations fill alike.

    Returns:
        The tokens, or None where they are not reported: the answer may come
        from a cache, of a model that reports none.
    """
    given, written = _count(report.get("input_tokens")), _count(report.get("output_tokens"))
    if not given or written is None:
        return None
    read, wrote = report.get("input_token_details"), report.get("output_token_details")
    total = _count(report.get("total_tokens"))
    if not read and not wrote:
        return Usage(given, max(written, (total or 0) - given))
    read, wrote = read or {}, wrote or {}
    stored = _detail(read, "cache_creation")
    return _whole(
        given,
        written,
        total,
        cached=_detail(read, "cache_read"),
        stored=stored or sum(_count(read.get(name)) or 0 for name in _STORED_FOR),
        stored_1h=_count(read.get(_HOUR)) or 0,
        reasoning=_detail(wrote, "reasoning"),
    )


_STORED_FOR = ("ephemeral_5m_input_tokens", _HOUR)
"""Where ChatAnthropic tells for how long tokens are cached, it leaves `cache_creation` at zero."""

_SERVICE_TIERS = ("", "flex_", "priority_")
"""ChatOpenAI says with them of which service tier the tokens are, one of them at a time."""


def _detail(details: Mapping[str, Any], name: str) -> int:
    counts = (_count(details.get(f"{tier}{name}")) for tier in _SERVICE_TIERS)
    return next(filter(None, counts), 0)


def so_far(reports: Iterable[Mapping[str, Any] | None]) -> Mapping[str, Any] | None:
    """Return what a stream's reports come to where they are running totals, not parts.

    LangChain adds up what the chunks of a stream report, as most integrations mean it; servers
    that are like OpenAI may send the total so far with every chunk. No prompt is billed in
    parts, so two reports that both have one are such totals, and the largest is the last.

    Args:
        reports: The `usage_metadata` of the chunks.

    Returns:
        The largest, or None where adding up is right.
    """
    totals = [report for report in reports if report and _count(report.get("input_tokens"))]
    if len(totals) < 2:  # noqa: PLR2004
        return None
    return max(totals, key=lambda report: _count(report.get("output_tokens")) or 0)


def hollow(usage: Usage | None, *written: object) -> bool:
    """Tell whether no usage was reported, or one that cannot be: of something written, no tokens.

    Args:
        usage: What was reported.
        written: What the model wrote, each empty where it is none.
    """
    return usage is None or (not usage.output_tokens and any(written))


def _count(value: Any) -> int | None:
    # Cohere bills in floats; a bool is no count, nor is NaN or infinity.
    return int(value) if type(value) in _COUNTS and 0 <= value < _MOST else None


_COUNTS = (int, float)
_MOST = 10**15


def _part(get: Getter, paths: tuple[Path, ...]) -> int:
    for first, *further in paths:
        found = get(first)
        if found is not None and (count := _count(field(found, *further))):
            return count
    return 0
