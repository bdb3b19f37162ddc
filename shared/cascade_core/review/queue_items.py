"""The decisions of the queue: found in columns, looked at one by one where that is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.log.reading import DAMAGED, database_to_read
from cascade_core.review.decision_shown import number_in
from cascade_core.review.fetching import IDS_AT_ONCE, DecisionRow, fetch_labelled, fetch_rows
from cascade_core.review.filters import audits_by_row
from cascade_core.review.label_needs import (
    DEAR_FROM,
    NEED_WEIGHTS,
    LabelNeed,
    balanced,
    disagreement,
    nearness,
    seldomness,
)

if TYPE_CHECKING:
    from cascade_core.review.periods import Period
    from cascade_core.review.snapshot import Snapshot

QUEUE_ITEMS = 30
"""Decisions that the queue shows at a time."""

MOST_CANDIDATES = 600
"""Decisions whose signals are read, at the most: those of most need else, and the newest."""

MOST_CLASSES = 50
"""Classes, the most frequent ones, that each get a part of these."""

LATEST_AUDITS = 1_000
"""Audits of requests that were sent on, the last ones, of which the drafts' qualities are read."""


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A decision of the queue.

    Attributes:
        row: What the table has of it.
        need: What speaks for labelling it.
        signals: Each signal's reading of its last judged draft.
        why: The same as `need` in words.
    """

    row: DecisionRow
    need: LabelNeed
    signals: list[tuple[str, float | None]]
    why: list[str]


@dataclass(frozen=True, slots=True)
class QueueFound:
    """The queue.

    Attributes:
        items: The first of it.
        left: How many decisions of the period nobody has judged.
        judged: How many somebody, or an audit, has.
    """

    items: list[QueueItem]
    left: int
    judged: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the classes of a log.

    Attributes:
        judged: How many answers of each class have been judged.
        in_vain: Share of its escalations whose draft was as good.
        of: Of how many audited ones that is the share.
    """

    judged: Array
    in_vain: Array
    of: Array


def queue_of(
    snapshot: Snapshot,
    period: Period,
    *,
    class_name: str | None = None,
    reopened: frozenset[str] = frozenset(),
) -> QueueFound:
    """Return the decisions that most need a label.

    Left out are those with feedback, or an audit that was done; those that nobody answered, or the
    cascade's own cache.

    Args:
        snapshot: The log's columns.
        period: The part of its time that is looked at.
        class_name: Only those of this class; None for all.
        reopened: Decisions to be labelled again, though they have feedback.
    """
    traffic, part = snapshot.traffic, snapshot.within(period)
    labelled = [key for key in fetch_labelled(snapshot.source.database) if key not in reopened]
    done = [row for row, seen in audits_by_row(snapshot).items() if seen.status == "done"]
    judged = np.zeros(len(snapshot), dtype=np.bool_)
    judged[np.array([*snapshot.ids.find(labelled).values(), *done], dtype=np.int64)] = True
    known = _known(snapshot, judged, done)
    wanted = ~judged[part] & (traffic.tier[part] >= 0)
    wanted &= ~traffic.named["reason"].among(frozenset({"cached"}))[part]
    if class_name is not None:
        wanted &= snapshot.classes.among(frozenset({class_name}))[part]
    rows: Ints = np.flatnonzero(wanted) + part.start
    needs = _needs(snapshot, rows, known)
    picked = _picked(snapshot, rows, needs)
    signals = _signals(snapshot, rows[picked])
    looked_at = [
        replace(_need(needs, at), disagree=disagreement(reading for _, reading in read))
        for at, read in zip(picked, signals, strict=True)
    ]
    classes = snapshot.classes
    order = balanced(
        [
            (int(classes.of[rows[at]]), need.score)
            for at, need in zip(picked, looked_at, strict=True)
        ],
        QUEUE_ITEMS,
    )
    ids = [snapshot.ids[int(rows[picked[at]])] for at in order]
    found = {row.id: row for row in fetch_rows(snapshot.source.database, ids)}
    items = []
    for key, at in zip(ids, order, strict=True):
        if key in found:
            row = int(rows[picked[at]])
            why = _why(snapshot, row, looked_at[at], signals[at], known)
            items.append(QueueItem(found[key], looked_at[at], signals[at], why))
    return QueueFound(items, len(rows), int(np.count_nonzero(judged[part])))


def _known(snapshot: Snapshot, judged: Any, done: list[int]) -> _Known:
    classes = snapshot.classes
    n = len(classes.names)
    counts = np.bincount(classes.of[judged], minlength=n)
    sent_on = [row for row in sorted(done) if snapshot.tier[row] > 0][-LATEST_AUDITS:]
    of, in_vain = np.zeros(n), np.zeros(n)
    as_good = _drafts_as_good(snapshot, sent_on)
    for row, good in as_good.items():
        of[classes.of[row]] += 1
        in_vain[classes.of[row]] += good
    return _Known(counts.astype(np.float64), in_vain / np.maximum(of, 1), of)


def _drafts_as_good(snapshot: Snapshot, rows: list[int]) -> dict[int, bool]:
    """Tell of audited requests that were sent on whether a cheaper draft was as good."""
    import sqlalchemy as sa  # noqa: PLC0415 - an extra

    from cascade_core.log.schema import audits  # noqa: PLC0415

    places = {snapshot.ids[row]: row for row in rows}
    ids, found = list(places), {}
    query = sa.select(audits.c.decision, audits.c.event).where(audits.c.status == "done")
    with database_to_read(snapshot.source.database).reading() as connection:
        for at in range(0, len(ids), IDS_AT_ONCE):
            part = query.where(audits.c.decision.in_(ids[at : at + IDS_AT_ONCE]))
            for key, event in connection.execute(part):
                with suppress(*DAMAGED):
                    good = _as_good(json.loads(event), int(snapshot.tier[places[key]]))
                    if good is not None:
                        found[places[key]] = good
    return found


