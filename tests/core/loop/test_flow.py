"""Whole answers: which tier answers, why, and what the trail says."""

import math
from decimal import Decimal

import pytest

from cascade_core.abilities import Abilities
from cascade_core.draft import Draft
from cascade_core.effects import Ask
from cascade_core.errors import CascadeExhausted
from cascade_core.logprobs import Logprobs
from cascade_core.loop import drivers
from cascade_core.loop.flow import cascade
from cascade_core.request import Request, ToolCall, ToolSpec
from cascade_core.signals import Judge, SelfConsistency, SequenceLogprob, TokenMargin, Verbalized
from cascade_core.tier import RETRIED_AFTER, LogprobMemory
from tests.core.making import (
    REQUEST,
    Answer,
    Models,
    ProviderError,
    Reads,
    broken,
    make_tiers,
    mute,
    outcomes,
    plan_for,
    play,
    sure,
)

WEATHER = ToolSpec(
    "weather",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
WITH_TOOLS = Request.of("How is the weather?")
WITH_TOOLS.tools = (WEATHER,)
NO_TOOLS = Abilities(lacks=frozenset({"tools"}))


def called(arguments, name="weather", **settings):
    return Answer("", fields={"tool_calls": (ToolCall(name, arguments),)}, **settings)


# --- accept and escalate ------------------------------------------------------------------------


def test_a_confident_draft_is_returned_and_the_strong_tier_never_asked():
    verdict, _, models = play(plan_for(), sure(0.9), sure())
    assert (verdict.tier, verdict.reason, verdict.accepted) == (0, "confident", True)
    assert verdict.judged.confidence == pytest.approx(0.9)
    assert verdict.judged.threshold == 0.8
    assert models.asked == [(0, "draft")]
    assert outcomes(verdict) == [(0, "accepted")]
    assert verdict.cost == Decimal("0.000106")


def test_a_doubtful_draft_sends_the_request_on():
    verdict, _, _ = play(plan_for(), sure(0.5), sure(0.1))
    assert (verdict.tier, verdict.reason, verdict.accepted) == (1, "low_confidence", False)
    assert verdict.judged.confidence == pytest.approx(0.5)
    assert outcomes(verdict) == [(0, "rejected"), (1, "returned")]
    assert verdict.calls[0].note == "low_confidence"
    assert verdict.cost == sum(call.cost for call in verdict.calls)


def test_meeting_the_threshold_exactly_is_enough():
    verdict, _, _ = play(plan_for(signals=[Reads(0.8)]), mute(), mute())
    assert verdict.tier == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (sure(text="I'm sorry, but I can't help with that."), "gate_refusal"),
        (sure(fields={"refusal": True}), "gate_refusal"),
        (sure(fields={"finish": "length"}), "gate_truncated"),
        (sure(text="  \n"), "gate_empty"),
        (sure(fields={"broken_tool_calls": 1}), "gate_tool_call"),
        (sure(fields={"parse_error": ValueError("x")}), "gate_parser"),
    ],
)
def test_a_draft_that_fails_a_gate_sends_the_request_on(answer, reason):
    signal = Reads(1.0)
    verdict, _, _ = play(plan_for(signals=[signal]), answer, sure())
    assert (verdict.tier, verdict.reason) == (1, reason)
    assert verdict.calls[0].note == reason
    assert verdict.judged.confidence is None
    assert not signal.count, "a draft that failed a gate is not read"


def test_text_that_does_not_fit_the_schema_sends_the_request_on():
    request = Request.of("Order?")
    request.output_schema = {"type": "object", "required": ["id"]}
    verdict, _, _ = play(plan_for(), sure(text='{"name": 1}'), sure(), request=request)
    assert (verdict.tier, verdict.reason) == (1, "gate_schema")
    verdict, _, _ = play(plan_for(), sure(text='{"id": 1}'), sure(), request=request)
    assert verdict.tier == 0


def test_a_failed_tier_is_a_reason_to_go_on():
    verdict, _, _ = play(plan_for(), broken(), sure())
    assert (verdict.tier, verdict.reason, verdict.accepted) == (1, "failed", False)
    assert outcomes(verdict) == [(0, "failed"), (1, "returned")]
    assert verdict.calls[0].seconds == 0.5
    assert verdict.cost == verdict.calls[1].cost


def test_a_draft_without_a_reading_is_never_accepted():
    verdict, _, models = play(plan_for(), mute(), sure())
    assert (verdict.tier, verdict.reason) == (1, "no_reading")
    assert verdict.judged.signals == {"sequence_logprob": None}
    assert (
        "returns no logprobs; add Agreement(model), SelfConsistency() or"
        in models.notes["no_reading:0"]
    )


