"""What a rule for a whole group of requests would save or cost, and what quality it would give.

To bypass is to send them straight to the last tier, to pin is to keep them with the cheapest. Money
is summed over the log's own costs; quality is what audits know of both tiers' answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.costs.shown import dollars
from cascade_core.evaluation.audited import FEW_AUDITS
from cascade_core.log.reading import read_events
from cascade_core.report.logged_rows import counted
from cascade_core.report.rows import formatted
from cascade_core.statistics.hajek import share_interval, share_mean

if TYPE_CHECKING:
    from cascade_core.log.events import LogEvent
    from cascade_core.review.snapshot import Snapshot
    from cascade_core.traffic.summary import TrafficFigures, Worked

RuleAction: TypeAlias = Literal["bypass", "pin"]


@dataclass(frozen=True, slots=True)
class AuditedMean:
    """A mean of numbers in [0, 1] over a group, from its audits.

    Attributes:
        n: Audits that it rests on.
        value: It; None without audits.
        low: Lower end of its 95 % interval, which takes missing audits to be like the others.
        high: Upper end.
    """

    n: int
    value: float | None
    low: float
    high: float

    @property
    def needed(self) -> int:
        """How many more audits it takes to be more than a guess."""
        return max(0, FEW_AUDITS - self.n)


@dataclass(frozen=True, slots=True)
class GroupEffect:
    """What a rule for a whole group would change.

    Attributes:
        action: What the rule would do.
        requests: Requests whose costs are known; sums are over them.
        now_usd: What their answers cost, audits aside; None where no costs are known.
        then_usd: What they would cost.
        how: How that is known: `by estimate`, or `corrected by audits`; empty where it was paid.
        quality: Of the answers there would be.
        harm: Quality lost by not asking the last tier.
        sums: The arithmetic, a line each.
    """

    action: RuleAction
    requests: int
    now_usd: float | None
    then_usd: float | None
    how: str
    quality: AuditedMean
    harm: AuditedMean
    sums: tuple[str, ...]

    @property
    def change_usd(self) -> float | None:
        """What it would cost more; below 0 where it saves."""
        if self.now_usd is None or self.then_usd is None:
            return None
        return self.then_usd - self.now_usd


@dataclass(frozen=True, slots=True, eq=False)
class PairedAudits:
    """Audits that know the answers of the cheapest and of the last tier.

    Attributes:
        row: (m,) of their requests.
        cheap: (m,) quality of the cheapest tier's answer.
        strong: (m,) of the last tier's.
        probability: (m,) with which each was picked.
    """

    row: Ints
    cheap: Array
    strong: Array
    probability: Array


def paired_audits(snapshot: Snapshot, worked: Worked) -> PairedAudits:
    """Return the audits of a period that know both answers.

    Args:
        snapshot: Of the log.
        worked: Of the period.
    """
    known = snapshot.made_once(("qualities",), lambda: _qualities(snapshot))
    traffic = worked.traffic
    found = [
        (traffic.audited[name], *two) for name, two in known.items() if name in traffic.audited
    ]
    columns = np.array(found, dtype=np.float64).reshape(-1, 3)
    row = columns[:, 0].astype(np.int64)
    probability = traffic.probability[row]
    with np.errstate(invalid="ignore"):
        drawn = probability > 0
    return PairedAudits(row[drawn], columns[drawn, 1], columns[drawn, 2], probability[drawn])


def _qualities(snapshot: Snapshot) -> Mapping[str, tuple[float, float]]:
    """Return the cheapest and the last tier's quality by decision; the last audit done counts."""
    found: dict[str, tuple[float, float]] = {}
    for event in read_events(snapshot.source.database, kind="audit"):
        if event.get("status") == "done":
            cheap, strong = _quality_of_cheapest(event), event.get("strong_quality")
            if cheap is not None and isinstance(strong, int | float):
                found[str(event["decision"])] = cheap, float(strong)
    return found


def _quality_of_cheapest(event: LogEvent) -> float | None:
    tiers = event.get("tiers")
    for each in tiers if isinstance(tiers, list) else ():
        if isinstance(each, dict) and each.get("tier") == 0:
            quality = each.get("quality")
            return float(quality) if isinstance(quality, int | float) else None
    return None


def bypassed(figures: TrafficFigures) -> GroupEffect:
    """Return what it would change to send a group straight to the last tier.

    Args:
        figures: Of the group.
    """
    costs, saved, audits = figures.costs, figures.saved, figures.audits
    strong = None if audits is None else audits.strong_quality
    quality = (
        AuditedMean(0, None, 0.0, 1.0)
        if strong is None
        else AuditedMean(strong.n, strong.value, strong.low, strong.high)
    )
    sums = ["No request of this group has known costs: give the cascade prices=."]
    now, then = saved.answers_usd, saved.strong_usd
    if now is not None and then is not None:
        rests = (
            f"the estimate of it is corrected by {counted(saved.audits, 'audit')}"
            if saved.corrected
            else f"{formatted(costs.estimated or 0.0)} of that is an estimate, the rest was paid"
        )
        sums = [
            (
                f"{counted(saved.requests, 'request')} with known costs: their answers cost "
                f"{dollars(now)}, audits aside."
            ),
            f"The last tier alone would have cost {dollars(then)}; {rests}.",
            _difference(then, now),
        ]
    sums.append("Harm is 0: the last tier answers every request.")
    if quality.value is not None:
        sums.append(f"Quality is the last tier's in {counted(quality.n, 'audit')}.")
    return GroupEffect(
        "bypass",
        saved.requests,
        now,
        then,
        saved.how,
        quality,
        AuditedMean(figures.requests, 0.0, 0.0, 0.0),
        tuple(sums),
    )


