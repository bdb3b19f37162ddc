"""The real integration classes, made to ask a server on this machine; and the words of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True)
class Words:
    """A provider's words: for a good end, a cut, a filter and for what is none of these."""

    good: str
    cut: str
    filtered: str | None
    odd: str


OPENAI = Words("stop", "length", "content_filter", "network_error")
ANTHROPIC = Words("end_turn", "max_tokens", "refusal", "pause_turn")
GOOGLE = Words("STOP", "MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL")
OLLAMA = Words("stop", "length", None, "unload")
COHERE = Words("COMPLETE", "MAX_TOKENS", "ERROR_TOXIC", "ERROR")
BEDROCK = Words("end_turn", "max_tokens", "guardrail_intervened", "malformed_model_output")
RESPONSES = Words(
    "completed", "incomplete:max_output_tokens", "incomplete:content_filter", "failed"
)


@dataclass(frozen=True, eq=False)
class Class:
    """One integration's class.

    Attributes:
        module: Where it is.
        name: Its name.
        settings: From the server's address to the arguments it is made with.
        words: What its provider says.
        reasoning: Whether it hands on how many of the tokens were hidden.
        parts: In which ways it hands on what the tokens were: hidden, cached.
        apart: Whether it counts those beside the answer.
        raises: Ends of which it makes an error, in one way or in all: a failed call.
        hides: What cannot be read through it, each with the reason.
        whole: Whether its drafts are asked for whole, since its streams hide their ends.
    """

    module: str
    name: str
    settings: Callable[[str], Mapping[str, Any]]
    words: Words = OPENAI
    reasoning: bool = True
    parts: Collection[str] = ("whole", "stream")
    apart: bool = False
    raises: Collection[str] = ()
    hides: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False

    @property
    def framework(self) -> str:
        return "llamaindex" if self.module.startswith("llama_index") else "langchain"

    @property
    def id(self) -> str:
        return f"{self.framework}-{self.name}-{self.words.good}"

    @property
    def installed(self) -> bool:
        try:
            return find_spec(self.module) is not None
        except ImportError:  # nor is the package it would be in
            return False

    def made(self, url: str) -> Any:
        """Make the model."""
        return getattr(import_module(self.module), self.name)(**self.settings(url))


def _compatible(key: str, base: str, **more: Any) -> Callable[[str], Mapping[str, Any]]:
    return lambda url: {"model": "m-1", key: "none", base: f"{url}/v1", "max_retries": 0, **more}


def _langchain(module: str, name: str, settings: Any, words: Words = OPENAI, **more: Any) -> Class:
    return Class(f"langchain_{module}", name, settings, words, **more)


def _llamaindex(module: str, name: str, settings: Any, words: Words = OPENAI, **more: Any) -> Class:
    return Class(f"llama_index.llms.{module}", name, settings, words, **more)


def _bedrock(url: str) -> Mapping[str, Any]:
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    place = {"endpoint_url": url, "region_name": "us-east-1"}
    return {"model": "anthropic.claude-3-haiku-20240307-v1:0", **place, **keys}


def _azure(url: str) -> Mapping[str, Any]:
    where = {"azure_endpoint": url, "azure_deployment": "m-1", "api_version": "2024-10-21"}
    return {**where, "model": "m-1", "api_key": "none", "max_retries": 0, "stream_usage": True}


def _litellm(url: str) -> Mapping[str, Any]:
    return {"model": "openai/m-1", "api_key": "none", "api_base": f"{url}/v1", "max_retries": 0}


LITELLM = "LiteLLM calls every word that it does not know a stop"
CHAT = {"is_chat_model": True, "context_window": 8000}

