"""What the page says of thresholds: the same for the page, its script, and a page from disk."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from cascade_core.costs.shown import dollars
from cascade_core.report.rows import formatted, percent
from cascade_core.review.decisions import decision_path
from cascade_core.review.labelled_rows import WhatIf
from cascade_core.review.pages import link
from cascade_core.review.periods import Period
from cascade_core.review.positions import Positions
from cascade_core.review.promise_support import CONFIDENCE, PromiseSupport, promise_support
from cascade_core.review.sides import Example, Sides, labelled_sides, live_sides
from cascade_core.review.thresholds_view import ThresholdsView
from cascade_core.statistics.bootstrap import Interval

_DASH = "–"


@dataclass(frozen=True, slots=True)
class Weighing:
    """One figure, now and at the thresholds that are weighed.

    Attributes:
        label: What it is.
        now: At the thresholds of now.
        now_range: Where it lies with 95 % confidence; empty where that is not known.
        then: At those of the sliders.
        then_range: The same of it.
        difference: Between the two.
        difference_range: The same of it.
    """

    label: str
    now: str
    then: str
    difference: str
    now_range: str = ""
    then_range: str = ""
    difference_range: str = ""


@dataclass(frozen=True, slots=True)
class WeighedAnswer:
    """All that changes when a slider is moved; every text is ready to be shown.

    Attributes:
        figures: By name.
        said: The most important of them in a sentence, for a screen reader.
        sides: How many requests would change sides, in words.
        examples: Some of them: `id`, `address`, `confidence`, `move`, `class`, `text`.
        promise: What could be promised, a sentence each.
        point: Place on the curve: x, quality, and its interval; None where there is no curve.
    """

    figures: Mapping[str, Weighing]
    said: str
    sides: str
    examples: list[dict[str, str]] = field(default_factory=list)
    promise: list[str] = field(default_factory=list)
    point: tuple[float | None, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


def answer_of(
    view: ThresholdsView, moved: Positions, period: Period, target: float
) -> WeighedAnswer:
    """Work out what thresholds would change.

    Args:
        view: What is looked at.
        moved: The thresholds.
        period: For the addresses of decisions.
        target: The harm that a promise is wanted about.
    """
    figures: dict[str, Weighing] = {}
    promise: list[str] = []
    point = None
    sides: Sides | None = None
    if view.weighed is not None:
        rows = view.weighed.rows
        now, then = rows.at(view.now), rows.at(moved)
        figures = _labelled_figures(view, now, then)
        sides = labelled_sides(rows, now, then) if view.live is None else None
        promise = _promised(promise_support(rows, then, target), view)
        point = point_of(view, then)
    if view.live is not None:
        before, after = (view.live.escalated(each) for each in (view.now, moved))
        figures["live"] = _share("Answered beyond tier 0 in the period's log", before, after)
        sides = live_sides(view.live, view.snapshot, view.now, moved)
    return WeighedAnswer(
        figures=figures,
        said=_in_a_sentence(figures),
        sides="" if sides is None else _sides_said(sides, view.tiers),
        examples=[]
        if sides is None
        else [_example(each, period, live=sides.live) for each in sides.examples],
        promise=promise,
        point=point,
    )


def point_of(view: ThresholdsView, what_if: WhatIf) -> tuple[float | None, ...]:
    """Return a point of the curve's picture: x, quality, and where that lies."""
    assert view.weighed is not None  # noqa: S101 - asked only where rows are
    rows, means = view.weighed.rows, what_if.means
    ends = rows.interval(what_if, "quality")
    x = means.cost_usd if priced(view) else means.escalated
    return x, means.quality, *(None if math.isnan(end) else end for end in (ends.low, ends.high))


def priced(view: ThresholdsView) -> bool:
    """Tell whether the curve can be drawn over costs."""
    return view.weighed is not None and bool(np.isfinite(view.weighed.curve.cost).all())


def _labelled_figures(view: ThresholdsView, now: WhatIf, then: WhatIf) -> dict[str, Weighing]:
    assert view.weighed is not None  # noqa: S101 - asked only where rows are
    rows = view.weighed.rows
    money = {"cost": ("Cost per request", 1.0), "thousand": ("Cost per 1,000 requests", 1000.0)}
    if view.per_month is not None:
        label = f"Cost per month, at {view.per_month:,.0f} requests"
        money["month"] = (label, view.per_month)
    found = {}
    ends = [rows.interval(now, "cost"), rows.interval(then, "cost")]
    for name, (label, times) in money.items():
        found[name] = _money(
            label,
            now.means.cost_usd,
            then.means.cost_usd,
            ends,
            rows.difference(now, then, "cost"),
            times,
        )
    shares = {
        "quality": "Quality",
        "harm": "Harm: quality lost by not asking the last tier",
        "escalated": "Answered beyond tier 0",
    }
    for name, label in shares.items():
        found[name] = _share(
            label,
            getattr(now.means, name),
            getattr(then.means, name),
            [rows.interval(now, name), rows.interval(then, name)],
            rows.difference(now, then, name),
        )
    for k, (before, after) in enumerate(zip(now.means.by_tier, then.means.by_tier, strict=True)):
        model = view.models[k]
        found[f"tier{k}"] = _share(
            f"Answered by tier {k}" + (f" ({model})" if model else ""), before, after
        )
    return found


