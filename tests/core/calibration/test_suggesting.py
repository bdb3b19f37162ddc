"""Which signals are worth their price: the arithmetic, and what is said where rows cannot tell."""

import math

import numpy as np
import pytest

from cascade_core.calibration import suggest, tune
from cascade_core.calibration.addable import told_more
from cascade_core.calibration.objective import make_objective
from cascade_core.calibration.worth import price_ceiling, reached
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.scored import Scored
from cascade_core.labels import TableError
from cascade_core.report.suggested import suggestion_lines
from tests.core.calibration.labels import columns

pytestmark = pytest.mark.usefixtures("a_few_draws")

STRONG = 1.2e-4
"""USD of the last tier's answer in these tables."""


def agreeing(table, name, *, right, price, seed=7):
    """Add a paid signal that says yes of this share of good drafts, and no of as many bad ones."""
    rng, good = np.random.default_rng(seed), np.array(table["t0_quality"]) > 0.5
    told = rng.random(len(good)) < right
    table[f"t0_signal_{name}"] = np.where(told, good, ~good).astype(float).tolist()
    table[f"t0_paid_{name}_usd"] = [price] * len(good)
    return table


def one(found, name):
    return next(each for each in found.signals if each.name == name)


def table(rows=1000):
    made = columns(rows, sharp=3.0)
    return {name: made[name] for name in made if name != "t0_signal_noise"}


def test_a_cheap_and_telling_signal_pays_and_a_dear_one_does_not():
    for price, verdict in ((2e-6, "pays"), (1e-4, "does not pay")):
        found = suggest(agreeing(table(), "agreement", right=0.92, price=price), method="logistic")
        agreement = one(found, "agreement")
        assert agreement.verdict == verdict
        assert agreement.price_usd == pytest.approx(price)
        assert (agreement.gain > 0) == (verdict == "pays")


def test_what_it_costs_is_its_price_times_how_often_it_is_read():
    found = one(suggest(agreeing(table(), "agreement", right=0.92, price=2e-6)), "agreement")
    assert 0 < found.readings <= 1
    assert found.cost_usd == pytest.approx(2e-6 * found.readings)


def test_the_gain_is_what_tuning_with_it_saves_on_tuning_without_it():
    rows = agreeing(table(), "agreement", right=0.92, price=2e-6)
    found = one(suggest(rows, quality=0.97, method="logistic"), "agreement")
    costs = [
        tune(
            rows, quality=0.97, method="logistic", signals=names, skip=False
        ).tuned.figures.cost_usd
        for names in (["a"], ["a", "agreement"])
    ]
    assert found.gain == pytest.approx(costs[0] - costs[1], rel=1e-6)


def test_at_the_break_even_price_it_gains_only_by_being_read_more_sparingly():
    def priced(price):
        rows = agreeing(table(), "agreement", right=0.92, price=price)
        return one(suggest(rows, method="logistic"), "agreement")

    cheap = priced(2e-6)
    again = priced(cheap.break_even_usd)
    assert 0 < again.gain < 0.06 * STRONG
    assert again.readings < 0.9 * cheap.readings


def test_a_signal_that_tells_nothing_new_is_dominated_by_the_one_that_tells_more():
    rows = agreeing(table(), "agreement", right=0.95, price=2e-6)
    rows = agreeing(rows, "self_consistency", right=0.75, price=6e-6, seed=8)
    found = suggest(rows, method="logistic")
    assert one(found, "agreement").verdict == "pays"
    consistency = one(found, "self_consistency")
    assert (consistency.verdict, consistency.dominated_by) == ("dominated", "agreement")
    assert consistency.gain_beside <= 1.96 * consistency.error_beside
    lines = list(suggestion_lines(found))
    assert any("self_consistency: dominated by agreement" in line for line in lines)


def test_tuning_says_beside_what_a_signal_would_not_pay():
    rows = agreeing(table(), "agreement", right=0.95, price=2e-6)
    rows = agreeing(rows, "self_consistency", right=0.75, price=3e-5, seed=8)
    choice = tune(rows, quality=0.98, method="logistic").tuned.choices[0]
    assert "without self_consistency, which would not pay beside agreement" in choice


def test_a_signal_without_a_price_is_worth_what_it_saves():
    found = one(suggest(columns(1500), method="logistic"), "a")
    assert (found.paid, found.price_usd, found.cost_usd) == (False, 0.0, 0.0)
    assert found.verdict == "pays"
    assert math.isnan(found.break_even_usd)


def test_few_rows_cannot_tell():
    rows = agreeing(columns(40, sharp=3.0), "agreement", right=0.8, price=4e-6)
    wide = one(suggest(rows), "agreement")
    assert wide.verdict in {"cannot tell", "does not pay"}
    many = agreeing(table(), "agreement", right=0.8, price=4e-6)
    assert wide.error > 2 * one(suggest(many, method="logistic"), "agreement").error


