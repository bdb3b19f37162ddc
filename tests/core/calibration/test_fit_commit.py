"""A rule that accepts drafts by their first tokens, fitted and tested as one with its threshold."""

import numpy as np
import pytest

from cascade_core.calibration import tune
from cascade_core.calibration.objective import TuningError
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.replaying import replay
from cascade_core.policy import Policy
from cascade_core.trajectory import trajectory_cell
from tests.core.calibration.labels import columns

pytest.importorskip("sklearn")

LOGISTIC = {"method": "logistic", "skip": False}


def going(n=1200, tiers=2, seed=0, tokens=12):
    """Rows whose drafts show from their first tokens on, more and more, how good they are."""
    found = columns(n, tiers, seed)
    rng = np.random.default_rng(seed + 1)
    for k in range(tiers - 1):
        sure = np.array(found[f"t{k}_signal_a"])
        surprise = rng.exponential(1, (n, tokens)) * (1.05 - sure)[:, None]
        found[f"t{k}_trajectory"] = [trajectory_cell(-row) for row in surprise]
    return found


@pytest.fixture(scope="module")
def tuned():
    return tune(going(seed=1), harm=0.05, commit=True, **LOGISTIC)


def test_the_policy_commits_and_says_how_soon(tuned):
    (rule,) = tuned.commit
    assert [place.tokens for place in rule.checkpoints] == [1, 2, 4, 8]
    assert tuned.defaults == {"streaming_policy": "commit"}
    assert 0 < tuned.tuned.shown.committed <= 1
    assert tuned.tuned.shown.after < 1


def test_the_promise_is_tested_of_the_rule_with_its_threshold(tuned):
    (promise,) = tuned.promises
    assert (promise.kind, promise.limit) == ("harm", 0.05)
    fresh = replay(going(4000, seed=77), tuned)
    assert fresh.means.harm <= 0.05
    # Some are accepted by their first tokens that would not be as a whole.
    early = fresh.scored.early[0]
    (threshold,) = tuned.thresholds
    rash = (early.first(threshold) > 0) & ~(early.whole >= threshold)
    assert rash.any()
    assert (fresh.served.tier[rash] == 0).all()


def test_a_policy_that_commits_reads_back_and_decides_alike(tuned, tmp_path):
    tuned.save(tmp_path / "p.json")
    again = Policy.load(tmp_path / "p.json")
    assert again == tuned
    assert again.fingerprint == tuned.fingerprint
    assert again.fingerprint != again.model_copy(update={"commit": None}).fingerprint


def test_its_rule_is_kept_beside_its_calibrators(tuned):
    kept = tune(going(seed=5), harm=0.1, policy=tuned)
    assert kept.commit == tuned.commit
    assert kept.early == tuned.commit
    assert kept.thresholds != tuned.thresholds


def test_three_tiers_have_a_rule_each():
    policy = tune(going(1500, 3), harm=0.08, commit=True, **LOGISTIC)
    assert len(policy.commit) == 2
    assert all(rule.checkpoints for rule in policy.commit)


def test_without_the_column_or_enough_of_it_there_is_no_rule():
    with pytest.raises(ConfigurationError, match="no column t0_trajectory"):
        tune(columns(600), harm=0.05, commit=True, **LOGISTIC)
    few = going(600)
    few["t0_trajectory"] = [*few["t0_trajectory"][:60], *[None] * 540]
    with pytest.raises(TuningError, match="commit= needs 100 fitted rows with a trajectory"):
        tune(few, harm=0.05, commit=True, **LOGISTIC)


def test_it_does_not_go_with_what_is_kept_or_weighed_otherwise(tuned):
    with pytest.raises(ConfigurationError, match="policy= keeps what was fitted"):
        tune(going(), harm=0.05, commit=True, policy=tuned)
    with pytest.raises(ConfigurationError, match="leave one of them out"):
        tune(going(), max_escalated=0.5, commit=True, benefit=True)


def test_without_it_nothing_commits():
    policy = tune(going(600), harm=0.1, **LOGISTIC)
    assert policy.commit is None
    assert policy.tuned.shown is None