def test_a_draft_without_a_reading_is_accepted_where_the_caller_says_so():
    verdict, _, _ = play(plan_for(on_no_score="accept"), mute(), sure())
    assert (verdict.tier, verdict.reason, verdict.accepted) == (0, "no_reading", True)


def test_a_signal_that_read_nothing_is_not_blamed_on_logprobs():
    _, _, models = play(plan_for(signals=[Reads(None)]), mute(), sure())
    assert "logprobs" not in models.notes["no_reading:0"]


# --- tiers that are not asked -------------------------------------------------------------------


def test_a_tier_known_to_give_no_logprobs_is_never_asked_and_that_is_said():
    tiers = make_tiers(logprobs={0: LogprobMemory(known=False), 1: LogprobMemory()})
    verdict, _, models = play(plan_for(tiers=tiers), mute(), sure())
    assert models.asked == [(1, "draft")]
    assert verdict.reason == "no_reading"
    assert "add Agreement(model), SelfConsistency()" in models.notes["no_reading:0"]


@pytest.mark.parametrize(
    "settings",
    [{"signals": [Reads(0.9)]}, {"on_no_score": "accept"}],
    ids=["another signal", "on_no_score"],
)
def test_a_tier_without_logprobs_is_asked_where_something_can_come_of_it(settings):
    tiers = make_tiers(logprobs=LogprobMemory(known=False))
    verdict, effects, _ = play(plan_for(tiers=tiers, **settings), mute(), mute())
    assert verdict.tier == 0
    assert not effects[0].logprobs


def test_three_silent_text_answers_in_a_row_show_that_a_tier_gives_no_logprobs():
    plan = plan_for()
    asked = [play(plan, mute(), sure())[2].asked for _ in range(4)]
    assert [len(one) for one in asked] == [2, 2, 2, 1]


def test_one_answer_with_logprobs_clears_a_tier_of_being_silent():
    plan = plan_for()
    for answer in (mute(), mute(), sure(), mute(), mute()):
        play(plan, answer, sure())
    assert not plan.tiers[0].logprobs.absent


@pytest.mark.parametrize(
    "fields", [{"tool_calls": (ToolCall("weather", {"city": "Bern"}),)}, {"cached": True}]
)
def test_tool_calls_and_cached_answers_without_logprobs_prove_nothing(fields):
    plan = plan_for()
    for _ in range(5):
        play(plan, mute(**fields), sure())
    assert not plan.tiers[0].logprobs.absent


def test_a_tier_that_cannot_call_tools_is_skipped():
    request = Request(WITH_TOOLS.turns, tools=[WEATHER], needs=["tools"])
    plan = plan_for(tiers=make_tiers(abilities={0: NO_TOOLS}))
    verdict, _, models = play(plan, sure(), sure(), request=request)
    assert (verdict.tier, verdict.reason) == (1, "unable")
    assert verdict.unable == {0: ("tools",)}
    assert models.asked == [(1, "draft")]


def test_the_last_tier_is_asked_whatever_it_lacks():
    request = Request(REQUEST.turns, needs=["tools"])
    plan = plan_for(tiers=make_tiers(abilities=NO_TOOLS))
    verdict, _, models = play(plan, sure(), sure(), request=request)
    assert (verdict.tier, verdict.unable) == (1, {0: ("tools",)})
    assert models.asked == [(1, "draft")]


# --- tiers that always fail ---------------------------------------------------------------------


def test_a_tier_that_fails_again_and_again_is_warned_of_once_a_streak():
    plan, refused = plan_for(), ProviderError(status=500)
    said = []
    for answer in [broken(refused)] * 5 + [sure()] + [broken(refused)] * 4:
        verdict, _, models = play(plan, answer, sure())
        said.append(list(models.notes.values()))
    assert [len(notes) for notes in said] == [0, 0, 1, 0, 0, 0, 0, 0, 1, 0]
    (text,) = said[2]
    assert text == (
        "tier 0 (m0) has failed 3 times in a row (ProviderError (HTTP 500)): every request goes on "
        "to the next tier, and nothing is saved; check its key, its address and the name of its "
        "model"
    )
    (failing,) = verdict.failing
    assert (failing.tier, failing.model, failing.failures) == (0, "m0", 4)
    assert failing.error == "ProviderError (HTTP 500)"


