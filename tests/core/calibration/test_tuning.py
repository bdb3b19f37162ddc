"""From a labelled table to a policy."""

import json

import numpy as np
import pytest

from cascade_core.calibration import tune
from cascade_core.calibration.objective import TuningError, make_objective
from cascade_core.calibration.rows import rows_to_label, split_rows
from cascade_core.calibration.straight import StraightError
from cascade_core.drift import DriftMonitor
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.replaying import replay
from cascade_core.labels import read_table
from cascade_core.policy import Policy
from cascade_core.statistics.labels_needed import labels_needed
from tests.core.calibration.labels import columns

pytest.importorskip("sklearn")
pytestmark = pytest.mark.usefixtures("a_few_draws")


def fresh(policy, tiers=2, n=4000, **settings):
    """What the policy does with requests it has never seen."""
    return replay(columns(n, tiers, seed=99, **settings), policy).means


@pytest.mark.parametrize("tiers", [2, 3])
def test_the_cheapest_policy_that_keeps_the_quality_asked_for(tiers):
    policy = tune(columns(2000, tiers), quality=0.97, skip=False)
    figures = policy.tuned.figures
    assert figures.quality >= 0.97 * figures.strong_quality
    assert figures.cost_usd < figures.strong_cost_usd
    means = fresh(policy, tiers)
    assert means.quality >= 0.95 * means.strong_quality
    assert means.cost_usd == pytest.approx(figures.cost_usd, rel=0.1)


@pytest.mark.parametrize("tiers", [2, 3])
def test_the_best_quality_that_a_budget_buys(tiers):
    table = columns(800, tiers)
    plain = {"method": "logistic", "skip": False}
    little = tune(table, max_cost=0.4 * 1.44e-3 if tiers == 3 else 6e-5, **plain)
    much = tune(table, max_cost=0.8 * 1.44e-3 if tiers == 3 else 1e-4, **plain)
    assert little.tuned.figures.cost_usd <= (0.4 * 1.44e-3 if tiers == 3 else 6e-5)
    assert little.tuned.figures.quality < much.tuned.figures.quality


def test_no_more_is_escalated_than_was_allowed():
    policy = tune(columns(1500), max_escalated=0.25)
    assert policy.tuned.figures.escalated <= 0.25
    assert fresh(policy).escalated == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize("tiers", [2, 3])
@pytest.mark.parametrize("graded", [False, True])
def test_a_promise_about_harm_is_tested_on_rows_nothing_was_fitted_to(tiers, graded):
    table = columns(2500, tiers, graded=graded)
    policy = tune(table, harm=0.03, confidence=0.9, method="logistic")
    (promise,) = policy.promises
    assert (promise.kind, promise.limit, promise.confidence) == ("harm", 0.03, pytest.approx(0.9))
    assert promise.p_value <= 0.1
    assert promise.seen <= 0.03
    assert policy.tuned.rows_fitted + promise.rows == 2500
    assert fresh(policy, tiers, graded=graded).harm <= 0.035
    assert policy.tuned.figures.by_tier[-1] < 1


def test_a_promise_about_quality():
    policy = tune(columns(2500), quality=0.95, confidence=0.9)
    (promise,) = policy.promises
    assert promise.kind == "quality"
    assert promise.seen >= 0.95
    means = fresh(policy)
    assert means.quality >= 0.95 * means.strong_quality


def test_harm_is_promised_with_95_percent_where_nothing_is_said():
    assert tune(columns(2000), harm=0.05).promises[0].confidence == pytest.approx(0.95)


def test_a_class_gets_thresholds_and_a_promise_of_its_own():
    policy = tune(columns(4000, classes=True), harm=0.04, confidence=0.9, per_class=True)
    assert set(policy.classes) == {"easy", "hard"}
    assert {p.class_name for p in policy.promises} == {"easy"}
    assert set(policy.tuned.straight) == {"hard"}
    assert all(p.confidence == pytest.approx(0.95) for p in policy.promises)
    assert policy.thresholds == (1.0,)  # a class nobody has labelled is not trusted
    found = replay(columns(4000, seed=9, classes=True), policy).by_class
    assert all(own.harm <= 0.045 for own in found.values())


