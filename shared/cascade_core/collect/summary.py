"""What a collected table holds, in figures: for scripts, and for people to check before tuning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from statistics import fmean
from typing import Any

from cascade_core.collect.journal import Entry
from cascade_core.collect.runner import Stopped


@dataclass(frozen=True, slots=True)
class TierSummary:
    """One tier.

    Attributes:
        model: Who answered most often.
        failed: Requests it gave no answer to.
        errors: What was raised for those, and how often.
        ungraded: Answers whose quality is not known.
        quality: Mean quality of the others, in [0, 1]; None without any.
        cost_usd: Mean USD an answer; None where one is unpriced, or without any.
        readings: Answers each signal could read.
    """

    model: str | None
    failed: int
    errors: Mapping[str, int]
    ungraded: int
    quality: float | None
    cost_usd: float | None
    readings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Collected:
    """How a run ended.

    Attributes:
        out: The table, written unless `n` is 0.
        journal: Where the run goes on from, where it is not complete.
        n: Requests in the table.
        total: Requests in the file.
        spent: USD of every call made, earlier runs included, as far as it is known.
        unpriced: Requests with a call that nobody can price.
        usable: Requests of which every tier's quality is known: rows to tune on.
        failed: Requests that a tier gave no answer to; the same run again asks them again.
        ungraded: Other requests with an answer whose quality is not known.
        problems: What kept the grader from telling, and in how many requests, the most
            frequent first; the same run again grades them again.
        left: Requests that are yet to be asked, or graded in this way.
        stopped: Why the run is not complete; None where it is.
        quality: How quality was told.
        tiers: The tiers.
        doubt: Why the qualities are to be doubted, and what else to try; None where nothing is odd.
        kept: Whether the answers are kept, so that another quality can be tried.
        regraded: Requests of earlier runs whose answers were graded again in this one.
    """

    out: Path
    journal: Path
    n: int
    total: int
    spent: Decimal
    unpriced: int
    usable: int
    failed: int
    ungraded: int
    problems: Mapping[str, int]
    left: int
    stopped: Stopped | None
    quality: str
    tiers: tuple[TierSummary, ...]
    doubt: str | None = None
    kept: bool = True
    regraded: int = 0

    @property
    def worthless(self) -> bool:
        """Whether no cheaper tier has a right answer, so that there is nothing to tune."""
        cheaper = [tier.quality for tier in self.tiers[:-1]]
        return bool(self.usable) and not any(cheaper)

    @property
    def settled(self) -> bool:
        """Whether the same run again could change nothing, so that it needs no journal."""
        again = self.failed or self.problems or not self.usable or (self.doubt and self.kept)
        return self.stopped is None and not again

    def as_plain(self) -> dict[str, Any]:
        """Return the figures as plain JSON; money is null where a call is unpriced."""
        return {
            "n": self.n,
            "total": self.total,
            "complete": self.stopped is None,
            "cost_usd": None if self.unpriced else float(self.spent),
            "failed": self.failed,
            "ungraded": self.ungraded,
            "problems": dict(self.problems),
            "usable": self.usable,
            "doubt": self.doubt,
            "out": str(self.out),
            "quality": self.quality,
            "tiers": [asdict(tier) for tier in self.tiers],
        }


def summarise(entries: Iterable[Entry], tiers: int) -> tuple[TierSummary, ...]:
    """Sum up the rows of a table with so many tiers."""
    listed = list(entries)
    return tuple(_tier([(e.row, e.errors.get(k)) for e in listed], k) for k in range(tiers))


def count_problems(entries: Iterable[Entry]) -> Mapping[str, int]:
    """Return what kept graders from telling, and in how many requests, most frequent first."""
    asked = [entry for entry in entries if not entry.errors]  # the others are asked again
    found = Counter(problem for entry in asked for problem in set(entry.problems.values()))
    return dict(found.most_common())


def _tier(rows: Sequence[tuple[Mapping[str, Any], str | None]], index: int) -> TierSummary:
    t = f"t{index}"
    answered = [row for row, error in rows if error is None]
    errors = Counter(error for _, error in rows if error is not None)
    models = Counter(row[f"{t}_model"] for row in answered or [row for row, _ in rows])
    known = [q for row in answered if (q := row[f"{t}_quality"]) is not None]
    costs = [row[f"{t}_cost_usd"] for row in answered]
    prefix = f"{t}_signal_"
    names = [key for key in (rows[0][0] if rows else ()) if key.startswith(prefix)]
    return TierSummary(
        model=models.most_common(1)[0][0] if models else None,
        failed=len(rows) - len(answered),
        errors=dict(errors),
        ungraded=len(answered) - len(known),
        quality=fmean(known) if known else None,
        cost_usd=fmean(costs) if costs and None not in costs else None,
        readings={
            name.removeprefix(prefix): sum(row[name] is not None for row in answered)
            for name in names
        },
    )
