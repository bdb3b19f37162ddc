"""Drafts that are accepted by their first tokens: live from then on, whatever comes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.effects import (
    Begin,
    Close,
    Compute,
    Emit,
    Grant,
    Now,
    Open,
    Pull,
    Race,
    Reserve,
)
from cascade_core.errors import CascadeExhausted, ConfigurationError
from cascade_core.guards.latency import Latencies
from cascade_core.loop import drivers
from cascade_core.loop.flow import cascade
from cascade_core.loop.guarded import guarded
from cascade_core.loop.pace import Pace
from cascade_core.loop.raced import raced
from cascade_core.loop.trail import Trail
from cascade_core.request import Request, ToolSpec
from cascade_core.signals import SequenceLogprob
from tests.core.making import (
    REQUEST,
    Answer,
    Models,
    Reads,
    broken,
    emitted,
    make_tiers,
    mute,
    outcomes,
    plan_for,
    play,
    sure,
)

MEAN = {"score": {"kind": "signal", "signal": "mean_so_far"}}
WHOLE = {"score": {"kind": "signal", "signal": "sequence_logprob"}}


def rule(*tokens):
    return {"checkpoints": [{"tokens": each, "calibrator": MEAN} for each in tokens]}


def policy_of(*rules, **parts):
    return {
        "calibrators": [WHOLE] * len(rules),
        "commit": list(rules),
        "defaults": {"streaming_policy": "commit"},
        **parts,
    }


def committing(*tokens, count=2, max_tokens=None, policy=None, **settings):
    tiers = make_tiers(count, streams=True, max_tokens=max_tokens)
    policy = policy or policy_of(*[rule(*tokens)] * (count - 1))
    return plan_for(tiers=tiers, policy=policy, **settings)


def stream(*answers, tokens=(2,), request=REQUEST, **settings):
    return play(committing(*tokens, **settings), *answers, request=request, streamed=True)


def test_a_sure_draft_is_shown_from_its_first_tokens_on_while_it_is_written():
    verdict, effects, _ = stream(sure(0.9, n=5), mute())
    assert [type(each) for each in effects] == [
        Open, Pull, Emit, Emit, Pull, Emit, Pull, Emit, Pull, Emit, Pull,
    ]  # fmt: skip
    assert emitted(effects) == [("m0", place) for place in range(5)]
    assert outcomes(verdict) == [(0, "accepted")]
    assert (verdict.tier, verdict.reason, verdict.accepted) == (0, "confident", True)
    assert verdict.judged.confidence == pytest.approx(0.9, abs=1e-3)
    assert verdict.judged.committed.tokens == 2
    assert verdict.judged.committed.live


def test_one_that_is_unsure_at_every_checkpoint_is_judged_as_a_whole():
    later = Answer(probs=[0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    verdict, effects, _ = stream(later, mute(), tokens=(1, 2))
    assert verdict.tier == 0
    assert verdict.judged.committed is None
    first = next(i for i, effect in enumerate(effects) if isinstance(effect, Emit))
    assert not any(isinstance(effect, Pull) for effect in effects[first:])


def test_a_later_checkpoint_commits_where_an_earlier_one_waited():
    verdict, _, _ = stream(Answer(probs=[0.6, 1.0, 1.0, 1.0, 1.0]), mute(), tokens=(1, 2, 4))
    assert verdict.judged.committed.tokens == 4


def test_the_place_is_a_number_of_tokens_however_they_come_in_chunks():
    verdict, effects, _ = stream(Answer(probs=[0.9, 0.9, 0.1, 0.1], size=4), mute(), tokens=(2,))
    assert verdict.judged.committed.tokens == 2
    assert verdict.judged.confidence == pytest.approx(0.9, abs=1e-3)
    assert emitted(effects) == [("m0", 0)]


def test_a_confidence_that_just_meets_the_threshold_commits():
    half = Answer(values=[-round(math.log(2), 3)] * 4)
    met = round(math.exp(-round(math.log(2), 3)), 9)
    assert stream(half, mute(), thresholds=met)[0].judged.committed is not None
    assert stream(half, mute(), thresholds=met + 1e-8)[0].judged.committed is None


@pytest.mark.parametrize("threshold", [0.5, 0.95])
def test_whole_answers_and_streams_decide_alike(threshold):
    for answer in (sure(0.9, n=5), Answer(probs=[0.97, 0.97, 0.2, 0.2]), sure(0.3, n=4)):
        plan = committing(2, thresholds=threshold)
        streamed, _, _ = play(plan, answer, mute(), streamed=True)
        whole, _, _ = play(plan, answer, mute())
        assert (whole.tier, whole.reason) == (streamed.tier, streamed.reason)
        assert whole.judged.confidence == streamed.judged.confidence
        assert whole.judged.signals == streamed.judged.signals
        if streamed.judged.committed is not None:
            assert whole.judged.committed.tokens == streamed.judged.committed.tokens
            assert not whole.judged.committed.live


def test_a_gate_that_fails_afterwards_is_an_error_of_the_accepted_answer_and_no_switch():
    cut = sure(0.9, n=5, fields={"finish": "length"})
    verdict, effects, models = stream(cut, mute())
    assert models.opened == [0]
    assert emitted(effects) == [("m0", place) for place in range(5)]
    assert (verdict.tier, verdict.accepted) == (0, True)
    assert verdict.judged.committed.error == "gate_truncated"
    assert verdict.calls[0].note == "gate_truncated"


def test_a_gate_of_the_callers_is_asked_too_and_cannot_take_it_back():
    verdict, _, models = stream(sure(0.9, n=4), mute(), gates=[lambda request, draft: False])
    assert models.opened == [0]
    assert verdict.judged.committed.error == "gate_custom"


def test_a_whole_answer_that_fails_a_gate_is_sent_on_all_the_same():
    cut = sure(0.9, n=5, fields={"finish": "length"})
    verdict, _, _ = play(committing(2), cut, mute())
    assert outcomes(verdict) == [(0, "rejected"), (1, "returned")]
    assert verdict.reason == "gate_truncated"


def test_a_stream_that_breaks_when_it_is_out_raises_and_no_other_tier_follows():
    plan, models = committing(2), Models(broken(arrived=3, probs=[0.9] * 5), mute())
    trail = Trail(plan.prices)
    seen = []

    def reply(effect):
        if isinstance(effect, Emit):
            seen.append(effect.chunk)
        return models(effect)

    with pytest.raises(CascadeExhausted) as raised:
        drivers.play(cascade(plan, REQUEST, trail, streamed=True), reply)
    assert seen == [("m0", 0), ("m0", 1), ("m0", 2)]
    assert models.opened == [0]
    assert type(raised.value.__cause__).__name__ == "ProviderError"
    assert [(call.tier, call.outcome) for call in trail.calls] == [(0, "failed")]
    assert trail.committed.error == "failed"


def test_one_that_breaks_before_is_a_failed_tier_as_ever():
    verdict, effects, _ = stream(broken(arrived=1, probs=[0.9] * 5), mute())
    assert outcomes(verdict) == [(0, "failed"), (1, "returned")]
    assert all(model == "m1" for model, _ in emitted(effects))


def test_cutting_off_waits_for_a_checkpoint_that_may_still_commit():
    # The least likely token rules a whole draft out; the mean of eight would still pass.
    falling = Answer(probs=[0.5, *[1.0] * 9])
    signals = [SequenceLogprob("min")]
    verdict, _, _ = stream(falling, mute(), tokens=(8,), signals=signals, max_tokens=10)
    assert verdict.judged.committed.tokens == 8
    hopeless = Answer(probs=[0.05, *[1.0] * 9])
    verdict, effects, _ = stream(hopeless, mute(), tokens=(8,), signals=signals, max_tokens=10)
    assert outcomes(verdict) == [(0, "aborted"), (1, "returned")]
    assert sum(isinstance(effect, Close) for effect in effects) == 1
    assert verdict.calls[0].usage.output_tokens == 1


def test_paid_signals_are_not_asked_for_what_is_committed_to():
    judge = Reads(0.0, "judge", paid=True)
    both = {"score": {"kind": "logistic", "inputs": ["signal:sequence_logprob", "signal:judge"],
                      "weights": [1.0, 1.0], "intercept": 0.0, "low": [0.0, 0.0],
                      "high": [1.0, 1.0], "fill": [0.5, 0.5], "missing": [0.0, 0.0]}}  # fmt: skip
    policy = policy_of(rule(2), calibrators=[both])
    for streamed in (True, False):
        plan = committing(policy=policy, signals=["sequence_logprob", judge])
        verdict, _, _ = play(plan, sure(0.9, n=5), mute(), streamed=streamed)
        assert verdict.judged.committed.tokens == 2
        assert verdict.judged.signals == {"sequence_logprob": pytest.approx(0.9)}
    assert judge.count == 0


TOOL = ToolSpec("look_up", {"name": "look_up"})


@pytest.mark.parametrize(
    "request_",
    [
        Request(REQUEST.turns, tools=[TOOL]),
        Request(REQUEST.turns, output_schema={"type": "object"}),
        Request(REQUEST.turns, acts_in_text=True),
    ],
)
def test_what_may_become_a_tool_call_or_an_object_is_never_committed_to(request_):
    for streamed in (True, False):
        plan = committing(2)
        verdict, _, _ = play(plan, sure(0.9, n=5), mute(), request=request_, streamed=streamed)
        assert verdict.judged.committed is None


def test_nor_is_what_may_begin_with_a_thought():
    tiers = make_tiers(streams=True)
    tiers[0].logprobs.saw(True, unmarked=True)
    plan = plan_for(tiers=tiers, policy=policy_of(rule(2)))
    verdict, _, _ = play(plan, sure(0.9, n=5), mute(), streamed=True)
    assert verdict.judged.committed is None


def test_nothing_is_committed_to_unless_it_is_asked_for():
    policy = policy_of(rule(2), defaults={})
    verdict, _, _ = stream(sure(0.9, n=5), mute(), policy=policy)
    assert verdict.judged.committed is None
    verdict, _, _ = stream(sure(0.9, n=5), mute(), streaming_policy="abort")
    assert verdict.judged.committed is None
    verdict, _, _ = stream(sure(0.9, n=5), mute(), policy=policy, streaming_policy="commit")
    assert verdict.judged.committed.tokens == 2


def test_without_a_fitted_rule_it_is_refused():
    with pytest.raises(ConfigurationError, match="give a policy that has one"):
        plan_for(streaming_policy="commit")
    with pytest.raises(ConfigurationError, match="rules for 2 tiers, and there are 3"):
        plan_for(3, policy=policy_of(rule(2), calibrators=None), streaming_policy="commit")


def test_a_tier_without_checkpoints_never_commits_and_the_next_one_may():
    policy = policy_of(rule(), rule(2))
    answers = Answer(probs=[0.9, 0.9, 0.1]), sure(0.9, n=3), mute()
    verdict, effects, _ = stream(*answers, count=3, policy=policy)
    assert outcomes(verdict) == [(0, "rejected"), (1, "accepted")]
    assert verdict.judged.committed.tokens == 2
    assert {model for model, _ in emitted(effects)} == {"m1"}


@given(
    drafts=st.lists(
        st.tuples(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=9), st.integers(1, 4)),
        min_size=3,
        max_size=3,
    ),
    breaks=st.integers(-1, 8),
    threshold=st.floats(0.05, 0.99),
)
def test_whatever_comes_no_other_tier_follows_what_was_shown(drafts, breaks, threshold):
    answers = [Answer(probs=probs, size=size) for probs, size in drafts]
    if breaks >= 0:
        answers[0] = broken(arrived=breaks, probs=drafts[0][0], size=drafts[0][1])
    plan = committing(1, 2, 4, count=3, thresholds=threshold, signals=[SequenceLogprob("min")])
    models, shown = Models(*answers), []

    def reply(effect):
        if isinstance(effect, Emit):
            shown.append(effect.chunk[0])
        if isinstance(effect, Open):
            assert not shown, "another tier was asked after something had been shown"
        return models(effect)

    try:
        verdict, _ = drivers.play(cascade(plan, REQUEST, streamed=True), reply)
    except CascadeExhausted:
        assert breaks >= 0
    else:
        assert set(shown) == {f"m{verdict.tier}"}


def raced_stream(plan, answers, *, hedge=0.0, deadline=None, seconds=1.0):
    """Run a stream against a clock that every chunk moves on; return what happened, in order."""
    models, seen, clock = Models(*answers), [], [1000.0]
    trail, latencies = Trail(plan.prices), Latencies(len(plan.tiers))
    for _ in range(50):
        latencies.of[0].took(1.0)
        latencies.of[1].took(1.0)
    request = Request(REQUEST.turns)
    flow = guarded(cascade(plan, request, trail, streamed=True), trail, lambda *_: None)
    pace = Pace(plan, request, trail, latencies, began=clock[0], deadline=deadline, hedge=hedge,
                abandon=lambda *_: None, streamed=True)  # fmt: skip

    def reply(effect):
        if isinstance(effect, Now):
            return clock[0]
        if isinstance(effect, Reserve):
            return Grant(effect.call)
        if not isinstance(effect, Race):
            seen.append(effect)
            return models(effect) if isinstance(effect, Emit | Compute) else None
        seen.append((effect.call, effect.until))
        clock[0] += seconds
        return models(effect.call)

    verdict, _ = drivers.play(raced(flow, pace), reply)
    return verdict, seen


def test_nothing_is_asked_beside_a_draft_that_is_out_and_no_deadline_ends_it():
    falls_late = Answer(probs=[0.9, 0.9, *[0.01] * 12])
    plan = committing(2, signals=[SequenceLogprob("min")])
    verdict, seen = raced_stream(plan, (falls_late, mute()), hedge=0.5, deadline=10.0)
    assert outcomes(verdict) == [(0, "accepted")]
    assert not any(isinstance(effect, Begin) for effect in seen)
    first = next(place for place, effect in enumerate(seen) if isinstance(effect, Emit))
    before = [until for _, until in (e for e in seen[:first] if isinstance(e, tuple))]
    after = [until for _, until in (e for e in seen[first:] if isinstance(e, tuple))]
    assert all(until is not None for until in before)
    assert after
    assert all(until is None for until in after)