def test_too_few_labels_are_refused_with_the_number_that_would_do():
    with pytest.raises(TuningError, match=r"label about 450 rows \(of 100 labelled rows, 50"):
        tune(columns(100), harm=0.01)
    first = tune(columns(600, seed=1), quality=0.95)
    with pytest.raises(TuningError, match="label about 299 rows"):
        tune(columns(100), harm=0.01, policy=first)


def test_as_many_rows_as_it_says_to_label_are_enough():
    for limit in (0.01, 0.02, 0.05, 0.2):
        tests = labels_needed(limit, 0.05)
        labelled = rows_to_label(tests)
        table = read_table(columns(labelled))
        _, tested = split_rows(table, make_objective(harm=limit), seed=0, kept=False)
        assert tests <= len(tested) <= 1.2 * tests + 5


def test_a_hundred_classes_that_carry_no_promise_are_a_line_that_can_be_read():
    table = columns(1000) | {"class": [f"class {row % 100}" for row in range(1000)]}
    with pytest.raises(TuningError) as refused:
        tune(table, harm=0.01, per_class=True)
    said = str(refused.value)
    assert len(said) < 400
    assert "cannot be promised for any of 100 classes" in said
    assert "label about" in said


def test_a_candidate_that_the_table_cannot_feed_is_none():
    table = columns(250, texts=True)
    del table["t0_response"]
    for method in ("logistic", "boosting"):
        policy = tune(table, quality=0.9, signals=[], method=method, skip=False)
        assert policy.calibrators[0].reads_request
        assert not policy.calibrators[0].reads_draft
        assert replay(table, policy).means.quality == pytest.approx(
            policy.tuned.figures.quality, abs=0.1
        )


DEAR = {"t0_cost_usd": [6e-5] * 1000, "t1_cost_usd": [1e-4] * 1000}


@pytest.mark.parametrize("asked", [{"harm": 0.01}, {"quality": 0.99, "confidence": 0.9}])
def test_a_promise_that_costs_more_than_the_last_tier_is_not_sold_as_cheapest(asked):
    table = columns(1000, sharp=20.0) | DEAR
    said = r"best served by always asking the last tier \(m1\), at \$0.000100 a request: .*--force"
    with pytest.raises(StraightError, match=said):
        tune(table, **asked, method="logistic")
    forced = tune(table, **asked, method="logistic", force=True)
    assert forced.promises[0].p_value <= 0.1
    assert forced.tuned.figures.cost_usd > forced.tuned.figures.strong_cost_usd


def test_a_class_goes_straight_where_that_costs_least_and_another_does_not():
    table = columns(3000, classes=True, sharp=20.0)
    table["t0_cost_usd"] = [1e-4 if c == "hard" else 1e-5 for c in table["class"]]
    policy = tune(table, harm=0.05, per_class=True)
    assert set(policy.tuned.straight) == {"hard"}
    assert policy.classes["hard"].thresholds == (1.0,)
    assert [p.class_name for p in policy.promises] == ["easy"]
    own = replay(table, policy).by_class["hard"]
    assert own.cost_usd == pytest.approx(own.strong_cost_usd), "no draft and no signal is paid for"


def test_a_middle_tier_that_alone_is_best_is_named():
    table = columns(1000, 3) | {"t1_quality": [1.0] * 1000, "t0_quality": [0.0] * 1000}
    with pytest.raises(StraightError, match=r"always asking tier 1 \(m1\)"):
        tune(table, harm=0.05)


