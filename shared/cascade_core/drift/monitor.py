"""Has the stream moved from what the policy was tuned on?

Three questions, each with its own share of the allowed false alarms: the
escalation rate, the confidences, and the audited harm. Each is put as claims
that a mean is at most a limit, which are tested by betting against them
(`statistics.betting`): a test that may be looked at after every request.

The reference was itself counted on finitely many rows. A limit is therefore
the reference's share, plus what chance may have hidden on those rows, plus a
tolerance below which nobody would tune again. Half of the allowed false alarms
goes to the reference's rows and half to the stream; together at most `alpha`
of all monitors that watch an unmoved stream ever raise an alarm. Requests are
taken to come as a sample would: a rate that swings by more than the tolerance
from night to day has, for those hours, moved.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cascade_core.drift.claims import (
    MeanClaims,
    cuts,
    escalation_claims,
    harm_claims,
    spread_claims,
    unread_claims,
)
from cascade_core.errors import ConfigurationError
from cascade_core.policy.reference import Reference

What = Literal["escalation", "confidence", "harm"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that has moved.

    Attributes:
        what: What moved.
        at: Number of the request that gave it away, from 1.
        since: Number of the request from which on it has probably been so.
        expected: Share, or mean harm, when tuned.
        seen: The same since then. A rough figure, which errs on the large side;
            of few audits it may even exceed 1.
        text: All this in a sentence, with what to do.
    """

    what: What
    at: int
    since: int
    expected: float
    seen: float
    text: str


class DriftMonitor:
    """Watches a stream against a reference, one request at a time.

    Memory, and time per request, are constant. Each of the three questions raises
    one alarm at the most; after it, tune again and start a new monitor.

    Args:
        reference: What the policy was tuned on.
        alpha: Chance, at the most, that a stream that has not moved ever raises
            an alarm.
        tolerance: Difference of a share that is not worth tuning again for. Harm
            has none: its limit is a promise.
        exact: Whether confidences of escalated requests are full readings. They
            are not where a stream was cut off, or a paid signal left out, because
            the draft could no longer pass: only an upper bound is known then.
            By default confidences are compared above the threshold alone.

    Raises:
        ConfigurationError: An argument is out of range.
    """

    def __init__(
        self,
        reference: Reference,
        alpha: float = 0.01,
        *,
        tolerance: float = 0.02,
        exact: bool = False,
    ) -> None:
        if not (0 < alpha < 1 and 0 <= tolerance < 1):
            msg = (
                f"alpha={alpha!r}, tolerance={tolerance!r}: "
                "a drift monitor needs 0 < alpha < 1 and 0 <= tolerance < 1"
            )
            raise ConfigurationError(msg)
        self.reference, self.alpha, self.tolerance, self.exact = reference, alpha, tolerance, exact
        self.rows = 0
        self.alarms: list[Alarm] = []
        promised, measured = reference.limit is not None, reference.harm is not None
        each = alpha / (3 if promised or measured else 2)
        # A promised limit is not an estimate, so that its stream may have it all.
        self._level = {
            "escalation": each / 2,
            "confidence": each / 2,
            "harm": each if promised else each / 2,
        }
        part = each / 2 / (2 * max(1, len(reference.tiers)))
        spreads = list(enumerate(reference.tiers))
        self._cuts = [cuts(spread, exact=exact)[0] for spread in reference.tiers]
        self._claims: dict[What, list[MeanClaims]] = {
            "escalation": [escalation_claims(reference, each / 2, tolerance)],
            "confidence": [
                *(unread_claims(spread, k, part, tolerance) for k, spread in spreads),
                *(spread_claims(spread, k, part, tolerance, exact=exact) for k, spread in spreads),
            ],
            "harm": [harm_claims(reference, each / 2)],
        }

    def observe(
        self,
        confidence: float | None,
        escalated: bool,  # noqa: FBT001 - a column of the stream, in its order
        harm: float | None = None,
        probability: float = 1.0,
        *,
        tier: int = 0,
    ) -> Sequence[Alarm]:
        """Read one request.

        Each request is read once, an audited one when its label is in; requests
        need not come in the order of their answers. Harm is weighted with the
        inverse of its probability (Horvitz and Thompson, JASA 1952) and counts 0
        where nothing was audited, so that its mean is over all requests.

        Args:
            confidence: Of the last judged draft, in [0, 1]; None or NaN = no reading.
            escalated: Whether no tier but the last answered.
            harm: Where an accepted answer was audited, the quality that was lost
                by it, in [0, 1]; None = not audited.
            probability: Chance with which this answer was picked for the audit,
                in (0, 1]; read only where it was.
            tier: Tier of the last judged draft.

        Returns:
            What this request has shown to have moved; mostly nothing.

        Raises:
            ConfigurationError: A number is out of range, or the reference has no
                such tier. The request is not counted.
        """
        if confidence is not None and math.isnan(confidence):
            confidence = None
        self._check(confidence, harm, probability, tier)
        self.rows += 1
        raised = {alarm.what for alarm in self.alarms}
        if "escalation" not in raised:
            self._update(self._claims["escalation"][0], [float(escalated)])
        if "confidence" not in raised:
            self._read(confidence, tier, escalated=escalated)
        if "harm" not in raised:
            lost = 0.0 if harm is None or escalated else harm / probability
            self._update(self._claims["harm"][0], [lost])
        new = [
            self._alarm(what) for what in self._claims if what not in raised and self._lost(what)
        ]
        self.alarms += new
        return new

    def _read(self, confidence: float | None, tier: int, *, escalated: bool) -> None:
        claims, tiers = self._claims["confidence"], len(self._cuts)
        self._update(claims[tier], [float(confidence is None)])
        if confidence is not None:
            points = self._cuts[tier]
            below = 0 if escalated and not self.exact else bisect_left(points, confidence)
            self._update(claims[tiers + tier], [0.0] * below + [1.0] * (len(points) - below))

    def _update(self, claims: MeanClaims, xs: Sequence[float]) -> None:
        if len(claims):
            claims.update(self.rows, xs)

    def _lost(self, what: What) -> bool:
        """Tell whether the bets on one question have won too much for it to be chance."""
        won = [claims.panel.evidence for claims in self._claims[what] if len(claims)]
        return bool(won) and sum(won) / len(won) >= 1 / self._level[what]

    def _alarm(self, what: What) -> Alarm:
        claims = max(self._claims[what], key=lambda claims: claims.panel.evidence)
        found = claims.finding()
        text = (
            f"{found.text} (since about request {found.since:,} of {self.rows:,}): "
            "collect labels on recent requests and tune again"
        )
        return Alarm(what, self.rows, found.since, found.expected, found.seen, text)

    def _check(
        self, confidence: float | None, harm: float | None, probability: float, tier: int
    ) -> None:
        for name, number in (("confidence", confidence), ("harm", harm)):
            if number is not None and not 0 <= number <= 1:
                msg = f"request {self.rows + 1}: {name}={number!r} is not in [0, 1]"
                raise ConfigurationError(msg)
        if not 0 < probability <= 1:
            msg = f"request {self.rows + 1}: probability={probability!r} is not in (0, 1]"
            raise ConfigurationError(msg)
        if not 0 <= tier < len(self.reference.tiers):
            msg = (
                f"request {self.rows + 1}: tier={tier!r}, but the reference has confidences of "
                f"{len(self.reference.tiers)} tier(s); is it the policy's that decided?"
            )
            raise ConfigurationError(msg)
