"""`hold=`: which tier earlier steps have decided on, and what later steps will know it by.

Within a user's turn a tool-calling agent asks its model again and again. Decided one by one, its
steps would go to one model and then to another: each has to read what the other did, and no
prompt cache stays warm. So the steps after the first go where that one was answered.

What the flow makes of it is in `loop.flow`; what is remembered, in `holds`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from cascade_core.errors import ConfigurationError
from cascade_core.guards.conversations import (
    Conversations,
    conversation_keys,
    recorded_stay,
)
from cascade_core.guards.holds import Holds, OthersHolds, Stay
from cascade_core.guards.turns import step_keys, turn_start
from cascade_core.held import Held, HeldBy

if TYPE_CHECKING:
    from cascade_core.costs.prices import Prices
    from cascade_core.request import Request, Turn
    from cascade_core.tier import Tier
    from cascade_core.verdict import Verdict

NOT_KEPT = frozenset({"best_draft", "budget", "exhausted", "learning", "unfinished"})
"""Reasons of answers that were given for want of a better one: no later step is held to them."""

MOST_ASKED = 64
"""Keys of a turn's steps that other processes are asked for, about."""


class Holding:
    """What one cascade holds its requests to.

    Args:
        hold: The setting `hold=`.
        name: The cascade's name: records of others say nothing of its tiers.
        tiers: How many tiers it has.
        shared: Where other processes know of what is held, if they do.
        models: What its tiers are called.

    Attributes:
        models: The same.

    Raises:
        ConfigurationError: There is no such setting.
    """

    def __init__(
        self,
        hold: Any,
        name: str,
        tiers: int,
        shared: OthersHolds | None = None,
        models: Sequence[str] = (),
    ) -> None:
        if hold not in (None, "turn", "tools", "conversation"):
            msg = f'hold={hold!r} is none of "turn", "tools", "conversation" and None'
            raise ConfigurationError(msg)
        self._hold: HeldBy | None = hold if tiers > 1 else None
        self._name = name
        self._tiers = tiers
        self._holds = Holds(shared=None if self._hold is None else shared)
        self._conversations = Conversations(self._holds)
        self.models = tuple(models)
        _of_this_process.add(self)

    @property
    def waits(self) -> bool:
        """Whether `fetch` may wait; then no event loop may call it."""
        return self._holds.waits

    def fetch(self, request: Request) -> None:
        """Take in what other processes have decided for a request, for `find`."""
        if not self._holds.waits:
            return
        wanted: list[bytes] = []
        if request.further:
            wanted += self._unknown(request)
        if self._hold == "conversation":
            wanted += conversation_keys(request)
        self._holds.fetch(wanted)

    def _unknown(self, request: Request) -> list[bytes]:
        """Return the keys of a turn's last steps, back to one that this process knows of."""
        turns, keys = request.turns, list[bytes]()
        start = turn_start(turns, in_text=request.acts_in_text)
        for place in range(len(turns) - 1, start - 1, -1):
            turn = turns[place]
            if turn.role != "assistant":
                continue
            if len(keys) > MOST_ASKED or self._known(request, turn, place) is not None:
                break
            keys += step_keys(turns, place, turn.text, turn.tool_calls, request.thread)
        return keys

    def find(self, request: Request, tiers: Sequence[Tier], prices: Prices) -> Held | None:
        """Return what holds for a request; None where it is decided for itself.

        Args:
            request: The request.
            tiers: The cascade's.
            prices: Where prices come from.
        """
        if self._hold is None:
            return None
        stay = self._of_turn(request) if request.further else None
        if stay is not None:
            # Where tools are called in texts, a call is read as the answer is: it decided for both.
            tools = self._hold == "tools" and not request.acts_in_text
            return Held(stay.tier, "tools" if tools else "turn", stay.since)
        if self._hold != "conversation":
            return None
        stay = self._conversations.find(request, self._said_last(request), tiers, prices)
        return None if stay is None else Held(stay.tier, "conversation", stay.since)

    def _of_turn(self, request: Request) -> Stay | None:
        """Return what the steps of the same turn have decided."""
        turns = request.turns
        start = turn_start(turns, in_text=request.acts_in_text)
        found: Stay | None = None
        for place in range(len(turns) - 1, start - 1, -1):
            if turns[place].role != "assistant":
                continue
            kept = self._known(request, turns[place], place)
            # What sent a step up holds for those that follow, so no later step was below it.
            if kept is not None and (found is None or kept.tier > found.tier):
                found = kept
        return found

    def _said_last(self, request: Request) -> Stay | None:
        """Return the stay that the record on a conversation's last answer tells of."""
        for turn in reversed(request.turns):
            if turn.role == "assistant":
                found = None if turn.record is None else self._recorded(turn.record)
                return found and recorded_stay(turn.record or {}, found.tier)
        return None

    def remember(self, request: Request, verdict: Verdict, decision: str) -> None:
        """Take note of an answer that further steps may follow."""
        if self._hold is None:
            return
        held = request.held
        since = decision if held is None or held.since is None else held.since
        if self._hold == "conversation":
            self._conversations.remember(request, verdict, since)
        draft = verdict.draft
        if not (draft.tool_calls or request.acts_in_text):
            return
        tier = _decided(verdict.tier, verdict.reason, verdict.shadow)
        if tier is None:
            return
        turns = request.turns
        keys = step_keys(turns, len(turns), draft.text, draft.tool_calls, request.thread)
        self._holds.put([_own(decision), *keys], Stay(tier, since, time.time()))

    def _known(self, request: Request, turn: Turn, place: int) -> Stay | None:
        """Return what is known of a step: by its id, by what it said, or by its record alone."""
        record = turn.record
        if record is not None and isinstance(record.get("id"), str):
            kept = self._holds.get([_own(record["id"])])
            if kept is not None:
                return kept
        keys = step_keys(request.turns, place, turn.text, turn.tool_calls, request.thread)
        kept = self._holds.get(keys)
        return kept if kept is not None or record is None else self._recorded(record)

    def _is_of_others(self, decision: Any) -> bool:
        """Tell whether a cascade of this process that has other models has decided something.

        Cascades that nobody has named are called alike, and agents that have one each may share a
        conversation.
        """
        if not isinstance(decision, str):
            return False
        others = [each for each in list(_of_this_process) if each.models != self.models]
        return any(each.has_decided(decision) for each in others)

    def has_decided(self, decision: str) -> bool:
        """Tell whether it remembers a decision, by its id, as one of its own."""
        return self._holds.get([_own(decision)]) is not None

    def _recorded(self, record: Mapping[str, Any]) -> Stay | None:
        """Return what a record says, where it is one of this cascade's."""
        tier = _decided(record.get("tier"), record.get("reason"), record.get("shadow"))
        if record.get("cascade") != self._name or not isinstance(tier, int):
            return None
        if self._is_of_others(record.get("id")):
            return None
        if not 0 <= tier < self._tiers:
            return None
        held = record.get("held")
        since = held.get("since") if isinstance(held, Mapping) else None
        return Stay(tier, since or record.get("id"), time.time())


_of_this_process: WeakSet[Holding] = WeakSet()


def _decided(tier: Any, reason: Any, shadow: Any) -> Any:
    """Return the tier that a cascade decided on; in shadow mode it would have."""
    if isinstance(shadow, Mapping):
        tier, reason = shadow.get("tier"), shadow.get("reason")
    return None if reason in NOT_KEPT else tier


def _own(decision: str) -> bytes:
    return b"own" + decision.encode(errors="replace")
