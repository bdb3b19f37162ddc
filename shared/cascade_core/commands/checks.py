"""What is checked before long work begins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cascade_core.errors import ConfigurationError
from cascade_core.files import replacing

if TYPE_CHECKING:
    from cascade_core.labels import Table


def check_writable(path: Path, *, table: Path | None = None, policy: Path | None = None) -> None:
    """Raise `ConfigurationError` where a file could not be written in the end.

    Args:
        path: What is to be written.
        table: The labelled table that is read, if any, and must not be lost.
        policy: The same for a policy.
    """
    if path.is_dir():
        msg = f"{path} is a directory; name a file"
        raise ConfigurationError(msg)
    if not path.parent.is_dir():
        msg = f"{path} cannot be written: there is no directory {path.parent}"
        raise ConfigurationError(msg)
    special = path.exists() and not path.is_file()  # a pipe or a device is written to directly
    if not special and not os.access(path.resolve().parent, os.W_OK):
        msg = f"{path} cannot be written: nothing may be written in {path.resolve().parent}"
        raise ConfigurationError(msg)
    if table is not None and path.resolve() == table.resolve():
        msg = f"{path} is the labelled table itself; name another file"
        raise ConfigurationError(msg)
    if policy is not None and path.resolve() == policy.resolve():
        msg = f"{path} is the policy itself; name another file"
        raise ConfigurationError(msg)


def keep_before(path: Path) -> Path | None:
    """Keep what a file holds that is about to be replaced, in place of what was kept before.

    Returns:
        Where it is kept; None where there is nothing to keep.

    Raises:
        ConfigurationError: It cannot be read, or kept.
    """
    if not path.is_file():
        return None
    kept = path.with_name(f"{path.name}.bak")
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}; name another file"
        raise ConfigurationError(msg) from None
    with replacing(kept) as file:
        file.write(content)
    return kept


def read_labels(path: Path) -> Table:
    """Read a labelled table that can tell a good policy from a bad one.

    Raises:
        TableError: The table is bad, or all its answers are alike; the message names line and
            column.
    """
    from cascade_core.labels import check_learnable, read_table

    table = read_table(path)
    check_learnable(table)
    return table
