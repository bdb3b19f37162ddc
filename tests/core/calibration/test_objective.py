"""Which candidate serves an objective best."""

import numpy as np
import pytest

from cascade_core.calibration.objective import choose, make_objective
from cascade_core.calibration.thresholds import Candidates


def made(quality, cost):
    quality, cost = np.array(quality), np.array(cost)
    return Candidates(np.zeros((len(cost), 1)), quality, cost, cost / cost.max(), 1 - quality)


@pytest.mark.parametrize("noise", [0.0, 2e-16, -2e-16])
def test_of_equal_quality_the_cheaper_is_taken_whatever_their_sums_rounding(noise):
    among = made([0.5, 0.86 + noise, 0.86, 0.9], [1.0, 9.0, 8.0, 11.0])
    assert choose(among, make_objective(max_cost=10.0), 0.95) == 2


@pytest.mark.parametrize("noise", [0.0, 2e-15, -2e-15])
def test_of_equal_cost_the_better_is_taken_whatever_their_sums_rounding(noise):
    among = made([0.5, 0.9, 0.91, 0.95], [1.0, 8.0 + noise, 8.0, 11.0])
    assert choose(among, make_objective(quality=0.9), 0.95) == 2
