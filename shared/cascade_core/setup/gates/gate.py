"""What a gate is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from cascade_core.call import Reason
from cascade_core.draft import Draft
from cascade_core.request import Request

Check: TypeAlias = Callable[[Request, Draft], bool | Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Gate:
    """A check and the reason it gives when a draft fails it.

    Attributes:
        reason: The reason.
        passes: The check.
        own: Whether it is one of this package's, which never wait or raise.
        blocks: Whether it may take long: then no event loop waits for it.
    """

    reason: Reason
    passes: Check
    own: bool = False
    blocks: bool = False