def test_rows_of_one_group_count_once_for_how_sure_it_is():
    rows = agreeing(table(), "agreement", right=0.92, price=2e-6)
    alone = one(suggest(rows, method="logistic"), "agreement").error
    # The same rows six times over tell no more than once.
    many = {name: [value for value in values for _ in range(6)] for name, values in rows.items()}
    many["id"] = [f"r{place}" for place in range(len(many["id"]))]
    many["group"] = [f"g{place // 6}" for place in range(len(many["id"]))]
    grouped = one(suggest(many, method="logistic"), "agreement").error
    assert grouped == pytest.approx(alone, rel=0.5)


@pytest.mark.parametrize("asked", [{"max_cost": 5e-5}, {"max_escalated": 0.4}])
def test_where_money_is_given_quality_is_won(asked):
    rows = agreeing(table(), "agreement", right=0.95, price=2e-6)
    found = suggest(rows, **asked, method="logistic")
    assert found.unit == "quality"
    assert 0 < one(found, "agreement").gain < 0.3


def test_without_any_signal_a_table_says_what_one_would_need():
    bare = {k: v for k, v in columns(1500, sharp=3.0).items() if "signal" not in k}
    found = suggest(bare)
    assert found.signals == ()
    agreement, consistency = found.addable
    assert 0.5 < agreement.needs <= consistency.needs < 1
    assert agreement.at_most > consistency.at_most > 0  # which costs three times as much
    assert consistency.price_usd == pytest.approx(3 * agreement.price_usd)


def test_a_signal_that_is_there_is_not_among_those_that_could_be_added():
    found = suggest(agreeing(table(), "agreement", right=0.9, price=2e-6), method="logistic")
    assert [each.name for each in found.addable] == ["self_consistency"]


def test_what_a_further_signal_would_gain_is_what_one_like_it_gains():
    rows = agreeing(table(3000), "agreement", right=0.9, price=2e-6)
    objective = make_objective(quality=0.97)
    real = one(suggest(rows, quality=0.97, method="logistic"), "agreement").gain
    bare = {k: v for k, v in rows.items() if "agreement" not in k}
    found = suggest(bare, quality=0.97, method="logistic")
    price = np.full(3000, 2e-6)
    scored = _scored(bare)
    reckoned = reached(objective, told_more(scored, 0.9, [price])) - reached(objective, scored)
    assert reckoned == pytest.approx(real, rel=0.25)
    assert found.without == pytest.approx(-reached(objective, scored), rel=0.05)


def _scored(rows):
    policy = tune(rows, quality=0.97, method="logistic", skip=False, force=True)
    from cascade_core.evaluation.scoring import score
    from cascade_core.labels import read_table

    scored = score(read_table(rows), policy)
    assert isinstance(scored, Scored)
    return scored


def test_three_tiers_are_compared_by_money_alone():
    rows = columns(800, tiers=3, sharp=3.0)
    for k in (0, 1):
        good = np.array(rows[f"t{k}_quality"]) > 0.5
        told = np.random.default_rng(k).random(800) < 0.95
        rows[f"t{k}_signal_agreement"] = np.where(told, good, ~good).astype(float).tolist()
        rows[f"t{k}_paid_agreement_usd"] = [2e-6] * 800
    found = one(suggest(rows, method="logistic"), "agreement")
    assert found.gain > 0
    assert math.isnan(found.area)


def test_a_price_that_is_not_known_is_named():
    rows = table()
    rows["t1_cost_usd"] = [None] * 1000
    with pytest.raises((ConfigurationError, TableError), match="t1_cost_usd"):
        suggest(rows)


def test_it_is_plain_json_without_nan():
    found = suggest(agreeing(table(300), "agreement", right=0.9, price=1e-6), method="logistic")
    plain = found.as_json()
    assert plain["signals"][0]["break_even_usd"] is None
    assert plain["unit"] == "usd"


@pytest.mark.parametrize(
    ("gain_at", "expected"),
    [(lambda t: 3.0 - t, 3.0), (lambda t: -1.0 - t, math.nan), (lambda _: 1.0, math.inf)],
)
def test_the_break_even_is_where_the_gain_ends(gain_at, expected):
    assert price_ceiling(gain_at) == pytest.approx(expected, nan_ok=True, rel=1e-4)


def test_a_limit_on_cost_that_some_resamples_cannot_meet_is_no_error():
    rows = agreeing(table(), "agreement", right=0.92, price=2e-6)
    rows["t0_cost_usd"] = np.random.default_rng(5).uniform(5e-6, 1.5e-5, len(rows["id"])).tolist()
    least = float(np.mean(rows["t0_cost_usd"]))
    found = suggest(rows, max_cost=1.002 * least, method="logistic")
    assert {each.name for each in found.signals} == {"a", "agreement"}
