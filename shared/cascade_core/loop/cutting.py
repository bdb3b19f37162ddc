"""What is said of a call that nobody waits for any longer, blocking or awaited."""

from __future__ import annotations

from time import perf_counter
from typing import Any, Literal, Protocol, TypeAlias

from cascade_core.effects import Chunk, Done, Drafts, Failed
from cascade_core.errors import CutShortError
from cascade_core.guards.guards import GuardedRequest

Came: TypeAlias = Drafts | Chunk | Done | Failed
"""What came back of a call."""


class Waited(Protocol):
    """A call that is waited for.

    Attributes:
        began: When it began, as `perf_counter` has it.
        stream: Of a stream that is open, the stream.
    """

    began: float
    stream: Any

    @property
    def came(self) -> Came | None:
        """What came back, if anything did."""
        ...


def say_arrived(watched: GuardedRequest | None, call: Waited) -> None:
    """Say what had arrived of a stream that is left."""
    if watched is not None and call.stream is not None:
        watched.arrived = call.stream.had()


def cut_off(call: Waited, reason: Literal["deadline", "overtaken"]) -> Failed:
    """Return the reply for a call that was cut off, with what had arrived of its stream."""
    draft = None if call.stream is None else call.stream.had()
    seconds = perf_counter() - call.began
    return Failed(CutShortError(reason), seconds, draft, began=call.began)


def known_of(call: Waited) -> Came | None:
    """Return what is known of a call that is ended."""
    if call.stream is not None:
        draft = call.stream.had()
        return None if draft is None else Done(draft)
    came = call.came
    return came if isinstance(came, Drafts | Failed) else None
