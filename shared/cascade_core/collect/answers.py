"""Answers as the journal keeps them: all that graders and rows need, to ask nobody again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from cascade_core.collect.examine import Answer
from cascade_core.draft import Draft
from cascade_core.request import ToolCall
from cascade_core.tier import Tier


def keep(answer: Answer, key: str, *, judged: bool | str) -> Mapping[str, Any] | None:
    """Write an answer as plain JSON; None where a tier gave none.

    Args:
        answer: The answer, and what was read of it.
        key: The tier's, by which it is known again.
        judged: Whether it was asked for and read as a draft, not as the last tier's answer;
            `free` of the last tier's that was, by signals that cost nothing.
    """
    draft = answer.draft
    if draft is None:
        return None
    calls = [{"name": call.name, "arguments": call.arguments} for call in draft.tool_calls]
    return {
        "text": draft.text,
        "calls": calls,
        "broken": draft.broken_tool_calls,
        "key": key,
        "judged": judged,
        "model": draft.model,
        "cost_usd": _spelled(answer.cost),
        "readings": dict(answer.readings),
        "paid": {name: _spelled(cost) for name, cost in answer.paid.items()},
        "gate": answer.gate,
        "trajectory": answer.trajectory,
    }


def restore(kept: Mapping[str, Any] | None) -> Draft | None:
    """Read the draft that `keep` wrote."""
    if kept is None:
        return None
    calls = [ToolCall(call["name"], call["arguments"]) for call in kept["calls"]]
    return Draft(
        kept["text"],
        tool_calls=calls,
        broken_tool_calls=kept["broken"],
        model=kept.get("model"),
    )


def reusable(
    kept: Sequence[Mapping[str, Any] | None] | None,
    keys: Sequence[str],
    tiers: Sequence[Tier],
    of_last: Collection[str] = (),
) -> dict[int, Answer]:
    """Return the answers that are kept of tiers that have not changed, by tier.

    A tier that has become one whose drafts are judged is asked again: nothing was read of its
    answers.

    Args:
        kept: As `keep` wrote them, whatever the tiers were then.
        keys: The tiers' keys.
        tiers: The tiers.
        of_last: The signals that are read of the last tier; it is not judged without any.
    """
    known = {(k.get("key"), k.get("judged")): k for k in kept or () if k is not None}
    found = {}
    for tier, key in zip(tiers, keys, strict=True):
        last = tier is tiers[-1]
        one = known.get((key, True))
        if one is None and last:
            one = known.get((key, "free" if of_last else False))
        if one is not None:
            plain = last and not of_last
            readings = {
                name: reading
                for name, reading in one["readings"].items()
                if not last or name in of_last
            }
            found[tier.index] = Answer(
                tier,
                restore(one),
                _amount(one["cost_usd"]),
                readings,
                {} if last else {name: _amount(cost) for name, cost in one["paid"].items()},
                gate=None if plain else one["gate"],
                trajectory=None if last else one.get("trajectory"),
            )
    return found


def _spelled(cost: Decimal | None) -> str | None:
    return None if cost is None else str(cost)


def _amount(spelled: str | None) -> Decimal | None:
    return None if spelled is None else Decimal(spelled)
