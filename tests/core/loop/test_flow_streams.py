"""Streams: what the caller sees, what is cut off, and what that is worth."""

import pytest

from cascade_core.effects import Close, Emit, Failed, Open, Pull
from cascade_core.errors import CascadeExhausted
from cascade_core.loop import drivers
from cascade_core.loop.flow import cascade
from cascade_core.request import Request
from cascade_core.signals import SequenceLogprob, TokenMargin
from tests.core.making import (
    REQUEST,
    Answer,
    Models,
    ProviderError,
    broken,
    emitted,
    make_tiers,
    mute,
    outcomes,
    plan_for,
    play,
    sure,
)


def stream(*answers, count=2, max_tokens=None, **settings):
    tiers = make_tiers(count, streams=True, max_tokens=max_tokens)
    return play(plan_for(tiers=tiers, **settings), *answers, streamed=True)


def test_an_accepted_draft_is_shown_in_its_own_chunks_once_it_is_accepted():
    verdict, effects, _ = stream(sure(0.9), mute())
    assert verdict.tier == 0
    assert emitted(effects) == [("m0", 0), ("m0", 1), ("m0", 2)]
    first = next(i for i, effect in enumerate(effects) if isinstance(effect, Emit))
    assert not any(isinstance(effect, Pull) for effect in effects[first:])


def test_no_chunk_of_a_rejected_draft_is_ever_shown():
    verdict, effects, _ = stream(sure(0.5), mute())
    assert verdict.tier == 1
    assert emitted(effects) == [("m1", 0), ("m1", 1), ("m1", 2)]


def test_the_last_tier_is_live_and_shown_as_it_comes():
    _, effects, _ = stream(sure(0.5), mute())
    opened = [(effect.tier.index, effect.live) for effect in effects if isinstance(effect, Open)]
    assert opened == [(0, False), (1, True)]
    tail = [type(effect) for effect in effects[-6:]]
    assert tail == [Emit, Pull, Emit, Pull, Emit, Pull]


def test_a_draft_of_a_tier_that_does_not_stream_is_shown_whole():
    tiers = make_tiers(streams={0: False, 1: True})
    verdict, effects, _ = play(plan_for(tiers=tiers), sure(0.9), mute(), streamed=True)
    (shown,) = [effect for effect in effects if isinstance(effect, Emit)]
    assert shown.chunk == ("m0", "whole")
    assert shown.whole_of is tiers[0]
    assert verdict.tier == 0


def test_a_stream_that_cannot_pass_any_more_is_cut_off_and_paid_for():
    falling = Answer(probs=[0.9, 0.1, *[1.0] * 8])
    verdict, effects, models = stream(
        falling, mute(), signals=[SequenceLogprob("min")], max_tokens=10
    )
    assert models.closed == [0]
    assert sum(isinstance(effect, Close) for effect in effects) == 1
    assert outcomes(verdict) == [(0, "aborted"), (1, "returned")]
    call = verdict.calls[0]
    assert call.usage.output_tokens == 2
    assert call.tokens_saved == 8
    assert call.note == "low_confidence"
    assert verdict.reason == "low_confidence"
    assert verdict.judged.confidence == pytest.approx(0.1)
    assert verdict.judged.threshold == 0.8
    assert verdict.judged.signals == {"sequence_logprob": pytest.approx(0.1)}
    assert verdict.judged.draft is None
    assert verdict.cost == sum(call.cost for call in verdict.calls)


def test_what_an_abort_saved_is_unknown_where_no_limit_is_known():
    verdict, _, _ = stream(sure(0.1), mute(), signals=[SequenceLogprob("min")])
    assert verdict.calls[0].outcome == "aborted"
    assert verdict.calls[0].tokens_saved is None


def test_a_mean_is_cut_off_by_the_limit_of_the_request_before_the_tiers():
    falling, request = Answer(probs=[0.1, *[1.0] * 9]), Request(REQUEST.turns, max_tokens=10)
    plan = plan_for(tiers=make_tiers(streams=True, max_tokens=10_000))
    verdict, _, _ = play(plan, falling, mute(), request=request, streamed=True)
    assert outcomes(verdict) == [(0, "aborted"), (1, "returned")]
    assert verdict.calls[0].tokens_saved == 9
    verdict, _, _ = play(plan, falling, mute(), streamed=True)
    assert outcomes(verdict) == [(0, "rejected"), (1, "returned")]


def test_a_stream_is_cut_off_by_the_threshold_of_its_class():
    classes = {"lax": {"thresholds": [0.05]}}
    plan = plan_for(
        tiers=make_tiers(streams=True),
        signals=[SequenceLogprob("min")],
        policy={"classes": classes},
        thresholds=None,
    )
    lax = Request(REQUEST.turns, metadata={"cascade_class": "lax"})
    verdict, _, _ = play(plan, sure(0.1), mute(), request=lax, streamed=True)
    assert outcomes(verdict) == [(0, "accepted")]
    verdict, _, _ = play(plan, sure(0.1), mute(), streamed=True)
    assert outcomes(verdict) == [(0, "aborted"), (1, "returned")]


def test_every_stream_is_opened_with_what_the_caller_asked():
    _, effects, _ = stream(sure(0.5), mute())
    assert [effect.request for effect in effects if isinstance(effect, Open)] == [REQUEST] * 2


def test_a_buffered_draft_is_never_cut_off():
    verdict, effects, _ = stream(
        sure(0.1), mute(), signals=[SequenceLogprob("min")], streaming_policy="buffer"
    )
    assert not any(isinstance(effect, Close) for effect in effects)
    assert outcomes(verdict) == [(0, "rejected"), (1, "returned")]


