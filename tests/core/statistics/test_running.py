"""A bound on a running mean that may be looked at after every row."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cascade_core.statistics.running import bets_of, capital, running_bound


def test_before_anything_was_seen_it_is_infinite() -> None:
    assert running_bound(np.array([]), np.array([])) == math.inf
    assert running_bound(np.zeros(3), np.full(3, 20.0)) == math.inf


def test_without_harm_it_falls_with_the_rows() -> None:
    bounds = [running_bound(np.zeros(n), np.full(n, 20.0)) for n in (1_000, 10_000, 100_000)]
    assert bounds == sorted(bounds, reverse=True)
    # Nearly as good as the exact one for a single look, log(1/0.05) / audits.
    assert bounds[1] < 1.5 * math.log(20) / 500


def test_harm_raises_it_above_what_was_seen() -> None:
    values = np.zeros(20_000)
    values[::2000] = 20.0
    assert values.mean() < running_bound(values, np.full(20_000, 20.0)) < 3 * values.mean()


def test_it_is_where_the_capital_reaches_what_was_wanted() -> None:
    values = np.zeros(5_000)
    values[[100, 900]] = 20.0
    largest = np.full(5_000, 20.0)
    bets, stakes = bets_of(largest)
    bound = running_bound(values, largest, 0.9)
    for mean, wanted in ((bound * 1.001, True), (bound * 0.999, False)):
        log_capital = capital(mean, 4_998, np.array([20.0, 20.0]), bets, stakes)
        assert (log_capital >= math.log(10)) is wanted


def test_bets_that_a_rarer_row_could_ruin_are_given_up() -> None:
    few, many = bets_of(np.array([20.0, 20.0])), bets_of(np.array([20.0, 200.0]))
    assert len(many[0]) < len(few[0])
    assert (many[0] * 200 < 1).all()
    assert few[1].sum() == pytest.approx(1)
    assert many[1].sum() < 1, "what was staked on them is lost"


def test_it_is_seldom_below_the_mean_so_far_however_traffic_changes() -> None:
    """Looked at after every row of traffic whose harm comes in bursts."""
    runs, broken = 200, 0
    harm_rate = np.where(np.arange(3_000) % 1_000 < 200, 0.3, 0.002)
    mean = np.cumsum(harm_rate) / np.arange(1, 3_001)
    bets, stakes = bets_of(np.full(3_000, 10.0))
    for run in range(runs):
        rng = np.random.default_rng(run)
        hit = (rng.random(3_000) < 0.1) & (rng.random(3_000) < harm_rate)
        hits = np.cumsum(hit)
        at = np.arange(1, 3_001)
        logs = [
            np.log(stake) + (at - hits) * np.log1p(bet * mean) + hits * np.log1p(bet * (mean - 10))
            for bet, stake in zip(bets, stakes, strict=True)
        ]
        broken += bool((np.logaddexp.reduce(logs) >= math.log(20)).any())
    assert broken / runs <= 0.05
