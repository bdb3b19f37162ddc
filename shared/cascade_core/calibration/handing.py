"""Picks the last tier's threshold, below which answers are handed off: `tune --answered`.

A promise about the answered ones is tested on rows of its own: those that test another promise
also pick the other thresholds, and with them which answers are looked at here. For a policy that
these rows had no part in, the answered ones among them are a sample of all that it answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Flags, Ints
from cascade_core.calibration.fit import fit_calibrator
from cascade_core.calibration.objective import DEFAULT_CONFIDENCE, TuningError
from cascade_core.calibration.scores import Method
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.answered import below_all, which_answered
from cascade_core.evaluation.scored import Served, serve, thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.policy.evidence import Promise
from cascade_core.statistics.fixed_sequence import certify_path
from cascade_core.statistics.folds import split
from cascade_core.statistics.labels_needed import Refused

HELD_SHARE = 1 / 3
"""Share of the rows that only test what is promised of the answered ones."""


@dataclass(frozen=True, slots=True)
class Handing:
    """What is asked for of the answers that are not handed off.

    Attributes:
        answered: The share of requests that is to be answered; None hands nothing off.
        error: What they may lack of quality 1 on average, as a promise; None promises nothing.
        confidence: How sure that is to be.
    """

    answered: float | None
    error: float | None
    confidence: float

    def into(
        self, document: Policy, rows: Table, served: Served, method: Method, seed: int
    ) -> tuple[Policy, tuple[str, ...]]:
        """Give a policy the last tier's threshold, where one is asked for; see `with_handoff`."""
        if self.answered is None:
            return document, ()
        document, choice = with_handoff(document, rows, served, self.answered, method, seed)
        return document, (choice,)

    def promised(self, document: Policy, rows: Table, heaviest: float | None) -> Policy:
        """Give a policy the promise about the answered ones; see `promise_answered`."""
        assert self.error is not None  # noqa: S101 - else no rows are held out
        made = promise_answered(document, rows, self.error, 1 - self.confidence, heaviest)
        return document.model_copy(update={"promises": (*document.promises, made)})

    def said(self) -> str:
        """Say what is asked for, in words that go on."""
        said = "" if self.answered is None else f", {self.answered:.4g} of the requests answered"
        if self.error is not None:
            said += f", error among those ≤ {self.error:.4g}, {self.confidence!r} confidence"
        return said


def asked_answered(answered: float | None, error: float | None, sure: float | None) -> Handing:
    """Read what is asked for of the answered ones.

    Raises:
        ConfigurationError: A share of requests, or of errors, cannot be one.
    """
    handing = Handing(answered, error, DEFAULT_CONFIDENCE if sure is None else sure)
    if answered is not None and not 0 < answered < 1:
        msg = f"answered={answered:g}: give a share between 0 and 1, e.g. 0.95"
        raise ConfigurationError(msg)
    if error is not None and not 0 < error < 1:
        msg = f"answered_error={error:g}: give a share between 0 and 1, e.g. 0.05"
        raise ConfigurationError(msg)
    if error is not None and answered is None:
        msg = "answered_error= is promised of what answered= leaves: give both, e.g. answered=0.95"
        raise ConfigurationError(msg)
    return handing


def hold_out(rows: Table, seed: int) -> tuple[Table, Table]:
    """Return the rows to tune on, and those that test a promise about the answered ones."""
    kept, held = split(len(rows), 1 - HELD_SHARE, groups=rows.groups, seed=seed + 1)
    return rows.take(kept), rows.take(held)


def promise_answered(
    document: Policy, rows: Table, error: float, delta: float, heaviest: float | None
) -> Promise:
    """Test what a policy is to promise of the answers that it does not hand off.

    Args:
        document: The policy, all of its thresholds picked.
        rows: Rows that had no part in any of it.
        error: The most that the answers may lack of quality 1, on average.
        delta: Chance that the promise may be broken.
        heaviest: The largest weight that a row (or group) can have.

    Raises:
        TuningError: The rows do not carry the promise; the message says why, and how many would.
    """
    served = serve(score(rows, document), thresholds_of(document, rows))
    answers = which_answered(rows, document, served)
    if answers is None:  # no row came to the last tier when its threshold was picked
        answers = np.ones(len(rows), dtype=bool)
    found = certify_answered(
        answers,
        served.quality,
        error=error,
        delta=delta,
        weights=rows.weights,
        groups=rows.groups,
        heaviest=heaviest,
    )
    if isinstance(found, Promise):
        return found
    said = found.reason
    if found.labels_needed is not None:
        needed = found.labels_needed / max(float(answers.mean()), 1 / len(answers)) / HELD_SHARE
        place = 10.0 ** max(0, math.floor(math.log10(needed)) - 1)
        rounded = int(math.ceil(needed / place) * place)
        below = float(np.average(served.quality[answers], weights=_of(rows, answers))) > 1 - error
        said += (
            f"; if the error stays as seen, label about {rounded:,} rows"
            if below
            else f"; about {rounded:,} labelled rows may tell; a smaller answered= lowers the error"
        )
    msg = (
        f"answered_error={error:g}, {1 - delta:.4g} confidence, cannot be promised: {said} "
        f"(of {len(rows):,} labelled rows that were for this test)"
    )
    raise TuningError(msg)


