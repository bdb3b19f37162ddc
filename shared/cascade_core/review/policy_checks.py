"""A changed policy checked before it is saved: replayed beside its base, and what is against it.

The figures are those of `cascade replay`, for each of the two on the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from cascade_core.arrays import Array
from cascade_core.evaluation.means import Means
from cascade_core.evaluation.replaying import Replay, oddities
from cascade_core.policy.document import Policy
from cascade_core.policy.lost import lost_names, said_of_lost
from cascade_core.review.draft_policy import DraftState
from cascade_core.review.rule_reach import RulesReach
from cascade_core.setup.misuse import untested_rules
from cascade_core.statistics.bootstrap import Interval, Resamples

FEW_LABELS = 50
"""Labelled rows below which a figure says little."""

FEW_OF_A_CLASS = 20

_Figures = tuple[tuple[str, str, Callable[[Means], float | None]], ...]
FIGURES: _Figures = (
    ("quality", "share", lambda m: m.quality),
    ("harm", "share", lambda m: m.harm),
    ("cost per request", "usd", lambda m: m.cost_usd),
    ("not answered by tier 0", "share", lambda m: m.escalated),
)
"""What is compared: its name, how it is written, and where it is found."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of two policies.

    Attributes:
        name: What it is.
        kind: How it is written: `share` or `usd`.
        before: Of the base; None where it is not known.
        after: Of the draft.
        between: 95 % bootstrap interval of the difference, on the same rows.
    """

    name: str
    kind: str
    before: float | None
    after: float | None
    between: Interval | None = None

    @property
    def difference(self) -> float | None:
        """The draft's less the base's."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class ClassCompared:
    """The figures of one class of requests.

    Attributes:
        name: The class.
        n: Its labelled rows.
        figures: As for all rows, without intervals.
    """

    name: str
    n: int
    figures: tuple[Compared, ...]

    @property
    def few(self) -> bool:
        """Whether so few rows say little."""
        return self.n < FEW_OF_A_CLASS


@dataclass(frozen=True, slots=True)
class PolicyCheck:
    """A draft beside its base, on the rows of a known quality.

    Attributes:
        n: How many rows.
        changed: How many of them another tier answers.
        figures: Over all rows.
        classes: The same for every class.
        notes: What is to be known of the figures.
        base: The base's replay.
        draft: The draft's.
    """

    n: int
    changed: int
    figures: tuple[Compared, ...]
    classes: tuple[ClassCompared, ...]
    notes: tuple[str, ...]
    base: Replay = field(repr=False)
    draft: Replay = field(repr=False)

    @property
    def few(self) -> bool:
        """Whether so few rows say little."""
        return self.n < FEW_LABELS


def check_policy(replayed: Callable[[Policy], Replay], base: Policy, draft: Policy) -> PolicyCheck:
    """Replay two policies over the same rows.

    Args:
        replayed: Replays a policy over them.
        base: The policy as it is.
        draft: The same, changed.

    Raises:
        ConfigurationError: A policy does not fit the rows.
    """
    before, after = replayed(base), replayed(draft)
    notes = list(oddities(after, draft))
    if base.thresholds is None or draft.thresholds is None:
        notes.append(
            "a policy without thresholds leaves them to the cascade: those that the log's latest "
            "requests met stand in for them here, or those that a cascade has without any"
        )
    notes += [f"{n:,} rows are not used: {why}" for why, n in after.unused.items()]
    return PolicyCheck(
        n=after.means.n,
        changed=int(np.count_nonzero(before.served.tier != after.served.tier)),
        figures=tuple(_compared(before.means, after.means, _intervals(before, after))),
        classes=tuple(
            ClassCompared(name, means.n, tuple(_compared(before.by_class[name], means, {})))
            for name, means in after.by_class.items()
        ),
        notes=tuple(notes),
        base=before,
        draft=after,
    )


def draft_warnings(
    now: DraftState, check: PolicyCheck | None, reach: RulesReach | None
) -> Iterator[str]:
    """Say what speaks against saving a draft, or has to be known before.

    Args:
        now: The draft.
        check: Its replay; None where there are no labelled rows.
        reach: What its rules would have matched; None where that is not known.
    """
    base, draft = now.base, now.policy
    if lost := lost_names(base.rules, draft.rules):
        yield said_of_lost(lost, "the draft", "the policy that decides")
    yield from now.void
    if draft.promises and draft.tiers is not None:
        yield from untested_rules(draft.rules, draft.tiers)
    if check is not None:
        yield from _out_of_reach(draft, check)
    if reach is not None and reach.records:
        yield from _of_reach(now, reach)


def _compared(before: Means, after: Means, between: Mapping[str, Interval]) -> Iterator[Compared]:
    for name, kind, find in FIGURES:
        yield Compared(name, kind, find(before), find(after), between.get(name))


def _intervals(before: Replay, after: Replay) -> dict[str, Interval]:
    one, other = before.served, after.served
    columns: dict[str, Array] = {
        "quality": other.quality - one.quality,
        "harm": other.harm - one.harm,
        "cost per request": other.cost - one.cost,
        "not answered by tier 0": np.subtract(other.tier > 0, one.tier > 0, dtype=np.float64),
    }
    drawn = Resamples.draw(len(one.tier), groups=after.table.groups)
    means = drawn.means(columns, after.scored.weights)
    return {name: drawn.interval(draws) for name, draws in means.items()}


def _out_of_reach(draft: Policy, check: PolicyCheck) -> Iterator[str]:
    """Say where a threshold accepts no draft that was seen, or every one."""
    rows = [("", draft.thresholds or ())]
    rows += [(f" for class {name!r}", each.thresholds) for name, each in draft.classes.items()]
    for about, thresholds in rows:
        # The last tier's threshold, where it has one, accepts what no row's confidence is known of.
        drafts = check.draft.scored.merits or check.draft.scored.confidences
        for tier, (threshold, found) in enumerate(zip(thresholds, drafts, strict=False)):
            seen, what = found[~np.isnan(found)], "merit" if draft.weighs(tier) else "confidence"
            if len(seen) and threshold > seen.max():
                yield (
                    f"the threshold of tier {tier}{about}, {threshold:.4g}, is beyond every "
                    f"{what} of these rows (the highest is {seen.max():.4g}): no draft of the "
                    "tier would be accepted"
                )
            elif len(seen) and threshold <= seen.min():
                yield (
                    f"the threshold of tier {tier}{about}, {threshold:.4g}, is at most every "
                    f"{what} of these rows (the lowest is {seen.min():.4g}): every draft that "
                    "has one would be accepted"
                )


def _of_reach(now: DraftState, reach: RulesReach) -> Iterator[str]:
    had = {rule.name: rule for rule in now.base.rules}
    for rule in now.policy.rules:
        found = reach.of(rule.name)
        if found is None or had.get(rule.name) == rule:
            continue
        share = found.first / reach.records
        if rule.then.bypass is not None and share > 0.5:  # noqa: PLR2004 - half
            yield (
                f"rule {rule.name!r} bypasses a tier for {100 * share:.0f} % of the requests that "
                "were looked at: little is left for the cascade to save"
            )
        if found.matched and not found.first:
            yield (
                f"rule {rule.name!r} would decide nothing: an earlier rule decides every request "
                "that it matches"
            )
