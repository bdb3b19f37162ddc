"""What earlier steps of a turn, or of a conversation, have decided for a request."""

from __future__ import annotations

from typing import Literal

from cascade_core.frozen import frozen

HeldBy = Literal["turn", "conversation"]


@frozen
class Held:
    """A decision that holds for a request.

    Attributes:
        tier: Index of the tier that is asked first; its draft has to pass the gates alone.
        by: What it holds for: the user's turn, or the conversation.
        since: Id of the decision that began it; None where it is not known.
    """

    tier: int
    by: HeldBy
    since: str | None = None
