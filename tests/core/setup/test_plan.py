"""Settings: what they default to, and what a bad one says."""

import math
import pickle
import re
import threading
import warnings
from dataclasses import replace

import pytest

from cascade_core.calibration import tune
from cascade_core.costs.prices import Prices
from cascade_core.errors import CascadeWarning, ConfigurationError
from cascade_core.request import Request
from cascade_core.setup.plan import Notices, make_plan
from cascade_core.setup.thresholds import DEFAULT_THRESHOLD
from cascade_core.signals import FunctionSignal, SequenceLogprob, TokenMargin
from cascade_core.signals.readings import Minimum, Weighted
from tests.core.calibration.labels import columns
from tests.core.making import make_tiers

TWO, THREE = make_tiers(2), make_tiers(3)


def test_with_no_settings_everything_has_a_documented_default():
    plan = make_plan(THREE)
    assert plan.thresholds == (DEFAULT_THRESHOLD, DEFAULT_THRESHOLD)
    assert [signal.name for signal in plan.signals] == ["sequence_logprob"]
    assert isinstance(plan.combiner, Minimum)
    assert (plan.on_no_score, plan.on_tool_call, plan.on_exhausted) == (
        "escalate",
        "gates",
        "raise",
    )
    assert (plan.streaming_policy, plan.mode, plan.policy) == ("abort", "serve", None)


@pytest.mark.parametrize(
    ("given", "thresholds"),
    [(0.7, (0.7, 0.7)), (1, (1.0, 1.0)), ([0.7, 0], (0.7, 0.0)), ((0.7, 0.6), (0.7, 0.6))],
)
def test_one_threshold_is_for_every_tier_but_the_last(given, thresholds):
    made = make_plan(THREE, thresholds=given).thresholds
    assert made == thresholds
    assert all(type(value) is float for value in made)


