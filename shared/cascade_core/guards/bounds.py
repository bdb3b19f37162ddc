"""The most that a call can cost, before it is made.

The output is bounded by the request's limit, else the tier's, else the most that the model can
write, where its profile says so; what a model thinks unseen counts into all of these. The prompt is
bounded by its bytes at first, for no tokenizer of bytes makes more tokens than that, and nothing
has to be counted. Only where a budget has no room for so much it is counted, if the model's own
encoding is at hand. No other rule is a bound: digits and Thai may take a token for every byte.

What nobody can count beforehand has an allowance: `PART_TOKENS` for images and files, and some for
the text that providers write around tools and schemas.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from cascade_core.costs.rate import EXACT, Rate
from cascade_core.costs.tokens import MESSAGE_TOKENS, REPLY_TOKENS, count_tokens
from cascade_core.effects import Ask, Open
from cascade_core.guards.ledger import Amount
from cascade_core.integrations.limits import AROUND_TOKENS, TOOL_TOKENS, token_limit

if TYPE_CHECKING:
    from cascade_core.costs.prices import Prices
    from cascade_core.request import Request
    from cascade_core.tier import Tier

PART_TOKENS: Mapping[str, int] = {
    "image": 5_000,
    "audio": 20_000,
    "video": 300_000,
    "file": 100_000,
}
"""Tokens that are set aside for each part of a prompt that is not text."""

IMAGES_OF_SMALL_MODELS = 50_000
"""The same for an image that gpt-4o-mini reads, which bills one as up to 48,169 tokens."""


class Wanted(NamedTuple):
    """What budgets limit, and so what has to be known of a call."""

    usd: bool = True
    tokens: bool = True


class Unbounded(NamedTuple):
    """Why nobody knows what a call can cost at the most.

    Attributes:
        lacks: What is missing.
        give: What is to be given for it.
    """

    lacks: str
    give: str


def bound_of(
    call: Ask | Open,
    tier: Tier | None,
    prices: Prices,
    wanted: Wanted = Wanted(),  # noqa: B008 - it cannot be changed
    *,
    counted: bool = False,
) -> Amount | Unbounded:
    """Return the most that a call can cost, or what is missing to know it.

    Args:
        call: The call; several samples count together.
        tier: Whom it asks, a judge as if it were a tier; None where nobody can tell.
        prices: Where prices come from.
        wanted: What has to be known.
        counted: Whether the prompt's tokens are counted, or bounded by its bytes.
    """
    if tier is None:
        give = "the signal a model of the same framework as the tiers"
        return Unbounded("model whose price is known", give)
    calls = call.n if isinstance(call, Ask) else 1
    said = tier.abilities
    if said.call_usd is not None or said.call_tokens is not None:
        if wanted.usd and said.call_usd is None:
            return Unbounded("bound in USD", "max_call_usd= in its Tier(…)")
        if wanted.tokens and said.call_tokens is None:
            return Unbounded("bound in tokens", "max_call_tokens= in its Tier(…)")
        return Amount.of((said.call_usd or Decimal(0)) * calls, (said.call_tokens or 0) * calls)
    rate = prices.rate(tier.price_names(tier.model)) if wanted.usd else None
    output = _output(call, tier)
    if tier.model is None or (output is None and tier.composite):
        give = "Tier(…, max_call_usd=…, max_call_tokens=…) around it in tiers="
        return Unbounded("bound: it may call several models", give)
    if output is None:
        return Unbounded("bound on what it writes", "max_tokens= to the model")
    if call.request.unread is not None and call.request.native is not None:
        lacks = f"bound where a request has an argument {call.request.unread}="
        return Unbounded(lacks, "the whole of it in the request, and the model in tiers=")
    if wanted.usd and rate is None:
        return Unbounded("price", "prices= to the cascade")
    own = call.request.answers if call.request.native is not None else None
    output *= own or tier.answers
    prompt = _prompt(call.request, tier, counted=counted)
    usd = Decimal(0) if rate is None else _most(rate, prompt, output)
    return Amount.of(EXACT.multiply(usd, calls), (prompt + output) * calls)


def _output(call: Ask | Open, tier: Tier) -> int | None:
    asked = token_limit(call.options) if isinstance(call, Ask) and call.options else None
    request = call.request
    if asked is None and request.native is not None:
        asked = request.max_tokens
    if asked is not None:  # where the arguments lift a limit, the model's own counts for nothing
        return asked or tier.abilities.max_output_tokens
    return tier.max_tokens or tier.abilities.max_output_tokens


def _most(rate: Rate, prompt: int, output: int) -> Decimal:
    """Return the most that so many tokens can cost, whichever way they are billed."""
    most = Decimal(0)
    for start, each in ((0, rate), *rate.tiers):
        if prompt >= start:
            dearest = max(each.input, each.cache_write, each.cache_write_1h, each.cached_input)
            cost = EXACT.fma(output, max(each.output, each.reasoning), each.per_request)
            most = max(most, EXACT.fma(prompt, dearest, cost))
    return most


def _prompt(request: Request, tier: Tier, *, counted: bool) -> int:
    load = request.load
    tokens = REPLY_TOKENS + MESSAGE_TOKENS * (load.messages + 1) + tier.beside
    if request.native is not None:
        tokens += request.beside
    if counted:
        tokens += sum(_counted(turn.text, tier.model) for turn in request.turns)
        for turn in request.turns:
            tokens += sum(_bytes(call.arguments) for call in turn.tool_calls)
    else:
        tokens += load.size
    if load.parts:
        tokens += _parts(request, tier)
    if request.tools:
        tokens += AROUND_TOKENS
        tokens += sum(TOOL_TOKENS + _bytes(tool.schema) for tool in request.tools)
    schema = request.output_schema or tier.output_schema
    if schema is not None:
        tokens += AROUND_TOKENS + _bytes(schema)
    return tokens


def _counted(text: str, model: str | None) -> int:
    tokens, source = count_tokens(text, model)
    return tokens if source == "tiktoken" else len(text.encode(errors="replace"))


def _parts(request: Request, tier: Tier) -> int:
    unseen = [kind for turn in request.turns for kind in turn.unseen]
    # What no turn names is there once at least.
    unseen += [kind for kind in request.load.parts if kind not in unseen]
    small = "4o-mini" in (tier.model or "")
    return sum(
        IMAGES_OF_SMALL_MODELS if small and kind == "image" else PART_TOKENS.get(kind, 100_000)
        for kind in unseen
    )


def _bytes(value: Any) -> int:
    if not value:
        return 0
    try:
        return len(json.dumps(value, default=str))
    except (TypeError, ValueError):
        return len(str(value))
