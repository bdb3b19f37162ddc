"""What graders are shown, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from cascade_core.draft import Draft
from cascade_core.effects import Steps
from cascade_core.loop.trail import Trail
from cascade_core.request import Request
from cascade_core.tier import Tier

Quality: TypeAlias = float | None


@dataclass(frozen=True, slots=True)
class Case:
    """What a grader is shown of one request.

    Attributes:
        request: What was asked.
        text: The same as one text.
        reference: The right answer, where it is known.
        drafts: Every tier's answer, None where it failed; the last tier last.
        trail: Where calls of a grader are written down.
    """

    request: Request
    text: str = field(repr=False)
    reference: str | None = field(repr=False)
    drafts: Sequence[tuple[Tier, Draft | None]]
    trail: Trail


@dataclass(frozen=True, slots=True)
class Grade:
    """What a grader says of one answer.

    Attributes:
        quality: How good it is, in [0, 1]; None = not known.
        problem: What kept the grader from telling, so that mended it may; None where it told,
            where it does not know, or where there is no answer. No text of a request or an
            answer.
    """

    quality: Quality = None
    problem: str | None = None


class Grader(Protocol):
    """Says how good every tier's answer is.

    Attributes:
        name: Says how it grades.
        identity: Equal for graders that grade alike, in any process.
        needs_reference: Whether it can say nothing without a reference.
        paid: Whether it calls models.
    """

    @property
    def name(self) -> str:
        """Say how it grades."""
        ...

    @property
    def identity(self) -> str:
        """Tell graders apart that do not grade alike."""
        ...

    @property
    def needs_reference(self) -> bool:
        """Whether it can say nothing without a reference."""
        ...

    @property
    def paid(self) -> bool:
        """Whether it calls models."""
        ...

    def grade(self, case: Case) -> Steps[list[Grade]]:
        """Return a grade for every tier."""
        ...
