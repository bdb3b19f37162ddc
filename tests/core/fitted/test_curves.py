"""Curves from scores to probabilities."""

import numpy as np

from cascade_core.fitted.artefact import Isotonic, Platt
from cascade_core.fitted.curves import make_curve


def test_a_reading_that_is_missing_stays_missing():
    for curve in (Platt(slope=1.0, intercept=0.0), Isotonic(x=(0.5,), y=(0.5,)), None):
        assert np.isnan(make_curve(curve)(np.array([np.nan]))).all()
