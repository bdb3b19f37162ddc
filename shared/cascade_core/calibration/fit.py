"""Which confidence to trust: every candidate cross-fitted, the plainest of the good ones kept.

A candidate is a score (one signal, or a learned combination) and a curve. Each is judged
on rows that neither its score nor its curve was fitted to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Literal, TypeAlias

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.calibration.apply import Inputs, Scorer
from cascade_core.calibration.artefact import (
    Boosting,
    Calibrator,
    Isotonic,
    Logistic,
    Platt,
    Signal,
)
from cascade_core.calibration.curves import Binned, make_curve
from cascade_core.calibration.features import DRAFT, REQUEST
from cascade_core.calibration.folds import folds
from cascade_core.calibration.learn import (
    Prepared,
    fit_boosting,
    fit_logistic,
    learnable,
    learned_scores,
    prepare,
)
from cascade_core.errors import ConfigurationError
from cascade_core.table import Table
