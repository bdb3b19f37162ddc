"""Makes spans of requests and audits that are over, with the times at which things happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    NoOpTracerProvider,
    ProxyTracerProvider,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)

from cascade_core.telemetry import names
from cascade_core.telemetry.facts import content, of_call, of_request, without_gaps
from cascade_core.telemetry.flushing import flush_with
from cascade_core.version import __version__

if TYPE_CHECKING:
    from cascade_core.call import Call
    from cascade_core.telemetry.around import AuditTold, RequestTold, Traced

_BILLION = 1_000_000_000


class SpanMaker:
    """Makes spans through one provider.

    Args:
        provider: The tracer provider.
    """

    def __init__(self, provider: Any) -> None:
        self._provider = provider  # kept: others are told from it by what it is
        self._tracer = provider.get_tracer(names.SCOPE, __version__, schema_url=names.SCHEMA_URL)
        flush_with(provider)

    def request(self, session: RequestTold, traced: Traced, outcome: str, *, within: bool) -> None:
        """Make a request's span, and one for each call below it.

        Args:
            session: The request.
            traced: What was around its start.
            outcome: What became of it, in a word.
            within: Whether another cascade's request is around it, which has its calls.
        """
        began = session.began
        zero = int(session.at.timestamp() * _BILLION) - int(began * _BILLION)
        took = (traced.ended or began) - began if session.took is None else session.took
        found = of_request(session, outcome)
        if session.session is not None:
            found |= content(session.session)
        if session.error is not None:
            found[names.ERROR_TYPE] = session.error
        span = self._tracer.start_span(
            f"{names.SPAN_NAME} {session.engine.name}",
            context=_parent_of(traced, within=within),
            kind=SpanKind.INTERNAL,
            attributes=found,
            start_time=zero + int(began * _BILLION),
        )
        traced.span_context = span.get_span_context()
        if span.is_recording():
            if outcome in ("failed", "exhausted"):
                span.set_status(Status(StatusCode.ERROR, found.get(names.ERROR_TYPE)))
            calls = [] if within else session.calls
            left = self._calls(span, session, calls, zero, session.judged)
            for judgement in left:
                _tell_of(span, judgement, zero + int((began + took) * _BILLION))
        span.end(zero + int((began + took) * _BILLION))

    def audit(self, session: RequestTold, traced: Traced, told: AuditTold) -> None:
        """Make an audit's span, linked to that of its decision."""
        event = told.event
        zero = told.now - int(told.ended * _BILLION)
        decision = traced.span_context
        found = {
            names.DECISION_ID: session.id,
            names.CASCADE: session.engine.name,
            names.FRAMEWORK: session.engine.framework,
            names.AUDIT_STATUS: event["status"],
            names.AUDIT_WHY: event["why"],
            names.AUDIT_COMPARE: event["compare"],
            names.AUDIT_QUALITY: event["quality"],
            names.AUDIT_STRONG_QUALITY: event["strong_quality"],
            names.AUDIT_HARM: event["harm"],
            names.COST: event["cost_usd"],
        }
        span = self._tracer.start_span(
            f"{names.AUDIT_SPAN} {session.engine.name}",
            context=Context(),  # a trace of its own: the request is over
            kind=SpanKind.INTERNAL,
            attributes=without_gaps(found),
            links=[] if decision is None else [Link(decision)],
            start_time=zero + int(told.began * _BILLION),
        )
        if span.is_recording():
            if event["status"] == "failed":
                span.set_status(Status(StatusCode.ERROR, event["why"]))
            self._calls(span, session, told.calls, zero, ())
        span.end(zero + int(told.ended * _BILLION))

    def _calls(
        self, span: Any, session: RequestTold, calls: Sequence[Call], zero: int, judged: Any
    ) -> list[dict[str, Any]]:
        """Make a span for each call; return the judgements that are about none of them."""
        left = list(judged)
        below = set_span_in_context(span)
        begun = getattr(span, "start_time", None) or zero
        for call in calls:
            start = begun if call.began is None else zero + int(call.began * _BILLION)
            end = start + int(call.seconds * _BILLION)
            found = of_call(call, session.plan.tiers)
            made = self._tracer.start_span(
                f"{names.CHAT} {call.model or ''}".strip(),
                context=below,
                kind=SpanKind.CLIENT,
                attributes=found,
                start_time=start,
            )
            if call.outcome == "failed":
                made.set_status(Status(StatusCode.ERROR, call.error))
            elif call.purpose == "draft":
                about = next((each for each in left if each["tier"] == call.tier), None)
                if about is not None:
                    left.remove(about)
                    _tell_of(made, about, end)
            made.end(end)
        return left


def _parent_of(traced: Traced, *, within: bool) -> Any:
    """Return the context that a request's span belongs to.

    A cascade within another's tier belongs to the other's span, unless a span of the caller's own
    was begun in between.
    """
    parent = traced.parent
    if not within or parent is None or parent.span_context is None:
        return traced.context
    if get_current_span(traced.context) is not get_current_span(parent.context):
        return traced.context
    return set_span_in_context(NonRecordingSpan(parent.span_context), traced.context)


def _tell_of(span: Any, judged: dict[str, Any], at: int) -> None:
    """Add what was read of a draft, and what became of it."""
    for name, reading in judged["signals"].items():
        found = without_gaps({names.EVALUATION_NAME: name, names.EVALUATION_SCORE: reading})
        span.add_event(names.READING_EVENT, found, at)
    more = judged["merit"] != judged["confidence"]  # a benefit counts too
    said = {
        names.TIER: judged["tier"],
        names.REASON: judged["reason"],
        names.ACCEPTED: judged["accepted"],
        names.DRAFT_CONFIDENCE: judged["confidence"],
        names.DRAFT_MERIT: judged["merit"] if more else None,
        names.THRESHOLD: judged["threshold"],
    }
    span.add_event(names.JUDGED_EVENT, without_gaps(said), at)


_made: dict[int, SpanMaker | None] = {}


def span_maker_of(provider: Any) -> SpanMaker | None:
    """Return what makes spans through a provider, made once; None where it makes none."""
    if id(provider) not in _made:
        idle = isinstance(provider, NoOpTracerProvider | ProxyTracerProvider)
        _made[id(provider)] = None if idle else SpanMaker(provider)
        _kept.append(provider)
    return _made[id(provider)]


_kept: list[Any] = []  # so that no other has its id
