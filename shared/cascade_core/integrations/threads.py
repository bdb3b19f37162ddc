"""How frameworks and callers name the conversation that a request belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

THREAD_KEYS = ("thread_id", "session_id", "conversation_id")


def thread_in(named: Mapping[str, Any] | None) -> str | None:
    """Return the conversation that a request's metadata or tags name, if they do."""
    if named:
        for key in THREAD_KEYS:
            found = named.get(key)
            if found is not None and found != "":
                return str(found)
    return None
