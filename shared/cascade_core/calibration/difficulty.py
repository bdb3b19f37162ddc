"""Learns from requests alone which drafts will hardly be accepted, so that they are not paid for.

The same logistic machinery as for confidences, with nothing to read but the request. Whether
leaving tiers out pays is then decided by `policy.route`; here that is checked on rows that the
models had not seen, and a route that saves nothing is not kept.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from cascade_core.arrays import Array, Flags
from cascade_core.calibration.fit import Fitted, fit_calibrator
from cascade_core.calibration.pipeline import Scored, Served, serve
from cascade_core.policy.route import Route, Stage, skips, values
from cascade_core.table import Table

EACH_WAY = 30
"""Accepted and rejected drafts that a tier needs before anything is learned about it."""
SURE = 2.0
"""Standard errors by which a saving must stand above zero."""


def fit_from_request(table: Table, tier: int, target: Array, *, seed: int = 0) -> Fitted:
    """Fit the probability of something about a tier's drafts from the request alone.

    Args:
        table: A table with requests.
        tier: Which tier.
        target: Outcomes in [0, 1], shape (n,); NaN where not known.
        seed: Of the folds.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    return fit_calibrator(
        table, tier, signals=(), method="logistic", target=target, texts=("request",), seed=seed
    )


def fit_route(
    rows: Table, scored: Scored, served: Served, *, seed: int = 0
) -> tuple[Route, Flags] | None:
    """Find out which requests had better skip which tiers.

    Args:
        rows: The rows to learn from, with requests.
        scored: The same rows' confidences, costs and qualities.
        served: What thresholds did with them while every tier was asked.
        seed: Of the folds.

    Returns:
        The route, and which tiers each row would have skipped by models that had not seen it,
        shape (n, tiers). None where there are no requests or costs to go by, too few rows, no
        scikit-learn, or no saving that stands out from chance.
    """
    costs = np.stack(scored.costs, axis=1)
    if rows.requests is None or np.isnan(costs).any() or find_spec("sklearn") is None:
        return None
    stages: list[Stage] = []
    accepts: list[Array] = []
    for k in range(len(scored.confidences)):
        asked, taken = served.asked[:, k], (served.tier == k).astype(np.float64)
        good = int(taken[asked].sum())
        if min(good, int(asked.sum()) - good) < EACH_WAY:
            return None
        fitted = fit_from_request(rows, k, np.where(asked, taken, np.nan), seed=seed)
        accepts.append(fitted.confidence)
        stages.append(
            Stage(
                cost_usd=_mean(scored.costs[k], scored.weights),
                quality=_mean(scored.qualities[k][taken > 0], None),
                accepted=good / int(asked.sum()),
                accepts=fitted.calibrator,
            )
        )
    last = _mean(scored.costs[-1], scored.weights), _mean(scored.qualities[-1], scored.weights)
    route = Route(stages=(*stages, Stage(cost_usd=last[0], quality=last[1])))
    skipped = skips(values(route, accepts))
    return (route, skipped) if _pays(scored, served, skipped) else None


def skipping(scored: Scored, skipped: Flags) -> Scored:
    """Return rows as they are where some tiers are not asked."""
    tiers = range(len(scored.confidences))
    return replace(
        scored,
        confidences=tuple(np.where(skipped[:, k], np.nan, scored.confidences[k]) for k in tiers),
        costs=(*(np.where(skipped[:, k], 0.0, scored.costs[k]) for k in tiers), scored.costs[-1]),
        skipped=skipped,
    )


def _pays(scored: Scored, served: Served, skipped: Flags) -> bool:
    """Tell whether skipping saved money on rows its models had not seen, beyond chance."""
    if not skipped.any():
        return False
    # The thresholds that were used accept exactly what was accepted.
    certain = tuple(np.where(served.tier == k, 1.0, 0.0) for k in range(len(scored.confidences)))
    again = serve(skipping(replace(scored, confidences=certain), skipped), [0.5] * len(certain))
    saved = served.cost - again.cost
    weights = np.ones(len(saved)) if scored.weights is None else scored.weights
    mean = float(np.average(saved, weights=weights))
    error = float(np.sqrt(np.sum(weights**2 * (saved - mean) ** 2)) / weights.sum())
    return mean > SURE * error


def _mean(of: Array, weights: Array | None) -> float:
    return float(np.average(of, weights=weights)) if len(of) else 0.0
