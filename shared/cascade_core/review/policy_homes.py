"""Where the policy that is reviewed lives, and where its versions are kept.

In a log's database; in a file, whose versions are kept in a database beside it; or nowhere.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Protocol

from cascade_core.errors import ConfigurationError
from cascade_core.log.policies import Listed, MeanwhileError, PolicyStore, PolicyVersion
from cascade_core.log.urls import is_url, refuse_bare_database
from cascade_core.policy.document import Policy

AS_FOUND = "as the file was found"
BY_HAND = "as the file was found: changed by hand"


class PolicyHome(Protocol):
    """Where a policy lives.

    Attributes:
        shown: What pages call it.
        why_not_saved: Why no version can be kept here; None where one can.
        why_not_activated: Why none can be made to decide from here.
    """

    shown: str
    why_not_saved: str | None
    why_not_activated: str | None

    def current(self) -> PolicyVersion:
        """Return what decides now; its number is None where no version is of it.

        Raises:
            ConfigurationError: It cannot be read.
        """
        ...

    def listed(self) -> Sequence[Listed]:
        """Return the versions, oldest first."""
        ...

    def activations(self) -> Sequence[tuple[int, float]]:
        """Return which version was made to decide when, oldest first."""
        ...

    def version(self, number: int) -> Policy:
        """Return a version.

        Raises:
            ConfigurationError: There is none of this number.
        """
        ...

    def keep(self, policy: Policy, note: str | None) -> tuple[int, bool]:
        """Keep a version; return its number, and whether it is new: a document is kept once.

        Raises:
            ConfigurationError: It cannot be written.
        """
        ...

    def put_in_use(self, number: int, instead_of: str) -> int | None:
        """Have a version decide.

        Args:
            number: Its number.
            instead_of: The `mark_of` what has to be deciding until now.

        Returns:
            The number of the one that did before.

        Raises:
            MeanwhileError: Something else decides than was said.
            ConfigurationError: It cannot be written.
        """
        ...


def document_of(policy: Policy) -> str:
    """Return a policy as it is kept: JSON on one line, without what is not given."""
    return policy.model_dump_json(exclude_none=True)


def plain_of(policy: Policy) -> dict[str, object]:
    """Return a policy as plain JSON, without what is empty."""
    plain = json.loads(document_of(policy))
    return {key: value for key, value in plain.items() if value not in ({}, [])}


def mark_of(version: PolicyVersion) -> str:
    """Return what tells a version that decides from any other."""
    text = f"{version.number if version.file is None else ''} {document_of(version.policy)}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def version_before(home: PolicyHome) -> int | None:
    """Return the number of the version that decided before the one that does now."""
    now = home.current().number
    return next((n for n, _ in reversed(home.activations()) if n != now), None)


class DatabaseHome:
    """The policies of a log's database.

    Args:
        url: The database's address.
        named: What errors call it.
    """

    why_not_saved: str | None = None
    why_not_activated: str | None = None

    def __init__(self, url: str, named: str = "") -> None:
        self._store = PolicyStore(url, named=named)
        self.shown = self._store.shown

    def current(self) -> PolicyVersion:
        """Return the active version; without one, what is kept of what decided last, if anything.

        Without that, it is the policy that a cascade has without any.
        """
        number = self._store.active_number()
        if number is None:
            found = self._store.last_decided()
            return PolicyVersion(Policy() if found is None else found.policy)
        return self._store.read(number)

    def listed(self) -> Sequence[Listed]:
        """Return the versions, oldest first."""
        return self._store.versions()

    def activations(self) -> Sequence[tuple[int, float]]:
        """Return which version was made to decide when, oldest first."""
        return self._store.history()

    def version(self, number: int) -> Policy:
        """Return a version."""
        return self._store.read(number).policy

    def keep(self, policy: Policy, note: str | None) -> tuple[int, bool]:
        """Keep a version."""
        return self._store.save(policy, note)

    def put_in_use(self, number: int, instead_of: str) -> int | None:
        """Have a version decide."""
        self._store.read(number)  # what a newer release wrote is refused here
        found = self.current()
        if found.number == number:
            return number  # clicked twice
        _check_same(found, instead_of)
        return self._store.activate(number, instead_of=found.number)


class FileHome:
    """A policy in a file; its versions are kept in a database beside it, made at the first.

    Args:
        path: The file.

    Raises:
        ConfigurationError: It cannot be read, or is no policy.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f"{path.name}.versions.db")
        self._lock = RLock()
        self.shown = str(path)
        self.why_not_saved: str | None = None
        self.why_not_activated = None
        if path.suffix == ".toml":
            self.why_not_activated = (
                f"{path} is TOML, and writing it would lose its comments: change it there by hand, "
                "or give cascades the JSON that is offered here"
            )
        Policy.load(path)

    def current(self) -> PolicyVersion:
        """Return what the file holds, and which version that is."""
        policy = Policy.load(self._path)
        number = None
        if self._beside.is_file():
            store = self._versions()
            same = [n.number for n in store.versions() if n.fingerprint == policy.fingerprint]
            number = next((n for n in reversed(same) if _same(store, n, policy)), None)
        return PolicyVersion(policy, number, self._path)

    def listed(self) -> Sequence[Listed]:
        """Return the versions, oldest first; active is what the file holds."""
        if not self._beside.is_file():
            return []
        now = None
        with suppress(ConfigurationError):  # a file that cannot be read is none of them
            now = self.current().number
        return [replace(each, active=each.number == now) for each in self._versions().versions()]

    def activations(self) -> Sequence[tuple[int, float]]:
        """Return which version was put into the file when, oldest first."""
        return self._versions().history() if self._beside.is_file() else []

    def version(self, number: int) -> Policy:
        """Return a version."""
        return self._versions().read(number).policy

    def keep(self, policy: Policy, note: str | None) -> tuple[int, bool]:
        """Keep a version, after the one that the file holds."""
        with self._lock:
            self._note_what_is_there()
            return self._versions().save(policy, note)

    def put_in_use(self, number: int, instead_of: str) -> int | None:
        """Write a version into the file."""
        if self.why_not_activated is not None:
            raise ConfigurationError(self.why_not_activated)
        with self._lock:
            store = self._versions()
            policy = store.read(number).policy
            found = self.current()
            if found.number == number:
                return number  # clicked twice
            _check_same(found, instead_of)
            before = self._note_what_is_there()
            # Of two that write at once, one is refused here, before either has written.
            store.activate(number, instead_of=before)
            try:
                policy.save(self._path)
            except ConfigurationError:
                store.activate(before)
                raise
            return before

    def _versions(self) -> PolicyStore:
        return PolicyStore(f"sqlite:///{self._beside.absolute().as_posix()}", named="")

    def _note_what_is_there(self) -> int:
        """Keep what the file holds as a version, if it is none: nobody's work is lost."""
        policy = Policy.load(self._path)
        is_first = not self._beside.is_file()
        store = PolicyStore(
            f"sqlite:///{self._beside.absolute().as_posix()}", named="", create=True
        )
        number, _ = store.save(policy, AS_FOUND if is_first else BY_HAND)
        store.activate(number)
        if is_first:
            shutil.copymode(self._path, self._beside)
        return number


