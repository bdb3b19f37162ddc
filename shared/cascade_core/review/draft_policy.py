"""The policy as it would be after the changes that were made on the page, before it is saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from threading import Lock
from typing import Any

from cascade_core.policy.changes import changes
from cascade_core.policy.document import Policy


class DraftPolicy:
    """A policy that is being changed; one for all who look at the page.

    Args:
        base: The policy that decides now.

    Attributes:
        base: The same.
    """

    def __init__(self, base: Policy) -> None:
        self.base = base
        self._lock = Lock()
        self._policy = base

    @property
    def policy(self) -> Policy:
        """The policy with the changes made so far."""
        return self._policy

    @property
    def changed(self) -> bool:
        """Whether it is another than the one that decides now."""
        return self._policy != self.base

    def changes(self) -> list[str]:
        """Say what is different, a line each."""
        return changes(_plain(self.base), _plain(self._policy))

    def set_threshold(self, tier: int, threshold: float, class_name: str | None = None) -> None:
        """Set the threshold of a tier, for all requests or for those of a class.

        Raises:
            ConfigurationError: There is no such tier, or the number is not in [0, 1].
        """
        with self._lock:
            others = list(self._policy.thresholds or ())
            if class_name is None:
                others[tier] = threshold
                self._policy = self._policy.model_copy(update={"thresholds": others})
                return
            classes = _plain(self._policy).get("classes", {})
            own = list(classes.get(class_name, {}).get("thresholds", others))
            own[tier] = threshold
            classes[class_name] = {"thresholds": own}
            self._policy = self._policy.model_copy(update={"classes": classes})

    def add_rule(self, rule: Mapping[str, Any]) -> None:
        """Put a rule before all others; one of the same name is replaced.

        Args:
            rule: As in a policy file: `name`, `match`, `then`.

        Raises:
            ConfigurationError: It is none.
        """
        with self._lock:
            kept = [r for r in _plain(self._policy).get("rules", []) if r["name"] != rule["name"]]
            self._policy = self._policy.model_copy(update={"rules": [dict(rule), *kept]})

    def remove_rule(self, name: str) -> None:
        """Take a rule out."""
        with self._lock:
            kept = [r for r in _plain(self._policy).get("rules", []) if r["name"] != name]
            self._policy = self._policy.model_copy(update={"rules": kept})

    def reset(self, base: Policy | None = None) -> None:
        """Forget all changes; begin anew from a policy where one is given."""
        with self._lock:
            self.base = base or self.base
            self._policy = self.base


def _plain(policy: Policy) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(policy.model_dump_json(exclude_none=True))
    return plain
