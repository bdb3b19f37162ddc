"""Bets against a claim: fair while it holds, and won soon once it does not."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.statistics.betting import RARE_BETS, SHARE_BETS, Panel


@pytest.mark.parametrize("bets", [SHARE_BETS, RARE_BETS])
@pytest.mark.parametrize("limit", [0.05, 0.5, 0.9])
def test_where_a_claim_just_holds_the_capital_is_worth_what_it_was_on_every_day(limit, bets):
    worth = [0.0] * 9
    for bits in itertools.product((0.0, 1.0), repeat=8):
        panel = Panel([limit], bets)
        chance = math.prod(limit if bit else 1 - limit for bit in bits)
        for day, bit in enumerate(bits, 1):
            panel.update(day, [bit])
            worth[day] += chance * panel.evidence
    assert worth[1:] == pytest.approx([1.0] * 8)


def test_the_chance_of_ever_reaching_a_level_is_at_most_one_in_that_level():
    # All 2**12 streams, each with its exact chance: no luck of a simulation in it.
    limit, level, chance = 0.2, 4.0, 0.0
    for bits in itertools.product((0.0, 1.0), repeat=12):
        panel = Panel([limit], SHARE_BETS)
        for day, bit in enumerate(bits, 1):
            panel.update(day, [bit])
            if panel.evidence >= level:
                chance += math.prod(limit if b else 1 - limit for b in bits)
                break
    assert 0.01 < chance <= 1 / level


@given(st.lists(st.floats(0, 50), max_size=60), st.floats(1e-4, 0.99))
def test_capital_never_becomes_negative(xs, limit):
    panel = Panel([limit], RARE_BETS)
    for at, x in enumerate(xs, 1):
        panel.update(at, [x])
        assert panel.evidence > 0


def test_a_change_after_a_long_quiet_time_is_still_found():
    rng = np.random.default_rng(3)
    panel = Panel([0.3])
    for at, x in enumerate((rng.random(20_000) < 0.25).tolist(), 1):
        panel.update(at, [x])
    assert panel.evidence < 1
    for at, x in enumerate((rng.random(400) < 0.6).tolist(), 20_001):
        panel.update(at, [x])
    assert panel.evidence > 1e6
    side, since, mean = panel.leading()
    assert (side, mean) == (0, pytest.approx(0.6, abs=0.06))
    assert abs(since - 20_001) < 60


# --- by hand --------------------------------------------------------------------------------------


def reserve(rows):
    return 1 / math.log(math.e + rows)


def test_each_bet_is_multiplied_by_what_its_claim_gives_and_all_are_added_up():
    panel = Panel([0.2, 0.5], (0.5, 0.1))
    assert (panel.evidence, panel.rows) == (1.0, 0)
    panel.update(1, [1.0, 0.0])
    paid = reserve(0) - reserve(1)
    first = [paid * (1 + 0.5 * 4), paid * (1 + 0.1 * 4), paid * (1 - 0.5), paid * (1 - 0.1)]
    assert panel.evidence == pytest.approx(reserve(1) + sum(first) / 4)
    panel.update(2, [0.2, 1.0])
    paid = reserve(1) - reserve(2)
    gains = [1.0, 1.0, 1.5, 1.1]
    second = [(held + paid) * gain for held, gain in zip(first, gains, strict=True)]
    assert panel.evidence == pytest.approx(reserve(2) + sum(second) / 4)
    assert panel.rows == 2


def test_the_claim_that_lost_most_is_told_with_the_row_since_when_and_the_mean_since():
    panel = Panel([0.5, 0.5])
    assert panel.leading() == (0, 0, 0.0)
    for at, xs in ((3, [0.0, 0.0]), (5, [0.0, 1.0]), (7, [0.0, 0.6]), (8, [1.0, 0.5])):
        panel.update(at, xs)
    assert panel.leading() == (1, 5, pytest.approx((1.0 + 0.6 + 0.5) / 3))
    panel.update(9, [0.0, 0.0])  # 0.6 above the limit, of which 0.5 are taken back
    assert panel.leading()[1] == 5
    panel.update(10, [0.0, 0.0])
    panel.update(12, [0.0, 0.9])
    assert panel.leading() == (1, 12, 0.9)


def test_a_row_needs_one_number_a_claim():
    for xs in ([0.1], [0.1, 0.2, 0.3]):
        with pytest.raises(ValueError, match="argument 2 is"):
            Panel([0.5, 0.5]).update(1, xs)
