"""A provider that says when it takes requests again is not asked before, through real clients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from cascade_core import CascadeExhausted
from langchain_cascade import ChatCascade
from tests.http import asking, test_llamaindex
from tests.http.stub import Raw, Stub, refused

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore::cascade_core.CascadeWarning"),
]

SAYS = {
    "seconds": {"retry-after": "30"},
    "milliseconds": {"retry-after-ms": "30000", "retry-after": "1"},
    "a date": {"retry-after": format_datetime(datetime.now(UTC) + timedelta(days=1))},
    "a limit that is used up": {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "30s",
    },
}
WAYS = [
    *((asking, how) for how in asking.WAYS),
    *((test_llamaindex, how) for how in test_llamaindex.WAYS),
]


def pair(framework: Any, stub: Stub) -> Any:
    if framework is test_llamaindex:
        return test_llamaindex.cascade(stub)
    return ChatCascade([asking.client(stub, "cheap"), asking.client(stub, "strong")])


@pytest.mark.parametrize(("framework", "how"), WAYS)
@pytest.mark.parametrize("says", SAYS)
async def test_one_refusal_that_names_a_time_is_enough(
    stub: Stub, framework: Any, how: str, says: str
) -> None:
    stub.script("cheap", refused(429, "slow down", **SAYS[says]))
    stub.script("strong", "all good")
    llm = pair(framework, stub)
    seen = [framework.record_of(await framework.ask(llm, how, "hi")) for _ in range(3)]
    assert [record["reason"] for record in seen] == ["failed", "open", "open"]
    assert len(stub.asked("cheap")) == 1


@pytest.mark.parametrize(("framework", "how"), WAYS)
async def test_a_refusal_of_the_request_is_none(stub: Stub, framework: Any, how: str) -> None:
    stub.script("cheap", refused(400, "too long", **{"retry-after": "30"}))
    stub.script("strong", "all good")
    llm = pair(framework, stub)
    seen = [framework.record_of(await framework.ask(llm, how, "hi")) for _ in range(4)]
    assert [record["reason"] for record in seen] == ["failed"] * 4


@pytest.mark.parametrize(("framework", "how"), WAYS)
async def test_a_refused_key_of_both_fails_at_once_and_names_them(
    stub: Stub, framework: Any, how: str
) -> None:
    stub.script("cheap", refused(401, "who are you?"))
    stub.script("strong", refused(401, "who are you?"))
    llm = pair(framework, stub)
    for _ in range(2):
        with pytest.raises(CascadeExhausted) as raised:
            await framework.ask(llm, how, "hi")
    assert str(raised.value).count("is left alone until") == 2
    assert len(stub.asked("cheap")) == len(stub.asked("strong")) == 1


# LlamaIndex's client does not look for an error in a whole answer: what it raises says nothing.
@pytest.mark.parametrize(
    ("framework", "how"), [way for way in WAYS if way[1] not in {"chat", "achat"}]
)
async def test_an_error_inside_an_answer_with_status_200_counts(
    stub: Stub, framework: Any, how: str
) -> None:
    stub.script("cheap", Raw('{"error": {"message": "upstream is down", "code": 502}}'))
    stub.script("strong", "all good")
    llm = pair(framework, stub)
    seen = [framework.record_of(await framework.ask(llm, how, "hi")) for _ in range(4)]
    assert [record["reason"] for record in seen] == ["failed"] * 3 + ["open"]
