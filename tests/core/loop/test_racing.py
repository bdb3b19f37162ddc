"""Ports whose calls race: nothing that has come is lost."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Begin, Drafts, Drop, Race, StillRunning
from cascade_core.loop.racing import RacingPort
from cascade_core.loop.racing_async import AsyncRacingPort
from tests.core.making import REQUEST, make_tiers

DRAFT, LAST = make_tiers(2)


class Models:
    """The draft comes once it is asked for in earnest, the last tier's answer at the end."""

    fatal = ()

    def __init__(self):
        self.drafted, self.gone = threading.Event(), threading.Event()

    def call(self, effect, _):
        (self.gone if effect.target is LAST else self.drafted).wait(60)
        return Draft(effect.target.label)

    async def acall(self, effect, _):
        if effect.target is LAST:
            await asyncio.Event().wait()
        return Draft(effect.target.label)


@pytest.fixture(params=["sync", "async"])
def port(request):
    """Return what performs a port's effects in turn, and what has the draft come."""
    models = Models()
    kind = RacingPort if request.param == "sync" else AsyncRacingPort
    made = kind(models, SimpleNamespace(), None, None)
    with asyncio.Runner() as runner:

        def does(method, effect):
            if request.param == "sync":
                return getattr(made, method)(effect)

            async def awaited():
                reply = await getattr(made, method)(effect)
                await asyncio.sleep(0.01)  # what runs goes on
                return reply

            return runner.run(awaited())

        yield does, models.drafted.set
        models.gone.set()


def test_a_draft_that_comes_while_the_last_tier_is_started_is_not_lost(port):
    does, come = port
    assert isinstance(does("race", Race(Ask(DRAFT, REQUEST), 0.0, cuts=False)), StillRunning)
    come()
    threading.Event().wait(0.05)  # by now the draft is there
    ahead = Ask(LAST, REQUEST)
    does("begin", Begin(ahead))
    reply = does("race", Race(None, rival=ahead))
    assert isinstance(reply, Drafts)
    assert reply.drafts[0].text == DRAFT.label
    assert does("drop", Drop(ahead)) is None


class Named(Models):
    """Says in which thread it was asked."""

    def call(self, effect, _):
        return Draft(threading.current_thread().name)


@pytest.mark.parametrize("until", [None, 1e9])
def test_only_a_call_that_something_can_end_runs_in_a_thread_of_its_own(until):
    made = RacingPort(Named(), SimpleNamespace(), None, None)
    thread = made.race(Race(Ask(LAST, REQUEST), until)).drafts[0].text
    assert (thread == threading.current_thread().name) == (until is None)


def test_a_call_with_a_rival_runs_in_a_thread_of_its_own(port):
    does, come = port
    ahead = Ask(LAST, REQUEST)
    does("begin", Begin(ahead))
    assert isinstance(does("race", Race(Ask(DRAFT, REQUEST), 0.0, cuts=False)), StillRunning)
    come()
    assert does("race", Race(None, rival=ahead)).drafts[0].text == DRAFT.label
