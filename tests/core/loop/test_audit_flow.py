"""An audit as a flow: what it draws, how it compares, and what it says of every tier."""

import pytest

from cascade_core.draft import Draft
from cascade_core.loop import drivers
from cascade_core.loop.audit_events import rows_of_answers
from cascade_core.loop.audit_flow import audited
from cascade_core.loop.trail import Trail, total
from cascade_core.request import Request, ToolCall, ToolSpec, Turn
from cascade_core.ruling import Ruling
from cascade_core.setup.audit import Audit
from cascade_core.signals import Judge
from cascade_core.signals.agreement import same
from tests.core.making import (
    Reads,
    broken,
    emitted,
    make_tiers,
    mute,
    plan_for,
    play,
    sure,
)

MONDAY, TUESDAY = "Your order ships on Monday.", "We send it off on Tuesday next week."


def asked(**ruling):
    request = Request.of("Where is my order?")
    request.ruling = Ruling(**ruling)
    return request


def audit(*answers, compare="auto", request=None, count=2, streamed=False, others=None, **settings):
    """Decide a request, then audit it; return the verdict, what was found, and the audit's calls."""
    request = request or asked()
    plan = plan_for(count, **settings)
    verdict, effects, models = play(
        plan, *answers, request=request, streamed=streamed, others=others
    )
    shown, cost = emitted(effects), verdict.cost
    models.asked.clear()
    trail = Trail(plan.prices)
    found, _ = drivers.play(
        audited(plan, request, verdict, Audit(0.5, compare).compare, trail), models
    )
    assert (emitted(effects), verdict.cost) == (shown, cost), "the answer and its cost stay"
    assert total(verdict.calls) == cost
    return verdict, found, models, trail


def rows(found):
    return {row["tier"]: row for row in rows_of_answers(found, {})}


# --- what is drawn --------------------------------------------------------------------------------


def test_an_answer_that_stayed_with_a_cheaper_tier_is_put_to_the_strongest():
    verdict, found, models, trail = audit(sure(), sure(text=MONDAY))
    assert (verdict.tier, models.asked) == (0, [(1, "audit")])
    assert (found.quality, found.strong_quality, found.harm) == (1.0, 1.0, 0.0)
    assert [(call.tier, call.purpose, call.outcome) for call in trail.calls] == [
        (1, "audit", "used")
    ]
    # m1 costs 10 USD a million tokens read and 20 written: 100 and 3 of them.
    assert float(found.strong_cost) == pytest.approx((100 * 10 + 3 * 20) / 1e6)
    cheap, strong = rows(found)[0], rows(found)[1]
    assert (cheap["drawn"], strong["drawn"]) == (False, True)
    assert cheap["signals"] == {"sequence_logprob": pytest.approx(0.9)}
    assert (cheap["confidence"], cheap["threshold"]) == (pytest.approx(0.9), 0.8)
    assert cheap["cost_usd"] == pytest.approx((100 + 3 * 2) / 1e6)


def test_where_they_differ_the_whole_quality_is_lost():
    _, found, _, _ = audit(sure(text="4"), sure(text="5"))
    assert (found.quality, found.strong_quality, found.harm, found.why) == (0.0, 1.0, 1.0, None)


def test_a_request_that_was_escalated_has_both_answers_already():
    verdict, found, models, trail = audit(sure(0.1), sure())
    assert (verdict.tier, models.asked, trail.calls) == (1, [], [])
    assert (found.quality, found.harm) == (1.0, 0.0)
    assert rows(found)[0]["quality"] == 1.0
    assert rows(found)[0]["confidence"] == pytest.approx(0.1)
    assert not rows(found)[0]["drawn"]


def test_every_cheaper_draft_is_compared_and_tiers_between_are_not_asked():
    verdict, found, models, _ = audit(
        sure(0.1, text="5"), sure(text="4"), sure(text="4"), sure(text="4"), count=4
    )
    assert (verdict.tier, models.asked) == (1, [(3, "audit")])
    assert {tier: row["quality"] for tier, row in rows(found).items()} == {0: 0.0, 1: 1.0, 3: 1.0}


@pytest.mark.parametrize("ruling", [{"bypass": (0,)}, {"bypass": (0,), "thresholds": (0.95,)}])
def test_what_a_rule_sent_past_the_cheap_tier_has_its_draft_drawn_and_judged(ruling):
    verdict, found, models, trail = audit(sure(0.9), sure(), request=asked(**ruling))
    assert (verdict.tier, verdict.reason) == (1, "bypassed")
    assert models.asked == [(0, "audit")]
    cheap = rows(found)[0]
    assert (cheap["drawn"], cheap["quality"], cheap["confidence"]) == (True, 1.0, 0.9)
    assert cheap["threshold"] == ruling.get("thresholds", (0.8,))[0]
    assert found.harm == 0.0
    assert cheap["cost_usd"] == float(total(trail.calls))


