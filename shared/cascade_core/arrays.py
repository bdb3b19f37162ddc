"""The types of arrays that tables, calibration and evaluation pass to each other."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
"""Numbers, one a row unless said otherwise; NaN where there is none."""

Ints: TypeAlias = npt.NDArray[np.int64]
"""Row numbers, folds or codes."""

Flags: TypeAlias = npt.NDArray[np.bool_]
"""Yes or no."""
