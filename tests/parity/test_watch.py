"""A watch learns from both frameworks' audits, and both go by what it activates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cascade_core import Audit, flush_log
from cascade_core.draft import Draft
from cascade_core.log.policies import PolicyStore
from cascade_core.policy.document import Policy
from cascade_core.request import Request
from cascade_core.setup import live
from cascade_core.watch.passes import LogWatch
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.langchain import fakes as langchain
from tests.llamaindex import fakes as llamaindex

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

HARM = 0.3
FITTED, TESTED = 160, 120
BY_HAND = Policy(name="desk", thresholds=(0.999,))


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks whether the policy has changed but the test."""
    monkeypatch.setattr(live, "look_after", lambda _: None)


def sure(request: Request, draft: Draft) -> float:
    return int(request.question.split()[-1]) * 37 % 100 / 100


def right_where_sure(request: Request, draft: Draft, strong: Draft) -> float:
    return 0.0 if sure(request, draft) < 0.4 else 1.0


def settings(url: str) -> dict[str, Any]:
    audit = Audit(rate=1.0, compare=right_where_sure)
    return {"signals": [sure], "policy": url, "log": url, "audit": audit}


def chat_cascade(url: str) -> ChatCascade:
    cheap = langchain.FakeChat("cheap", model_name="cheap")
    strong = langchain.FakeChat("strong", model_name="strong")
    return ChatCascade(tiers=[cheap, strong], **settings(url))


def llm(url: str) -> CascadeLLM:
    return CascadeLLM(
        tiers=[llamaindex.cheap(llamaindex.SURE), llamaindex.strong()], **settings(url)
    )


def asked(cascade: Any, number: int) -> dict[str, Any]:
    prompt = f"order {number}"
    if isinstance(cascade, ChatCascade):
        found: dict[str, Any] = cascade.invoke(prompt).response_metadata["cascade"]
        return found
    return dict(cascade.complete(prompt).additional_kwargs["cascade"])


def served(cascade: Any, first: int, many: int) -> list[dict[str, Any]]:
    """Ask for so many orders; audits under way are waited for, so that none is skipped."""
    records = []
    for number in range(first, first + many):
        records.append(asked(cascade, number))
        if number % 40 == 39:
            flush_log()
    flush_log()
    return records


@pytest.mark.parametrize("make", [chat_cascade, llm])
def test_what_a_watch_activates_decides_in_running_cascades(make: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/decisions.db"
    store = PolicyStore(url, create=True)
    store.activate(store.save(BY_HAND)[0])
    cascade = make(url)
    assert {record["accepted"] for record in served(cascade, 0, FITTED)} == {False}
    assert [event.kind for event in LogWatch(url, harm=HARM).once()] == ["adopted", "frozen"]
    served(cascade, FITTED, TESTED)
    (activated,) = LogWatch(url, harm=HARM).once()
    assert activated.kind == "activated"
    cascade._engine._live.look()
    records = served(cascade, 0, 100)
    assert {record["policy_version"] for record in records} == {activated.version}
    assert {record["policy"] for record in records} == {"desk"}
    assert 0.3 < sum(record["accepted"] for record in records) / 100 < 0.9
    (promise,) = store.active().policy.promises
    assert (promise.kind, promise.limit, promise.rows) == ("harm", HARM, TESTED)