def test_another_signal_that_may_still_lift_the_mean_keeps_the_stream_open():
    def lenient(_request, _draft):
        return 1.0

    verdict, _, _ = stream(
        sure(0.7), mute(), signals=[SequenceLogprob("min"), lenient], combine="mean"
    )
    assert outcomes(verdict) == [(0, "accepted")]


def test_a_mean_without_a_limit_of_tokens_is_never_cut_off():
    verdict, _, _ = stream(sure(0.1), mute())
    assert verdict.calls[0].outcome == "rejected"


def test_with_best_draft_nothing_is_cut_off_so_that_there_is_a_draft_to_return():
    verdict, effects, _ = stream(
        sure(0.1),
        broken(),
        signals=[SequenceLogprob("min")],
        on_exhausted="best_draft",
    )
    assert (verdict.tier, verdict.reason) == (0, "best_draft")
    assert effects[-1].chunk == ("m0", "whole")
    assert effects[-1].whole_of.index == 0


def test_an_abort_shows_that_the_tier_gives_logprobs():
    tiers = make_tiers(streams=True)
    plan = plan_for(tiers=tiers, signals=[SequenceLogprob("min")])
    for answer in (mute(), mute(), sure(0.1), mute()):
        play(plan, answer, mute(), streamed=True)
    assert not tiers[0].logprobs.absent


def test_a_draft_that_is_cut_off_is_no_failure_and_ends_a_streak_of_them():
    tiers = make_tiers(streams=True)
    plan = plan_for(tiers=tiers, signals=[SequenceLogprob("min")])
    for answer in (broken(), broken(), sure(0.1), broken()):
        play(plan, answer, mute(), streamed=True)
    assert tiers[0].failures.count == 1


FIRST_TOKEN = Answer(probs=[0.1]).draft("m0", 1)


@pytest.mark.parametrize(
    ("ended", "draft"),
    [
        (None, None),
        (Failed(ProviderError()), None),
        (Failed(ProviderError(), draft=FIRST_TOKEN), FIRST_TOKEN),
    ],
)
def test_a_stream_whose_end_fails_when_it_is_cut_off_is_still_paid_for(ended, draft):
    models = Models(sure(0.1), mute())
    plan = plan_for(tiers=make_tiers(streams=True), signals=[SequenceLogprob("min")])

    def reply(effect):
        if isinstance(effect, Close):
            models.close()
            return ended
        return models(effect)

    verdict, _ = drivers.play(cascade(plan, REQUEST, streamed=True), reply)
    assert outcomes(verdict) == [(0, "aborted"), (1, "returned")]
    assert (verdict.cost is None) == (draft is None), "unknown usage is unpriced, not free"


def test_a_broken_draft_stream_is_a_failed_call_with_the_price_of_what_had_come():
    verdict, effects, _ = stream(broken(probs=[0.9] * 3, arrived=2), mute())
    assert (verdict.tier, verdict.reason) == (1, "failed")
    assert verdict.calls[0].outcome == "failed"
    assert verdict.calls[0].usage.output_tokens == 2
    assert all(model == "m1" for model, _ in emitted(effects))


def test_a_live_stream_that_breaks_ends_in_the_error_even_with_a_best_draft_at_hand():
    with pytest.raises(CascadeExhausted) as caught:
        stream(sure(0.5), broken(arrived=1), on_exhausted="best_draft")
    assert [call.outcome for call in caught.value.trail] == ["rejected", "failed"]
    assert caught.value.trail[1].usage.output_tokens == 1


def test_a_live_stream_that_breaks_before_its_first_chunk_leaves_room_for_the_best_draft():
    verdict, effects, _ = stream(sure(0.5), broken(), on_exhausted="best_draft")
    assert verdict.reason == "best_draft"
    assert emitted(effects) == [("m0", "whole")]


def test_refused_logprobs_are_asked_for_once_on_a_stream_too_alternatives_included():
    refusal = broken(ProviderError("logprobs are not supported", status=400))
    _, effects, _ = stream([refusal, mute()], mute(), signals=[TokenMargin()])
    opened = [effect for effect in effects if isinstance(effect, Open) and not effect.live]
    assert [(effect.logprobs, effect.top_logprobs) for effect in opened] == [(True, 2), (False, 0)]


def test_a_tier_that_only_calls_tools_is_asked_although_nobody_can_read_it():
    from cascade_core.request import ToolCall
    from cascade_core.tier import LogprobMemory

    tiers = make_tiers(streams=True, tool_only=True, logprobs=LogprobMemory(known=False))
    tool = mute("", tool_calls=(ToolCall("answer", {}),))
    verdict, effects, _ = play(plan_for(tiers=tiers), tool, mute(), streamed=True)
    assert (verdict.tier, verdict.reason) == (0, "tool_call")
    assert [model for model, _ in emitted(effects)] == ["m0"] * 3


def test_shadow_streams_the_last_tier_and_asks_the_rest_whole():
    verdict, effects, models = stream(sure(0.9), mute(), mode="shadow")
    assert verdict.shadow["tier"] == 0
    assert [model for model, _ in emitted(effects)] == ["m1"] * 3
    assert models.opened == [1]


def test_a_model_that_thinks_without_a_mark_is_heard_out():
    plan = plan_for(tiers=make_tiers(streams=True, max_tokens=10))
    low = Answer(probs=[0.2] * 8)
    assert outcomes(play(plan, low, sure(), streamed=True)[0])[0] == (0, "aborted")
    thought = {"written": "Hm. I do not know.\n</think>\nYes."}
    play(plan, Answer("Yes.", probs=[0.9], fields=thought), sure())
    assert outcomes(play(plan, low, sure(), streamed=True)[0])[0] == (0, "rejected")
