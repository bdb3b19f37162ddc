"""Which tier to ask next: the expected cost and quality of every way to go on.

A cascade pays for the cheap draft also when it is not used. Where the request alone says that
a draft will hardly be accepted, asking for it costs more than it saves, and going straight to
a later tier is the better way on. After Dekoninck, Baader, Vechev, "A Unified Approach to
Routing and Cascading for LLMs" (ICML 2025): every way on has an expected quality and an
expected cost, and the best trade between the two is taken.

For a request x and tiers k..K the value of asking tier k next, in USD, is

    V_k(x) = a_k(x) · worth · q_k − c_k + (1 − a_k(x)) · max over later j of V_j(x)

with a_k the probability that its draft is accepted, q_k the mean quality of the drafts that
are, c_k what a draft and its signals cost, and `worth` what an answer's quality is worth in
USD. The last tier is always accepted. A tier is left out when some later tier is worth more.
Accepting a draft is the third way: it is taken when the draft's confidence reaches the tier's
threshold, the quality below which asking on is worth its price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.score_forms import Share
from cascade_core.policy.evidence import Usd

if TYPE_CHECKING:
    from cascade_core.arrays import Array, Flags


class Stage(BaseModel):
    """What is known of one tier before it is asked.

    Attributes:
        cost_usd: Mean cost of a draft and of the signals that judge it.
        quality: Mean quality of its drafts that were accepted; of the last tier, of all.
        accepted: Share of its drafts that were accepted.
        accepts: The probability of that, from the request alone; None = `accepted` for all.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    cost_usd: Usd
    quality: Share
    accepted: Share = 1.0
    accepts: Calibrator | None = None


class Route(BaseModel):
    """What is known of the tiers before any of them is asked.

    Attributes:
        stages: One for every tier.
        worth: USD that one unit of quality per request is worth; 0 compares costs alone, which
            is right where thresholds already hold the quality.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    worth: Usd = 0.0

    @property
    def reads_text(self) -> bool:
        """Whether it reads the request's text."""
        return any(s.accepts is not None and s.accepts.reads_text for s in self.stages)


def values(route: Route, accepted: Sequence[Array]) -> Array:
    """Return V_k(x), in USD.

    Args:
        route: Costs and qualities.
        accepted: a_k(x) for every tier but the last, each of shape (n,).

    Returns:
        Shape (n, tiers).
    """
    import numpy as np  # noqa: PLC0415 - loading a policy stays quick

    last = route.stages[-1]
    best = np.full(len(accepted[0]) if accepted else 1, route.worth * last.quality - last.cost_usd)
    columns = [best]
    for stage, share in zip(reversed(route.stages[:-1]), reversed(accepted), strict=True):
        gain = share * route.worth * stage.quality - stage.cost_usd
        columns.append(gain + (1 - share) * best)
        best = np.maximum(best, columns[-1])
    return np.stack(columns[::-1], axis=1)


def skips(values: Array) -> Flags:
    """Return which tiers are better left out, as some later tier is worth more.

    Args:
        values: V_k(x), shape (n, tiers).

    Returns:
        Shape (n, tiers); the last tier is never left out.
    """
    import numpy as np  # noqa: PLC0415

    best_later = np.maximum.accumulate(values[:, :0:-1], axis=1)[:, ::-1]
    skipped = np.zeros(values.shape, dtype=bool)
    skipped[:, :-1] = best_later > values[:, :-1]
    return skipped


class Router:
    """A route made ready; one implementation for one request and for a million.

    Args:
        route: What the policy holds.
    """

    def __init__(self, route: Route) -> None:
        from cascade_core.fitted.scorer import Scorer  # noqa: PLC0415 - brings numpy

        self.route = route
        self._chances = [
            (stage.accepted, None if stage.accepts is None else Scorer(stage.accepts))
            for stage in route.stages[:-1]
        ]

    def skips(
        self,
        requests: Sequence[str],
        classes: Sequence[str | None] | None = None,
        shares: Mapping[int, float] | None = None,
    ) -> Flags:
        """Return which tiers requests had better leave out.

        Args:
            requests: Texts of n requests.
            classes: Their classes.
            shares: What tiers cost, as a share of `Stage.cost_usd`, where their provider's prompt
                cache is warm.

        Returns:
            Shape (n, tiers).
        """
        import numpy as np  # noqa: PLC0415

        from cascade_core.fitted.inputs import Inputs  # noqa: PLC0415

        inputs = Inputs(len(requests), {}, requests)
        accepted = [
            np.full(len(requests), share) if scorer is None else scorer.rows(inputs, classes)
            for share, scorer in self._chances
        ]
        route = self.route
        if shares:
            stages = [
                stage.model_copy(update={"cost_usd": stage.cost_usd * shares.get(place, 1.0)})
                for place, stage in enumerate(route.stages)
            ]
            route = route.model_copy(update={"stages": tuple(stages)})
        return skips(values(route, accepted))