def _share(
    label: str,
    now: float | None,
    then: float | None,
    ends: list[Interval] | None = None,
    difference: Interval | None = None,
) -> Weighing:
    if now is None or then is None:
        return Weighing(label, formatted(now), formatted(then), _DASH)
    now_range, then_range = ("", "") if ends is None else (_range(e, formatted) for e in ends)
    return Weighing(
        label,
        formatted(now),
        formatted(then),
        _points(then - now),
        now_range,
        then_range,
        "" if difference is None or then == now else _points_range(difference),
    )


def _money(  # noqa: PLR0913, PLR0917 - two figures, their ends, and how they are scaled
    label: str,
    now: float | None,
    then: float | None,
    ends: list[Interval],
    difference: Interval,
    times: float,
) -> Weighing:
    if now is None or then is None:
        return Weighing(label, "unpriced", "unpriced", _DASH)
    change = f" ({_signed(100 * (then - now) / now, '.1f')} %)" if now > 0 and then != now else ""

    def usd(amount: float) -> str:
        return dollars(amount * times)

    def by(amount: float) -> str:
        return _by_dollars(amount * times)

    def end(amount: float) -> str:
        return by(amount) if amount else "$0"

    now_range, then_range = (_range(each, usd) for each in ends)
    return Weighing(
        label,
        usd(now),
        usd(then),
        by(then - now) + change,
        now_range,
        then_range,
        "" if then == now else _range(difference, end),
    )


def _range(ends: Interval, show: Any) -> str:
    return "" if math.isnan(ends.low) else f"{show(ends.low)} … {show(ends.high)}"


def _points(difference: float) -> str:
    return "no change" if difference == 0 else f"{_signed(100 * difference, '.1f')} points"


def _points_range(ends: Interval) -> str:
    shown = _range(ends, lambda end: _signed(100 * end, ".1f"))
    return f"{shown} points" if shown else ""


def _by_dollars(difference: float) -> str:
    if difference == 0:
        return "no change"
    return f"{'+' if difference > 0 else '−'}{dollars(abs(difference))}"


def _signed(number: float, form: str) -> str:
    return format(number, f"+{form}").replace("-", "−")


def _in_a_sentence(figures: Mapping[str, Weighing]) -> str:
    names = {
        "cost": "cost per request",
        "quality": "quality",
        "harm": "harm",
        "escalated": "answered beyond tier 0",
    }
    parts = [f"{names[name]} {figures[name].then}" for name in names if name in figures]
    if not parts and "live" in figures:
        parts = [f"answered beyond tier 0 in the log {figures['live'].then}"]
    return "; ".join(parts)


def _sides_said(sides: Sides, tiers: int) -> str:
    what = "decisions of the period that a threshold made" if sides.live else "labelled rows"
    changed = sides.up + sides.down
    if not changed:
        return f"None of the {sides.of:,} {what} would change sides."
    share = formatted(changed / sides.of)
    found = f"{changed:,} of the {sides.of:,} {what} ({share}) would change sides"
    if tiers > 2:  # noqa: PLR2004 - a draft can be kept by one tier of several
        return f"{found}: {sides.up:,} to a later tier, {sides.down:,} to an earlier one."
    return (
        f"{found}: {sides.up:,} that are kept now would be sent on, {sides.down:,} that are sent "
        "on now would be kept."
    )


def _example(example: Example, period: Period, *, live: bool) -> dict[str, str]:
    place = "" if example.merit is None else f"{example.merit:.4f}"
    return {
        "id": example.id,
        "address": link(decision_path(example.id), period if live else Period()),
        "confidence": place or "no reading",
        "move": f"tier {example.before} → tier {example.after}",
        "class": example.class_name or "",
        "text": example.text or "",
    }


def _promised(found: PromiseSupport, view: ThresholdsView) -> list[str]:
    assert view.weighed is not None  # noqa: S101 - asked only where rows are
    kind = "groups of rows" if found.grouped else "rows"
    sure = percent(CONFIDENCE)
    if found.bound is None:
        said = [f"These {found.units:,} {kind} support no bound on harm with {sure} confidence."]
    else:
        said = [
            (
                f"Harm seen here: {percent(round(found.seen, 5))}. With {sure} confidence these "
                f"{found.units:,} {kind} support harm ≤ {percent(found.bound)} "
                f"({'exact binomial' if found.method == 'binomial' else 'betting'} test), for "
                "thresholds that were fixed without a look at them."
            )
        ]
    limit = percent(found.target)
    if found.holds:
        said.append(f"They support harm ≤ {limit}.")
    elif found.labels is None:
        said.append(f"They do not support harm ≤ {limit}: {found.why}.")
    else:
        more = max(0, found.labels - len(view.weighed.rows.table))
        said.append(
            f"They do not support harm ≤ {limit}. If harm stays as it is seen, about "
            f"{found.labels:,} labelled rows would: {more:,} more than there are."
        )
    if view.weighed.fitted_to:
        said.append(
            "The policy's calibrators were fitted to rows that are among these, which flatters "
            "them: test a promise on others."
        )
    return said
