"""Tests that may be looked at after every request and still err seldom.

`Panel` bets against claims of the form “on average x is at most m”. Money won
at fair odds is evidence: while the claims hold, the chance that the capital
*ever* reaches 1 / alpha is at most alpha, however long the stream is (Ville's
inequality). Nothing here knows about confidences or policies.

Sources: Waudby-Smith and Ramdas, “Estimating means of bounded random variables
by betting”, JRSS B 2024; Ramdas, Grünwald, Vovk and Shafer, “Game-theoretic
statistics and safe anytime-valid inference”, Statistical Science 2023; for the
capital paid out over time, Shin, Ramdas and Rinaldo, “E-detectors”, 2022 (their
mixture over the time of the change, here with weights that sum to 1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cascade_core.errors import ConfigurationError

SHARES = (0.5, 0.15, 0.05, 0.015)
"""Bets on a share: the part of the capital that is lost where x is 0."""

AUDITS = tuple(0.5 * 3.0**-k for k in range(8))
"""Bets on audited harm, which inverse probabilities make rare and large."""


class Panel:
    """A capital of 1, spread evenly over claims that the mean of `x[i]` is at most `limits[i]`.

    Each x must be ≥ 0; it need not be bounded above. On each claim several
    sizes of bet run side by side, because the best one depends on a change that
    is not known. A capital that is all at stake from the first row would be lost
    by the time a late change comes, so it is paid out little by little: after n
    rows, 1 / log(e + n) of it is still in hand.

    Beside each bet runs Page's sum of excesses over the limit (Biometrika 1954);
    the last time it was 0 is where the change probably began.

    Args:
        limits: One a claim, > 0.
        bets: Sizes of bets, in (0, 1).
    """

    __slots__ = ("_excess", "_since", "_total", "_wealth", "bets", "evidence", "limits", "rows")

    def __init__(self, limits: Sequence[float], bets: Sequence[float] = SHARES) -> None:
        self.limits, self.bets = tuple(limits), tuple(bets)
        self.rows = 0
        self.evidence = 1.0
        self._wealth = [[0.0] * len(self.bets) for _ in self.limits]
        self._excess = [0.0] * len(self.limits)
        self._total = [0.0] * len(self.limits)
        # Where each sum began: number of the row in the stream, and rows of this panel before it.
        self._since = [(0, 0)] * len(self.limits)

    def update(self, at: int, xs: Sequence[float]) -> None:
        """Bet on one row.

        Args:
            at: The row's number in the whole stream, for `since`.
            xs: One number ≥ 0 a claim.
        """
        before, reserve = _reserve(self.rows), _reserve(self.rows + 1)
        paid = before - reserve
        self.rows += 1
        won = 0.0
        for i, (x, limit) in enumerate(zip(xs, self.limits, strict=True)):
            gain = x / limit - 1
            wealth = [
                (held + paid) * (1 + bet * gain)
                for held, bet in zip(self._wealth[i], self.bets, strict=True)
            ]
            self._wealth[i] = wealth
            won += sum(wealth)
            self._date(i, at, x)
        self.evidence = reserve + won / (len(self.bets) * len(self.limits))

    def _date(self, i: int, at: int, x: float) -> None:
        """Keep the sum of excesses of one claim, and where it last began."""
        if self._excess[i] == 0:
            self._since[i], self._total[i] = (at, self.rows - 1), 0.0
        self._excess[i] = max(0.0, self._excess[i] + x - self.limits[i])
        self._total[i] += x

    def leading(self) -> tuple[int, int, float]:
        """Describe the claim that has lost the most.

        Returns:
            Its number, the row since when x has been too large, and the mean of x
            since then.
        """
        i = max(range(len(self.limits)), key=lambda i: sum(self._wealth[i]))
        since, earlier = self._since[i]
        return i, since, self._total[i] / max(1, self.rows - earlier)

    def state(self) -> dict[str, Any]:
        """Write down as plain JSON what `restore` goes on from."""
        return {
            "rows": self.rows,
            "evidence": self.evidence,
            "wealth": [list(wealth) for wealth in self._wealth],
            "excess": list(self._excess),
            "total": list(self._total),
            "since": [list(since) for since in self._since],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            ConfigurationError: It was not written by a panel with the same claims.
        """
        try:
            wealth = [[float(w) for w in row] for row in state["wealth"]]
            excess, total = [float(x) for x in state["excess"]], [float(x) for x in state["total"]]
            since = [(int(at), int(earlier)) for at, earlier in state["since"]]
            rows, evidence = int(state["rows"]), float(state["evidence"])
        except (KeyError, TypeError, ValueError) as error:
            msg = f"the monitor's state cannot be read ({type(error).__name__}); start a new one"
            raise ConfigurationError(msg) from None
        claims = {len(wealth), len(excess), len(total), len(since)}
        if claims != {len(self.limits)} or {len(row) for row in wealth} != {len(self.bets)}:
            msg = "the monitor's state belongs to another reference; start a new one"
            raise ConfigurationError(msg)
        self._wealth, self._excess, self._total, self._since = wealth, excess, total, since
        self.rows, self.evidence = rows, evidence


def _reserve(rows: int) -> float:
    """Share of the capital that is still in hand after so many rows."""
    return 1 / math.log(math.e + rows)


def highest_mean(mean: float, rows: float, alpha: float) -> float:
    """Bound the true mean of numbers in [0, 1] from above.

    Args:
        mean: Their mean, in [0, 1].
        rows: How many there were.
        alpha: Chance that the true mean is higher than what is returned.

    Returns:
        The bound, in [0, 1]. Source: Hoeffding, “Probability inequalities for sums
        of bounded random variables”, JASA 1963, theorem 1.
    """
    allowed = math.log(1 / alpha) / rows
    low, high = mean, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _divergence(mean, middle) <= allowed else (low, middle)
    return high


def _divergence(p: float, q: float) -> float:
    """Kullback–Leibler divergence of a coin with share p from one with share q, in nats."""
    inside = p * math.log(p / q) if p else 0.0
    if p == 1:
        return inside
    return math.inf if q >= 1 else inside + (1 - p) * math.log((1 - p) / (1 - q))


def band(rows: float, alpha: float) -> float:
    """Bound how far a whole distribution function is from the one counted on `rows` rows.

    Holds at every point at once, also at points chosen on those rows, and with ties.

    Args:
        rows: How many there were.
        alpha: Chance that it is further off somewhere.

    Returns:
        The largest difference of shares. Source: Massart, “The tight constant in the
        Dvoretzky–Kiefer–Wolfowitz inequality”, Annals of Probability 1990.
    """
    return math.sqrt(math.log(2 / alpha) / (2 * rows))
