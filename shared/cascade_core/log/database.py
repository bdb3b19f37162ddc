"""Opens a log's database by its address, and brings it to the form that this release writes.

One code path serves SQLite and PostgreSQL; what they do differently is here and nowhere else. The
first to open a database makes its tables, with Alembic, and any number of processes may be the
first. Imported only where a database is used: SQLAlchemy takes its time.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from cascade_core.errors import ConfigurationError, error_name
from cascade_core.forks import free_in_child
from cascade_core.log.standing import open_as_it_stands
from cascade_core.log.urls import database_url, sqlite_file, without_password

try:
    import sqlalchemy as sa
    from sqlalchemy.exc import ArgumentError, DBAPIError
    from sqlalchemy.pool import NullPool

    from cascade_core.log.schema import ADDED, FORM, meta

    if find_spec("alembic") is None:  # SQLAlchemy comes with LlamaIndex, this does not
        raise ModuleNotFoundError(name="alembic")
except ModuleNotFoundError as _missing:
    raise ConfigurationError(
        f"a log in a database needs {_missing.name}, which is not installed: "
        "pip install 'model-cascade[log]'"
    ) from _missing

VERSION_TABLE = "cascade_log_version"
"""Not Alembic's usual name: a team may keep its own tables in the same database."""

BUSY = 10.0
"""Seconds to wait for other writers of the same SQLite file."""

CONNECT = 5
"""Seconds to wait for a server."""

_MIGRATIONS = 0x43415343
"""What processes that open one PostgreSQL database at once queue up for."""

_POLICIES = _MIGRATIONS + 1
"""What processes that save policies in one PostgreSQL database at once queue up for."""

_DIGEST_KEY = "digest_key"

_migrating = Lock()
free_in_child(sys.modules[__name__], "_migrating")


class Database:
    """A log's database; its tables are those of `log.schema`.

    Nothing is connected before it is used, and no connection outlives its use, so that nothing
    open is inherited by a forked child.

    Args:
        url: Its address, as a caller gives it.
        named: What errors call it.
        create: Whether to make it where there is none.
        upgrade: Whether to bring one of an earlier form to this release's. Whoever only reads need
            not: `columns` says what there is.

    Raises:
        ConfigurationError: The address cannot be one, or a package is missing.
    """

    def __init__(
        self, url: str, *, named: str = "log=", create: bool = True, upgrade: bool = True
    ) -> None:
        self.shown = without_password(url)
        self.create = create
        self.upgrade = upgrade
        self.url = database_url(url, named=named)
        file = self.file = sqlite_file(self.url)
        if file is not None and not file.parent.is_dir():
            msg = f"{named}{self.shown!r}: the folder {file.parent} does not exist; make it first"
            raise ConfigurationError(msg)
        if file is not None and file.is_dir():
            msg = f"{named}{self.shown!r} is a folder; give the address of a file"
            raise ConfigurationError(msg)
        self.engine = _engine(self.url, file, f"{named}{self.shown!r}")
        self._ready = False
        self._form = FORM
        self._opened: tuple[int, int] | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return self.engine.dialect.name == "sqlite"

    def open(self, *, private: bool = False) -> None:
        """Bring the database to this release's form, once.

        One that is only read, or cannot be changed, stays in the earlier form that it has.

        Args:
            private: Whether nobody but its owner may read the file of a SQLite database.

        Raises:
            ConfigurationError: It was written by a newer release, or is no log and may not be made.
            sqlalchemy.exc.DBAPIError: It cannot be reached or written.
        """
        if self.is_open:
            return
        if self.file is not None:
            self._prepare_file(self.file, private=private)
        form = self._read_form()
        if form != FORM and (self.upgrade or form not in ADDED):
            if not self.create and form is None:
                raise ConfigurationError(f"{self.shown} holds no log")
            try:
                if self.is_sqlite and form is None:
                    self._prepare_sqlite()
                self._migrate()
                form = FORM
            except DBAPIError:
                if self.create or form is None or form not in ADDED:
                    raise
        assert form is not None  # noqa: S101 - it has been migrated
        self._form = form
        self._ready, self._opened = True, _identity(self.file)

    @property
    def is_open(self) -> bool:
        """Whether it is in this release's form, as far as is known.

        What is written to a SQLite file that was deleted, replaced or emptied is in none any more.
        """
        found = _identity(self.file)
        return self._ready and (self.file is None or (found is not None and found == self._opened))

    def doubt(self) -> None:
        """Look anew at the next opening whether its tables are there: something went wrong."""
        self._ready = False

    def reach(self) -> None:
        """Open the database for a command: what keeps it from that is an error to be shown.

        Raises:
            ConfigurationError: It cannot be reached, says why in a few words, or holds no log.
        """
        try:
            self.open()
        except (DBAPIError, OSError) as error:
            kind = type(getattr(error, "orig", None) or error).__name__
            hint = "is it a database? Has its disk room?" if self.is_sqlite else self.look_at
            msg = f"{self.shown} cannot be opened ({kind}): {hint}"
            raise ConfigurationError(msg) from None

    @property
    def look_at(self) -> str:
        """What to look at where it cannot be read or written, for an error."""
        if self.is_sqlite:
            return "has its disk room, may you write there, does another program hold it?"
        return "does the server run, may you use it?"

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open the database and give a connection to read from, all of one moment."""
        self.open()
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open the database and give a connection in a transaction that writes."""
        self.open()
        with self.connect() as connection, connection.begin():
            yield connection

    def connect(self) -> sa.Connection:
        """Return a connection whose transactions write; the caller closes it.

        Whoever has queued up for something has to see what those before it wrote, also where a
        server's own default is another.
        """
        options = {} if self.is_sqlite else {"isolation_level": "READ COMMITTED"}
        return self.engine.connect().execution_options(cascade_writes=True, **options)

    def queue_for_policies(self, connection: sa.Connection) -> None:
        """Let no other connection save a policy until this one's transaction ends.

        In SQLite it is alone already: one transaction writes at a time.
        """
        if not self.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POLICIES)))

    def digest_key(self) -> bytes:
        """Return the key of this log's digests, made at random when it is first asked for."""
        with self.writing() as connection:
            key = sa.select(meta.c.value).where(meta.c.key == _DIGEST_KEY)
            made = {"key": _DIGEST_KEY, "value": secrets.token_hex(32)}
            found = connection.scalar(key)
            if found is None:
                connection.execute(self.insert(meta), [made])
                found = connection.scalar(key)
        return bytes.fromhex(str(found))

    def insert(self, table: sa.Table) -> Any:
        """Return an INSERT that leaves a row alone whose id is there already."""
        dialect = import_module(f"sqlalchemy.dialects.{self.engine.dialect.name}")
        return dialect.insert(table).on_conflict_do_nothing()

    def __repr__(self) -> str:
        """Show the address without its password."""
        return f"Database({self.shown!r})"

    def _prepare_file(self, file: Path, *, private: bool) -> None:
        if not file.exists():
            if not self.create:
                raise ConfigurationError(f"{self.shown}: there is no file {file}")
            # SQLite gives the files beside it the same rights.
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600 if private else 0o644))
        elif private:
            self.make_private()

    def make_private(self) -> None:
        """Let nobody but its owner read the file of a SQLite database, and those beside it."""
        if self.file is None:
            return
        for end in ("", "-wal", "-shm"):
            file = Path(f"{self.file}{end}")
            with suppress(OSError):  # it is not there, or somebody else's
                if file.stat().st_mode & 0o007:
                    file.chmod(0o600)

    def columns(self, table: sa.Table) -> list[sa.ColumnElement[Any]]:
        """Return the columns of a table; NULL for those that an earlier form lacks."""
        lacks = ADDED.get(self._form, frozenset())
        return [sa.null().label(c.name) if (table.name, c.name) in lacks else c for c in table.c]

    def _read_form(self) -> str | None:
        """Return the form that the database has; None where it has none."""
        with self.engine.connect() as connection:
            if not sa.inspect(connection).has_table(VERSION_TABLE):
                return None
            query = sa.text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - our own name
            found: str | None = connection.scalar(query)
            return found

    def _migrate(self) -> None:
        from alembic import command  # noqa: PLC0415 - once in a database's life
        from alembic.config import Config  # noqa: PLC0415
        from alembic.util import CommandError  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        # Alembic keeps what it is doing in globals: one thread of a process at a time.
        with _migrating, self.connect() as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATIONS)))
            config.attributes.update(connection=connection, version_table=VERSION_TABLE)
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                msg = f"{self.shown} was written by a newer release: update model-cascade"
                raise ConfigurationError(msg) from error

    def _prepare_sqlite(self) -> None:
        """Set what a SQLite file keeps; another process may be doing the same."""
        deadline = time.monotonic() + BUSY
        connection = self.engine.raw_connection()  # these are refused within a transaction
        try:
            while True:
                try:
                    # What is deleted can be given back without writing the whole file anew.
                    connection.cursor().execute("PRAGMA auto_vacuum=INCREMENTAL")
                    connection.cursor().execute("PRAGMA journal_mode=WAL")
                    return
                except self.engine.dialect.loaded_dbapi.OperationalError:
                    if time.monotonic() > deadline:  # SQLite itself does not wait here
                        raise
                    time.sleep(0.01)
        finally:
            connection.close()


