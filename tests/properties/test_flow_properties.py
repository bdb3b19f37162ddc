"""What holds of every cascade, whatever its models say, and wherever its consumer stops."""

import inspect
import json
from collections import Counter
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_core.call import Outcome, Reason
from cascade_core.costs.rate import EXACT
from cascade_core.effects import Ask, Emit, Open
from cascade_core.errors import CascadeExhausted
from cascade_core.log.record import as_record
from cascade_core.loop import drivers
from cascade_core.loop.flow import cascade
from tests.core.making import ASKED, AsyncFakePort, FakePort, Models, no_waiting
from tests.properties.making import cases

EXAMPLES = 60


def watched(flow, seen):
    """Run a flow as it is and keep its effects."""
    reply = None
    try:
        while True:
            try:
                effect = flow.send(reply)
            except StopIteration as stop:
                return stop.value
            seen.append(effect)
            reply = yield effect
    finally:
        flow.close()


def played(case):
    """Return the verdict or the error, the effects, and the models."""
    seen, models = [], Models(*case.answers)
    flow = watched(cascade(case.plan, case.request, streamed=case.streamed), seen)
    try:
        came, _ = drivers.play(flow, models)
    except CascadeExhausted as error:
        came = error
    return came, seen, models


def shape_of(came, seen):
    """Return what must be equal between drivers, without the clock."""
    effects = [
        (type(e).__name__, getattr(getattr(e, "target", getattr(e, "tier", None)), "index", None),
         getattr(e, "chunk", None), getattr(e, "key", None), getattr(e, "logprobs", None))
        for e in seen
    ]  # fmt: skip
    calls = came.calls if not isinstance(came, CascadeExhausted) else came.trail
    trail = [(c.tier, c.model, c.purpose, c.usage, c.cost, c.outcome, c.note) for c in calls]
    if isinstance(came, CascadeExhausted):
        return effects, trail, str(came)
    judged = came.judged
    numbers = (judged.reason, judged.confidence, judged.threshold, judged.signals)
    return effects, trail, (came.tier, came.reason, came.accepted, came.cost, numbers)


@given(cases())
@settings(max_examples=EXAMPLES * 2)
def test_every_request_ends_in_one_verdict_or_one_error_that_add_up(make):
    case = make()
    came, seen, _ = played(case)
    calls = came.trail if isinstance(came, CascadeExhausted) else came.calls
    made = sum(e.n for e in seen if isinstance(e, Ask)) + sum(isinstance(e, Open) for e in seen)
    assert len(calls) == made, "every call made is in the trail once"
    assert all(call.outcome in get_args(Outcome) for call in calls)
    asked = Counter(
        e.target.index if isinstance(e, Ask) else e.tier.index
        for e in seen
        for _ in range(getattr(e, "n", 1))
        if isinstance(e, Ask | Open)
    )
    assert Counter(call.tier for call in calls) == asked
    answering = [call for call in calls if call.outcome in {"accepted", "returned"}]
    if isinstance(came, CascadeExhausted):
        assert not answering
        assert came.causes
        return
    assert [call.tier for call in answering] == [came.tier]
    assert came.reason in get_args(Reason)
    assert came.accepted == (answering[0].outcome == "accepted")
    cost = Decimal(0)
    for call in calls:
        cost = EXACT.add(cost, call.cost or 0)
    assert came.cost == cost
    confidence = came.judged.confidence
    assert confidence is None or 0 <= confidence <= 1
    assert all(r is None or 0 <= r <= 1 for r in came.judged.signals.values())
    if came.reason == "confident":
        assert confidence >= came.judged.threshold


@given(cases(streamed=True))
@settings(max_examples=EXAMPLES)
def test_what_is_shown_is_all_of_the_answering_tier_and_of_no_other(make):
    came, seen, models = played(make())
    shown = [effect.chunk for effect in seen if isinstance(effect, Emit)]
    if isinstance(came, CascadeExhausted):
        assert {model for model, _ in shown} <= {f"m{len(models._answers) - 1}"}
        return
    assert shown
    assert {model for model, _ in shown} == {f"m{came.tier}"}
    places = [place for _, place in shown]
    assert places in (["whole"], list(range(len(places))))


@given(cases())
@settings(max_examples=EXAMPLES)
def test_the_record_is_plain_json_with_its_id_first(make):
    came, _, _ = played(make())
    if isinstance(came, CascadeExhausted):
        return
    record = as_record(came, "d1", ASKED)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert next(iter(record)) == "id"


@given(cases())
@settings(max_examples=EXAMPLES)
def test_all_drivers_make_the_same_effects_and_verdicts(make):
    ends = [shape_of(*played(make())[:2])]

    for kind in ("sync", "async"):
        case, seen = make(), []
        flow = watched(cascade(case.plan, case.request, streamed=case.streamed), seen)
        port = FakePort(*case.answers) if kind == "sync" else AsyncFakePort(*case.answers)
        try:
            came = to_the_end(flow, port, kind, case.streamed)
        except CascadeExhausted as error:
            came = error
        ends.append(shape_of(came, seen))
        models = port if kind == "sync" else port.sync
        assert models.opened == models.closed
    assert ends[0] == ends[1] == ends[2]


def to_the_end(flow, port, kind, streamed):
    if not streamed:
        return drivers.run(flow, port) if kind == "sync" else no_waiting(drivers.arun(flow, port))
    if kind == "sync":
        *_, last = drivers.stream(flow, port)
    else:

        async def gather():
            return [item async for item in drivers.astream(flow, port)]

        *_, last = no_waiting(gather())
    return last.value


@pytest.mark.parametrize("kind", ["sync", "async"])
@given(make=cases(streamed=True), stop=st.integers(0, 8))
@settings(max_examples=EXAMPLES)
def test_every_stream_is_closed_wherever_the_consumer_stops(kind, make, stop):
    case = make()
    flow = cascade(case.plan, case.request, streamed=True)

    if kind == "sync":
        port = FakePort(*case.answers)
        items = drivers.stream(flow, port)
        try:
            for _ in zip(range(stop), items, strict=False):
                pass
        except CascadeExhausted:
            pass
        items.close()
    else:
        outer = AsyncFakePort(*case.answers)
        port = outer.sync

        async def consume():
            items = drivers.astream(flow, outer)
            try:
                for _ in range(stop):
                    await anext(items)
            except (CascadeExhausted, StopAsyncIteration):
                pass
            await items.aclose()

        no_waiting(consume())
    started = bool(stop)
    assert not started or inspect.getgeneratorstate(flow) == inspect.GEN_CLOSED
    assert port.opened == port.closed
