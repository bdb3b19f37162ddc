"""Says what a policy would do with one request before any model has answered, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_core.invalid import spell
from cascade_core.policy.document import Policy
from cascade_core.policy.matching import Rulebook
from cascade_core.policy.misfits import misfits
from cascade_core.policy.route import Router
from cascade_core.policy.tier_counts import handoff_in
from cascade_core.request import Request
from cascade_core.ruling import Ruling
from cascade_core.setup.thresholds import DEFAULT_THRESHOLD


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a policy would do with a request.

    Attributes:
        rule: The rule that fires; None where none does.
        class_name: The request's class.
        tiers: Indexes of the tiers that may be asked, in order.
        thresholds: What the merits of drafts have to reach, one for every tier but the last; one
            more is the last tier's, below which its answer is handed off.
        why: What decided each of these, in words.
        skipped: Tiers that are not asked, each with the reason that records give.
        judged: The tiers whose drafts are held against a threshold.
        audit: Probability of an audit, where a rule sets it.
        log_content: Whether the log holds the request, where a rule says so.
        warnings: What could not be found out.
    """

    rule: str | None
    class_name: str | None
    tiers: Sequence[int]
    thresholds: Sequence[float]
    why: Sequence[str]
    skipped: Mapping[int, str]
    judged: Sequence[int]
    audit: float | None
    log_content: bool | None
    warnings: Sequence[str]

    @property
    def asked_thresholds(self) -> list[tuple[int, float]]:
        """The tiers whose drafts are held against a threshold, with it."""
        return [(k, self.thresholds[k]) for k in self.judged]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "rule": self.rule,
            "class": self.class_name,
            "tiers": list(self.tiers),
            "thresholds": list(self.thresholds),
            "why": list(self.why),
            "skipped": {str(tier): reason for tier, reason in self.skipped.items()},
            "audit": self.audit,
            "log_content": self.log_content,
        }


def explained(
    policy: Policy,
    request: Request,
    *,
    at: datetime,
    tiers: int | None = None,
    model: str | None = None,
) -> Explanation:
    """Explain what a policy would do with a request.

    Args:
        policy: The policy.
        request: The request; its ruling is set.
        at: When it is asked.
        tiers: How many tiers there are; None takes what the policy is for, else two.
        model: The cheapest tier's model, if it is known.

    Raises:
        ConfigurationError: The policy is for another number of tiers.
    """
    count = _count(policy, tiers)
    warnings: list[str] = []
    book = Rulebook(policy.rules, count, model)
    ruling = book.ruling(request, at, lambda _, text: warnings.append(text))
    request.ruling = ruling
    last = count - 1
    why = [*_of_rules(policy, ruling)]
    if request.class_name is not None and ruling.class_name is None:
        why.append(f"class {request.class_name!r}: the caller names it")
    thresholds, said = _thresholds(policy, request, last)
    if ruling.pin is not None:
        why.append(f"tier {ruling.pin} alone is asked, and what it says is the answer (pinned)")
        skipped = {k: "pinned" for k in range(count) if k != ruling.pin}
    else:
        skipped = {k: "bypassed" for k in range(last) if k in ruling.bypass}
        if skipped:
            why.append(f"{_tiers(skipped)} not asked: the rule says so (bypassed)")
        if ruling.escalate:
            skipped.update(_difficult(policy, request, last, thresholds, skipped, why))
    asked = [k for k in range(count) if k not in skipped]
    judged = [k for k in asked if k != last and ruling.escalate and ruling.pin is None]
    if judged:
        why.extend([said, *_met(policy, request, judged)])
    handoff = thresholds[last] if len(thresholds) > last and ruling.escalate else 0
    if handoff and ruling.pin is None:
        judged.append(last)
        why.append(f"tier {last}'s answer is handed off below {handoff:g}: it is the last tier's")
    if not ruling.escalate and asked[0] != last:
        why.append(
            f"tier {asked[0]}'s draft is the answer whatever its confidence (kept); "
            "a later tier is asked where there is none"
        )
    if ruling.audit is not None:
        why.append(f"audited with probability {ruling.audit:g}: the rule says so")
    if ruling.log_content is not None:
        held = "holds" if ruling.log_content else "does not hold"
        why.append(f"the log {held} prompt and answer: the rule says so")
    return Explanation(
        rule=ruling.rule,
        class_name=request.class_name,
        tiers=asked,
        thresholds=thresholds,
        why=why,
        skipped=dict(sorted(skipped.items())),
        judged=judged,
        audit=ruling.audit,
        log_content=ruling.log_content,
        warnings=warnings,
    )


