"""One request around the loop: what is told of it, written down and kept, without a framework."""

import asyncio
import threading
import warnings
from contextlib import closing
from types import SimpleNamespace

import pytest

from cascade_core import collect_decisions, flush_log
from cascade_core.errors import CascadeExhausted, CascadeWarning, ConfigurationError
from cascade_core.loop.session import Decided, Hook, Session
from cascade_core.loop.streams import AsyncStream, Stream
from cascade_core.request import Request
from cascade_core.setup.engine import Engine
from cascade_core.setup.settings import CascadeSettings
from tests.core.making import Answer, ProviderError, StopEverythingError, make_tiers

REQUEST = Request.of("Where is my order?")
SURE, UNSURE = Answer(probs=[0.99] * 4), Answer(probs=[0.2] * 4)


class Kept:
    """A log in memory."""

    def __init__(self, error=None):
        self.records = []
        self.error = error

    def write(self, record):
        if self.error is not None:
            raise self.error
        self.records.append(record)


class Models:
    """Calls scripted models, whole and streamed."""

    fatal = (ConfigurationError, StopEverythingError)

    def __init__(self, *answers):
        self.answers = answers
        self.calls = 0
        self.opened = []

    def call(self, effect, sample):
        answer = self._next(effect.target.index)
        return answer.draft(effect.target.model)

    async def acall(self, effect, sample):
        return self.call(effect, sample)

    def open(self, effect):
        return self._opened(effect, Stream, iter)

    async def aopen(self, effect):
        return self._opened(effect, AsyncStream, later)

    def _opened(self, effect, kind, source):
        answer, model = self._next(effect.tier.index), effect.tier.model
        self.opened.append(effect.tier.index)
        return kind(source(answer.chunks(model)), Gathered(answer, model))

    def as_chunk(self, native, tier):
        return native

    def _next(self, index):
        self.calls += 1
        answer = self.answers[index]
        if answer.error is not None:
            raise answer.error
        return answer


async def later(items):
    for item in items:
        yield item


class Gathered:
    """Puts scripted chunks together."""

    def __init__(self, answer, model):
        self.answer, self.model, self.count = answer, model, 0

    def take(self, item):
        self.count += 1
        return item

    def had(self):
        return self.answer.draft(self.model, upto=self.count) if self.count else None

    def whole(self):
        return self.answer.draft(self.model)


class Moments(Hook):
    def __init__(self, raises=()):
        self.seen = []
        self.sessions = []
        self.raises = raises

    def before(self, session):
        self._at("before", session)

    def decided(self, session):
        self._at("decided", session)

    def ended(self, session):
        self._at("ended", session)

    def _at(self, moment, session):
        self.seen.append(moment)
        self.sessions.append(session)
        if moment in self.raises:
            raise RuntimeError("secret words")


def engine(log=None, hooks=(), **settings):
    default = {name: field.default for name, field in CascadeSettings.model_fields.items()}
    given = {**default, "log": log}
    made = Engine(SimpleNamespace(**{**given, **settings}), make_tiers(2, streams=True))
    made.hooks += hooks
    return made


def session(*answers, **kwargs):
    return Session(engine(**kwargs), REQUEST, Models(*answers))


class Way:
    """One of the ways to run a session: gives what was decided, whatever it shows on the way."""

    def __init__(self, name):
        self.name = name
        self.streams = name.endswith("stream")

    def __call__(self, asked):
        if self.name == "run":
            return asked.run()
        if self.name == "stream":
            return list(asked.stream())[-1]
        return asyncio.run(self._awaited(asked))

    async def _awaited(self, asked):
        if self.name == "arun":
            return await asked.arun()
        return [item async for item in asked.astream()][-1]


@pytest.fixture(params=["run", "arun", "stream", "astream"])
def way(request):
    return Way(request.param)


def test_every_way_gives_the_verdict_and_its_record(way):
    log, hook = Kept(), Moments()
    asked = session(UNSURE, SURE, log=log, hooks=[hook])
    verdict, record = way(asked)
    assert (verdict.tier, verdict.reason) == (1, "low_confidence")
    assert asked.verdict is verdict
    assert log.records == [record]
    assert asked.error is None
    assert hook.seen == ["before", "decided", "ended"]
    assert hook.sessions == [asked] * 3
    assert asked.caller.opened == ([0, 1] if way.streams else [])


