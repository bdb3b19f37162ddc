"""All that the page on thresholds looks at: read and scored once, kept until something changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from cascade_core.arrays import Array
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.answered import answered_of
from cascade_core.evaluation.curve import Curve
from cascade_core.evaluation.replaying import Replay, oddities
from cascade_core.evaluation.sweeping import sweep
from cascade_core.labels.fingerprints import holds
from cascade_core.policy.document import Policy
from cascade_core.review.labelled_rows import LabelledRows
from cascade_core.review.periods import Period
from cascade_core.review.positions import Positions, stops
from cascade_core.review.readings import TierSeen, tiers_seen
from cascade_core.review.sides import Live, live_of, reads_alike
from cascade_core.review.snapshot import Snapshot
from cascade_core.review.source import Labels
from cascade_core.review.workbench import Workbench

MONTH = 30.44 * 86_400
_SHORTEST = 3_600.0
"""Seconds of a log below which nothing is said of a month."""
_FEWEST = 30
"""Drafts of a class below which its slider has the stops of all."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """Labelled rows, and what is worked out of them once.

    Attributes:
        rows: They.
        curve: Of the cheapest and the last tier, over all thresholds of the first.
        tiers: How well each tier's drafts are told apart.
        fitted_to: Whether the policy's calibrators were fitted to rows that are among them.
        alike: Whether the log's confidences are this policy's; True where there is no log.
    """

    rows: LabelledRows
    curve: Curve
    tiers: tuple[TierSeen, ...]
    fitted_to: bool
    alike: bool


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdsView:
    """What is looked at on the page in a period.

    Attributes:
        base: The policy that decides now.
        now: Its thresholds.
        start: The draft's.
        weighed: The labelled rows; None where there are none.
        why_none: Why.
        live: The period's decisions that a threshold made; None where that cannot be told.
        why_not_live: Why.
        snapshot: The log.
        requests: Answered requests of the period.
        per_month: How many a month would have at that rate; None where it is too short.
        notes: What is to be known of all this, a sentence each.
        models: The tiers' models.
        classes: The classes that could have thresholds of their own, the most frequent first.
    """

    base: Policy
    now: Positions
    start: Positions
    weighed: Weighed | None
    why_none: str | None
    live: Live | None
    why_not_live: str | None
    snapshot: Snapshot
    requests: int
    per_month: float | None
    notes: tuple[str, ...]
    models: tuple[str | None, ...]
    classes: tuple[str, ...]

    @property
    def tiers(self) -> int:
        """How many tiers the cascade has."""
        return len(self.now.others) + 1

    def stops(self, tier: int, class_name: str | None) -> list[float]:
        """Return where the slider of a tier, for all requests or a class's, can stop."""
        also = {self.now.of(class_name)[tier], self.start.of(class_name)[tier]}
        return stops(self._merits(tier, class_name), *also)

    def _merits(self, tier: int, class_name: str | None) -> Array:
        found, own = np.empty(0), np.zeros(0, dtype=bool)
        if self.weighed is not None:
            table = self.weighed.rows.table
            found, names = self.weighed.rows.scored.met(tier), table.class_names
            codes = table.classes
        elif self.live is not None:
            found, names, codes = self.live.merit, self.live.names, self.live.classes
        else:
            return found
        if class_name in names and codes is not None:
            own = codes == names.index(class_name)
        few = np.count_nonzero(own) < _FEWEST
        return found if few else found[own]


