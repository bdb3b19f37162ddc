"""From labelled rows to a policy: fitted confidences, thresholds and promises.

What a running cascade needs (`artefact`, `apply`) and what fits it are kept apart,
and each name is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cascade_core.lazy import on_use

if TYPE_CHECKING:
    from cascade_core.calibration.apply import Inputs, Scorer
    from cascade_core.calibration.artefact import Calibrator
    from cascade_core.calibration.fit import Fitted, fit_calibrator
    from cascade_core.calibration.tuning import tune

__all__ = ["Calibrator", "Fitted", "Inputs", "Scorer", "fit_calibrator", "tune"]

__getattr__ = on_use(
    __name__,
    {
        "Calibrator": "artefact",
        "Fitted": "fit",
        "Inputs": "apply",
        "Scorer": "apply",
        "fit_calibrator": "fit",
        "tune": "tuning",
    },
)
