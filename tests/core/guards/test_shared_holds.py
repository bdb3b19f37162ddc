"""What is held, on a Redis server: a turn or a conversation goes on in another process."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import pytest

from cascade_core import RedisStore
from cascade_core.guards.holding import Holding
from cascade_core.guards.holds import SHARED_FOR, Stay
from cascade_core.guards.redis_holds import MOST_NEWS, CascadeHolds, SharedHolds
from cascade_core.guards.redis_link import RedisLink
from cascade_core.held import Held
from cascade_core.request import Request, ToolCall, Turn
from cascade_core.usage import Usage
from tests.core.guards.redis_server import RedisServer, needs_redis
from tests.core.guards.test_redis_ledger import told, until
from tests.core.making import PRICES, Answer, make_tiers, plan_for, play, sure

pytestmark = needs_redis

CALL = ToolCall("look_up", {}, "call_0123456789abcdef")
ACTS = Answer("x", fields={"tool_calls": (CALL,)})
QUESTION = [Turn("user", "Where is it?")]
STEP = [*QUESTION, Turn("assistant", "x", (CALL,)), Turn("tool", "1")]


class Process:
    """A process with one cascade."""

    def __init__(self, store: RedisStore, hold: str, name: str = "desk") -> None:
        self.link = RedisLink(store)
        self.shared = self.link.user("holds", SharedHolds)
        self.holding = Holding(hold, "desk", 2, CascadeHolds(self.shared, name))

    def ask(self, turns, *said, further=False, thread: str | None = "t"):
        request = Request(turns, further=further, thread=thread)
        self.holding.fetch(request)
        request.held = self.holding.find(request, make_tiers(), PRICES)
        verdict, _, _ = play(plan_for(), said[0], said[-1], request=request)
        self.holding.remember(request, verdict, "d1")
        return verdict

    def written(self) -> None:
        until(lambda: not self.shared.owes)


@pytest.fixture
def process(shared_server: RedisServer, prefix: str) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def make(hold: str = "turn", name: str = "desk", server: RedisServer | None = None) -> Process:
        store = RedisStore((server or shared_server).url(prefix=prefix, lease=1.5, timeout=60))
        made.append(Process(store, hold, name))
        return made[-1]

    yield make
    for each in made:
        each.link.close()


def test_a_turn_goes_on_in_another_process(process):
    first, second = process(), process()
    assert first.ask(QUESTION, sure(0.1), ACTS).tier == 1
    first.written()
    assert second.ask(STEP, sure(0.9), further=True).held == Held(1, "turn", "d1")


def test_a_conversation_stays_with_the_strong_model_in_another_process(process):
    first, second = process("conversation"), process("conversation")
    assert second.ask(QUESTION, sure(0.99)).reason == "confident"  # which it remembers
    second.written()
    first.ask(QUESTION, sure(0.1), sure(0.9))
    first.written()
    assert second.ask(QUESTION, sure(0.9)).held == Held(1, "conversation", "d1")


def test_cascades_of_other_names_are_decided_for_themselves(process):
    first, second = process(), process(name="another")
    first.ask(QUESTION, sure(0.1), ACTS)
    first.written()
    assert second.ask(STEP, sure(0.99), further=True).held is None


def test_what_is_held_is_forgotten_in_time_and_no_text_or_name_is_on_the_server(
    process, shared_server, prefix
):
    first = process("conversation")
    first.ask([Turn("user", "my secret")], sure(0.1), ACTS, thread="anna@example.com")
    first.written()
    client = shared_server.client()
    keys = list(client.scan_iter(f"*{prefix}*:h:*"))
    assert len(keys) > 2
    for key in keys:
        assert 0 < client.pttl(key) <= SHARED_FOR * 1000
        seen = key + client.get(key)
        assert b"secret" not in seen
        assert b"anna" not in seen


def test_with_the_server_gone_each_process_goes_by_what_it_remembers(process, server):
    with told() as said:
        first = process(server=server)
        server.end()
        first.ask(QUESTION, sure(0.1), ACTS)
        assert first.ask(STEP, sure(0.9), further=True).held == Held(1, "turn", "d1")
        until(lambda: first.link.down)
    assert ["does not answer" in each for each in said] == [True]


def test_what_waits_for_a_server_that_is_away_is_bounded(process, server):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = process(server=server)
        server.end()
        for number in range(MOST_NEWS + 9):
            first.shared.put([str(number)], Stay(1, "d", 0.0), 60)
        assert len(first.shared._news) <= MOST_NEWS


def test_all_that_is_remembered_comes_back_as_it_was(process):
    first, second = process(), process()
    kept = Stay(1, "d1", 12.5, Usage(10, 2, cached_tokens=3))
    CascadeHolds(first.shared, "a").put([b"key"], kept, 60)
    first.written()
    assert CascadeHolds(second.shared, "a").get([b"key", b"none"]) == [kept, None]


@pytest.mark.parametrize("said", ["", "nonsense", "[1]", "[null,1,2,3]", '[1,"d",1,{"x":1}]'])
def test_what_is_not_of_ours_says_nothing(process, shared_server, prefix, said):
    first = process()
    shared_server.client().set(f"{{{prefix}}}:h:name", said)
    assert first.shared.get(["name"]) == [None]
