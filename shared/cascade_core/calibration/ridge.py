"""Logistic regression with a ridge, for many strengths of it at once, by Newton's method.

A solver made for any problem spends its time on getting started when it is asked a thousand times
about some hundred rows; each strength here starts from the result of the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cascade_core.arrays import Array
from cascade_core.fitted.curves import sigmoid

STEPS = 50
"""Most Newton steps for one strength; five or so are taken."""
CLOSE = 1e-9
"""Decrease of the loss, as a share of it, at which the search ends."""
SHORTEST = 1e-6
"""Share of a step below which it is no use to try a shorter one."""


def ridge_path(
    design: Array, target: Array, weight: Array, penalties: Sequence[float]
) -> Iterator[tuple[Array, float]]:
    """Fit logistic regressions whose ridges grow weaker.

    Each minimises C · Σ weight · log loss + ½ Σ coefficient²; the intercept is free.

    Args:
        design: Shape (n, inputs), standardised, so that one ridge suits all inputs.
        target: Outcomes in [0, 1], shape (n,), not all 0 and not all 1.
        weight: Weight of each row, shape (n,).
        penalties: C of each, strongest ridge (smallest C) first, as each is found from the last.

    Yields:
        Coefficients, shape (inputs,), and intercept for each C; what is not asked for is not
        worked out.
    """
    columns = np.column_stack([design, np.ones(len(design))])
    ridge = np.append(np.ones(design.shape[1]), 0.0)
    share = float(weight @ target / weight.sum())
    at = np.zeros(columns.shape[1])
    at[-1] = np.log(share / (1 - share))
    for penalty in penalties:
        at = _newton(columns, target, penalty * weight, ridge, at)
        yield at[:-1], float(at[-1])


def _newton(columns: Array, target: Array, weight: Array, ridge: Array, at: Array) -> Array:
    logits = columns @ at
    loss = _loss(logits, target, weight, ridge, at)
    for _ in range(STEPS):
        chance = sigmoid(logits)
        gradient = columns.T @ (weight * (chance - target)) + ridge * at
        bent = columns.T @ (columns * (weight * chance * (1 - chance))[:, None])
        bent[np.diag_indices_from(bent)] += ridge + 1e-12 * bent.diagonal().max()
        step = np.linalg.solve(bent, gradient)
        along = columns @ step
        scale, before = 1.0, loss
        while True:
            loss = _loss(logits - scale * along, target, weight, ridge, at - scale * step)
            if loss <= before or scale < SHORTEST:
                break
            scale /= 2
        if loss > before:
            break
        at, logits = at - scale * step, logits - scale * along
        if before - loss <= CLOSE * before:
            break
    return at


def _loss(logits: Array, target: Array, weight: Array, ridge: Array, at: Array) -> float:
    losses = np.logaddexp(0.0, logits) - target * logits
    return float(weight @ losses + 0.5 * ridge @ (at * at))
