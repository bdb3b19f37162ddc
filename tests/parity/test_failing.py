"""A tier whose key, address or model name is wrong is told of, however it is asked."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.llms import ChatMessage

from cascade_core import CascadeWarning, collect_decisions
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.langchain import fakes as chat
from tests.llamaindex import fakes as llm
from tests.parity.answers import answer_of


def ask(framework: str, way: str) -> Any:
    if framework == "langchain":
        wrong = chat.Say(error=chat.ProviderError(status_code=401))
        cascade: Any = ChatCascade(
            [chat.FakeChat(wrong, model_name="a"), chat.FakeChat(chat.SURE, model_name="b")]
        )
        given: Any = "hi"
    else:
        failed = llm.Say(error=llm.ProviderError(status_code=401))
        cascade = CascadeLLM([llm.FakeLLM(failed, "a"), llm.FakeLLM(llm.SURE, "b")])
        given = [ChatMessage(content="hi")]

    async def times(count: int) -> None:
        for _ in range(count):
            await answer_of(cascade, way, given)

    return times


@pytest.mark.parametrize(
    ("framework", "way"),
    [
        *(("langchain", way) for way in ("invoke", "ainvoke", "stream", "astream")),
        *(("llamaindex", way) for way in ("chat", "achat", "stream_chat", "astream_chat")),
    ],
)
async def test_a_wrong_key_is_warned_of_once_and_in_the_record(framework: str, way: str) -> None:
    times = ask(framework, way)
    with collect_decisions() as seen, pytest.warns(CascadeWarning) as caught:
        await times(5)
    said = [str(w.message) for w in caught if "has failed" in str(w.message)]
    assert len(said) == 1
    assert said[0].startswith("tier 0 (a) has failed (ProviderError (HTTP 401))")
    assert said[0].endswith("; check the API key")
    assert "secret" not in said[0]
    # A refused key opens its breaker at once, and it is not asked again for a while.
    assert [record["failing"][0]["failures"] for record in seen] == [1, 1, 1, 1, 1]
    assert seen[-1]["failing"] == [
        {
            "tier": 0,
            "model": "a",
            "failures": 1,
            "error": "ProviderError (HTTP 401)",
            "open": True,
        }
    ]
