"""Audits behind answers: they are out at once, and what becomes of the audit is written down."""

import asyncio
import os
import subprocess
import sys
import threading

import pytest

from cascade_core import Audit, collect_decisions, flush_log
from cascade_core.errors import CascadeWarning
from cascade_core.log import aside
from cascade_core.loop import behind
from cascade_core.loop.session import Session
from cascade_core.request import Request
from cascade_core.ruling import Ruling
from tests.core.loop.test_session import SURE, UNSURE, Kept, Models, Moments, Way, engine
from tests.core.making import Answer, ProviderError

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

PRICES = {"m0": {"input": 1, "output": 1}, "m1": {"input": 10, "output": 10}}
ALWAYS = Audit(1.0)


class Log(Kept):
    """A log in memory that keeps events as well."""

    def __init__(self):
        super().__init__()
        self.events = []

    def write_event(self, event):
        assert any(record["id"] == event["decision"] for record in self.records), "record first"
        self.events.append(event)


class Held(Models):
    """Models of which the strong one answers only when it is let go."""

    def __init__(self, *answers):
        super().__init__(*answers)
        self.go = threading.Event()

    def call(self, effect, sample):
        if effect.purpose == "audit":
            assert self.go.wait(60)
        return super().call(effect, sample)

    async def acall(self, effect, sample):
        if effect.purpose == "audit":
            while not self.go.is_set():  # noqa: ASYNC110 - it is set from another thread
                await asyncio.sleep(0.001)
        return super().call(effect, sample)


def session(log, models, ruling=None, **settings):
    made = engine(log, **{"audit": ALWAYS, "prices": PRICES, **settings})
    if ruling is not None:
        made._live.plan = Ruled.of(made.plan, ruling)
    return Session(made, Request.of("Where is my order?"), models)


class Ruled:
    """A plan whose rules say the same of every request."""

    def __init__(self, plan, ruling):
        self._plan, self._ruling = plan, ruling

    @classmethod
    def of(cls, plan, ruling):
        return cls(plan, ruling)

    def ruling(self, *_):
        return self._ruling

    def __getattr__(self, name):
        return getattr(self._plan, name)


@pytest.fixture(params=["run", "arun", "stream", "astream"])
def way(request):
    return request.param


async def decided(way, asked):
    """Run a session in its own manner, within this event loop, and wait for what goes on behind."""
    made = Way(way)._awaited(asked) if way.startswith("a") else asyncio.to_thread(Way(way), asked)
    return await made


async def settled():
    assert await asyncio.to_thread(flush_log, 60)


async def decided_and_settled(way, asked):
    await decided(way, asked)
    await settled()


async def test_the_answer_does_not_wait_and_the_audit_follows(way):
    log, hook, models = Log(), Moments(), Held(SURE, SURE)
    asked = session(log, models)
    asked.engine.hooks.append(hook)
    verdict, record = await decided(way, asked)
    assert (verdict.tier, record["audit"]) == (0, {"probability": 1.0, "picked": True})
    assert log.records == [record]
    assert (log.events, hook.seen) == ([], ["before", "decided", "ended"])
    models.go.set()
    await settled()
    (event,) = log.events
    assert (event["event"], event["decision"], event["status"]) == ("audit", record["id"], "done")
    assert (event["probability"], event["compare"]) == (1.0, "auto")
    assert (event["quality"], event["strong_quality"], event["harm"]) == (1.0, 1.0, 0.0)
    assert event["strong_cost_usd"] == event["cost_usd"] == pytest.approx(104 * 10 / 1e6)
    assert [(c["tier"], c["purpose"], c["outcome"]) for c in event["calls"]] == [
        (1, "audit", "used")
    ]
    assert [call["tier"] for call in record["calls"]] == [0], "the answer's cost is its own"
    assert [tier["tier"] for tier in event["tiers"]] == [0, 1]


async def test_an_escalated_request_is_compared_with_what_is_there(way):
    log, models = Log(), Models(UNSURE, SURE)
    await decided_and_settled(way, session(log, models))
    (event,) = log.events
    assert (event["status"], event["harm"]) == ("done", 0.0)
    assert event["tiers"][0]["drawn"] is False
    assert (event["calls"], event["cost_usd"], models.calls) == ([], 0.0, 2)


async def test_what_a_rule_bypasses_is_drawn_behind(way):
    log = Log()
    await decided_and_settled(way, session(log, Models(SURE, SURE), Ruling(bypass=(0,))))
    (record,), (event,) = log.records, log.events
    assert record["reason"] == "bypassed"
    assert [(c["tier"], c["purpose"]) for c in event["calls"]] == [(0, "audit")]
    assert event["tiers"][0]["signals"]["sequence_logprob"] == pytest.approx(0.99)


