"""A change within a stream is found soon, and hardly one where there is none."""

import numpy as np
import pytest

from cascade_core.drift.shifts import ShiftFinder

STREAMS = {
    "a share that rises": ([0.2] * 2_000 + [0.5] * 2_000, "bits"),
    "a share that falls": ([0.6] * 1_500 + [0.3] * 1_500, "bits"),
    "a mean that rises": ([0.3] * 1_000 + [0.5] * 1_000, "numbers"),
    "two changes": ([0.2] * 1_500 + [0.6] * 1_500 + [0.1] * 1_500, "bits"),
    "no change": ([0.3] * 5_000, "bits"),
}


def stream(name, seed):
    means, kind = STREAMS[name]
    rng = np.random.default_rng(seed)
    if kind == "bits":
        return (rng.random(len(means)) < means).astype(float).tolist()
    return np.clip(rng.normal(means, 0.1), 0, 1).tolist()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", STREAMS)
def test_every_change_is_found_within_some_hundred_numbers_and_nothing_else(name, seed):
    finder = ShiftFinder()
    found = [i for i, x in enumerate(stream(name, seed)) if finder.update(x)]
    means = STREAMS[name][0]
    changes = [i for i in range(1, len(means)) if means[i] != means[i - 1]]
    assert len(found) == len(changes)
    assert all(0 <= at - change < 300 for at, change in zip(found, changes, strict=True))


def test_nothing_is_found_before_enough_was_read():
    finder = ShiftFinder()
    assert not any(finder.update(x) for x in [0.0] + [1.0] * 28)
