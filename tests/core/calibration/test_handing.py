"""`tune(answered=…)`: the last tier's threshold, and what a replay says of it."""

import numpy as np
import pytest

from cascade_core.calibration import tune
from cascade_core.calibration.handing import certify_answered, highest_threshold
from cascade_core.calibration.objective import TuningError
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.replaying import replay
from cascade_core.policy.document import Policy
from cascade_core.policy.evidence import Promise
from cascade_core.policy.moved import without_void


def rows(n=600, seed=0):
    rng = np.random.default_rng(seed)
    made = []
    for place in range(n):
        easy, sure = rng.random(), rng.random()
        made.append(
            {
                "id": str(place),
                "t0_model": "small",
                "t0_quality": int(rng.random() < easy),
                "t0_cost_usd": 0.0001,
                "t0_signal_sequence_logprob": easy,
                "t1_model": "large",
                "t1_quality": int(rng.random() < 0.5 + sure / 2),
                "t1_cost_usd": 0.001,
                "t1_signal_sequence_logprob": sure,
            }
        )
    return made


@pytest.fixture(scope="module")
def policy():
    return tune(rows(), quality=0.95, answered=0.9)


def test_the_policy_has_a_calibrator_and_a_threshold_for_every_tier(policy, tmp_path):
    assert (len(policy.thresholds), len(policy.calibrators), policy.tiers) == (2, 2, 2)
    assert policy.handoff(2) == policy.thresholds[-1] > 0
    assert "0.9 of the requests answered" in policy.tuned.objective
    policy.save(tmp_path / "p.json")
    assert Policy.load(tmp_path / "p.json").thresholds == policy.thresholds


def test_about_that_share_of_other_rows_is_answered_and_answered_better(policy):
    found = replay(rows(2000, seed=1), policy)
    assert found.answered.share == pytest.approx(0.9, abs=0.03)
    assert found.answered.quality > found.means.quality
    assert found.as_dict()["answered"] == found.answered.share


def test_who_is_asked_stays_as_it_was(policy):
    plain = tune(rows(), quality=0.95)
    assert policy.thresholds[:-1] == plain.thresholds
    found = replay(rows(500, seed=2), plain)
    assert found.answered is None
    assert "answered" not in found.as_dict()


def test_its_calibrators_can_be_kept(policy):
    kept = tune(rows(seed=3), max_escalated=0.5, policy=policy)
    assert (len(kept.thresholds), len(kept.calibrators)) == (1, 1)


def test_a_policy_by_hand_hands_off_in_a_replay_too():
    found = replay(rows(), {"thresholds": [0.8, 0.5]})
    by_hand = [
        float(r["t0_signal_sequence_logprob"]) >= 0.8 or r["t1_signal_sequence_logprob"] >= 0.5
        for r in rows()
    ]
    assert found.answered.share == pytest.approx(np.mean(by_hand))


@pytest.mark.parametrize("share", [0, 1, 1.2])
def test_a_share_that_can_be_none_is_refused(share):
    with pytest.raises(ConfigurationError, match=r"answered=.*between 0 and 1"):
        tune(rows(50), quality=0.95, answered=share)


def test_the_highest_threshold_that_spares_enough():
    confidence, weights = np.array([0.2, 0.4, 0.4, 0.9]), np.ones(4)
    assert highest_threshold(confidence, weights, 0.0) == 0.2
    assert highest_threshold(confidence, weights, 1.0) == 0.4
    assert highest_threshold(confidence, weights, 2.9) == 0.4
    assert highest_threshold(confidence, weights, 3.0) == 0.9
    unread = np.array([-np.inf, -np.inf, 0.5])
    assert highest_threshold(unread, np.ones(3), 1.0) is None
    assert highest_threshold(unread, np.ones(3), 2.0) == 0.5
    assert highest_threshold(np.array([]), np.array([]), 1.0) == 0.0


def test_the_error_among_the_answered_ones_is_promised_on_rows_of_its_own():
    made = tune(rows(1200), harm=0.1, answered=0.8, answered_error=0.3, method="signal")
    harm, error = made.promises
    assert (harm.kind, error.kind, error.limit, error.confidence) == ("harm", "error", 0.3, 0.95)
    assert error.method == "binomial"
    assert error.p_value <= 0.05
    assert 250 < error.rows < 400  # the answered ones of a third
    assert made.tuned.rows_fitted + harm.rows == 800
    assert "error among those ≤ 0.3, 0.95 confidence" in made.tuned.objective
    moved = made.model_copy(update={"thresholds": (made.thresholds[0], 0.1)})
    kept = without_void(made, moved)
    assert kept.policy.promises == ()
    assert any("error among the answered ones of 30 %" in said for said in kept.said)


