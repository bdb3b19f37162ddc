"""Opens a SQLite file whose folder takes no files: on a read-only disk, or somebody else's.

A database with a write-ahead log needs files beside it, even to be read. Where none can be made,
and none are there, nothing is being written, and it is read as it stands.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote


def stands(file: Path) -> bool:
    """Tell whether nobody can be writing to a SQLite file that is there, by what is beside it."""
    try:
        beside = any(os.path.lexists(f"{file}{end}") for end in ("-wal", "-shm", "-journal"))
        return not beside and file.stat().st_size > 0 and not os.access(file.parent, os.W_OK)
    except OSError:
        return False


def open_as_it_stands(file: Path) -> Any:
    """Return what SQLAlchemy calls before it connects; each connection looks anew."""

    def connecting(_: Any, __: Any, arguments: list[Any], named: dict[str, Any]) -> None:
        if stands(file):
            arguments[0] = f"file:{quote(str(file))}?immutable=1"
            named["uri"] = True

    return connecting