@pytest.mark.parametrize(
    ("status", "helps"),
    [
        (401, "check the API key"),
        (403, "check the API key"),
        (404, "check the model's name and the address"),
    ],
)
def test_what_will_hardly_pass_by_itself_is_warned_of_at_once(status, helps):
    plan, refused = plan_for(), ProviderError(status=status)
    said = []
    for answer in [broken(refused)] * 4 + [sure(), broken(refused)]:
        verdict, _, models = play(plan, answer, sure())
        said.append(list(models.notes.values()))
    assert [len(notes) for notes in said] == [1, 0, 0, 0, 0, 1]
    (text,) = said[0]
    assert text == (
        f"tier 0 (m0) has failed (ProviderError (HTTP {status})): every request goes on to the "
        f"next tier, and nothing is saved; {helps}"
    )
    assert [failing.failures for failing in verdict.failing] == [1]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_last_tier_that_fails_again_and_again_is_warned_of(streamed):
    plan = plan_for(1, tiers=make_tiers(1, streams=True))
    for _ in range(3):
        models = Models(broken())
        with pytest.raises(CascadeExhausted):
            drivers.play(cascade(plan, REQUEST, streamed=streamed), models)
    (text,) = models.notes.values()
    assert "every request that comes to it fails" in text


def test_a_tier_that_answers_in_between_is_not_failing():
    plan = plan_for()
    for answer in [broken(), broken(), sure()] * 3:
        verdict, _, models = play(plan, answer, sure())
        assert (models.notes, verdict.failing) == ({}, [])


# --- more and fewer tiers -----------------------------------------------------------------------


@pytest.mark.parametrize(("levels", "tier"), [((0.9, 0.1), 0), ((0.5, 0.75), 1), ((0.5, 0.5), 2)])
def test_three_tiers_are_tried_in_order_each_with_its_own_threshold(levels, tier):
    answers = [sure(p) for p in levels]
    verdict, _, models = play(plan_for(3, thresholds=[0.8, 0.7]), *answers, mute())
    assert verdict.tier == tier
    assert [key for key, _ in models.asked] == list(range(tier + 1))


def test_a_single_tier_answers_without_being_judged():
    verdict, _, _ = play(plan_for(1), mute())
    assert (verdict.tier, verdict.reason, verdict.accepted) == (0, "only_tier", False)


def test_the_last_tier_is_not_asked_for_logprobs():
    _, effects, _ = play(plan_for(), sure(0.1), mute())
    assert [effect.logprobs for effect in effects] == [True, False]


def test_a_failing_gate_of_the_last_tier_is_noted_and_its_answer_returned():
    verdict, _, _ = play(plan_for(), sure(0.1), mute(finish="length"))
    assert (verdict.tier, verdict.reason) == (1, "low_confidence")
    assert (verdict.calls[1].outcome, verdict.calls[1].note) == ("returned", "gate_truncated")


def test_a_tier_with_nothing_to_judge_leaves_the_numbers_of_the_last_judged_draft():
    verdict, _, _ = play(plan_for(3, thresholds=[0.8, 0.7]), sure(0.5), broken(), mute())
    assert (verdict.tier, verdict.reason) == (2, "failed")
    assert verdict.judged.confidence == pytest.approx(0.5)
    assert verdict.judged.threshold == 0.8
    assert list(verdict.judged.signals) == ["sequence_logprob"]


def test_an_answer_that_names_no_model_is_its_tiers():
    verdict, _, _ = play(plan_for(), sure(fields={"model": None}), sure())
    assert verdict.draft.model == "m0"
    assert verdict.calls[0].model == "m0"


def test_an_answer_keeps_the_name_its_provider_gives_the_model():
    verdict, _, _ = play(plan_for(), sure(fields={"model": "m0-2026-01-01"}), sure())
    assert verdict.draft.model == "m0-2026-01-01"


def test_every_tier_is_asked_what_the_caller_asked_and_for_what_the_signals_read():
    _, effects, _ = play(plan_for(3, signals=[TokenMargin()]), sure(0.1), sure(0.1), mute())
    asked = [effect for effect in effects if isinstance(effect, Ask)]
    assert [(effect.target.index, effect.request) for effect in asked] == [
        (0, REQUEST),
        (1, REQUEST),
        (2, REQUEST),
    ]
    assert [(effect.logprobs, effect.top_logprobs) for effect in asked] == [
        (True, 2),
        (True, 2),
        (False, 0),
    ]


def test_what_only_the_last_tier_would_have_cost_is_told():
    verdict, _, _ = play(plan_for(), sure(0.9), mute())
    assert (verdict.strong_cost, verdict.strong_cost_exact) == (Decimal("0.00106"), False)
    verdict, _, _ = play(plan_for(), sure(0.1), mute())
    assert (verdict.strong_cost, verdict.strong_cost_exact) == (verdict.calls[1].cost, True)


def test_a_flow_is_not_streamed_unless_it_is_said():
    verdict, effects = drivers.play(cascade(plan_for(), REQUEST), Models(sure(0.9), mute()))
    assert (verdict.tier, [type(effect) for effect in effects]) == (0, [Ask])


# --- nothing left -------------------------------------------------------------------------------