def pinned(worked: Worked, rows: Ints, figures: TrafficFigures, pairs: PairedAudits) -> GroupEffect:
    """Return what it would change to keep a group with the cheapest tier, whatever it says.

    Args:
        worked: The traffic.
        rows: The group's requests.
        figures: Of the group.
        pairs: Audits that know both tiers' answers.
    """
    now = figures.costs.answers_usd
    then, estimated, sums = _drafts(worked, rows, now)
    mine = np.isin(pairs.row, rows)
    cheap, strong = pairs.cheap[mine], pairs.strong[mine]
    probability = pairs.probability[mine]
    quality = _mean_of(cheap, probability)
    harm = _mean_of(np.clip(strong - cheap, 0.0, 1.0), probability)
    if quality.value is not None and harm.value is not None:
        sums += [
            (
                f"{counted(quality.n, 'audit')} of this group know both tiers' answers, each "
                "counted 1 / the probability with which it was picked."
            ),
            (
                f"Quality: the mean of the cheapest tier's there, {formatted(quality.value)}. "
                "Harm: the mean of what the last tier's answer was better by, 0 where it was not, "
                f"{formatted(harm.value)}."
            ),
        ]
    else:
        sums.append("No audit of this group knows the cheapest tier's answer beside the last's.")
    return GroupEffect(
        "pin",
        figures.costs.requests,
        now,
        then,
        "by estimate" if estimated else "",
        quality,
        harm,
        tuple(sums),
    )


def _drafts(worked: Worked, rows: Ints, now: float | None) -> tuple[float | None, int, list[str]]:
    """Return what the cheapest tier's drafts cost, of how many that is estimated, and the sum."""
    traffic = worked.traffic
    comparable = ~np.isnan(traffic.cost[rows]) & ~np.isnan(traffic.strong_cost[rows])
    if now is None or not comparable.any():
        return None, 0, ["No request of this group has known costs: give the cascade prices=."]
    cost, known = draft_costs(worked)
    counted_rows = rows[comparable]
    mine = counted_rows[known[counted_rows]]
    rest = len(counted_rows) - len(mine)
    exact = float(cost[mine].sum())
    sums = [
        (
            f"{counted(len(counted_rows), 'request')} with known costs: their answers cost "
            f"{dollars(now)}, audits aside."
        ),
        (
            f"Of {len(mine):,} the cheapest tier's draft has a known cost, {dollars(exact)} "
            "together: the whole cost where it was the only call, the cost less the last tier's "
            "answer where these two were."
        ),
    ]
    if rest:
        of, where = (mine, "these") if len(mine) else (np.flatnonzero(known), "all such requests")
        if not len(of):
            return None, rest, [*sums, "Of none is the cost of such a draft known."]
        mean = float(cost[of].mean())
        sums.append(
            f"Of the other {rest:,} it is estimated, as the mean of {where}: {rest:,} × "
            f"{dollars(mean)} = {dollars(rest * mean)}."
        )
        exact += rest * mean
    return exact, rest, [*sums, _difference(exact, now)]


def draft_costs(worked: Worked) -> tuple[Array, Flags]:
    """Return what the cheapest tier's draft cost, and of which requests that is known.

    Calls are not looked at one by one: where the cheapest tier answered with one call, all of the
    cost is its draft's; where the last did after one draft, it is what is left of the cost. A
    pinned request is not judged, so what judges cost is no part of it.

    Args:
        worked: The traffic.
    """
    traffic, way = worked.traffic, worked.way
    whole = ~np.isnan(traffic.cost) & (traffic.failed == 0) & ~way.shadow
    alone = whole & (traffic.tier == 0) & (traffic.calls == 1)
    both = whole & way.escalated & (traffic.tier == 1) & (traffic.calls == 2)  # noqa: PLR2004
    left = traffic.cost - traffic.strong_cost
    with np.errstate(invalid="ignore"):
        both &= ~traffic.estimated & (left >= 0)
    return np.where(both, left, traffic.cost), alone | both


def _mean_of(values: Array, probability: Array) -> AuditedMean:
    between = share_interval(values, probability)
    return AuditedMean(len(values), share_mean(values, probability), between.low, between.high)


def _difference(then: float, now: float) -> str:
    said = "saves" if then < now else "costs"
    more = "" if then < now else " more"
    return f"{dollars(then)} − {dollars(now)}: it {said} {dollars(abs(then - now))}{more}."