def test_a_single_tier_needs_no_threshold_but_one_for_all_is_no_error():
    assert make_plan(make_tiers(1), thresholds=0.7).thresholds == ()
    assert make_plan(make_tiers(1)).thresholds == ()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"thresholds": [0.7]},
            r"thresholds=: 1 given, but 3 tiers need 2, one for every tier but the last, or 3: ",
        ),
        ({"thresholds": [0.7] * 4}, r"thresholds=: 4 given, but 3 tiers need 2"),
        ({"thresholds": 1.2}, r"thresholds\[0\] is 1.2: give a number in \[0, 1\]$"),
        ({"thresholds": 90}, r"is 90: give a number in \[0, 1\], 0.9 for 90 %$"),
        ({"thresholds": 97.5}, r"is 97.5: give a number in \[0, 1\], 0.975 for 97.5 %$"),
        ({"thresholds": [0.5, -1]}, r"thresholds\[1\] is -1"),
        ({"thresholds": [0.5, math.nan]}, r"thresholds\[1\] is nan"),
        ({"thresholds": [0.5, "high"]}, r"thresholds\[1\] is 'high'"),
        ({"thresholds": [0.5, True]}, r"thresholds\[1\] is True"),
        ({"thresholds": "0.8"}, "thresholds= takes numbers .* not str"),
        ({"thresholds": True}, "thresholds= takes numbers .* not bool"),
        ({"thresholds": {0: 0.8}}, "thresholds= takes numbers .* not dict"),
        ({"on_no_score": "maybe"}, "on_no_score='maybe': choose one of 'escalate', 'accept'"),
        ({"on_tool_call": ""}, "on_tool_call='': choose one of 'gates', 'escalate'"),
        ({"on_exhausted": "ignore"}, "choose one of 'raise', 'best_draft'"),
        ({"streaming_policy": "live"}, "choose one of 'abort', 'buffer'"),
        ({"mode": ["serve"]}, r"mode=\['serve'\]: choose one of 'serve', 'shadow', 'learn'"),
        ({"on_error": "raise"}, "unknown setting 'on_error'; known: on_no_score, "),
        ({"signals": []}, "leaves nothing to judge a draft by"),
        (
            {"signals": "judge"},
            r"signals= takes a list of signals, not str: signals=\[SequenceLogprob\(\)\]",
        ),
        (
            {"signals": ["judge"]},
            r"unknown signal 'judge' \(a judge needs a model: Judge\(model\)\)",
        ),
        ({"signals": ["logprobs"]}, "known by name: sequence_logprob, token_margin, "),
        ({"signals": [SequenceLogprob]}, r"got the class SequenceLogprob; make one"),
        ({"signals": [5]}, r"got int; give a signal, its name, or a function"),
        ({"signals": ["token_margin", TokenMargin()]}, "two signals named 'token_margin'"),
        ({"signals": [lambda r, d: 1, lambda r, d: 0]}, "two signals named 'lambda'"),
        ({"signals": [TokenMargin(name="")]}, "a signal named ''; give it a text as name="),
        ({"signals": [TokenMargin(name=" margin")]}, "a signal named ' margin'"),
        ({"signals": [TokenMargin(name=3)]}, "a signal named 3;"),
        ({"combine": "max"}, "combine='max': give 'min', 'mean' or weights"),
        ({"combine": None}, "combine=None: give"),
        ({"combine": {"judge": 1}}, "unknown signal 'judge'; this cascade has: sequence_logprob"),
        (
            {"combine": {"sequence_logprob": -1}},
            "the weight of 'sequence_logprob' must be a number",
        ),
        ({"combine": {"sequence_logprob": math.inf}}, "the weight of 'sequence_logprob'"),
        ({"combine": {"sequence_logprob": math.nan}}, "the weight of 'sequence_logprob'"),
        ({"combine": {"sequence_logprob": True}}, "the weight of 'sequence_logprob'"),
        ({"combine": {"sequence_logprob": 0}}, "at least one signal needs a weight above 0"),
        ({"gates": ["refusal"]}, "gates= got str"),
        ({"policy": 5}, "policy= takes a Policy, a mapping or a file path, not int"),
        ({"prices": {"m0": {"input": 1}}}, "m0"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_a_setting_that_cannot_work_says_which_and_what_to_do(settings, said):
    with pytest.raises(ConfigurationError, match=said):
        make_plan(THREE, **settings)


def test_a_cascade_needs_a_tier():
    with pytest.raises(ConfigurationError, match="give at least a cheap and a strong model"):
        make_plan([])


def test_a_configuration_error_is_a_value_error():
    with pytest.raises(ValueError, match="tiers"):
        make_plan([])


# --- policy and arguments -----------------------------------------------------------------------

POLICY = {"name": "spring", "thresholds": [0.6], "defaults": {"mode": "shadow"}}


def test_a_policy_sets_what_the_arguments_leave_open():
    plan = make_plan(TWO, policy=POLICY, mode=None, on_no_score=None)
    assert (plan.policy, plan.thresholds, plan.mode) == ("spring", (0.6,), "shadow")
    assert plan.on_no_score == "escalate"


def test_explicit_arguments_win_over_the_policy():
    plan = make_plan(TWO, policy=POLICY, thresholds=0.9, mode="serve")
    assert (plan.thresholds, plan.mode) == ((0.9,), "serve")
    assert make_plan(TWO, policy=POLICY, thresholds=0).thresholds == (0.0,)


PROMISE = {
    "kind": "harm", "limit": 0.02, "confidence": 0.95, "rows": 500, "seen": 0.008,
    "p_value": 0.04, "method": "binomial",
}  # fmt: skip


def test_thresholds_that_replace_promised_ones_are_warned_of():
    promised = {**POLICY, "promises": [PROMISE]}
    with pytest.warns(CascadeWarning, match="accept.* tested with those sent on"):
        make_plan(TWO, policy=promised, on_no_score="accept")
    with pytest.warns(CascadeWarning, match="its promises were tested with those alone"):
        make_plan(TWO, policy=promised, thresholds=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_plan(TWO, policy=promised)
        make_plan(TWO, policy=POLICY, thresholds=0.9)


def test_other_models_than_the_policy_was_tuned_with_are_warned_of():
    table = columns(60) | {"t0_model": ["m0"] * 60, "t1_model": ["m1"] * 60}
    policy = tune(table, quality=0.9, method="signal", signals=["a"])
    signals = [FunctionSignal(lambda request, draft: 1, name="a")]
    for models, said in (
        (
            ("m1", "m0"),
            ["tier 0 is m1, which was tier 1 when the policy was tuned: .* \\(m0 → m1\\)"],
        ),
        (("m0", "m1"), []),
        (("m0", "m0"), ["tier 1 is m0"]),
        (("a deployment", None), []),
        (("deployment", None), ["tier 0 is deployment, and the policy was tuned with m0"]),
        (("other", "another"), ["tier 0 is other", "tier 1 is another, .* tuned with m1"]),
        (("openai:m0", "m1-2026-01-01"), []),
        ((None, None), []),
    ):
        tiers = [replace(tier, model=model) for tier, model in zip(TWO, models, strict=True)]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            make_plan(tiers, policy=policy, signals=signals)
        assert len(caught) == len(said)
        for one, words in zip(caught, said, strict=True):
            assert re.search(words, str(one.message))


@pytest.mark.parametrize("priced", [True, False])
def test_a_signal_that_had_a_price_when_tuned_and_has_none_here_is_warned_of(priced):
    table = columns(200)
    if priced:
        table |= {"t0_paid_a_usd": [1e-9] * 200}
    policy = tune(table, quality=0.9, method="signal", signals=["a"])
    assert policy.tuned.paid == (("a",) if priced else ())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make_plan(TWO, policy=policy, signals=[FunctionSignal(lambda request, draft: 1, name="a")])
    assert [
        ("'a'" in str(one.message), "`paid` is True" in str(one.message)) for one in caught
    ] == ([(True, True)] if priced else [])


def test_thresholds_of_a_policy_that_do_not_fit_the_tiers_are_called_the_policys():
    with pytest.raises(ConfigurationError, match="the policy's thresholds: 1 given, but 3 tiers"):
        make_plan(THREE, policy=POLICY)


# --- what the flow reads ------------------------------------------------------------------------


def test_paid_signals_come_last_and_the_order_is_otherwise_kept():
    def mine(_request, _draft):
        return 1.0

    plan = make_plan(TWO, signals=["self_consistency", "token_margin", "verbalized", mine])
    names = [signal.name for signal in plan.signals]
    assert names == ["token_margin", "mine", "self_consistency", "verbalized"]
    assert isinstance(plan.signals[1], FunctionSignal)


def test_what_is_asked_of_a_provider_follows_from_the_signals():
    plan = make_plan(TWO)
    assert (plan.reads_logprobs, plan.reads_only_logprobs, plan.top_logprobs) == (True, True, 0)
    plan = make_plan(TWO, signals=["sequence_logprob", "token_margin", "verbalized"])
    assert (plan.reads_logprobs, plan.reads_only_logprobs, plan.top_logprobs) == (True, False, 2)
    assert not make_plan(TWO, signals=["verbalized"]).reads_logprobs


def test_the_best_case_takes_what_is_not_read_as_certain():
    plan = make_plan(TWO, signals=["sequence_logprob", "verbalized"], combine="mean")
    confidence = plan.confidences[0]
    assert confidence.bound(Request())({}) == 1.0
    assert confidence.bound(Request())({"sequence_logprob": 0.5}) == 0.75
    confidence = make_plan(TWO).confidences[0]
    assert confidence.bound(Request())({"sequence_logprob": 0.5}) == 0.5


def test_prices_are_made_once_or_shared():
    prices = Prices()
    assert make_plan(TWO, prices=prices).prices is prices
    assert isinstance(make_plan(TWO).prices, Prices)


# --- combiners ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("combiner", "readings", "confidence"),
    [
        (Minimum(), {"a": 0.9, "b": 0.4}, 0.4),
        (Minimum(), {"a": 0.9, "b": None}, 0.9),
        (Minimum(), {"a": None}, None),
        (Minimum(), {}, None),
        (Weighted(), {"a": 1.0, "b": 0.5}, 0.75),
        (Weighted(), {"a": 1.0, "b": None}, 1.0),
        (Weighted(), {"a": None}, None),
        (Weighted({"a": 3, "b": 1}), {"a": 1.0, "b": 0.0}, 0.75),
        (Weighted({"a": 3, "b": 1}), {"a": None, "b": 0.5}, 0.5),
        (Weighted({"a": 1}), {"a": None, "b": 0.5}, None),
        (Weighted({"a": 1e308, "b": 1e308}), {"a": 1.0, "b": 0.5}, 0.75),
        (Weighted({"a": 0}), {"a": 0.5}, None),
    ],
    ids=lambda value: getattr(value, "identity", str(value)),
)
def test_readings_become_one_confidence(combiner, readings, confidence):
    assert combiner.combine(readings) == confidence


def test_combiners_that_combine_differently_have_different_identities():
    made = [Minimum(), Weighted(), Weighted({"a": 1, "b": 2}), Weighted({"a": 2, "b": 1})]
    assert len({combiner.identity for combiner in made}) == 4
    assert Weighted({"a": 1, "b": 2}).identity == Weighted({"b": 2, "a": 1}).identity


# --- notices ------------------------------------------------------------------------------------


def test_a_notice_is_given_once_a_key_by_however_many_threads():
    notices = Notices()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        threads = [
            threading.Thread(target=notices.give, args=(f"key {i % 2}", "text")) for i in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(seen) == 2
    assert {warning.category for warning in seen} == {CascadeWarning}


def test_signals_can_be_pickled():
    signal = SequenceLogprob("quantile", quantile=0.2)
    assert pickle.loads(pickle.dumps(signal)).identity == signal.identity