def test_when_every_tier_failed_one_error_names_every_cause_and_carries_the_trail():
    with pytest.raises(CascadeExhausted) as caught:
        play(plan_for(3), broken(), sure(0.1), broken(ProviderError("key sk-1", status=429)))
    error = caught.value
    assert str(error) == (
        "no tier of the cascade gave an answer (tier 0 (m0): ProviderError (HTTP 500); "
        "tier 2 (m2): ProviderError (HTTP 429))"
    )
    assert [label for label, _ in error.causes] == ["tier 0 (m0)", "tier 2 (m2)"]
    assert [call.outcome for call in error.trail] == ["failed", "rejected", "failed"]
    assert [call.purpose for call in error.trail] == ["draft"] * 3
    assert error.__cause__ is error.causes[-1][1]


@pytest.mark.parametrize(
    ("first", "second", "best"),
    [
        (sure(0.6), sure(0.5), 0),
        (sure(0.5), sure(0.6), 1),
        (sure(0.5), sure(0.5), 1),
        (sure(0.9, fields={"finish": "length"}), sure(0.1), 1),
        (mute(), sure(0.1), 1),
        (mute(), sure(0.0), 1),
        (mute(), mute(finish="length"), 0),
        (broken(), mute(), 1),
        (mute(finish="length"), broken(), 0),
    ],
    ids=[
        "confidence",
        "confidence",
        "later tier",
        "gates first",
        "no reading last",
        "no reading last",
        "gates first, unread too",
        "only one",
        "only one",
    ],
)
def test_the_best_draft_is_the_one_past_the_gates_then_the_surest_then_the_last(
    first, second, best
):
    plan = plan_for(3, on_exhausted="best_draft", thresholds=0.8)
    verdict, _, _ = play(plan, first, second, broken())
    assert (verdict.tier, verdict.reason, verdict.accepted) == (best, "best_draft", False)
    (returned,) = [call for call in verdict.calls if call.outcome == "returned"]
    assert returned.tier == best
    assert returned.note is not None


def test_without_any_draft_there_is_no_best_one():
    with pytest.raises(CascadeExhausted):
        play(plan_for(on_exhausted="best_draft"), broken(), broken())


# --- tools --------------------------------------------------------------------------------------


def test_a_tool_call_without_a_reading_is_accepted_when_it_passes_every_gate():
    verdict, _, models = play(plan_for(), called({"city": "Bern"}), sure(), request=WITH_TOOLS)
    assert (verdict.tier, verdict.reason, verdict.accepted) == (0, "tool_call", True)
    assert "tool_call:0" in models.notes


def test_a_tool_call_whose_arguments_do_not_fit_sends_the_request_on():
    verdict, _, _ = play(plan_for(), called({"town": "Bern"}), sure(), request=WITH_TOOLS)
    assert (verdict.tier, verdict.reason) == (1, "gate_tool_call")


def test_a_tool_call_without_a_reading_goes_on_where_the_caller_says_so():
    plan = plan_for(on_tool_call="escalate")
    verdict, _, _ = play(plan, called({"city": "Bern"}), sure(), request=WITH_TOOLS)
    assert (verdict.tier, verdict.reason) == (1, "no_reading")


def test_a_tool_call_with_a_reading_is_judged_by_it():
    low = called({"city": "Bern"}, probs=[0.2])
    verdict, _, _ = play(plan_for(), low, sure(), request=WITH_TOOLS)
    assert (verdict.tier, verdict.reason) == (1, "low_confidence")


@pytest.mark.parametrize("how", ["required", "named", "tool_only"])
def test_a_forced_tool_call_is_asked_of_a_tier_that_nobody_can_read(how):
    choice = {"required": "required", "named": "weather", "tool_only": None}[how]
    request = Request(WITH_TOOLS.turns, tools=[WEATHER], tool_choice=choice)
    tiers = make_tiers(logprobs=LogprobMemory(known=False), tool_only=how == "tool_only")
    verdict, _, _ = play(plan_for(tiers=tiers), called({"city": "x"}), sure(), request=request)
    assert (verdict.tier, verdict.reason) == (0, "tool_call")
    plan = plan_for(tiers=tiers, on_tool_call="escalate")
    _, _, models = play(plan, called({"city": "x"}), sure(), request=request)
    assert models.asked == [(1, "draft")]


# --- refused logprobs ---------------------------------------------------------------------------


def test_refused_logprobs_are_asked_for_once_and_never_again():
    refusal = broken(ProviderError("'logprobs' is not supported with this model", status=400))
    plan = plan_for(signals=[Reads(0.9), SequenceLogprob()])
    verdict, effects, _ = play(plan, [refusal, mute()], sure())
    assert [effect.logprobs for effect in effects] == [True, False]
    assert outcomes(verdict) == [(0, "failed"), (0, "accepted")]
    _, effects, _ = play(plan, mute(), sure())
    assert [effect.logprobs for effect in effects] == [False]


