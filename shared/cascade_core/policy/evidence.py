"""What tuning writes into a policy besides the numbers that decide: promises and their evidence.

Nothing here decides anything. It is what a reader of the policy needs to know about where it
came from, and what drift is later measured against.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cascade_core.fitted.score_forms import LARGEST, Share
from cascade_core.policy.reference import Reference

Usd = Annotated[float, Field(strict=True, ge=0, le=LARGEST, allow_inf_nan=False)]


class Promise(BaseModel):
    """A statement about fresh requests that was tested before it was made.

    Attributes:
        kind: `harm`: quality lost by not asking the last tier is at most
            `limit`, a request. `quality`: mean quality is at least `limit` times
            the last tier's. `error`: the answers that are not handed off lack at most `limit`
            of quality 1 on average; where quality is 0 or 1, that share of them is wrong.
        limit: The bound, in [0, 1] for harm and error.
        confidence: How sure it is, as the share of tables like this one on which
            the promise made from them would hold.
        class_name: The class it is about; None = all requests together.
        rows: Independent units it was tested on; nothing was fitted to them. For `error`, only
            those with answers that are not handed off.
        seen: Harm, error, or quality as a share of the last tier's, on those.
        p_value: Of the test that let it pass.
        method: Name of that test.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Literal["harm", "quality", "error"]
    limit: float = Field(strict=True, ge=0, allow_inf_nan=False)
    confidence: Share
    class_name: str | None = None
    rows: int = Field(strict=True, ge=1)
    seen: float = Field(strict=True, ge=0)
    p_value: Share
    method: str


class Figures(BaseModel):
    """What the policy did on the rows it was measured on; all are means per request.

    Attributes:
        n: Rows.
        quality: Mean quality, in [0, 1].
        quality_low: Lower end of its 95 % bootstrap interval.
        quality_high: Upper end.
        strong_quality: Of always asking the last tier.
        cost_usd: Every paid call counted; None where a call is unpriced.
        strong_cost_usd: Of always asking the last tier.
        escalated: Share of requests that the cheapest tier did not answer.
        cost_share: (cost − cheapest) / (last tier − cheapest); None where unpriced.
        harm: Quality lost by not asking the last tier.
        by_tier: Share of requests that each tier answered.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, allow_inf_nan=False)

    n: int = Field(ge=1)
    quality: Share
    quality_low: float | None = None
    quality_high: float | None = None
    strong_quality: Share
    cost_usd: Usd | None = None
    strong_cost_usd: Usd | None = None
    escalated: Share
    cost_share: float | None = None
    harm: Share
    by_tier: tuple[Share, ...] = ()


class ShownEarly(BaseModel):
    """How soon accepted drafts were shown on the rows that the policy was measured on.

    Attributes:
        committed: Share of them that was accepted by first tokens.
        after: Median share of a draft's tokens that was written by then.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, allow_inf_nan=False)

    committed: Share
    after: Share


class Tuned(BaseModel):
    """Where a policy came from.

    Attributes:
        table: Name of the labelled table.
        objective: What was asked for, in words.
        models: The tiers' models as the table names them.
        paid: Signals that are read and had a price: where one says nothing, the draft is sent on.
        choices: For every tier but the last, how its confidence was fitted.
        rows_fitted: Rows that calibrators were fitted to; 0 where they were kept as they were.
        fitted_table: Name of the table that holds those rows, an earlier one where they were kept.
        fitted_marks: What some of those rows are known again by.
        rows_unused: Rows that could not be used, by reason.
        refused: Classes for which nothing could be promised, with the reason; all their
            requests go to the last tier.
        straight: Classes whose requests all go straight to the last tier because that costs
            less than any cascade that serves the objective, with what it costs.
        figures: What the policy did on the rows it was measured on.
        shown: How soon accepted drafts are shown; None where they are shown whole.
        reference: What a stream of requests is later compared with.
        seed: Of the random splits.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, allow_inf_nan=False)

    table: str
    objective: str
    models: tuple[str | None, ...]
    paid: tuple[str, ...] = ()
    choices: tuple[str, ...]
    rows_fitted: int
    fitted_table: str | None = None
    fitted_marks: tuple[int, ...] = ()
    rows_unused: dict[str, int] = Field(default_factory=dict)
    refused: dict[str, str] = Field(default_factory=dict)
    straight: dict[str, str] = Field(default_factory=dict)
    figures: Figures
    shown: ShownEarly | None = None
    reference: Reference
    seed: int = 0
