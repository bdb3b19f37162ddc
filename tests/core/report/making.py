"""Figures to report in tests."""

import numpy as np

from cascade_core.evaluation import sweep
from cascade_core.report.rows import ClassRow


def columns(n=300, seed=0):
    random = np.random.default_rng(seed)
    confidence = random.random(n)
    weak = (random.random(n) < confidence).astype(float)
    strong = (random.random(n) < 0.9).astype(float)
    return confidence, weak, strong, np.full(n, 0.001), np.full(n, 0.01)


def curve():
    return sweep(*columns())


CLASSES = [
    ClassRow("billing [bold]", 1200, 0.91, 0.93, 0.31, 0.36, 0.004),
    ClassRow("$x_{$ <b>&", 900, 0.85, 0.9, 0.55, None, 0.01),
]
