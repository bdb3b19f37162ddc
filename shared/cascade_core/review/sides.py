"""Which requests would change sides: kept by the cheap tier now and sent on then, or the reverse.

Of a log's decisions where there are two tiers, for then each holds the confidence that its
threshold met. With more tiers, or without such a log, of the labelled rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.log.reading import database_to_read
from cascade_core.policy.document import Policy
from cascade_core.review.fetching import last_said
from cascade_core.review.labelled_rows import LabelledRows, WhatIf
from cascade_core.review.periods import Period
from cascade_core.review.positions import Positions
from cascade_core.review.snapshot import Snapshot
from cascade_core.traffic.columns import Named

if TYPE_CHECKING:
    from cascade_core.log.database import Database

MOST_EXAMPLES = 10
_LONGEST = 240
_BY_THRESHOLD = frozenset({"confident", "low_confidence"})
_FEWEST_ALIKE = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """The decisions of a period that a threshold made, of a cascade of two tiers.

    Attributes:
        ids: (n,) places of theirs in the snapshot.
        merit: (n,) that their drafts were given: what thresholds are held against.
        met: (n,) thresholds they met.
        classes: (n,) codes into `names`, -1 for none.
        names: Classes.
        requests: All answered requests of the period.
        beyond: Those of them that tier 0 did not answer, whatever its threshold.
        by_rule: How many meet a threshold that a rule has, and are left out.
    """

    rows: Ints
    merit: Array
    met: Array
    classes: Ints
    names: tuple[str, ...]
    requests: int
    beyond: int
    by_rule: int

    def kept(self, positions: Positions) -> Flags:
        """Tell which tier 0 would have answered."""
        (threshold, *_) = positions.for_rows(self.classes, self.names)
        kept: Flags = self.merit >= threshold
        return kept

    def escalated(self, positions: Positions) -> float | None:
        """Return the share of the period's requests that tier 0 would not have answered."""
        if not self.requests:
            return None
        sent = int(np.count_nonzero(~self.kept(positions)))
        return (self.beyond + sent) / self.requests


@dataclass(frozen=True, slots=True)
class Example:
    """A request that would change sides.

    Attributes:
        id: The decision's, or the row's.
        merit: Of the draft of the tier that keeps it now or then.
        before: The tier that answers now.
        after: The tier that would.
        text: What was asked, where that is logged.
        class_name: Its class.
    """

    id: str
    merit: float | None
    before: int
    after: int
    text: str | None
    class_name: str | None = None


@dataclass(frozen=True, slots=True)
class Sides:
    """How many requests would change sides.

    Attributes:
        up: Sent on then, kept now.
        down: Kept then, sent on now.
        of: Requests that were looked at.
        live: Whether these are a log's decisions; else labelled rows.
        examples: Those nearest to the new thresholds.
    """

    up: int
    down: int
    of: int
    live: bool
    examples: tuple[Example, ...]


def live_of(snapshot: Snapshot, period: Period, policy: Policy) -> Live | None:
    """Find the decisions of a period that a threshold made; None where that cannot be told.

    Args:
        snapshot: The log.
        period: The part of it.
        policy: Whose rules give thresholds of their own.
    """
    part = snapshot.within(period)
    tier = snapshot.tier[part]
    if not len(tier) or tier.max() > 1:
        return None
    reason, rule, kind = (_in(snapshot, name, part) for name in ("reason", "rule", "class"))
    merit = snapshot.merit[part]
    own = frozenset(rule.name for rule in policy.rules if rule.then.thresholds is not None)
    decided = reason.among(_BY_THRESHOLD) & ~np.isnan(merit)
    ruled = decided & rule.among(own)
    judged = decided & ~ruled
    rows = np.flatnonzero(judged)
    names = tuple(name for name in kind.names if name is not None)
    place = {name: code for code, name in enumerate(names)}
    code = np.array([-1 if n is None else place[n] for n in kind.names], dtype=np.int64)
    return Live(
        rows=rows + (part.start or 0),
        merit=merit[rows],
        met=snapshot.threshold[part][rows],
        classes=code[kind.of[rows]] if len(code) else np.full(len(rows), -1),
        names=names,
        requests=int(np.count_nonzero(tier >= 0)),
        beyond=int(np.count_nonzero((tier > 0) & ~judged)),
        by_rule=int(np.count_nonzero(ruled)),
    )


def _in(snapshot: Snapshot, name: str, part: slice) -> Named:
    """Return a column of names in a part of the log."""
    whole = snapshot.traffic.named[name]
    return Named(whole.names, whole.of[part])