def test_a_tier_that_is_passed_over_for_want_of_a_reading_is_drawn():
    tiers = make_tiers(2)
    tiers[0].logprobs.refuse()
    verdict, found, models, _ = audit(mute(), sure(), tiers=tiers)
    assert (verdict.reason, models.asked) == ("no_reading", [(0, "audit")])
    assert rows(found)[0]["quality"] == 1.0


def test_a_draft_that_was_cut_off_is_drawn_again_whole():
    tiers = make_tiers(2, streams={0: True}, max_tokens=12)
    verdict, found, models, _ = audit(sure(0.1, 9), sure(), tiers=tiers, streamed=True)
    assert [call.outcome for call in verdict.calls] == ["aborted", "returned"]
    assert models.asked == [(0, "audit")]
    assert rows(found)[0]["drawn"]
    assert rows(found)[0]["confidence"] == pytest.approx(0.1)


def test_a_tier_that_failed_had_no_answer_to_give_and_is_not_asked_again():
    verdict, found, models, _ = audit(broken(), sure())
    assert (verdict.reason, models.asked) == ("failed", [])
    assert (list(rows(found)), found.quality, found.harm) == ([1], 1.0, 0.0)


def test_one_that_fails_when_it_is_drawn_is_left_out():
    _, found, models, _ = audit(broken(), sure(), request=asked(bypass=(0,)))
    assert models.asked == [(0, "audit")]
    assert (list(rows(found)), found.failed, found.harm) == ([1], None, 0.0)


def test_without_the_strongest_answer_there_is_nothing_to_compare():
    verdict, found, _, trail = audit(sure(), broken())
    assert verdict.tier == 0
    assert found.failed == "ProviderError (HTTP 500)"
    assert (found.quality, found.harm, found.strong_cost) == (None, None, None)
    assert [call.outcome for call in trail.calls] == ["failed"]


def test_a_best_draft_is_compared_with_what_the_strongest_says_then():
    verdict, found, models, _ = audit(
        sure(0.1, text="4"), [broken(), sure(text="5")], on_exhausted="best_draft"
    )
    assert (verdict.reason, models.asked) == ("best_draft", [(1, "audit")])
    assert found.harm == 1.0


def test_what_a_rule_never_escalates_is_compared_all_the_same():
    verdict, found, models, _ = audit(
        sure(0.1, text="4"), sure(text="5"), request=asked(escalate=False)
    )
    assert (verdict.reason, models.asked, found.harm) == ("kept", [(1, "audit")], 1.0)


def test_in_shadow_mode_both_answers_are_there():
    verdict, found, models, _ = audit(sure(text="4"), sure(text="5"), mode="shadow")
    assert (verdict.tier, models.asked) == (1, [])
    assert (rows(found)[0]["quality"], found.harm) == (0.0, 0.0)


def test_what_a_paid_signal_cost_is_told_apart_from_the_draft():
    judge = Judge("judge")
    verdict, found, _, _ = audit(
        sure(),
        sure(),
        signals=[judge],
        others={"judge": mute("A")},
        prices={
            "m0": {"input": 1, "output": 2},
            "m1": {"input": 10, "output": 20},
            "judge": {"input": 5, "output": 5},
        },
    )
    assert verdict.accepted
    cheap = rows(found)[0]
    assert cheap["paid"] == {"judge": pytest.approx(5 * 103 / 1e6)}
    assert cheap["cost_usd"] == pytest.approx((100 + 2 * 3) / 1e6)


# --- how answers are compared ---------------------------------------------------------------------


def test_texts_of_which_nobody_can_tell_count_as_different_and_it_is_said():
    _, found, models, _ = audit(sure(text=MONDAY), sure(text=TUESDAY))
    assert (found.quality, found.harm, found.why) == (0.0, 1.0, "undecided")
    assert "audit:undecided" in models.notes


def call(name="find", **arguments):
    return Draft(tool_calls=(ToolCall(name, arguments),))


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ("The answer is 4.", "4", True),
        ("The answer is 4.", "5", False),
        ('{"a": 1.0}', '{"a": 1}', True),
        ('{"a": 1}', '{"a": 2}', False),
        ("billing", "Billing.", True),
        ("billing", "refund", False),
        (MONDAY, MONDAY.upper(), True),
        (MONDAY, TUESDAY, None),
        (MONDAY, "", False),
        ("", " ", True),
        ("Yes", TUESDAY, None),
        ("You get $40 back.", "We will refund $40.", None),
        ("You get $40 back.", "We will refund $60.", False),
        ("You have 5 days.", "It takes 5 hours.", False),
    ],
)
def test_words_alone_tell_only_so_much(a, b, says):
    assert same(Draft(a), Draft(b)) is says
    assert same(Draft(b), Draft(a)) is says


