"""What of a policy's evidence is void once other thresholds decide than those that were tested.

A promise says what was tested; it must not stand beside thresholds that were not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cascade_core.policy.document import Policy
from cascade_core.policy.evidence import Promise, Tuned

SINCE = "; thresholds were moved by hand since"
"""What is added to what a policy was tuned for."""


class Kept(NamedTuple):
    """A policy without the evidence that is void.

    Attributes:
        policy: The policy.
        said: What is void and why, a sentence each.
    """

    policy: Policy
    said: tuple[str, ...]


def without_void(base: Policy, changed: Policy) -> Kept:
    """Take out of a changed policy what was tested or counted with the thresholds of its base.

    A promise for all requests is void where any threshold was moved, one for a class where the
    class's were. What `tuned` says of the models and of the rows that were fitted to stays: the
    confidences are the same. What drift compares escalations and harm with goes.

    Args:
        base: The policy as it was.
        changed: The same with other thresholds or rules.
    """
    moved = set(_moved(base, changed))
    if not moved:
        return Kept(changed, ())
    kept = tuple(
        each for each in changed.promises if each.class_name and each.class_name not in moved
    )
    void = [each for each in changed.promises if each not in kept]
    said = [f"void: {_said(each)}; it was tested with the thresholds as they were" for each in void]
    update: dict[str, object] = {"promises": kept} if void else {}
    if changed.tuned is not None:
        update["tuned"] = _of_others(changed.tuned, changed)
        said.append(
            "the escalated share and the harm that it was tuned with say nothing of these "
            "thresholds: cascade drift compares confidences alone until it is tuned again"
        )
    return Kept(changed.model_copy(update=update) if update else changed, tuple(said))


def _moved(base: Policy, changed: Policy) -> Iterator[str | None]:
    """Yield the classes whose thresholds differ; None for requests of any other."""
    promised = {each.class_name for each in base.promises if each.class_name}
    for name in (None, *sorted({*base.classes, *changed.classes, *promised})):
        if _thresholds(base, name) != _thresholds(changed, name):
            yield name


def _thresholds(policy: Policy, class_name: str | None) -> tuple[float, ...] | None:
    own = policy.classes.get(class_name) if class_name else None
    return policy.thresholds if own is None else own.thresholds


def _said(promise: Promise) -> str:
    about = f" of class {promise.class_name!r}" if promise.class_name else ""
    if promise.kind == "harm":
        promised = f"harm{about} of {100 * promise.limit:.4g} % at the most"
    elif promise.kind == "error":
        promised = f"error among the answered ones of {100 * promise.limit:.4g} % at the most"
    else:
        promised = f"quality{about} of {100 * promise.limit:.4g} % of the last tier's"
    return f"the promise of {promised}, {100 * promise.confidence:.4g} % confident"


def _of_others(tuned: Tuned, policy: Policy) -> Tuned:
    rows = [policy.thresholds, *(each.thresholds for each in policy.classes.values())]
    tiers = len(tuned.models) - 1  # the last one's threshold sends nothing on
    given = [row[:tiers] for row in rows if row]
    highest = [max(column) for column in zip(*given, strict=True)]
    objective = tuned.objective if tuned.objective.endswith(SINCE) else tuned.objective + SINCE
    return tuned.model_copy(
        update={"objective": objective, "reference": tuned.reference.moved(highest)}
    )
