"""A policy that changes is followed by every way of calling, in both frameworks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache

from cascade_core.log.policies import PolicyStore
from cascade_core.policy.document import Policy
from cascade_core.setup import live
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine, CascadeSynthesizer
from tests.langchain import fakes as langchain
from tests.llamaindex import fakes as llamaindex
from tests.llamaindex.retrieval import facts
from tests.parity.test_hooks import (
    AGENT,
    CHAT,
    ENGINE,
    LANGCHAIN,
    LLAMAINDEX,
    PROMPT,
    SYNTHESIZER,
    of_chains,
    settled,
    watched,
)

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

OLD, NEW = Policy(name="old", thresholds=(0.95,)), Policy(name="new", thresholds=(0.9,))


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks but the test, and files need not settle."""
    monkeypatch.setattr(live, "look_after", lambda _: None)
    monkeypatch.setattr(live, "_SETTLE", 0)


class Place:
    """A policy in a file or in a database."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.policy = str(folder / "policy.json")
        if kind == "database":
            self.policy = f"sqlite:///{folder}/decisions.db"
        self._kind = kind
        self.put(OLD)

    def put(self, policy: Policy) -> str | int:
        if self._kind == "file":
            policy.save(self.policy)
            return policy.fingerprint
        store = PolicyStore(self.policy, create=True)
        number, _ = store.save(policy)
        store.activate(number)
        return number


@pytest.fixture(params=["file", "database"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(request.param, tmp_path)


def chat_cascade(policy: str) -> ChatCascade:
    return langchain.pair(langchain.UNSURE, policy=policy).cascade


def chains(policy: str) -> RunnableCascade:
    tiers, signals = of_chains().tiers, of_chains().signals
    return RunnableCascade(tiers=tiers, signals=signals, policy=policy)


def middleware(policy: str) -> CascadeMiddleware:
    cheap = langchain.FakeChat(langchain.UNSURE, model_name="cheap")
    strong = langchain.FakeChat("strong", model_name="strong")
    return CascadeMiddleware(tiers=[cheap, strong], policy=policy)


def llm(policy: str) -> CascadeLLM:
    tiers = [llamaindex.cheap(llamaindex.UNSURE), llamaindex.strong()]
    return CascadeLLM(tiers=tiers, policy=policy)


def engine(policy: str) -> CascadeQueryEngine:
    index = facts()
    models = llamaindex.cheap(llamaindex.UNSURE), llamaindex.strong()
    tiers = [index.as_query_engine(llm=model, similarity_top_k=2) for model in models]
    return CascadeQueryEngine(tiers=tiers, policy=policy)


def synthesizer(policy: str) -> CascadeSynthesizer:
    tiers = [llamaindex.cheap(llamaindex.UNSURE), llamaindex.strong()]
    return CascadeSynthesizer(tiers=tiers, policy=policy)


CALLS = [
    pytest.param(make, call, id=f"{make.__name__}-{name.replace(' ', '-')}")
    for make, calls in (
        (chat_cascade, CHAT),
        (chains, LANGCHAIN),
        (middleware, AGENT),
        (llm, LLAMAINDEX),
        (engine, ENGINE),
        (synthesizer, SYNTHESIZER),
    )
    for name, call in calls.items()
]


@pytest.mark.parametrize(("make", "call"), CALLS)
async def test_every_way_of_calling_follows(make: Any, call: Any, place: Place) -> None:
    cascade = make(place.policy)
    watch = watched(cascade)
    await called(call, cascade)
    version = place.put(NEW)
    cascade._engine._live.look()
    await called(call, cascade)
    before, after = watch.ended_with
    assert (before["policy"], after["policy"]) == ("old", "new")
    assert {each["threshold"] for each in before["judged"]} <= {0.95, None}
    assert {each["threshold"] for each in after["judged"]} <= {0.9, None}
    assert after["policy_version"] == version != before["policy_version"]


async def called(call: Any, cascade: Any) -> None:
    try:
        await settled(call, cascade)
    except (ValueError, TypeError):  # the fake's words are no object: decided all the same
        assert "structured" in str(call.__code__.co_names)


def test_what_was_made_of_a_cascade_before_follows_too(place: Place) -> None:
    cascade = chat_cascade(place.policy)
    schema = {"title": "Any", "type": "object", "properties": {}}
    structured = cascade.with_structured_output(schema, include_raw=True)
    quiet = cascade.model_copy(update={"cache": False})
    place.put(NEW)
    cascade._engine._live.look()
    assert "0.9]" in repr(structured)
    assert quiet._engine.plan.policy == "new"
    assert cascade._identifying_params["thresholds"] == [0.9]


def test_a_kept_answer_is_of_one_version(place: Place) -> None:
    models = langchain.pair(langchain.UNSURE, policy=place.policy, cache=InMemoryCache())
    first = models.cascade.invoke(PROMPT).response_metadata["cascade"]
    again = models.cascade.invoke(PROMPT).response_metadata["cascade"]
    assert (first["policy"], again["policy"]) == ("old", "old")
    place.put(NEW)
    models.cascade._engine._live.look()
    assert models.cascade.invoke(PROMPT).response_metadata["cascade"]["policy"] == "new"


def test_an_answer_is_not_kept_under_another_versions_key(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = InMemoryCache()
    cascade = langchain.pair(langchain.UNSURE, policy=place.policy, cache=cache).cascade
    key = ChatCascade._cache

    def change_meanwhile(self: Any, *args: Any) -> Any:
        place.put(NEW)
        self._engine._live.look()
        return key(self, *args)

    monkeypatch.setattr(ChatCascade, "_cache", change_meanwhile)
    assert cascade.invoke(PROMPT).response_metadata["cascade"]["policy"] == "old"
    assert not cache._cache


def test_a_description_says_what_decides_now(place: Place) -> None:
    cascade = llm(place.policy)
    before = cascade.to_dict()
    place.put(NEW)
    cascade._engine._live.look()
    assert json.dumps(cascade.to_dict()["identity"]) != json.dumps(before["identity"])
    assert "0.9]" in repr(cascade)
