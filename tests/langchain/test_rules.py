"""Rules in LangChain's ways of asking: who is told what, and what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.runnables import RunnableLambda

from cascade_core import collect_decisions
from cascade_core.errors import CascadeExhausted
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from tests.langchain.fakes import FakeChat, Say

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")
UNSURE = "It may ship some day."


def policy(**then: Any) -> dict[str, Any]:
    return {"rules": [{"name": "r", "match": {"tag": "local"}, "then": then}]}


PINNED, KEPT = policy(pin=0), policy(escalate=False)
LOCAL: Any = {"tags": ["local"]}


def pair(cheap: Say | None = None) -> tuple[FakeChat, FakeChat]:
    return (
        FakeChat(cheap or Say(UNSURE, p=0.3), model_name="m0"),
        FakeChat(Say("It ships on Monday."), model_name="m1"),
    )


class Tags(BaseCallbackHandler):
    """Sees the tags of every model call."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []

    def on_chat_model_start(self, *args: Any, tags: Any = None, **kwargs: Any) -> None:
        self.seen.append(list(tags))


@pytest.mark.parametrize("streamed", [False, True])
def test_a_pinned_tier_is_shown_as_the_last_one_would_be(streamed: bool) -> None:
    cheap, strong = pair()
    tags = Tags()
    llm = ChatCascade(tiers=[cheap, strong], policy=PINNED)
    config: Any = {**LOCAL, "callbacks": [tags]}
    if streamed:
        text = "".join(chunk.text for chunk in llm.stream("When?", config))
    else:
        text = llm.invoke("When?", config).text
    assert text == UNSURE
    (seen,) = tags.seen
    assert "cascade:tier:0" in seen
    assert "nostream" not in seen
    assert not strong.calls


def test_a_pinned_stream_reaches_the_caller_as_it_comes() -> None:
    cheap, strong = pair(Say(UNSURE, p=0.3, error=RuntimeError("broken"), after=3))
    stream = ChatCascade(tiers=[cheap, strong], policy=PINNED).stream("When?", LOCAL)
    assert next(stream).text
    with pytest.raises(CascadeExhausted):
        list(stream)
    assert not strong.calls


def test_a_draft_that_is_not_pinned_stays_silent() -> None:
    tags = Tags()
    ChatCascade(tiers=list(pair()), policy=PINNED).invoke("When?", {"callbacks": [tags]})
    assert ["nostream" in seen for seen in tags.seen] == [True, False]


def test_chains_obey_rules() -> None:
    cheap, strong = pair()
    chain = RunnableCascade(
        tiers=[cheap | StrOutputParser(), strong | StrOutputParser()], policy=PINNED
    )
    with collect_decisions() as seen:
        assert chain.invoke("When?", LOCAL) == UNSURE
        assert "".join(chain.stream("When?", LOCAL)) == UNSURE
    assert [(r["reason"], r["tier"], r["rule"]) for r in seen] == [("pinned", 0, "r")] * 2
    assert not strong.calls


@pytest.mark.parametrize(("given", "reason"), [(PINNED, None), (KEPT, "gate_parser")])
def test_a_chain_whose_answer_does_not_parse_has_none(given: Any, reason: str | None) -> None:
    cheap = FakeChat(Say("no json", p=0.9), model_name="m0")
    strong = FakeChat(Say('{"a": 1}'), model_name="m1")
    chain = RunnableCascade(
        tiers=[cheap | JsonOutputParser(), strong | JsonOutputParser()], policy=given
    )
    with collect_decisions() as seen:
        if reason is None:
            with pytest.raises(CascadeExhausted):
                chain.invoke("When?", LOCAL)
            assert not strong.calls
        else:
            assert chain.invoke("When?", LOCAL) == {"a": 1}
    assert seen[0]["reason"] == (reason or "exhausted")


def test_agents_obey_rules() -> None:
    cheap, strong = pair()
    agent = create_agent(
        FakeChat(Say("nobody asks me")),
        middleware=[CascadeMiddleware(tiers=[cheap, strong], policy=PINNED)],
    )
    with collect_decisions() as seen:
        answer = agent.invoke({"messages": [("user", "When?")]}, LOCAL)
    assert answer["messages"][-1].text == UNSURE
    assert [(r["reason"], r["rule"]) for r in seen] == [("pinned", "r")]
    assert not strong.calls


async def test_an_answer_is_kept_for_requests_that_rules_treat_alike() -> None:
    cheap, strong = pair()
    llm = ChatCascade(tiers=[cheap, strong], policy=PINNED, cache=InMemoryCache())
    assert llm.invoke("When?").text == "It ships on Monday."
    assert llm.invoke("When?", LOCAL).text == UNSURE
    assert (await llm.ainvoke("When?", LOCAL)).text == UNSURE
    assert (await llm.ainvoke("When?")).text == "It ships on Monday."
    assert (len(cheap.calls), len(strong.calls)) == (2, 1)


def test_a_rule_decides_what_the_log_holds(tmp_path: Any) -> None:
    path = tmp_path / "log.jsonl"
    rules = policy(log_content=True)
    llm = ChatCascade(tiers=list(pair()), policy=rules, log=str(path))
    llm.invoke("a secret question")
    assert "a secret question" not in path.read_text()
    llm.invoke("an open question", LOCAL)
    assert "an open question" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    quiet = ChatCascade(
        tiers=list(pair()), policy=policy(log_content=False), log=str(path), log_content=True
    )
    quiet.invoke("never written", LOCAL)
    assert "never written" not in path.read_text()


def test_a_function_decides_and_crosses_nothing() -> None:
    seen: list[str] = []

    def wanted(request: Any) -> bool:
        seen.append(request.question)
        return True

    given = {"rules": [{"name": "own", "match": wanted, "then": {"pin": 0}}]}
    llm = ChatCascade(tiers=list(pair()), policy=given)
    assert llm.invoke("When?").response_metadata["cascade"]["rule"] == "own"
    assert llm.with_structured_output is not None
    assert seen == ["When?"]


def test_a_runnable_in_front_keeps_tags() -> None:
    llm = ChatCascade(tiers=list(pair()), policy=PINNED)
    chain = RunnableLambda(str.upper) | llm
    assert chain.invoke("when?", LOCAL).text == UNSURE
