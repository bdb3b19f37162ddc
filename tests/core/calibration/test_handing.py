"""`tune(answered=…)`: the last tier's threshold, and what a replay says of it."""

import numpy as np
import pytest

from cascade_core.calibration import tune
from cascade_core.calibration.handing import highest_threshold
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.replaying import replay
from cascade_core.policy.document import Policy


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
