"""Where a watch keeps what it knows: beside the policies of a database.

Its state is one row, with a number that grows by 1 at each change. Whoever changes it says which
number they had read; another watcher may have been faster, and then nothing of what was decided on
the old state is written: no version, no activation, no event.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cascade_core.errors import ConfigurationError
from cascade_core.log.kept_texts import keep_text, kept_text
from cascade_core.log.learning import learning_in
from cascade_core.log.policies import MeanwhileError, PolicyStore, active_in, kept_document
from cascade_core.log.reading import connection_to_read
from cascade_core.policy.document import Policy

if TYPE_CHECKING:
    from sqlalchemy import Connection

_KEY = "watch"
_AT_ONCE = 1000
_KEPT = {"steward", "numbers", "active", "turn"}
FORM_OF_STATE = 1
"""Of what is kept; a release that cannot go on with an earlier one's counts on."""


@dataclass(frozen=True, slots=True)
class WatchState:
    """What a database knows of its watch.

    Attributes:
        turn: Number of the state; 0 where there is none.
        kept: The state as it was written.
        active: Number of the version that decides.
        places: In which place each audited decision was read, from 1.
        learns: The cascade that learns in the database by itself.
        until: For how long it does, in seconds since 1970, unless it says so again.
    """

    turn: int
    kept: dict[str, Any] | None
    active: int | None
    places: Mapping[str, int]
    learns: str | None = None
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class ToSave:
    """A policy that is to be a version.

    Attributes:
        policy: It.
        note: What lists say of it.
        activate: Whether it is to decide.
        called: What the state calls it; its number is kept under that name.
    """

    policy: Policy
    note: str
    activate: bool
    called: str


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """What a watch did, as it is kept; see `watch.events`."""

    at: float
    kind: str
    said: str
    version: int | None
    detail: Mapping[str, Any]


ABOUT_WHAT_IS_SAVED = {"activated", "proposed", "withdrawn"}
"""Kinds of events whose version is the one that is saved with them, known only then."""


def told(kind: str, version: int | None, said: str) -> str:
    """Return what a watch did in one line, which names the version once."""
    about = (
        "" if version is None or said.startswith(f"version {version} ") else f"version {version}: "
    )
    return f"{kind}: {about}{said}"


