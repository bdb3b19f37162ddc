"""Cutting a stream off never changes a decision."""

import math
from itertools import pairwise

from hypothesis import event, given, settings
from hypothesis import strategies as st

from cascade_core.logprobs import Logprobs
from tests.core.making import Answer, make_tiers, mute, plan_for, play
from tests.properties.making import broken_logprob, reductions, sequences, unit


@st.composite
def combiners(draw):
    weight = st.floats(0, 1e6)
    weights = st.fixed_dictionaries({"sequence_logprob": weight, "other": weight})
    return draw(st.sampled_from(["min", "mean"]) | weights.filter(lambda w: any(w.values())))


def near(value):
    """The places where a bound that is a hair too low would show."""
    places = (
        value,
        math.nextafter(value, 1),
        math.nextafter(value, 0),
        value * 0.999,
        value + 0.01,
    )
    return [min(1.0, place) for place in places]


@given(
    signal=reductions(),
    values=sequences(broken_logprob, most=30),
    other=st.none() | unit,
    paid=st.booleans(),
    combine=combiners(),
    spare=st.none() | st.integers(0, 40),
    size=st.integers(1, 4),
    threshold=unit,
    at=st.integers(0, 6),
)
@settings(max_examples=300)
def test_whole_buffered_and_cut_off_give_the_same_tier_and_reason(
    signal, values, other, paid, combine, spare, size, threshold, at
):
    class Other(type(signal)):
        name, needs_logprobs = "other", False

        def __init__(self):
            self.paid = paid

        def measure(self, request, draft, tier):
            return other
            yield

        def running(self, max_tokens):
            return None

    limit = None if spare is None else len(values) + spare
    settings = {"signals": [signal, Other()], "combine": combine}

    def run(level, streamed, policy):
        tiers = make_tiers(streams=True, max_tokens=limit)
        plan = plan_for(tiers=tiers, thresholds=level, streaming_policy=policy, **settings)
        return play(plan, Answer(values=values, size=size), mute(), streamed=streamed)[0]

    if at:
        whole = run(0.0, False, "buffer").judged.confidence
        threshold = threshold if whole is None else [*near(whole), signal.read(values)][at - 1]
    runs = [run(threshold, *how) for how in ((False, "buffer"), (True, "buffer"), (True, "abort"))]
    event(f"ends: {runs[2].calls[0].outcome}")
    assert len({(verdict.tier, verdict.reason, verdict.accepted) for verdict in runs}) == 1


@given(
    signal=reductions(),
    values=sequences(broken_logprob, most=30),
    spare=st.none() | st.integers(0, 40),
)
@settings(max_examples=200)
def test_a_bound_only_falls_and_is_never_below_the_reading(signal, values, spare):
    limit = None if spare is None else len(values) + spare
    running = signal.running(limit)
    if running is None:
        return
    bounds = [running.feed([value]) for value in values]
    assert all(later <= earlier * (1 + 1e-8) for earlier, later in pairwise(bounds))
    assert bounds[-1] >= signal.read(values)
    for length in range(1, len(values)):
        assert signal.read(values) <= bounds[length - 1]


@given(signal=reductions(), values=sequences(broken_logprob))
@settings(max_examples=200)
def test_a_reading_is_a_probability(signal, values):
    assert 0 <= signal.read(values) <= 1


@given(
    signal=reductions(),
    values=sequences(st.floats(-5, 0)),
    place=st.integers(0, 11),
    lift=st.floats(0, 5),
)
def test_a_likelier_token_never_lowers_the_reading(signal, values, place, lift):
    place %= len(values)
    lifted = [*values[:place], min(0.0, values[place] + lift), *values[place + 1 :]]
    assert signal.read(lifted) >= signal.read(values) * (1 - 1e-12)


@given(combine=combiners(), readings=st.tuples(unit, unit), place=st.integers(0, 1), lift=unit)
def test_a_higher_reading_never_lowers_the_confidence(combine, readings, place, lift):
    from cascade_core.signals.readings import make_combiner

    names = ["sequence_logprob", "other"]
    combiner = make_combiner(combine, names)
    higher = list(readings)
    higher[place] = max(higher[place], lift)
    before = combiner.combine(dict(zip(names, readings, strict=True)))
    after = combiner.combine(dict(zip(names, higher, strict=True)))
    assert 0 <= before <= after <= 1


def test_logprobs_count_their_tokens():
    assert len(Logprobs([-0.1, -0.2])) == 2
