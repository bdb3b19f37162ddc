"""Learning in service, in both frameworks: what answers meanwhile, when a policy does, and back."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cascade_core import Audit, CascadeWarning, ConfigurationError, Learn, flush_log
from cascade_core.commands.report import said_of_learning
from cascade_core.log import open_log
from cascade_core.log.learning import LearningStore, learning_of
from cascade_core.log.policies import PolicyStore
from cascade_core.log.reading import read_events, read_records
from cascade_core.policy.document import Policy
from cascade_core.policy.withdrawal import TO_STRONGEST
from cascade_core.setup import learner, live
from cascade_core.setup.learn_spending import DaySpent, LearnSpending
from cascade_core.setup.learner import Learner
from cascade_core.traffic.labels import read_audits
from cascade_core.watch.shipping import strongest
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine, CascadeSynthesizer
from tests.core.log.traffic import served
from tests.core.watch.traffic import moment, requests
from tests.langchain import fakes as langchain
from tests.llamaindex import fakes as llamaindex
from tests.llamaindex.retrieval import facts
from tests.parity.test_hooks import AGENT, CHAT, ENGINE, LLAMAINDEX, SYNTHESIZER, of_chains
from tests.parity.test_reload import called

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

LEARN = Learn(harm=0.05)
PRICES = {name: {"input": 1.0, "output": 1.0} for name in ("cheap", "strong")}


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks, and nobody learns, but the test."""
    monkeypatch.setattr(live, "look_after", lambda _: None)
    monkeypatch.setattr(learner, "look_after", lambda _: None)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/decisions.db"


def chat_cascade(**settings: Any) -> ChatCascade:
    return langchain.pair(langchain.UNSURE, **settings).cascade


def chains(**settings: Any) -> RunnableCascade:
    return RunnableCascade(tiers=of_chains().tiers, signals=of_chains().signals, **settings)


def middleware(**settings: Any) -> CascadeMiddleware:
    cheap = langchain.FakeChat(langchain.UNSURE, model_name="cheap")
    return CascadeMiddleware(
        tiers=[cheap, langchain.FakeChat("strong", model_name="strong")], **settings
    )


def llm(**settings: Any) -> CascadeLLM:
    return CascadeLLM(tiers=[llamaindex.cheap(llamaindex.UNSURE), llamaindex.strong()], **settings)


def engine(**settings: Any) -> CascadeQueryEngine:
    models = llamaindex.cheap(llamaindex.UNSURE), llamaindex.strong()
    tiers = [facts().as_query_engine(llm=model, similarity_top_k=2) for model in models]
    return CascadeQueryEngine(tiers=tiers, **settings)


def synthesizer(**settings: Any) -> CascadeSynthesizer:
    tiers = [llamaindex.cheap(llamaindex.UNSURE), llamaindex.strong()]
    return CascadeSynthesizer(tiers=tiers, **settings)


CALLS = [
    pytest.param(make, calls[name], id=f"{make.__name__}-{name}")
    for make, calls, names in (
        (chat_cascade, CHAT, ("invoke", "ainvoke", "stream", "astream")),
        (chains, CHAT, ("invoke", "ainvoke", "stream", "astream")),
        (middleware, AGENT, ("agent invoke", "agent ainvoke")),
        (llm, LLAMAINDEX, ("chat", "achat", "stream_chat", "astream_chat")),
        (engine, ENGINE, ("query", "aquery")),
        (synthesizer, SYNTHESIZER, ("synthesize", "asynthesize")),
    )
    for name in names
]


