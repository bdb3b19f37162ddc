"""What real integrations are asked for, seen from their objects and payloads; no network."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_groq import ChatGroq
from langchain_ollama import ChatOllama
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from cascade_core.integrations.classes import model_name
from cascade_core.integrations.limits import max_tokens
from cascade_core.signals import SelfConsistency
from langchain_cascade import CascadeMiddleware, ChatCascade
from langchain_cascade.capabilities import gives_logprobs
from langchain_cascade.tiers import make_tier
from langchain_cascade.wrapping import Variant
from tests.langchain.fakes import FakeChat

OPENAI = {"model": "gpt-4o-mini", "api_key": "fake"}


def openai(**more: Any) -> ChatOpenAI:
    return ChatOpenAI(**OPENAI, **more)


MODELS: list[tuple[str, Any, bool | None]] = [
    ("OpenAI", openai, True),
    ("OpenAI, responses", lambda: openai(use_responses_api=True), False),
    ("OpenAI, switched off", lambda: openai(logprobs=False), False),
    (
        "Azure",
        lambda: AzureChatOpenAI(
            azure_deployment="mini", api_version="1", azure_endpoint="https://x", api_key="fake"
        ),
        True,
    ),
    ("Groq", lambda: ChatGroq(model="llama-3.1-8b-instant", api_key="fake"), True),
    ("Ollama", lambda: ChatOllama(model="llama3.2"), True),
    ("Anthropic", lambda: ChatAnthropic(model="claude-3-5-haiku-latest", api_key="fake"), False),
    ("unknown", lambda: GenericFakeChatModel(messages=iter([])), None),
    ("fake", FakeChat, True),
]


@pytest.mark.parametrize(("make", "gives"), [m[1:] for m in MODELS], ids=[m[0] for m in MODELS])
def test_it_is_known_which_integrations_give_logprobs(make: Any, gives: bool | None) -> None:
    assert gives_logprobs(make()) is gives


def _asked(model: BaseChatModel, **variant: Any) -> Any:
    return make_tier(model, "tier").model(Variant(draft=True, **variant))


def test_openai_is_asked_for_logprobs_in_its_payload() -> None:
    payload = _asked(openai(), logprobs=True)._get_request_payload([("user", "hi")])
    assert payload["logprobs"] is True
    assert "top_logprobs" not in payload
    payload = _asked(openai(), logprobs=True, top_logprobs=2)._get_request_payload([("user", "hi")])
    assert payload["top_logprobs"] == 2
    assert "logprobs" not in openai()._get_request_payload([("user", "hi")])


def test_a_variant_has_a_cache_key_of_its_own() -> None:
    """LangChain keeps the description it makes the key of on the model, and copies keep it too."""
    model = openai()
    plain = model._get_llm_string()
    assert _asked(model, logprobs=True)._get_llm_string() != plain
    assert _asked(model)._get_llm_string() is not None
    assert model._get_llm_string() == plain


def test_groq_is_asked_by_model_kwargs_and_keeps_its_own() -> None:
    groq = ChatGroq(model="m", api_key="fake", model_kwargs={"user": "me"})
    asked = _asked(groq, logprobs=True)
    assert asked.model_kwargs == {"user": "me", "logprobs": True}
    assert groq.model_kwargs == {"user": "me"}


def test_ollama_is_asked_by_field() -> None:
    assert _asked(ChatOllama(model="m"), logprobs=True).logprobs is True


def test_anthropic_is_not_asked() -> None:
    model = ChatAnthropic(model="claude-3-5-haiku-latest", api_key="fake")
    asked = _asked(model, logprobs=True)
    assert "logprobs" not in asked._get_request_payload([("user", "hi")])


def test_drafts_are_never_streamed_by_the_model_itself() -> None:
    assert _asked(openai(streaming=True)).disable_streaming is True


@pytest.mark.parametrize(
    ("model", "name", "limit"),
    [
        (openai(max_tokens=9), "gpt-4o-mini", 9),
        (ChatOllama(model="llama3.2", num_predict=7), "llama3.2", 7),
        (ChatGroq(model="m", api_key="fake", max_tokens=3), "m", 3),
        (FakeChat(), "fake", None),
    ],
)
def test_names_and_limits_are_found_wherever_an_integration_keeps_them(
    model: Any, name: str, limit: int | None
) -> None:
    assert (model_name(model), max_tokens(model)) == (name, limit)


def test_standard_parameters_are_set_where_each_integration_keeps_them() -> None:
    cascade = ChatCascade(
        tiers=[
            ChatOllama(model="llama3.2"),
            openai(),
            ChatAnthropic(model="claude-3-5-haiku-latest", api_key="fake"),
        ],
        temperature=0.2,
        max_tokens=77,
    )
    ollama, gpt, claude = (tier.inner for tier in cascade._chat_tiers)
    assert (ollama.temperature, ollama.num_predict) == (0.2, 77)
    payload = gpt._get_request_payload([("user", "hi")])
    assert (payload["temperature"], payload["max_completion_tokens"]) == (0.2, 77)
    assert (claude.temperature, claude.max_tokens) == (0.2, 77)
    assert claude._get_request_payload([("user", "hi")])["max_tokens"] == 77


def test_a_bound_limit_counts_for_cutting_drafts_off() -> None:
    cascade = ChatCascade(tiers=[openai(max_tokens=100).bind(max_tokens=10), openai()])
    assert cascade._engine.plan.tiers[0].max_tokens == 10


class TakesFields(FakeChat):
    """Takes a temperature and a seed as fields alone, as the integration of that name does."""

    def _say(self, messages: Any, stop: Any, kwargs: Any, *, streamed: bool) -> Any:
        assert not kwargs
        drawn.append((self.temperature, self.seed))
        return super()._say(messages, stop, kwargs, streamed=streamed)


TakesFields.__name__ = "ChatOllama"  # by which it is known

drawn: list[tuple[Any, Any]] = []


@pytest.mark.parametrize("kind", ["model", "middleware"])
async def test_samples_have_what_an_integration_takes_as_fields_alone(kind: str) -> None:
    drawn.clear()
    tiers = [TakesFields("Rome", temperature=0, seed=7), FakeChat("strong")]
    signals: Any = [SelfConsistency(n=2, temperature=0.5)]
    if kind == "model":
        await ChatCascade(tiers, signals=signals).ainvoke("hi")
    else:
        middleware = CascadeMiddleware(tiers=tiers, signals=signals)
        agent = create_agent(tiers[1], [], middleware=[middleware])
        await agent.ainvoke({"messages": [("user", "hi")]})
    assert sorted(drawn) == [(0, 7), (0.5, 8), (0.5, 9)]
    assert tiers[0].temperature == 0
