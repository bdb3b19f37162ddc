"""The labelled rows, scored once: what any thresholds would have done with them.

The same rows, scores and means as `cascade replay`, so that at a policy's own thresholds the
page and the command say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cascade_core.arrays import Array
from cascade_core.evaluation.means import Means, means
from cascade_core.evaluation.scored import Scored, Served, serve
from cascade_core.evaluation.scoring import score
from cascade_core.labels import Table, TableError, usable
from cascade_core.policy.document import Policy
from cascade_core.review.positions import Positions
from cascade_core.statistics.bootstrap import Interval, Resamples
from cascade_core.statistics.units import Units, make_units

_ROUNDING = 1e-12
_SHARES = frozenset({"quality", "escalated", "harm"})


@dataclass(frozen=True, slots=True, eq=False)
class WhatIf:
    """What thresholds did with the labelled rows.

    Attributes:
        positions: The thresholds.
        served: What became of each row.
        means: Over all of them.
        draws: The same of every resample, by name: `cost`, `quality`, `harm`, `escalated`.
    """

    positions: Positions
    served: Served
    means: Means
    draws: Mapping[str, Array]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """Labelled rows as a policy's calibrators and route score them.

    Attributes:
        table: The rows that can be used.
        unused: How many cannot, by reason.
        scored: Their confidences, costs and qualities.
        again: Resamples of them, for intervals.
        units: What of them is independent.
        whole: Whether no answer can lose anything but all or nothing.
    """

    table: Table
    unused: Mapping[str, int]
    scored: Scored
    again: Resamples
    units: Units
    whole: bool
    _found: dict[tuple[object, ...], WhatIf] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table, policy: Policy) -> LabelledRows:
        """Score the rows of a table.

        Raises:
            ConfigurationError: No row can be used, or the policy does not fit the table.
        """
        mask, unused = usable(table)
        if not mask.any():
            why = "; ".join(f"{reason} ({n:,} rows)" for reason, n in unused.items())
            raise TableError(table.source, f"no row can be used: {why}")
        rows = table.take(mask)
        scored = score(rows, policy)
        whole = all(bool(((loss == 0) | (loss == 1)).all()) for loss in scored.losses())
        return cls(
            table=rows,
            unused=unused,
            scored=scored,
            again=Resamples.draw(len(rows), groups=rows.groups),
            units=make_units(len(rows), rows.weights, rows.groups),
            whole=whole,
        )

    @property
    def tiers(self) -> int:
        """How many tiers the rows have."""
        return len(self.table.tiers)

    def at(self, positions: Positions) -> WhatIf:
        """Let thresholds decide; the last few are kept."""
        key = (positions.others, tuple(positions.own.items()))
        found = self._found.get(key)
        if found is None:
            found = self._worked_out(positions)
            if len(self._found) >= 8:  # noqa: PLR2004 - now, the draft, and where sliders were
                self._found.pop(list(self._found)[0], None)  # noqa: RUF015 - in one step
            self._found[key] = found
        return found

    def _worked_out(self, positions: Positions) -> WhatIf:
        served = serve(self.scored, positions.for_rows(self.table.classes, self.table.class_names))
        columns = {
            "cost": served.cost,
            "quality": served.quality,
            "harm": served.harm,
            "escalated": np.asarray(served.tier > 0, dtype=np.float64),
        }
        return WhatIf(positions, served, means(self.scored, served), self._draws(columns))

    def _draws(self, columns: Mapping[str, Array]) -> dict[str, Array]:
        """Return the mean of every column in every resample, all in one product of matrices."""
        again, weights = self.again, self.scored.weights
        weight = np.ones(len(self.scored)) if weights is None else weights
        weighted = [weight, *(values * weight for values in columns.values())]
        units = again.counts.shape[1]
        sums = again.counts @ np.column_stack([np.bincount(again.unit, w, units) for w in weighted])
        with np.errstate(invalid="ignore", divide="ignore"):
            found = sums[:, 1:] / sums[:, :1]
        # What is 1 in every row is so in every resample, whatever order sums were taken in.
        found = np.where(np.abs(found - 1) < _ROUNDING, 1.0, found)
        return dict(zip(columns, found.T, strict=True))

    def interval(self, what_if: WhatIf, name: str) -> Interval:
        """Return the interval of a mean; the same that `cascade replay` prints."""
        return self.again.interval(what_if.draws[name], share=name in _SHARES)

    def difference(self, now: WhatIf, moved: WhatIf, name: str) -> Interval:
        """Return the interval of what a mean is different by: the same rows, drawn in pairs."""
        return self.again.interval(moved.draws[name] - now.draws[name])
