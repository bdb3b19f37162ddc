"""Many thresholds at once do what each would have done alone."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_core.evaluation.scored import Scored, serve
from cascade_core.watch.outcomes import served_by

CUTS = (0.0, 0.3, 0.5, 0.8, 1.0)


@pytest.mark.parametrize("weighs", [False, True])
def test_thresholds_are_held_against_merits_as_a_cascade_holds_them(weighs: bool) -> None:
    chance = np.random.default_rng(0)
    n = 200
    right = (chance.random(n) < 0.6).astype(float)
    rows = Scored(
        confidences=(np.where(chance.random(n) < 0.1, np.nan, chance.random(n)),),
        merits=(chance.random(n),) if weighs else (),
        costs=(np.full(n, 0.1), np.full(n, 1.0)),
        drafts=(np.full(n, 0.1), np.full(n, 1.0)),
        skipped=np.column_stack([chance.random(n) < 0.1, np.zeros(n, dtype=bool)]),
        qualities=(right, np.ones(n)),
        calibrated=True,
    )
    found = served_by(rows, [(cut,) for cut in CUTS])
    for place, cut in enumerate(CUTS):
        alone = serve(rows, (cut,))
        assert found.harm[:, place].tolist() == alone.harm.tolist()
        assert found.cost[:, place].tolist() == pytest.approx(alone.cost.tolist())