class ThresholdsViews:
    """Keeps what the page looks at; one for a server, used by several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._weighed: tuple[object, object, Weighed | str] | None = None
        self._live: tuple[Snapshot, tuple[object, ...], Live | None] | None = None

    def of(self, bench: Workbench, period: Period) -> ThresholdsView:
        """Return what is looked at in a period."""
        draft = bench.draft.now  # of one moment: others may change it meanwhile
        base, snapshot, labels = draft.base, bench.snapshot(), bench.labels()
        count = bench.tiers()
        now = Positions.of_policy(bench.deciding(base), count)
        with self._lock:
            found = self._weigh(labels, base, snapshot)
            live = self._find_live(snapshot, period, base, kind=bench.source.kind)
        weighed = None if isinstance(found, str) else found
        tiers = len(now.others) + 1
        part = snapshot.within(period)
        requests = int(np.count_nonzero(snapshot.tier[part] >= 0))
        handoff = any(base.handoff(tiers, name) for name in (None, *base.classes))
        why_not = _why_not_live(bench, tiers, live, weighed, handoff=handoff)
        if why_not:
            live = None
        return ThresholdsView(
            base=base,
            now=now,
            start=Positions.of_policy(bench.deciding(draft.policy), count),
            weighed=weighed,
            why_none=found if isinstance(found, str) else None,
            live=live,
            why_not_live=why_not,
            snapshot=snapshot,
            requests=requests,
            per_month=_per_month(snapshot, part, period, requests, bench.source.kind),
            notes=tuple(_notes(bench, labels, weighed, live, now)),
            models=_models(base, weighed, tiers),
            classes=_classes(weighed, live, now),
        )

    def _weigh(self, labels: Labels, base: Policy, snapshot: Snapshot) -> Weighed | str:
        if self._weighed is not None:
            *kept, found = self._weighed
            if kept[0] is labels and kept[1] is base:
                return found
        try:
            found = labels.why_none or "there are no labelled rows"
            if labels.table is not None:
                found = _weighed(LabelledRows.of(labels.table, base), base, snapshot)
        except ConfigurationError as error:
            found = str(error)
        self._weighed = (labels, base, found)
        return found

    def _find_live(
        self, snapshot: Snapshot, period: Period, base: Policy, *, kind: str
    ) -> Live | None:
        if kind != "log":
            return None
        part = snapshot.within(period)
        key = (part.start, part.stop, base.rules)
        if self._live is None or self._live[0] is not snapshot or self._live[1] != key:
            self._live = (snapshot, key, live_of(snapshot, period, base))
        return self._live[2]


def _weighed(rows: LabelledRows, base: Policy, snapshot: Snapshot) -> Weighed:
    scored = rows.scored
    curve = sweep(
        scored.met(0),
        scored.qualities[0],
        scored.qualities[-1],
        scored.costs[0],
        scored.costs[-1],
        weights=scored.weights,
        draft_cost=scored.drafts[0],
        paid=scored.read(0),
    )
    marks = base.tuned.fitted_marks if base.tuned is not None else ()
    return Weighed(
        rows=rows,
        curve=curve,
        tiers=tiers_seen(rows),
        fitted_to=holds(rows.table, marks),
        alike=reads_alike(rows, snapshot),
    )


def _per_month(
    snapshot: Snapshot, part: slice, period: Period, requests: int, kind: str
) -> float | None:
    at = snapshot.at[part]
    at = at[~np.isnan(at)]
    if kind != "log" or len(at) < 2:  # noqa: PLR2004 - between which time passes
        return None
    begin = at[0] if period.begin is None else period.begin
    seconds = float(at[-1] - begin)
    return requests / seconds * MONTH if seconds >= _SHORTEST else None


def _why_not_live(
    bench: Workbench, tiers: int, live: Live | None, weighed: Weighed | None, *, handoff: bool
) -> str | None:
    if bench.source.kind != "log":
        return "A labelled table is no log: what would change is counted on its rows."
    if handoff:
        return (
            "The last tier has a threshold too, so that a log's columns hold the confidence of its "
            "answer where it was asked: what would change is counted on the labelled rows."
        )
    if tiers > 2:  # noqa: PLR2004
        return (
            "With more than two tiers a log's columns hold the confidence of the last judged "
            "draft only: what would change is counted on the labelled rows."
        )
    if live is None:
        return "The period holds no decision of a cascade of two tiers."
    if weighed is not None and not weighed.alike:
        return (
            "The log's confidences are not those that this policy gives the same requests: it was "
            "written under another. What would change is counted on the labelled rows."
        )
    return None


def _notes(
    bench: Workbench, labels: Labels, weighed: Weighed | None, live: Live | None, now: Positions
) -> list[str]:
    base, found = bench.draft.base, list[str]()
    if base.thresholds is None:
        found.append(f"the thresholds in use are of {bench.policy_origin}")
    floor = base.handoff(len(now.others) + 1)
    if floor is not None:
        answered = weighed and answered_of(weighed.rows.table, base, weighed.rows.at(now).served)
        share = f", {answered.share:.1%} of the labelled rows are answered" if answered else ""
        found.append(
            f"the last tier hands off below {floor:.4g}{share}: that threshold has no slider; "
            "change it in the policy, or let cascade tune pick it with --answered"
        )
    if weighed is not None:
        rows = weighed.rows
        found += labels.said
        found += [f"{n:,} labelled rows are left out: {why}" for why, n in rows.unused.items()]
        at_now = rows.at(now)
        replayed = Replay(at_now.means, {}, rows.unused, rows.table, rows.scored, at_now.served)
        found += map(str, oddities(replayed, base))
        skipped = int(np.count_nonzero(rows.scored.skipped[:, :-1].any(axis=1)))
        if skipped:
            found.append(
                f"the policy's route keeps {skipped:,} of {len(rows.table):,} labelled rows from a "
                "tier before it is asked: its threshold changes nothing for them"
            )
        if not rows.scored.priced:
            found.append("a tier or a paid signal has no price, so costs cannot be told")
    if live is not None:
        (threshold, *_) = now.for_rows(live.classes, live.names)
        other = int(np.count_nonzero(np.abs(live.met - threshold) > 1e-9))  # noqa: PLR2004
        if other:
            found.append(
                f"{other:,} of the period's decisions met another threshold than the one in "
                "use; they are counted as if they had met it"
            )
        if live.by_rule:
            found.append(
                f"{live.by_rule:,} of the period's decisions met a threshold that a rule gives; "
                "sliders do not move it, and they are left out"
            )
    return list(dict.fromkeys(text[:1].upper() + text[1:].rstrip(".") for text in found))


def _models(base: Policy, weighed: Weighed | None, tiers: int) -> tuple[str | None, ...]:
    known: Sequence[str | None] = base.tuned.models if base.tuned is not None else ()
    if weighed is not None:
        known = [tier.model for tier in weighed.rows.table.tiers]
    return tuple(known) if len(known) == tiers else (None,) * tiers


def _classes(weighed: Weighed | None, live: Live | None, now: Positions) -> tuple[str, ...]:
    counts: Counter[str] = Counter()
    if live is not None:
        codes = np.bincount(live.classes[live.classes >= 0], minlength=len(live.names))
        counts.update(dict(zip(live.names, codes.tolist(), strict=True)))
    elif weighed is not None and weighed.rows.table.classes is not None:
        of, names = weighed.rows.table.classes, weighed.rows.table.class_names
        codes = np.bincount(of[of >= 0], minlength=len(names))
        counts.update(dict(zip(names, codes.tolist(), strict=True)))
    counts.update(dict.fromkeys(now.own, 0))
    return tuple(name for name, _ in counts.most_common())
