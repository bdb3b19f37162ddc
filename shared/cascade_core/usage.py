"""How many tokens one call used, and who says so."""

from __future__ import annotations

from typing import Literal

from cascade_core.frozen import frozen

TokensSource = Literal["provider", "tiktoken", "estimate"]


@frozen
class Usage:
    """Tokens of one model call.

    Attributes:
        input_tokens: All prompt tokens, cached ones included.
        output_tokens: All completion tokens, reasoning ones included.
        cached_tokens: Prompt tokens read from the provider's prompt cache.
        cache_write_tokens: Prompt tokens written to that cache.
        reasoning_tokens: Completion tokens spent on hidden reasoning.
        source: `provider` (reported), `tiktoken` (counted here with the
            model's own encoding) or `estimate` (characters / 4).
        cache_write_1h_tokens: Those of `cache_write_tokens` that are kept for an hour.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    source: TokensSource = "provider"
    cache_write_1h_tokens: int = 0
