"""What the rules of a policy say of one request."""

from __future__ import annotations

from collections.abc import Collection

from cascade_core.frozen import frozen


@frozen
class Ruling:
    """What the rules of a policy say of one request; by default, nothing.

    Attributes:
        rule: Name of the rule that decided, or of the last one that named a class; None where
            none fired.
        class_name: The class that a rule named; None leaves the caller's.
        bypass: Indexes of tiers that are not asked.
        pin: Index of the only tier that may be asked, whatever it says; None = any.
        thresholds: What confidences have to reach instead of the policy's thresholds, one for
            every tier but the last, and one for that where it says so; None leaves them.
        escalate: Whether a draft may be sent on; where not, the first one is the answer.
        audit: Probability of an audit, in [0, 1]; None leaves the cascade's.
        log_content: Whether prompt and answer are kept in the log; None leaves the cascade's.
    """

    rule: str | None = None
    class_name: str | None = None
    bypass: Collection[int] = ()
    pin: int | None = None
    thresholds: tuple[float, ...] | None = None
    escalate: bool = True
    audit: float | None = None
    log_content: bool | None = None

    @property
    def identity(self) -> str:
        """What of it decides who answers, equal for rulings that decide alike."""
        bypass = sorted(self.bypass)
        return repr((self.class_name, bypass, self.pin, self.thresholds, self.escalate))


UNRULED = Ruling()
"""Of a request that no rule is about."""