def _of(rows: Table, answers: Flags) -> Array | None:
    return None if rows.weights is None else rows.weights[answers]


def certify_answered(  # noqa: PLR0913 - what is promised, and all it is tested on
    answers: Flags,
    quality: Array,
    *,
    error: float,
    delta: float,
    weights: Array | None = None,
    groups: Ints | None = None,
    heaviest: float | None = None,
) -> Promise | Refused:
    """Test the error among the answered ones of rows that had no part in what decides.

    Which rows are answered is chance, yet given that, each of them is one of all answered
    requests: with qualities of 0 and 1 the binomial test is exact.

    Args:
        answers: (n,), whether a row is answered and not handed off.
        quality: (n,), of the answer, in [0, 1].
        error: The most that is lacking of quality 1 on average, among the answered ones.
        delta: Chance that the promise may be broken.
        weights: (n,), not negative; None = all 1.
        groups: (n,), equal code = belong together; None = every row alone.
        heaviest: The largest weight that a row (or group) can have; None = the largest seen.
    """
    if not answers.any() or (weights is not None and not weights[answers].any()):
        return Refused("none of the rows would be answered", None)
    lost = 1 - quality[answers]
    found = certify_path(
        lambda _: lost,
        1,
        limit=error,
        delta=delta,
        weights=None if weights is None else weights[answers],
        groups=None if groups is None else groups[answers],
        heaviest=heaviest,
    )
    if isinstance(found, Refused):
        seen = float(np.average(lost, weights=None if weights is None else weights[answers]))
        where = f"of the answered ones, {100 * seen:.3g} % was lost"
        # There is one point, and no path that a reader would know of.
        reason = found.reason.replace("at the strictest point of the path", where)
        return Refused(reason, found.labels_needed)
    return Promise(
        kind="error",
        limit=error,
        confidence=1 - delta,
        rows=found.rows,
        seen=found.loss,
        p_value=found.p_value,
        method=found.method,
    )


def with_handoff(  # noqa: PLR0913, PLR0917 - what there is, and what for
    document: Policy, rows: Table, served: Served, answered: float, method: Method, seed: int
) -> tuple[Policy, str]:
    """Give a policy a calibrator and a threshold for the last tier.

    The confidence is fitted like any tier's, without paid signals, and the threshold is picked on
    confidences out of fold.

    Args:
        document: The policy, with its other thresholds.
        rows: What it was fitted to.
        served: What those thresholds do with them.
        answered: The share of requests that is to be answered.
        method: How readings are combined.
        seed: Of the random splits.

    Returns:
        The policy, and how the confidence was fitted.

    Raises:
        ConfigurationError: The table has nothing to read of the last tier's drafts.
        TuningError: So many cannot be answered, for nothing is known of too many drafts.
    """
    last = len(rows.tiers) - 1
    tier = rows.tiers[last]
    free = tuple(name for name in tier.signals if name not in tier.paid)
    try:
        fit = fit_calibrator(rows, last, signals=free, method=method, seed=seed)
    except ConfigurationError as error:
        if tier.signals:
            raise
        msg = (
            f"answered={answered:g} goes by readings of tier {last}'s answers, and {rows.source} "
            f"has none (t{last}_signal_…), as audits of a log never have: let cascade collect read "
            "them, with --last-signals, and tune on its table"
        )
        raise ConfigurationError(msg) from error
    weights = np.ones(len(rows)) if rows.weights is None else rows.weights
    reached = served.tier == last
    threshold = highest_threshold(
        below_all(rows, fit.placed)[reached],
        weights[reached],
        (1 - answered) * float(weights.sum()),
    )
    if threshold is None:
        msg = (
            f"answered={answered:g} is too much: more of the requests than that leaves come to the "
            "last tier without a reading, or fail a gate there"
        )
        raise TuningError(msg)
    made = document.model_copy(
        update={
            "calibrators": (*(document.calibrators or ()), fit.calibrator),
            "thresholds": (*(document.thresholds or ()), threshold),
        }
    )
    return made, fit.choice


def highest_threshold(confidence: Array, weights: Array, spare: float) -> float | None:
    """Return the highest threshold that hands off no more than a weight.

    Args:
        confidence: Of the rows that come to the last tier, shape (n,); −inf where there is none.
        weights: Of the same, shape (n,).
        spare: The weight that may be handed off.

    Returns:
        One of the confidences; 0 where no row comes to the tier; None where rows without a
        confidence alone weigh more.
    """
    if not len(confidence):
        return 0.0
    values, places = np.unique(confidence, return_inverse=True)
    below = np.concatenate([[0.0], np.cumsum(np.bincount(places, weights=weights))[:-1]])
    fits = np.flatnonzero((below <= spare * (1 + 1e-12)) & np.isfinite(values))
    return float(values[fits[-1]]) if len(fits) else None
