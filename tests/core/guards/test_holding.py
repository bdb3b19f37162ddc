"""`hold="conversation"`, and what holding does that no framework is needed for."""

import time
from decimal import Decimal

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.guards import conversations
from cascade_core.guards.holding import Holding
from cascade_core.guards.holds import Holds, Stay
from cascade_core.guards.warm import LEFT_ENOUGH, compare, warm_share
from cascade_core.held import Held
from cascade_core.log.record import as_record
from cascade_core.request import Request, Turn
from cascade_core.usage import Usage
from tests.core.making import ASKED, PRICES, Answer, broken, make_tiers, plan_for, play, sure

SURE, UNSURE = sure(0.99), sure(0.1)
TIERS = make_tiers()


class Desk:
    """A cascade that holds its conversations; what the cheap model is sure of, a call says."""

    def __init__(self, hold="conversation"):
        self.holding = Holding(hold, "desk", 2)
        self.plan = plan_for()
        self.count = 0

    def ask(self, turns, cheap=SURE, *, thread="t", metadata=None, strong=SURE):
        request = Request(turns, thread=thread, metadata=metadata)
        request.held = self.holding.find(request, TIERS, PRICES)
        verdict, _, _ = play(self.plan, cheap, strong, request=request)
        self.count += 1
        self.holding.remember(request, verdict, f"d{self.count}")
        return verdict


def said(*texts):
    return [Turn(("user", "assistant")[place % 2], text) for place, text in enumerate(texts)]


def way(*verdicts):
    return [(verdict.tier, verdict.reason) for verdict in verdicts]


def test_a_conversation_stays_with_the_strong_model_once_it_has_escalated():
    desk = Desk()
    assert way(
        desk.ask(said("a")), desk.ask(said("b"), UNSURE), desk.ask(said("c")), desk.ask(said("d"))
    ) == [(0, "confident"), (1, "low_confidence"), (1, "held"), (1, "held")]


def test_the_record_says_by_what_and_since_when():
    desk = Desk()
    desk.ask(said("a"), UNSURE)
    desk.ask(said("b"))
    assert desk.ask(said("c")).held == Held(1, "conversation", "d1")


def test_other_conversations_are_decided_for_themselves():
    desk = Desk()
    desk.ask(said("a"), UNSURE)
    assert desk.ask(said("a"), thread="u").reason == "confident"


def test_a_turn_alone_holds_no_conversation():
    desk = Desk("turn")
    desk.ask(said("a"), UNSURE)
    assert desk.ask(said("b")).reason == "confident"


def test_a_conversation_that_nobody_named_is_known_by_what_was_said():
    desk = Desk()
    first = desk.ask(said("a"), UNSURE, thread=None)
    again = said("a", first.draft.text, "b")
    assert desk.ask(again, thread=None).reason == "held"
    assert desk.ask(said("another", first.draft.text, "b"), thread=None).reason == "confident"


def test_the_record_on_its_last_answer_will_do_in_another_process(monkeypatch):
    record = {**as_record(Desk().ask(said("a"), UNSURE), "d9", ASKED), "cascade": "desk"}
    monkeypatch.setattr(time, "time", lambda: ASKED.at.timestamp() + 10)
    turns = [Turn("user", "a"), Turn("assistant", "b", record=record), Turn("user", "c")]
    assert Desk().ask(turns).held == Held(1, "conversation", "d9")
    record["cascade"] = "another"
    assert Desk().ask(turns).held is None


def test_a_conversation_comes_down_when_the_cache_has_forgotten_it(monkeypatch):
    desk, now = Desk(), time.time()
    desk.ask(said("a"), UNSURE)
    monkeypatch.setattr(time, "time", lambda: now + conversations.IDLE - 1)
    assert desk.ask(said("b")).reason == "held"  # and that was read anew
    monkeypatch.setattr(time, "time", lambda: now + 2 * conversations.IDLE - 10)
    assert desk.ask(said("c")).reason == "held"
    monkeypatch.setattr(time, "time", lambda: now + 4 * conversations.IDLE)
    assert way(desk.ask(said("d")), desk.ask(said("e"))) == [(0, "confident")] * 2


def test_a_conversation_comes_down_when_its_caller_says_so():
    desk = Desk()
    desk.ask(said("a"), UNSURE)
    assert desk.ask(said("b"), metadata={"cascade_hold": False}).reason == "confident"
    assert desk.ask(said("c")).reason == "confident"


def test_a_conversation_that_escalates_again_is_held_again():
    desk = Desk()
    desk.ask(said("a"), UNSURE)
    desk.ask(said("b"), UNSURE, metadata={"cascade_hold": False})
    assert desk.ask(said("c")).held == Held(1, "conversation", "d2")


def test_an_outage_ties_no_conversation_to_the_strong_model():
    desk = Desk()
    assert desk.ask(said("a"), broken()).reason == "failed"
    assert desk.ask(said("b")).reason == "confident"


def test_a_best_draft_holds_nothing():
    holding, turns = Holding("turn", "desk", 2), said("a")
    record = {"id": "d", "cascade": "desk", "tier": 0, "reason": "best_draft"}
    request = Request([*turns, Turn("assistant", "b", record=record)], further=True)
    assert holding.find(request, TIERS, PRICES) is None
    record["reason"] = "confident"
    assert holding.find(request, TIERS, PRICES) == Held(0, "turn", "d")


# 2,000 tokens were asked and 100 answered; the user adds 40 tokens; m0 costs 1 and 2, m1 10 and 20
# USD a million tokens, its cached ones 1.
CACHED = PRICES.__class__(
    {"m0": {"input": 1, "output": 2}, "m1": {"input": 10, "output": 20, "cached_input": 1}}
)
LAST = Usage(2000, 100)


