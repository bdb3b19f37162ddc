"""One request around the loop: what is told of it, written down and kept, without a framework."""

import warnings
from contextlib import closing
from types import SimpleNamespace

import pytest

from cascade_core import collect_decisions
from cascade_core.errors import CascadeExhausted, CascadeWarning, ConfigurationError
from cascade_core.loop.session import Decided, Hook, Session
from cascade_core.loop.streams import Stream
from cascade_core.request import Request
from cascade_core.setup.engine import Engine
from cascade_core.setup.settings import DECIDING
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

    def call(self, effect, sample):
        answer = self._next(effect.target.index)
        return answer.draft(effect.target.model)

    async def acall(self, effect, sample):
        return self.call(effect, sample)

    def open(self, effect):
        answer = self._next(effect.tier.index)
        gathering = Gathered(answer, effect.tier.model)
        return Stream(iter(answer.chunks(effect.tier.model)), gathering)

    def as_chunk(self, native, tier):
        return native

    def _next(self, index):
        self.calls += 1
        answer = self.answers[index]
        if answer.error is not None:
            raise answer.error
        return answer


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
        self.raises = raises

    def before(self, session):
        self._at("before")

    def decided(self, session):
        self._at("decided")

    def ended(self, session):
        self._at("ended")

    def _at(self, moment):
        self.seen.append(moment)
        if moment in self.raises:
            raise RuntimeError("secret words")


def engine(log=None, hooks=(), **settings):
    given = {**dict.fromkeys(DECIDING), "combine": "min", "log": log, "log_content": False}
    made = Engine(SimpleNamespace(**{**given, **settings}), make_tiers(2))
    made.hooks += hooks
    return made


def session(*answers, **kwargs):
    return Session(engine(**kwargs), REQUEST, Models(*answers))


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
    with pytest.warns(CascadeWarning, match="cannot be written .OSError.") as caught:
        assert asked.run().verdict.tier == 0
    assert "secret" not in str(caught[0].message)


def test_a_request_that_no_tier_answered_is_written_down_with_its_calls():
    log, broken = Kept(), Answer(error=ProviderError())
    with collect_decisions() as seen:
        asked = session(broken, broken, log=log)
    with pytest.raises(CascadeExhausted):
        asked.run()
    assert [record["reason"] for record in log.records] == ["exhausted"]
    assert seen == log.records
    assert len(seen[0]["calls"]) == len(asked.calls) == 2
    assert asked.verdict is None
    assert isinstance(asked.error, CascadeExhausted)


def test_what_ends_a_request_is_no_decision():
    log = Kept()
    asked = session(Answer(error=StopEverythingError()), SURE, log=log)
    with pytest.raises(StopEverythingError):
        asked.run()
    assert log.records == []
    assert asked.record is None


def test_an_answer_that_was_kept_is_written_down_and_no_model_is_called():
    log, hook = Kept(), Moments()
    asked = session(SURE, SURE, log=log, hooks=[hook])
    asked.reuse({"reason": "cached"})
    assert log.records == [{"reason": "cached"}]
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
    with pytest.warns(CascadeWarning, match=f"Moments.{moment} raised RuntimeError") as caught:
        assert asked.run().verdict.tier == 0
    assert "secret" not in str(caught[0].message)
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
