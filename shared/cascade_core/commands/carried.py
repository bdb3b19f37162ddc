"""Which rules a tuned policy gets: rules are a team's and not tuning's, and must not get lost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cascade_core.errors import ConfigurationError
from cascade_core.invalid import spell
from cascade_core.log.policies import PolicyStore, PolicyVersion, load_policy
from cascade_core.log.urls import is_url, shown_source
from cascade_core.policy.document import Policy
from cascade_core.policy.misfits import misfits
from cascade_core.policy.rules import Rule
from cascade_core.policy.withdrawal import own_rules


@dataclass(frozen=True, slots=True)
class CarriedRules:
    """Rules for a policy that is tuned.

    Attributes:
        rules: The rules; empty where there are none to carry.
        source: Where they come from, as it is shown.
        asked: Whether the caller named it.
    """

    rules: tuple[Rule, ...] = ()
    source: str = ""
    asked: bool = False

    def fit(self, tiers: int) -> None:
        """Raise `ConfigurationError` where a rule is for other tiers."""
        for misfit in misfits(self.rules, tiers):
            instead = "mend it there, or give --no-rules"
            raise ConfigurationError(f"{self.source}: {spell(misfit.path)}: {misfit}; {instead}")

    def into(self, policy: Policy) -> Policy:
        """Return a policy with these rules."""
        return policy.model_copy(update={"rules": self.rules}) if self.rules else policy

    def said(self) -> str:
        """Say in one line what was carried, if anything was."""
        if not self.rules:
            return ""
        out = "" if self.asked else "; --no-rules leaves them out"
        return f"{counted_rules(self.rules)} carried over from {self.source}{out}\n"


def carried_rules(
    table: str, *, policy: str | None, rules: str | None, leave_out: bool
) -> CarriedRules:
    """Find the rules that a tuned policy is to have.

    Args:
        table: What is tuned on.
        policy: The policy whose calibrators are kept, if any.
        rules: A policy's file, or the URL of a database whose active policy has them.
        leave_out: Whether there are to be none.

    Raises:
        ConfigurationError: Both are given, what was named has no rules, or cannot be read.
    """
    if rules is not None:
        if leave_out:
            raise ConfigurationError("--rules and --no-rules do not go together: give one of them")
        found = _of(load_policy(rules), shown_source(rules), asked=True)
        if not found.rules:
            raise ConfigurationError(f"--rules: {found.source} has no rules: leave --rules out")
        return found
    if leave_out:
        return CarriedRules()
    if policy is not None and (found := _of(load_policy(policy), shown_source(policy))).rules:
        return found
    if is_url(table) and (store := PolicyStore(table, named="")).active_number() is not None:
        return _of(store.active(), store.shown)
    return CarriedRules()


def lost_rules(path: Path) -> str | None:
    """Say that a file that is about to be replaced has rules, if it has."""
    try:
        rules = own_rules(Policy.load(path).rules) if path.is_file() else ()
    except ConfigurationError:  # whatever it is, it decides nothing
        return None
    if not rules:
        return None
    return (
        f"{path} had {counted_rules(rules)}, and the policy that replaces it has none: "
        f"--rules {path}.bak takes them along"
    )


def counted_rules(rules: tuple[Rule, ...]) -> str:
    """Return how many rules there are, with their names."""
    names = ", ".join(repr(rule.name) for rule in rules)
    return f"{len(rules):,} rule{'' if len(rules) == 1 else 's'} ({names})"


def _of(version: PolicyVersion, shown: str, *, asked: bool = False) -> CarriedRules:
    number = "" if version.number is None else f", version {version.number}"
    return CarriedRules(own_rules(version.policy.rules), f"{shown}{number}", asked)