async def test_a_pinned_request_is_shown_to_nobody_else(way):
    log, models = Log(), Models(UNSURE, SURE)
    await decided_and_settled(way, session(log, models, Ruling(pin=0)))
    (record,), (event,) = log.records, log.events
    assert record["audit"] == {"probability": 1.0, "picked": True}
    assert (event["status"], event["why"], event["quality"]) == ("skipped", "pinned", None)
    assert models.calls == 1


async def test_who_is_not_picked_says_so_and_nothing_follows(way):
    log, models = Log(), Models(SURE, SURE)
    asked = session(log, models, audit=Audit(0.25))
    asked.engine.chance = lambda: 0.25
    _, record = await decided(way, asked)
    await settled()
    assert record["audit"] == {"probability": 0.25, "picked": False}
    assert (log.events, models.calls) == ([], 1)


async def test_without_audits_the_record_says_nothing_of_them(way):
    log = Log()
    _, record = await decided(way, session(log, Models(SURE, SURE), audit=None))
    assert "audit" not in record


async def test_a_strong_tier_that_fails_costs_nobody_an_answer(way):
    log = Log()
    verdict, _ = await decided(way, session(log, Models(SURE, Answer(error=ProviderError()))))
    await settled()
    (event,) = log.events
    assert verdict.tier == 0
    assert (event["status"], event["why"]) == ("failed", "ProviderError (HTTP 500)")
    assert [call["outcome"] for call in event["calls"]] == ["failed"]
    assert "secret" not in str(event)


async def test_shadow_mode_is_audited_when_everything_is_known(way):
    log, models = Log(), Models(SURE, SURE)
    await decided_and_settled(way, session(log, models, mode="shadow"))
    (record,), (event,) = log.records, log.events
    assert record["shadow"]["accepted"] is True
    assert [(tier["tier"], tier["quality"]) for tier in event["tiers"]] == [(0, 1.0), (1, 1.0)]
    assert models.calls == 2


async def test_a_plain_function_that_waits_holds_no_event_loop_up(way):
    log, here = Log(), threading.current_thread()

    def compare(request, draft, strong):
        assert threading.current_thread() is not here
        return 0.5

    await decided_and_settled(way, session(log, Models(SURE, SURE), audit=Audit(1.0, compare)))
    assert [event["quality"] for event in log.events] == [0.5]
    assert log.events[0]["compare"] == "function:compare"


async def test_an_audit_that_breaks_says_by_what(way):
    class Stops(Models):
        def call(self, effect, sample):
            if effect.purpose == "audit":
                raise self.fatal[0]("sk-secret")
            return super().call(effect, sample)

    log = Log()
    await decided_and_settled(way, session(log, Stops(SURE, SURE)))
    (event,) = log.events
    assert (event["status"], event["why"]) == ("failed", "ConfigurationError")


async def test_a_log_that_fails_is_warned_of_once(way):
    class Fails(Log):
        def write_event(self, event):
            raise OSError

    with pytest.warns(CascadeWarning, match="cannot be written"):
        await decided_and_settled(way, session(Fails(), Models(SURE, SURE)))


async def test_too_many_at_a_time_are_left_out_and_no_answer_waits(way, monkeypatch):
    monkeypatch.setattr(behind, "AT_ONCE", 0)
    log, models = Log(), Models(SURE, SURE)
    await decided(way, session(log, models))
    (event,) = log.events
    assert (event["status"], event["why"], models.calls) == ("skipped", "busy", 1)


async def test_a_request_that_nobody_answered_is_not_audited(way):
    log, down = Log(), Answer(error=ProviderError())
    with pytest.raises(Exception, match="no tier"):
        await decided_and_settled(way, session(log, Models(down, down)))
    assert (len(log.records), log.events) == (1, [])
    assert "audit" not in log.records[0]


# --- what a day may cost --------------------------------------------------------------------------


async def test_what_the_budget_forbids_is_written_down(way):
    log = Log()
    audit = Audit(1.0, max_usd_per_day=0.0015)  # one audit costs 0.00104
    asked = session(log, Models(SURE, SURE), audit=audit)
    for _ in range(2):
        again = Session(asked.engine, Request.of("Where?"), Models(SURE, SURE))
        await decided(way, again)
        await settled()
    assert [(e["status"], e["why"]) for e in log.events] == [("done", None), ("skipped", "budget")]
    assert log.events[1]["cost_usd"] == 0.0


async def test_comparing_what_is_there_costs_nothing_and_is_never_forbidden(way):
    log = Log()
    audit = Audit(1.0, max_usd_per_day=0.000001)
    await decided_and_settled(way, session(log, Models(UNSURE, SURE), audit=audit))
    assert log.events[0]["status"] == "done"


