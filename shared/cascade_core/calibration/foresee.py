"""Fits what a draft's merit is before paid signals are read, so that each is read where it pays.

The merit with every signal read is what is fitted, by what is free (and by paid signals that were
read before): out of fold, as all that thresholds are picked on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from cascade_core.calibration.areas import Areas, Blended, FitTarget, curved
from cascade_core.errors import ConfigurationError
from cascade_core.fitted.artefact import Foresight
from cascade_core.fitted.merits import Merits

SPREADS = (1.0, 0.75, 0.5, 0.25, 0.0)
"""How far readings are tried to move merits; where none serves better, a signal is read wherever it
may change the outcome."""


def with_foresight(chosen: Blended, areas: Areas, fit_target: FitTarget) -> list[Blended]:
    """Return a tier's calibrator with foresight, once for each spread that is tried.

    Args:
        chosen: The calibrator, with all else that merits are made of.
        areas: What it is for.
        fit_target: Fits the tier's drafts to other targets.

    Returns:
        Empty where no paid signal is read, costs do not count, or nothing can be read before.
    """
    paid = [name for name in areas.prices if name in chosen.calibrator.signals]
    target = Merits(chosen.calibrator).of(chosen.parts)
    fits = []
    for place, name in enumerate(paid):
        if areas.prices[name] <= 0:
            continue
        unread = tuple(paid[place:])
        try:
            fits.append((unread, fit_target(target, "logistic", "what readings tell", unread)))
        except ConfigurationError:  # there is nothing else to read
            continue
    if not fits:
        return []
    parts = chosen.parts._replace(foreseen=np.stack([fit.placed for _, fit in fits], axis=1))

    def foreseen(spread: float) -> Iterator[Foresight]:
        for unread, fit in fits:
            price = areas.prices[unread[0]]
            yield Foresight(**curved(fit), unread=unread, price=price, spread=spread)

    return [
        replace(
            chosen,
            calibrator=chosen.calibrator.model_copy(
                update={"foresight": tuple(foreseen(spread)), "usual": areas.usual}
            ),
            parts=parts,
        )
        for spread in SPREADS
    ]
