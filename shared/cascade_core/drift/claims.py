"""Turns a policy's reference into claims about a stream: means, and the limits they keep to.

A share was counted on finitely many rows, so each limit leaves room for what
chance may have hidden on those. `monitor` says which alarm is raised, and when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cascade_core.policy.reference import Reference, Spread
from cascade_core.statistics.betting import RARE_BETS, SHARE_BETS, Panel
from cascade_core.statistics.bounds import band, highest_mean

_SMALLEST = 1e-6
"""Limits start here: one of 0 would be divided by."""


@dataclass(frozen=True, slots=True)
class MeanClaim:
    """That a mean does not exceed `highest`, nor fall below `lowest` where there is one.

    Attributes:
        about: The sentence that says otherwise, with `{expected}` and `{seen}`.
        expected: The mean that was counted.
    """

    about: str
    expected: float
    highest: float
    lowest: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The claim with the most evidence against it, and what was seen instead."""

    since: int
    expected: float
    seen: float
    text: str


class MeanClaims:
    """Claims about the same rows, and the panel that tests them."""

    __slots__ = ("_claims", "_sides", "panel")

    def __init__(self, claims: Sequence[MeanClaim], bets: Sequence[float] = SHARE_BETS) -> None:
        self._claims = claims
        sides = [(i, True, claim.highest) for i, claim in enumerate(claims)]
        sides += [
            (i, False, 1 - claim.lowest)
            for i, claim in enumerate(claims)
            if claim.lowest is not None
        ]
        # A share cannot exceed 1: there is nothing to bet against.
        sides = [side for side in sides if side[2] < 1]
        self._sides = [(i, up) for i, up, _ in sides]
        self.panel = Panel([max(_SMALLEST, limit) for _, _, limit in sides], bets)

    def __len__(self) -> int:
        return len(self._sides)

    def update(self, at: int, xs: Sequence[float]) -> None:
        """Read one row: a number for each claim, in [0, 1] where it has a lower end."""
        self.panel.update(at, [xs[i] if up else 1 - xs[i] for i, up in self._sides])

    def finding(self) -> Finding:
        """Describe the claim with the most evidence against it."""
        side, since, mean = self.panel.leading()
        i, up = self._sides[side]
        claim = self._claims[i]
        seen = mean if up else 1 - mean
        text = claim.about.format(expected=_percent(claim.expected), seen=_percent(seen))
        return Finding(since, claim.expected, seen, text)


def escalation_claims(reference: Reference, error: float, tolerance: float) -> MeanClaims:
    """Claim that the escalation rate is the reference's; `error` as in `monitor`, both sides."""
    if reference.escalated is None:
        return MeanClaims([])
    about = "the escalation rate is {seen}, not {expected} as when tuned"
    return MeanClaims([_near(about, reference.escalated, reference.rows, error, tolerance)])


def unread_claims(spread: Spread, tier: int, error: float, tolerance: float) -> MeanClaims:
    """Claim that the share of a tier's drafts without a confidence is the reference's."""
    if not spread.rows:
        return MeanClaims([])
    about = (
        f"drafts of tier {tier} without a confidence are {{seen}}, not {{expected}} as when tuned"
    )
    return MeanClaims([_near(about, spread.unread, spread.rows, error, tolerance)])


def cuts(spread: Spread, *, exact: bool) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Pick the points at which a tier's confidences are compared, with their shares.

    Where a confidence that was not accepted may be an upper bound, all that is
    known of it is that it stays below the threshold, and so below every
    confidence above the highest that was not accepted.
    """
    if exact or spread.floor is None:
        return spread.values, spread.shares
    floor = spread.floor
    kept = [pair for pair in zip(spread.values, spread.shares, strict=True) if pair[0] >= floor]
    return tuple(value for value, _ in kept), tuple(share for _, share in kept)


def spread_claims(
    spread: Spread, tier: int, error: float, tolerance: float, *, exact: bool
) -> MeanClaims:
    """Claim that a tier's confidences, where there are any, are spread as the reference's."""
    read = spread.rows * (1 - spread.unread)
    if read < 1:
        return MeanClaims([])
    apart = band(read, error) + tolerance
    return MeanClaims(
        [
            MeanClaim(
                f"confidences of tier {tier} are at most {value:.3g} in {{seen}} of drafts, "
                "not in {expected} as when tuned",
                share,
                share + apart,
                share - apart,
            )
            for value, share in zip(*cuts(spread, exact=exact), strict=True)
        ]
    )


def harm_claims(reference: Reference, error: float) -> MeanClaims:
    """Claim that harm stays within what was promised, or else what was measured."""
    if reference.limit is not None:
        expected = reference.limit if reference.harm is None else reference.harm
        about = f"audited harm is {{seen}}, above the {_percent(reference.limit)} promised"
        return MeanClaims([MeanClaim(about, expected, reference.limit)], RARE_BETS)
    if reference.harm is None:
        return MeanClaims([])
    about = "audited harm is {seen}, not {expected} as when tuned"
    highest = highest_mean(reference.harm, reference.rows, error)
    return MeanClaims([MeanClaim(about, reference.harm, highest)], RARE_BETS)


def _near(about: str, share: float, rows: int, error: float, tolerance: float) -> MeanClaim:
    highest = highest_mean(share, rows, error / 2) + tolerance
    lowest = 1 - highest_mean(1 - share, rows, error / 2) - tolerance
    return MeanClaim(about, share, highest, lowest)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
