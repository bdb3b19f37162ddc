"""Addresses of databases: which they are, and how they are shown. Needs no database package.

A password in an address is never shown: not in a repr, an error, a warning or a log.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from cascade_core.errors import ConfigurationError

_SCHEMES: Final = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
"""How addresses begin that a log may have, and the driver of each."""

FORMS: Final = "sqlite:///decisions.db or postgresql+psycopg://user@host/database"

_SECRET = re.compile(r"(?<=[?&])[^=&]*(?:pass|secret|token|key)[^&]*", re.IGNORECASE)


_SQLITE = b"SQLite format 3\0"


def is_url(source: object) -> bool:
    """Tell whether a source is an address rather than a file."""
    return isinstance(source, str) and "://" in source


def refuse_bare_database(source: object, named: str = "") -> None:
    """Refuse the path of a SQLite file where its address is needed; it is no file of lines.

    Args:
        source: A log as somebody gave it.
        named: What an error begins with, such as `log=`; then a new file's name counts too.

    Raises:
        ConfigurationError: It is such a path.
    """
    if not isinstance(source, str | Path) or is_url(source):
        return
    path = Path(source)
    is_database = bool(named) and path.suffix.lower() in {".db", ".sqlite", ".sqlite3"}
    if not is_database and path.is_file():
        try:
            with path.open("rb") as file:
                is_database = file.read(len(_SQLITE)) == _SQLITE
        except OSError:
            return  # whoever reads or writes it says so
    if is_database:
        shown = f"{named}{str(source)!r}" if named else f"{source}"
        msg = f"{shown} is the path of a database; give its address: sqlite:///{path.as_posix()}"
        raise ConfigurationError(msg)


def without_password(url: str) -> str:
    """Return an address without what is secret in it."""
    scheme, _, rest = url.partition("://")
    rest, asked, query = rest.partition("?")
    before, at, after = rest.rpartition("@")
    user, colon, _ = before.partition(":")
    hidden = f"{user}{':***' if colon else ''}{at}{after}"
    if "@" in query:  # a password with a question mark in it
        hidden = f"{rest.partition(':')[0]}:***@{query.rpartition('@')[2]}"
        asked = query = ""
    return f"{scheme}://{_SECRET.sub('***', hidden + asked + query)}"


def shown_source(source: str) -> str:
    """Return a log's path or URL as it may be shown: a password never is."""
    return without_password(source) if is_url(source) else source


def database_url(url: str, *, named: str = "log=") -> str:
    """Return an address as SQLAlchemy reads it, the same wherever the program goes.

    Args:
        url: What a caller gave.
        named: What errors call it.

    Raises:
        ConfigurationError: It is of no database that is known, or of one that ends with the
            program.
    """
    scheme, _, rest = url.partition("://")
    driver = _SCHEMES.get(scheme.lower())
    if driver is None:
        known = "psycopg 3 is the driver of PostgreSQL" if "postgres" in scheme.lower() else FORMS
        msg = f"{named} does not know {scheme}://: give {FORMS}, or the path of a .jsonl file"
        if known is not FORMS:
            msg = f"{named} does not know {scheme}://: {known}, postgresql+psycopg://…"
        raise ConfigurationError(msg)
    if driver != "sqlite":
        return f"{driver}://{rest}"
    path, _, query = rest.removeprefix("/").partition("?")
    if not rest.startswith("/"):
        msg = f"{named}{url!r}: a file's address has three strokes: sqlite:///{rest or 'file.db'}"
        raise ConfigurationError(msg)
    if path in {"", ":memory:"} or "mode=memory" in query:
        msg = f"{named}{url!r} is gone when the program ends; give a file: sqlite:///decisions.db"
        raise ConfigurationError(msg)
    if path.startswith("file:"):
        return f"sqlite:///{path}{'?' * bool(query)}{query}"
    return f"sqlite:///{Path(path).absolute()}{'?' * bool(query)}{query}"


def only_read(url: str) -> str:
    """Return the address of the same database from which nothing can be written to it."""
    mark = "&" if "?" in url else "?"
    if url.lower().startswith("sqlite"):
        return url if "mode=ro" in url else f"{url}{mark}mode=ro"
    if "options=" in url:  # the caller's own
        return url
    return f"{url}{mark}options=-c%20default_transaction_read_only%3Don"


def sqlite_file(url: str) -> Path | None:
    """Return the file of a `database_url`; None where it is of a server, or is a URI of its own."""
    scheme, _, rest = url.partition(":///")
    path = rest.partition("?")[0]
    return None if scheme != "sqlite" or path.startswith("file:") else Path(path)