def _identity(file: Path | None) -> tuple[int, int] | None:
    """Return what tells a file from another of its name; None where it is not there, or empty."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_size else None


def _engine(url: str, file: Path | None, what: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if file is not None:  # some releases of SQLAlchemy read %20 as a space, and others do not
            parsed = parsed.set(database=str(file))
            if "mode" in parsed.query:  # SQLite takes it in a URI alone
                parsed = parsed.set(database=f"file:{quote(str(file))}")
                parsed = parsed.update_query_dict({"uri": "true"})
        if parsed.get_backend_name() == "sqlite":
            options: dict[str, Any] = {"timeout": BUSY, "check_same_thread": False}
        else:
            options = {"connect_timeout": CONNECT, "prepare_threshold": 2}
            options = {name: it for name, it in options.items() if name not in parsed.query}
        # No error or log of SQLAlchemy's may quote what people wrote.
        engine = sa.create_engine(
            parsed, poolclass=NullPool, connect_args=options, hide_parameters=True
        )
    except ModuleNotFoundError as error:
        msg = f"{what} needs {error.name}: pip install 'model-cascade[postgres]'"
        raise ConfigurationError(msg) from error
    except (ArgumentError, ValueError) as error:
        msg = f"{what} is no address of a database ({error_name(error)})"
        raise ConfigurationError(msg) from None
    if engine.dialect.name == "sqlite":
        if file is not None:
            sa.event.listen(engine, "do_connect", open_as_it_stands(file))
        sa.event.listen(engine, "connect", _connected)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _connected(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where sqlite3 guesses
    connection.text_factory = lambda text: text.decode(errors="replace")  # others wrote it too
    # Safe when a program is killed; where power is lost, the last moments may be, never the file.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA cache_size=-16000")
    connection.execute("PRAGMA journal_size_limit=67108864")
    connection.execute("PRAGMA wal_autocheckpoint=4000")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("cascade_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