def test_it_goes_with_a_goal_that_is_no_promise_and_says_what_the_rows_do_not_carry():
    made = tune(
        rows(900), max_escalated=0.5, answered=0.8, answered_error=0.35, method="signal", skip=False
    )
    assert [p.kind for p in made.promises] == ["error"]
    with pytest.raises(TuningError, match=r"answered_error=0\.01.*of the answered ones.*was lost"):
        tune(rows(300), max_escalated=0.5, answered=0.8, answered_error=0.01, method="signal")
    with pytest.raises(TuningError, match=r"label about [\d,]+ rows"):
        tune(easy(60), max_escalated=0.5, answered=0.8, answered_error=0.01, method="signal")


def easy(n):
    made = rows(n)
    for row in made[5:]:
        row["t0_quality"] = row["t1_quality"] = 1
    return made


def test_rows_that_fitted_a_kept_policy_test_no_promise_of_it():
    made = tune(rows(), max_escalated=0.5, answered=0.8, method="signal")
    with pytest.raises(ConfigurationError, match="the policy was fitted to"):
        tune(rows(), max_escalated=0.5, answered=0.8, answered_error=0.3, policy=made)


def test_a_table_without_readings_of_the_last_tier_says_how_to_get_them():
    bare = [{k: v for k, v in row.items() if k != "t1_signal_sequence_logprob"} for row in rows()]
    with pytest.raises(ConfigurationError, match=r"t1_signal_…\), as audits of a log never have: "):
        tune(bare, quality=0.95, answered=0.9)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"answered": 0.9, "answered_error": 1.5}, "answered_error=1.5: give a share"),
        ({"answered_error": 0.1}, "answered_error= is promised of what answered= leaves"),
    ],
)
def test_what_cannot_be_promised_is_refused(given, said):
    with pytest.raises(ConfigurationError, match=said):
        tune(rows(50), quality=0.95, **given)


@pytest.mark.simulation
def test_promises_are_broken_no_more_often_than_they_say():
    # An answer is right with chance 1/2 + confidence/2, so above a threshold T the error of all
    # answered requests is (1 − T)/4. T is picked on other rows, as tuning does.
    rng, limit, delta, made, broken, naive = np.random.default_rng(0), 0.225, 0.1, 0, 0, 0
    tables = 400
    for _ in range(tables):
        picked = rng.random(60)
        threshold = highest_threshold(picked, np.ones(60), 6.0)
        sure = rng.random(200)
        quality = (rng.random(200) < 0.5 + sure / 2).astype(float)
        answers = sure >= threshold
        found = certify_answered(answers, quality, error=limit, delta=delta)
        wrong = (1 - threshold) / 4 > limit
        made += isinstance(found, Promise)
        broken += isinstance(found, Promise) and wrong
        naive += bool((1 - quality[answers]).mean() <= limit) and wrong
    assert made > 20  # it is not kept by promising nothing
    assert broken / tables <= delta
    assert naive / tables > delta  # taking the rows at their word would break more
    # At the limit itself, the worst that there is, each table breaks it with chance delta.
    worst = sum(
        isinstance(
            certify_answered(
                np.ones(200, dtype=bool),
                (rng.random(200) >= limit + 1e-9).astype(float),
                error=limit,
                delta=delta,
            ),
            Promise,
        )
        for _ in range(tables)
    )
    assert 0.03 < worst / tables <= delta + 0.02


def test_the_bet_covers_shares_of_quality_and_groups_as_well():
    rng, limit, delta = np.random.default_rng(1), 0.2, 0.1
    broken = 0
    for _ in range(150):
        lost = rng.beta(1, 4, 150)  # 0.2 on average
        groups = np.repeat(np.arange(75), 2)
        found = certify_answered(
            rng.random(150) < 0.8, 1 - lost, error=limit, delta=delta, groups=groups, heaviest=2.0
        )
        broken += isinstance(found, Promise)
    assert broken / 150 <= delta + 0.05
    sure = certify_answered(
        np.ones(300, dtype=bool), 1 - rng.beta(1, 9, 300), error=limit, delta=delta
    )
    assert isinstance(sure, Promise)
    assert sure.method == "betting"


def test_nothing_answered_is_nothing_to_promise_of():
    found = certify_answered(np.zeros(5, dtype=bool), np.ones(5), error=0.1, delta=0.1)
    assert "none of the rows" in found.reason