@pytest.mark.parametrize(("asked", "texts"), [({"quality": 0.95}, True), ({"harm": 0.05}, False)])
def test_a_tier_that_is_always_right_is_tuned(asked, texts):
    rows = 400 if "harm" in asked else 200  # a promise needs more
    weights = {"weight": [0.1, 0.7] * (rows // 2)}
    table = columns(rows, texts=texts) | {"t1_quality": [1.0] * rows} | weights
    assert 0 < tune(table, **asked, skip=False).tuned.figures.escalated < 1
    cheap = columns(rows, texts=texts) | {"t0_quality": [1.0] * rows} | weights
    assert tune(cheap, **asked, skip=False).tuned.figures.escalated == 0
    wrong = columns(rows, texts=texts) | {"t0_quality": [0.0] * rows}
    with pytest.raises(TuningError):
        tune(wrong, **asked, skip=False)


def test_shares_a_rounding_above_one_are_tuned():
    table = columns(600)
    for k in (0, 1):
        table[f"t{k}_quality"] = [q * 1.0000000002 for q in table[f"t{k}_quality"]]
    assert tune(table, quality=0.9).tuned.figures.strong_quality <= 1


def test_progress_rises_to_its_end():
    told = []
    table = columns(200, texts=True) | {"t0_paid_noise_usd": [1e-6] * 200}
    tune(table, quality=0.9, method="signal", advance=lambda *said: told.append(said))
    done = [at for at, _, _ in told]
    assert done == sorted(done)
    assert len(set(done)) > 5
    assert {total for _, total, _ in told} == {done[-1]}
    assert "fitting the confidence in tier 0" in [doing for _, _, doing in told]


def test_rows_of_a_group_stay_on_one_side():
    table = columns(1200) | {"group": [f"g{row // 4}" for row in range(1200)]}
    policy = tune(table, harm=0.05, confidence=0.9)
    assert policy.promises[0].rows * 4 + policy.tuned.rows_fitted == 1200
    assert policy.promises[0].method == "betting"  # groups are the units, and not 0 or 1


def test_a_promise_counts_on_rows_as_heavy_as_it_is_told():
    table = columns(1500) | {"weight": [1.0 + row % 2 for row in range(1500)]}
    settings = {"harm": 0.1, "method": "signal"}
    assert tune(table, **settings, heaviest=2).thresholds == tune(table, **settings).thresholds
    with pytest.raises(TuningError, match="too few"):  # any row may be as heavy as 130 of these
        tune(table, **settings, heaviest=200)
    with pytest.raises(ConfigurationError, match="heaviest=1: a row of table weighs 2"):
        tune(table, harm=0.05, method="signal", heaviest=1.0)
    grouped = columns(1500) | {"group": [f"g{row // 3}" for row in range(1500)]}
    with pytest.raises(ConfigurationError, match="heaviest=2: a group of table weighs 3"):
        tune(grouped, harm=0.05, method="signal", heaviest=2)


def test_the_heaviest_row_of_the_whole_table_counts_wherever_it_fell():
    weights = [1.0] * 1499 + [3.0]
    seen = set()
    for seed in range(4):
        policy = tune(columns(1500) | {"weight": weights}, harm=0.1, method="signal", seed=seed)
        seen.add(policy.promises[0].method)
    assert seen == {"betting"}


@pytest.mark.simulation
def test_weights_that_add_up_to_a_rounding_more_than_one_are_no_error():
    rng = np.random.default_rng(0)
    for seed in range(10):
        table = columns(120, seed=seed) | {"weight": np.exp(0.2 * rng.normal(size=120)).tolist()}
        table["t1_quality"] = [1.0] * 120
        assert tune(table, quality=0.9, method="signal").tuned.figures.strong_quality <= 1


def test_a_policy_without_calibrators_has_nothing_to_keep():
    with pytest.raises(ConfigurationError, match="no calibrators to keep"):
        tune(columns(300), quality=0.9, policy={"thresholds": [0.8]})


def test_a_class_of_which_no_row_is_left_to_test_is_refused_and_the_others_are_not():
    table = columns(2000, classes=True)
    table["class"][7] = "lonely"
    for seed in range(3):
        policy = tune(table, harm=0.1, per_class=True, method="signal", seed=seed)
        assert policy.classes["lonely"].thresholds == (1.0,)
        assert "lonely" in policy.tuned.refused
        assert {promise.class_name for promise in policy.promises} == {"easy", "hard"}


@pytest.mark.simulation
@pytest.mark.parametrize("method", ["signal", "logistic"])
def test_an_unmoved_stream_looks_like_what_the_policy_was_tuned_on(method):
    alarmed = 0
    for seed in range(4):
        table = columns(120, seed=seed, sharp=2.0)
        policy = tune(table, max_escalated=0.4, method=method)
        served = replay(columns(1500, seed=1000 + seed, sharp=2.0), policy)
        monitor = DriftMonitor(policy.tuned.reference, alpha=0.01)
        told = served.scored.told(0, policy.thresholds[0])
        for confidence, tier in zip(told, served.served.tier, strict=True):
            monitor.observe(confidence, tier > 0)
        alarmed += bool(monitor.alarms)
    assert alarmed == 0


def test_rows_of_one_group_are_one_observation_of_the_reference():
    plain = columns(600)
    grouped = plain | {"group": [f"g{row // 6}" for row in range(600)]}
    rows = [tune(t, quality=0.9, method="signal").tuned.reference.rows for t in (plain, grouped)]
    assert rows == [600, 100]


def test_a_frozen_policy_keeps_its_calibrators_and_every_row_tests_it():
    first = tune(columns(600, seed=1), quality=0.95)
    second = tune(columns(1500, seed=2), harm=0.03, policy=first)
    assert second.calibrators == first.calibrators
    assert second.promises[0].rows == 1500
    assert second.tuned.rows_fitted == 0


@pytest.mark.parametrize(("price", "worth"), [(1e-7, True), (1e-4, False)])
@pytest.mark.parametrize("asked", [{"quality": 0.97}, {"harm": 0.05}, {"max_cost": 1.1e-4}])
def test_a_paid_signal_is_kept_where_it_is_worth_its_price(price, worth, asked):
    table = columns(1000, sharp=3.0)
    rng = np.random.default_rng(4)
    judged = 0.5 + 0.4 * (np.array(table["t0_quality"]) - 0.5) + 0.1 * rng.random(1000)
    table |= {"t0_signal_judge": judged.tolist(), "t0_paid_judge_usd": [price] * 1000}
    policy = tune(table, **asked, method="logistic")
    assert ("judge" in policy.signals) == worth
    if not worth:
        assert "without judge, which would not pay" in policy.tuned.choices[0]
        told = tune(table, **asked, method="logistic", signals=["a", "judge"], force=True)
        assert "judge" in told.signals, "as it was told"


def test_of_two_paid_signals_only_the_one_that_pays_is_kept():
    table = columns(1000, sharp=3.0)
    rng = np.random.default_rng(4)
    judged = 0.5 + 0.4 * (np.array(table["t0_quality"]) - 0.5) + 0.1 * rng.random(1000)
    table |= {"t0_signal_judge": judged.tolist(), "t0_paid_judge_usd": [1e-7] * 1000}
    table |= {"t0_signal_vain": rng.random(1000).tolist(), "t0_paid_vain_usd": [1e-4] * 1000}
    policy = tune(table, quality=0.97, method="logistic")
    assert "judge" in policy.signals
    assert "vain" not in policy.signals


def test_drafts_that_failed_a_gate_are_not_taken_for_accepted_unasked():
    table = columns(1000, sharp=3.0)
    rng = np.random.default_rng(4)
    gated = np.arange(1000) % 15 == 0
    judged = 0.5 + 0.4 * (np.array(table["t0_quality"]) - 0.5) + 0.1 * rng.random(1000)
    readings = {"t0_signal_a": table["t0_signal_a"], "t0_signal_judge": judged.tolist()}
    prices = {"t0_paid_judge_usd": [1e-7] * 1000}
    for name, values in (readings | prices).items():
        table[name] = ["" if gate else value for gate, value in zip(gated, values, strict=True)]
    table["t0_quality"] = np.where(gated, 0.0, table["t0_quality"]).tolist()
    table.pop("t0_signal_noise")
    policy = tune(table, max_escalated=0.2, method="logistic")
    served = replay(table, policy).served
    assert (served.tier[gated] == 1).all()
    with pytest.raises(TuningError, match=r"the least any threshold takes is 0\.067"):
        tune(table, max_escalated=0.02, method="logistic")


def test_drafts_that_failed_a_gate_are_accepted_by_no_text_either():
    table = columns(1000, texts=True)
    gated = [row % 10 == 0 for row in range(1000)]
    table["t0_gate"] = ["gate_refusal" if gate else "" for gate in gated]
    for tier, name in ((0, "a"), (0, "noise")):
        del table[f"t{tier}_signal_{name}"]
    # They read just like the good ones, and must teach the calibrator nothing.
    table["t0_quality"] = [
        0.0 if gate else q for gate, q in zip(gated, table["t0_quality"], strict=True)
    ]
    policy = tune(table, max_escalated=0.3, method="logistic", skip=False)
    assert policy.calibrators[0].signals == ()
    served = replay(table, policy).served
    assert (served.tier[gated] == 1).all()
    assert (served.tier == 0).any()
    assert policy.tuned.reference.tiers[0].unread == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("heaviest", "said"),
    [(float("inf"), "finite"), ("3", "finite"), (True, "finite"), (0.5, "weighs 1")],
)
def test_a_heaviest_row_that_cannot_be_is_refused(heaviest, said):
    with pytest.raises(ConfigurationError, match=said):
        tune(columns(300), harm=0.1, method="signal", heaviest=heaviest)
    with pytest.raises(ConfigurationError, match="goes with a promise"):
        tune(columns(300), quality=0.9, heaviest=2.0)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("asked", [{"quality": 0.95}, {"max_cost": 8e-5}])
def test_thresholds_for_each_class_are_never_worse_than_one_for_all_on_their_rows(seed, asked):
    table = columns(400, seed=seed, classes=True)
    settings = {"method": "logistic", "skip": False}
    each, one = (tune(table, **asked, **settings, per_class=c).tuned.figures for c in (True, False))
    if "quality" in asked:
        assert each.cost_usd <= one.cost_usd
        assert each.quality >= 0.95 * each.strong_quality - 1e-9
    else:
        assert each.quality >= one.quality
        assert each.cost_usd <= 8e-5


@pytest.mark.parametrize(
    ("n", "more", "said"),
    [
        (90, {}, "fewer than two classes have 50 rows"),
        (400, {"t0_cost_usd": [""] * 400}, "the cost of a call is not known"),
    ],
)
def test_where_classes_cannot_have_thresholds_of_their_own_it_is_said_why(n, more, said):
    with pytest.raises(TuningError, match=said):
        tune(columns(n, classes=True) | more, quality=0.9, per_class=True, method="signal")


def test_a_signal_that_only_some_tiers_have_is_used_by_those():
    table = columns(900, tiers=3)
    del table["t1_signal_noise"]
    policy = tune(table, quality=0.95, signals=["noise", "a"])
    assert set(policy.calibrators[1].signals) == {"a"}


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        (["a", "a"], "'a' twice"),
        ("noise", r"\['noise'\]"),
        (["a", "judge"], "no signal 'judge' for any tier; it has: a, noise"),
    ],
)
def test_signals_that_cannot_be_used_are_refused(signals, said):
    with pytest.raises(ConfigurationError, match=said):
        tune(columns(100), quality=0.9, signals=signals)


