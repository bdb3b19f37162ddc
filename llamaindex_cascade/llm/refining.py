"""Remembers which tier wrote an answer that may yet be refined.

LlamaIndex's refine mode asks once per chunk of context, each time with the answer so far. A
cheap tier must not overwrite an answer that a stronger one has begun.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b
from threading import Lock
from typing import Any

from cascade_core.forks import free_in_child

KEPT = 1024
"""Answers remembered; the least recently written are forgotten first."""


class RefineMemory:
    """The tiers above the first that wrote an answer, by question and answer.

    Only a refine step of the same question about the same answer finds it, so
    no request sees another's. Holds hashes, no text; shared by all requests of
    a cascade, and locked.
    """

    __slots__ = ("__weakref__", "_lock", "_tiers")

    def __init__(self) -> None:
        self._tiers: OrderedDict[bytes, int] = OrderedDict()
        self._lock = Lock()
        free_in_child(self)

    def remember(self, tier: int, variables: Mapping[str, Any], answer: str) -> None:
        """Remember who answered a template, if it holds a question (`query_str`).

        Args:
            tier: The tier.
            variables: The template's variables.
            answer: What it answered.
        """
        question = variables.get("query_str")
        if tier == 0 or question is None:
            return
        key = _key(question, answer)
        with self._lock:
            self._tiers[key] = tier
            self._tiers.move_to_end(key)
            if len(self._tiers) > KEPT:
                self._tiers.popitem(last=False)

    def first(self, variables: Mapping[str, Any]) -> int:
        """Return the cheapest tier to ask: who wrote the answer that is to be refined, or 0."""
        existing = variables.get("existing_answer")
        if existing is None:
            return 0
        return self._tiers.get(_key(variables.get("query_str"), existing), 0)


def _key(question: object, answer: object) -> bytes:
    text = f"{str(question).strip()}\0{str(answer).strip()}"
    return blake2b(text.encode(errors="replace"), digest_size=16).digest()