def test_a_retry_that_fails_too_is_a_failed_tier():
    refusal = broken(ProviderError("top_logprobs: unknown field", status=422))
    verdict, _, _ = play(plan_for(), [refusal, broken()], sure())
    assert verdict.reason == "failed"
    assert outcomes(verdict) == [(0, "failed"), (0, "failed"), (1, "returned")]
    assert [call.purpose for call in verdict.calls] == ["draft"] * 3


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_that_names_logprobs_is_no_refusal(status):
    plan = plan_for()
    _, _, models = play(plan, broken(ProviderError("logprobs", status=status)), sure())
    assert models.asked == [(0, "draft"), (1, "draft")]
    assert plan.tiers[0].logprobs.asked


# --- paid signals -------------------------------------------------------------------------------


def test_a_paid_signal_is_not_asked_when_it_cannot_change_the_outcome():
    paid = Reads(1.0, "paid", paid=True)
    verdict, _, _ = play(plan_for(signals=[paid, Reads(0.5)]), mute(), mute())
    assert not paid.count
    assert verdict.reason == "low_confidence"
    assert verdict.judged.signals == {"reads": 0.5}


def test_a_paid_signal_is_asked_when_the_free_ones_leave_the_question_open():
    paid = Reads(0.7, "paid", paid=True)
    verdict, _, _ = play(plan_for(signals=[paid, Reads(0.9)]), mute(), mute())
    assert paid.count == 1
    assert verdict.judged.signals == {"reads": 0.9, "paid": 0.7}
    assert verdict.judged.confidence == 0.7


def test_a_mean_that_a_paid_signal_could_still_lift_is_waited_for():
    paid = Reads(1.0, "paid", paid=True)
    plan = plan_for(signals=[Reads(0.6), paid], combine="mean")
    verdict, _, _ = play(plan, mute(), mute())
    assert verdict.tier == 0
    assert verdict.judged.confidence == 0.8


def test_a_paid_signal_that_could_not_keep_a_draft_from_passing_is_not_asked():
    paid = Reads(0.0, "paid", paid=True)
    plan = plan_for(signals=[Reads(1.0), paid], combine={"reads": 3, "paid": 1}, thresholds=0.7)
    verdict, _, _ = play(plan, mute(), mute())
    assert not paid.count
    assert (verdict.tier, verdict.reason) == (0, "confident")
    assert verdict.judged.confidence == 0.75, "what is sure, whatever it would have said"
    assert verdict.judged.signals == {"reads": 1.0}


def test_of_two_paid_signals_the_second_is_asked_only_where_the_first_leaves_it_open():
    first, second = Reads(0.2, "first", paid=True), Reads(0.9, "second", paid=True)
    verdict, _, _ = play(plan_for(signals=[first, second]), mute(), mute())
    assert (first.count, second.count) == (1, 0)
    assert verdict.judged.signals == {"first": 0.2}


def test_a_free_signal_without_a_reading_does_not_spare_the_paid_one():
    paid = Reads(0.9, "paid", paid=True)
    verdict, _, _ = play(plan_for(signals=[Reads(None), paid]), mute(), mute())
    assert verdict.tier == 0


def test_a_combiner_cannot_make_a_skipped_signal_help_by_its_absence():
    class Strict:
        identity = "strict"

        def combine(self, readings):
            return min(readings.values()) if len(readings) == 2 else None

    paid = Reads(1.0, "paid", paid=True)
    plan = plan_for(signals=[Reads(0.5), paid], combine=Strict(), on_no_score="accept")
    verdict, _, _ = play(plan, mute(), mute())
    assert (verdict.tier, verdict.reason) == (1, "low_confidence")
    assert not paid.count


def test_every_call_of_a_signal_is_in_the_trail_once_as_used():
    plan = plan_for(signals=[SelfConsistency(n=3)])
    first = [mute(), mute(), mute("Next year."), broken()]
    verdict, _, _ = play(plan, first, mute())
    assert outcomes(verdict) == [
        (0, "rejected"),
        *[(0, "used")] * 2,
        (0, "failed"),
        (1, "returned"),
    ]
    assert [call.purpose for call in verdict.calls[1:4]] == ["sample"] * 3
    assert verdict.cost == sum(call.cost or 0 for call in verdict.calls)


def test_samples_that_all_failed_are_all_in_the_trail():
    plan = plan_for(signals=[SelfConsistency(n=3)])
    verdict, _, _ = play(plan, [mute(), *[broken()] * 3], mute())
    assert outcomes(verdict) == [(0, "rejected"), *[(0, "failed")] * 3, (1, "returned")]
    assert verdict.reason == "no_reading"