async def test_a_tier_without_a_price_cannot_be_asked_under_a_limit(way):
    log, models = Log(), Models(SURE, SURE)
    audit = Audit(1.0, max_usd_per_day=5)
    with pytest.warns(CascadeWarning, match="has no price"):
        await decided_and_settled(
            way, session(log, models, audit=audit, prices={"m0": PRICES["m0"]})
        )
    assert [(e["status"], e["why"]) for e in log.events] == [("skipped", "unpriced")]
    assert models.calls == 1


async def test_what_others_have_spent_is_asked_of_the_log(way):
    class Shared(Log):
        def audit_cost(self, since):
            return 4.9999

    log = Shared()
    await decided_and_settled(
        way, session(log, Models(SURE, SURE), audit=Audit(1.0, max_usd_per_day=5))
    )
    assert log.events[0]["why"] == "budget"


async def test_a_log_that_cannot_say_so_leaves_this_process_alone_to_count(way):
    class Down(Log):
        def audit_cost(self, since):
            raise OSError("postgresql://user:secret@host")

    log = Down()
    with pytest.warns(CascadeWarning, match="other processes") as warned:
        await decided_and_settled(
            way, session(log, Models(SURE, SURE), audit=Audit(1.0, max_usd_per_day=5))
        )
    assert log.events[0]["status"] == "done"
    assert "secret" not in str([str(each.message) for each in warned])


# --- whose business it is -------------------------------------------------------------------------


async def test_what_an_audit_asks_is_nobodys_decision(way):
    seen = []

    class Looks(Models):
        def call(self, effect, sample):
            from cascade_core.log import collectors

            seen.append((effect.purpose, len(collectors()), aside() is not None))
            return super().call(effect, sample)

    with collect_decisions() as decisions:
        asked = session(Log(), Looks(SURE, SURE))
        asked._collectors = (decisions,)
        await decided(way, asked)
        await settled()
    assert len(decisions) == 1
    assert seen[-1] == ("audit", 0, True)
    assert aside() is None


def test_a_loop_that_ends_leaves_an_event_that_says_so():
    log = Log()
    Way("arun")(session(log, Held(SURE, SURE)))  # `asyncio.run` cancels what is still under way
    (event,) = log.events
    assert (event["status"], event["why"]) == ("failed", "cancelled")


def test_nor_is_an_audit_begun_behind_shadow_mode_that_was_cancelled():
    class Waits(Models):
        async def acall(self, effect, sample):
            if effect.target.index == 0:
                await asyncio.Event().wait()
            return super().call(effect, sample)

    log = Log()
    Way("arun")(session(log, Waits(SURE, SURE), mode="shadow"))
    assert [(e["status"], e["why"]) for e in log.events] == [("failed", "cancelled")]
    assert flush_log(0)


PROGRAM = """
import threading
from cascade_core.loop import behind
from tests.core.loop.test_audits import Held, session
from tests.core.loop.test_session import SURE
behind.AT_EXIT = {seconds}
models = Held(SURE, SURE)
if {let_go}:
    threading.Timer(0.05, models.go.set).start()
session({log!r}, models).run()
"""


@pytest.mark.processes
@pytest.mark.parametrize(("let_go", "says"), [(True, '"done"'), (False, '"exit"')])
def test_a_program_that_ends_waits_a_little_and_says_what_is_not_done(tmp_path, let_go, says):
    log = tmp_path / "log.jsonl"
    program = PROGRAM.format(seconds=60 if let_go else 0.05, let_go=let_go, log=str(log))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    first, second = log.read_text().splitlines()
    assert '"reason": "confident"' in first
    assert says in second


def test_the_answers_compared_are_kept_where_content_is():
    log = Log()
    run = session(log, Models(SURE, SURE), log_content=True, redact=str.upper)
    given = run.run().record
    assert flush_log(30)
    (event,) = log.events
    kept = {tier["tier"]: tier.get("response") for tier in event["tiers"]}
    assert kept == {given["tier"]: None, 1: SURE.text.upper()}


def test_no_answer_is_kept_where_content_is_not():
    log = Log()
    session(log, Models(SURE, SURE)).run()
    assert flush_log(30)
    (event,) = log.events
    assert event["status"] == "done"
    assert not any("response" in tier for tier in event["tiers"])


def test_answers_that_cannot_be_redacted_cost_the_audit_nothing():
    def broken(text):
        raise ValueError(text)

    log = Log()
    session(log, Models(SURE, SURE), log_content=True, redact=broken).run()
    assert flush_log(30)
    (event,) = log.events
    assert event["status"] == "done"
    assert not any("response" in tier for tier in event["tiers"])


def test_an_async_audit_keeps_them_too():
    log = Log()

    async def go():
        await session(log, Models(SURE, SURE), log_content=True, redact=str.upper).arun()
        await asyncio.to_thread(flush_log, 30)

    asyncio.run(go())
    (event,) = log.events
    assert event["tiers"][1]["response"] == SURE.text.upper()
