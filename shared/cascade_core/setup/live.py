"""The plan of a cascade whose policy may change while it runs.

A file is read again when it changes, a database gives its active version. Each request takes the
plan once, when it begins, so it is judged by one version from its first draft to its audit. What
cannot be read, or does not fit the cascade, leaves the plan as it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import sleep, time
from typing import Any, Protocol

from cascade_core.errors import ConfigurationError, error_name
from cascade_core.log.policies import PolicyStore, PolicyVersion
from cascade_core.log.urls import is_url
from cascade_core.policy.document import Policy
from cascade_core.policy.withdrawal import is_withdrawal
from cascade_core.setup.plan import Plan
from cascade_core.setup.watching import look_after

_FRESH = 2.0
"""Seconds after a change in which another one may leave a file's time and size as they are."""

_SETTLE = 0.1
"""Seconds for which a changed file must stay the same to be taken over."""


class PolicySource(Protocol):
    """Where a policy is kept.

    Attributes:
        shown: How warnings call it.
    """

    shown: str

    def read(self) -> PolicyVersion | None:
        """Return what is there now; None where a cascade may begin without any.

        Raises:
            ConfigurationError: It cannot be read, or is no policy.
        """
        ...

    def newer(self, than: PolicyVersion | None) -> PolicyVersion | None:
        """Return what is there now, if it is another version.

        Raises:
            ConfigurationError: It cannot be read, or is no policy.
        """
        ...


class PolicyFile:
    """A policy in a file.

    Args:
        path: As the caller gave it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._given = Path(path)
        self._path = self._given.absolute()  # the program may go to another folder
        self.shown = f"policy {path}"
        self._seen: tuple[int, ...] | None = None

    def read(self) -> PolicyVersion:
        """Return what the file holds."""
        self._seen = self._signature()
        return PolicyVersion(Policy.load(self._given), file=self._given)

    def newer(self, than: PolicyVersion | None) -> PolicyVersion | None:
        """Return what the file holds, if it is another policy."""
        signature = self._signature()
        if signature is not None and signature == self._seen:
            return None
        policy = self._whole()
        if than is None or policy != than.policy:  # it is read until it is taken over
            return PolicyVersion(policy, file=self._path) if self._is_settled(policy) else None
        self._seen = signature
        return None

    def _whole(self) -> Policy:
        """Return what the file holds; one without content is being written, also as TOML."""
        policy = Policy.load(self._path)
        if policy == Policy() and not self._path.read_bytes().strip():
            raise ConfigurationError(f"policy {self._path} is empty")
        return policy

    def _is_settled(self, policy: Policy) -> bool:
        """Tell whether a changed policy stays the same for a moment: half of TOML is TOML too."""
        sleep(_SETTLE)
        return self._whole() == policy

    def _signature(self) -> tuple[int, ...] | None:
        """Return what changes with the file; None where it may change and this stay the same."""
        try:
            found = self._path.stat()
        except OSError:  # reading it says what is wrong
            return None
        if abs(time() - found.st_mtime) < _FRESH:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


class PolicyDatabase:
    """The active policy of a log's database.

    Args:
        url: The database's address.
    """

    def __init__(self, url: str) -> None:
        self._store = PolicyStore(url)
        self.shown = self._store.shown

    def read(self) -> PolicyVersion:
        """Return the active version."""
        return self._store.active()

    def newer(self, than: PolicyVersion | None) -> PolicyVersion | None:
        """Return the active version, if it is another."""
        same = than is not None and self._store.active_number() == than.number
        return None if same else self._store.active()


class LearnedPolicy:
    """The active policy of a database in which there need not be any, yet.

    Args:
        url: The database's address.
    """

    def __init__(self, url: str) -> None:
        self._store = PolicyStore(url, create=True)
        self.shown = self._store.shown

    def read(self) -> PolicyVersion | None:
        """Return the active version, if there is one; what cannot be read is read later."""
        with suppress(ConfigurationError):
            return self.newer(None)
        return None

    def newer(self, than: PolicyVersion | None) -> PolicyVersion | None:
        """Return the active version, if it is another."""
        number = self._store.active_number()
        if number is None or (than is not None and number == than.number):
            return None
        return self._store.active()


def source_of(policy: Any) -> PolicySource | None:
    """Return where a policy is kept; None where it is given as it is and cannot change.

    Args:
        policy: As the caller gave it, or a source already.

    Raises:
        ConfigurationError: It names a database, and its address cannot be one.
    """
    if isinstance(policy, LearnedPolicy):
        return policy
    if is_url(policy):
        return PolicyDatabase(policy)
    return PolicyFile(policy) if isinstance(policy, str | os.PathLike) else None


class LivePlan:
    """The plan of a cascade, which follows its policy.

    Args:
        policy: The policy, or where it is kept.
        make: Makes a plan of a version, told whether requests are answered already; it must hold
            nothing that holds this.

    Attributes:
        plan: What decides requests that begin now.
        changes: How often another policy was taken over while running, and how often that was
            going back to the strongest tier alone; nothing where the policy cannot change.
        prepare: Called with a changed plan before it decides anything; holds nothing that holds
            this.

    Raises:
        ConfigurationError: The policy cannot be read, or does not fit.
    """

    def __init__(self, policy: Any, make: Callable[[PolicyVersion | None, bool], Plan]) -> None:
        self._make = make
        self.prepare: Callable[[Plan], None] = lambda _: None
        self._source = source_of(policy)
        self._failed: str | None = None
        self.changes: dict[str, int] = {}
        if self._source is not None:
            self._version: PolicyVersion | None = self._source.read()
            self.plan = make(self._version, False)  # noqa: FBT003
            self.changes = {"activated": 0, "withdrawn": 0}
            look_after(self)
        else:
            self._version = None
            self.plan = make(None if policy is None else PolicyVersion(Policy.load(policy)), False)  # noqa: FBT003

    @property
    def is_numbered(self) -> bool:
        """Whether policies are kept in a database, which numbers their versions."""
        return isinstance(self._source, PolicyDatabase | LearnedPolicy)

    @property
    def number(self) -> int | None:
        """The number of the version that decides, if it has one."""
        return None if self._version is None else self._version.number

    def look(self) -> None:
        """Take over what has changed; what cannot be taken over is warned of and left."""
        assert self._source is not None  # noqa: S101 - or there is nothing to look for
        try:
            version = self._source.newer(self._version)
            if version is not None:
                plan = self._make(version, True)  # noqa: FBT003
                plan.warm_up()
                self.prepare(plan)
                self._version, self.plan = version, plan
                self.changes["withdrawn" if is_withdrawal(version.policy) else "activated"] += 1
            self._failed = None
        except Exception as error:  # noqa: BLE001 - the cascade goes on with what it has
            self._warn(str(error) if isinstance(error, ConfigurationError) else error_name(error))

    def _warn(self, problem: str) -> None:
        """Warn of what is still wrong at a second look: a file may be half written at the first."""
        assert self._source is not None  # noqa: S101 - or there is nothing to look for
        before, self._failed = self._failed, problem
        if before == problem:
            named = "" if self._source.shown in problem else f"{self._source.shown}: "
            self.plan.notices.give(
                f"policy:{problem}",
                f"the policy has changed and cannot be used, so requests are decided as before: "
                f"{named}{problem}",
            )
