"""Promises hold on fresh rows, are not wasteful, and are refused where rows cannot carry them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.statistics.descent import betting_descent
from cascade_core.statistics.fixed_sequence import certify_path, certify_sweep
from cascade_core.statistics.labels_needed import Certified, Refused, labels_needed
from cascade_core.statistics.pvalues import binomial_p
from cascade_core.statistics.units import make_units


def traffic(rng, n, size=lambda rng, n: np.ones(n)):
    """Confidence that means what it says: harmed with chance 1 − confidence."""
    confidence = rng.beta(4, 1, n)
    return confidence, (rng.random(n) > confidence) * size(rng, n)


def true_harm(threshold, size=1.0):
    """Integrate (1 − c) over the beta(4, 1) density 4c³ from the threshold up."""
    return size * (0.2 - (threshold**4 - 0.8 * threshold**5))


# --- one threshold -------------------------------------------------------------------------------


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.7, np.nan]), st.sampled_from([0.0, 0.0, 1.0])),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from([0.1, 0.3]),
)
def test_the_sweep_is_the_fixed_sequence_walked_step_by_step(rows, limit):
    confidence, harm = (np.array(column) for column in zip(*rows, strict=True))
    passing = None
    for threshold in sorted(set(confidence[~np.isnan(confidence)]), reverse=True):
        accepted = confidence >= threshold
        if binomial_p(int(harm[accepted].sum()), len(harm), limit) > 0.1:
            break
        passing = accepted
    found = certify_sweep(confidence, harm, limit=limit, delta=0.1)
    if passing is None:
        assert isinstance(found, Refused)
    else:
        np.testing.assert_array_equal(confidence >= found.threshold, passing)
        assert found.loss == pytest.approx((harm * passing).mean())
        assert found.accepted == pytest.approx(passing.mean())
        assert found.method == "binomial"


SIZES = {
    "right or wrong": lambda rng, n: np.ones(n),
    "graded": lambda rng, n: rng.choice([0.2, 0.4], n),
}


@pytest.mark.simulation
@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("limit", [0.02, 0.05])
def test_a_promise_is_broken_in_at_most_delta_of_draws(kind, limit):
    rng = np.random.default_rng(5)
    draws, broken = 1000, 0
    for _ in range(draws):
        found = certify_sweep(*traffic(rng, 500, SIZES[kind]), limit=limit, delta=0.05)
        if isinstance(found, Certified):
            broken += true_harm(found.threshold, 1.0 if kind == "right or wrong" else 0.3) > limit
    assert broken / draws <= 0.05 + 2 * (0.05 * 0.95 / draws) ** 0.5


def test_a_promise_holds_for_weighted_and_grouped_rows():
    rng = np.random.default_rng(6)
    draws, broken, found_any = 400, 0, 0
    for _ in range(draws):
        confidence, harm = traffic(rng, 300)
        weights = np.where(confidence > 0.8, 1.0, 3.0)  # as if the hard ones were sampled less
        twice = np.repeat(np.arange(300), 2)  # every row has a twin that falls the same way
        found = certify_sweep(
            confidence[twice],
            harm[twice],
            limit=0.08,
            delta=0.05,
            weights=weights[twice],
            groups=twice,
        )
        if isinstance(found, Certified):
            assert found.rows == 300
            assert found.method == "betting"
            found_any += 1
            t = found.threshold
            easy, hard = true_harm(max(t, 0.8)), true_harm(t) - true_harm(max(t, 0.8))
            mean_weight = (1 - 0.8**4) + 3 * 0.8**4
            broken += (easy + 3 * hard) / mean_weight > 0.08
    assert found_any > 0.9 * draws
    assert broken / draws <= 0.05 + 2 * (0.05 * 0.95 / draws) ** 0.5


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_bisection_stops_where_a_walk_over_all_thresholds_would(seed, weighted, grouped):
    rng = np.random.default_rng(seed)
    confidence, harm = traffic(rng, 400, SIZES["graded"])
    units = make_units(
        400,
        rng.uniform(0.2, 1, 400) if weighted else None,
        rng.integers(0, 200, 400) if grouped else None,
    )
    order = np.argsort(-confidence)
    ends = np.arange(0, 400, 7)

    def descend(ends):
        return betting_descent(harm, order, ends, units, limit=0.03, delta=0.05, seed=1)

    walk = np.array([descend(ends[i : i + 1])[1] for i in range(len(ends))])
    assert (np.diff(walk) >= -1e-12).all()
    passed, p = descend(ends)
    assert passed == np.count_nonzero(walk <= 0.05)
    assert p == walk[max(0, passed - 1)]


def test_the_threshold_lies_between_what_was_accepted_and_what_was_not():
    confidence = np.repeat([0.9, 0.6, 0.2], 200)
    harm = np.where(confidence < 0.5, 1.0, 0.0)
    found = certify_sweep(confidence, harm, limit=0.02, delta=0.05)
    assert found.threshold == pytest.approx(0.4)
    assert found.index == 1


def test_a_single_row_below_is_enough_to_lie_above():
    confidence = np.array([0.9] * 300 + [0.2])
    found = certify_sweep(confidence, (confidence < 0.5) * 1.0, limit=0.01, delta=0.05)
    assert found.threshold == pytest.approx(0.55)
    assert (found.index, found.p_value) == (0, binomial_p(0, 301, 0.01))
    three = np.array([0.9] * 300 + [0.5, 0.4])
    found = certify_sweep(three, (three < 0.45) * 1.0, limit=0.01, delta=0.05)
    assert found.threshold == pytest.approx(0.45)


@pytest.mark.parametrize(("confidence", "threshold"), [(0.9, 0.45), (0.0, 0.0), (-2.0, -2.0)])
def test_where_all_may_be_accepted_the_threshold_is_halfway_to_nothing(confidence, threshold):
    found = certify_sweep(np.full(300, confidence), np.zeros(300), limit=0.01, delta=0.05)
    assert found.threshold == pytest.approx(threshold)
    assert found.accepted == 1.0


def test_weights_count_in_what_is_promised():
    confidence, harm = np.repeat([0.9, 0.5], 400), np.repeat([0.0, 1.0], [798, 2])
    weights = np.repeat([1.0, 3.0], 400)
    found = certify_sweep(confidence, harm, limit=0.05, delta=0.05, weights=weights)
    assert found.method == "betting"
    assert found.loss == pytest.approx(6 / 1600)
    assert found.accepted == 1.0
    part = certify_sweep(
        confidence, (confidence < 0.7) * 1.0, limit=0.05, delta=0.05, weights=weights
    )
    assert (part.accepted, part.loss) == (0.25, 0.0)


def test_whoever_knows_of_heavier_rows_gets_a_weaker_promise():
    confidence, harm = np.full(400, 0.9), np.repeat([1.0, 0.0], [4, 396])
    plain = certify_sweep(confidence, harm, limit=0.05, delta=0.05)
    assert (plain.method, plain.p_value) == ("binomial", binomial_p(4, 400, 0.05))
    bet = certify_sweep(confidence, harm, limit=0.05, delta=0.05, binary=False)
    heavy = certify_sweep(confidence, harm, limit=0.05, delta=0.05, heaviest=1.5)
    assert (bet.method, heavy.method) == ("betting", "betting")
    assert plain.p_value < bet.p_value < heavy.p_value
    assert p_value(harm, 0.05, heaviest=1.5) > p_value(harm, 0.05, binary=False)


def test_bets_are_placed_in_the_order_of_the_seed():
    confidence, harm = np.full(400, 0.9), np.repeat([0.3, 0.0], [8, 392])

    def p(**seed):
        return certify_sweep(confidence, harm, limit=0.05, delta=0.05, **seed).p_value

    assert p() == p(seed=0) != p(seed=1)
    assert p_value(harm, 0.05) == p_value(harm, 0.05, seed=0) != p_value(harm, 0.05, seed=1)


def test_neighbouring_floats_are_told_apart():
    above = np.nextafter(0.5, 1.0)
    found = certify_sweep(
        np.repeat([above, 0.5], 300), np.repeat([0.0, 1.0], 300), limit=0.02, delta=0.05
    )
    assert found.threshold == above


def test_rows_without_a_reading_count_but_are_never_accepted():
    confidence = np.repeat([0.9, np.nan], 300)
    found = certify_sweep(confidence, np.repeat([0.0, 1.0], 300), limit=0.01, delta=0.05)
    assert found.rows == 600
    assert found.accepted == 0.5
    assert found.loss == 0.0


# --- refusals ------------------------------------------------------------------------------------


def test_too_few_rows_are_refused_with_the_number_it_takes():
    found = certify_sweep(np.linspace(0, 1, 100), np.zeros(100), limit=0.01, delta=0.05)
    assert isinstance(found, Refused)
    assert found.labels_needed == 299
    assert found.reason.startswith("at the strictest threshold, 100 rows are too few")


def test_graded_rows_need_as_many_as_others_when_no_harm_was_seen():
    found = certify_sweep(
        np.linspace(0, 1, 100), np.zeros(100), limit=0.01, delta=0.05, binary=False
    )
    assert found.labels_needed == 299


def test_grouped_rows_need_as_many_groups():
    groups = np.repeat(np.arange(50), 2)
    found = certify_sweep(
        np.linspace(0, 1, 100), np.zeros(100), limit=0.01, delta=0.05, groups=groups
    )
    assert found.labels_needed == 2 * 299


def test_harm_above_the_limit_at_the_top_is_refused_for_good():
    found = certify_sweep(np.full(1000, 0.9), np.tile([0.0, 1.0], 500), limit=0.01, delta=0.05)
    assert found == Refused(found.reason, None)
    assert "more labels would not help" in found.reason


def test_no_reading_at_all_is_refused():
    found = certify_sweep(np.full(9, np.nan), np.zeros(9), limit=0.01, delta=0.05)
    assert found == Refused("no row has a confidence, so nothing would be accepted", None)


@pytest.mark.parametrize("harm", [0.0, 0.002, 0.005, 0.009])
def test_the_number_of_labels_named_is_enough_and_hardly_too_many(harm):
    needed = labels_needed(0.01, 0.05, harm=harm)
    assert binomial_p(int(np.ceil(harm * needed)), needed, 0.01) <= 0.05
    fewer = int(needed * 0.9)
    assert binomial_p(int(np.ceil(harm * fewer)), fewer, 0.01) > 0.05


def test_no_number_of_labels_is_named_where_harm_meets_the_limit():
    assert labels_needed(0.01, 0.05, harm=0.01) is None


# --- paths ---------------------------------------------------------------------------------------


def test_a_path_stops_at_its_first_failure_and_asks_no_further():
    asked = []

    def losses(point):
        asked.append(point)
        return np.repeat([1.0, 0.0], [5 * point, 1000 - 5 * point])

    found = certify_path(losses, 10, limit=0.02, delta=0.05)
    assert found.index == 2
    assert found.loss == 0.01
    assert asked == [0, 1, 2, 3]


def test_quality_is_promised_net_of_gains():
    rng = np.random.default_rng(0)
    strong = (rng.random(3000) < 0.9) * 1.0
    policy = np.where(rng.random(3000) < 0.03, 1 - strong, strong)  # mostly losses
    found = certify_path(
        lambda _: 0.95 * strong - policy, 1, limit=0.0, delta=0.05, lowest=-1.0, highest=0.95
    )
    assert isinstance(found, Certified)
    assert found.loss == pytest.approx((0.95 * strong - policy).mean())
    refused = certify_path(
        lambda _: 0.99 * strong - policy, 1, limit=0.0, delta=0.05, lowest=-1.0, highest=0.99
    )
    assert isinstance(refused, Refused)


def test_a_path_has_neither_a_threshold_nor_a_share_that_is_accepted():
    harm = np.repeat([1.0, 0.0], [3, 997])
    found = certify_path(lambda _: harm, 1, limit=0.02, delta=0.05)
    assert np.isnan([found.threshold, found.accepted]).all()
    assert (found.rows, found.method, found.index) == (1000, "binomial", 0)
    pairs = certify_path(
        lambda _: harm, 1, limit=0.02, delta=0.05, groups=np.repeat(np.arange(500), 2)
    )
    assert (pairs.rows, pairs.method) == (500, "betting")


def test_a_path_that_fails_at_once_says_where():
    found = certify_path(lambda _: np.zeros(100), 5, limit=0.01, delta=0.05)
    assert found.reason.startswith("at the strictest point of the path, 100 rows are too few")


@pytest.mark.parametrize("beyond", [1.0, -1.0])
def test_a_loss_may_miss_its_bound_by_a_rounding_only(beyond):
    losses = np.repeat([0.9 if beyond > 0 else -0.9, 0.0], [3, 997])
    bounds = {"lowest": -0.9, "highest": 0.9, "limit": 0.1, "delta": 0.05}
    exact = certify_path(lambda _: losses, 1, **bounds)
    near = certify_path(lambda _: losses + beyond * 1e-12, 1, **bounds)
    assert near.p_value == pytest.approx(exact.p_value)
    with pytest.raises(ConfigurationError, match="row 0: a loss must be a number"):
        certify_path(lambda _: losses + beyond * 1e-6, 1, **bounds)


@pytest.mark.parametrize("limit", [-1.0, 0.95, 2.0, np.nan])
def test_a_limit_that_no_loss_can_be_above_or_below_is_refused(limit):
    with pytest.raises(ConfigurationError) as caught:
        certify_path(lambda _: np.zeros(5), 1, limit=limit, delta=0.1, lowest=-1.0, highest=0.95)
    assert str(caught.value) == f"the limit {limit} must lie between -1.0 and 0.95"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: certify_sweep(np.zeros(5), np.zeros(5), limit=0.0, delta=0.1),
            "limit must be above 0 and below 1, got 0.0",
        ),
        (
            lambda: certify_sweep(np.zeros(5), np.zeros(5), limit=0.1, delta=1.0),
            "delta must be above 0 and below 1, got 1.0",
        ),
        (
            lambda: certify_sweep(np.zeros(5), np.zeros(4), limit=0.1, delta=0.1),
            "confidence and harm must have one value a row, got (5,), (4,)",
        ),
        (
            lambda: certify_path(lambda _: np.zeros(5), 1, limit=0.1, delta=0.0),
            "delta must be above 0 and below 1, got 0.0",
        ),
    ],
)
def test_what_cannot_be_promised_is_said(call, said):
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert str(caught.value) == said


def test_an_empty_path_is_an_error():
    with pytest.raises(ConfigurationError, match=r"^the path has no point to test$"):
        certify_path(lambda _: np.zeros(5), 0, limit=0.1, delta=0.1)


# --- which test ----------------------------------------------------------------------------------


def p_value(harm, limit, **columns):
    """Of the test of one point, where it passes."""
    return certify_path(lambda _: harm, 1, limit=limit, delta=0.05, **columns).p_value


def test_equal_weights_and_groups_of_one_leave_the_exact_test():
    harm = np.repeat([1.0, 0.0], [3, 997])
    p = p_value(harm, 0.01, weights=np.full(1000, 7.0), groups=np.arange(1000)[::-1])
    assert p == pytest.approx(binomial_p(3, 1000, 0.01))


def test_rows_that_repeat_each_other_are_no_more_evidence_than_one_of_them():
    harm = np.repeat([1.0, 0.0], [1, 299])
    twice = np.repeat(np.arange(300), 4)
    assert p_value(harm[twice], 0.03, groups=twice) == pytest.approx(
        p_value(harm, 0.03, binary=False), rel=1e-6
    )


def test_a_row_of_weight_nothing_changes_little():
    harm = np.repeat([0.3, 0.0], [10, 990])
    padded, weights = np.append(harm, 1.0), np.append(np.ones(1000), 0.0)
    assert p_value(padded, 0.01, weights=weights) == pytest.approx(p_value(harm, 0.01), rel=0.5)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"weights": np.array([1.0, -1.0])}, "weights"),
        ({"weights": np.zeros(2)}, "weights"),
        ({"weights": np.ones(3)}, "one value a row"),
        ({"groups": np.zeros(3, dtype=np.int64)}, "one value a row"),
        ({"weights": np.array([1.0, 5.0]), "heaviest": 4.0}, "heaviest"),
        ({"binary": True}, "0 or 1"),
    ],
)
def test_columns_that_cannot_be_are_refused(extra, words):
    with pytest.raises(ConfigurationError, match=words):
        p_value(np.array([0.0, 0.5]), 0.1, **extra)


# --- scale ---------------------------------------------------------------------------------------


@pytest.mark.simulation
@pytest.mark.parametrize("kind", SIZES)
def test_a_million_rows_end_where_the_truth_is(kind):
    confidence, harm = traffic(np.random.default_rng(1), 1_000_000, SIZES[kind])
    found = certify_sweep(confidence, harm, limit=0.02, delta=0.05)
    size = 1.0 if kind == "right or wrong" else 0.3
    assert 0.0197 < true_harm(found.threshold, size) < 0.0201
