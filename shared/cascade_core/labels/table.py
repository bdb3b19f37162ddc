"""The labelled table in memory: one array per column, so that a million rows stay small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.labels.check import Unit
from cascade_core.labels.trajectories import Trajectories


@dataclass(frozen=True, slots=True, eq=False)
class TierColumns:
    """What a table says of one tier.

    Attributes:
        model: The tier's model; None where the table names none, or several.
        quality: (n,) in [0, 1]; NaN where it was not observed.
        cost: (n,) USD of the tier's answer alone; NaN where it is unpriced.
        signals: (n,) readings in [0, 1] by signal; NaN where there is no reading.
        paid: (n,) USD of a paid signal's reading by signal; NaN where the cell is empty.
        responses: The answers, "" where there is none; None where the table has no such column.
        gated: (n,) whether the answer failed a gate, and so would be accepted in no case; None
            where the table does not say.
        trajectories: How the drafts went, token by token; None where the table does not say.
    """

    quality: Array
    cost: Array
    model: str | None = None
    signals: Mapping[str, Array] = field(default_factory=dict)
    paid: Mapping[str, Array] = field(default_factory=dict)
    responses: Sequence[str] | None = field(default=None, repr=False)
    gated: Flags | None = field(default=None, repr=False)
    trajectories: Trajectories | None = field(default=None, repr=False)

    def take(self, rows: Ints) -> TierColumns:
        """Return these columns for some of the rows, given by number."""
        return TierColumns(
            quality=self.quality[rows],
            cost=self.cost[rows],
            model=self.model,
            signals={name: values[rows] for name, values in self.signals.items()},
            paid={name: values[rows] for name, values in self.paid.items()},
            responses=_pick(self.responses, rows),
            gated=None if self.gated is None else self.gated[rows],
            trajectories=None if self.trajectories is None else self.trajectories.take(rows),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A labelled table: every tier's quality and cost on each of n requests.

    Attributes:
        source: How errors name it.
        tiers: At least two, cheapest first.
        ids: (n,) unique ids.
        classes: (n,) index into `class_names` of each row's class, -1 for none; None where no row
            has a class.
        class_names: The classes, in order of appearance.
        groups: (n,) codes; rows of equal code belong together. None where no row has a group.
        weights: (n,) how much each row counts; None where all count the same.
        requests: (n,) what was asked; None where the table has no such column.
        numbers: (n,) the line or row that each row was read from; None: rows are counted from 1.
        unit: What `numbers` count.
    """

    source: str
    tiers: tuple[TierColumns, ...]
    ids: Sequence[str] | None = field(default=None, repr=False)
    classes: Ints | None = field(default=None, repr=False)
    class_names: tuple[str, ...] = ()
    groups: Ints | None = field(default=None, repr=False)
    weights: Array | None = field(default=None, repr=False)
    requests: Sequence[str] | None = field(default=None, repr=False)
    numbers: Ints | None = field(default=None, repr=False)
    unit: Unit = "row"

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.tiers[0].quality)

    @property
    def paid(self) -> frozenset[str]:
        """The signals that have a price for any tier whose drafts are judged."""
        return frozenset(name for tier in self.tiers[:-1] for name in tier.paid)

    def take(self, rows: npt.ArrayLike) -> Table:
        """Return a table of some of the rows, in the order given.

        Args:
            rows: Row numbers from 0, or a mask of one flag a row.
        """
        given = np.asarray(rows)
        if given.dtype == np.bool_:
            if given.shape != (len(self),):  # a short mask would silently drop rows
                msg = f"a mask of shape {given.shape} does not fit a table of {len(self)} rows"
                raise IndexError(msg)
            if given.all():
                return self
            picked: Ints = np.flatnonzero(given).astype(np.int64)
        else:
            picked = given.astype(np.int64)
        return Table(
            source=self.source,
            tiers=tuple(tier.take(picked) for tier in self.tiers),
            ids=_pick(self.ids, picked),
            classes=None if self.classes is None else self.classes[picked],
            class_names=self.class_names,
            groups=None if self.groups is None else self.groups[picked],
            weights=None if self.weights is None else self.weights[picked],
            requests=_pick(self.requests, picked),
            numbers=picked + 1 if self.numbers is None else self.numbers[picked],
            unit=self.unit,
        )

    def places(self, rows: npt.ArrayLike) -> str:
        """Name some rows for an error: `line 7`, or `lines 2 to 1001`.

        Args:
            rows: Row numbers from 0, or a mask; at least one row.
        """
        numbers = np.arange(1, len(self) + 1) if self.numbers is None else self.numbers
        chosen = numbers[np.asarray(rows)]
        first, last = int(chosen.min()), int(chosen.max())
        return f"{self.unit} {first}" if first == last else f"{self.unit}s {first} to {last}"


def without_texts(table: Table, column: str) -> ConfigurationError:
    """Return the error of a policy that reads texts which a table does not have."""
    return ConfigurationError(
        f"the policy reads texts, but {table.source} lacks the column {column}; "
        "a log keeps texts with log_content=True"
    )


def _pick(texts: Sequence[str] | None, rows: Ints) -> list[str] | None:
    return None if texts is None else [texts[row] for row in rows.tolist()]
