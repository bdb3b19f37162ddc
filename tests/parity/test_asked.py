"""What a record says of a request beside its verdict, whichever framework asks and however."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.runnables.config import var_child_runnable_config
from llama_index.core.instrumentation.dispatcher import instrument_tags

from cascade_core import collect_decisions
from cascade_core.errors import CascadeExhausted
from cascade_core.log.registry import register
from langchain_cascade import CascadeMiddleware, ChatCascade
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine, CascadeSynthesizer
from tests.langchain import fakes as langchain
from tests.llamaindex import fakes as llamaindex
from tests.parity.test_hooks import CALLS, MESSAGES, PROMPT, engine, settled

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

TENANT = UUID(int=7)
METADATA = {"session_id": "s1", "tenant": TENANT, "secret": "never kept", "cascade_class": "ship"}
CONFIG: Any = {"tags": ["legal"], "metadata": METADATA, "configurable": {"thread_id": 42}}
OWN_WORDS = ("thread", "tags", "metadata", "class")


class Kept:
    """A log in memory with a key of its own."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def write(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def digest_key(self) -> bytes:
        return b"of the log"


def logged(cascade: Any) -> Kept:
    kept = Kept()
    made = cascade._engine
    made.log, made.registered, made.log_metadata = kept, register(kept, None), ("tenant", "absent")
    return kept


@pytest.fixture
def named() -> Any:
    """The request's own words, as either framework's callers say them."""
    token = var_child_runnable_config.set(CONFIG)
    with instrument_tags({**METADATA, "tags": ["legal"]}):
        yield
    var_child_runnable_config.reset(token)


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(("make", "call"), [p for p in CALLS if "generate" not in str(p.id)])
async def test_every_way_of_asking_says_all_there_is_to_say(make: Any, call: Any) -> None:
    cascade = make()
    kept, before = logged(cascade), datetime.now(UTC)
    with collect_decisions() as seen:
        try:
            await settled(call, cascade)
        except (ValueError, TypeError):  # the fake's words are no object: decided all the same
            assert "structured" in str(call.__code__.co_names)
    (record,) = kept.records
    assert seen == [record]
    langchains = record["framework"] == "langchain"
    assert langchains == type(cascade).__module__.startswith("langchain")
    assert record["version"] == 2
    assert before <= datetime.fromisoformat(record["at"]) <= datetime.now(UTC)
    assert record["latency_ms"] > 0
    assert record["cascade"] == type(cascade).__name__
    assert record["thread"] == ("42" if langchains else "s1")
    assert (record["tags"], record["class"]) == (["legal"], "ship")
    assert record["metadata"] == {"tenant": str(TENANT)}
    drafts = [call["usage"] for call in record["calls"] if call["usage"] is not None]
    assert record["input_tokens"] == (drafts[0]["input_tokens"] if drafts else 5)
    assert re.fullmatch("[0-9a-f]{32}", record["digest"])
    assert (record["rule"], record["policy_version"]) == (None, None)
    assert [judged["tier"] for judged in record["judged"]] == [0]


async def test_the_same_prompt_has_one_digest_in_both_frameworks_and_another_none() -> None:
    digests = {}
    for text in (PROMPT, "Another."):
        for cascade, ask in (
            (langchain.pair().cascade, lambda c, text=text: c.invoke(text)),
            (langchain.pair().cascade, lambda c, text=text: c.ainvoke(text)),
            (llm(), lambda c, text=text: c.complete(text)),
            (llm(), lambda c, text=text: c.acomplete(text)),
        ):
            kept = logged(cascade)
            await settled(ask, cascade)
            digests.setdefault(text, set()).add(kept.records[0]["digest"])
    assert [len(found) for found in digests.values()] == [1, 1]
    assert len(set.union(*digests.values())) == 2


def llm(**settings: Any) -> CascadeLLM:
    return CascadeLLM(tiers=[llamaindex.cheap(), llamaindex.strong()], **settings)


def test_without_a_log_a_request_has_no_digest_and_nothing_is_said_of_nothing() -> None:
    for record in (
        langchain.pair().cascade.invoke(PROMPT).response_metadata["cascade"],
        llm().chat(MESSAGES).additional_kwargs["cascade"],
    ):
        assert record["digest"] is None
        assert (record["thread"], record["tags"], record["metadata"]) == (None, [], {})
        assert record["input_tokens"] > 0