def test_tool_calls_are_the_same_or_not():
    assert same(call(n=7), call(n=7)) is True
    assert same(call(n=7), call(n=8)) is False
    assert same(call(n=7), Draft(MONDAY)) is False


def test_tool_calls_are_compared_by_the_schemas_of_the_tools_that_were_offered():
    def calls(**arguments):
        return mute("", tool_calls=(ToolCall("find", arguments),))

    tool = ToolSpec("find", {"properties": {"n": {"type": "integer"}}})
    request = Request((Turn("user", "Find it."),), tools=[tool])
    _, found, _, _ = audit(calls(n=7), calls(n="7"), request=request)
    assert (found.quality, found.why) == (1.0, None)
    _, found, _, _ = audit(calls(n=7), calls(n="8"), request=request)
    assert found.quality == 0.0


def test_of_what_is_no_text_nothing_can_be_told():
    assert same(Draft(other_parts=("image",)), Draft(MONDAY)) is None


def test_a_judge_grades_each_answer_and_is_paid_for():
    _, found, models, trail = audit(
        sure(), sure(), compare=Judge("judge"), others={"judge": [mute("B"), mute("A")]}
    )
    assert models.asked == [(1, "audit"), ("judge", "judge"), ("judge", "judge")]
    assert (found.quality, found.strong_quality, found.harm) == (0.0, 1.0, 1.0)
    assert [call.purpose for call in trail.calls] == ["audit", "judge", "judge"]


def test_a_strong_answer_that_a_judge_finds_worse_is_no_harm():
    _, found, _, _ = audit(
        sure(), sure(), compare=Judge("judge"), others={"judge": [mute("A"), mute("B")]}
    )
    assert (found.quality, found.strong_quality, found.harm) == (1.0, 0.0, 0.0)


def test_an_empty_answer_is_worth_nothing_unasked():
    _, found, models, _ = audit(
        sure(), mute(""), compare=Judge("judge"), others={"judge": mute("A")}
    )
    assert models.asked == [(1, "audit"), ("judge", "judge")]
    assert (found.quality, found.strong_quality) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("says", "why"), [(mute("Hm."), "no_reading"), (broken(), "ProviderError (HTTP 500)")]
)
def test_a_judge_that_does_not_decide_fails_the_audit(says, why):
    _, found, models, trail = audit(sure(), sure(), compare=Judge("judge"), others={"judge": says})
    assert found.failed == why
    assert "audit:compare" in models.notes
    assert trail.calls[0].purpose == "audit", "what was paid for is known"


def test_a_function_gets_the_request_and_both_drafts():
    seen = []

    def compare(request, draft, strong):
        seen.append((request.question, draft.text, strong.text))
        return 0.25

    _, found, _, _ = audit(sure(text=MONDAY), sure(text=TUESDAY), compare=compare)
    assert seen == [("Where is my order?", MONDAY, TUESDAY)]
    assert (found.quality, found.strong_quality, found.harm) == (0.25, 1.0, 0.75)


def test_a_function_may_grade_both_and_be_awaited():
    async def compare(request, draft, strong):
        return 0.75, 0.5

    _, found, _, _ = audit(sure(), sure(), compare=compare)
    assert (found.quality, found.strong_quality, found.harm) == (0.75, 0.5, 0.0)


def test_a_function_sees_the_only_answer_there_is_beside_itself():
    _, found, _, _ = audit(broken(), sure(), compare=lambda _r, d, s: (0.5, 0.5) if d is s else 1.0)
    assert (found.quality, found.strong_quality, found.harm) == (0.5, 0.5, 0.0)


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (RuntimeError("secret"), "RuntimeError"),
        (7.5, "wrong_quality:"),
        (None, "wrong_quality:"),
        ("good", "wrong_quality:"),
        ((1, 1, 1), "wrong_quality:"),
    ],
)
def test_a_function_that_gives_no_quality_fails_the_audit(says, why):
    def compare(request, draft, strong):
        if isinstance(says, Exception):
            raise says
        return says

    _, found, models, _ = audit(sure(), sure(), compare=compare)
    assert found.failed == why.rstrip(":")
    assert found.harm is None
    assert "secret" not in models.notes["audit:compare"]
    assert "function:compare" in models.notes["audit:compare"]


def test_a_signal_that_reads_a_drawn_draft_is_read_once():
    signal = Reads(0.9)
    audit(sure(), sure(), request=asked(bypass=(0,)), signals=[signal])
    assert signal.count == 1
