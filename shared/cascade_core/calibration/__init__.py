"""From labelled rows to a policy: fitted confidences, thresholds and promises.

What a running cascade needs (`artefact`, `apply`) and what fits it are kept apart,
and each name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cascade_core.calibration.apply import Inputs, Scorer
    from cascade_core.calibration.artefact import Calibrator
    from cascade_core.calibration.fit import Fitted, fit_calibrator
    from cascade_core.calibration.tuning import tune

__all__ = ["Calibrator", "Fitted", "Inputs", "Scorer", "fit_calibrator", "tune"]

_ON_USE = {
    "Calibrator": "artefact",
    "Fitted": "fit",
    "Inputs": "apply",
    "Scorer": "apply",
    "fit_calibrator": "fit",
    "tune": "tuning",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_USE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_ON_USE[name]}"), name)
