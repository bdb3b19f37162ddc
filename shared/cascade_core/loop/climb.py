"""What one request has come to so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cascade_core.abilities import Missing
from cascade_core.call import Purpose
from cascade_core.draft import Draft
from cascade_core.loop.trail import Trail, TrailEntry
from cascade_core.verdict import Judgement

if TYPE_CHECKING:
    from cascade_core.fitted.commitment import Reached
    from cascade_core.request import Request
    from cascade_core.setup.plan import Plan
    from cascade_core.tier import Tier


@dataclass(slots=True)
class Climb:
    """What one request has come to so far."""

    plan: Plan
    request: Request
    streamed: bool
    trail: Trail
    judged: Judgement
    judgements: list[Judgement] = field(default_factory=list)
    drafts: list[tuple[Tier, Judgement, TrailEntry]] = field(default_factory=list)
    causes: list[tuple[str, BaseException]] = field(default_factory=list)
    unable: dict[int, Sequence[Missing]] = field(default_factory=dict)
    purpose: Purpose = "draft"
    budget: str | None = None  # that had no room for a call
    void: bool = False  # whether a decision was taken below its threshold because of that


@dataclass(slots=True)
class Answered:
    """A tier's answer.

    Attributes:
        draft: The answer.
        chunks: What it came in, as far as it was held back.
        reached: Where it was committed to while it was being written: then the caller has it.
    """

    draft: Draft
    chunks: Sequence[object] = ()
    reached: Reached | None = None
