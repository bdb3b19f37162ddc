"""What audits say of live traffic: who they stand for, what is missing, and what was saved."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from cascade_core.arrays import Array
from cascade_core.evaluation.audited import AuditRows, LiveRows
from cascade_core.evaluation.estimating import estimates_of
from tests.benchmarks.audits import simulate

NAN = float("nan")


def live(n: int, **given: Any) -> LiveRows:
    """Requests that all stayed with the cheap model, each picked with 0.5, every second one."""
    columns = {
        "probability": np.full(n, 0.5),
        "picked": np.arange(n) % 2 == 0,
        "stayed": np.ones(n, bool),
        "cost": np.full(n, 1.0),
        "strong_cost": np.full(n, 10.0),
        "strong_exact": np.zeros(n, bool),
    }
    return LiveRows(**columns | given)


def audits(rows: Any, **given: Any) -> AuditRows:
    """Audits in which both answers are right and the strong one costs 12."""
    m = len(rows)
    columns = {
        "row": np.asarray(rows, dtype=np.int64),
        "done": np.ones(m, bool),
        "quality": np.ones(m),
        "strong_quality": np.ones(m),
        "harm": np.zeros(m),
        "strong_cost": np.full(m, 12.0),
        "cost": np.full(m, 12.0),
    }
    return AuditRows(**columns | {k: np.asarray(v) for k, v in given.items()})


def harmed(m: int, times: int) -> Array:
    return np.array([1.0] * times + [0.0] * (m - times))


def test_each_audit_stands_for_its_kind() -> None:
    rows = live(400, probability=np.array([0.5] * 200 + [0.1] * 200), picked=np.ones(400, bool))
    found = estimates_of(rows, audits(np.arange(400), harm=harmed(400, 100)))
    assert found.harm.value == pytest.approx(100 * 2 / (200 * 2 + 200 * 10))
    assert found.harm.low < found.harm.value < found.harm.high
    assert (found.requests, found.eligible, found.picked, found.covered) == (400, 400, 400, 400)


def test_the_strongest_tiers_own_answers_lose_nothing() -> None:
    """Their share is known, so that it narrows the interval in place of widening it."""
    m = 100
    stayed = np.arange(200) % 4 == 0  # half of those picked
    picked = np.arange(0, 200, 2)
    found = estimates_of(live(200, stayed=stayed), audits(picked, harm=np.ones(m)))
    assert found.stayed == 0.25
    assert found.harm.n == 50
    assert found.harm.value == pytest.approx(0.25)
    assert found.harm.high == pytest.approx(0.25)
    none = estimates_of(live(200, stayed=np.zeros(200, bool)), audits(picked))
    assert (none.harm.value, none.harm.low, none.harm.high, none.harm_bound) == (0, 0, 0, 0)
    assert not none.harm.few


def test_no_harm_seen_is_not_no_harm() -> None:
    found = estimates_of(live(200), audits(np.arange(0, 200, 2)))
    assert found.harm.value == 0
    assert found.harm.low == 0
    assert 0.02 < found.harm.high < 0.05
    assert found.harm_bound is not None
    assert found.harm_bound > found.harm.high


def test_without_audits_nothing_is_known() -> None:
    found = estimates_of(live(10, picked=np.zeros(10, bool)), audits([]))
    assert (found.harm.value, found.harm.low, found.harm.high) == (None, 0, 1)
    assert found.coverage is None
    assert found.harm.few
    never = estimates_of(live(10, probability=np.full(10, NAN)), audits([]))
    assert (never.eligible, never.stayed, never.harm_bound) == (0, None, None)


def test_a_missing_audit_may_hide_anything() -> None:
    """Its answer counts as all bad for one end and as all good for the other."""
    picked = np.arange(0, 400, 2)
    done = np.arange(200) >= 20
    quality = np.where(done, 1.0, NAN)
    given = {"done": done, "quality": quality, "harm": np.where(done, 0.0, NAN)}
    found = estimates_of(live(400), audits(picked, **given))
    assert found.coverage == pytest.approx(0.9)
    assert found.harm.value == 0
    assert found.harm.high > 0.1 > found.harm.alike_high
    assert found.quality.low < 0.9 < found.quality.alike_low
    assert found.harm_bound is not None
    assert found.harm_bound > 0.1


def test_an_audit_without_an_event_is_missing_too() -> None:
    found = estimates_of(live(400), audits(np.arange(0, 200, 2)))
    assert (found.picked, found.covered) == (200, 100)
    assert found.harm.high > 0.5


def test_an_audit_that_is_made_later_counts_and_both_are_paid_for() -> None:
    picked = np.arange(0, 200, 2)
    rows = np.concatenate([picked, picked])
    done = np.arange(200) >= 100
    harm = np.where(done, 0.0, NAN)
    cost = np.where(done, 12.0, 0.5)
    found = estimates_of(live(200), audits(rows, done=done, harm=harm, cost=cost))
    assert found.covered == 100
    assert found.coverage == 1
    assert found.saving is not None
    assert found.saving.audit_cost_usd == pytest.approx(100 * 12.5)


def test_one_that_could_not_be_picked_is_not_spoken_of() -> None:
    probability = np.array([0.5] * 200 + [0.0] * 100 + [NAN] * 100)
    found = estimates_of(
        live(400, probability=probability), audits(np.arange(0, 200, 2), harm=harmed(100, 10))
    )
    assert (found.requests, found.eligible, found.picked) == (400, 200, 100)
    assert found.harm.value == pytest.approx(0.1)


def test_saving_corrects_estimates_by_what_audits_paid() -> None:
    """Estimated 10 each, in truth 12; the 10 requests that went on cost what they cost."""
    n = 400
    stayed = np.arange(n) >= 10
    found = estimates_of(
        live(n, stayed=stayed, strong_exact=~stayed), audits(np.arange(0, n, 2))
    ).saving
    assert found is not None
    assert found.strong_cost_usd == pytest.approx(10 * 10 + 390 * 12)
    assert (found.cost_usd, found.audit_cost_usd) == (400, 2400)
    assert found.saved_usd == pytest.approx(4780 - 400 - 2400)
    assert found.low == pytest.approx(found.saved_usd)
    assert (found.audits, found.uncorrected, found.unpriced) == (195, 0, 0)


def test_saving_has_an_interval_that_auditing_everything_closes() -> None:
    rng = np.random.default_rng(0)
    strong = rng.lognormal(2, 0.5, 400)
    half = estimates_of(live(400), audits(np.arange(0, 400, 2), strong_cost=strong[::2])).saving
    assert half is not None
    assert half.low is not None
    assert half.high is not None
    truth = strong.sum() - 400 - 2400
    assert half.low < truth < half.high
    every = live(400, probability=np.ones(400), picked=np.ones(400, bool))
    whole = estimates_of(every, audits(np.arange(400), strong_cost=strong)).saving
    assert whole is not None
    assert whole.low == whole.high == pytest.approx(strong.sum() - 400 - 4800)


def test_saving_without_audits_rests_on_estimates_and_says_so() -> None:
    found = estimates_of(live(50, picked=np.zeros(50, bool)), audits([])).saving
    assert found is not None
    assert (found.saved_usd, found.low, found.high) == (450, None, None)
    assert (found.audits, found.uncorrected) == (0, 50)


def test_what_is_unpriced_is_left_out_of_the_saving_and_never_free() -> None:
    cost = np.full(400, 1.0)
    cost[:40] = NAN
    strong = np.full(400, 10.0)
    strong[40:80] = NAN  # not estimated, but its like was audited
    picked = np.arange(0, 400, 2)
    found = estimates_of(live(400, cost=cost, strong_cost=strong), audits(picked)).saving
    assert found is not None
    assert (found.requests, found.unpriced) == (360, 40)
    assert found.strong_cost_usd == pytest.approx(360 * 12)
    one_unpriced = np.where(picked == 0, NAN, 12.0)
    unpriced = estimates_of(live(400), audits(picked, cost=one_unpriced)).saving
    assert unpriced is not None
    assert (unpriced.audit_cost_usd, unpriced.saved_usd, unpriced.low) == (None, None, None)
    nothing = estimates_of(live(4, cost=np.full(4, NAN)), audits([])).saving
    assert nothing is None


def test_classes_are_estimated_on_their_own() -> None:
    classes = np.arange(400) // 2 % 4 - 1
    picked = np.arange(0, 400, 2)
    found = estimates_of(
        live(400, classes=classes),
        audits(picked, harm=(classes[picked] == 2).astype(float)),
        class_names=["calm", "odd", "bad"],
    )
    assert list(found.classes) == ["calm", "odd", "bad"]
    assert found.classes["bad"].harm.value == 1
    assert found.classes["calm"].harm.value == 0
    assert found.classes["calm"].requests == 100
    assert found.classes["calm"].harm_bound is None
    few = estimates_of(
        live(40, classes=np.zeros(40, np.int64)), audits(np.arange(0, 40, 2)), class_names=["small"]
    )
    assert few.classes["small"].harm.few


def test_it_is_plain_json() -> None:
    found = estimates_of(live(400), audits(np.arange(0, 400, 2)), class_names=[])
    again = json.loads(json.dumps(found.as_dict()))
    assert again["harm"]["value"] == 0
    assert again["saving"]["audits"] == 200


@pytest.mark.simulation
@pytest.mark.parametrize("case", ["rules", "missing"])
def test_a_short_simulation_holds_the_truth(case: str) -> None:
    """The whole one is `tests/benchmarks/audits.py`; its seeds are fixed."""
    rates = simulate(case, 60, 10_000, of=200_000)
    assert min(rates.quality, rates.harm, rates.harm_these, rates.saving) >= 0.9
    assert rates.broken <= 0.05
