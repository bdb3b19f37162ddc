"""Figures to report in tests."""

import numpy as np

from cascade_core.evaluation import sweep
from cascade_core.policy.evidence import Figures


def columns(n=300, seed=0):
    random = np.random.default_rng(seed)
    confidence = random.random(n)
    weak = (random.random(n) < confidence).astype(float)
    strong = (random.random(n) < 0.9).astype(float)
    return confidence, weak, strong, np.full(n, 0.001), np.full(n, 0.01)


def curve():
    return sweep(*columns())


def measured(**changes):
    """What a policy did, as it keeps it."""
    usual = {
        "n": 1200,
        "quality": 0.9,
        "strong_quality": 1.0,
        "cost_usd": 0.004,
        "strong_cost_usd": 0.01,
        "escalated": 0.3,
        "cost_share": 0.4,
        "harm": 0.02,
    }
    return Figures(**(usual | changes))


CLASSES = {
    "billing [bold]": measured(
        quality=0.91, strong_quality=0.93, escalated=0.31, cost_share=0.36, harm=0.004
    ),
    "$x_{$ <b>&": measured(
        n=900, quality=0.85, strong_quality=0.9, escalated=0.55, cost_share=None, harm=0.01
    ),
}
