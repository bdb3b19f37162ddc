"""Learns from requests alone which drafts will hardly be accepted, so that they are not paid for.

The same logistic machinery as for confidences, with nothing to read but the request. Whether
leaving tiers out pays is then decided by `policy.route`; here that is checked on rows that the
models had not seen, and a route that saves nothing is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from cascade_core.arrays import Array, Flags
from cascade_core.calibration.fit import Fitted, fit_calibrator
from cascade_core.calibration.progress import Progress, Told, unheard
from cascade_core.evaluation.scored import Scored, serve
from cascade_core.labels import Table
from cascade_core.policy.route import Route, Stage, skips, values
from cascade_core.statistics.standard_error import mean_with_error

_EACH_WAY = 30
"""Accepted and rejected drafts that a tier needs before anything is learned about it."""
_SURE = 2.0
"""Standard errors by which a saving must stand above zero."""


def fit_from_request(
    table: Table, tier: int, target: Array, *, seed: int = 0, told: Told = unheard
) -> Fitted:
    """Fit the probability of something about a tier's drafts from the request alone.

    Args:
        table: A table with requests.
        tier: Which tier.
        target: Outcomes in [0, 1], shape (n,); NaN where not known.
        seed: Of the folds.
        told: Told of progress.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    return fit_calibrator(
        table,
        tier,
        signals=(),
        method="logistic",
        target=target,
        texts=("request",),
        seed=seed,
        told=told,
    )


def fit_route(
    rows: Table,
    scored: Scored,
    thresholds: Sequence[float],
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Route, Flags] | None:
    """Find out which requests had better skip which tiers.

    Args:
        rows: The rows to learn from, with requests.
        scored: The same rows' confidences, costs and qualities.
        thresholds: One for every tier but the last, that every draft meets as yet.
        seed: Of the folds.
        progress: Told of every tier.

    Returns:
        The route, and which tiers each row would have skipped by models that had not seen it,
        shape (n, tiers). None where there are no requests or costs to go by, too few rows, no
        scikit-learn, or no saving that stands out from chance.
    """
    if rows.requests is None or not scored.priced or find_spec("sklearn") is None:
        return None
    served = serve(scored, thresholds)
    stages: list[Stage] = []
    accepts: list[Array] = []
    for k in range(len(scored.confidences)):
        asked, taken = served.asked[:, k], (served.tier == k).astype(np.float64)
        good = int(taken[asked].sum())
        if min(good, int(asked.sum()) - good) < _EACH_WAY:
            return None
        told = (progress or Progress()).part(f"learning which requests skip tier {k}")
        fitted = fit_from_request(rows, k, np.where(asked, taken, np.nan), seed=seed, told=told)
        accepts.append(fitted.confidence)
        stages.append(
            Stage(
                cost_usd=_mean(served.spent[asked, k], _part(scored.weights, asked)),
                quality=_mean(scored.qualities[k][taken > 0], None),
                accepted=good / int(asked.sum()),
                accepts=fitted.calibrator,
            )
        )
    last = _mean(scored.costs[-1], scored.weights), _mean(scored.qualities[-1], scored.weights)
    route = Route(stages=(*stages, Stage(cost_usd=last[0], quality=last[1])))
    skipped = skips(values(route, accepts))
    saved, error = mean_with_error(
        served.cost - serve(skipping(scored, skipped), thresholds).cost, scored.weights
    )
    return (route, skipped) if saved > _SURE * error else None


def skipping(scored: Scored, skipped: Flags) -> Scored:
    """Return rows as they are where some tiers are not asked."""
    tiers = range(len(scored.confidences))
    return replace(
        scored,
        confidences=tuple(np.where(skipped[:, k], np.nan, scored.confidences[k]) for k in tiers),
        merits=tuple(
            np.where(skipped[:, k], np.nan, merit) for k, merit in enumerate(scored.merits)
        ),
        costs=(*(np.where(skipped[:, k], 0.0, scored.costs[k]) for k in tiers), scored.costs[-1]),
        paid=tuple(
            tuple(replace(r, low=np.where(skipped[:, k], np.nan, r.low)) for r in scored.read(k))
            for k in tiers
        ),
        skipped=skipped,
    )


def _part(weights: Array | None, rows: Flags) -> Array | None:
    return None if weights is None else weights[rows]


def _mean(of: Array, weights: Array | None) -> float:
    return float(np.average(of, weights=weights)) if len(of) else 0.0