class NoHome:
    """Nowhere: the draft can be downloaded, and that is all.

    Args:
        why: Why nothing can be saved.
        policy: What decides; None for the policy that a cascade has without any.
        shown: What pages call it.
    """

    def __init__(self, why: str, policy: Policy | None = None, shown: str = "no policy") -> None:
        self._policy = policy or Policy()
        self.why_not_saved: str | None = why
        self.why_not_activated: str | None = why
        self.shown = shown

    def current(self) -> PolicyVersion:
        """Return what it was given."""
        return PolicyVersion(self._policy)

    def listed(self) -> Sequence[Listed]:
        """Return nothing."""
        return []

    def activations(self) -> Sequence[tuple[int, float]]:
        """Return nothing."""
        return []

    def version(self, number: int) -> Policy:
        """Refuse."""
        msg = f"there is no version {number}: {self.why_not_saved}"
        raise ConfigurationError(msg)

    def keep(self, policy: Policy, note: str | None) -> tuple[int, bool]:  # noqa: ARG002
        """Refuse."""
        raise ConfigurationError(self.why_not_saved)

    def put_in_use(self, number: int, instead_of: str) -> int | None:  # noqa: ARG002
        """Refuse."""
        raise ConfigurationError(self.why_not_activated)


def find_home(source: str, policy: str | None = None) -> PolicyHome:
    """Return where the policy of a review lives.

    Args:
        source: The log or table that is reviewed, as it was given.
        policy: The file or the database's address that was named for the policy, if any.

    Raises:
        ConfigurationError: What was named cannot be read, or is no policy.
    """
    if policy is not None:
        refuse_bare_database(policy, "--policy ")
        return DatabaseHome(policy, "--policy ") if is_url(policy) else FileHome(Path(policy))
    if is_url(source):
        return DatabaseHome(source)
    return NoHome(
        "A file of rows holds no policies: start the review with --policy policy.json, or on a "
        "log's database, to keep versions"
    )


def version_kept(url: str, number: int) -> Policy | None:
    """Return a version that a database keeps, if it does."""
    with suppress(ConfigurationError):
        return PolicyStore(url, named="").read(number).policy
    return None


def _check_same(found: PolicyVersion, instead_of: str) -> None:
    if mark_of(found) != instead_of:
        now = "something else" if found.number is None else f"version {found.number}"
        msg = f"nothing was activated: {now} has been made to decide meanwhile; look at it first"
        raise MeanwhileError(msg)


def _same(store: PolicyStore, number: int, policy: Policy) -> bool:
    with suppress(ConfigurationError):  # a newer release wrote it
        return store.read(number).policy == policy
    return False
