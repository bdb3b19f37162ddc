"""Signals: readings of a draft in [0, 1], or no reading.

*Free* signals read the draft as it is (`SequenceLogprob`, `TokenMargin`,
`Grounding` without a judge, `Difficulty`, any function of yours); *paid* ones ask for further
calls (`Agreement`, `SelfConsistency`, `Judge`, `Claims`, `Verbalized`, `Grounding` with
a judge), and those calls are in the costs. Most cascades need only the first two; the others
are imported when they are first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cascade_core.lazy import on_use, shown_before_use
from cascade_core.signals.base import BaseSignal, FunctionSignal, Signal, SignalFunction
from cascade_core.signals.logprob import SequenceLogprob, TokenMargin
from cascade_core.signals.readings import Combine, Combiner, Reading

if TYPE_CHECKING:
    from cascade_core.signals.claims import Claims
    from cascade_core.signals.consistency import SelfConsistency
    from cascade_core.signals.difficulty import Difficulty
    from cascade_core.signals.grounding import Grounding
    from cascade_core.signals.judge import Judge
    from cascade_core.signals.partners import Agreement
    from cascade_core.signals.verbal import Verbalized

__all__ = [
    "Agreement",
    "BaseSignal",
    "Claims",
    "Combine",
    "Combiner",
    "Difficulty",
    "FunctionSignal",
    "Grounding",
    "Judge",
    "Reading",
    "SelfConsistency",
    "SequenceLogprob",
    "Signal",
    "SignalFunction",
    "TokenMargin",
    "Verbalized",
]

__getattr__ = on_use(
    __name__,
    {
        "Agreement": ".partners",
        "Claims": ".claims",
        "Difficulty": ".difficulty",
        "Grounding": ".grounding",
        "Judge": ".judge",
        "SelfConsistency": ".consistency",
        "Verbalized": ".verbal",
    },
)
__dir__ = shown_before_use(__name__)
