"""How what is in use stands and what was proposed, in words for whoever may have to act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cascade_core.policy.document import Policy
from cascade_core.policy.withdrawal import own_rules
from cascade_core.watch.steward import FIRST_FIT, Chosen, StepDone, Steward

STRONG = "strongest"
"""What the state calls the version that sends every request to the strongest tier."""


def called_of(chosen: Chosen | None) -> str:
    """Return what the state calls a policy."""
    return STRONG if chosen is None else f"{chosen.version}.{chosen.place}"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a watch's policies stand after a step.

    Attributes:
        active: Number of the version in use; None where none is.
        stands: Whether it may stay.
        proposed: Number of the version that was proposed last and that nobody has activated.
        offered: Whether that one may be activated.
    """

    active: int | None
    stands: bool
    proposed: int | None
    offered: bool

    @classmethod
    def of(
        cls, steward: Steward, active: int | None, proposed: str | None, numbers: Mapping[str, int]
    ) -> Standing:
        """Look at them.

        Args:
            steward: What decides.
            active: Number of the version in use.
            proposed: What the state calls the policy that was proposed last.
            numbers: The versions' numbers by what the state calls them.
        """
        used = steward.chosen
        number = None if proposed in {None, called_of(used)} else numbers.get(str(proposed))
        choice = None if proposed in {None, STRONG} else Chosen(*map(int, str(proposed).split(".")))
        return cls(
            active=active,
            stands=used is None or steward.stands(used),
            proposed=None if number == active else number,
            offered=choice is None or steward.stands(choice),
        )

    def said(self) -> str:
        """Say it; empty where nothing is in use by a test, and nothing proposed."""
        parts = []
        if not self.stands:
            parts.append(f"version {self.active} is in use and stands no longer: take it back")
        if self.proposed is not None:
            how = (
                "is proposed"
                if self.offered
                else "was proposed, and stands no longer: do not activate it"
            )
            parts.append(f"version {self.proposed} {how}")
        return "; ".join(parts)


def waits(steward: Steward, happened: StepDone, standing: Standing, *, name: str) -> str:
    """Say what a watch waits for, where nothing has happened.

    Args:
        steward: What decides.
        happened: What the step found.
        standing: How the policies stand.
        name: The log's.
    """
    if happened.untested is not None:
        return f"{name}: what is in use cannot be tested on audits: {happened.untested}"
    read = f"{name}: {steward.seen:,} audit{'' if steward.seen == 1 else 's'} read"
    said = standing.said()
    if steward.chosen is not None and standing.stands:
        return f"{read}; what is in use stands{said and f'; {said}'}"
    if said:
        return f"{read}; {said}"
    if happened.needed is not None:
        return f"{read}; needs about {happened.needed:,} more for a promise"
    first = steward.learn_from == 0 and steward.next_fit == FIRST_FIT
    what = "the first fit" if first else "another fit: nothing that was fitted may serve now"
    return f"{read}; needs about {happened.to_fit:,} more for {what}"


def promising(steward: Steward, chosen: Chosen | None, before: Policy | None) -> str:
    """Say what a policy promises that is to decide.

    Args:
        steward: Whose choice it is.
        chosen: It; None is the strongest tier alone.
        before: The policy that decided so far, whose rules go on.
    """
    if chosen is None:
        return "every request goes to the strongest tier"
    trial = steward.trial_of(chosen)
    said = (
        f"harm {trial.mean_harm()[chosen.place]:.2%} on {trial.rows:,} audits after it was "
        f"frozen, at most {steward.goal.harm:.2%} promised; it saves about "
        f"{trial.saving()[chosen.place]:.0%} of the strongest tier's cost"
    )
    own = () if before is None else own_rules(before.rules)
    if past := [repr(rule.name) for rule in own if rule.then.bypass is True]:
        rules = "rule" if len(past) == 1 else "rules"
        said += f", less what {rules} {', '.join(past)} may send past the cheaper tiers"
    return said