def test_every_way_warns_through_the_notices_of_the_plan(way):
    made = engine()
    with pytest.warns(CascadeWarning, match="gives no confidence reading"):
        way(Session(made, REQUEST, Models(Answer(), SURE)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        way(Session(made, REQUEST, Models(Answer(), SURE)))


@pytest.mark.parametrize("error", [ProviderError(), StopEverythingError(), KeyboardInterrupt()])
def test_every_way_keeps_what_ended_a_request(way, error):
    hook = Moments()
    asked = session(Answer(error=error), Answer(error=error), hooks=[hook])
    with pytest.raises((CascadeExhausted, type(error))) as caught:
        way(asked)
    assert asked.error is caught.value
    assert asked.verdict is None
    assert hook.seen == ["before", "ended"]


def test_a_decided_request_has_one_record_for_all_who_want_it():
    log = Kept()
    asked = session(SURE, SURE, log=log)
    with collect_decisions() as seen:
        verdict, record = asked.run()
    assert seen == []  # collectors are those around the beginning
    assert asked.verdict is verdict
    assert asked.record is record
    assert log.records == [record]
    assert record["id"] == asked.id


def test_collectors_are_those_around_the_beginning():
    with collect_decisions() as seen:
        asked = session(SURE, SURE)
    _, record = asked.run()
    assert seen == [record]


async def test_an_awaited_request_is_written_down_alike():
    log = Kept()
    _, record = await session(UNSURE, SURE, log=log).arun()
    assert log.records == [record]
    assert record["tier"] == 1


def test_a_given_id_is_the_decisions():
    asked = Session(engine(), REQUEST, Models(SURE, SURE), decision_id="run-1")
    assert asked.run().record["id"] == "run-1"


def test_a_stream_ends_with_what_was_decided():
    items = list(session(UNSURE, SURE).stream())
    assert isinstance(items[-1], Decided)
    assert items[-1].record["tier"] == 1
    assert not any(isinstance(item, Decided) for item in items[:-1])


def test_content_is_kept_only_where_it_is_asked_for():
    log = Kept()
    session(SURE, SURE, log=log, log_content=True).run()
    session(SURE, SURE, log=log).run()
    said, silent = log.records
    assert said["request"] == [{"role": "user", "text": "Where is my order?"}]
    assert said["response"] == SURE.text
    assert not {"request", "response"} & silent.keys()


def test_a_log_that_fails_costs_no_answer():
    asked = session(SURE, SURE, log=Kept(OSError("disk full: secret words")))
    with pytest.warns(
        CascadeWarning,
        match="cannot be written .OSError.: answers go on, and their decisions are lost until it can be$",
    ) as caught:
        assert asked.run().verdict.tier == 0
    assert "secret" not in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asked.plan.notices.give("log", "that has been said")


def test_a_request_that_no_tier_answered_is_written_down_with_its_calls():
    log, broken = Kept(), Answer(error=ProviderError())
    with collect_decisions() as seen:
        asked = session(broken, broken, log=log)
    with pytest.raises(CascadeExhausted):
        asked.run()
    assert [record["reason"] for record in log.records] == ["exhausted"]
    assert seen == log.records
    assert len(seen[0]["calls"]) == len(asked.calls) == 2
    assert seen[0]["id"] == asked.id
    assert asked.verdict is None
    assert isinstance(asked.error, CascadeExhausted)


def test_the_record_of_a_request_that_no_tier_answered_says_whose_it_was_and_what_it_cost():
    request = Request(REQUEST.turns, metadata={"cascade_class": "orders"})
    prices = {"m0": {"input": 1, "output": 2}}
    made = engine(prices=prices, policy={"name": "spring"}, thresholds=0.9)
    asked = Session(made, request, Models(UNSURE, Answer(error=ProviderError())))
    with pytest.raises(CascadeExhausted):
        asked.run()
    assert asked.record["class"] == "orders"
    assert asked.record["policy"] == "spring"
    assert asked.record["cost_usd"] == pytest.approx(0.000108)
    assert asked.record["id"] == asked.id


def test_what_ends_a_request_is_no_decision():
    log = Kept()
    asked = session(Answer(error=StopEverythingError()), SURE, log=log)
    with pytest.raises(StopEverythingError):
        asked.run()
    assert log.records == []
    assert asked.record is None


def test_an_answer_that_was_kept_is_written_down_and_no_model_is_called():
    log, hook = Kept(), Moments()
    first = session(SURE, SURE).run().record
    asked = session(SURE, SURE, log=log, hooks=[hook])
    made = asked.reuse(first)
    assert log.records == [made] == [asked.record]
    assert (made["reason"], made["calls"], made["judged"], made["cost_usd"]) == (
        "cached",
        [],
        [],
        0,
    )
    assert made["id"] == asked.id != first["id"]
    assert made["at"] > first["at"]
    assert made["latency_ms"] != first["latency_ms"]
    same = ("tier", "model", "confidence", "threshold", "signals", "input_tokens")
    assert [made[name] for name in same] == [first[name] for name in same]
    assert hook.seen == ["ended"]
    assert asked.caller.calls == 0


# --- hooks ----------------------------------------------------------------------------------------


def test_hooks_are_told_in_order():
    hook = Moments()
    session(SURE, SURE, hooks=[hook]).run()
    assert hook.seen == ["before", "decided", "ended"]


def test_what_a_hook_raises_before_ends_the_request_and_nothing_is_called():
    hook = Moments(raises={"before"})
    asked = session(SURE, SURE, hooks=[hook])
    with pytest.raises(RuntimeError):
        asked.run()
    assert asked.caller.calls == 0
    assert hook.seen == ["before", "ended"]


@pytest.mark.parametrize("moment", ["decided", "ended"])
def test_a_hook_that_fails_later_costs_no_answer_and_is_warned_of_without_its_words(moment):
    first, second = Moments(raises={moment}), Moments()
    asked = session(SURE, SURE, hooks=[first, second])
    with pytest.warns(CascadeWarning) as caught:
        assert asked.run().verdict.tier == 0
    assert [str(warning.message) for warning in caught] == [
        f"Moments.{moment} raised RuntimeError; the request went on without it"
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asked.plan.notices.give(f"hook:Moments:{moment}", "that has been said")
    assert second.seen == ["before", "decided", "ended"]


def test_a_stream_left_on_its_way_has_ended_once():
    hook = Moments()
    with closing(session(UNSURE, SURE, hooks=[hook]).stream()) as items:
        next(items)
    assert hook.seen == ["before", "ended"]


def test_a_stream_left_after_the_decision_has_ended_once():
    hook = Moments()
    with closing(session(UNSURE, SURE, hooks=[hook]).stream()) as items:
        while not isinstance(next(items), Decided):
            pass
    assert hook.seen == ["before", "decided", "ended"]


def test_an_engine_for_other_forms_of_its_tiers_tells_the_same_hooks():
    made = engine()
    other = made.with_tiers(made.plan.tiers)
    other.hooks.append(hook := Moments())
    Session(made, REQUEST, Models(SURE, SURE)).run()
    assert hook.seen == ["before", "decided", "ended"]


def test_a_method_a_hook_leaves_out_is_none_of_its_business():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session(SURE, SURE, hooks=[Hook()]).run()


# --- what must not cost an answer -----------------------------------------------------------------


def test_warnings_that_are_errors_cost_no_answer(way, caplog):
    hook = Moments(raises={"decided"})
    asked = session(Answer(), SURE, log=Kept(OSError()), hooks=[hook])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert way(asked).verdict.tier == 1
    assert len([r for r in caplog.records if r.name == "cascade_core"]) == 3
    assert hook.seen == ["before", "decided", "ended"]


class AsyncKept(Kept):
    """A log that is awaited."""

    async def write(self, record):
        await asyncio.sleep(0)
        super().write(record)


def test_a_log_that_is_awaited_has_every_record(way):
    log = AsyncKept()
    _, record = way(session(SURE, SURE, log=log))
    assert log.records == [record]


def test_a_log_that_returns_something_to_await_has_every_record(way):
    inner = AsyncKept()

    class Hands:
        def write(self, record):
            return inner.write(record)

    way(session(SURE, SURE, log=Hands()))
    assert len(inner.records) == 1


def test_an_awaited_log_that_fails_costs_no_answer(way):
    with pytest.warns(CascadeWarning, match="decisions are lost"):
        assert way(session(SURE, SURE, log=AsyncKept(OSError()))).verdict.tier == 0


def test_a_plain_log_is_written_to_outside_of_the_event_loop():
    threads = []

    class Notes(Kept):
        def write(self, record):
            threads.append(threading.current_thread())

    asyncio.run(session(SURE, SURE, log=Notes()).arun())
    assert threads != [threading.main_thread()]


@pytest.mark.parametrize("swallows", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("tier", [0, 1])
def test_a_cancelled_request_is_recorded_with_the_call_that_ran(tier, streamed, swallows):
    log, hook, reached = Kept(), Moments(), []

    async def waits(index):
        if index != tier:
            return
        reached.append(index)
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            if not swallows:
                raise

    class Slow(Models):
        async def acall(self, effect, sample):
            await waits(effect.target.index)
            return self.call(effect, sample)

        async def aopen(self, effect):
            await waits(effect.tier.index)
            return await super().aopen(effect)

    async def main():
        asked = Session(engine(log, [hook]), REQUEST, Slow(UNSURE, SURE))
        way = Way("astream" if streamed else "arun")
        task = asyncio.create_task(way._awaited(asked))
        while not (reached or task.done()):  # noqa: ASYNC110 - until the tier is being asked
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with collect_decisions() as seen:
        asyncio.run(main())
    assert flush_log(60)
    assert log.records == seen
    (record,) = seen
    assert (record["reason"], record["tier"]) == ("cancelled", None)
    assert [(c["tier"], c["outcome"]) for c in record["calls"]][-1] == (tier, "aborted")
    assert len(record["calls"]) == tier + 1
    assert record["cost_usd"] is None
    assert hook.seen == ["before", "ended"]


def test_a_request_that_is_cancelled_while_its_log_is_slow_is_no_decision():
    hook, writing = Moments(), []

    class Slow(Kept):
        async def write(self, record):
            writing.append(record)
            await asyncio.sleep(10)
            super().write(record)

    log = Slow()

    async def main():
        task = asyncio.create_task(Session(engine(log, [hook]), REQUEST, Models(SURE, SURE)).arun())
        while not (writing or task.done()):  # noqa: ASYNC110 - until it is being written down
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with collect_decisions() as seen:
        asyncio.run(main())
    assert (log.records, seen, hook.seen) == ([], [], ["before", "ended"])
