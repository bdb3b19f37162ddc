"""`hold="conversation"`: a conversation that a stronger tier has answered stays with it.

Down again it goes when its provider's prompt cache has forgotten it, when the caller says so, or
when leaving the warm cache is known to be cheaper (`warm`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cascade_core.guards.holds import Holds, Stay
from cascade_core.guards.turns import said_key, thread_key
from cascade_core.guards.warm import Leaving, warm_share
from cascade_core.held import Left
from cascade_core.usage import Usage

if TYPE_CHECKING:
    from cascade_core.costs.prices import Prices
    from cascade_core.request import Request
    from cascade_core.tier import Tier
    from cascade_core.verdict import Verdict

IDLE = 300.0
"""Seconds after which a conversation is no longer held: the large providers keep a prompt in their
caches for five minutes after it was last read."""

RELEASE = "cascade_hold"
"""The key of a request's metadata that is False where the caller wants it decided anew."""

ESCALATED = frozenset({"low_confidence", "no_reading", "difficult", "unable", "sticky", "held"})
"""Reasons, beside a gate's, by which an answer of a later tier holds its conversation there. Those
of rules, budgets and outages say nothing of the conversation."""


class Conversations:
    """The conversations that one cascade holds to a stronger tier.

    Args:
        holds: Where they are remembered.
    """

    def __init__(self, holds: Holds) -> None:
        self._holds = holds
        self._leaving = Leaving()

    def find(
        self, request: Request, recorded: Stay | None, tiers: Sequence[Tier], prices: Prices
    ) -> Stay | None:
        """Return what a conversation is held to, if it is.

        Args:
            request: Its next request.
            recorded: What the record on its last answer says.
            tiers: The cascade's.
            prices: Where prices come from.
        """
        stay = self._holds.get(conversation_keys(request))
        if stay is None or (recorded is not None and recorded.at > stay.at):
            stay = recorded  # another process has answered meanwhile
        if stay is None or not stay.tier or time.time() - stay.at > IDLE:
            return None
        if not _released(request) and not self._leaving.pays(stay, request, tiers, prices):
            return stay
        share = warm_share(stay, request, tiers[stay.tier], prices)
        request.left = Left(stay.tier, stay.at, share)
        return None

    def remember(self, request: Request, verdict: Verdict, since: str) -> None:
        """Take note of an answer: it begins a stay, goes on with one, or ends it."""
        tier, reason = verdict.tier, str(verdict.reason)
        if verdict.shadow is not None:
            tier, reason = verdict.shadow.get("tier"), str(verdict.shadow.get("reason"))  # type: ignore[assignment]
        escalated = bool(tier) and holds_on(reason)
        before = None if request.thread is None else self._holds.get([thread_key(request.thread)])
        known = before is not None and before.tier > 0
        if _of_turn(request, reason) and request.thread is not None and not known:
            return  # a rule or an outage had sent the turn up
        if not escalated and reason not in ("confident", "tool_call", "held"):
            return
        if request.held is None and known:
            assert before is not None  # noqa: S101 - it is known
            left = request.left
            cold = time.time() - before.at > IDLE
            came_down = cold if left is None else left.at == before.at
            if not came_down and not escalated:
                return  # another request of the conversation has gone up meanwhile
            self._leaving.saw(again=escalated)
        usage = next((c.usage for c in reversed(verdict.calls) if c.tier == tier and c.usage), None)
        stay = Stay(tier if escalated else 0, since, time.time(), usage)
        self._holds.put(_said(request, verdict), stay, IDLE)


def holds_on(reason: str) -> bool:
    """Tell whether an escalation of a reason says something of the conversation."""
    return reason in ESCALATED or reason.startswith("gate_")


def recorded_stay(record: Mapping[str, Any], tier: int) -> Stay | None:
    """Return the stay that the record of a conversation's last answer tells of, if any."""
    at = record.get("at")
    if not tier or not holds_on(str(record.get("reason"))) or not isinstance(at, str):
        return None
    held = record.get("held")
    since = held.get("since") if isinstance(held, Mapping) else None
    usage: Usage | None = None
    with suppress(KeyError, TypeError):  # records may come from anywhere
        calls = [call for call in record["calls"] if call["tier"] == tier and call["usage"]]
        usage = Usage(**calls[-1]["usage"]) if calls else None
    try:
        then = datetime.fromisoformat(at).timestamp()
    except ValueError:
        return None
    return Stay(tier, since or record.get("id"), then, usage)


def _of_turn(request: Request, reason: str) -> bool:
    return reason == "held" and request.held is not None and request.held.by == "turn"


def _released(request: Request) -> bool:
    """Tell whether the caller wants a request decided anew."""
    return request.metadata.get(RELEASE) is False


def conversation_keys(request: Request) -> list[bytes]:
    """Return what a conversation is known by: its thread, else what was answered last."""
    if request.thread is not None:
        return [thread_key(request.thread)]
    turns = request.turns
    last = next((i for i in range(len(turns) - 1, -1, -1) if turns[i].role == "assistant"), None)
    return [] if last is None else [said_key(turns, last, turns[last].text)]


def _said(request: Request, verdict: Verdict) -> list[bytes]:
    if request.thread is not None:
        return [thread_key(request.thread)]
    turns, draft = request.turns, verdict.draft
    return [said_key(turns, len(turns), text) for text in {draft.text, draft.whole}]