def test_a_judge_is_in_the_trail_with_the_tier_it_judged_and_its_own_model_and_price():
    judge = mute("A", model="m2")
    plan = plan_for(signals=[Judge("judge")])
    verdict, _, _ = play(plan, mute(), mute(), others={"judge": judge})
    assert verdict.tier == 0
    call = verdict.calls[1]
    assert (call.tier, call.model, call.purpose, call.outcome) == (0, "m2", "judge", "used")
    assert call.cost == Decimal("0.0106")


def test_a_judge_is_not_priced_as_its_tiers_host_prices():
    tiers = make_tiers(provider={0: "nobody"})
    plan = plan_for(tiers=tiers, signals=[Judge("judge")])
    verdict, _, _ = play(plan, mute(), mute(), others={"judge": mute("A", model="m2")})
    assert verdict.calls[1].cost == Decimal("0.0106")


def test_a_judge_that_failed_leaves_no_reading_and_a_failed_call():
    plan = plan_for(signals=[Judge("judge")])
    verdict, _, _ = play(plan, mute(), mute(), others={"judge": broken()})
    assert verdict.reason == "no_reading"
    assert [call.outcome for call in verdict.calls] == ["rejected", "failed", "returned"]
    assert verdict.calls[1].model is None


def test_a_tier_is_asked_how_sure_it_is_in_its_own_name():
    plan = plan_for(signals=[Verbalized()])
    verdict, _, _ = play(plan, [mute(), mute("95")], mute())
    assert verdict.judged.confidence == 0.95
    assert [call.purpose for call in verdict.calls] == ["draft", "verbalize"]


# --- a caller's own code ------------------------------------------------------------------------


def test_a_callers_gate_decides():
    plan = plan_for(gates=[lambda _request, draft: "Monday" in draft.text])
    assert play(plan, sure(), sure())[0].tier == 0
    verdict, _, _ = play(plan, sure(text="On Tuesday."), sure())
    assert (verdict.tier, verdict.reason) == (1, "gate_custom")


def test_a_callers_gate_may_be_async():
    async def never(_request, _draft):
        return False

    assert play(plan_for(gates=[never]), sure(), sure())[0].reason == "gate_custom"


@pytest.mark.parametrize("reason", ["gate_custom", "gate_parser"])
def test_a_gate_that_raises_does_not_pass_and_is_named(reason):
    from cascade_core.setup.gates import Gate

    def broken_gate(_request, _draft):
        raise KeyError("secret")

    plan = plan_for(gates=[Gate(reason, broken_gate)])
    verdict, _, models = play(plan, sure(), sure())
    assert (verdict.tier, verdict.reason) == (1, reason)
    assert "KeyError" in models.notes["gate:broken_gate"]
    assert "secret" not in models.notes["gate:broken_gate"]


async def _async_sure(_request, _draft):
    return 0.9


@pytest.mark.parametrize(
    ("function", "confidence"),
    [
        (lambda r, d: 0.9, 0.9),
        (_async_sure, 0.9),
        (lambda r, d: True, 1.0),
        (lambda r, d: 1, 1.0),
        (lambda r, d: Decimal("0.85"), 0.85),
    ],
    ids=["sync", "async", "bool", "int", "Decimal"],
)
def test_a_function_is_a_signal(function, confidence):
    verdict, _, _ = play(plan_for(signals=[function]), mute(), mute())
    assert (verdict.tier, verdict.judged.confidence) == (0, confidence)
    assert type(verdict.judged.confidence) is float


def test_numpy_numbers_are_readings():
    np = pytest.importorskip("numpy")
    verdict, _, _ = play(plan_for(signals=[lambda r, d: np.float32(0.875)]), mute(), mute())
    assert verdict.judged.confidence == 0.875
    assert type(verdict.judged.confidence) is float


def _raises(_request, _draft):
    raise RuntimeError("secret")


async def _raises_later(_request, _draft):
    raise RuntimeError("secret")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (_raises, "raised RuntimeError"),
        (_raises_later, "raised RuntimeError"),
        (lambda r, d: math.nan, "returned NaN instead"),
        (lambda r, d: 1.7, "returned 1.7 instead"),
        (lambda r, d: -0.1, "returned -0.1 instead"),
        (lambda r, d: math.inf, "returned inf instead"),
        (lambda r, d: 10**400, "returned int instead"),
        (lambda r, d: "0.9", "returned str instead"),
        (lambda r, d: 1j, "returned complex instead"),
    ],
)
def test_a_function_that_gives_no_number_in_range_gives_no_reading_and_one_warning(function, said):
    from cascade_core.signals import FunctionSignal

    plan = plan_for(signals=[FunctionSignal(function, "mine")], on_no_score="escalate")
    verdict, _, models = play(plan, mute(), mute())
    assert (verdict.tier, verdict.reason) == (1, "no_reading")
    assert said in models.notes["signal:mine:0"]
    assert "secret" not in models.notes["signal:mine:0"]


