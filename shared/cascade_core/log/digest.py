"""A keyed digest of a request: equal requests are found in a log that holds no word of them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import blake2b
from json.encoder import encode_basestring_ascii
from secrets import token_bytes
from typing import Any

from cascade_core.request import Request

KEY_VARIABLE = "CASCADE_DIGEST_KEY"

_SIZE = 16
_LONGEST_KEY = 64  # of BLAKE2b

_OF_THIS_PROCESS = token_bytes(32)


def read_key(log: Any) -> bytes | None:
    """Return the key of a log's digests; None where the log cannot tell it just now.

    It is the environment's, else the log's own, else one of this process.

    Args:
        log: May have a method `digest_key()` that returns bytes, a text, or None. It may wait.

    Raises:
        Exception: What the log's method raises.
    """
    own: Callable[[], bytes | str | None] | None = getattr(log, "digest_key", None)
    given: bytes | str | None = os.environ.get(KEY_VARIABLE)
    if not given:
        given = own() if callable(own) else _OF_THIS_PROCESS
    if not given:
        return None
    key = given.encode() if isinstance(given, str) else given
    return key if len(key) <= _LONGEST_KEY else blake2b(key).digest()


def digest_of(request: Request, key: bytes) -> str:
    """Return a digest of who said what, of retrieved texts, and of the tools that are offered.

    Parts that are no text count by their kind, tools by their names.
    """
    asked = []  # lines: what is quoted has no end of a line in it
    for turn in request.turns:
        asked.append(f"{turn.role} {encode_basestring_ascii(turn.text)}")
        if turn.tool_calls or turn.unseen:
            calls = [[call.name, call.arguments] for call in turn.tool_calls]
            asked.append(_ENCODER.encode([calls, turn.unseen]))
    if request.tools or request.contexts:
        names = [tool.name for tool in request.tools]
        asked.append(_ENCODER.encode({"tools": names, "contexts": list(request.contexts)}))
    return blake2b("\n".join(asked).encode(), digest_size=_SIZE, key=key).hexdigest()


def _kind_of(value: object) -> Any:
    return dict(value) if hasattr(value, "keys") else type(value).__name__  # type: ignore[call-overload]


_ENCODER = json.JSONEncoder(default=_kind_of, sort_keys=True)
"""Made once, and used only where there is more than text: a request waits for each digest."""