def test_a_signal_that_says_nothing_is_not_chosen():
    policy = tune(columns(800), quality=0.95, method="signal")
    assert policy.signals == ("a",)


def test_only_the_signals_named_are_used():
    policy = tune(columns(800), max_escalated=0.5, signals=["noise"])
    assert policy.signals == ("noise",)
    with pytest.raises(ConfigurationError, match="'b'"):
        tune(columns(800), max_escalated=0.5, signals=["b"])


def test_what_comes_out_is_plain_json_that_reads_back_the_same(tmp_path):
    policy = tune(columns(320, texts=True), quality=0.95, method="logistic", name="mine")
    policy.save(tmp_path / "policy.json")
    assert Policy.load(tmp_path / "policy.json") == policy
    document = json.loads((tmp_path / "policy.json").read_text())
    assert document["name"] == "mine"
    assert "please" not in (tmp_path / "policy.json").read_text()  # no word of any prompt


def test_the_same_table_gives_the_same_policy():
    assert tune(columns(320), quality=0.95) == tune(columns(320), quality=0.95)


def test_a_hundred_labels_are_enough_to_tune_on():
    policy = tune(columns(100, texts=True), quality=0.95)
    means = fresh(policy, n=1500, texts=True)
    assert means.quality >= 0.88 * means.strong_quality
    assert means.cost_usd < means.strong_cost_usd


