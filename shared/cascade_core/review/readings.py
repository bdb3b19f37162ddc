"""How well confidences and single signals tell good drafts from bad ones, tier by tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array
from cascade_core.evaluation.curve_intervals import Escalation
from cascade_core.review.labelled_rows import LabelledRows
from cascade_core.statistics.bootstrap import NO_INTERVAL, Interval
from cascade_core.statistics.hajek import share_interval
from cascade_core.statistics.metrics import auroc
from cascade_core.statistics.reliability import Reliability, ece_noise_floor, reliability

BARS = 20
"""Bars of a histogram, from the lowest readings up to 1: they bunch there."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Some drafts whose readings lie in a range.

    Attributes:
        low: The range's lower end.
        high: Its upper end.
        good: How many of the drafts were good; one of quality 0.4 counts 0.4.
        bad: The rest.
        good_height: Of the bar, as a share of the highest of good ones: there are far more of them.
        bad_height: Of the bar, as a share of the highest of bad ones.
    """

    low: float
    high: float
    good: float
    bad: float
    good_height: float
    bad_height: float


@dataclass(frozen=True, slots=True)
class ReadingSeen:
    """What a confidence or a signal tells of a tier's drafts.

    Attributes:
        name: The signal's; `confidence` for what all of them give together.
        read: Share of the drafts that have a reading.
        auroc: Chance that a good draft has the higher one; NaN where all are alike.
        interval: Of that.
        bars: How readings of good and of bad drafts are distributed.
        good: How many drafts with a reading were good.
        bad: The rest of them.
        good_mean: Mean reading of good drafts; NaN where there are none.
        bad_mean: The same of bad ones.
    """

    name: str
    read: float
    auroc: float
    interval: Interval
    bars: Sequence[Bar]
    good: float
    bad: float
    good_mean: float
    bad_mean: float


@dataclass(frozen=True, slots=True, eq=False)
class TierSeen:
    """How well a tier's drafts are told apart.

    Attributes:
        tier: Which.
        model: Its model.
        bins: The reliability diagram of its confidence.
        ends: An interval for what came true in each bin.
        noise_floor: Calibration error that chance alone would show.
        said: The same in words.
        readings: Of the confidence, and of each signal that is not the same.
    """

    tier: int
    model: str | None
    bins: Reliability
    ends: Sequence[Interval]
    noise_floor: float
    said: str
    readings: Sequence[ReadingSeen]


def tiers_seen(rows: LabelledRows) -> tuple[TierSeen, ...]:
    """Look at every tier whose drafts are judged."""
    return tuple(_tier_seen(rows, k) for k in range(rows.tiers - 1))


def _tier_seen(rows: LabelledRows, tier: int) -> TierSeen:
    scored, columns = rows.scored, rows.table.tiers[tier]
    confidence, quality = scored.confidences[tier], scored.qualities[tier]
    read = ~np.isnan(confidence)
    weights = None if scored.weights is None else scored.weights[read]
    bins = reliability(confidence[read], quality[read], weights)
    floor = ece_noise_floor(confidence[read], weights)
    return TierSeen(
        tier=tier,
        model=columns.model,
        bins=bins,
        ends=_ends(bins, confidence[read], quality[read], weights),
        noise_floor=floor,
        said=_in_words(bins, floor, calibrated=scored.calibrated),
        readings=[
            _reading_seen(rows, "confidence", confidence, quality),
            *(
                _reading_seen(rows, name, of, quality)
                for name, of in columns.signals.items()
                if not np.array_equal(of, confidence, equal_nan=True)
            ),
        ],
    )


def _ends(
    bins: Reliability, confidence: Array, quality: Array, weights: Array | None
) -> list[Interval]:
    weight = np.ones(len(confidence)) if weights is None else weights
    found = []
    for low, high in zip(bins.low, bins.high, strict=True):
        here = (confidence >= low) & (confidence <= high) & (weight > 0)
        chance = weight[here].min() / weight[here] if here.any() else weight[here]
        found.append(share_interval(quality[here], chance))
    return found


def _in_words(bins: Reliability, floor: float, *, calibrated: bool) -> str:
    if not len(bins.count):
        return "No draft has a confidence, so there is nothing to compare."
    off = bins.confidence - bins.quality
    worst = int(np.argmax(np.abs(off) * np.sqrt(bins.share)))
    found = (
        f"Confidence and outcome differ by {bins.ece:.3f} on average, most where "
        f"{100 * bins.quality[worst]:.0f} % of {int(bins.count[worst]):,} drafts with a confidence "
        f"around {bins.confidence[worst]:.2f} were good"
    )
    if bins.ece <= floor:
        return (
            f"{found}. Chance alone would show {floor:.3f}, so the confidence can be taken at its "
            "word."
        )
    direction = "more" if float(bins.share @ off) > 0 else "less"
    found += (
        f". Chance alone would show {floor:.3f}. On the whole it says {direction} than comes true"
    )
    if calibrated:
        return f"{found}: have cascade tune fit it anew."
    return f"{found}: it is a raw reading and no probability, until cascade tune fits one."


def _reading_seen(rows: LabelledRows, name: str, reading: Array, quality: Array) -> ReadingSeen:
    read = ~np.isnan(reading)
    weights = rows.scored.weights
    mass = np.ones(len(reading)) if weights is None else weights
    good, bad = (mass * quality)[read], (mass * (1 - quality))[read]
    said, right = reading[read], np.round(quality[read])
    alike = not len(right) or bool((right == right[0]).all())
    found = float("nan") if alike else auroc(said, right, None if weights is None else mass[read])
    return ReadingSeen(
        name=name,
        read=float(np.average(read, weights=weights)),
        auroc=found,
        interval=NO_INTERVAL if alike else _auroc_interval(rows, reading, quality),
        bars=_bars(said, good, bad),
        good=float(quality[read].sum()),
        bad=float((1 - quality[read]).sum()),
        good_mean=float(said @ good / good.sum()) if good.sum() > 0 else float("nan"),
        bad_mean=float(said @ bad / bad.sum()) if bad.sum() > 0 else float("nan"),
    )


def _auroc_interval(rows: LabelledRows, reading: Array, quality: Array) -> Interval:
    """Resample all rows together: good and bad drafts at up to 500 places along the readings."""
    read = ~np.isnan(reading)
    mass = np.ones(len(reading)) if rows.scored.weights is None else rows.scored.weights
    order = Escalation.of(rows.again, np.where(read, reading, 0.0), mass * read)
    right = np.round(quality)
    good, bad = (np.diff(order.sums(values), axis=1) for values in (right, 1 - right))
    below = np.cumsum(bad, axis=1) - bad / 2
    pairs = good.sum(axis=1) * bad.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = np.where(pairs > 0, (good * below).sum(axis=1) / pairs, np.nan)
    return rows.again.interval(draws)


def _bars(said: Array, good: Array, bad: Array) -> list[Bar]:
    lowest = np.floor(10 * said.min(initial=1.0)) / 10
    edges = np.linspace(min(lowest, 0.9), 1, BARS + 1)
    (above, below) = (np.histogram(said, edges, weights=each)[0] for each in (good, bad))
    most_good, most_bad = (max(float(each.max()), 1e-12) for each in (above, below))
    return [
        Bar(low, high, g, b, g / most_good, b / most_bad)
        for low, high, g, b in zip(
            edges[:-1].tolist(), edges[1:].tolist(), above.tolist(), below.tolist(), strict=True
        )
    ]
