"""A test of means that may be looked at after every row of an endless stream.

`Panel` tests claims of the form “the mean of x is at most m” by betting against
them: a capital is multiplied row by row by factors whose expectation is at most
1 while the claims hold. The chance that it *ever* reaches 1 / alpha is then at
most alpha, however long the stream is (Ville's inequality), so the capital is
the evidence against the claims.

Sources: Waudby-Smith and Ramdas, “Estimating means of bounded random variables
by betting”, JRSS B 2024; Ramdas, Grünwald, Vovk and Shafer, “Game-theoretic
statistics and safe anytime-valid inference”, Statistical Science 2023; for the
capital paid out over time, Shin, Ramdas and Rinaldo, “E-detectors”, 2022 (their
mixture over the time of the change, here with weights that sum to 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

SHARE_BETS = (0.5, 0.15, 0.05, 0.015)
"""Bets on a share: the part of the capital that is lost on a row whose x is 0."""

RARE_BETS = tuple(0.5 * 3.0**-k for k in range(8))
"""Bets on a number that is mostly 0 and now and then large."""


class Panel:
    """Tests claims that the mean of `x[i]` is at most `limits[i]`, with one capital of 1 for all.

    Each x must be ≥ 0; it need not be bounded above. On each claim several
    sizes of bet run side by side, because the best one depends on the size of a
    change that is not known. Bets placed long before a change lose, so the
    capital is put at stake little by little: after n rows, 1 / log(e + n) of it
    is still in reserve.

    Beside each bet runs Page's sum of excesses over the limit (Biometrika 1954);
    the last time it was 0 is where the change probably began.

    Args:
        limits: One per claim, > 0.
        bets: Sizes of bets, in (0, 1).
    """

    __slots__ = ("_excess", "_since", "_total", "_wealth", "bets", "evidence", "limits", "rows")

    def __init__(self, limits: Sequence[float], bets: Sequence[float] = SHARE_BETS) -> None:
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
            xs: One number ≥ 0 per claim.
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
        """Describe the claim with the most evidence against it.

        Returns:
            Its number, the row since when x has been too large, and the mean of x
            since then.
        """
        i = max(range(len(self.limits)), key=lambda i: sum(self._wealth[i]))
        since, earlier = self._since[i]
        return i, since, self._total[i] / max(1, self.rows - earlier)


def _reserve(rows: int) -> float:
    """Share of the capital that is still in hand after so many rows."""
    return 1 / math.log(math.e + rows)
