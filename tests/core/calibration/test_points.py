"""Operating points that no other beats, and a few of them that stand for all."""

from dataclasses import replace

import numpy as np

from cascade_core.calibration.points import OperatingPoints, frontier, thin


def made(harm, cost):
    harm, cost = np.array(harm, dtype=float), np.array(cost, dtype=float)
    return OperatingPoints(np.zeros((len(harm), 1)), 1 - harm, cost, cost, harm)


def test_the_frontier_is_the_cheapest_for_each_level_of_harm():
    every = made([0.2, 0.0, 0.1, 0.1, 0.3], [5, 9, 7, 6, 5])
    path = frontier(every)
    assert path.harm.tolist() == [0.0, 0.1, 0.2]
    assert path.cost.tolist() == [9, 6, 5]


def test_without_costs_the_frontier_goes_by_what_is_escalated():
    every = replace(made([0.1, 0.0], [1, 2]), cost=np.array([np.nan, np.nan]))
    assert frontier(every).escalated.tolist() == [2, 1]


def test_a_thinned_path_keeps_its_ends_and_is_dense_where_harm_is_low():
    path = made(np.linspace(0, 1, 1001), np.linspace(1, 0, 1001))
    few = thin(path, 50)
    assert len(few) <= 51
    assert (few.harm[0], few.harm[-1]) == (0.0, 1.0)
    assert np.diff(few.harm)[0] < np.diff(few.harm)[-1] / 5
    assert thin(few, 100) is few