def _count(policy: Policy, given: int | None) -> int:
    known = policy.tiers
    if given is not None and known is not None and not policy.fits(given):
        msg = f"the policy is for {known} tiers, not {given}"
        raise ConfigurationError(msg)
    count = given or known or _least(policy)
    for misfit in misfits(policy.rules, count):
        raise ConfigurationError(f"the policy's {spell(misfit.path)}: {misfit}; give --tiers")
    return count


def _least(policy: Policy) -> int:
    """Return how many tiers the rules and classes of a policy speak of, at least two."""
    found = [2, *(len(each.thresholds) + 1 for each in policy.classes.values())]
    for rule in policy.rules:
        then = rule.then
        if then.thresholds is not None:
            found.append(len(then.thresholds) + 1)
        if isinstance(then.bypass, tuple):
            found.append(max(then.bypass) + 2)
        if then.pin is not None:
            found.append(then.pin + 1)
    return max(found)


def _of_rules(policy: Policy, ruling: Ruling) -> list[str]:
    if not policy.rules:
        return ["the policy has no rules"]
    if ruling.rule is None:
        return [f"none of its {len(policy.rules)} rules matches"]
    (rule,) = (rule for rule in policy.rules if rule.name == ruling.rule)
    place = policy.rules.index(rule)
    if rule.then.only_names:
        named = f"names the class {ruling.class_name!r}; no rule that does more matches"
        return [f"rule {rule.name!r} (rules[{place}]) matches and {named}"]
    why = [f"rule {rule.name!r} (rules[{place}]) is the first that matches"]
    if ruling.class_name is not None and ruling.class_name != rule.then.class_name:
        why.append(f"class {ruling.class_name!r}: an earlier rule names it")
    return why


def _thresholds(policy: Policy, request: Request, last: int) -> tuple[tuple[float, ...], str]:
    """Return the thresholds that apply, and where they come from."""
    own = policy.classes.get(request.class_name or "")
    given: Sequence[float] | None
    if request.ruling.thresholds is not None:
        given, said = request.ruling.thresholds, "thresholds: the rule's"
    elif own is not None:
        given, said = own.thresholds, f"thresholds: those of the class {request.class_name!r}"
    else:
        given, said = policy.thresholds, "thresholds: the policy's"
    if given is not None:
        lists = request.ruling.thresholds, None if own is None else own.thresholds
        handoff = handoff_in(last + 1, *lists, policy.thresholds)
        return (*given[:last], *(() if handoff is None else (handoff,))), said
    return (DEFAULT_THRESHOLD,) * last, f"thresholds: {DEFAULT_THRESHOLD:g}, as the policy has none"


def _met(policy: Policy, request: Request, judged: Sequence[int]) -> list[str]:
    """Say what is held against the thresholds, and what may reach one before it is finished."""
    said = [
        f"tier {k}'s draft is held against it by its merit: its confidence, and what asking on "
        "would gain"
        for k in judged
        if policy.weighs(k)
    ]
    plain = not request.tools and request.output_schema is None
    for k in judged if plain else ():
        looked = [] if policy.early is None else policy.early[k].checkpoints
        if looked:
            places = ", ".join(str(place.tokens) for place in looked)
            said.append(
                f"tier {k}'s draft may be accepted by its first tokens, after {places} of them "
                "(early commit): nothing takes it back then"
            )
    return said


def _difficult(  # noqa: PLR0913, PLR0917 - all that leaves a tier out
    policy: Policy,
    request: Request,
    last: int,
    thresholds: Sequence[float],
    skipped: Mapping[int, str],
    why: list[str],
) -> dict[int, str]:
    """Return the tiers that the route or a threshold of 1 leaves out, and say so."""
    found: dict[int, str] = {}
    if policy.calibrators is not None:
        found = {
            k: "difficult" for k, t in enumerate(thresholds[:last]) if t >= 1 and k not in skipped
        }
        if found:
            why.append(f"{_tiers(found)} not asked: no draft reaches a threshold of 1")
    if policy.route is not None:
        router = Router(policy.route)
        (row,) = router.skips([request.question], [request.class_name])
        routed = {
            k: "difficult" for k, skip in enumerate(row) if skip and k not in {**skipped, **found}
        }
        if routed:
            why.append(
                f"{_tiers(routed)} not asked: by the policy's route its draft would hardly be "
                "accepted, and costs more than it saves (difficult)"
            )
        else:
            why.append("the route leaves no other tier out")
        found |= routed
    return found


def _tiers(indexes: Collection[int]) -> str:
    listed = ", ".join(map(str, sorted(indexes)))
    return f"tier {listed} is" if len(indexes) == 1 else f"tiers {listed} are"
