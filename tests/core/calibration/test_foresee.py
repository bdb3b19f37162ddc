"""Paid signals are read where that is worth the price, judged by fits that did not see the rows."""

import numpy as np
import pytest

from cascade_core.calibration import tune
from cascade_core.calibration.fit_tiers import fit_tiers
from cascade_core.calibration.objective import make_objective
from cascade_core.calibration.progress import Progress
from cascade_core.evaluation import cost_quality_curve
from cascade_core.evaluation.scored import serve, thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.evaluation.sweeping import sweep
from cascade_core.labels import read_table
from cascade_core.policy import Policy

HOW = {"quality": 0.95, "method": "logistic", "skip": False, "force": True}


def judged(n, seed, *, price, free=True):
    """Columns whose free signal says much, and whose judge says more for a price."""
    rng = np.random.default_rng(seed)
    ease, more = rng.random(n), rng.random(n)
    found = {
        "id": [f"r{row}" for row in range(n)],
        "t0_quality": (rng.random(n) < 0.1 + 0.6 * ease + 0.25 * more).astype(float).tolist(),
        "t1_quality": [0.95] * n,
        "t0_cost_usd": [1e-5] * n,
        "t1_cost_usd": [1e-4] * n,
        "t0_signal_judge": more.tolist(),
        "t0_paid_judge_usd": [price] * n,
    }
    return {**found, "t0_signal_free": ease.tolist()} if free else found


def test_a_dear_signal_is_read_less_and_the_curve_over_cost_is_better():
    table, fresh = judged(1500, 0, price=2e-5), read_table(judged(6000, 1, price=2e-5))
    how = {**HOW, "signals": ["free", "judge"]}
    before, after = (tune(table, benefit=benefit, **how) for benefit in (False, "auto"))
    assert "judge read where that is worth the price" in after.tuned.choices[0]
    (foresight,) = after.calibrators[0].foresight
    assert foresight.unread == ("judge",)
    assert foresight.price == pytest.approx(0.2)
    assert foresight.signals == ("free",)
    old, new = (cost_quality_curve(fresh, policy).apgr("cost") for policy in (before, after))
    assert new > old + 0.02


def test_a_cheap_signal_is_read_wherever_it_may_change_something():
    policy = tune(judged(600, 0, price=1e-8), signals=["free", "judge"], **HOW)
    assert policy.calibrators[0].foresight == ()


def parted(n, seed, *, price):
    """Columns of clear cases, of which a judge tells nothing, and of doubtful ones that it clears."""
    rng = np.random.default_rng(seed)
    kind, about = rng.random(n), 0.2 * rng.random(n)
    ease = np.select([kind < 0.45, kind < 0.75], [0.8 + about, 0.4 + about], about)
    good = rng.random(n) < np.select([kind < 0.45, kind < 0.75], [0.97, 0.5], 0.05)
    return {
        "id": [f"r{row}" for row in range(n)],
        "t0_quality": good.astype(float).tolist(),
        "t1_quality": [0.97] * n,
        "t0_cost_usd": [1e-5] * n,
        "t1_cost_usd": [1e-4] * n,
        "t0_signal_free": ease.tolist(),
        "t0_signal_judge": (np.where(good, 0.6, 0.2) + 0.2 * rng.random(n)).tolist(),
        "t0_paid_judge_usd": [price] * n,
    }


@pytest.mark.parametrize("price", [2e-5, 3e-5])
def test_a_signal_too_dear_to_be_read_always_is_kept_where_it_pays_for_some(price):
    table, fresh = parted(400, 0, price=price), read_table(parted(6000, 1, price=price))
    policies = [tune(table, benefit=benefit, **HOW) for benefit in (False, "auto")]
    always, spared = (serve(score(fresh, of), thresholds_of(of, fresh)) for of in policies)
    assert [policy.tuned.paid for policy in policies] == [(), ("judge",)]
    assert "without judge, which would not pay" in policies[0].tuned.choices[0]
    assert "would not pay" not in policies[1].tuned.choices[0]
    assert spared.cost.mean() < 0.97 * always.cost.mean()
    assert spared.quality.mean() > always.quality.mean()


def test_a_signal_that_makes_hardly_any_difference_is_not_kept():
    policy = tune(judged(1200, 0, price=2e-5), **HOW)
    assert policy.tuned.paid == ()
    assert "without judge, which would not pay" in policy.tuned.choices[0]


@pytest.mark.parametrize(
    ("table", "objective"),
    [
        (judged(600, 0, price=2e-5), {"harm": 0.2}),
        (judged(600, 0, price=2e-5), {"max_escalated": 0.5}),
        (judged(600, 0, price=2e-5, free=False), {"quality": 0.95}),
    ],
    ids=["a limit on harm", "cost does not count", "nothing is read before"],
)
def test_where_there_is_no_foresight(table, objective):
    how = {key: value for key, value in HOW.items() if key != "quality"}
    policy = tune(table, signals=[n[10:] for n in table if "t0_signal_" in n], **how, **objective)
    assert policy.calibrators[0].foresight == ()


def test_of_two_paid_signals_each_has_its_own():
    table = judged(1200, 0, price=2e-5)
    other = np.random.default_rng(7).random(1200)
    table |= {"t0_signal_second": other.tolist(), "t0_paid_second_usd": [1e-5] * 1200}
    policy = tune(table, signals=["free", "judge", "second"], **HOW)
    first, second = policy.calibrators[0].foresight
    assert (first.unread, second.unread) == (("judge", "second"), ("second",))
    assert (first.price, second.price) == pytest.approx((0.2, 0.1))
    assert set(second.signals) <= {"free", "judge"}
    assert Policy.load(policy.model_dump(mode="json")) == policy


def babble(n, seed):
    """Columns whose texts say nothing, beside a judge that says a little."""
    rng = np.random.default_rng(seed)
    seen = rng.random(n)

    def text():
        return " ".join(rng.choice(["a", "bb,", "ccc.", "12", "x=1"], rng.integers(3, 40)))

    return read_table(
        {
            "id": [f"r{row}" for row in range(n)],
            "request": [text() for _ in range(n)],
            "t0_response": [text() for _ in range(n)],
            "t0_quality": (rng.random(n) < 0.3 + 0.4 * seen).astype(float).tolist(),
            "t1_quality": [1.0] * n,
            "t0_cost_usd": [1e-5] * n,
            "t1_cost_usd": [1e-4] * n,
            "t0_signal_judge": seen.tolist(),
            "t0_paid_judge_usd": [1e-6] * n,
        }
    )


def test_rows_that_were_fitted_promise_no_more_than_fresh_ones_give():
    """What a fit to the very rows says of them, in bounds as well, knows their outcomes."""
    objective = make_objective(
        quality=0.9, harm=None, max_cost=None, max_escalated=None, confidence=None
    )
    how = (["judge"], "boosting", 0, Progress(lambda *_: None, 9))
    fit = fit_tiers(objective, babble(400, 0), *how, benefit=False)
    rows = fit.scored
    own = sweep(rows.met(0), *rows.qualities, *rows.drafts, paid=rows.read(0)).apgr()
    fresh = cost_quality_curve(babble(1500, 99), Policy(calibrators=fit.calibrators)).apgr()
    assert own < fresh + 0.04