def test_requests_that_are_plainly_hard_skip_the_cheap_tier():
    table = columns(600, texts=True, sharp=40.0)
    dear = [c * 6 for c in table["t0_cost_usd"]]  # a draft costs half of the strong answer
    policy = tune(table | {"t0_cost_usd": dear}, quality=0.97, method="signal")
    assert policy.route is not None
    means = replay(columns(600, seed=9, texts=True, sharp=40.0) | {"t0_cost_usd": dear}, policy)
    assert means.means.asked[0] < 0.9
    without = tune(table | {"t0_cost_usd": dear}, quality=0.97, method="signal", skip=False)
    assert policy.tuned.figures.cost_usd < without.tuned.figures.cost_usd


def test_no_route_is_learned_where_it_saves_nothing():
    table = columns(600) | {"request": ["Is it due?", "When?", "Who pays?"] * 200}
    assert tune(table, quality=0.95, method="signal").route is None


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            {},
            "one of quality, harm, max_cost, max_escalated, such as harm=0.02 .--harm 0.02.; given: none",
        ),
        ({"quality": 0.9, "harm": 0.1}, "given: quality and harm"),
        ({"quality": 0.0}, "quality=0"),
        ({"harm": 1.5}, "between 0 and 1"),
        ({"harm": float("nan")}, "between 0 and 1"),
        ({"max_cost": -1.0}, "above 0"),
        ({"max_escalated": 1.1}, "a share"),
        ({"harm": 0.1, "confidence": 1.0}, "confidence=1"),
        ({"max_cost": 1.0, "confidence": 0.9}, "is not promised"),
        ({"quality": 0.9, "per_class": True}, "no column class"),
        ({"quality": 2.0}, "no threshold reaches quality"),
        ({"max_cost": 1e-9}, "the least any threshold takes"),
    ],
)
def test_what_cannot_be_asked_for_is_one_clear_error(asked, words):
    with pytest.raises(ConfigurationError, match=words):
        tune(columns(300), **asked, method="signal")


