"""Appends whole lines to a file that others append to as well, or not at all.

A process that is killed, or a disk that is full, may leave half a line behind. Whoever appends
next begins a new line, so that the half costs only itself.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from time import sleep

_OTHERS = stat.S_IRWXO
_MOMENT = 0.002
"""Seconds in which a line that is being written gets longer."""

_APPEND = os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def append_line(path: Path, line: bytes, *, private: bool) -> None:
    """Append a line to a file, which is made where there is none.

    Args:
        path: The file; a pipe or a device does as well.
        line: The line with its end.
        private: Whether nobody but its owner may read it; see `JsonlLog`.

    Raises:
        OSError: It cannot be written; nothing of it is in the file.
    """
    mode = 0o600 if private else 0o644
    try:
        handle = os.open(path, os.O_RDWR | _APPEND, mode)
    except PermissionError:  # it may still be one that can be written and not read
        handle = os.open(path, os.O_WRONLY | _APPEND, mode)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            _write(handle, line)
            return
        if private and found.st_mode & _OTHERS:
            _close_to_others(handle)
        _append(handle, b"\n" + line if _is_torn(handle) else line)
    finally:
        os.close(handle)


def _append(handle: int, line: bytes) -> None:
    """Write all of a line, or take back what was written of it."""
    written = 0
    try:
        while written < len(line):
            written += _write(handle, line[written:])
    except OSError:
        end = os.lseek(handle, 0, os.SEEK_CUR)
        if written and os.fstat(handle).st_size == end:  # nobody has gone on behind it
            os.ftruncate(handle, end - written)
        raise


def _write(handle: int, data: bytes) -> int:
    written = os.write(handle, data)
    if not written:
        raise OSError("nothing could be written")
    return written


def _is_torn(handle: int) -> bool:
    """Tell whether a file ends within a line that nobody is writing any more."""
    before = -1
    while True:
        size = os.fstat(handle).st_size
        if not size:
            return False
        try:
            os.lseek(handle, size - 1, os.SEEK_SET)
            if os.read(handle, 1) == b"\n":
                return False
        except OSError:  # it can be written and not read
            return False
        if size == before:
            return True
        before = size
        sleep(_MOMENT)  # somebody else's line may be on its way


def _close_to_others(handle: int) -> None:
    try:
        os.fchmod(handle, 0o600)
    except (AttributeError, OSError):  # another system, or somebody else's file
        return
