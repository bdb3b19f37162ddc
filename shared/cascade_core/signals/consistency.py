"""Ask the cheap model again: does it say the same?

Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language
Models" (ICLR 2023) vote over samples; Yue et al., "Large Language Model
Cascades with Mixture of Thoughts Representations for Cost-efficient Reasoning"
(ICLR 2024) escalate when the samples disagree. What counts as agreement is in
`agreement`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Drafts, Note, Steps
from cascade_core.errors import ConfigurationError
from cascade_core.named_arguments import names_checked
from cascade_core.request import Request
from cascade_core.signals.agreement import AgreementKind, comparer, label_of
from cascade_core.signals.asking import why_unanswered
from cascade_core.signals.base import BaseSignal
from cascade_core.signals.readings import Reading
from cascade_core.tier import Tier


@names_checked
class SelfConsistency(BaseSignal):
    """The share of further samples that agree with the draft.

    Paid: every reading calls the draft's own tier `n` times with the same
    request, concurrently where the framework can. The draft is what the samples
    are compared with; it is not a sample itself. Samples that failed are left
    out of the share, so with few left the reading is coarse; with none left
    there is no reading.

    A response cache in front of the model that ignores the sampling serves the
    same sample `n` times; such a reading is worth nothing.

    Args:
        n: How many samples, at least 1.
        temperature: Sampling temperature of the samples, at least 0; None leaves
            the model's own (some reasoning models refuse any other). At 0 the
            samples are nearly alike and the reading says little.
        agreement: `auto`, `exact`, `numeric`, `text`, or a function of the
            draft's and a sample's text that returns whether they agree; see
            `agreement.comparer`. A function that raises gives no reading and
            one warning.
        name: The signal's name in records and policies.

    Raises:
        ConfigurationError: An argument is not one of the above.
    """

    paid = True

    def __init__(
        self,
        n: int = 5,
        *,
        temperature: float | None = 0.7,
        agreement: AgreementKind | Callable[[str, str], bool] = "auto",
        name: str = "self_consistency",
    ) -> None:
        if not _is_count(n):
            msg = f"SelfConsistency(n={n!r}): give a whole number of samples, at least 1"
            raise ConfigurationError(msg)
        if temperature is not None and not _is_temperature(temperature):
            msg = (
                f"SelfConsistency(temperature={temperature!r}): give a number of at least 0, "
                "or None for the model's own"
            )
            raise ConfigurationError(msg)
        self._agree = comparer(agreement)
        self.name = name
        self.n = n
        self.temperature = temperature
        self.agreement = label_of(agreement)

    def measure(self, request: Request, draft: Draft, tier: Tier) -> Steps[Reading]:
        """Sample the tier again and compare."""
        options = {} if self.temperature is None else {"temperature": self.temperature}
        reply = yield Ask(tier, request, purpose="sample", n=self.n, options=options)
        if not isinstance(reply, Drafts) or not reply.drafts:
            why = why_unanswered(reply)
            yield self._note(
                tier,
                f"got no sample{why}; if the model refuses a temperature, set temperature=None",
            )
            return None
        try:
            agreeing = sum(self._agree(draft, sample, request.tools) for sample in reply.drafts)
        except Exception as error:  # noqa: BLE001 - a caller's function may raise anything
            yield self._note(tier, f"its agreement function raised {type(error).__name__}")
            return None
        return agreeing / len(reply.drafts)

    def _note(self, tier: Tier, problem: str) -> Note:
        return Note(
            f"signal:{self.name}:{tier.index}",
            f"signal {self.name!r} on {tier.label}: {problem}; that counts as no reading",
        )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_temperature(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value >= 0
