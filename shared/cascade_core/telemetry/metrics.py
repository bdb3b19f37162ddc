"""Counts requests, calls and audits that are over, through one meter provider."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry.metrics import (
    CallbackOptions,
    NoOpMeterProvider,
    Observation,
)

from cascade_core.log.redaction import cut
from cascade_core.log.writers import lost_records
from cascade_core.telemetry import names
from cascade_core.telemetry.facts import OtelAttributes, asked_of_whom, is_unpriced, without_gaps
from cascade_core.telemetry.worker import flushes, worker
from cascade_core.version import __version__

if TYPE_CHECKING:
    from cascade_core.call import Call
    from cascade_core.telemetry.around import AuditTold, RequestTold

COLLECTING = 10.0
"""Seconds that a collection waits for what is still to be counted."""


class Metrics:
    """The instruments of one provider.

    Args:
        provider: The meter provider.
    """

    def __init__(self, provider: Any) -> None:
        self._provider = provider  # kept: others are told from it by what it is
        meter = provider.get_meter(names.SCOPE, __version__, schema_url=names.SCHEMA_URL)
        self._spending: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._policies: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._values: dict[str, set[str]] = {}
        observed = {
            names.LOG_LOST: lambda: [(lost_records(), {})],
            names.TELEMETRY_LOST: lambda: [(worker.lost, {})],
            names.AUDIT_SPENT: lambda: self._budgets("spent"),
            names.AUDIT_LIMIT: lambda: self._budgets("limit"),
            names.POLICY_ACTIVE: self._active,
            names.POLICY_CHANGES: self._changes,
        }
        made: dict[str, Any] = {}
        for name, (kind, unit, said) in names.METRICS.items():
            if kind == "histogram":
                bounds = names.UPPER_BOUNDS[name]
                made[name] = meter.create_histogram(
                    name, unit, said, explicit_bucket_boundaries_advisory=bounds
                )
            elif kind == "counter":
                made[name] = meter.create_counter(name, unit, said)
            else:
                observe = _drained(observed[name])
                make = (
                    meter.create_observable_gauge
                    if kind == "gauge"
                    else meter.create_observable_counter
                )
                made[name] = make(name, [observe], unit, said)
        self._made = made
        flush = getattr(provider, "force_flush", None)
        if callable(flush):
            flushes(flush)

    def watch(self, spending: Any, name: str) -> None:
        """Show how much of a limit of audits is used, under the first cascade that has it."""
        self._spending.setdefault(spending, name)

    def follow(self, policy: Any, name: str) -> None:
        """Show which policy a cascade goes by, and how often that has changed."""
        self._policies.setdefault(policy, name)

    def request(self, session: RequestTold, outcome: str, *, within: bool) -> None:
        """Count a request, and its calls.

        Args:
            session: The request.
            outcome: What became of it, in a word.
            within: Whether another cascade's request is around it, which has its calls.
        """
        record, add = session.record or {}, self._add
        who = {names.CASCADE: session.engine.name, names.FRAMEWORK: session.engine.framework}
        said = {
            **who,
            names.OUTCOME: outcome,
            names.TIER: record.get("tier"),
            names.REASON: record.get("reason"),
        }
        asked = {
            names.CLASS: self._one_of(names.CLASS, session.class_name),
            names.RULE: self._one_of(names.RULE, session.rule),
        }
        add(names.REQUESTS, 1, {**said, **asked})
        if session.took is not None:
            add(names.REQUEST_DURATION, session.took, {**who, names.OUTCOME: outcome})
        for judged in session.judged:
            if not judged["accepted"]:
                why = {**who, names.TIER: judged["tier"], names.REASON: judged["reason"]}
                add(names.ESCALATIONS, 1, {**why, names.CLASS: asked[names.CLASS]})
        if record.get("handoff"):
            to = self._one_of(names.HANDED_TO, record.get("handed_to"))
            why = {**who, names.REASON: record["reason"], names.HANDED_TO: to}
            add(names.HANDOFFS, 1, {**why, names.CLASS: asked[names.CLASS]})
        for failing in record.get("failing", ()):
            if failing["open"]:
                add(names.LEFT_ALONE, 1, {**who, names.TIER: failing["tier"]})
        if not within:
            cost, strong = record.get("cost_usd"), record.get("strong_cost_usd")
            if cost is not None and strong is not None:
                add(names.COMPARED_COST, cost, who)
                add(names.STRONG_COST, strong, who)
            self._calls(session.calls, session.plan.tiers, {**who, names.PART: "request"})

    def audit(self, session: RequestTold, told: AuditTold) -> None:
        """Count an audit, and its calls."""
        event = told.event
        who = {names.CASCADE: session.engine.name, names.FRAMEWORK: session.engine.framework}
        kind = {names.CLASS: self._one_of(names.CLASS, session.class_name)}
        self._add(names.AUDITS, 1, {**who, **kind, names.AUDIT_STATUS: event["status"]})
        if event["harm"] is not None:
            self._add(names.HARM, event["harm"], {**who, **kind})
        self._calls(told.calls, session.plan.tiers, {**who, names.PART: "audit"})

    def _calls(self, calls: Sequence[Call], tiers: Any, who: OtelAttributes) -> None:
        for call in calls:
            whom = asked_of_whom(call, tiers)
            model = self._one_of(names.RESPONSE_MODEL, call.model)
            said = {
                **who,
                names.TIER: call.tier,
                names.PURPOSE: call.purpose,
                names.RESPONSE_MODEL: model,
            }
            self._add(names.CALLS, 1, {**said, names.CALL_OUTCOME: call.outcome})
            if call.cost is not None:
                self._add(names.COST_USD, float(call.cost), said)
            elif is_unpriced(call):
                self._add(names.UNPRICED, 1, said)
            asked = self._one_of(names.REQUEST_MODEL, whom.get(names.REQUEST_MODEL))
            said |= {
                names.OPERATION: names.CHAT,
                names.PROVIDER: whom.get(names.PROVIDER),
                names.REQUEST_MODEL: asked,
            }
            error = self._one_of(names.ERROR_TYPE, call.error)
            self._add(names.CALL_DURATION, call.seconds, {**said, names.ERROR_TYPE: error})
            if call.usage is not None:
                for kind in ("input", "output"):
                    tokens = getattr(call.usage, f"{kind}_tokens")
                    self._add(names.TOKEN_USAGE, tokens, {**said, names.TOKEN_TYPE: kind})

    def _add(self, name: str, amount: float, said: OtelAttributes) -> None:
        instrument = self._made[name]
        add = instrument.record if names.METRICS[name][0] == "histogram" else instrument.add
        add(amount, without_gaps(said))

    def _one_of(self, attribute: str, value: str | None) -> str | None:
        """Return a value that callers choose; those beyond the first ones are one."""
        if value is None:
            return None
        known = self._values.setdefault(attribute, set())
        value = cut(value)
        if value not in known:
            if len(known) >= names.MOST_VALUES:
                return names.OTHER
            known.add(value)
        return value

    def _budgets(self, what: str) -> list[tuple[float, OtelAttributes]]:
        found = [(getattr(each, what), name) for each, name in list(self._spending.items())]
        return [(float(usd), {names.CASCADE: name}) for usd, name in found if usd is not None]

    def _active(self) -> list[tuple[float, OtelAttributes]]:
        found = list(self._policies.items())
        return [
            (float(each.number or 0), {names.CASCADE: name})
            for each, name in found
            if each.is_numbered
        ]

    def _changes(self) -> list[tuple[float, OtelAttributes]]:
        return [
            (float(n), {names.CASCADE: name, names.POLICY_CHANGE: change})
            for each, name in list(self._policies.items())
            for change, n in each.changes.items()
        ]


def _drained(observe: Any) -> Any:
    """Return a callback of a collection that first counts what still waits."""

    def observed(_: CallbackOptions) -> Iterable[Observation]:
        worker.drain(COLLECTING)
        return [Observation(value, said) for value, said in observe()]

    return observed


_made: dict[int, Metrics | None] = {}
_kept: list[Any] = []  # so that no other has its id


def metrics_of(provider: Any) -> Metrics | None:
    """Return what counts through a provider, made once; None where it counts nothing."""
    if id(provider) not in _made:
        _made[id(provider)] = None if isinstance(provider, NoOpMeterProvider) else Metrics(provider)
        _kept.append(provider)
    return _made[id(provider)]
