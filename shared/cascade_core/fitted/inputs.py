"""What a calibrator reads of a draft, as numbers: readings, features of the texts, classes.

Fitting and serving read by this one module, so that both mean the same by an input's name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cascade_core.arrays import Array, Ints
from cascade_core.errors import ConfigurationError
from cascade_core.fitted.curves import logit
from cascade_core.fitted.feature_names import DRAFT, REQUEST
from cascade_core.fitted.score_forms import names_of
from cascade_core.fitted.texts import read_draft, read_request


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What a calibrator may read of `n` drafts of one tier.

    Attributes:
        n: How many rows.
        signals: Readings by signal, shape (n,), NaN where there is none.
        requests: Texts of the requests; None where they are not known.
        responses: Texts of the drafts; None where they are not known.
        classes: Codes into `class_names`, shape (n,), -1 for none.
        class_names: The classes.
    """

    n: int
    signals: Mapping[str, Array]
    requests: Sequence[str] | None = None
    responses: Sequence[str] | None = None
    classes: Ints | None = None
    class_names: Sequence[str] = ()

    def take(self, rows: Ints) -> Inputs:
        """Return some of the rows."""
        numbers = rows.tolist()
        return Inputs(
            len(numbers),
            {name: readings[rows] for name, readings in self.signals.items()},
            None if self.requests is None else [self.requests[row] for row in numbers],
            None if self.responses is None else [self.responses[row] for row in numbers],
            None if self.classes is None else self.classes[rows],
            self.class_names,
        )


def read_values(names: Sequence[str], inputs: Inputs, rows: slice | Ints) -> Array:
    """Read some rows.

    Args:
        names: What to read, as `source:name`.
        inputs: Where to read it; it has all the signals and texts that are named.
        rows: Which rows.

    Returns:
        Shape (names, rows), NaN where there is no reading.
    """
    numbers = np.arange(inputs.n)[rows]
    values = np.empty((len(names), len(numbers)))
    texts = _text_values(names, inputs, numbers)
    for j, given in enumerate(names):
        source, _, name = given.partition(":")
        if source == "signal":
            values[j] = inputs.signals[name][rows]
        elif source == "logit":
            values[j] = logit(inputs.signals[name][rows])
        elif source == "class":
            known = inputs.classes is not None and name in inputs.class_names
            code = list(inputs.class_names).index(name) if known else None
            values[j] = 0.0 if inputs.classes is None else inputs.classes[rows] == code
        else:
            values[j] = texts[given]
    return values


def check_features(names: Sequence[str]) -> None:
    """Raise `ConfigurationError` where a feature of the texts is named that is not known."""
    for source, known in (("request", REQUEST), ("draft", DRAFT)):
        for name in names_of(names, source):
            if name not in known:
                msg = (
                    f"the calibrator reads the unknown feature {source}:{name}; "
                    f"this version knows {', '.join(sorted(known))}"
                )
                raise ConfigurationError(msg)


def _text_values(names: Sequence[str], inputs: Inputs, rows: Ints) -> dict[str, Array]:
    """Return every feature of the texts that is named, one number per row."""
    found: dict[str, Array] = {}
    requests, responses = inputs.requests, inputs.responses
    if requests is None:
        return found
    if of_request := names_of(names, "request"):
        read = [read_request(requests[row]) for row in rows.tolist()]
        for name in of_request:
            found[f"request:{name}"] = np.array([f.get(name, math.nan) for f in read])
    of_draft = names_of(names, "draft")
    if of_draft and responses is not None:
        read = [read_draft(requests[row], responses[row]) for row in rows.tolist()]
        for name in of_draft:
            found[f"draft:{name}"] = np.array([f.get(name, math.nan) for f in read])
    return found
