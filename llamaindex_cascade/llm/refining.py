"""Remembers which tier wrote an answer that may yet be refined.

A refine loop asks once a chunk of context, each time with the answer so far. A
cheap tier must not overwrite what a stronger one has begun.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b
from threading import Lock
from typing import Any

KEPT = 1024
"""Answers remembered; the least recently written are forgotten first."""


class Authors:
    """The tiers above the first that wrote an answer, by question and answer.

    Only a refine step of the same question about the same answer finds it, so
    no request sees another's. Holds hashes, no text; shared by all requests of
    a cascade, and locked.
    """

    __slots__ = ("_lock", "_tiers")

    def __init__(self) -> None:
        self._tiers: OrderedDict[bytes, int] = OrderedDict()
        self._lock = Lock()

    def wrote(self, tier: int, given: Mapping[str, Any], answer: str) -> None:
        """Remember who answered a template with a question in it."""
        if tier and (question := given.get("query_str")) is not None:
            with self._lock:
                key = _key(question, answer)
                self._tiers[key] = tier
                self._tiers.move_to_end(key)
                if len(self._tiers) > KEPT:
                    self._tiers.popitem(last=False)

    def of(self, given: Mapping[str, Any]) -> int:
        """Return the tier that wrote the answer a refine template holds; 0 = any."""
        existing = given.get("existing_answer")
        if existing is None:
            return 0
        return self._tiers.get(_key(given.get("query_str"), existing), 0)


def _key(question: object, answer: object) -> bytes:
    text = f"{str(question).strip()}\0{str(answer).strip()}"
    return blake2b(text.encode(errors="replace"), digest_size=16).digest()
