"""One request, examined: every tier, every signal, and every call in the bill."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cascade_core.collect.answers import keep, reusable
from cascade_core.collect.examine import Answer, Examined, examine
from cascade_core.collect.grade import make_grader
from cascade_core.collect.requests import Sample, read_requests
from cascade_core.collect.row import as_entry
from cascade_core.draft import Draft
from cascade_core.loop import drivers
from cascade_core.request import Request
from cascade_core.signals import Judge, SelfConsistency, SequenceLogprob
from tests.core.making import REQUEST, Models, ProviderError, broken, mute, plan_for, sure

TOKENS = {"input": 100, "output": 3}


def cost(tier: int, output: int = 3) -> Decimal:
    """What a call of a tier of `making` costs: 100 tokens in, so many out."""
    return Decimal(10**tier) * (100 + 2 * output) / 1_000_000


def examined(
    *answers: Any,
    quality: Any = "agreement",
    judge: Any = None,
    others: Any = None,
    **settings: Any,
) -> tuple[Examined, Models]:
    models = Models(*answers, others=others)
    grader = make_grader(quality, read_requests([{"request": "a"}]), judge)
    plan = plan_for(len(answers), **settings)
    found, _ = drivers.play(examine(plan, REQUEST, grader, "a"), models)
    return found, models


def qualities(found: Examined) -> tuple[float | None, ...]:
    return tuple(grade.quality for grade in found.grades)


def test_every_tier_is_asked_even_where_the_first_is_sure() -> None:
    found, models = examined(sure(0.999), sure(), sure())
    assert models.asked == [(0, "draft"), (1, "draft"), (2, "draft")]
    assert qualities(found) == (1.0, 1.0, 1.0)
    assert [a.cost for a in found.answers] == [cost(0), cost(1), cost(2)]
    assert found.cost == cost(0) + cost(1) + cost(2)


def test_signals_are_read_on_every_tier_but_the_last() -> None:
    found, _ = examined(sure(0.9), sure(0.8), sure(0.7))
    readings = [dict(a.readings) for a in found.answers]
    assert readings[0] == {"sequence_logprob": pytest.approx(0.9)}
    assert readings[1] == {"sequence_logprob": pytest.approx(0.8)}
    assert readings[2] == {}


def test_every_paid_signal_is_read_and_priced_apart_from_the_answer() -> None:
    signals = [SequenceLogprob(), SelfConsistency(n=2), Judge("judge")]
    found, models = examined(
        sure(0.1), sure(), signals=signals, others={"judge": sure(0.9, n=1, text="A")}
    )
    # A cascade would have stopped after the first signal; a table needs them all.
    assert models.asked[0:3] == [(0, "draft"), (0, "sample"), ("judge", "judge")]
    first = found.answers[0]
    assert first.cost == cost(0)
    assert first.paid["self_consistency"] == 2 * cost(0)
    assert first.paid["judge"] is None, "the judge of this test has no price"
    assert "sequence_logprob" not in first.paid
    assert found.cost is None


def test_a_draft_that_fails_a_gate_is_graded_and_not_read() -> None:
    found, models = examined(
        sure(text="I cannot help with that."), sure(), signals=[SelfConsistency(n=2)]
    )
    assert models.asked == [(0, "draft"), (1, "draft")]
    assert dict(found.answers[0].readings) == {}
    assert qualities(found) == (0.0, 1.0)


def test_a_gate_of_the_callers_own_counts_too_and_one_that_raises_fails() -> None:
    def picky(request: Any, draft: Any) -> bool:
        raise ZeroDivisionError

    for gate in (picky, lambda request, draft: False):
        found, _ = examined(sure(), sure(), gates=[gate])
        assert dict(found.answers[0].readings) == {}
    found, _ = examined(sure(), sure(), gates=[lambda request, draft: True])
    assert dict(found.answers[0].readings) != {}


def test_a_tier_that_fails_has_no_cost_and_the_others_go_on() -> None:
    found, _ = examined(broken(ProviderError()), sure(), sure())
    assert (found.answers[0].draft, found.answers[0].cost) == (None, None)
    assert found.answers[0].error == "ProviderError (HTTP 500)"
    assert qualities(found) == (None, 1.0, 1.0)
    assert found.cost == cost(1) + cost(2)


def test_a_tier_that_refuses_logprobs_is_asked_again_without_and_that_is_remembered() -> None:
    refusal = ProviderError("logprobs are not supported", 400)
    plan = plan_for(2)
    models = Models([broken(refusal), mute(), mute()], sure())
    grader = make_grader("agreement", read_requests([{"request": "a"}]))
    for _ in range(2):
        found, _ = drivers.play(examine(plan, REQUEST, grader, "a"), models)
        assert found.answers[0].error is None
        assert dict(found.answers[0].readings) == {"sequence_logprob": None}
        assert found.answers[0].cost == cost(0)
    assert [asked for asked, _ in models.asked] == [0, 0, 1, 0, 1]


def test_what_grading_costs_is_in_the_bill_and_in_no_tiers_price() -> None:
    plan_prices = {"prices": {"m0": TOKENS, "m1": TOKENS, "judge": {"input": 1, "output": 0}}}
    found, _ = examined(
        sure(),
        sure(),
        quality="judge",
        judge="judge",
        others={"judge": sure(0.9, n=1, text="A", fields={"model": "judge"})},
        **plan_prices,
    )
    assert found.answers[0].cost is not None
    assert found.answers[1].cost is not None
    answers = found.answers[0].cost + found.answers[1].cost
    assert found.cost == answers + 2 * Decimal(100) / 1_000_000


def test_the_last_tier_is_read_where_that_is_wanted_by_what_it_is_to_be_read_by() -> None:
    models = Models(sure(0.9), sure(0.7), others={"judge": sure(0.9, n=2, text="A")})
    free, paid = SequenceLogprob(), Judge("judge")
    plan = plan_for(2, signals=[free, paid])
    grader = make_grader("agreement", read_requests([{"request": "a"}]))
    steps = examine(plan, REQUEST, grader, "a", of_last=[free])
    found, _ = drivers.play(steps, models)
    assert models.asked == [(0, "draft"), ("judge", "judge"), (1, "draft")]
    assert dict(found.answers[1].readings) == {"sequence_logprob": pytest.approx(0.7)}
    assert dict(found.answers[1].paid) == {}


def test_an_answer_of_the_last_tier_that_fails_a_gate_says_so_where_it_is_read() -> None:
    models = Models(sure(), sure(text="I cannot help with that."))
    grader = make_grader("agreement", read_requests([{"request": "a"}]))
    plan = plan_for(2)
    steps = examine(plan, REQUEST, grader, "a", of_last=plan.signals)
    found, _ = drivers.play(steps, models)
    assert found.answers[1].gate == "gate_refusal"
    assert dict(found.answers[1].readings) == {}


def test_answers_that_are_kept_are_read_as_they_were_and_only_as_they_were() -> None:
    cheap, strong = plan_for(2).tiers
    read = Answer(strong, Draft("x"), readings={"a": 0.5}, paid={"b": Decimal(1)}, gate="empty")
    for judged, of_last, readings in (
        (True, ["a"], {"a": 0.5}),
        ("free", ["a"], {"a": 0.5}),
        (True, (), {}),
        (False, ["a"], None),
    ):
        kept = [None, keep(read, "k1", judged=judged)]
        found = reusable(kept, ["k0", "k1"], (cheap, strong), of_last)
        assert (dict(found[1].readings) if found else None) == readings
        assert not found or (found[1].paid, found[1].gate) == ({}, "empty" if of_last else None)
    # Nothing paid was read of it, so that it is no draft of a tier whose drafts are judged.
    kept = [keep(read, "k1", judged="free"), None]
    assert reusable(kept, ["k1", "k0"], (cheap, strong), ["a"]) == {}


def test_how_drafts_went_is_kept_and_of_the_last_tier_it_is_not() -> None:
    found, _ = examined(sure(0.5, n=3), mute(), sure(0.9))
    assert [a.trajectory for a in found.answers] == ["0.693 0.693 0.693", None, None]


def test_it_is_kept_of_a_draft_that_failed_a_gate_too_for_that_may_be_out_by_then() -> None:
    found, _ = examined(sure(0.5, n=2, fields={"finish": "length"}), sure())
    assert found.answers[0].gate == "gate_truncated"
    assert found.answers[0].trajectory == "0.693 0.693"


def test_what_may_become_an_object_has_none() -> None:
    request = Request(REQUEST.turns, output_schema={"type": "object"})
    plan, grader = plan_for(2), make_grader("agreement", read_requests([{"request": "a"}]), None)
    answer = sure(0.5, text="{}")
    found, _ = drivers.play(examine(plan, request, grader, "a"), Models(answer, answer))
    assert found.answers[0].trajectory is None


def test_it_is_a_column_of_the_row_and_survives_the_journal() -> None:
    found, _ = examined(sure(0.5, n=2), sure(0.9))
    plan = plan_for(2)
    entry = as_entry(Sample(0, 1, "r1", "a"), found, plan.signals, ())
    assert entry.row["t0_trajectory"] == "0.693 0.693"
    assert "t1_trajectory" not in entry.row
    kept = [keep(answer, "k", judged=answer.tier.index == 0) for answer in found.answers]
    again = reusable(kept, ["k", "k"], plan.tiers)
    assert again[0].trajectory == "0.693 0.693"
