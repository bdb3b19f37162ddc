"""The policy as it would be after the changes that were made on the page, before it is saved.

What is kept is the list of changes; the policy is its base with all of them made, one after the
other. So each can be taken back, and all can be made to another base.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_core.log.policies import PolicyVersion
from cascade_core.policy.changes import changes
from cascade_core.policy.document import Policy
from cascade_core.policy.moved import without_void
from cascade_core.review import edits
from cascade_core.review.edits import PlaceOfRule, PolicyEdit
from cascade_core.review.policy_homes import mark_of, plain_of


@dataclass(frozen=True, slots=True)
class DraftState:
    """A draft at one moment.

    Attributes:
        begun: The version that is changed.
        policy: Its policy with the changes.
        edits: What was changed, in order.
        void: Which promises and evidence the changes took away, a sentence each.
        notes: What became of changes that were moved to this base, a sentence each.
        kept: The number of the version that this is kept as; None where it is none yet.
    """

    begun: PolicyVersion
    policy: Policy
    edits: tuple[PolicyEdit, ...] = ()
    void: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    kept: int | None = None

    @property
    def base(self) -> Policy:
        """The policy that is changed."""
        return self.begun.policy


class DraftPolicy:
    """A policy that is being changed; one for all who look at the page.

    A change after which the policy could not be loaded is refused, and the draft stays as it was.

    Args:
        base: The policy that decides now.
        tiers: Tells how many tiers there are where the policy does not; None = it is not known.
    """

    def __init__(
        self, base: Policy | PolicyVersion, tiers: Callable[[], int | None] = lambda: None
    ) -> None:
        self._lock = RLock()
        self._tiers = tiers
        self._now = _unchanged(base)

    @property
    def now(self) -> DraftState:
        """The draft as it is at this moment, all of one piece."""
        return self._now

    @property
    def base(self) -> Policy:
        """The policy that is changed: the one that decided when the changes were begun."""
        return self._now.base

    @property
    def policy(self) -> Policy:
        """The policy with the changes made so far; promises that they void are left out."""
        return self._now.policy

    @property
    def changed(self) -> bool:
        """Whether it is another than its base."""
        return bool(self._now.edits)

    def changes(self) -> list[str]:
        """Say what is different, a line each."""
        now = self._now
        return changes(plain_of(now.base), plain_of(now.policy))

    def set_threshold(self, tier: int, threshold: float, class_name: str | None = None) -> None:
        """Set the threshold of a tier, for all requests or for those of a class.

        Raises:
            ConfigurationError: There is no such tier, or the number is not in [0, 1].
        """
        base = self._now.base
        of_base = base.tiers or next(
            (len(each.thresholds) + 1 for each in base.classes.values()), None
        )
        # Whoever tells may wait for a reader of the log, which itself has the draft follow.
        tiers = of_base or self._tiers() or tier + 2
        with self._lock:
            self._make(edits.threshold_moved(tier, threshold, class_name, tiers))

    def drop_class(self, class_name: str) -> None:
        """Let a class meet the thresholds that requests of all others meet."""
        with self._lock:
            self._make(edits.class_dropped(class_name))

    def add_rule(self, rule: Mapping[str, Any], place: PlaceOfRule | None = None) -> None:
        """Put a rule where it decides and overrules none that keeps data; see `edits.place_for`.

        One of the same name is replaced.

        Args:
            rule: As in a policy file: `name`, `match`, `then`.
            place: Tells where it belongs, where that is not for `place_for` to say.

        Raises:
            ConfigurationError: It is none.
        """
        with self._lock:
            self._make(edits.rule_added(rule, place))

    def remove_rule(self, name: str) -> None:
        """Take a rule out.

        Raises:
            ConfigurationError: There is none of this name.
        """
        with self._lock:
            if name not in {rule.name for rule in self._now.policy.rules}:
                raise ConfigurationError(f"the draft has no rule {name!r}")
            self._make(edits.rule_removed(name))

    def set_rules(self, rules: object) -> None:
        """Replace all rules.

        Args:
            rules: A list of them, in the order in which they are asked.

        Raises:
            ConfigurationError: One cannot be a rule; the message names it and the field.
        """
        with self._lock:
            self._make(edits.rules_by_hand(rules, self._now.policy))

    def undo(self, number: int) -> bool:
        """Take one change back; the others stay.

        Args:
            number: Of the change.

        Returns:
            Whether it was there.

        Raises:
            ConfigurationError: Another change builds on it.
        """
        with self._lock:
            kept = tuple(each for each in self._now.edits if each.number != number)
            if len(kept) == len(self._now.edits):
                return False
            try:
                self._now = _made(self._now.begun, kept)
            except ConfigurationError as error:
                msg = f"this cannot be taken back alone, a later change builds on it ({error})"
                raise ConfigurationError(msg) from None
            return True

    def reset(self, base: Policy | PolicyVersion | None = None) -> None:
        """Forget all changes; begin anew from a policy where one is given."""
        with self._lock:
            self._now = _unchanged(base or self._now.begun)

    def follow(self, current: PolicyVersion) -> None:
        """Begin with what decides now, where nothing was changed yet."""
        with self._lock:
            now = self._now
            if not now.edits and mark_of(current) != mark_of(now.begun):
                self._now = _unchanged(current)

    def move_to(self, base: Policy | PolicyVersion) -> list[str]:
        """Make the changes to another base instead.

        Returns:
            What is to be known of it: what did not fit, and what both had changed.
        """
        with self._lock:
            before, said = self._now, []
            kept: tuple[PolicyEdit, ...] = ()
            made = _unchanged(base)
            begun = made.begun
            for edit in edits.apart(before.edits, before.base):
                if edit.overrules(before.base, begun.policy):
                    said.append(f"both had changed this; yours is in the draft: {edit.said}")
                try:
                    made = _made(begun, (*kept, edit))
                    kept = made.edits
                except ConfigurationError as error:
                    said.append(f"this does not fit, and is left out: {edit.said} ({error})")
            self._now = replace(made, notes=tuple(said))
            return said

    def kept_as(self, number: int, policy: Policy) -> None:
        """Say that a policy is a version now; nothing is said of a draft that has changed since."""
        with self._lock:
            if self._now.policy == policy:
                self._now = replace(self._now, kept=number)

    def _make(self, edit: PolicyEdit) -> None:
        """Make a change; an earlier one of the same thing is not kept."""
        now = self._now
        kept = tuple(each for each in now.edits if not edit.replaces(each))
        made = _made(now.begun, (*kept, edit))
        if made.policy == _made(now.begun, kept).policy:  # as the base has it
            made = _made(now.begun, kept)
        self._now = made


def _unchanged(base: Policy | PolicyVersion) -> DraftState:
    begun = PolicyVersion(base) if isinstance(base, Policy) else base
    return DraftState(begun, begun.policy)


def _made(begun: PolicyVersion, made: Sequence[PolicyEdit]) -> DraftState:
    """Return a base with changes made to it, checked as if it were loaded.

    Raises:
        ConfigurationError: It could not be loaded.
    """
    document: dict[str, Any] = dict(plain_of(begun.policy))
    for edit in made:
        document = edit.apply(document)
    changed = Policy.load(document)
    if not made or changed == begun.policy:
        return _unchanged(begun)
    policy, void = without_void(begun.policy, changed)
    return DraftState(begun, policy, tuple(made), void)
