"""What an engine tells of its requests, and whether anybody listens.

A program may set OpenTelemetry up before a cascade is made or afterwards, or never: then its
modules are not imported, and a request costs a look at `sys.modules`.
"""

from __future__ import annotations

import sys
from threading import Lock
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from cascade_core.forks import free_in_child
from cascade_core.telemetry.around import AuditTold, RequestTold, Traced, around
from cascade_core.telemetry.worker import worker

if TYPE_CHECKING:
    from cascade_core.telemetry.metrics import Metrics
    from cascade_core.telemetry.setting import Telemetry
    from cascade_core.telemetry.spans import SpanMaker


class Sinks(NamedTuple):
    """Whom a request is told."""

    spans: SpanMaker | None
    metrics: Metrics | None
    current: Any


_NOTHING = object()


class TelemetryWatch:
    """Tells of one engine's requests; copies of the engine share it.

    Args:
        setting: The cascade's setting.
        spending: What a day's audits have cost, where they have a limit.
        name: What records call the cascade.
        policy: What follows its policy; see `setup.live`.
    """

    def __init__(
        self, setting: Telemetry, name: str, spending: Any = None, policy: Any = None
    ) -> None:
        self.content = setting.content
        self._tracers = setting.tracer_provider
        self._meters = setting.meter_provider
        self._name = name
        self._spending = spending
        self._policy = policy
        self._seen: tuple[Any, Any] = (_NOTHING, _NOTHING)
        self._sinks: Sinks | None = None

    def begin(self) -> Traced | None:
        """Note what is around a request that begins; None where nobody listens."""
        tracers = self._tracers or _configured("opentelemetry.trace", "_TRACER_PROVIDER")
        meters = self._meters or _configured("opentelemetry.metrics._internal", "_METER_PROVIDER")
        if tracers is None and meters is None:
            return None
        if tracers is not self._seen[0] or meters is not self._seen[1]:
            try:
                self._sinks = self._open(tracers, meters)
            except Exception as error:  # noqa: BLE001 - a caller's provider may raise anything
                self._sinks = None
                worker.fail(error)
            self._seen = (tracers, meters)
        sinks = self._sinks
        if sinks is None:
            return None
        return Traced(sinks, sinks.current(), around.get())

    def ended(self, session: Any, traced: Traced, outcome: str) -> None:
        """Tell of a request that is over."""
        traced.end()
        worker.put(_request, RequestTold(session, content=self.content), traced, outcome)

    def audited(
        self, session: Any, traced: Traced, event: dict[str, Any], calls: Any, began: float
    ) -> None:
        """Tell of an audit that is over."""
        told = AuditTold(event, list(calls), began, perf_counter(), time_ns())
        worker.put(_audit, RequestTold(session, content=False), traced, told)

    def _open(self, tracers: Any, meters: Any) -> Sinks | None:
        from opentelemetry.context import get_current  # noqa: PLC0415 - it is configured

        from cascade_core.telemetry.metrics import metrics_of  # noqa: PLC0415
        from cascade_core.telemetry.spans import span_maker_of  # noqa: PLC0415

        with _opening:
            spans = None if tracers is None else span_maker_of(tracers)
            metrics = None if meters is None else metrics_of(meters)
        if spans is None and metrics is None:
            return None
        if metrics is not None and self._spending is not None:
            metrics.watch(self._spending, self._name)
        if metrics is not None and self._policy is not None and self._policy.changes:
            metrics.follow(self._policy, self._name)
        return Sinks(spans, metrics, get_current)


_opening = Lock()
free_in_child(sys.modules[__name__], "_opening")


def _configured(module: str, name: str) -> Any:
    """Return a global provider that somebody has set; None where nobody has.

    The public functions look into the environment each time, which takes longer than all else.
    """
    loaded = sys.modules.get(module)
    return None if loaded is None else getattr(loaded, name, None)


def _request(session: RequestTold, traced: Traced, outcome: str) -> None:
    sinks: Sinks = traced.sinks
    parent = traced.parent
    within = parent is not None and parent.sinks == sinks
    try:
        if sinks.metrics is not None:
            sinks.metrics.request(session, outcome, within=within)
    finally:
        if sinks.spans is None:
            traced.finish()
        elif within and parent is not None:
            parent.when_over(lambda: _span(session, traced, outcome, within=True))
        else:
            _span(session, traced, outcome, within=False)


def _span(session: RequestTold, traced: Traced, outcome: str, *, within: bool) -> None:
    try:
        traced.sinks.spans.request(session, traced, outcome, within=within)
    finally:
        traced.finish()


def _audit(session: RequestTold, traced: Traced, told: AuditTold) -> None:
    sinks: Sinks = traced.sinks
    try:
        if sinks.metrics is not None:
            sinks.metrics.audit(session, told)
    finally:
        if sinks.spans is not None and told.calls:
            traced.when_over(lambda: sinks.spans.audit(session, traced, told))  # type: ignore[union-attr]