class WatchStore(PolicyStore):
    """The policies of a database, and the state of the watch over them."""

    def load(self) -> WatchState:
        """Read all that is known, all of one moment."""
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import watched  # noqa: PLC0415

        with self._connected() as connection:
            kept, learning = self._read(connection), learning_in(connection)
            places = connection.execute(sa.select(watched.c.decision, watched.c.place))
            return WatchState(
                turn=0 if kept is None else int(kept["turn"]),
                kept=kept,
                active=active_in(connection),
                places={row.decision: row.place for row in places},
                learns=learning.get("cascade"),
                until=learning.get("until", 0.0),
            )

    def write(
        self,
        before: WatchState,
        kept: dict[str, Any],
        *,
        read: Sequence[str] = (),
        save: ToSave | None = None,
        events: Sequence[KeptEvent] = (),
    ) -> int | None:
        """Write down a new state with all that follows from it, or nothing of it.

        Args:
            before: The state that it was decided on.
            kept: The new one, as plain JSON; the number of what is saved is put into its
                `numbers`, and what decides then into its `active`.
            read: Audited decisions that were read, in their order.
            save: A policy that is to be a version.
            events: What happened.

        Returns:
            The number of what was saved.

        Raises:
            MeanwhileError: Another watcher, or somebody by hand, has changed something since.
            ConfigurationError: The database cannot be written.
        """
        from cascade_core.log.schema import watch_events, watched  # noqa: PLC0415

        document = None if save is None else kept_document(save.policy)
        with self._connected(writing=True) as connection:
            self._database.queue_for_policies(connection)
            now = self._read(connection)
            turn = 0 if now is None else int(now["turn"])
            if turn != before.turn or active_in(connection) != before.active:
                raise MeanwhileError(f"{self.shown} has been changed by somebody else meanwhile")
            number = None
            if save is not None and document is not None:
                number, _ = self._save(connection, save.policy, document, save.note)
                kept["numbers"][save.called] = number
                if save.activate:
                    self._activate(connection, number, before.active)
            kept["form"] = FORM_OF_STATE
            kept["active"] = active_in(connection)
            kept["turn"] = turn + 1
            first = len(before.places) + 1
            rows = [{"decision": d, "place": first + i} for i, d in enumerate(read)]
            for start in range(0, len(rows), _AT_ONCE):
                connection.execute(watched.insert(), rows[start : start + _AT_ONCE])
            for event in events:
                saved = event.version is None and event.kind in ABOUT_WHAT_IS_SAVED
                version = number if saved else event.version
                row = {
                    "at": event.at,
                    "kind": event.kind,
                    "said": event.said,
                    "version": version,
                    "detail": json.dumps(dict(event.detail)),
                }
                connection.execute(watch_events.insert(), row)
            keep_text(connection, _KEY, json.dumps({**kept, "digest": _digest(kept)}))
            return number

    def damaged(self, why: str = "") -> ConfigurationError:
        """Return the error that says that what was kept cannot be gone on with."""
        return ConfigurationError(
            f"{self.shown}: what a watch has kept there is damaged{why}. Bring back a copy of the "
            "database; or take the row 'watch' out of its table meta, and tests begin again"
        )

    def _read(self, connection: Connection) -> dict[str, Any] | None:
        found = kept_text(connection, _KEY)
        if found is None:
            return None
        try:
            kept = json.loads(found)
            form, turn = kept.get("form", FORM_OF_STATE), kept["turn"]
            fine = isinstance(form, int) and isinstance(turn, int)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            raise self.damaged() from None
        # An earlier release wrote no digest.
        whole = "digest" not in kept or kept.pop("digest") == _digest(kept)
        if not (fine and whole and kept.keys() >= _KEPT):
            raise self.damaged()
        if form > FORM_OF_STATE:
            raise ConfigurationError(
                f"{self.shown}: a newer release watches there and keeps what it knows in another "
                "form: bring this one up to date (pip install -U model-cascade)"
            )
        return dict(kept)

    def watch_history(self) -> list[KeptEvent]:
        """Return what the watch did, oldest first."""
        import sqlalchemy as sa  # noqa: PLC0415

        from cascade_core.log.schema import watch_events  # noqa: PLC0415

        with self._connected() as connection:
            if not sa.inspect(connection).has_table(watch_events.name):
                return []
            return [
                KeptEvent(row.at, row.kind, row.said, row.version, json.loads(row.detail or "{}"))
                for row in connection.execute(sa.select(watch_events).order_by(watch_events.c.id))
            ]


def _digest(kept: Mapping[str, Any]) -> str:
    """Return what a state is known by: a number of it that was changed would decide otherwise."""
    read_again = json.loads(json.dumps(kept))
    return hashlib.sha256(json.dumps(read_again, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class WatchFound:
    """What somebody who only looks is told of a database's watch.

    Attributes:
        kept: Its state, as far as it can be read; None where there is none.
        active: Number of the version that decides.
        last: What it did last.
    """

    kept: Mapping[str, Any] | None
    active: int | None
    last: KeptEvent | None


def watch_of(source: str) -> WatchFound:
    """Look at the watch of a log's database, whose form stays as it is.

    Raises:
        ConfigurationError: The database cannot be read.
    """
    import sqlalchemy as sa  # noqa: PLC0415

    from cascade_core.log.schema import watch_events  # noqa: PLC0415

    with connection_to_read(source) as (_, connection):
        found = kept_text(connection, _KEY)
        if found is None or not sa.inspect(connection).has_table(watch_events.name):
            return WatchFound(None, None, None)
        query = sa.select(watch_events).order_by(watch_events.c.id.desc()).limit(1)
        row = connection.execute(query).first()
        active = active_in(connection)
    try:
        kept = dict(json.loads(found))
    except (ValueError, TypeError, RecursionError):
        kept = {}
    last = None if row is None else KeptEvent(row.at, row.kind, row.said, row.version, {})
    return WatchFound(kept, active, last)
