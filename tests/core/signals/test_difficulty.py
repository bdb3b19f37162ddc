"""How hard a request looks before anything has been asked."""

import pytest

from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.fitted.artefact import Calibrator
from cascade_core.request import Request
from cascade_core.signals import Difficulty
from tests.core.making import make_tiers, plan_for, play, sure
from tests.policies import LONG_IS_HARD, ROUTE

STAGES = ROUTE["stages"]


def read(signal, text, tier=0):
    steps = signal.measure(Request.of(text), Draft("never read"), make_tiers(3)[tier])
    with pytest.raises(StopIteration) as stop:
        next(steps)
    return stop.value.value


def test_an_easy_request_reads_high_and_a_hard_one_low():
    signal = Difficulty(LONG_IS_HARD)
    assert read(signal, "When is it due?") > 0.9
    assert read(signal, "why " * 20) < 0.01


def test_a_policy_with_a_route_is_a_source():
    signal = Difficulty({"route": {"stages": STAGES}})
    assert read(signal, "When is it due?") == read(Difficulty(LONG_IS_HARD), "When is it due?")
    assert read(signal, "When is it due?", tier=1) is None


def test_it_judges_in_a_cascade_like_any_signal():
    plan = plan_for(signals=[Difficulty(LONG_IS_HARD)], thresholds=0.5)
    easy, *_ = play(plan, sure(), sure(), request=Request.of("When is it due?"))
    hard, *_ = play(plan, sure(), sure(), request=Request.of("why " * 20))
    assert (easy.tier, hard.tier) == (0, 1)
    assert set(easy.judged.signals) == {"difficulty"}


def test_what_was_learned_is_part_of_its_identity():
    other = LONG_IS_HARD | {"score": LONG_IS_HARD["score"] | {"intercept": 1.0}}
    assert Difficulty(LONG_IS_HARD).identity == Difficulty(LONG_IS_HARD).identity
    assert Difficulty(LONG_IS_HARD).identity != Difficulty(other).identity
    assert Difficulty(LONG_IS_HARD, name="a").identity != Difficulty(LONG_IS_HARD).identity


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"thresholds": [0.5]}, "learned nothing"),
        ({"route": {"stages": [s | {"accepts": None} for s in STAGES]}}, "learned nothing"),
        ({"score": {"kind": "signal", "signal": "judge"}}, "reads signal:judge"),
        ({"score": {"kind": "unknown"}}, "Difficulty: score"),
        ("no/such/policy.json", "cannot be read"),
        (object(), r"Difficulty\(object\) is given neither .* Judge\(model\)"),
        ("openai:gpt-4o-mini", r"model's name.* Judge\('openai:gpt-4o-mini'\)"),
        ("ollama:llama3.2:3b", "model's name"),
        ("no-such:policy.json", "cannot be read"),
        ("C:policy", "cannot be read"),
    ],
)
def test_a_source_that_cannot_say_it_is_refused(source, words):
    with pytest.raises(ConfigurationError, match=words):
        Difficulty(source)


def test_it_is_learned_from_a_labelled_table():
    pytest.importorskip("sklearn")
    n = 300
    hard = [k % 3 == 0 for k in range(n)]
    signal = Difficulty.fit(
        {
            "id": [str(k) for k in range(n)],
            "request": ["why " * 15 if h else "When is it due?" for h in hard],
            "t0_quality": [float(not h) if k % 10 else 0.5 for k, h in enumerate(hard)],
            "t0_cost_usd": [1e-5] * n,
            "t1_quality": [1.0] * n,
            "t1_cost_usd": [1e-3] * n,
        }
    )
    assert read(signal, "When is it due?") > 0.8
    assert read(signal, "why " * 15) < 0.2
    assert isinstance(signal._calibrators[0], Calibrator)