def test_a_cascade_has_the_name_that_it_is_given() -> None:
    tiers = [langchain.FakeChat(), langchain.FakeChat("strong")]
    models = [llamaindex.cheap(), llamaindex.strong()]
    for cascade in (
        ChatCascade(tiers, name="desk"),
        CascadeMiddleware(tiers, name="desk"),
        CascadeLLM(models, name="desk"),
        CascadeSynthesizer(models, name="desk"),
        CascadeQueryEngine(engine().tiers, name="desk"),
    ):
        assert cascade._engine.name == "desk"
    asked = ChatCascade(tiers, name="desk").with_structured_output({"title": "A", "type": "object"})
    assert asked._engine.name == "desk"  # type: ignore[attr-defined]
    llm = ChatCascade(tiers)
    llm.name = "late"
    assert llm.invoke(PROMPT).response_metadata["cascade"]["cascade"] == "late"


@pytest.mark.parametrize(
    ("config", "thread"),
    [
        ({"configurable": {"thread_id": "a"}, "metadata": {"thread_id": "b"}}, "a"),
        ({"metadata": {"thread_id": "b", "session_id": "c"}}, "b"),
        ({"metadata": {"session_id": "c"}}, "c"),
        ({"metadata": {"conversation_id": "d"}}, "d"),
        ({"metadata": {"other": "e"}}, None),
    ],
)
def test_a_conversation_is_told_by_any_of_its_names(config: Any, thread: str | None) -> None:
    record = langchain.pair().cascade.invoke(PROMPT, config).response_metadata["cascade"]
    assert record["thread"] == thread
    if "configurable" not in config:
        with instrument_tags(config["metadata"]):
            assert llm().complete(PROMPT).additional_kwargs["cascade"]["thread"] == thread


async def test_generate_takes_the_same_words() -> None:
    for call in (
        lambda c: c.generate([[("user", PROMPT)]], tags=["legal"], metadata=METADATA),
        lambda c: c.agenerate([[("user", PROMPT)]], tags=["legal"], metadata=METADATA),
    ):
        cascade = langchain.pair().cascade
        kept = logged(cascade)
        await settled(call, cascade)
        (record,) = kept.records
        assert [record[name] for name in OWN_WORDS] == [
            "s1",
            ["legal"],
            {"tenant": str(TENANT)},
            "ship",
        ]


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
async def test_a_cached_answer_is_a_decision_of_its_own(how: str) -> None:
    cascade = langchain.pair(langchain.UNSURE, cache=InMemoryCache()).cascade
    kept = logged(cascade)
    for _ in range(2):
        await settled(lambda c: getattr(c, how)(PROMPT), cascade)
    first, second = kept.records
    assert (second["reason"], second["calls"], second["judged"]) == ("cached", [], [])
    assert list(first) == list(second)
    for name in ("id", "at", "latency_ms"):
        assert first[name] != second[name]
    same = (*OWN_WORDS, "cascade", "framework", "digest", "input_tokens", "tier", "confidence")
    assert [first[name] for name in same] == [second[name] for name in same]


@pytest.mark.usefixtures("named")
async def test_a_request_that_nobody_answered_says_as_much() -> None:
    down = langchain.Say(error=langchain.ProviderError())
    fails = llamaindex.Say(error=llamaindex.ProviderError())
    for cascade, call in (
        (langchain.pair(down, down).cascade, lambda c: c.invoke(PROMPT)),
        (langchain.pair(down, down).cascade, lambda c: c.ainvoke(PROMPT)),
        (
            CascadeLLM([llamaindex.cheap(fails), llamaindex.strong(fails)]),
            lambda c: c.complete(PROMPT),
        ),
    ):
        kept = logged(cascade)
        with pytest.raises(CascadeExhausted):
            await settled(call, cascade)
        (record,) = kept.records
        assert record["reason"] == "exhausted"
        assert (record["tags"], record["class"]) == (["legal"], "ship")
        assert record["input_tokens"] == 5  # counted here: 18 characters, four each
        assert record["digest"]