def test_a_few_rows_are_too_few():
    with pytest.raises(TuningError, match="19 usable rows; at least 20"):
        tune(columns(19), quality=0.9)


def test_rows_that_cannot_be_used_are_counted():
    table = columns(300)
    table["t1_quality"][5] = None
    policy = tune(table, quality=0.95)
    assert sum(policy.tuned.rows_unused.values()) == 1
    assert policy.tuned.figures.n == 299


def test_weights_count_rows():
    table = columns(1000)
    hard = np.array(table["t0_quality"]) == 0
    learned = {"method": "logistic"}
    heavy = tune(
        table | {"weight": np.where(hard, 3.0, 1.0).tolist()}, max_escalated=0.3, **learned
    )
    plain = tune(table, max_escalated=0.3, **learned)
    assert heavy.tuned.figures.quality < plain.tuned.figures.quality


def test_classes_get_thresholds_of_their_own_where_that_pays():
    """One class's strong tier is no better: whatever is escalated there is wasted."""
    table = columns(3000, seed=4)
    rng = np.random.default_rng(5)
    lost = rng.random(3000) < 0.5
    strong = np.where(lost, np.array(table["t0_quality"]), np.array(table["t1_quality"]))
    table |= {"t1_quality": strong.tolist(), "class": np.where(lost, "lost", "won").tolist()}
    # With the benefit of asking on, one threshold for all does as much.
    how = {"method": "logistic", "skip": False, "benefit": False}
    own = tune(table, quality=0.98, **how)
    one = tune(table, quality=0.98, per_class=False, **how)
    assert own.classes["lost"].thresholds < own.classes["won"].thresholds
    assert not one.classes
    assert own.tuned.figures.cost_usd < 0.9 * one.tuned.figures.cost_usd
    assert own.tuned.figures.quality >= 0.98 * own.tuned.figures.strong_quality - 1e-9


def test_classes_that_are_alike_share_one_threshold():
    table = columns(1000) | {"class": ["odd" if row % 2 else "even" for row in range(1000)]}
    assert not tune(table, quality=0.97, method="logistic").classes
    assert set(tune(table, quality=0.97, method="logistic", per_class=True).classes) == {
        "odd",
        "even",
    }


def test_models_without_prices_are_tuned_by_what_is_escalated():
    table = columns(600)
    priced = tune(table, quality=0.97, method="logistic")
    unpriced = tune(table | {"t1_cost_usd": [None] * 600}, quality=0.97, method="logistic")
    assert unpriced.thresholds == priced.thresholds
    assert unpriced.tuned.figures.cost_usd is None
    assert (
        tune(table | {"t1_cost_usd": [None] * 600}, harm=0.05, method="logistic").tuned.figures.harm
        <= 0.05
    )
    with pytest.raises(TuningError, match="max_cost needs the cost"):
        tune(table | {"t1_cost_usd": [None] * 600}, max_cost=1e-5)


def test_a_draft_that_costs_more_than_it_saves_is_not_bought():
    """Then nothing but the last tier is worth its price."""
    table = columns(1000) | DEAR
    for asked in ({"quality": 0.97}, {"max_cost": 1.01e-4}):
        with pytest.raises(StraightError, match="the best cascade has quality"):
            tune(table, **asked, method="signal", signals=["a"])
        policy = tune(table, **asked, method="signal", signals=["a"], force=True)
        assert policy.tuned.figures.escalated < 1
