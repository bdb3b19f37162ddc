"""What is known of a request when it begins, and which request a cascade is called within."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter
from types import TracebackType
from typing import Any, NamedTuple


class Traced:
    """A request that is told of.

    Args:
        sinks: Whom it is told.
        context: OpenTelemetry's context around its start.
        parent: The request of a cascade that has this one as its tier, or within it.

    Attributes:
        ended: When it ended, as `perf_counter` has it; None until then.
        span_context: Of its span, once that is made.
        over: Whether its span is made, if one is to be.
    """

    __slots__ = ("_waiting", "context", "ended", "over", "parent", "sinks", "span_context")

    def __init__(self, sinks: Any, context: Any, parent: Traced | None) -> None:
        self.sinks = sinks
        self.context = context
        self.parent = parent
        self.ended: float | None = None
        self.span_context: Any = None
        self.over = False
        self._waiting: list[Callable[[], None]] = []

    def end(self) -> None:
        """Say when it ended."""
        self.ended = perf_counter()

    def when_over(self, job: Callable[[], None]) -> None:
        """Do something when there is a span for it to refer to."""
        if self.over:
            job()
        else:
            self._waiting.append(job)

    def finish(self) -> None:
        """Do what has waited for its span."""
        self.over = True
        waiting, self._waiting = self._waiting, []
        for job in waiting:
            job()


class AuditTold(NamedTuple):
    """An audit as it is told: its event, its calls, and when it ran."""

    event: dict[str, Any]
    calls: list[Any]
    began: float
    ended: float
    now: int


class RequestTold:
    """What is told of a request: little, for what waits here is not freed with the answer.

    Keeping whole requests would cost each call more than all the rest of this: their memory is
    not used again by the next.

    Args:
        session: The request, which is over.
        content: Whether its texts are told; then it is kept.
    """

    __slots__ = (
        "accepted",
        "at",
        "began",
        "calls",
        "class_name",
        "engine",
        "error",
        "id",
        "plan",
        "record",
        "rule",
        "session",
        "thread",
        "took",
    )

    def __init__(self, session: Any, *, content: bool) -> None:
        request, verdict = session.request, session.verdict
        self.id: str = session.id
        self.at = session.at
        self.began: float = session.began
        self.took: float | None = session.took
        self.record: dict[str, Any] | None = session.record
        self.error = None if session.error is None else type(session.error).__qualname__
        self.engine = session.engine
        self.plan = session.plan
        self.class_name: str | None = request.class_name
        self.rule: str | None = request.ruling.rule
        self.thread: str | None = request.thread
        self.calls = session.calls
        self.accepted = () if verdict is None else [j.accepted for j in verdict.judgements]
        self.session = session if content else None

    @property
    def judged(self) -> list[dict[str, Any]]:
        """How each draft was judged, as the record has it, and whether it was accepted."""
        judged = [] if self.record is None else self.record["judged"]
        return [{**each, "accepted": yes} for each, yes in zip(judged, self.accepted, strict=False)]


around: ContextVar[Traced | None] = ContextVar("around", default=None)
"""The request whose model is being called here."""


class inside:  # noqa: N801 - it is used like a function
    """Says which request calls its models here, to cascades that are called by them."""

    __slots__ = ("_before", "_traced")

    def __init__(self, traced: Traced | None) -> None:
        self._traced = traced

    def __enter__(self) -> None:
        if self._traced is not None:
            self._before = around.get()
            around.set(self._traced)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._traced is not None:
            around.set(self._before)