def reads_alike(rows: LabelledRows, snapshot: Snapshot) -> bool:
    """Tell whether a log's merits are those that the policy gives the same requests.

    They are not where the log was written under other calibrators: then its merits say
    nothing about this policy's thresholds.
    """
    ids = rows.table.ids
    if ids is None or len(rows.scored.confidences) != 1:
        return True
    place = snapshot.ids.find(ids)
    pairs = [(place[key], row) for row, key in enumerate(ids) if key in place]
    if not pairs:
        return True
    logged, own = (list(each) for each in zip(*pairs, strict=True))
    met = np.full(len(rows.scored), np.nan)
    met[own] = snapshot.threshold[logged]
    recorded, given = snapshot.merit[logged], rows.scored.told(0, met)[own]
    both = ~np.isnan(recorded) & ~np.isnan(given)
    if not both.any():
        return True
    return bool(np.mean(np.abs(recorded[both] - given[both]) < 1e-6) >= _FEWEST_ALIKE)  # noqa: PLR2004


def live_sides(live: Live, snapshot: Snapshot, now: Positions, moved: Positions) -> Sides:
    """Find the decisions of a log that would change sides."""
    before, after = live.kept(now), live.kept(moved)
    changed = np.flatnonzero(before != after)
    (threshold, *_) = moved.for_rows(live.classes, live.names)
    near = _nearest(live.merit, threshold, changed)
    ids = [snapshot.ids[row] for row in live.rows[near].tolist()]
    texts = _texts(snapshot.source.database, ids)
    examples = tuple(
        Example(
            id=key,
            merit=float(live.merit[row]),
            before=int(not before[row]),
            after=int(not after[row]),
            text=texts.get(key),
            class_name=live.names[live.classes[row]] if live.classes[row] >= 0 else None,
        )
        for key, row in zip(ids, near.tolist(), strict=True)
    )
    return Sides(
        up=int(np.count_nonzero(before & ~after)),
        down=int(np.count_nonzero(~before & after)),
        of=len(before),
        live=True,
        examples=examples,
    )


def labelled_sides(rows: LabelledRows, now: WhatIf, moved: WhatIf) -> Sides:
    """Find the labelled rows that would be answered by another tier."""
    table, before, after = rows.table, now.served.tier, moved.served.tier
    changed = np.flatnonzero(before != after)
    # The tier whose threshold made the difference is the lower of the two.
    tier = np.minimum(before, after)
    merit = np.full(len(rows.scored), np.nan)
    distance = np.full(len(rows.scored), np.inf)
    thresholds = moved.positions.for_rows(table.classes, table.class_names)
    for k, threshold in enumerate(thresholds):
        here = tier == k
        merit[here] = rows.scored.met(k)[here]
        distance[here] = np.abs(rows.scored.met(k) - threshold)[here]
    near = changed[np.argsort(distance[changed], kind="stable")[:MOST_EXAMPLES]]
    examples = tuple(
        Example(
            id=str(row + 1) if table.ids is None else table.ids[row],
            merit=None if np.isnan(merit[row]) else float(merit[row]),
            before=int(before[row]),
            after=int(after[row]),
            text=_short(table.requests[row]) if table.requests is not None else None,
            class_name=_class_of(rows, row),
        )
        for row in near.tolist()
    )
    return Sides(
        up=int(np.count_nonzero(after > before)),
        down=int(np.count_nonzero(after < before)),
        of=len(before),
        live=False,
        examples=examples,
    )


def _class_of(rows: LabelledRows, row: int) -> str | None:
    table = rows.table
    code = -1 if table.classes is None else int(table.classes[row])
    return None if code < 0 else table.class_names[code]


def _nearest(merit: Array, threshold: Array | float, changed: Ints) -> Ints:
    distance = np.abs(merit - threshold)[changed]
    if len(changed) > MOST_EXAMPLES:
        changed_at = np.argpartition(distance, MOST_EXAMPLES)[:MOST_EXAMPLES]
        changed, distance = changed[changed_at], distance[changed_at]
    nearest: Ints = changed[np.argsort(distance, kind="stable")]
    return nearest


def _texts(database: str, ids: Sequence[str]) -> dict[str, str]:
    """Read what was asked, of decisions whose content is logged."""
    if not ids:
        return {}
    import sqlalchemy as sa  # noqa: PLC0415 - an extra

    from cascade_core.log.schema import details  # noqa: PLC0415

    query = sa.select(details.c.id, details.c.request).where(details.c.id.in_(list(ids)))
    with _opened(database).reading() as connection:
        found = connection.execute(query).all()
    return {str(key): _short(_asked(request)) for key, request in found if request}


@lru_cache(maxsize=2)
def _opened(database: str) -> Database:
    """Return a log's database, opened once: opening takes longer than reading ten texts."""
    return database_to_read(database)


def _asked(request: str) -> str:
    """Return the last thing that the user said."""
    try:
        return last_said(json.loads(request))
    except (ValueError, RecursionError):
        return request


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…"
