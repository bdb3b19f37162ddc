"""What handles the error of one model handles that of a cascade, in both frameworks."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import BaseChatModel

from cascade_core import CascadeExhausted
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.http import test_llamaindex as llamaindex
from tests.http.asking import ask, client, every_way
from tests.http.stub import Raw, Say, Stub, refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMIT = refused(429, "secret")
LONG = Raw(
    '{"error": {"message": "secret", "code": "context_length_exceeded", "type": "x"}}', status=400
)


def langchain(stub: Stub) -> ChatCascade:
    return ChatCascade([client(stub, "cheap"), client(stub, "strong")])


@every_way
async def test_a_rate_limit_of_the_last_tier_is_a_rate_limit(stub: Stub, how: str) -> None:
    stub.script("cheap", refused(500, "down"))
    stub.script("strong", LIMIT)
    with pytest.raises(openai.RateLimitError) as caught:
        await ask(langchain(stub), how, "hi")
    assert (caught.value.status_code, caught.value.response.status_code) == (429, 429)
    assert isinstance(caught.value, CascadeExhausted)
    assert isinstance(caught.value.causes[1][1], openai.RateLimitError)
    assert "secret" not in str(caught.value)


@every_way
async def test_a_context_overflow_is_one(stub: Stub, how: str) -> None:
    stub.script("cheap", LONG)
    stub.script("strong", LONG)
    with pytest.raises(ContextOverflowError):
        await ask(langchain(stub), how, "hi")


@pytest.mark.parametrize("how", llamaindex.WAYS)
async def test_so_it_is_in_llamaindex(stub: Stub, how: str) -> None:
    stub.script("cheap", refused(500, "down"))
    stub.script("strong", LIMIT)
    tiers = [llamaindex.client(stub, "cheap"), llamaindex.client(stub, "strong")]
    with pytest.raises(openai.RateLimitError) as caught:
        await llamaindex.ask(CascadeLLM(tiers), how)
    assert caught.value.status_code == 429
    assert isinstance(caught.value, CascadeExhausted)


@pytest.mark.parametrize("guard", ["with_retry", "with_fallbacks"])
async def test_retries_and_fallbacks_by_class_take_it(stub: Stub, guard: str) -> None:
    stub.script("cheap", LIMIT)
    stub.script("strong", LIMIT, Say("at last"))
    llm: Any = langchain(stub)
    if guard == "with_retry":
        only = (openai.RateLimitError,)
        llm = llm.with_retry(retry_if_exception_type=only, wait_exponential_jitter=False)
    else:
        other: BaseChatModel = client(stub, "strong")
        llm = llm.with_fallbacks([other], exceptions_to_handle=(openai.RateLimitError,))
    assert (await llm.ainvoke("hi")).text == "at last"
