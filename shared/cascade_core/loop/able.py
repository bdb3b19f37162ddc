"""What a request needs that a tier lacks, found out before the tier is asked.

Counting tokens takes longer than everything else around a request. A token stands for one byte at
least, so most requests are known to be short enough by their size; only what might be too long is
counted, and no further than to the limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cascade_core.abilities import MODALITIES, Missing, size_of
from cascade_core.costs.tokens import MESSAGE_TOKENS, REPLY_TOKENS, count_tokens

if TYPE_CHECKING:
    from cascade_core.request import Request
    from cascade_core.tier import Tier

_PIECE = 16_384
"""Characters that are counted at a time."""


def missing(tier: Tier, request: Request) -> tuple[Missing, ...]:
    """Return what a tier is known to lack for a request; nothing where it can be asked."""
    abilities = tier.abilities
    if not abilities.limited:
        return ()
    lacks = abilities.lacks
    found = [need for need in request.needs if need in lacks]
    if not lacks.isdisjoint(MODALITIES):
        found += sorted(request.load.parts & lacks)
    limit = abilities.max_input_tokens
    if limit is not None:
        if abilities.shared:
            limit -= _room(tier, request, limit)
        if _longer(request, limit, tier.model):
            found.append("max_input_tokens")
    return tuple(found)


def _room(tier: Tier, request: Request, window: int) -> int:
    """Return how many tokens of a context window are kept for the answer."""
    asked = tier.max_tokens if request.max_tokens is None else request.max_tokens
    # Who lets an answer have the whole window means no limit; providers cut it to what is left.
    return asked if asked is not None and asked < window else 0


def _longer(request: Request, limit: int, model: str | None) -> bool:
    """Tell whether a request has more tokens than a limit."""
    tools = [json.dumps(tool.schema, default=str) for tool in request.tools if tool.schema]
    load = request.load
    around = (load.messages + len(tools)) * MESSAGE_TOKENS + REPLY_TOKENS
    if load.size + sum(map(size_of, tools)) + around <= limit:
        return False
    count = around
    for text in (*tools, *(turn.text for turn in request.turns)):
        for piece in _pieces(text):
            count += count_tokens(piece, model)[0]
            if count > limit:
                return True
    return count > limit


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]