@pytest.mark.parametrize("reading", [math.nan, 1.7, -1, "high", RuntimeError("secret")])
def test_a_signal_class_that_misbehaves_gives_no_reading_either(reading):
    verdict, _, models = play(plan_for(signals=[Reads(reading)]), mute(), mute())
    assert (verdict.tier, verdict.reason) == (1, "no_reading")
    assert verdict.judged.signals == {"reads": None}
    assert "'reads'" in models.notes["signal:reads:0"]


def test_a_signal_that_raises_after_its_call_has_that_call_in_the_trail():
    class AsksThenBreaks(SelfConsistency):
        def measure(self, request, draft, tier):
            yield from super().measure(request, draft, tier)
            raise ZeroDivisionError

    verdict, _, _ = play(plan_for(signals=[AsksThenBreaks(n=1)]), mute(), mute())
    assert outcomes(verdict) == [(0, "rejected"), (0, "used"), (1, "returned")]


@pytest.mark.parametrize("combined", [math.nan, 1.5, -0.5, "0.9", ZeroDivisionError()])
def test_a_combiner_that_misbehaves_gives_no_confidence(combined):
    class Mine:
        identity = "mine"

        def combine(self, readings):
            if isinstance(combined, Exception):
                raise combined
            return combined

    paid = Reads(0.9, "paid", paid=True)
    plan = plan_for(signals=[Reads(0.9), paid], combine=Mine())
    verdict, _, models = play(plan, mute(), mute())
    assert (verdict.tier, verdict.reason) == (1, "no_reading")
    assert verdict.judged.confidence is None
    assert paid.count == 1, "what cannot be bounded is read"
    assert "combine:0" in models.notes


# --- shadow -------------------------------------------------------------------------------------


def test_shadow_serves_the_last_tier_and_says_what_would_have_been_done():
    verdict, _, models = play(plan_for(mode="shadow"), sure(0.9), mute("The strong answer."))
    assert (verdict.tier, verdict.reason, verdict.accepted) == (1, "shadow", False)
    assert verdict.draft.text == "The strong answer."
    assert models.asked == [(1, "draft"), (0, "draft")]
    assert verdict.shadow == {
        "tier": 0,
        "reason": "confident",
        "accepted": True,
        "cost_usd": pytest.approx(0.000106),
    }
    assert outcomes(verdict) == [(1, "returned"), (0, "rejected")]
    assert verdict.calls[1].note == "shadow"
    assert verdict.judged.confidence == pytest.approx(0.9)
    assert verdict.strong_cost_exact


def test_shadow_of_an_escalation_costs_what_both_tiers_cost():
    verdict, _, _ = play(plan_for(mode="shadow"), sure(0.5), mute())
    assert verdict.shadow["tier"] == 1
    assert verdict.shadow["reason"] == "low_confidence"
    assert not verdict.shadow["accepted"]
    assert verdict.shadow["cost_usd"] == pytest.approx(float(verdict.cost))


def test_shadow_of_an_unpriced_tier_has_no_cost():
    plan = plan_for(3, mode="shadow", prices={"m2": {"input": 1, "output": 1}})
    verdict, _, _ = play(plan, sure(0.9), sure(0.9), mute())
    assert (verdict.tier, verdict.shadow["tier"], verdict.shadow["cost_usd"]) == (2, 0, None)
    assert verdict.draft.model == "m2"


def test_a_failure_in_the_shadow_does_not_reach_the_caller():
    verdict, _, _ = play(plan_for(mode="shadow"), broken(), mute())
    assert (verdict.tier, verdict.shadow["reason"]) == (1, "failed")


# --- failures that mention logprobs ---------------------------------------------------------------

ECHO = ProviderError("no content in {'model': 'm0', 'logprobs': True}", status=400)


@pytest.mark.parametrize(
    "answers",
    [
        [broken(ECHO), broken(ECHO), sure()],  # whatever is asked, the request is wrong
        [broken(ECHO), sure(), sure()],  # once is no proof
        [broken(ProviderError("{'logprobs': True}: too many", status=429)), sure()],
    ],
    ids=["wrong request", "once", "limit"],
)
@pytest.mark.parametrize("streams", [False, True])
def test_an_error_that_only_mentions_logprobs_is_no_refusal_of_them(answers, streams):
    plan = plan_for(tiers=make_tiers(streams=streams))
    play(plan, answers, sure(), streamed=streams)
    verdict, _, _ = play(plan, sure(), sure(), streamed=streams)
    assert (verdict.tier, verdict.reason) == (0, "confident")


def test_a_tier_that_refused_logprobs_is_asked_for_them_again_in_time():
    refusal = broken(ProviderError("logprobs is not supported", status=400))
    plan = plan_for()
    play(plan, [refusal, mute()], sure())
    tiers = [play(plan, sure(), sure())[0].tier for _ in range(RETRIED_AFTER + 1)]
    assert tiers == [1] * (RETRIED_AFTER - 1) + [0, 0]


