"""The test that a version has to have passed before it decides, and keep passing while it does.

A version is one confidence with a few policies that differ in their thresholds. It is tested on
audits that came after it was frozen, so that nothing of it was fitted to them, whoever answered
the requests: an audit knows what the version would have lost.

*Kept* by a capital. For each policy somebody bets that it loses less than the limit. With u the
weight of an audit over a fixed one, h its harm and m the limit, each bet b multiplies its capital
by 1 + b · u · (m − h). Let a[i] be what u · (m − h) is expected to be, given all that came before.
Dividing each factor by 1 + b · a[i] leaves a fair game, and as long as the weighted mean harm so
far is m or more, the a[i] add up to 0 or less, so that the product of what was divided by is at
most 1 (its logarithm is concave). So the chance that the capital *ever* stands at 1 / delta while
the mean harm since the version was frozen is above the limit is at most delta, however traffic
drifts. A policy decides only while its capital stands there: this one statement is both the test
before and the guard after.

*Dropped* by a detector. A mean since the freeze reacts late once it is long. Beside it somebody
bets that harm has lately been above the limit, with a new unit of capital on each audit
(Shiryaev and Roberts): where harm stays at the limit or below, the mean time to a false alarm is
at least `ALARM` audits. A false alarm costs money and breaks no promise, as nothing is gained
from dropping a policy.

Sources: Waudby-Smith and Ramdas, “Estimating means of bounded random variables by betting”, JRSS B
2024; Howard, Ramdas, McAuliffe and Sekhon, “Time-uniform, nonparametric, nonasymptotic confidence
sequences”, Annals of Statistics 2021 (means that change); Shin, Ramdas and Rinaldo, “E-detectors”,
New England Journal of Statistics in Data Science 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cascade_core.arrays import Array, Flags

ALARM = 4000.0
"""Audits between two false alarms of the detector, at the least, where harm is at the limit."""
BETS = (0.13, 0.33, 0.75)
"""Shares of the capital that an audit with harm 1 costs. The best one for a policy that loses r
limits is 1 - r; one of these grows at 85 % of its pace at least for every r up to 0.85."""
_RESERVE = (0.04, 0.012, 0.004)
"""Bets for audits that come to weigh more than was known when a version was frozen: a chance to be
picked that falls would ruin the others. The last one bears 250 times as much."""
_KEPT_BACK = 0.1
"""Share of the capital that begins in these; so little costs few audits."""
_AT_ONCE, _ENOUGH = 100, 1e9  # products stay within what a float holds
_RISES = (0.5, 1.0, 2.0)
"""Bets of the detector, in limits: the best for harm at 1.5, 2 and 3 times the limit."""
OF_LATE = 600.0
"""Audits over which costs, and what was lost of late, are averaged."""


@dataclass(slots=True, eq=False)
class RunningTest:
    """The running test of k policies of one version.

    Attributes:
        limit: Most harm, in (0, 1).
        needed: Logarithm of the capital at which a policy may decide: log(1 / delta).
        heaviest: Weight that bets are scaled by: the most that one audit was known to weigh.
        bets: (k, b) sizes.
        capital: (k, b) logarithms.
        rising: (k, c) the detector's capitals.
        dropped: (k,) whether the detector has given a policy up.
        rows: Audits so far.
        harm: (k,) sums of weighted harm.
        weight: Sum of weights.
        spent: (k,) decaying sums of what requests would have cost.
        losing: (k,) the same of harm.
        strong: The same for the strongest tier alone.
        recent: The weights' decaying sum.
    """

    limit: float
    needed: float
    heaviest: float
    bets: Array
    capital: Array
    rising: Array
    dropped: Flags
    rows: int
    harm: Array
    weight: float
    spent: Array
    losing: Array
    strong: float
    recent: float

    @classmethod
    def begin(cls, limit: float, delta: float, policies: int, heaviest: float) -> RunningTest:
        """Begin a test.

        Args:
            limit: Most harm.
            delta: Chance, at the most, that any of the policies is ever passed wrongly.
            policies: How many there are.
            heaviest: The most that an audit is known to weigh.
        """
        k, bets = policies, np.tile((*BETS, *_RESERVE), (policies, 1))
        shares = [(1 - _KEPT_BACK) / len(BETS)] * len(BETS)
        shares += [_KEPT_BACK / len(_RESERVE)] * len(_RESERVE)
        return cls(
            limit=limit,
            needed=math.log(k / delta),
            heaviest=heaviest,
            bets=bets,
            capital=np.tile(np.log(shares), (k, 1)),
            rising=np.zeros((k, len(_RISES))),
            dropped=np.zeros(k, dtype=bool),
            rows=0,
            harm=np.zeros(k),
            weight=0.0,
            spent=np.zeros(k),
            losing=np.zeros(k),
            strong=0.0,
            recent=0.0,
        )

    def update(self, harm: Array, cost: Array, strong: Array, weights: Array) -> None:
        """Bet on some audits, oldest first.

        Args:
            harm: (n, k) that each policy would have done, in [0, 1].
            cost: (n, k) USD that each would have cost.
            strong: (n,) USD of the strongest tier alone.
            weights: (n,) 1 / the chance with which each was picked.
        """
        if not len(weights):
            return
        u = weights / self.heaviest
        # A bet that so heavy an audit could ruin is given up before anybody knows what it says.
        lost = self.bets * u.max() * (1 - self.limit) >= 1
        safe = np.where(lost, 0.0, self.bets)
        gains = u[:, None, None] * (self.limit - harm)[:, :, None] * safe
        self.capital += np.log1p(gains).sum(axis=0)
        self.capital[lost] = -np.inf
        self._detect(harm, u)
        self.rows += len(weights)
        self.harm += weights @ harm
        self.weight += float(weights.sum())
        self._average(harm, cost, strong, weights)

    def _detect(self, harm: Array, u: Array) -> None:
        sizes = np.minimum(0.5, self.limit * np.array(_RISES))
        capped = np.minimum(u, 1.0)[:, None, None]
        factors = 1 + sizes * capped * (harm / self.limit - 1)[:, :, None]
        for start in range(0, len(factors), _AT_ONCE):
            # R[i] = (1 + R[i - 1]) f[i], for many i at once.
            grown = np.cumprod(factors[start : start + _AT_ONCE], axis=0)
            before = np.concatenate([np.ones_like(grown[:1]), grown[:-1]])
            risen = grown * (self.rising + np.cumsum(1 / before, axis=0))
            self.dropped |= (risen.mean(axis=2) >= ALARM).any(axis=0)
            self.rising = np.minimum(risen[-1], _ENOUGH)
        # Looser thresholds lose what stricter ones lose, and more.
        self.dropped = np.logical_or.accumulate(self.dropped)

    def _average(self, harm: Array, cost: Array, strong: Array, weights: Array) -> None:
        ages = np.arange(len(weights))[::-1]
        kept = weights * np.exp(-ages / OF_LATE)
        faded = math.exp(-len(weights) / OF_LATE)
        self.spent = self.spent * faded + kept @ cost
        self.losing = self.losing * faded + kept @ harm
        self.strong = self.strong * faded + float(kept @ strong)
        self.recent = self.recent * faded + float(kept.sum())

    def strength(self) -> Array:
        """Return the logarithm of each policy's capital, (k,)."""
        top = self.capital.max(axis=1)
        held = np.where(np.isfinite(top), top, 0.0)
        summed = np.exp(self.capital - held[:, None]).sum(axis=1)
        with np.errstate(divide="ignore"):
            found: Array = np.where(np.isfinite(top), top + np.log(summed), -np.inf)
        return found

    def standing(self, beyond: float = 0.0) -> Flags:
        """Tell which policies may decide now, (k,).

        Args:
            beyond: How much more than what is needed, in logarithms.
        """
        found: Flags = (self.strength() >= self.needed + beyond) & ~self.dropped
        return found

    def saving(self) -> Array:
        """Return the share of the strongest tier's cost that each saves of late, (k,)."""
        return np.zeros(len(self.spent)) if self.strong <= 0 else 1 - self.spent / self.strong

    def calm(self, share: float) -> Flags:
        """Tell which policies have of late lost no more than a share of the limit, (k,)."""
        found: Flags = self.losing <= share * self.limit * self.recent
        return found

    def mean_harm(self) -> Array:
        """Return what each lost on the audits so far, (k,)."""
        return self.harm / self.weight if self.weight else np.zeros(len(self.harm))

    def still_needed(self, beyond: float = 0.0) -> int | None:
        """Return about how many more audits the nearest policy needs; None where none gets there.

        Reckoned from how fast its capital has grown so far or, before there is anything to go by,
        from what it was fitted to lose. One that has what it needs waits for something else.

        Args:
            beyond: How much more than what is needed, in logarithms.
        """
        missing = self.needed + beyond - self.strength()
        if self.rows:
            pace = (self.strength() + math.log(len(BETS))) / self.rows
        else:
            pace = np.full(len(missing), -math.log1p(-self.limit) / 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = np.where((pace > 0) & (missing > 0) & ~self.dropped, missing / pace, np.inf)
        least = float(rows.min())
        return None if not math.isfinite(least) else max(1, math.ceil(least))

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        found: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            found[name] = _plain(value) if isinstance(value, np.ndarray) else value
        return found

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> RunningTest:
        """Go on with one that was kept."""
        values = dict(kept)
        for name in ("bets", "capital", "rising", "harm", "spent", "losing"):
            values[name] = _array(values[name])
        values["dropped"] = np.array(values["dropped"], dtype=bool)
        return cls(**values)


def _plain(values: Array | Flags) -> Any:
    """Return an array as nested lists; JSON has no infinity: null stands for what is lost."""
    listed = values.tolist()
    if values.dtype == np.bool_:
        return listed
    return [_finite(each) for each in listed]


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return value if math.isfinite(value) else None


def _array(values: Any) -> Array:
    found = np.array(values, dtype=object)
    found[found == None] = -np.inf  # noqa: E711 - elementwise
    return found.astype(np.float64)
