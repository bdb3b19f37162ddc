"""Policies kept in a log's database: numbered versions, of which one is active.

A version is never changed and a number never given twice; which one is active is the last row of
the activations, so that every change of mind stays on record and is one row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, Any

from cascade_core.errors import ConfigurationError
from cascade_core.log.urls import is_url, refuse_bare_database
from cascade_core.policy.document import Policy

if TYPE_CHECKING:
    from sqlalchemy import Connection

_BEYOND = 2**31  # no version's number, in any database


class MeanwhileError(ConfigurationError):
    """Another version decides than the one that a change was meant for."""


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A policy and which version of it this is.

    Attributes:
        policy: The document.
        number: Its number in the database; None where it is kept in a file.
        file: That file; None where it is kept elsewhere.
    """

    policy: Policy
    number: int | None = None
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says of one version.

    Attributes:
        number: Its number.
        name: The policy's name.
        note: What whoever saved it said of it.
        saved_at: When it was saved, in seconds since 1970.
        active: Whether it decides now.
        activated_at: When it was last made to decide; None where it never was.
        fingerprint: A digest of what decides.
    """

    number: int
    name: str | None
    note: str | None
    saved_at: float
    active: bool
    activated_at: float | None
    fingerprint: str | None


class PolicyStore:
    """The policies in a log's database.

    Args:
        url: The database's address.
        named: What errors call it.
        create: Whether to make the database where there is none.

    Raises:
        ConfigurationError: The address cannot be one, or a package is missing.
    """

    def __init__(self, url: str, *, named: str = "policy=", create: bool = False) -> None:
        from cascade_core.log.database import Database  # noqa: PLC0415 - brings SQLAlchemy

        self._database = Database(url, named=named, create=create)
        self.shown = self._database.shown

    def save(self, policy: Policy, note: str | None = None) -> tuple[int, bool]:
        """Keep a policy as a new version.

        Args:
            policy: The policy.
            note: What to say of it in lists.

        Returns:
            Its number, and whether it is new: the same document is kept once.

        Raises:
            ConfigurationError: It cannot be written as JSON, or the database not written.
        """
        document = kept_document(policy)
        with self._connected(writing=True) as connection:
            self._database.queue_for_policies(connection)
            return self._save(connection, policy, document, note)

    @staticmethod
    def _save(
        connection: Connection, policy: Policy, document: str, note: str | None
    ) -> tuple[int, bool]:
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import policies  # noqa: PLC0415

        kept = sa.select(policies.c.version, policies.c.document).where(
            policies.c.fingerprint == policy.fingerprint
        )
        for number, text in connection.execute(kept):
            if text == document:
                return number, False
        row = {
            "name": policy.name,
            "document": document,
            "fingerprint": policy.fingerprint,
            "note": note,
            "saved_at": datetime.now(UTC).timestamp(),
        }
        made = connection.execute(policies.insert(), row).inserted_primary_key
        assert made is not None  # noqa: S101 - the database numbers the row
        return int(made[0]), True

    def activate(self, number: int, *, instead_of: int | EllipsisType | None = ...) -> int | None:
        """Have a version decide from now on.

        Args:
            number: Its number.
            instead_of: The one that has to be deciding until now, None for none; left out,
                whichever.

        Returns:
            The number of the one that did before, if any.

        Raises:
            ConfigurationError: There is no such version.
            MeanwhileError: Another one decides than was said.
        """
        with self._connected(writing=True) as connection:
            self._database.queue_for_policies(connection)
            return self._activate(connection, number, instead_of)

    def _activate(
        self, connection: Connection, number: int, instead_of: int | EllipsisType | None
    ) -> int | None:
        from cascade_core.log.schema import activations  # noqa: PLC0415

        before = active_in(connection)
        if instead_of is not ... and before != instead_of:
            msg = f"{self.shown}: version {before} has been activated meanwhile; look at it first"
            raise MeanwhileError(msg)
        self._document(connection, number)
        if before != number:
            at = datetime.now(UTC).timestamp()
            connection.execute(activations.insert(), {"version": number, "at": at})
        return before

    def active(self) -> PolicyVersion:
        """Return the version that decides now.

        Raises:
            ConfigurationError: There is none, or it cannot be read.
        """
        with self._connected() as connection:
            number = active_in(connection)
            if number is None:
                msg = (
                    f"{self.shown} has no active policy: save one with `cascade policy "
                    f"{self.shown} save policy.json`, then `cascade policy {self.shown} activate 1`"
                )
                raise ConfigurationError(msg)
            return self._version(number, self._document(connection, number))

    def active_number(self) -> int | None:
        """Return the number of the version that decides now, if any."""
        with self._connected() as connection:
            return active_in(connection)

    def last_decided(self) -> PolicyVersion | None:
        """Return the version that made this database's latest decision, where it is kept here.

        It need not be active: a cascade may have it as a file.

        Raises:
            ConfigurationError: It cannot be read.
        """
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import decisions, policies  # noqa: PLC0415

        latest = sa.select(decisions.c.policy_version).order_by(decisions.c.at.desc()).limit(1)
        query = sa.select(sa.func.max(policies.c.version)).where(
            policies.c.fingerprint == latest.scalar_subquery()
        )
        with self._connected() as connection:
            number: int | None = connection.scalar(query)
        return None if number is None else self.read(number)

    def read(self, number: int) -> PolicyVersion:
        """Return a version.

        Raises:
            ConfigurationError: There is no such version, or it cannot be read.
        """
        with self._connected() as connection:
            return self._version(number, self._document(connection, number))

    def versions(self) -> list[Listed]:
        """Return what there is to say of every version, oldest first."""
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import activations, policies  # noqa: PLC0415

        last = sa.select(activations.c.version, sa.func.max(activations.c.at).label("at"))
        since = last.group_by(activations.c.version).subquery()
        query = (
            sa.select(policies, since.c.at)
            .outerjoin(since, since.c.version == policies.c.version)
            .order_by(policies.c.version)
        )
        with self._connected() as connection:
            active = active_in(connection)
            return [
                Listed(
                    row["version"],
                    row["name"],
                    row["note"],
                    row["saved_at"],
                    row["version"] == active,
                    row["at"],
                    row["fingerprint"],
                )
                for row in connection.execute(query).mappings()
            ]

    def history(self) -> list[tuple[int, float]]:
        """Return every activation, oldest first: the version and when, in seconds since 1970."""
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import activations  # noqa: PLC0415

        query = sa.select(activations.c.version, activations.c.at).order_by(activations.c.id)
        with self._connected() as connection:
            return [(number, at) for number, at in connection.execute(query)]

    @contextmanager
    def _connected(self, *, writing: bool = False) -> Iterator[Connection]:
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

        self._database.reach()
        opened = self._database.writing if writing else self._database.reading
        try:
            with opened() as connection:
                yield connection
        except SQLAlchemyError as error:  # its text may hold what people wrote
            kind = type(getattr(error, "orig", None) or error).__name__
            verb = "written" if writing else "read"
            msg = f"{self.shown} cannot be {verb} ({kind}): {self._database.look_at}"
            raise ConfigurationError(msg) from None

    def _document(self, connection: Connection, number: int) -> str:
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import policies  # noqa: PLC0415

        query = sa.select(policies.c.document).where(policies.c.version == number)
        held_at_all = 0 < number < _BEYOND  # a database refuses to look for others
        found: str | None = connection.scalar(query) if held_at_all else None
        if found is None:
            count = connection.scalar(sa.select(sa.func.count()).select_from(policies))
            plural = "version" if count == 1 else "versions"
            held = f"it holds {count:,} {plural}; `list` shows them" if count else "it holds none"
            msg = f"{self.shown} has no policy of number {number}: {held}"
            raise ConfigurationError(msg)
        return found

    def _version(self, number: int, document: str) -> PolicyVersion:
        try:
            content: dict[str, Any] = json.loads(document)
            return PolicyVersion(Policy.load(content), number)
        except ConfigurationError as error:
            msg = f"{self.shown}, version {number}: {error}"
            raise ConfigurationError(msg) from None
        except (ValueError, RecursionError):
            msg = f"{self.shown}, version {number}: it is damaged, and no JSON"
            raise ConfigurationError(msg) from None


def kept_document(policy: Policy) -> str:
    """Return a policy as it is kept.

    Raises:
        ConfigurationError: It cannot be written as JSON.
    """
    for rule in policy.rules:
        if rule.in_python:
            msg = (
                f"the policy cannot be saved: rule {rule.name!r} asks a function, and a "
                "database holds no code; give it beside what can be saved, "
                "as Policy(rules=[...])"
            )
            raise ConfigurationError(msg)
    try:
        return policy.model_dump_json(exclude_none=True)
    except ValueError:
        msg = "the policy cannot be saved: a text in it holds half of a surrogate pair; take it out"
        raise ConfigurationError(msg) from None


def active_in(connection: Connection) -> int | None:
    """Return the number of the version that decides now, if any."""
    import sqlalchemy as sa  # noqa: PLC0415

    from cascade_core.log.schema import activations  # noqa: PLC0415

    query = sa.select(activations.c.version).order_by(activations.c.id.desc()).limit(1)
    found: int | None = connection.scalar(query)
    return found


def load_policy(source: Any) -> PolicyVersion:
    """Read a policy: the active version of a database, or what `Policy.load` takes.

    Raises:
        ConfigurationError: It cannot be read, or does not fit.
    """
    if is_url(source):
        return PolicyStore(source).active()
    refuse_bare_database(source)
    return PolicyVersion(Policy.load(source))