def test_a_warm_cache_is_part_of_what_leaving_costs():
    leaving, staying = compare(LAST, 40, *TIERS, CACHED)
    assert leaving == Decimal("0.00234")  # 2,140 at 1, 100 at 2
    assert staying == Decimal("0.0054")  # 2,000 at 1, 140 at 10, 100 at 20
    assert compare(LAST, 40, *TIERS, PRICES)[1] == Decimal("0.0234")  # nothing is cheaper cached


WRITES = PRICES.__class__(
    {
        "m0": {"input": 1, "output": 2, "cache_write": 1.25},
        "m1": {"input": 10, "output": 20, "cached_input": 1, "cache_write": 12.5},
    }
)


def test_where_writing_to_the_cache_is_billed_what_was_reported_is_warm_and_the_rest_is_written():
    marked = Usage(2000, 100, cached_tokens=1500, cache_write_tokens=400)
    leaving, staying = compare(marked, 40, *TIERS, WRITES)
    assert leaving == Decimal("0.002875")  # 2,140 at 1.25, 100 at 2
    assert staying == Decimal("0.0069")  # 1,900 at 1, 240 at 12.5, 100 at 20


def test_a_warm_tiers_answer_is_a_share_of_what_it_costs_cold():
    request = Request.of("x" * 160)  # 40 tokens
    share = warm_share(Stay(1, "d", 0.0, LAST), request, TIERS[1], CACHED)
    assert share == pytest.approx(0.0054 / 0.0234)
    assert warm_share(Stay(1, "d", 0.0, LAST), request, TIERS[1], PRICES) == 1
    assert warm_share(Stay(1, "d", 0.0), request, TIERS[1], CACHED) == 1
    assert warm_share(Stay(1, "d", 0.0, LAST), request, TIERS[1], PRICES.__class__({})) == 1


def test_a_request_that_is_not_held_knows_which_warm_tier_it_leaves():
    desk = Desk()
    desk.ask(said("a"), UNSURE)
    request = Request(said("b"), thread="t", metadata={"cascade_hold": False})
    assert desk.holding.find(request, TIERS, PRICES) is None
    assert (request.left.tier, request.left.share) == (1, 1.0)
    held = Request(said("b"), thread="t")
    desk.holding.find(held, TIERS, PRICES)
    assert held.left is None


@pytest.mark.parametrize("first", ["up", "sure"])
def test_of_two_requests_side_by_side_the_one_that_goes_up_decides_for_the_conversation(first):
    desk = Desk()
    sides = {"up": (UNSURE, "d1"), "sure": (SURE, "d2")}
    order = ["up", "sure"] if first == "up" else ["sure", "up"]
    requests = {side: Request(said(side), thread="t") for side in order}
    for request in requests.values():
        assert desk.holding.find(request, TIERS, PRICES) is None  # both begin before either ends
    for side in order:
        cheap, decision = sides[side]
        verdict, _, _ = play(desk.plan, cheap, SURE, request=requests[side])
        desk.holding.remember(requests[side], verdict, decision)
    assert desk.ask(said("c")).held == Held(1, "conversation", "d1")


def test_where_writing_is_billed_and_nothing_was_written_nothing_is_warm():
    leaving, staying = compare(LAST, 40, *TIERS, WRITES)
    assert (leaving, staying) == (Decimal("0.00234"), Decimal("0.0234"))


def test_short_prompts_are_not_cached():
    assert compare(Usage(1000, 100), 0, *TIERS, CACHED)[1] == Decimal("0.013")


@pytest.mark.parametrize(
    ("again", "reason"), [(0, "confident"), (LEFT_ENOUGH, "held"), (None, "held")]
)
def test_a_conversation_comes_down_where_that_is_known_to_be_cheaper(again, reason):
    desk = Desk()
    for place in range(LEFT_ENOUGH if again is not None else LEFT_ENOUGH - 1):
        desk.ask(said("a"), UNSURE, thread=str(place))
        cheap = UNSURE if again else SURE
        desk.ask(said("b"), cheap, thread=str(place), metadata={"cascade_hold": False})
    desk.ask(said("a"), UNSURE, thread="last")
    assert desk.ask(said("b"), thread="last").reason == reason


def test_an_unpriced_model_is_not_left():
    assert compare(LAST, 0, *TIERS, PRICES.__class__({"m0": {"input": 1, "output": 1}})) is None


def test_the_memory_is_bounded():
    holds = Holds(most=3)
    for key in range(9):
        holds.put([bytes([key])], Stay(1, None, 0.0))
    assert len(holds) == 3
    assert holds.get([bytes([0])]) is None
    assert holds.get([bytes([8])]).tier == 1


def test_a_setting_that_does_not_exist_is_named():
    with pytest.raises(ConfigurationError, match="hold='forever'"):
        Holding("forever", "desk", 2)


def test_two_users_whose_calls_have_the_same_ids_are_told_apart():
    from cascade_core.request import ToolCall

    call = ToolCall("look_up", {}, "call_0")
    acting = Answer("x", fields={"tool_calls": (call,)})
    desk = Desk("turn")
    tiers = {}
    for user, cheap in (("anna", Answer("x", probs=[0.1])), ("ben", acting)):
        tiers[user] = desk.ask(said(f"I am {user}"), cheap, thread=None, strong=acting).tier
    assert tiers == {"anna": 1, "ben": 0}
    for user, tier in tiers.items():
        turns = [*said(f"I am {user}"), Turn("assistant", "x", (call,)), Turn("tool", "1")]
        request = Request(turns, further=True)
        assert desk.holding.find(request, TIERS, PRICES).tier == tier
