"""Texts that a database keeps by name, one of each, in its table `meta`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection


def kept_text(connection: Connection, key: str) -> str | None:
    """Return what is kept by a name; None where nothing is."""
    import sqlalchemy as sa  # noqa: PLC0415

    from cascade_core.log.schema import meta  # noqa: PLC0415

    found: str | None = connection.scalar(sa.select(meta.c.value).where(meta.c.key == key))
    return found


def keep_text(connection: Connection, key: str, value: str) -> None:
    """Keep a text by a name, in place of what was kept by it."""
    import sqlalchemy as sa  # noqa: PLC0415

    from cascade_core.log.schema import meta  # noqa: PLC0415

    connection.execute(sa.delete(meta).where(meta.c.key == key))
    connection.execute(meta.insert(), {"key": key, "value": value})
