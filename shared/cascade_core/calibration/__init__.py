"""From labelled rows to a policy: fitted confidences, thresholds and promises.

What a running cascade needs of it is in `fitted`. Each name is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cascade_core.lazy import on_use, shown_before_use

if TYPE_CHECKING:
    from cascade_core.calibration.fit import Fitted, fit_calibrator
    from cascade_core.calibration.objective import TuningError
    from cascade_core.calibration.straight import StraightError
    from cascade_core.calibration.suggesting import Suggestion, suggest
    from cascade_core.calibration.tuning import tune
    from cascade_core.fitted.artefact import Benefit, Calibrator
    from cascade_core.fitted.inputs import Inputs
    from cascade_core.fitted.scorer import Scorer

__all__ = [
    "Benefit",
    "Calibrator",
    "Fitted",
    "Inputs",
    "Scorer",
    "StraightError",
    "Suggestion",
    "TuningError",
    "fit_calibrator",
    "suggest",
    "tune",
]

__getattr__ = on_use(
    __name__,
    {
        "Benefit": "..fitted.artefact",
        "Calibrator": "..fitted.artefact",
        "Fitted": ".fit",
        "Inputs": "..fitted.inputs",
        "Scorer": "..fitted.scorer",
        "StraightError": ".straight",
        "Suggestion": ".suggesting",
        "TuningError": ".objective",
        "fit_calibrator": ".fit",
        "suggest": ".suggesting",
        "tune": ".tuning",
    },
)
__dir__ = shown_before_use(__name__)