@pytest.mark.parametrize(("make", "call"), CALLS)
async def test_the_strongest_answers_and_the_cheaper_is_asked_behind(
    make: Any, call: Any, url: str
) -> None:
    cascade = make(mode="learn", learn=LEARN, log=url)
    await called(call, cascade)
    await asyncio.to_thread(flush_log)
    (record,), (event,) = list(read_records(url)), list(read_events(url, "audit"))
    assert (record["reason"], record["tier"], record["accepted"]) == ("learning", 1, False)
    assert record["audit"] == {"probability": 1.0, "picked": True}
    assert "shadow" not in record
    assert event["status"] == "done"
    assert [(tier["tier"], tier["drawn"]) for tier in event["tiers"]] == [(0, True), (1, False)]


# --- until a promise holds, and afterwards --------------------------------------------------------


def grow(url: str, first: int, n: int, *, worse: float = 0.0) -> None:
    """Add audited requests to the log, as a cascade that learns would have."""
    records, events = served(
        requests(first, n, worse=worse),
        rate=1.0,
        seed=first,
        at=lambda row: moment(first + row),
        cascade="ChatCascade",
    )
    log: Any = open_log(url)
    for record in records:
        log.write(record)
    for event in events:
        log.write_event(event)
    assert log.flush(60)


def scripted(url: str, **settings: Any) -> ChatCascade:
    """A cascade whose signal reads how sure the cheap model says that it is."""

    def a(_: Any, draft: Any) -> float:
        return float(draft.text)

    cheap = langchain.FakeChat(
        lambda messages, _: langchain.Say(str(messages[-1].content)), model_name="cheap"
    )
    strong = langchain.FakeChat("strong", model_name="strong")
    given = {"mode": "learn", "learn": LEARN, "log": url, "prices": PRICES, "audit": 1e-9}
    return ChatCascade(tiers=[cheap, strong], signals=[a], **{**given, **settings})


def learned_by(cascade: ChatCascade) -> Learner:
    found = cascade._engine.learner
    assert found is not None
    return found


def answer(cascade: ChatCascade, sure: str) -> tuple[str, str]:
    said = cascade.invoke(sure)
    return said.response_metadata["cascade"]["reason"], str(said.content)


def test_it_serves_when_a_first_promise_holds_and_goes_back_where_harm_rises(url: str) -> None:
    cascade = scripted(url)
    learned = learned_by(cascade)
    assert answer(cascade, "0.999")[0] == "learning"
    flush_log()  # its audit, which finds harm, is one of those that are fitted to
    grow(url, 0, 300)
    learned.once()
    assert answer(cascade, "0.999")[0] == "learning", "fitted, and not tested"
    grow(url, 300, 300)
    learned.once()
    assert answer(cascade, "0.999") == ("confident", "0.999")
    assert answer(cascade, "0.01") == ("low_confidence", "strong")
    kept = learning_of(url)
    assert kept is not None
    assert (kept["harm"], kept["cascade"]) == (0.05, "ChatCascade")

    *_, last, line = said_of_learning(url)
    assert "  activated: version 1: harm " in last
    assert line.startswith("learning: ")
    assert "of $1 today (UTC)" in line

    again = scripted(url, name="ChatCascade")  # after a restart
    assert answer(again, "0.999")[0] == "confident"

    grow(url, 600, 400, worse=0.5)
    learned.once()
    assert answer(cascade, "0.999") == ("learning", "strong")
    record = cascade.invoke("0.999").response_metadata["cascade"]
    assert record["policy_version"] is not None


def test_a_cheap_model_that_is_bad_never_serves(url: str) -> None:
    cascade = scripted(url)
    for first in range(0, 900, 300):
        grow(url, first, 300, worse=0.5)
        learned_by(cascade).once()
        assert answer(cascade, "0.999")[0] == "learning"


def test_audits_of_both_phases_count_the_same(url: str) -> None:
    cascade = scripted(url)
    learned = learned_by(cascade)
    for first in (0, 300):
        grow(url, first, 300)
        learned.once()
    assert answer(cascade, "0.999")[0] == "confident"
    records, events = served(
        requests(600, 2000),
        rate=0.05,
        seed=3,
        at=lambda row: moment(600 + row),
        cascade="ChatCascade",
    )
    log: Any = open_log(url)
    for record in records:
        log.write(record)
    for event in events:
        log.write_event(event)
    assert log.flush(60)
    learned.once()
    assert answer(cascade, "0.999")[0] == "confident", "the first audit in service undid it all"