# --- accounting ---------------------------------------------------------------------------------


def test_an_unpriced_call_makes_the_whole_unpriced_and_never_free():
    verdict, _, _ = play(plan_for(prices={"m1": {"input": 1, "output": 1}}), sure(0.1), mute())
    assert verdict.calls[0].cost is None
    assert verdict.cost is None


def test_an_answer_from_a_cache_costs_nothing():
    verdict, _, _ = play(plan_for(), sure(fields={"cached": True}), mute())
    assert verdict.cost == 0


def test_the_calls_inside_a_tier_stand_for_its_answer_and_keep_their_own_fate():
    inner, _, _ = play(plan_for(), sure(0.1), mute())
    nested = Answer(probs=[0.9], fields={"inner": inner.calls})
    verdict, _, _ = play(plan_for(), nested, mute())
    assert outcomes(verdict) == [(0, "rejected"), (0, "accepted")]
    assert verdict.cost == inner.cost
    assert [call.outcome for call in inner.calls] == ["rejected", "returned"], "not shared"


def test_the_class_and_the_policy_are_in_the_verdict():
    request = Request(REQUEST.turns, metadata={"cascade_class": "orders"})
    plan = plan_for(policy={"name": "spring"})
    verdict, _, _ = play(plan, sure(), mute(), request=request)
    assert (verdict.class_name, verdict.policy) == ("orders", "spring")


def test_an_empty_list_of_logprobs_is_no_reading():
    empty = mute(logprobs=Logprobs([]))
    assert play(plan_for(), empty, mute())[0].reason == "no_reading"
    assert Draft("x").logprobs is None


# --- a request that goes on with another --------------------------------------------------------


def test_tiers_below_the_one_that_began_the_answer_are_not_asked():
    request = Request(REQUEST.turns, first=1)
    verdict, _, models = play(plan_for(3), sure(), sure(0.9), mute(), request=request)
    assert (verdict.tier, verdict.reason) == (1, "confident")
    assert models.asked == [(1, "draft")]
    last = Request(REQUEST.turns, first=2)
    verdict, _, models = play(plan_for(3), sure(), sure(), mute(), request=last)
    assert (verdict.tier, verdict.reason, verdict.judged.confidence) == (2, "sticky", None)
    assert models.asked == [(2, "draft")]


@pytest.mark.parametrize("why", ["sticky", "unable", "difficult", "no_reading"])
def test_a_tier_that_is_passed_over_does_not_keep_the_next_from_being_asked(why):
    more = {"sticky": {"first": 1}, "unable": {"needs": ["tools"]}}.get(why, {})
    request = Request(REQUEST.turns, metadata={"cascade_class": "hard"}, **more)
    by = {"score": {"kind": "signal", "signal": "sequence_logprob"}}
    never = {"calibrators": [by] * 2, "classes": {"hard": {"thresholds": [1.0, 0.5]}}}
    tiers = make_tiers(3, abilities={0: NO_TOOLS} if why == "unable" else {})
    settings = {"policy": never, "thresholds": None} if why == "difficult" else {}
    plan = plan_for(tiers=tiers, **settings)
    if why == "no_reading":
        plan.tiers[0].logprobs.refuse()
    verdict, _, models = play(plan, sure(), sure(0.9), mute(), request=request)
    assert (verdict.tier, verdict.accepted) == (1, True)
    assert models.asked == [(1, "draft")]


@pytest.mark.parametrize("why", ["sticky", "unable", "difficult", "no_reading"])
def test_the_last_tier_passed_over_gives_the_reason_and_leaves_the_numbers(why):
    more = {"sticky": {"first": 2}, "unable": {"needs": ["tools"]}}.get(why, {})
    request = Request(REQUEST.turns, metadata={"cascade_class": "hard"}, **more)
    by = {"score": {"kind": "signal", "signal": "sequence_logprob"}}
    never = {"calibrators": [by] * 2, "classes": {"hard": {"thresholds": [1.0, 1.0]}}}
    tiers = make_tiers(3, abilities={0: NO_TOOLS, 1: NO_TOOLS} if why == "unable" else {})
    settings = {"policy": never, "thresholds": None} if why == "difficult" else {}
    plan = plan_for(tiers=tiers, **settings)
    if why == "no_reading":
        plan.tiers[0].logprobs.refuse()
        plan.tiers[1].logprobs.refuse()
    verdict, _, _ = play(plan, sure(), sure(), mute(), request=request)
    assert (verdict.tier, verdict.reason) == (2, why)
    assert verdict.judged.reason == why
    assert not verdict.judged.accepted
