"""What a tier can take, as far as it is known before it is asked.

Whatever is not known counts as able: a provider that refuses a request costs nothing, and a tier
that is never asked for no good reason costs every saving.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from cascade_core.errors import ConfigurationError
from cascade_core.frozen import frozen

Missing: TypeAlias = Literal[
    "max_input_tokens", "image", "audio", "video", "file", "tools", "structured_output", "n"
]
"""What a tier may lack for a request; the whole list.

===================  =======================================================
`max_input_tokens`   the request is longer than its context window
`image`, `audio`,    the request has such parts, and the tier reads none
`video`, `file`
`tools`              the request offers tools, and the tier calls none
`structured_output`  an object of a schema is asked for in a way it has not
`n`                  several answers to one request are asked for
===================  =======================================================
"""

MODALITIES: frozenset[Missing] = frozenset({"image", "audio", "video", "file"})
"""What a request may hold beside text."""

NEEDS: tuple[Missing, ...] = ("tools", "structured_output", "n")
"""What a request may ask of a tier beside reading it."""

_SAID_AS = {"pdf": "file", "document": "file"}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What is known of a tier.

    Attributes:
        max_input_tokens: The longest request it takes; None where that is not known.
        shared: Whether its answer has to fit into the same room: a context window.
        lacks: What it is known not to do.
        max_output_tokens: The most it can write; None where that is not known.
        call_usd: The most USD one call can cost, where the caller says so.
        call_tokens: The most tokens one call can take, where the caller says so.
    """

    max_input_tokens: int | None = None
    shared: bool = False
    lacks: frozenset[Missing] = frozenset()
    max_output_tokens: int | None = None
    call_usd: Decimal | None = None
    call_tokens: int | None = None

    @property
    def identity(self) -> list[Any]:
        """The same as plain JSON; part of cache keys."""
        return [self.max_input_tokens, self.shared, *sorted(self.lacks)]

    @property
    def limited(self) -> bool:
        """Whether there is any request that it is known not to take."""
        return bool(self.lacks) or self.max_input_tokens is not None


NOTHING_KNOWN = Abilities()
"""Nothing is known, so everything is asked."""


@frozen
class Load:
    """What a request brings along, as its adapter sees at a glance.

    Attributes:
        size: How many bytes its texts have at the most, as UTF-8; tools aside.
        messages: How many messages it is.
        parts: The kinds of its parts that are not text.
    """

    size: int = 0
    messages: int = 0
    parts: frozenset[Missing] = field(default_factory=frozenset)


def size_of(text: str) -> int:
    """Return how many bytes a text has at the most, without looking at it."""
    return len(text) if text.isascii() else 4 * len(text)


def read_modalities(given: object, where: str) -> frozenset[Missing]:
    """Read the `modalities=` of a tier.

    Args:
        given: Their names; `text` is always among what a tier reads.
        where: How an error names it.

    Returns:
        What the tier does not read.

    Raises:
        ConfigurationError: It is no list of names that are known here.
    """
    known = sorted({"text", *MODALITIES})
    if isinstance(given, str) or not isinstance(given, Collection):
        msg = f"{where} takes a list of what the model reads, of {', '.join(known)}"
        raise ConfigurationError(msg)
    named = {_SAID_AS.get(name, name) for name in (str(each).removesuffix("s") for each in given)}
    if unknown := sorted(named - {"text", *MODALITIES}):
        msg = f"{where} names {unknown[0]!r}, which is none of {', '.join(known)}"
        raise ConfigurationError(msg)
    return frozenset(MODALITIES - named)