def test_what_a_rule_makes_likely_counts_for_less(url: str) -> None:
    store = PolicyStore(url, create=True)
    rules = [
        {"name": "often", "match": {"regex": "^0.9"}, "then": {"audit": 1.0}},
        {"name": "never", "match": {"regex": "^0.8"}, "then": {"audit": 0.0}},
    ]
    number, _ = store.save(Policy.load({"thresholds": [0.5], "rules": rules}))
    store.activate(number)
    cascade = scripted(url, audit=0.25)
    for asked in ("0.91", "0.81", "0.71"):
        cascade.invoke(asked)
    flush_log()
    chances = [record["audit"] for record in read_records(url)]
    assert chances[0] == {"probability": 1.0, "picked": True, "rate": 0.25}
    assert chances[1] == {"probability": 0.0, "picked": False, "rate": 0.25}
    assert chances[2]["probability"] == 0.25
    assert read_audits(url, by_time=True).rows[0]["weight"] == 0.25
    assert read_audits(url).rows[0]["weight"] == 1.0


def test_one_process_of_many_learns_and_another_goes_on(url: str) -> None:
    open_log(url).write({})  # type: ignore[union-attr]
    store = LearningStore(url)
    assert store.take("one", now=100.0, seconds=60)
    assert not store.take("two", now=150.0, seconds=60)
    assert store.take("one", now=150.0, seconds=60)
    assert not store.take("two", now=209.0, seconds=60)
    assert store.take("two", now=211.0, seconds=60)


@pytest.mark.processes
@pytest.mark.parametrize(
    "hangs",
    [
        "LogWatch.once = lambda _: Event().wait()",
        "take = LearningStore.take; LearningStore.take = lambda *asked: (take(*asked), Event().wait())",
    ],
    ids=["while it learns", "before it hears that it may"],
)
def test_a_process_that_ends_lets_the_next_one_learn_at_once(url: str, hangs: str) -> None:
    program = (
        "import sys, time\n"
        "from threading import Event\n"
        "from cascade_core import Learn, flush_log\n"
        "from cascade_core.log.learning import LearningStore\n"
        "from cascade_core.watch.passes import LogWatch\n"
        "from tests.langchain import fakes\n"
        f"{hangs}\n"
        "learn = Learn(harm=0.05)\n"
        "made = fakes.pair(fakes.UNSURE, mode='learn', learn=learn, log=sys.argv[1])\n"
        "made.cascade.invoke('2 + 2?')\n"
        "flush_log()\n"
        "while LearningStore(sys.argv[1]).learns() is None:\n"
        "    time.sleep(0.05)\n"
    )
    command = [sys.executable, "-c", program, url]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert "ended before it had learned anything" in ended.stderr
    # A lease that outlives its process kept whoever ran one short program after another from
    # ever learning.
    assert LearningStore(url).take("next", now=time.time(), seconds=60)


@pytest.mark.processes
@pytest.mark.parametrize("asks", [True, False])
def test_a_program_that_ends_after_a_request_says_that_it_has_learned_nothing(
    url: str, asks: bool
) -> None:
    program = (
        "import sys\n"
        "from cascade_core import Learn\n"
        "from cascade_core.setup.learner import Learner\n"
        "from tests.langchain import fakes\n"
        "Learner.look = lambda _: None\n"  # as before the first second is over
        "learn = Learn(harm=0.05)\n"
        "made = fakes.pair(fakes.UNSURE, mode='learn', learn=learn, log=sys.argv[1])\n"
        f"{'made.cascade.invoke(chr(63))' if asks else ''}\n"
    )
    command = [sys.executable, "-c", program, url]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert ("ended before it had learned anything" in ended.stderr) is asks


