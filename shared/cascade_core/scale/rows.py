"""What a row of bulk work says: an id, what is asked, and what is known of the request.

Rows come from files, from Ray datasets or from memory, where the same thing has many shapes: a
Parquet struct, a mapping, a text that is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from cascade_core.errors import CascadeError, ConfigurationError

BULK_COLUMNS = (
    *("id", "request", "messages", "class", "tags", "metadata"),
    *("reference", "group", "weight"),  # of rows that a table is collected of
)
"""What of a row is read; others are left alone."""


class RowError(CascadeError):
    """A row cannot be asked; it becomes a failed one, and the others go on."""


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One request of many.

    Attributes:
        id: By which it is known again.
        text: What is asked, where it is one text.
        messages: What is asked, where it is a conversation, as `{"role", "content"}`.
        metadata: What is known of the request, its class as `cascade_class` among it.
        tags: Its tags.
    """

    id: str
    text: str | None = field(default=None, repr=False)
    messages: tuple[Mapping[str, Any], ...] | None = field(default=None, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tags: tuple[str, ...] = ()


def id_of(raw: Mapping[str, Any]) -> str:
    """Return a row's id.

    Raises:
        ConfigurationError: It has none: what is done could not be told from what is not.
    """
    given = raw.get("id")
    if isinstance(given, bool) or not isinstance(given, str | int) or given == "":
        msg = (
            "a row has no id, or is no JSON: "
            "give each a text or a whole number of its own in the column id"
        )
        raise ConfigurationError(msg)
    return str(given)


def read_row(raw: Mapping[str, Any]) -> BulkRow:
    """Read a row.

    Raises:
        RowError: It cannot be asked; the message quotes nothing of it.
    """
    text, messages = raw.get("request"), _plain(raw, "messages")
    if messages is not None and not (
        isinstance(messages, Sequence)
        and messages
        and all(isinstance(m, Mapping) for m in messages)
    ):
        raise RowError('messages is not a list of {"role", "content"}')
    if messages is None and (not isinstance(text, str) or not text.strip()):
        raise RowError("request is empty, or no text")
    metadata = _plain(raw, "metadata") or {}
    if not isinstance(metadata, Mapping):
        raise RowError("metadata is no mapping")
    # A column of structs has every key in every row.
    known = {str(key): value for key, value in metadata.items() if value is not None}
    if (kind := raw.get("class")) not in (None, ""):
        known["cascade_class"] = str(kind)
    tags = _plain(raw, "tags") or ()
    if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags):
        raise RowError("tags is no list of texts")
    return BulkRow(
        id=id_of(raw),
        text=None if messages else text,
        messages=None if messages is None else tuple(_message(m) for m in messages),
        metadata=known,
        tags=tuple(tags),
    )


def batch_name(ids: Sequence[str]) -> str:
    """Return what names a batch by the rows in it, the same in every process."""
    joined = json.dumps(list(ids)).encode("utf-8", "surrogatepass")
    return blake2b(joined, digest_size=12).hexdigest()


def mark_of_id(row_id: str) -> bytes:
    """Return what an id is looked up by: as long for each, so that millions are one array."""
    return blake2b(row_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest().encode()


def _message(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in given.items() if value is not None or key == "content"}


def _plain(raw: Mapping[str, Any], column: str) -> Any:
    """Return a cell; JSON is read where a text stands in place of what CSV cannot hold."""
    value = raw.get(column)
    if not isinstance(value, str):
        return value
    if not value:
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise RowError(f"{column} is a text that is no JSON") from None