def _as_good(event: Mapping[str, Any], served: int) -> bool | None:
    strong = number_in(event.get("strong_quality"))
    drafts = [
        quality
        for tier in event.get("tiers") or ()
        if isinstance(tier, Mapping) and (number_in(tier.get("tier")) or 0) < served
        if (quality := number_in(tier.get("quality"))) is not None
    ]
    return None if strong is None or not drafts else max(drafts) >= strong


def _needs(snapshot: Snapshot, rows: Ints, known: _Known) -> Mapping[str, Array]:
    """Return what columns say of each row's need."""
    cost = snapshot.traffic.cost[rows]
    priced = cost[~np.isnan(cost)]
    dear = float(np.quantile(priced, DEAR_FROM)) if len(priced) else np.inf
    of = snapshot.classes.of[rows]
    return {
        "near": nearness(snapshot.merit[rows], snapshot.threshold[rows]),
        "seldom": seldomness(known.judged)[of],
        "in_vain": known.in_vain[of] * (snapshot.traffic.named["reason"].among(_SENT_ON)[rows]),
        # Where most cost the same, nothing is dear.
        "dear": (cost > dear).astype(np.float64),
    }


_SENT_ON = frozenset({"low_confidence", "no_reading"})


def _need(needs: Mapping[str, Array], at: int) -> LabelNeed:
    return LabelNeed(**{name: float(column[at]) for name, column in needs.items()})


def _picked(snapshot: Snapshot, rows: Ints, needs: Mapping[str, Array]) -> list[int]:
    """Return which rows to look at: the best of each class, and the newest."""
    score = sum(
        (LabelNeed(**{name: 1.0}).score * column for name, column in needs.items()),
        start=np.zeros(len(rows)),
    )
    of = snapshot.classes.of[rows]
    counts = np.bincount(of, minlength=len(snapshot.classes.names))
    frequent = [
        int(code) for code in np.argsort(-counts, kind="stable")[:MOST_CLASSES] if counts[code]
    ]
    newest = MOST_CANDIDATES // 3
    each = (MOST_CANDIDATES - newest) // max(1, len(frequent))
    picked: dict[int, None] = {}
    for code in frequent:
        own = np.flatnonzero(of == code)[::-1]  # the newest first, among equals
        if len(own) > each:
            own = own[np.argsort(-score[own], kind="stable")[:each]]
        picked |= dict.fromkeys(own.tolist())
    picked |= dict.fromkeys(range(len(rows) - 1, max(-1, len(rows) - 1 - newest), -1))
    return list(picked)


def _signals(snapshot: Snapshot, rows: Ints) -> list[list[tuple[str, float | None]]]:
    """Read what the signals of rows have read."""
    import sqlalchemy as sa  # noqa: PLC0415

    from cascade_core.log.schema import details  # noqa: PLC0415

    ids = [snapshot.ids[int(row)] for row in rows]
    query = sa.select(details.c.id, details.c.record)
    found: dict[str, list[tuple[str, float | None]]] = {}
    with database_to_read(snapshot.source.database).reading() as connection:
        for at in range(0, len(ids), IDS_AT_ONCE):
            part = query.where(details.c.id.in_(ids[at : at + IDS_AT_ONCE]))
            for key, record in connection.execute(part):
                with suppress(*DAMAGED):
                    signals = json.loads(record).get("signals")
                    if isinstance(signals, Mapping):
                        found[key] = [(str(n), number_in(value)) for n, value in signals.items()]
    return [found.get(key, []) for key in ids]


def _why(
    snapshot: Snapshot,
    row: int,
    need: LabelNeed,
    signals: list[tuple[str, float | None]],
    known: _Known,
) -> list[str]:
    """Say why a decision needs a label, what counts most first."""
    code = int(snapshot.classes.of[row])
    name = snapshot.classes.names[code]
    whose = "requests without a class" if name is None else "its class"
    said: list[tuple[float, str]] = []
    if need.near:
        merit, threshold = float(snapshot.merit[row]), float(snapshot.threshold[row])
        side = "above" if merit >= threshold else "below"
        said.append((need.near, f"{abs(merit - threshold):.3f} {side} its threshold"))
    if need.disagree:
        read = sorted(
            ((n, value) for n, value in signals if value is not None), key=lambda e: -e[1]
        )
        (high, most), (low, least) = read[0], read[-1]
        told = f"signals disagree: {high} says {most:.2f}, {low} {least:.2f}"
        said.append((NEED_WEIGHTS["disagree"] * need.disagree, told))
    if need.seldom:
        n = int(known.judged[code])
        told = f"only {n} of {whose} judged so far" if n else f"none of {whose} judged so far"
        said.append((NEED_WEIGHTS["seldom"] * need.seldom, told))
    if need.in_vain:
        n = int(known.of[code])
        told = (
            f"sent on, and in {round(known.in_vain[code] * n)} of {n} such audits of {whose} the "
            "draft was as good"
        )
        said.append((NEED_WEIGHTS["in_vain"] * need.in_vain, told))
    if need.dear:
        said.append((NEED_WEIGHTS["dear"], "among the dearest 5 %"))
    return [told for _, told in sorted(said, key=lambda each: -each[0])] or ["nobody judged it yet"]
