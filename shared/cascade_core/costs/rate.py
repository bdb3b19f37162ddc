"""What one model's tokens cost, and the arithmetic of a call's cost.

Where a rate comes from does not belong here; see `prices`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal

from cascade_core.usage import Usage

EXACT = Context(prec=60)
"""The context money is computed in: the caller's own may round to a few digits."""

_multiply_add = EXACT.fma
_SAME = Decimal("NaN")  # stands for "as the plain tokens"; replaced in __post_init__


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one model's tokens.

    Attributes:
        input: USD per prompt token.
        output: USD per completion token.
        cached_input: USD per prompt token read from the provider's prompt
            cache; as `input` unless given.
        cache_write: USD per prompt token written to that cache; as `input`
            unless given.
        reasoning: USD per hidden reasoning token; as `output` unless given.
        source: Who says so.
        per_request: USD per call, on top of the tokens.
        tiers: `(prompt tokens, rate)`, ascending: with more prompt tokens than
            that, the rate holds for the whole call. The providers that price by
            prompt length all do it this way.
        cache_write_1h: USD per prompt token written to that cache for an hour; as
            `cache_write` unless given.
    """

    input: Decimal
    output: Decimal
    cached_input: Decimal = _SAME
    cache_write: Decimal = _SAME
    reasoning: Decimal = _SAME
    source: str = "user"
    per_request: Decimal = Decimal(0)
    tiers: tuple[tuple[int, Rate], ...] = ()
    cache_write_1h: Decimal = _SAME

    def __post_init__(self) -> None:
        """Price the special tokens that were not priced apart as plain ones."""
        for name, plain in (
            ("cached_input", self.input),
            ("cache_write", self.input),
            ("reasoning", self.output),
        ):
            if getattr(self, name) is _SAME:
                object.__setattr__(self, name, plain)
        if self.cache_write_1h is _SAME:
            object.__setattr__(self, "cache_write_1h", self.cache_write)

    @classmethod
    def of(
        cls,
        usd: Mapping[str, Decimal],
        *,
        source: str = "user",
        per_request: Decimal = Decimal(0),
        tiers: tuple[tuple[int, Rate], ...] = (),
    ) -> Rate:
        """Make a rate of USD per token under the names above, of which some may be absent."""
        return cls(
            usd["input"],
            usd["output"],
            usd.get("cached_input", _SAME),
            usd.get("cache_write", _SAME),
            usd.get("reasoning", _SAME),
            source,
            per_request,
            tiers,
            usd.get("cache_write_1h", _SAME),
        )

    def cost(self, usage: Usage) -> Decimal:
        """Return what a call cost, in USD, exactly.

        Cached, written and reasoning tokens are parts of the prompt and the
        completion. A provider that reports more of a part than of the whole
        is billed for the whole.
        """
        if self.tiers:
            for start, rate in reversed(self.tiers):
                if usage.input_tokens > start:
                    return rate.cost(usage)
        total_in, total_out = usage.input_tokens, usage.output_tokens
        cost = self.per_request
        cached, written = usage.cached_tokens, usage.cache_write_tokens
        if cached or written:
            if cached + written > total_in:
                cached = min(cached, total_in)
                written = min(written, total_in - cached)
            total_in -= cached + written
            cost = _multiply_add(cached, self.cached_input, cost)
            hour = min(usage.cache_write_1h_tokens, written)
            cost = _multiply_add(written - hour, self.cache_write, cost)
            cost = _multiply_add(hour, self.cache_write_1h, cost)
        if usage.reasoning_tokens:
            reasoning = min(usage.reasoning_tokens, total_out)
            total_out -= reasoning
            cost = _multiply_add(reasoning, self.reasoning, cost)
        return _multiply_add(total_in, self.input, _multiply_add(total_out, self.output, cost))


def in_usd(amount: Decimal | None) -> float | None:
    """Return an amount as records and tables have it; None where it is not known."""
    return None if amount is None else float(amount)