CLASSES = [
    _langchain("openai", "ChatOpenAI", _compatible("api_key", "base_url", stream_usage=True)),
    _langchain(
        "openai",
        "ChatOpenAI",
        _compatible("api_key", "base_url", use_responses_api=True),
        RESPONSES,
        raises=("odd stream", "odd astream"),
    ),
    _langchain("openai", "AzureChatOpenAI", _azure, raises=("filtered whole",)),
    _langchain(
        "anthropic",
        "ChatAnthropic",
        lambda url: {"model": "claude-m", "api_key": "none", "base_url": url, "max_retries": 0},
        ANTHROPIC,
        reasoning=False,
    ),
    _langchain(
        "aws",
        "ChatBedrockConverse",
        _bedrock,
        BEDROCK,
        reasoning=False,
        raises=("none",),
    ),
    _langchain(
        "google_genai",
        "ChatGoogleGenerativeAI",
        lambda url: {
            "model": "gemini-2.5-flash",
            "api_key": "none",
            "base_url": url,
            "max_retries": 1,
        },
        GOOGLE,
    ),
    _langchain("mistralai", "ChatMistralAI", _compatible("api_key", "endpoint"), parts=("whole",)),
    _langchain(
        "groq",
        "ChatGroq",
        lambda url: {"model": "m-1", "api_key": "none", "base_url": url, "max_retries": 0},
    ),
    _langchain(
        "ollama",
        "ChatOllama",
        lambda url: {"model": "m-1", "base_url": url},
        OLLAMA,
        reasoning=False,
    ),
    _langchain("deepseek", "ChatDeepSeek", _compatible("api_key", "api_base")),
    _langchain("xai", "ChatXAI", _compatible("api_key", "xai_api_base"), apart=True),
    _langchain("fireworks", "ChatFireworks", _compatible("api_key", "base_url")),
    _langchain("together", "ChatTogether", _compatible("api_key", "base_url")),
    _langchain("openrouter", "ChatOpenRouter", _compatible("api_key", "base_url")),
    _langchain(
        "litellm",
        "ChatLiteLLM",
        _litellm,
        raises=("none",),
        hides=dict.fromkeys(("odd whole", "odd stream"), LITELLM),
    ),
    _langchain(
        "cohere",
        "ChatCohere",
        lambda url: {"model": "command-r", "cohere_api_key": "none", "base_url": url},
        COHERE,
        reasoning=False,
    ),
    _langchain(
        "nvidia_ai_endpoints",
        "ChatNVIDIA",
        lambda url: {"model": "m-1", "api_key": "none", "base_url": f"{url}/v1"},
        parts=("whole",),
    ),
    _llamaindex(
        "openai",
        "OpenAI",
        lambda url: {**_compatible("api_key", "api_base")(url), "model": "gpt-4o-mini"},
    ),
    _llamaindex(
        "openai",
        "OpenAIResponses",
        lambda url: {**_compatible("api_key", "api_base")(url), "model": "gpt-4o-mini"},
        RESPONSES,
    ),
    _llamaindex("openai_like", "OpenAILike", _compatible("api_key", "api_base", **CHAT)),
    _llamaindex(
        "anthropic",
        "Anthropic",
        lambda url: {
            "model": "claude-3-5-haiku-latest",
            "api_key": "none",
            "base_url": url,
            "max_retries": 0,
        },
        ANTHROPIC,
        reasoning=False,
    ),
    _llamaindex(
        "bedrock_converse", "BedrockConverse", _bedrock, BEDROCK, reasoning=False, whole=True
    ),
    _llamaindex(
        "google_genai",
        "GoogleGenAI",
        lambda url: {
            "model": "gemini-2.5-flash",
            "api_key": "none",
            "max_retries": 0,
            "http_options": {"base_url": url},
            "context_window": 8000,
        },
        GOOGLE,
        raises=("cut", "filtered", "odd"),
    ),
    _llamaindex(
        "mistralai",
        "MistralAI",
        lambda url: {
            "model": "mistral-small-latest",
            "api_key": "none",
            "endpoint": url,
            "max_retries": 0,
        },
    ),
    _llamaindex("groq", "Groq", _compatible("api_key", "api_base")),
    _llamaindex(
        "ollama",
        "Ollama",
        lambda url: {"model": "m-1", "base_url": url, "context_window": 8000},
        OLLAMA,
        reasoning=False,
    ),
    _llamaindex("deepseek", "DeepSeek", _compatible("api_key", "api_base")),
    _llamaindex(
        "fireworks",
        "Fireworks",
        lambda url: {
            **_compatible("api_key", "api_base")(url),
            "model": "accounts/fireworks/models/llama-v3p1-8b-instruct",
        },
    ),
    _llamaindex("together", "TogetherLLM", _compatible("api_key", "api_base")),
    _llamaindex("openrouter", "OpenRouter", _compatible("api_key", "api_base")),
    _llamaindex(
        "litellm",
        "LiteLLM",
        _litellm,
        raises=("none",),
        hides={
            "odd stream": LITELLM,
            "usage stream": "its streams fail where tokens are asked for",
        },
    ),
    _llamaindex(
        "cohere",
        "Cohere",
        lambda url: {"model": "command-r", "api_key": "none", "base_url": url, "max_retries": 1},
        COHERE,
        reasoning=False,
        hides={" astream": "its asynchronous streams raise a TypeError"},
    ),
    _llamaindex("perplexity", "Perplexity", _compatible("api_key", "api_base"), whole=True),
]
"""Every class whose server can be named."""
