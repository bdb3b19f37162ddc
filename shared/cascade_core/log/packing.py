"""Copies of records on their way to a database: quick to make, and of known size."""

from __future__ import annotations

import marshal
from typing import Any, Literal, NamedTuple


class Parcel(NamedTuple):
    """A copy of one record or event."""

    kind: Literal["record", "event"]
    packed: bytes


def pack(kind: Literal["record", "event"], value: Any) -> Parcel:
    """Copy a record or an event: whoever gave it may change it while it waits.

    Raises:
        ValueError, RecursionError: It is no plain JSON, and cannot be made so.
    """
    try:
        return Parcel(kind, marshal.dumps(value, 2))  # the fastest copy there is
    except ValueError:  # kinds of text, of numbers
        from cascade_core.log.rows import plain_json  # noqa: PLC0415 - seldom

        return Parcel(kind, marshal.dumps(plain_json(value), 2))


def unpack(parcel: Parcel) -> Any:
    """Return the copy; of what this process packed, and nothing else."""
    return marshal.loads(parcel.packed)  # noqa: S302
