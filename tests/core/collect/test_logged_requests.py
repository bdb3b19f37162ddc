"""What `cascade audit` picks of a log, and how a logged request looks to the core."""

from decimal import Decimal

import pytest

from cascade_core.collect.logged_requests import Logged, draw, is_drawn
from cascade_core.errors import ConfigurationError
from cascade_core.log import as_record, audit_event
from cascade_core.loop.audit_flow import answers_of, missing_tiers
from cascade_core.signals import Claims, Judge
from tests.core.making import ASKED, mute, plan_for, play, sure

PLAN = plan_for(2)


def logged(name="one", *answers, asked="Where is my order?", plan=PLAN, others=None, **fields):
    verdict, _, _ = play(plan, *(answers or (sure(), sure())), others=others)
    content = {"request": [{"role": "user", "text": asked}], "response": verdict.draft.text}
    return {**as_record(verdict, name, ASKED), **content, **fields}


def event(decision, status="done", why=None, **fields):
    made = audit_event(decision, status=status, probability=0.5, compare="auto", why=why)
    return {**made, **fields}


def drawn(records, events=(), rate=1.0, seed=0, **options):
    return draw(records, events, **{"rate": rate, "seed": seed, "tiers": 2, **options})


# --- who is picked --------------------------------------------------------------------------------


def test_chance_is_the_rate_and_the_same_in_every_run():
    names = [f"id-{k}" for k in range(4000)]
    picked = [name for name in names if is_drawn(name, 0.1, 0)]
    assert len(picked) == pytest.approx(400, rel=0.2)
    assert picked == [name for name in names if is_drawn(name, 0.1, 0)]
    assert set(picked) <= {name for name in names if is_drawn(name, 0.2, 0)}
    assert picked != [name for name in names if is_drawn(name, 0.1, 1)]
    assert all(is_drawn(name, 1.0, 0) for name in names)


def test_a_request_that_had_no_chance_is_picked_with_the_rate():
    found = drawn([logged(f"id-{k}") for k in range(200)], rate=0.25)
    assert found.requests == 200
    assert found.picked == len(found.todo) == sum(is_drawn(f"id-{k}", 0.25, 0) for k in range(200))
    assert {each.probability for each in found.todo} == {0.25}
    assert all(each.drawn for each in found.todo)


def test_one_that_was_picked_when_it_was_answered_is_made_up_for():
    records = [
        logged("a", audit={"probability": 0.1, "picked": True}),
        logged("b", audit={"probability": 0.1, "picked": False}),
    ]
    (todo,) = drawn(records).todo
    assert (todo.id, todo.probability, todo.drawn) == ("a", 0.1, False)


@pytest.mark.parametrize(
    ("status", "why", "again"),
    [
        ("done", None, False),
        ("done", "undecided", False),
        ("failed", "exit", True),
        ("skipped", "budget", True),
        ("skipped", "stopped", True),
        ("skipped", "pinned", False),
        ("skipped", "content", False),
    ],
)
def test_what_was_audited_is_not_audited_again(status, why, again):
    found = drawn([logged("a")], [event("a", status, why)])
    assert (len(found.todo), found.done, found.picked) == (int(again), int(not again), 1)


def test_feedback_is_no_audit():
    found = drawn([logged("a")], [{"event": "feedback", "decision": "a"}])
    assert len(found.todo) == 1


@pytest.mark.parametrize("fields", [{"tier": None, "reason": "exhausted"}, {"reason": "cached"}])
def test_what_no_tier_answered_is_not_looked_at(fields):
    assert drawn([logged("a", **fields)]).requests == 0


def test_another_rate_or_seed_would_make_the_logged_probabilities_wrong():
    before = [event("a", drawn_later={"rate": 0.5, "seed": 0})]
    drawn([logged("a")], before, rate=0.5)
    for other in ({"rate": 0.4}, {"rate": 0.5, "seed": 1}):
        with pytest.raises(ConfigurationError, match=r"--rate 0\.5 --seed 0 before"):
            drawn([logged("a")], before, **other)


