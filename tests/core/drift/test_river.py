"""Our change detectors find what river's find, when river's find it."""

import numpy as np
import pytest

from cascade_core.drift.detectors import Adwin, PageHinkley
from cascade_core.errors import ConfigurationError

drift = pytest.importorskip("river.drift")

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


def found(ours, xs):
    return [i for i, x in enumerate(xs) if ours.update(x)]


def found_by_river(theirs, xs):
    at = []
    for i, x in enumerate(xs):
        theirs.update(x)
        if theirs.drift_detected:
            at.append(i)
    return at


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", STREAMS)
def test_page_hinkley_raises_the_same_alarms_at_the_same_numbers(name, seed):
    xs = stream(name, seed)
    settings = {"delta": 0.01, "threshold": 20.0}
    theirs = drift.PageHinkley(min_instances=30, alpha=1.0, **settings)
    alarms = found(PageHinkley(rows=30, **settings), xs)
    assert alarms == found_by_river(theirs, xs)
    # Also where nothing changed: it bounds no chance of that, which is why `monitor` bets instead.
    assert alarms


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", STREAMS)
def test_adwin_finds_the_same_changes_within_a_look_or_two(name, seed):
    xs = stream(name, seed)
    ours, theirs = Adwin(), drift.ADWIN()
    mine, river = found(ours, xs), found_by_river(theirs, xs)
    means = STREAMS[name][0]
    changes = [i for i in range(1, len(means)) if means[i] != means[i - 1]]
    assert bool(mine) == bool(river) == bool(changes)
    for change in changes:
        first, theirs_first = (min(i for i in at if i >= change) for at in (mine, river))
        assert abs(first - theirs_first) <= 64
        assert first - change < 300
    assert ours.mean == pytest.approx(np.mean(xs[-ours.width :]))
    assert ours.mean == pytest.approx(means[-1], abs=0.05)


def test_adwin_keeps_a_window_of_the_same_length_as_rivers():
    xs = stream("no change", 1)
    ours, theirs = Adwin(), drift.ADWIN()
    found(ours, xs)
    found_by_river(theirs, xs)
    assert ours.width == theirs.width == len(xs)
    assert ours.mean == pytest.approx(theirs.estimation)


def test_adwin_holds_few_sums_however_long_its_window():
    held = []
    for n in (1_000, 16_000):
        ours = Adwin(every=10**9)
        found(ours, [0.5] * n)
        assert ours.width == n
        held.append(ours.runs)
    assert held[1] - held[0] <= 5 * 5
    assert held[1] < 70


@pytest.mark.parametrize(
    "make",
    [
        lambda: PageHinkley(threshold=0),
        lambda: PageHinkley(delta=-1),
        lambda: Adwin(delta=0),
        lambda: Adwin(per_size=1),
    ],
)
def test_detectors_refuse_settings_out_of_range(make):
    with pytest.raises(ConfigurationError):
        make()
