"""Models asked beside a draft that the answer has no use for: how long it waits for them."""

from __future__ import annotations

from typing import Any

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Begin, Drafts, Drop, Failed, Grant, Now, Race, Reserve
from cascade_core.errors import CutShortError
from cascade_core.guards.latency import NOT_WAITED_FOR, Patience
from cascade_core.loop.beside import Beside
from cascade_core.loop.trail import Trail
from tests.core.making import PRICES, REQUEST, make_tiers

TIER = make_tiers(2)[0]
PARTNER = object()


class Time:
    """Requests whose draft takes a second, by a clock that only they move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.patience = Patience()

    def request(self, takes: float, draft: float = 1.0) -> tuple[float, str]:
        """Return how long the answer waits for a model that takes so long, and what comes of it."""
        trail, began = Trail(PRICES), self.now
        beside = Beside(trail, lambda *_: None)
        call = Ask(PARTNER, REQUEST, purpose="agree")
        self.play(beside.begin(Begin(call, TIER)), takes, began)
        self.now = began + draft
        self.play(beside.finish(self.now + draft, self.patience), takes, began)
        return self.now - began - draft, trail.calls[0].outcome

    def given_up(self) -> None:
        """Make a request whose caller waits no longer than a moment for what it has no use for."""
        beside = Beside(Trail(PRICES), lambda *_: None)
        call = Ask(PARTNER, REQUEST, purpose="agree")
        self.play(beside.begin(Begin(call, TIER)), 600, self.now)
        steps = beside.finish(self.now + 1, self.patience)
        assert isinstance(next(steps), Now)
        assert isinstance(steps.send(self.now), Race)
        steps.close()

    def play(self, steps: Any, takes: float, began: float) -> None:
        """Perform what is asked for."""
        reply: Any = None
        while True:
            try:
                effect = steps.send(reply)
            except StopIteration:
                return
            reply = None
            if isinstance(effect, Reserve):
                reply = Grant(effect.call)
            elif isinstance(effect, Now):
                reply = self.now
            elif isinstance(effect, Race):
                over, until = began + takes, effect.until
                assert until is not None
                self.now = max(self.now, min(over, until))
                cut = Failed(CutShortError("deadline"), until - began)
                reply = Drafts((Draft("yes", seconds=takes),)) if over <= until else cut
            else:
                assert isinstance(effect, Begin | Drop)


def test_of_a_model_that_hangs_one_answer_is_late_and_the_others_are_not() -> None:
    time = Time()
    assert time.request(600) == (1.0, "aborted")
    assert [time.request(600) for _ in range(3)] == [(0.0, "aborted")] * 3


def test_one_that_was_there_in_time_again_is_waited_for_as_ever() -> None:
    time = Time()
    time.request(600)
    assert time.request(0.9) == (0.0, "used"), "it is paid for, and its price is known"
    assert time.request(1.5) == (0.5, "used")


def test_it_is_tried_again_now_and_then() -> None:
    time = Time()
    time.request(600)
    time.now += NOT_WAITED_FOR
    assert time.request(1.5) == (0.5, "used")


def test_a_draft_that_came_at_once_says_nothing_of_a_model_that_takes_its_time() -> None:
    time = Time()
    assert time.request(1.5) == (0.5, "used")
    assert time.request(1.5, draft=0.01)[1] == "aborted"
    assert time.request(1.5) == (0.5, "used")


def test_who_gives_up_while_it_is_waited_for_is_the_last_one_to_wait() -> None:
    """Else every request of whoever has a timeout of their own would have been given up."""
    time = Time()
    assert time.request(1.5) == (0.5, "used")
    time.given_up()
    assert time.request(600) == (0.0, "aborted")
