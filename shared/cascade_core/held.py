"""What earlier steps of a turn, or of a conversation, have decided for a request."""

from __future__ import annotations

from typing import Literal

from cascade_core.frozen import frozen

HeldBy = Literal["turn", "tools", "conversation"]


@frozen
class Held:
    """A decision that holds for a request.

    Attributes:
        tier: Index of the tier that is asked first; its draft has to pass the gates alone.
        by: What it holds for: the user's turn, the tool calls of that turn alone, or the
            conversation.
        since: Id of the decision that began it; None where it is not known.
    """

    tier: int
    by: HeldBy
    since: str | None = None


@frozen
class Left:
    """A stay on a stronger tier that a request is not held to, while that tier's cache is warm.

    Attributes:
        tier: Index of the tier.
        at: When it answered last, as `time.time()` has it.
        share: What its answer costs, as a share of what it would with a cold cache; 1 where
            that is not known.
    """

    tier: int
    at: float
    share: float = 1.0
