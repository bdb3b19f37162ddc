"""What a decision model is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

from cascade_core.frozen import frozen


@frozen
class Decision:
    """A question to a decision model, which writes nothing and answers with probabilities.

    Attributes:
        kind: What is asked for: the probability of yes (`noul`), of every label (`choice`), or of
            every level of a rubric (`score`).
        instructions: The question.
        criteria: What the possible answers mean: by label, by level, or by `true` and `false`.
        state: What the question is about, as plain JSON.
    """

    kind: Literal["noul", "choice", "score"]
    instructions: str
    criteria: Mapping[str, str] | Sequence[str]
    state: Mapping[str, Any] = field(repr=False)