def test_every_tier_has_to_be_given():
    plan = plan_for(3)
    record = logged("a", sure(0.1), sure(0.1), sure(), plan=plan)
    with pytest.raises(ConfigurationError, match="decision a of the log asked tier 2, and 2 tiers"):
        drawn([record])


def test_of_several_cascades_one_has_to_be_named():
    records = [logged("a", cascade="desk"), logged("b", cascade="search")]
    with pytest.raises(ConfigurationError, match="'desk', 'search'"):
        drawn(records)
    assert [each.id for each in drawn(records, cascade="search").todo] == ["b"]


# --- as the core sees it --------------------------------------------------------------------------


def test_a_logged_request_is_what_was_asked_and_answered():
    one = Logged(logged("a", sure(0.9)), 1.0, drawn=True)
    verdict, request = one.verdict(), one.request()
    assert (verdict.tier, verdict.reason, verdict.draft.text) == (0, "confident", sure().text)
    assert request.question == "Where is my order?"
    assert one.messages == [{"role": "user", "content": "Where is my order?"}]
    (answer,) = answers_of(PLAN, verdict).values()
    assert float(answer.cost) == pytest.approx((100 + 3 * 2) / 1e6)
    assert answer.judgement.signals == {"sequence_logprob": pytest.approx(0.9)}
    assert [tier.index for tier in missing_tiers(PLAN, request, verdict)] == [1]


def test_a_draft_that_was_not_given_is_not_in_the_log_and_is_drawn():
    one = Logged(logged("a", sure(0.1), sure()), 1.0, drawn=True)
    verdict = one.verdict()
    assert list(answers_of(PLAN, verdict)) == [1]
    assert [tier.index for tier in missing_tiers(PLAN, one.request(), verdict)] == [0]


def test_a_paid_signal_is_told_apart_by_its_usual_name():
    plan = plan_for(
        2,
        signals=[Judge("judge")],
        prices={"m0": {"input": 1, "output": 2}, "judge": {"input": 5, "output": 5}},
    )
    record = logged("a", sure(), sure(), plan=plan, others={"judge": mute("A")})
    (answer,) = answers_of(plan, Logged(record, 1.0, drawn=True).verdict()).values()
    assert answer.judgement.paid == {"judge": Decimal("0.000515")}
    assert float(answer.cost) == pytest.approx((100 + 3 * 2) / 1e6)


def test_what_two_signals_paid_for_alike_is_not_told_apart():
    prices = {"m0": {"input": 1, "output": 2}, "judge": {"input": 5, "output": 5}}
    claims = Claims("judge")
    plan = plan_for(2, signals=[claims], prices=prices)
    record = logged("a", sure(), sure(), plan=plan, others={"judge": mute("1: A")})
    (answer,) = answers_of(plan, Logged(record, 1.0, drawn=True).verdict()).values()
    assert answer.judgement.paid == {"claims": Decimal("0.000515")}
    plan = plan_for(2, signals=[Judge("judge"), claims], prices=prices)
    record = logged("a", sure(), sure(), plan=plan, others={"judge": mute("A")})
    (answer,) = answers_of(plan, Logged(record, 1.0, drawn=True).verdict()).values()
    assert answer.judgement.paid == {"judge": None, "claims": None}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, None),
        ({"reason": "pinned"}, "pinned"),
        ({"request": None}, "content"),
        ({"response": ""}, "content"),
        ({"response": None}, "content"),
        ({"handoff": True}, None),
        ({"handoff": True, "handed_to": "a person"}, "content"),
        ({"request": [{"role": "tool", "text": "42"}]}, "content"),
    ],
)
def test_what_the_log_does_not_hold_whole_is_unfit(fields, why):
    assert Logged(logged("a", **fields), 1.0, drawn=True).unfit == why


def test_requests_are_audited_oldest_first():
    records = [
        logged("a", at="2026-03-01T00:00:02+00:00"),
        logged("b", at="2026-03-01T00:00:01+00:00"),
    ]
    assert [each.id for each in drawn(records).todo] == ["b", "a"]