@pytest.mark.parametrize("when", ["before", "while it asks"])
def test_a_process_that_has_left_takes_no_lease(
    url: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its end a program still writes its log, and its thread goes on meanwhile."""
    cascade = scripted(url)
    cascade.invoke("0.5")
    flush_log()
    learned = learned_by(cascade)
    if when == "before":
        learned.leave()
    else:
        take = LearningStore.take

        def late(*asked: Any) -> bool:
            learned.leave()
            return take(*asked)

        monkeypatch.setattr(LearningStore, "take", late)
    learned.once()
    monkeypatch.undo()
    assert LearningStore(url).take("next", now=time.time(), seconds=60)


def test_what_cannot_learn_answers_and_says_so_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/broken.db"
    (tmp_path / "broken.db").write_bytes(b"no database at all" * 100)
    cascade = scripted(url)

    def twice() -> None:
        learned_by(cascade).once()
        learned_by(cascade).once()

    with pytest.warns(CascadeWarning, match="learning has stopped") as seen:
        twice()
    assert sum("learning has stopped" in str(each.message) for each in seen) == 1
    assert answer(cascade, "0.999") == ("learning", "strong")


def test_copies_share_what_learns_and_what_it_costs(url: str) -> None:
    cascade = chat_cascade(mode="learn", learn=LEARN, log=url)
    copy = cascade.model_copy(update={"log_content": True})
    assert copy._engine.learner is cascade._engine.learner
    assert copy._engine.audit.spending is cascade._engine.audit.spending
    learning = cascade._engine.learning
    assert learning is not None
    assert pickle.loads(pickle.dumps(learning.spending)).limit == Decimal(1)


# --- what it costs --------------------------------------------------------------------------------


class Days:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_nothing_is_spent_before_the_log_has_told_what_was() -> None:
    spending = LearnSpending(1.0, 200, Days())
    assert spending.reserve(Decimal("0.01")) == "unknown"
    spending.refresh(lambda _: DaySpent(0.995, 40))
    assert spending.reserve(Decimal("0.01")) == "budget"
    assert spending.reserve(Decimal("0.005")) == Decimal("0.005")


def test_the_first_goes_alone_and_then_none_passes_the_limit() -> None:
    spending = LearnSpending(1.0, 200, Days())
    spending.refresh(lambda _: DaySpent(0.0, 0))
    first = spending.reserve(Decimal("0.01"))
    assert spending.reserve(Decimal("0.01")) == "busy", "what a judge costs is not known"
    assert isinstance(first, Decimal)
    spending.settle(first, Decimal("0.3"))
    assert [spending.reserve(Decimal("0.01")) for _ in range(3)] == [
        Decimal("0.3"),
        Decimal("0.3"),
        "budget",
    ]
    for _ in range(2):
        spending.settle(Decimal("0.3"), Decimal("0.3"))
    assert spending.is_used_up
    assert spending.spent == Decimal("0.9")


def test_a_new_day_begins_with_what_the_log_says() -> None:
    clock = Days()
    spending = LearnSpending(1.0, 200, clock)
    spending.refresh(lambda _: DaySpent(2.0, 40))
    assert spending.reserve(Decimal("0.01")) == "budget"
    clock.now = clock.now.replace(day=2)
    assert spending.reserve(Decimal("0.01")) == "unknown"
    spending.refresh(lambda _: DaySpent(0.0, 0))
    assert spending.reserve(Decimal("0.01")) == Decimal("0.01")


def test_without_prices_requests_are_counted(url: str) -> None:
    learn = Learn(harm=0.05, max_requests_per_day=2)
    cascade = scripted(url, learn=learn, prices={})

    def ask() -> None:
        for _ in range(4):
            cascade.invoke("0.5")
            flush_log()

    with pytest.warns(CascadeWarning, match="max_requests_per_day=2 is kept in its place") as seen:
        ask()
    assert sum("in its place" in str(each.message) for each in seen) == 1
    assert [event["status"] for event in read_events(url, "audit")] == ["done", "done"]
    chances = [record["audit"]["probability"] for record in read_records(url)]
    assert chances == [1.0, 1.0, 0.0, 0.0]


def test_what_was_spent_before_a_restart_counts(url: str) -> None:
    learn = Learn(harm=0.05, max_requests_per_day=2)
    for _ in range(3):
        cascade = scripted(url, learn=learn, prices={})
        cascade.invoke("0.5")
        flush_log()
        learning = cascade._engine.learning
        assert learning is not None
        learning.spending.__init__(1.0, 2)  # type: ignore[misc] - as after a restart
        del cascade, learning
    assert [e["status"] for e in read_events(url, "audit")].count("done") == 2


# --- what it is not combined with -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"log": None}, "needs a log to learn from"),
        ({"log": "decisions.jsonl"}, "keeps its policies in a database"),
        ({"policy": "policy.json"}, "activates its policies in a database"),
        ({"policy": Policy()}, "activates its policies in a database"),
        ({"policy": "mysql://host/db"}, "policy= does not know mysql"),
        ({"thresholds": 0.9}, "finds the thresholds itself"),
        ({"audit": 0}, "a rate of 0"),
        ({"audit": Audit(max_usd_per_day=1)}, "limit the same"),
        ({"learn": 0.02}, "learn= takes a Learn"),
        ({"mode": "serve"}, "learn= is for mode='learn'"),
    ],
)
@pytest.mark.parametrize("make", [chat_cascade, llm, chains])
def test_what_leaves_nothing_to_learn_is_refused(
    make: Any, settings: dict[str, Any], said: str, url: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        make(**{"mode": "learn", "learn": LEARN, "log": url, **settings})


def test_one_tier_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="there is one tier"):
        ChatCascade(tiers=[langchain.FakeChat()], mode="learn", log=url)


@pytest.mark.parametrize(
    "given",
    [
        {"harm": 0},
        {"harm": 1},
        {"confidence": 1.0},
        {"share": 0},
        {"share": 1.5},
        {"max_usd_per_day": 0},
        {"max_usd_per_day": float("inf")},
        {"max_requests_per_day": 2.5},
        {"harm": True},
    ],
)
def test_a_promise_and_its_costs_are_checked(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=rf"Learn\({next(iter(given))}="):
        Learn(**given)


def test_what_is_assumed_is_said(url: str) -> None:
    with pytest.warns(CascadeWarning, match=r"at most 0.02 .* at most 1 USD a day"):
        ChatCascade(tiers=langchain.pair(langchain.UNSURE).cascade.tiers, mode="learn", log=url)


def test_a_watch_says_the_same_of_having_nothing() -> None:
    assert [rule.name for rule in strongest(None, 2).rules] == [TO_STRONGEST]


@pytest.mark.filterwarnings("always::cascade_core.errors.CascadeWarning")
def test_a_second_cascade_in_one_database_is_told_that_it_learns_nothing(url: str) -> None:
    first, second = scripted(url, name="mail"), scripted(url, name="desk")
    for cascade in (first, second):
        cascade.invoke("0.5")
    flush_log()
    learned_by(first).once()
    with pytest.warns(CascadeWarning, match="the cascade 'mail' learns in"):
        learned_by(second).once()
    kept = learning_of(url)
    assert kept is not None
    assert kept["cascade"] == "mail"


def test_a_program_that_goes_to_another_folder_learns_where_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    cascade = scripted("sqlite:///decisions.db")
    monkeypatch.chdir(tmp_path / "elsewhere")
    cascade.invoke("0.5")
    flush_log()
    learned_by(cascade).once()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert learning_of(f"sqlite:///{tmp_path}/decisions.db") is not None
