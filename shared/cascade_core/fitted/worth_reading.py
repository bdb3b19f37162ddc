"""Between which thresholds a paid signal is worth its price for a draft.

A threshold t stands for a price of asking on: it is right to ask on where that gains more than
`usual - t` at the usual cost. Say a reading leaves one of two gains, the higher one with
probability p. Whoever reads, and asks on only after the higher, spares asking on in the other
cases, and pays for the reading in all. So a reading beats accepting the draft where
`p * higher > (p + price) * (usual - t)`, and beats asking on at once where
`(1 - p) * lower < (1 - p - price) * (usual - t)`: an interval of thresholds, or none, as where a
reading costs more than it can spare, `price >= 1 - p`. Both gains and p follow from what the merit
is expected to be, and from how far a reading may move it.
(Howard, Information Value Theory, 1966.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from cascade_core.arrays import Array
from cascade_core.fitted.bending import soften, straighten

Ends: TypeAlias = tuple[Array, Array]
"""The lowest and the highest that something of n drafts may be, each of shape (n,)."""


class NextReading(NamedTuple):
    """A signal that may be read next.

    Attributes:
        price: Its price, as a share of the mean cost of asking on.
        spread: How far readings move merits, as a share of how far they could.
        usual: The mean quality of what asking on gives.
        bent: Whether merits are bent near 0 and 1.
    """

    price: float
    spread: float
    usual: float
    bent: bool = True


def worth_reading(reading: NextReading, foreseen: Array, spans: Ends) -> Ends:
    """Return between which thresholds drafts are worth reading, each of shape (n,).

    Above them it is right to ask on at once, and at the lower one and below to accept. Where a
    reading is never worth it, both are what the merit is expected to be.

    Args:
        reading: What may be read.
        foreseen: What merits are expected to be, shape (n,); NaN where nobody knows: then a
            reading is worth it wherever it may change something.
        spans: Between which merits every draft's ends.
    """
    low, high = spans
    known = ~np.isnan(foreseen) & np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return spans
    ends = (low[known], high[known])
    to_gain, to_merit = _scale(reading)
    expected, least, most = map(to_gain, (np.clip(foreseen[known], *ends), *ends[::-1]))
    lower, higher = (expected + reading.spread * (end - expected) for end in (least, most))
    from_, to = _interval(lower, higher, expected, reading.price)
    low, high = low.copy(), high.copy()
    low[known], high[known] = (np.clip(to_merit(gain), *ends) for gain in (to, from_))
    return low, high


def _scale(reading: NextReading) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Return what makes gains of merits, and merits of gains."""
    usual = reading.usual
    if reading.bent:
        return (lambda merit: usual - straighten(merit)), (lambda gain: soften(usual - gain))
    return (lambda merit: usual - merit), (lambda gain: usual - gain)


def _interval(lower: Array, higher: Array, expected: Array, price: float) -> Ends:
    """Return between which prices of asking on a reading pays."""
    apart = higher - lower
    p = np.divide(expected - lower, apart, out=np.full_like(apart, 0.5), where=apart > 0)
    # Where asking on is worth less than nothing, paying is no loss.
    beats_accepting = np.where(higher < 0, higher, p * higher / (p + price))
    spared = 1 - p - price
    beats_asking = (1 - p) * lower / np.where(spared > 0, spared, 1)
    beats_asking = np.where(lower < 0, lower, beats_asking)
    never = (spared <= 0) | (beats_asking >= beats_accepting)
    return np.where(never, expected, beats_asking), np.where(never, expected, beats_accepting)
