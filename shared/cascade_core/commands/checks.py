"""What is checked before long work begins."""

from __future__ import annotations

import os
from pathlib import Path

from cascade_core.errors import ConfigurationError
from cascade_core.files import replacing


def check_writable(
    path: Path, *, table: str | Path | None = None, policy: str | Path | None = None
) -> None:
    """Raise `ConfigurationError` where a file could not be written in the end.

    Args:
        path: What is to be written.
        table: The labelled table or log that is read, if any, and must not be lost.
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
    read, decided = (
        None if given is None else Path(str(given).removeprefix("sqlite:///"))
        for given in (table, policy)
    )
    if read is not None and path.resolve() == read.resolve():
        msg = f"{path} is the labelled table itself, or the log; name another file"
        raise ConfigurationError(msg)
    if decided is not None and path.resolve() == decided.resolve():
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
